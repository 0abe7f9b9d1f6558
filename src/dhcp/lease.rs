//! Addresses of the range and who has them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::mac::Mac;

/// How long an address is held for a client that was offered it. Seconds, not the lease time, so that made-up hardware
/// addresses do not empty the range (SECURITY S3); firmware answers an OFFER within 4 s, or on its next try at 12 s.
pub const OFFER_HOLD: Duration = Duration::from_secs(30);
/// How long an address stays unused after a client declined it or another machine answered for it.
pub const CONFLICT_HOLD: Duration = Duration::from_secs(600);
/// Lease of a client that renews: a system that stays.
pub const LEASE: Duration = Duration::from_secs(3600);
/// Most addresses that a range may have: two bytes' worth, more than one segment can carry.
pub const MAX_ADDRESSES: u64 = 65_536;

/// The addresses to hand out, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Range {
    /// The first one.
    pub first: Ipv4Addr,
    /// The last one, not before the first.
    pub last: Ipv4Addr,
}

impl Range {
    /// How many addresses it has.
    pub fn size(&self) -> u64 {
        (u64::from(self.last.to_bits()) + 1).saturating_sub(u64::from(self.first.to_bits()))
    }

    /// Whether an address is one of them.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        (self.first..=self.last).contains(&address)
    }

    /// All of them, the lowest first.
    pub fn iter(&self) -> impl Iterator<Item = Ipv4Addr> + use<> {
        (self.first.to_bits()..=self.last.to_bits()).map(Ipv4Addr::from_bits)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Named in an OFFER.
    Offered,
    /// Granted by an ACK.
    Leased,
    /// Given back; remembered for its client.
    Released,
    /// Used by a machine that did not get it from us.
    Conflict,
    /// A client says that another machine uses it.
    Declined,
}

#[derive(Clone, Debug)]
struct Binding {
    client: Vec<u8>,
    mac: Mac,
    state: State,
    until: Instant,
}

/// All bindings of one range. A binding outlives its time until the address is needed, so that a client that comes back
/// finds its old address (RFC 2131 section 4.3.1).
#[derive(Clone, Debug)]
pub struct Leases {
    range: Range,
    excluded: BTreeSet<Ipv4Addr>,
    by_address: BTreeMap<Ipv4Addr, Binding>,
    by_client: HashMap<Vec<u8>, Ipv4Addr>,
}

/// One lease as it is kept over a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The address.
    pub address: Ipv4Addr,
    /// The client's hardware address.
    pub mac: Mac,
    /// Its identifier (option 61, or type and hardware address) in hexadecimal.
    pub client: String,
    /// When the lease ends, in seconds since 1970.
    pub until: u64,
}

impl Leases {
    /// An empty range. `excluded` are addresses inside it that belong to servers and routers.
    pub fn new(range: Range, excluded: BTreeSet<Ipv4Addr>) -> Leases {
        Leases { range, excluded, by_address: BTreeMap::new(), by_client: HashMap::new() }
    }

    /// The range.
    pub fn range(&self) -> Range {
        self.range
    }

    /// Whether an address may be handed out at all.
    pub fn ours(&self, address: Ipv4Addr) -> bool {
        self.range.contains(address) && !self.excluded.contains(&address)
    }

    /// The address for a client, in the standard's order: the one it has or had, the one it asks for, one never used,
    /// the one unused for longest. `None` when all are taken.
    pub fn choose(&self, now: Instant, client: &[u8], requested: Option<Ipv4Addr>) -> Option<Ipv4Addr> {
        let own = self.address_of(client).filter(|&address| self.ours(address));
        let wished = || requested.filter(|&address| self.ours(address) && self.free(now, address));
        let expired = || {
            let mut old =
                self.by_address.iter().filter(|&(&address, binding)| binding.until <= now && self.ours(address));
            let longest = old.by_ref().min_by_key(|(_, binding)| binding.until);
            longest.map(|(&address, _)| address)
        };
        own.or_else(wished).or_else(|| self.unused().next()).or_else(expired)
    }

    /// Addresses that nobody ever had, lowest first.
    pub fn unused(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.range.iter().filter(|address| !self.by_address.contains_key(address) && !self.excluded.contains(address))
    }

    /// The address that a client has, had or was offered.
    pub fn address_of(&self, client: &[u8]) -> Option<Ipv4Addr> {
        self.by_client.get(client).copied()
    }

    /// Whether nobody holds this address now.
    pub fn free(&self, now: Instant, address: Ipv4Addr) -> bool {
        self.by_address.get(&address).is_none_or(|binding| binding.until <= now)
    }

    /// Whether another client holds this address now.
    pub fn taken_by_other(&self, now: Instant, address: Ipv4Addr, client: &[u8]) -> bool {
        self.by_address.get(&address).is_some_and(|binding| binding.until > now && binding.client != client)
    }

    /// Whether another client has this address on lease now. An address that a stranger uses counts for nobody: the
    /// stranger may be another server's client, who is not ours to refuse.
    pub fn leased_by_other(&self, now: Instant, address: Ipv4Addr, client: &[u8]) -> bool {
        self.taken_by_other(now, address, client) && self.leased(now, address)
    }

    /// Whether this client has this address on lease (an old lease counts).
    pub fn leased_to(&self, address: Ipv4Addr, client: &[u8]) -> bool {
        self.by_address
            .get(&address)
            .is_some_and(|binding| binding.client == client && matches!(binding.state, State::Leased | State::Released))
    }

    /// Whether a hardware address is the rightful user of an address, or was.
    pub fn belongs(&self, address: Ipv4Addr, mac: Mac) -> bool {
        self.by_address
            .get(&address)
            .is_some_and(|binding| binding.mac == mac && !matches!(binding.state, State::Conflict | State::Declined))
    }

    /// Whether somebody has this address on lease now.
    pub fn leased(&self, now: Instant, address: Ipv4Addr) -> bool {
        self.by_address.get(&address).is_some_and(|binding| binding.until > now && binding.state == State::Leased)
    }

    /// Holds an address for a client that is being offered it. A lease that it still has stays one.
    pub fn offer(&mut self, now: Instant, address: Ipv4Addr, client: &[u8], mac: Mac) {
        let until = now + OFFER_HOLD;
        let own = self.by_address.get_mut(&address).filter(|binding| binding.client == client);
        match own.filter(|binding| binding.state == State::Leased && binding.until > now) {
            Some(lease) => lease.until = lease.until.max(until),
            None => self.bind(address, client, mac, State::Offered, until),
        }
    }

    /// Leases an address to a client.
    pub fn grant(&mut self, address: Ipv4Addr, client: &[u8], mac: Mac, until: Instant) {
        self.bind(address, client, mac, State::Leased, until);
    }

    /// Ends a client's hold on an address that it was only offered.
    pub fn withdraw(&mut self, now: Instant, client: &[u8]) {
        let Some(address) = self.address_of(client) else { return };
        if self.by_address.get(&address).is_some_and(|binding| binding.state == State::Offered && binding.until > now) {
            self.by_address.remove(&address);
            self.by_client.remove(client);
        }
    }

    /// Frees the address of its owner; anybody else's wish changes nothing. Returns whether it did.
    pub fn release(&mut self, now: Instant, address: Ipv4Addr, client: &[u8]) -> bool {
        match self.by_address.get_mut(&address) {
            Some(binding) if binding.client == client && binding.state == State::Leased => {
                binding.state = State::Released;
                binding.until = now;
                true
            }
            _ => false,
        }
    }

    /// Whether a client may decline this address: only one that it was offered or has.
    pub fn may_decline(&self, address: Ipv4Addr, client: &[u8]) -> bool {
        self.by_address
            .get(&address)
            .is_some_and(|binding| binding.client == client && matches!(binding.state, State::Offered | State::Leased))
    }

    /// Sets an address aside because `by` uses it. Returns whether that is news.
    pub fn conflict(&mut self, now: Instant, address: Ipv4Addr, by: Mac) -> bool {
        self.set_aside(now, address, by, State::Conflict)
    }

    /// Sets an address aside because its client found another machine on it. Made-up declines must not empty the range
    /// (SECURITY S4): beyond a quarter of it, the oldest one ends.
    pub fn decline(&mut self, now: Instant, address: Ipv4Addr, by: Mac) {
        let declined = |(&address, binding): (&Ipv4Addr, &Binding)| {
            (binding.state == State::Declined).then_some((binding.until, address))
        };
        let held: Vec<_> = self.by_address.iter().filter_map(declined).collect();
        let most = usize::try_from(self.range.size() / 4).unwrap_or(usize::MAX).max(1);
        if held.len() >= most
            && let Some((_, oldest)) = held.into_iter().min()
        {
            self.by_address.remove(&oldest);
        }
        self.set_aside(now, address, by, State::Declined);
    }

    fn set_aside(&mut self, now: Instant, address: Ipv4Addr, by: Mac, state: State) -> bool {
        let known = self.by_address.get(&address);
        let news = known.is_none_or(|binding| binding.state != state || binding.until <= now);
        if let Some(binding) = known {
            self.by_client.remove(&binding.client);
        }
        let binding = Binding { client: Vec::new(), mac: by, state, until: now + CONFLICT_HOLD };
        self.by_address.insert(address, binding);
        news
    }

    fn bind(&mut self, address: Ipv4Addr, client: &[u8], mac: Mac, state: State, until: Instant) {
        if let Some(previous) = self.by_address.get(&address).filter(|binding| binding.client != client) {
            self.by_client.remove(&previous.client);
        }
        // A client has one address: the one that it leaves is forgotten.
        if let Some(old) = self.by_client.insert(client.to_vec(), address).filter(|&old| old != address) {
            self.by_address.remove(&old);
        }
        self.by_address.insert(address, Binding { client: client.to_vec(), mac, state, until });
    }

    /// The leases to keep over a restart.
    pub fn records(&self, now: Instant, clock: SystemTime) -> Vec<Record> {
        let kept =
            self.by_address.iter().filter(|(_, binding)| matches!(binding.state, State::Leased | State::Released));
        let record = |(&address, binding): (&Ipv4Addr, &Binding)| Record {
            address,
            mac: binding.mac,
            client: binding.client.iter().map(|byte| format!("{byte:02x}")).collect(),
            until: at(now, clock, binding.until).duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        };
        kept.map(record).collect()
    }

    /// Takes back leases of an earlier run; those outside the range and unreadable ones are left out.
    pub fn restore(&mut self, now: Instant, clock: SystemTime, records: &[Record]) {
        for record in records {
            if !self.ours(record.address) {
                continue;
            }
            let Some(client) = from_hex(&record.client).filter(|client| !client.is_empty()) else { continue };
            let until = UNIX_EPOCH + Duration::from_secs(record.until.min(u64::from(u32::MAX)));
            // A clock that jumped must not make a lease of years.
            let left = until.duration_since(clock).unwrap_or_default().min(LEASE);
            let state = if left.is_zero() { State::Released } else { State::Leased };
            self.bind(record.address, &client, record.mac, state, now + left);
        }
    }
}

fn at(now: Instant, clock: SystemTime, then: Instant) -> SystemTime {
    match then.checked_duration_since(now) {
        Some(ahead) => clock + ahead,
        None => clock.checked_sub(now - then).unwrap_or(UNIX_EPOCH),
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    if !odd.is_empty() {
        return None;
    }
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, last)
    }

    fn mac(n: u8) -> Mac {
        Mac([2, 0, 0, 0, 0, n])
    }

    fn three() -> Leases {
        Leases::new(Range { first: ip(10), last: ip(12) }, BTreeSet::new())
    }

    #[test]
    fn choice_follows_the_standards_order() {
        let start = Instant::now();
        let mut leases = three();
        assert_eq!(leases.choose(start, b"a", None), Some(ip(10)));
        assert_eq!(leases.choose(start, b"a", Some(ip(12))), Some(ip(12)), "the one asked for");
        assert_eq!(leases.choose(start, b"a", Some(ip(99))), Some(ip(10)), "not one outside the range");
        leases.grant(ip(11), b"a", mac(1), start + Duration::from_secs(10));
        assert_eq!(leases.choose(start, b"a", Some(ip(12))), Some(ip(11)), "its own before the one asked for");
        assert_eq!(leases.choose(start, b"b", Some(ip(11))), Some(ip(10)), "not one that is taken");
        let later = start + Duration::from_secs(100);
        assert_eq!(leases.choose(later, b"b", None), Some(ip(10)), "never used before expired");
        leases.grant(ip(10), b"b", mac(2), later + Duration::from_secs(50));
        leases.grant(ip(12), b"c", mac(3), later + Duration::from_secs(50));
        assert_eq!(leases.choose(later, b"d", None), Some(ip(11)), "the expired one");
        leases.grant(ip(11), b"d", mac(4), later + Duration::from_secs(50));
        assert_eq!(leases.choose(later, b"e", None), None, "all taken");
        assert_eq!(leases.address_of(b"a"), None, "a lost it");
    }

    #[test]
    fn an_offer_is_held_for_seconds_only() {
        let start = Instant::now();
        let mut leases = three();
        leases.offer(start, ip(10), b"a", mac(1));
        assert!(leases.taken_by_other(start, ip(10), b"b"));
        assert!(leases.free(start + OFFER_HOLD, ip(10)));
        leases.offer(start, ip(11), b"b", mac(2));
        leases.withdraw(start, b"b");
        assert!(leases.free(start, ip(11)));
    }

    #[test]
    fn an_offer_does_not_shorten_a_lease() {
        let start = Instant::now();
        let mut leases = three();
        leases.grant(ip(10), b"a", mac(1), start + Duration::from_secs(600));
        leases.offer(start, ip(10), b"a", mac(1));
        leases.withdraw(start, b"a");
        assert!(leases.leased(start + OFFER_HOLD, ip(10)));
        // One that is about to end is still a lease, and can be renewed.
        let late = start + Duration::from_secs(590);
        leases.offer(late, ip(10), b"a", mac(1));
        assert!(leases.leased_to(ip(10), b"a") && leases.leased(late + OFFER_HOLD / 2, ip(10)));
    }

    #[test]
    fn only_the_owner_releases_and_its_address_is_remembered() {
        let start = Instant::now();
        let mut leases = three();
        leases.grant(ip(10), b"a", mac(1), start + Duration::from_secs(600));
        assert!(!leases.release(start, ip(10), b"b"));
        assert!(leases.leased(start, ip(10)));
        assert!(leases.release(start, ip(10), b"a"));
        assert!(leases.free(start, ip(10)));
        assert_eq!(leases.choose(start, b"a", None), Some(ip(10)));
    }

    #[test]
    fn a_conflict_is_told_once_and_ends() {
        let start = Instant::now();
        let mut leases = three();
        assert!(leases.conflict(start, ip(10), mac(9)));
        assert!(!leases.conflict(start, ip(10), mac(9)));
        assert_eq!(leases.choose(start, b"a", Some(ip(10))), Some(ip(11)));
        assert!(leases.free(start + CONFLICT_HOLD, ip(10)));
    }

    #[test]
    fn declines_take_a_quarter_of_the_range_at_most_and_real_conflicts_all_of_it() {
        let start = Instant::now();
        let mut leases = Leases::new(Range { first: ip(1), last: ip(40) }, BTreeSet::new());
        for last in 1..=40 {
            leases.decline(start + Duration::from_secs(u64::from(last)), ip(last), mac(9));
        }
        let now = start + Duration::from_secs(50);
        assert_eq!((1..=40).filter(|&last| !leases.free(now, ip(last))).count(), 10);
        assert!(leases.free(now, ip(1)) && !leases.free(now, ip(40)), "the oldest went");
        for last in 1..=40 {
            leases.conflict(now, ip(last), mac(8));
        }
        assert_eq!(leases.choose(now, b"a", None), None);
    }

    #[test]
    fn leases_survive_a_restart_and_rubbish_does_not() {
        let (start, clock) = (Instant::now(), SystemTime::now());
        let mut leases = three();
        leases.grant(ip(10), b"\x01a", mac(1), start + Duration::from_secs(600));
        leases.offer(start, ip(11), b"b", mac(2));
        let mut records = leases.records(start, clock);
        assert_eq!(records.len(), 1, "an offer is not kept");
        records.push(Record { address: ip(99), ..records[0].clone() });
        records.push(Record { address: ip(12), client: "zz".into(), ..records[0].clone() });
        records.push(Record { address: ip(11), client: "02".into(), until: u64::MAX, mac: mac(3) });
        let mut again = three();
        again.restore(start, clock, &records);
        assert!(again.leased(start + Duration::from_secs(590), ip(10)));
        assert_eq!(again.address_of(b"\x01a"), Some(ip(10)));
        assert_eq!(again.choose(start, b"x", None), Some(ip(12)));
        assert!(again.free(start + Duration::from_secs(90_000), ip(11)), "no lease of years");
    }
}
