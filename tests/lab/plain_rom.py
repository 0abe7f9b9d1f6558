#!/usr/bin/env python3
"""Makes QEMU's network ROM look like a vendor's plain PXE ROM, or like an iPXE without HTTP.

    plain_rom.py CLIENT_SIDE SERVER_SIDE ipxe|http

QEMU has no other BIOS network ROM than iPXE, which tells servers so by DHCP options 77 and 175. This joins two
interfaces and takes those options out of the client's requests, or only the word that it can fetch by HTTP out of option
175, until the client sends its first TFTP read request: what asks after that is the program that it was given, and is left
alone.
"""
import select
import socket
import struct
import sys

ETH_P_ALL = 3
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_IGNORE_OUTGOING, PROMISCUOUS = 263, 1, 23, 1
USER_CLASS, IPXE, IPXE_HTTP = 77, 175, 19


def checksum(header):
    total = sum(struct.unpack("!%dH" % (len(header) // 2), header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def options(text):
    """Each option that is no padding: its code and its value."""
    at = 0
    while at < len(text) and text[at] != 255:
        if text[at] == 0:
            at += 1
            continue
        end = at + 2 + text[at + 1]
        yield text[at], text[at + 2:end]
        at = end


def written(pairs):
    return b"".join(bytes([code, len(value)]) + value for code, value in pairs)


def kept(code, value, hidden):
    """What is left of an option, if anything."""
    if hidden == "http":
        return written((c, v) for c, v in options(value) if c != IPXE_HTTP) if code == IPXE else value
    return None if code in (USER_CLASS, IPXE) else value


def without_marks(frame, hidden):
    """The frame to send on, and whether it was the first TFTP request."""
    if len(frame) < 42 or frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_UDP:
        return frame, False
    udp = 14 + (frame[14] & 15) * 4
    source, target = struct.unpack("!HH", frame[udp:udp + 4])
    message = frame[udp + 8:14 + struct.unpack("!H", frame[16:18])[0]]
    if target == 69:
        return frame, message[:2] == b"\x00\x01"
    if target not in (67, 4011) or message[236:240] != b"\x63\x82\x53\x63":
        return frame, False
    pairs = ((code, kept(code, value, hidden)) for code, value in options(message[240:]))
    message = message[:240] + written(pair for pair in pairs if pair[1] is not None) + b"\xff"
    message += bytes(max(0, 300 - len(message)))
    ip = bytearray(frame[14:udp])
    struct.pack_into("!H", ip, 2, len(ip) + 8 + len(message))
    struct.pack_into("!H", ip, 10, 0)
    struct.pack_into("!H", ip, 10, checksum(bytes(ip)))
    # A UDP checksum of zero means none, which IPv4 allows.
    return frame[:14] + bytes(ip) + struct.pack("!HHHH", source, target, 8 + len(message), 0) + message, False


def port(name):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    link.bind((name, 0))
    index = socket.if_nametoindex(name)
    link.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, struct.pack("IHH8s", index, PROMISCUOUS, 0, b""))
    link.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    return link


def main():
    client, server = port(sys.argv[1]), port(sys.argv[2])
    print("ready", flush=True)
    hiding = True
    while True:
        for link in select.select([client, server], [], [])[0]:
            try:
                frame = link.recv(65536)
                if link is client:
                    if hiding:
                        frame, asked = without_marks(frame, sys.argv[3])
                        hiding = not asked
                    server.send(frame)
                else:
                    client.send(frame)
            except OSError as error:
                print(f"plain_rom: {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
