//! A trace as people read it: a line for each packet, and what we said in between.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Packet, Way, secret};
use crate::dhcp::message;
use crate::text;
use crate::tftp::wire::{self, Answer, Opening};

/// Longest file name and text of a packet, in characters.
const MAX_TEXT: usize = 200;

/// A packet in words, without its time.
pub fn packet(packet: &Packet) -> String {
    let (way, other, own) = match packet.way {
        Way::Received => ("<-", packet.from, packet.to),
        Way::Sent => ("->", packet.to, packet.from),
    };
    let what = if is_dhcp(packet) { dhcp(&packet.payload) } else { tftp(packet) };
    format!("{way} {other} (our port {}) {what}, {} bytes", own.port(), packet.length)
}

/// All of it in the order of time: packets, and beside them other lines such as those of a computer's timeline.
pub fn file(packets: &[Packet], others: &[(Timestamp, String)], zone: &TimeZone) -> String {
    let said = others.iter().map(|(at, words)| (*at, format!("   {}", text::plain(words, 500))));
    let mut lines: Vec<(Timestamp, String)> = packets.iter().map(|one| (one.at, packet(one))).chain(said).collect();
    // Stable: of the same moment a packet comes before what is said about it.
    lines.sort_by_key(|(at, _)| *at);
    let line = |(at, words): (Timestamp, String)| {
        let time = at.to_zoned(zone.clone());
        format!("{}  {}\n", time.strftime("%Y-%m-%d %H:%M:%S%.6f"), secret::without_tokens(&words))
    };
    lines.into_iter().map(line).collect()
}

/// A DHCP message begins with 1 or 2 (RFC 2131 section 2), and no TFTP packet does.
fn is_dhcp(packet: &Packet) -> bool {
    !matches!(packet.payload.as_slice(), [0, ..])
}

fn dhcp(payload: &[u8]) -> String {
    match message::kind(payload) {
        Some(kind) => format!("DHCP {}", format!("{kind:?}").to_uppercase()),
        None => "no DHCP".to_owned(),
    }
}

fn tftp(packet: &Packet) -> String {
    let payload = packet.payload.as_slice();
    let named = |file: &str| text::plain(file, MAX_TEXT);
    match payload {
        [0, 3, high, low, ..] => {
            format!("TFTP block {} with {} bytes", u16::from_be_bytes([*high, *low]), packet.length.saturating_sub(4))
        }
        [0, 6, options @ ..] => {
            let parts: Vec<String> =
                options.split(|&byte| byte == 0).map(|part| named(&String::from_utf8_lossy(part))).collect();
            format!("TFTP options {}", parts.join(" ").trim_end())
        }
        _ => match (wire::answer(payload), wire::opening(payload)) {
            (Answer::Ack(block), _) => format!("TFTP has block {block}"),
            (Answer::Error { code, text }, _) => format!("TFTP error {code} {text:?}"),
            (_, Opening::Read(request)) => {
                let options = request.options.iter().map(|(name, value)| format!("{name} {value}"));
                let parts: Vec<String> = std::iter::once(request.file.clone()).chain(options).collect();
                format!("TFTP asks for {}", named(&parts.join(" ")))
            }
            (_, Opening::Write) => "TFTP wants to write".to_owned(),
            _ => "no TFTP".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::tree::Role;
    use crate::trace::tests::address;

    #[test]
    fn a_trace_is_read_as_a_story() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let (asks, gives) = ((address(100, 2070), address(1, 69)), (address(1, 40_000), address(100, 2070)));
        let token = "0123456789abcdef0123456789abcdef";
        let packets = [
            Packet::whole(at(1), Way::Received, asks, b"\0\x01snponly.efi\0octet\0blksize\x001468\0"),
            Packet::whole(at(2), Way::Sent, gives, b"\0\x06blksize\x001468\0"),
            Packet::block(at(3), gives, &[b"\0\x03\0\x01".as_slice(), &[9; 1468]].concat(), Role::Loader),
            Packet::whole(at(4), Way::Received, (asks.0, gives.0), b"\0\x04\0\x01"),
            Packet::whole(at(5), Way::Received, (asks.0, gives.0), b"\0\x05\0\x08no\0"),
            Packet::whole(at(6), Way::Received, asks, format!("\0\x01grub/e/{token}/x\x1b[2J\0octet\0").as_bytes()),
            Packet::whole(at(7), Way::Received, (address(100, 68), address(1, 67)), &[1; 20]),
        ];
        let said = [(at(1), format!("asks /answer/{token}/user-data")), (at(5), "breaks off\nhere".to_owned())];
        let expected = "\
1970-01-01 00:00:01.000000  <- 10.77.0.100:2070 (our port 69) TFTP asks for snponly.efi blksize 1468, 33 bytes
1970-01-01 00:00:01.000000     asks /answer/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/user-data
1970-01-01 00:00:02.000000  -> 10.77.0.100:2070 (our port 40000) TFTP options blksize 1468, 15 bytes
1970-01-01 00:00:03.000000  -> 10.77.0.100:2070 (our port 40000) TFTP block 1 with 1468 bytes, 1472 bytes
1970-01-01 00:00:04.000000  <- 10.77.0.100:2070 (our port 40000) TFTP has block 1, 4 bytes
1970-01-01 00:00:05.000000  <- 10.77.0.100:2070 (our port 40000) TFTP error 8 \"no\", 7 bytes
1970-01-01 00:00:05.000000     breaks off·here
1970-01-01 00:00:06.000000  <- 10.77.0.100:2070 (our port 69) TFTP asks for grub/e/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/x·[2J, 54 bytes
1970-01-01 00:00:07.000000  <- 10.77.0.100:68 (our port 67) no DHCP, 20 bytes
";
        assert_eq!(file(&packets, &said, &TimeZone::UTC), expected);
    }
}
