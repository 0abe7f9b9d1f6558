//! The system's neighbour table: which hardware address is behind an IPv4 address on a cable.

use std::net::Ipv4Addr;

use crate::mac::Mac;

/// The table as a text (Linux `Documentation/networking/arp`, `net/ipv4/arp.c`, `arp_format_neigh_entry`).
const TABLE: &str = "/proc/net/arp";
/// The flag of an entry that has an address (`ATF_COM`).
const COMPLETE: u32 = 0x02;

/// The hardware address that the system itself sends to for this address on this interface; none where it knows none. Who
/// has an open connection to us is in the table.
pub fn neighbour(interface: &str, address: Ipv4Addr) -> Option<Mac> {
    find(&std::fs::read_to_string(TABLE).ok()?, interface, address)
}

fn find(table: &str, interface: &str, address: Ipv4Addr) -> Option<Mac> {
    // IP address, HW type, Flags, HW address, Mask, Device.
    table.lines().skip(1).find_map(|line| {
        let mut words = line.split_whitespace();
        let own: Ipv4Addr = words.next()?.parse().ok()?;
        let _kind = words.next()?;
        let flags = u32::from_str_radix(words.next()?.trim_start_matches("0x"), 16).ok()?;
        let (mac, device) = (words.next()?, words.nth(1)?);
        let fits = own == address && device == interface && flags & COMPLETE != 0;
        fits.then(|| mac.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_entry_of_the_interface_counts() {
        let table = "IP address       HW type     Flags       HW address            Mask     Device\n\
                     10.77.0.128      0x1         0x2         52:54:00:77:01:01     *        eth0\n\
                     10.77.0.129      0x1         0x0         00:00:00:00:00:00     *        eth0\n\
                     10.77.0.130      0x1         0x2         52:54:00:77:01:03     *        eth1\n";
        let found = |last: u8| find(table, "eth0", Ipv4Addr::new(10, 77, 0, last)).map(|mac| mac.to_string());
        assert_eq!(found(128).as_deref(), Some("52:54:00:77:01:01"));
        assert_eq!(found(129), None, "asked, and not answered yet");
        assert_eq!(found(130), None, "of another interface");
        assert_eq!(found(131), None);
        assert_eq!(find("", "eth0", Ipv4Addr::LOCALHOST), None);
    }
}
