//! The addresses that full DHCP hands out: proposed where nothing was said, checked while somebody types.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::PlanError;
use crate::dhcp::lease::{MAX_ADDRESSES, Range};
use crate::net::Interface;

/// Longest prefix of a network that has room for two machines.
const LONGEST_PREFIX: u8 = 30;

/// What is wrong with a range on this interface.
pub fn range_problem(text: &str, interface: &Interface) -> Option<PlanError> {
    on(interface).and_then(|network| of(Some(text), network, interface)).err()
}

/// The range that is used on this interface where none is given, as a text like the one that is given.
pub fn proposed_range(interface: &Interface) -> Option<String> {
    let (range, _) = on(interface).and_then(|network| of(None, network, interface)).ok()?;
    Some(format!("{}-{}", range.first, range.last))
}

/// An address for an interface that has none, in a network of its own: private (RFC 1918) and rare, so that it meets no
/// other network of this machine.
pub fn proposed_address(interfaces: &[Interface]) -> Ipv4Net {
    const PROPOSALS: [[u8; 4]; 4] = [[10, 77, 0, 1], [192, 168, 77, 1], [172, 27, 77, 1], [10, 177, 0, 1]];
    let proposals = PROPOSALS.map(|address| Ipv4Net::new_assert(address.into(), 24));
    let used = || interfaces.iter().flat_map(|interface| &interface.addresses);
    let meets = |a: &Ipv4Net, b: &Ipv4Net| a.contains(&b.network()) || b.contains(&a.network());
    let free = proposals.iter().find(|proposal| !used().any(|used| meets(proposal, used)));
    let [first, ..] = proposals;
    free.copied().unwrap_or(first)
}

/// Addresses of a good range that are not handed out: the interface's own, and its router's.
pub fn range_excludes(text: &str, interface: &Interface) -> Vec<Ipv4Addr> {
    let range = on(interface).and_then(|network| of(Some(text), network, interface));
    let inside = |(range, taken): (Range, BTreeSet<Ipv4Addr>)| {
        taken.into_iter().filter(|&address| range.contains(address)).collect()
    };
    range.map(inside).unwrap_or_default()
}

/// The range to hand out, and addresses that belong to somebody.
pub(super) fn of(
    text: Option<&str>,
    network: Ipv4Net,
    interface: &Interface,
) -> Result<(Range, BTreeSet<Ipv4Addr>), PlanError> {
    if network.prefix_len() > LONGEST_PREFIX {
        return Err(PlanError::NoRoom { network });
    }
    let range = text.map_or_else(|| upper_half(network), |text| parse(text, network))?;
    let taken = taken(interface);
    if range.iter().all(|address| taken.contains(&address)) {
        let given = text.map(|text| PlanError::RangeCoversOwn { range: text.to_owned() });
        return Err(given.unwrap_or(PlanError::NoRoom { network }));
    }
    Ok((range, taken))
}

fn on(interface: &Interface) -> Result<Ipv4Net, PlanError> {
    interface.network().ok_or_else(|| PlanError::NoAddress { name: interface.name.clone() })
}

/// Addresses that belong to somebody already: those of the interface itself, and its router.
fn taken(interface: &Interface) -> BTreeSet<Ipv4Addr> {
    interface.addresses.iter().map(Ipv4Net::addr).chain(interface.gateway).collect()
}

/// The upper half of a network without its broadcast address: routers and fixed machines usually have low numbers.
fn upper_half(network: Ipv4Net) -> Result<Range, PlanError> {
    let (first, broadcast) = (network.network().to_bits(), network.broadcast().to_bits());
    let half = (broadcast - first) / 2 + 1;
    let last = broadcast.saturating_sub(1);
    let most = u32::try_from(MAX_ADDRESSES - 1).unwrap_or(u32::MAX);
    let first = first.saturating_add(half).max(last.saturating_sub(most));
    if first > last {
        return Err(PlanError::NoRoom { network });
    }
    Ok(Range { first: first.into(), last: last.into() })
}

fn parse(text: &str, network: Ipv4Net) -> Result<Range, PlanError> {
    let wrong = || PlanError::RangeSyntax { text: text.to_owned() };
    let (first, last) = text.split_once('-').ok_or_else(wrong)?;
    let address = |text: &str| text.trim().parse::<Ipv4Addr>().map_err(|_| wrong());
    let range = Range { first: address(first)?, last: address(last)? };
    if range.first > range.last {
        return Err(PlanError::RangeReversed { range: text.to_owned() });
    }
    let inside = |address| network.contains(&address) && address != network.network() && address != network.broadcast();
    if !inside(range.first) || !inside(range.last) {
        return Err(PlanError::RangeOutside { range: text.to_owned(), network: network.trunc() });
    }
    if range.size() > MAX_ADDRESSES {
        return Err(PlanError::RangeTooLarge { range: text.to_owned() });
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::super::tests::bench;
    use super::*;

    #[test]
    fn ranges_are_proposed_and_checked() {
        let range = |address: &str, text: Option<&str>| {
            let interface = &bench(address)[0];
            match of(text, interface.network().unwrap(), interface) {
                Ok((range, _)) => format!("{}-{}", range.first, range.last),
                Err(error) => error.to_string(),
            }
        };
        let cases = [
            ("10.77.0.1/24", None, "10.77.0.128-10.77.0.254"),
            ("192.168.1.1/30", None, "192.168.1.2-192.168.1.2"),
            ("192.168.1.2/30", None, "the network 192.168.1.2/30 has no addresses to hand out"),
            (
                "10.77.0.1/24",
                Some("10.77.0.1-10.77.0.1"),
                "the range 10.77.0.1-10.77.0.1 has only addresses that are in use",
            ),
            ("10.0.0.1/8", None, "10.254.255.255-10.255.255.254"),
            ("10.77.0.1/31", None, "the network 10.77.0.1/31 has no addresses to hand out"),
            ("10.77.0.1/32", None, "the network 10.77.0.1/32 has no addresses to hand out"),
            ("10.77.0.1/24", Some("10.77.0.5-10.77.0.9"), "10.77.0.5-10.77.0.9"),
            ("10.77.0.1/24", Some("10.77.0.9 - 10.77.0.9"), "10.77.0.9-10.77.0.9"),
            ("10.77.0.1/24", Some("10.77.0.9-10.77.0.5"), "the range 10.77.0.9-10.77.0.5 ends before it begins"),
            ("10.77.0.1/24", Some("10.77.0.9"), "\"10.77.0.9\" is not a range of addresses"),
            ("10.77.0.1/24", Some("10.77.0.9-10.77.1.5"), "the range 10.77.0.9-10.77.1.5 is not inside 10.77.0.0/24"),
            (
                "10.77.0.1/24",
                Some("10.77.0.9-10.77.0.255"),
                "the range 10.77.0.9-10.77.0.255 is not inside 10.77.0.0/24",
            ),
            ("10.0.0.1/8", Some("10.1.0.0-10.9.0.0"), "the range 10.1.0.0-10.9.0.0 has too many addresses"),
        ];
        for (address, given, expected) in cases {
            assert_eq!(range(address, given), expected, "{address} {given:?}");
        }
    }

    #[test]
    fn a_page_learns_what_is_wrong_proposed_and_left_out() {
        let (good, bare) = (&bench("10.77.0.1/24")[0], &bench("")[0]);
        assert!(range_problem("10.77.0.5-10.77.0.9", good).is_none());
        assert!(matches!(range_problem("10.77.0.", good), Some(PlanError::RangeSyntax { .. })));
        assert!(matches!(range_problem("10.77.0.5-10.77.0.9", bare), Some(PlanError::NoAddress { .. })));
        let proposed = proposed_range(good).unwrap();
        assert_eq!(proposed, "10.77.0.128-10.77.0.254");
        assert!(range_problem(&proposed, good).is_none());
        assert_eq!((proposed_range(bare), proposed_range(&bench("10.77.0.1/31")[0])), (None, None));
        let excludes = |text| range_excludes(text, good).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(excludes("10.77.0.1-10.77.0.254"), ["10.77.0.1", "10.77.0.200"]);
        assert_eq!(excludes(&proposed), ["10.77.0.200"]);
        assert!(excludes("10.77.0.5-10.77.0.9").is_empty() && excludes("10.77.0.1-").is_empty());
    }
}
