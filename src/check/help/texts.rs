//! The texts, by who shows them. Sources: Intel's "PXE error codes" for BIOS ROMs (as Broadcom's article 152549 and
//! Serva's list have it), EDK2 `PxeBcBoot.c` and `HttpBootImpl.c` for UEFI, ipxe.org/err for iPXE, the programs' own
//! sources and reports of users for the rest.

use super::Help;

const ROM: &str = "a BIOS network card (PXE ROM)";
const UEFI: &str = "UEFI firmware";
const BOTH: &str = "UEFI firmware or a PXE ROM";
const IPXE: &str = "iPXE";
const SHIM: &str = "shim or UEFI with Secure Boot on";
const GRUB: &str = "GRUB";
const LINUX: &str = "Linux";

const PORTS: &str = "Let UDP 67, 69 and 4011 and TCP 80 in through the firewall of the computer that serves, and look for a \
                     firewall on the way.";
const CABLE: &str = "Check the cable and the light at the socket, and try another port of the switch.";
const OFF_OR_SIGNED: &str =
    "Let the computer try again: it gets a signed loader next. Or switch Secure Boot off in its firmware.";
const MEMORY: &str =
    "Start a smaller system, or give the computer more memory. The Images page says how much each image needs.";
const IMAGE: &str = "Compare the image with its checksum on the Images page, and look at the log: a file that was asked for and \
                     is not there is named in it.";

const fn help(
    shows: &'static [&'static str],
    from: &'static str,
    meaning: &'static str,
    next_step: &'static str,
) -> Help {
    Help { shows, from, meaning, next_step }
}

/// All that is known.
pub const TEXTS: &[Help] = &[
    help(
        &["PXE-E00: Could not find enough free base memory"],
        ROM,
        "The card found no room in the first 640 kB of memory.",
        "Switch other option ROMs off in the BIOS (other network cards, RAID), or boot by UEFI.",
    ),
    help(
        &["PXE-E05: Buffer size is smaller than the requested file", "PXE-E05: EEPROM checksum error"],
        BOTH,
        "UEFI: the loader grew between two requests. A PXE ROM: the settings inside the network card are damaged.",
        "Restart the computer. If a ROM says it again, update the card's firmware or use another card.",
    ),
    help(
        &["PXE-E07: Network device error"],
        UEFI,
        "The firmware's driver for the network card failed.",
        "Switch the computer off and on again, update its firmware, or use another card.",
    ),
    help(
        &["PXE-E09: Could not allocate I/O buffers"],
        UEFI,
        "The firmware has no memory left for the loader.",
        "Switch the computer off and on again, and update its firmware.",
    ),
    help(
        &["PXE-E11: ARP timeout"],
        ROM,
        "It has an address and a server's name, and that server does not answer on this network.",
        "See that both are in one network: another DHCP server may have named a server elsewhere. Take that server off, or \
         work beside it.",
    ),
    help(&["PXE-E12: Could not detect network connection"], UEFI, "The firmware sees no cable.", CABLE),
    help(
        &["PXE-E16: No offer received", "PXE-E16: No valid offer received"],
        UEFI,
        "It asked for an address and something to boot, and heard no answer that had both.",
        "Does the log show this computer? If not: cable, VLAN and firewall. If so, no DHCP server gives it an address, or its \
         firmware does not take boot information from a second server: hand out addresses here, on a cable of its own.",
    ),
    help(
        &["PXE-E18: Server response timeout", "Server response timeout"],
        UEFI,
        "Somebody gave it an address, and the server for its loader does not answer.",
        "Let UDP 69 and 4011 through the firewall of the computer that serves. If another DHCP server names a boot server of its \
         own, remove that there (options 66 and 67).",
    ),
    help(&["PXE-E21: Remote boot cancelled"], UEFI, "Somebody pressed Esc.", "Choose network boot again."),
    help(
        &["PXE-E22: Client received ICMP error from server"],
        UEFI,
        "The server that it was sent to has nothing listening on that port.",
        "Is Bootwright still serving? Another DHCP server may have sent the computer to a wrong machine.",
    ),
    help(
        &["PXE-E23: Client received TFTP error from server"],
        UEFI,
        "The server does not have the file that it asked for, or refused it.",
        "The log says which file. A router may have named one of its own: remove its option 67.",
    ),
    help(
        &["PXE-E32: TFTP open timeout", "PXE-E32: TFTP open time-out"],
        ROM,
        "It asked for its loader, and no answer arrived.",
        PORTS,
    ),
    help(
        &["PXE-E35: TFTP read timeout"],
        ROM,
        "Its loader began to arrive and then stopped: packets are lost.",
        "Change the cable, try another port of the switch, and look for a VPN or a smaller MTU on the way.",
    ),
    help(
        &["PXE-E36: Error received from TFTP server"],
        ROM,
        "The server refused the file.",
        "The log says which file and why. A router may have named one of its own: remove its option 67.",
    ),
    help(
        &["PXE-E38: TFTP cannot open connection", "PXE-E39: TFTP cannot read from connection"],
        ROM,
        "The card could not begin a transfer.",
        "Switch the computer off and on again, and let UDP 69 through the firewall of the computer that serves.",
    ),
    help(
        &["PXE-E3B: TFTP Error - File Not found", "PXE-T01: File not found"],
        ROM,
        "It asked a server for a file that is not there.",
        "The log says whether it asked here. If not, another DHCP server names a boot server or file of its own.",
    ),
    help(
        &["PXE-E3F: TFTP packet size is invalid"],
        ROM,
        "It got larger packets than it takes.",
        "Update the card's firmware, or boot the computer by UEFI.",
    ),
    help(
        &["PXE-E51: No DHCP or proxyDHCP offers were received"],
        ROM,
        "Nobody answered when it asked for an address and something to boot.",
        "Check cable and VLAN, let UDP 67 in through the firewall of the computer that serves, and try again half a minute later: \
         a switch with spanning tree lets nothing through until then.",
    ),
    help(
        &["PXE-E52: proxyDHCP offers were received. No DHCP offers were received"],
        ROM,
        "Bootwright answered, and nobody gave it an address.",
        "Is the router or DHCP server on this network switched on? If there is none, let Bootwright hand out addresses.",
    ),
    help(
        &["PXE-E53: No boot filename received"],
        BOTH,
        "It got an address, and nobody told it what to boot.",
        "Is Bootwright serving on this network, and does the log show this computer? The log also says where there is no loader \
         for its firmware.",
    ),
    help(
        &["PXE-E55: proxyDHCP service did not reply to request on port 4011"],
        ROM,
        "It asked the boot server on port 4011, and no answer arrived.",
        "Let UDP 4011 through the firewall of the computer that serves, in both directions.",
    ),
    help(
        &["PXE-E61: Media test failure, check cable", "Media test failed, check cable"],
        ROM,
        "The card sees no link.",
        CABLE,
    ),
    help(
        &["PXE-E63: Error while initializing the NIC"],
        ROM,
        "The network card did not start.",
        "Switch the computer off at the mains and on again, update its BIOS, or use another card.",
    ),
    help(
        &["PXE-E67: Invalid MAC address", "PXE-E68: Invalid EEPROM checksum"],
        ROM,
        "What is stored inside the network card is damaged.",
        "Use another card, or write its firmware anew.",
    ),
    help(
        &["PXE-E74: Bad or missing PXE menu and/or prompt information"],
        ROM,
        "Somebody's answer announced a boot menu and had none.",
        "Another boot server on this network answers it: remove its option 43, or take it off this network.",
    ),
    help(
        &["PXE-E76: Bad or missing multicast discovery address", "PXE-E77: Bad or missing discovery server list"],
        ROM,
        "Somebody's answer sent it to look for boot servers and named none.",
        "Another boot server on this network answers it: remove its option 43, or take it off this network.",
    ),
    help(
        &["PXE-E78: Could not locate boot server"],
        ROM,
        "It was told to look for a boot server, and found none.",
        "Let UDP 4011 in. If another DHCP server on this network sets option 60 or 43, remove them there.",
    ),
    help(
        &["PXE-E79: NBP is too big to fit in free base memory"],
        ROM,
        "It was given a loader that is too large for a BIOS, most often one for UEFI.",
        "Another DHCP server may name a fixed boot file (option 67) for all computers: remove it. Or switch the computer to UEFI.",
    ),
    help(
        &["PXE-E7B: Missing MTFTP server IP address"],
        ROM,
        "It was told what to boot, and not where.",
        "Another DHCP server names a boot file without a server: set its option 66 as well, or remove its option 67.",
    ),
    help(&["PXE-E89: Could not download boot image"], ROM, "Its loader did not arrive.", PORTS),
    help(
        &["PXE-E99: Unexpected network error"],
        UEFI,
        "The firmware gave up for another reason, often since it got a file of 0 bytes or answers of two servers.",
        "Look at the log: does the computer ask here for its loader? If not, another DHCP server sent it elsewhere.",
    ),
    help(
        &["PXE-EA0: Network boot canceled by keystroke"],
        ROM,
        "Somebody pressed Esc or Ctrl+C.",
        "Choose network boot again.",
    ),
    help(
        &["PXE-M0F: Exiting PXE ROM", "PXE-M0F: Exiting Intel Boot Agent"],
        ROM,
        "The card gives up, and the computer goes on with its next device. The line above it says why.",
        "Search for the line above it on the screen, which begins with PXE-E.",
    ),
    help(
        &[">>Start PXE over IPv4", "Start PXE over IPv4. Press ESC key to abort PXE boot"],
        UEFI,
        "The firmware asks for an address and something to boot, and waits for up to a minute.",
        "Does the log show this computer? If not: cable, VLAN and firewall. If so, look at what the log says of it.",
    ),
    help(
        &["Station IP address is", "Server IP address is", "NBP filename is"],
        UEFI,
        "It has its address, its server and the name of its loader. That is as it should be; the server is to be the one that \
         serves.",
        "Compare the server's address with the one that Bootwright serves from. If it is another one, another server won.",
    ),
    help(
        &["NBP filesize is 0 Bytes"],
        UEFI,
        "The server that it asked has no such file, or did not answer.",
        "Look at the log for which file it asked for. If it did not ask here, another DHCP server sent it elsewhere.",
    ),
    help(
        &["Could not retrieve NBP file size from HTTP server"],
        UEFI,
        "HTTP Boot has an address, and the web server does not answer or does not have the file. Some firmware takes addresses \
         that begin with https alone.",
        "Let TCP 80 in through the firewall of the computer that serves. If the log shows no request, choose PXE instead of HTTP Boot.",
    ),
    help(
        &[">>Start HTTP Boot over IPv4", "Start HTTP Boot over IPv6"],
        UEFI,
        "The firmware asks for an address and a loader by HTTP.",
        "Does the log show this computer? If not: cable, VLAN and firewall.",
    ),
    help(&["Access Denied"], UEFI, "Secure Boot does not trust the loader.", OFF_OR_SIGNED),
    help(
        &[
            "Security Violation",
            "Verification failed: (0x1A) Security Violation",
            "Secure Boot Violation",
            "Selected boot image did not authenticate",
            "Invalid signature detected",
        ],
        SHIM,
        "Secure Boot does not trust what is to be started.",
        OFF_OR_SIGNED,
    ),
    help(
        &[
            "SBAT self-check failed: Security Policy Violation",
            "Verifying shim SBAT data failed: Security Policy Violation",
        ],
        SHIM,
        "The firmware's list of revoked loaders is newer than this shim.",
        "Use a newer pack of signed loaders, or an image of the present year. Or switch Secure Boot off.",
    ),
    help(
        &[
            "start_image() returned Not Found",
            "Failed to load image: Not Found",
            "Failed to open grubx64.efi - Not Found",
        ],
        SHIM,
        "shim looked for its second stage where it is not: on the server that gave the address.",
        "Let Bootwright hand out addresses, or choose HTTP Boot.",
    ),
    help(
        &["bad shim signature", "error: bad shim signature. you need to load the kernel first"],
        GRUB,
        "The kernel is not signed by whom the shim trusts.",
        "Start an image whose kernel is signed by the same maker as the shim, or switch Secure Boot off.",
    ),
    help(
        &["you need to load the kernel first"],
        GRUB,
        "The kernel before this line could not be loaded; the line above says why.",
        "Search for the line above it on the screen. Most often the file is not there, or its signature is not trusted.",
    ),
    help(
        &["error: out of memory", "GRUB error out of memory press any key to continue"],
        GRUB,
        "GRUB found no room for the kernel or the initrd.",
        MEMORY,
    ),
    help(
        &["grub>", "Minimal BASH-like line editing is supported", "grub rescue unknown filesystem"],
        GRUB,
        "GRUB did not find its menu.",
        "Let Bootwright hand out addresses, so that GRUB finds its menu here; or choose HTTP Boot. Restart the computer.",
    ),
    help(
        &["error: timeout reading", "error: couldn't send network packet", "error: time out opening"],
        GRUB,
        "GRUB does not reach the server any more.",
        "Change the cable, and let TCP 80 and UDP 69 in through the firewall of the computer that serves.",
    ),
    help(
        &[
            "No configuration methods succeeded",
            "No configuration methods succeeded (http://ipxe.org/040ee119)",
            "ipxe.org/040ee186",
        ],
        IPXE,
        "iPXE got no address: no DHCP server answered it in time.",
        "Is the router or DHCP server switched on? If the switch uses spanning tree, let its port forward at once (PortFast). Or \
         let Bootwright hand out addresses.",
    ),
    help(
        &[
            "Nothing to boot: No such file or directory",
            "Nothing to boot (http://ipxe.org/2d03e13b)",
            "ipxe.org/2d03e18e",
        ],
        IPXE,
        "iPXE has an address, and nobody told it what to boot in time.",
        "Is Bootwright serving on this network? Restart the computer: beside another server iPXE misses the second answer now and \
         then.",
    ),
    help(
        &["Connection timed out (http://ipxe.org/4c0a6092)", "Connection timed out", "ipxe.org/4c116035"],
        IPXE,
        "iPXE has an address and does not reach the web server.",
        "Let TCP 80 in through the firewall of the computer that serves. Is it still serving?",
    ),
    help(
        &["Operation not supported (http://ipxe.org/3c092003)"],
        IPXE,
        "This iPXE was built without what it was asked for. VirtualBox's has no HTTP.",
        "In VirtualBox install the extension pack, or choose another network card for the computer.",
    ),
    help(
        &["Exec format error (http://ipxe.org/2e008001)", "Could not boot: Exec format error"],
        IPXE,
        "iPXE cannot start this file: it is for another processor or firmware, damaged, or Secure Boot refuses it.",
        "Choose another entry of the menu. With Secure Boot on, switch that off or use the signed loaders.",
    ),
    help(
        &["No space left on device (http://ipxe.org/34182006)", "Could not boot: No space left on device"],
        IPXE,
        "iPXE found no room in memory for a file.",
        MEMORY,
    ),
    help(
        &[
            "Permission denied (http://ipxe.org/0216eb3c)",
            "Permission denied (https://ipxe.org/0216eb",
            "Could not verify: Permission denied",
        ],
        IPXE,
        "iPXE does not trust the server's certificate.",
        "Use an address that begins with http: Bootwright serves without certificates.",
    ),
    help(
        &["iPXE initialising devices", "iPXE initialising devices..."],
        IPXE,
        "iPXE starts its drivers. Where it stays there, its driver does not get on with this card.",
        "Wait for half a minute. Then update the computer's firmware, or use another network card.",
    ),
    help(
        &["Bootwright: the menu cannot be read from", "Is the laptop still serving?"],
        IPXE,
        "iPXE has an address and its first script, and does not get the menu.",
        "Is Bootwright still serving? Let TCP 80 in through the firewall of the computer that serves.",
    ),
    help(
        &["Bootwright: this entry could not be started. Back to the menu in 10 seconds"],
        IPXE,
        "A file of this entry did not arrive, or does not start on this computer. The lines above say which.",
        "Look at the log for a file that was not there or was broken off. A computer with little memory breaks large ones off.",
    ),
    help(
        &["Unable to find a medium containing a live file system"],
        LINUX,
        "The live system's kernel runs and does not find its root file system: it did not fetch it, or had no room for it.",
        "Look at the log for whether it asked for a large file. If not, it lacks a driver for its network card or an address; if it \
         broke off, it lacks memory.",
    ),
    help(
        &[
            "VFS: Unable to mount root fs on unknown-block",
            "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
        ],
        LINUX,
        "The kernel runs and has no initrd: it did not arrive whole, or there was no memory to unpack it.",
        MEMORY,
    ),
    help(
        &["Initramfs unpacking failed: write error", "Initramfs unpacking failed: no space left"],
        LINUX,
        "There is too little memory to unpack the initrd.",
        MEMORY,
    ),
    help(
        &[
            "Initramfs unpacking failed: Decoding failed",
            "Initramfs unpacking failed: junk in compressed archive",
            "invalid magic at start of compressed archive",
        ],
        LINUX,
        "The initrd is damaged, or padded in a way that this kernel complains of and then starts nevertheless.",
        IMAGE,
    ),
    help(
        &[
            "Out of memory: Killed process",
            "Kernel panic - not syncing: System is deadlocked on memory",
            "System is deadlocked on memory",
        ],
        LINUX,
        "There is too little memory for this system.",
        MEMORY,
    ),
    help(
        &["No working init found", "Kernel panic - not syncing: No working init found"],
        LINUX,
        "The kernel found nothing to start in its initrd: another processor's, or not whole.",
        IMAGE,
    ),
    help(
        &["dracut-initqueue timeout - starting timeout scripts", "Warning: dracut-initqueue timeout", "dracut: FATAL"],
        LINUX,
        "The installer waits for its network or its image, and does not get it.",
        "Look at the log for what it asked for. If it asked for nothing, it lacks a driver for its network card, or an address.",
    ),
    help(
        &[
            "IP-Config: no response after",
            "IP-Config: No network devices available",
            "ipconfig: no devices to configure",
        ],
        LINUX,
        "The system's start has no driver for the network card, or gets no address.",
        "Use another network card, or a newer image. If it has a card, see that a DHCP server answers.",
    ),
    help(
        &["Bad archive mirror", "Failed to retrieve the preconfiguration file"],
        LINUX,
        "The installer does not get a file from the server that it was told.",
        "Look at the log for the file. An installer for the network needs its packages from the internet or from a whole image.",
    ),
    help(
        &["A media driver your computer needs is missing", "Windows Setup no device drivers were found"],
        "Windows Setup",
        "Windows Setup does not find its own files: it has no driver for the network card, which it calls a driver for the medium.",
        "Use an image with drivers for this network card, or another card.",
    ),
    help(
        &[
            "No bootable device",
            "Reboot and Select proper Boot device",
            "No boot device found",
            "Operating System not found",
            "BOOTMGR is missing",
        ],
        BOTH,
        "Neither the network nor a disk gave the computer something to start.",
        "Choose network boot in its boot menu, and put it first in its firmware. If the screen shows a line above this one, search for that.",
    ),
];
