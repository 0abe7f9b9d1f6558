//! One-time URLs: who may fetch an answer file, for how long, and how often (SECURITY S19).
//!
//! A computer that fetches its menu gets a ticket for each entry with an answer file. The ticket opens a folder,
//! `answer/TOKEN/`, for that computer alone and for half an hour since it last asked for anything, a day at most. Each
//! file in it can be read a few times, for installers do not read once: anaconda's first stage asks for the length
//! before it fetches, and AutoYaST fetches in two stages. A new menu makes older tickets of the same computer void.
//!
//! ```text
//! answer/TOKEN/user-data      the answer file; also preseed.cfg, ks.cfg, autoinst.xml, autounattend.xml, answer
//! answer/TOKEN/meta-data      for cloud-init's NoCloud: an id and the host name
//! answer/TOKEN/vendor-data    empty, for the same
//! ```

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use super::Computer;
use crate::image::AnswerKind;
use crate::mac::Mac;

/// The folder of the served tree.
pub const FOLDER: &str = "answer";
/// How long a ticket is good at least: from the menu to the end of an installer's first stage, with a person who reads
/// first. It is counted anew whenever the computer asks for something.
pub const LIFETIME: Duration = Duration::from_secs(30 * 60);
/// How long a ticket is good at most, however often the computer asks. An installer has come for it long before.
pub const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// Hexadecimal digits of a token: 128 bits.
pub const LENGTH: usize = 32;
/// How often a file may be read.
pub const MAX_READS: u32 = 3;
/// For how long after the first time.
pub const READING: Duration = Duration::from_secs(10 * 60);
/// Most tickets at once; the oldest make room.
pub const MAX_TICKETS: usize = 10_000;
/// What stands for a token where it is shown.
const HIDDEN: &str = "…";

/// What a ticket's URL says: 128 bits from the system's random source, as 32 hexadecimal digits. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Token(String);

impl Token {
    /// The token for a URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A new one.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn new() -> Result<Token, NoRandom> {
        let mut bits = [0u8; LENGTH / 2];
        getrandom::fill(&mut bits).map_err(|_| NoRandom)?;
        Ok(Token(bits.iter().map(|byte| format!("{byte:02x}")).collect()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The system has no random numbers, so there are no tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandom;

/// A file of a ticket's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The answer file.
    Answer,
    /// `meta-data` of NoCloud.
    MetaData,
    /// `vendor-data` of NoCloud.
    VendorData,
}

/// All parts, in the order of a ticket's counts.
const PARTS: [Part; 3] = [Part::Answer, Part::MetaData, Part::VendorData];

impl Part {
    /// The part that a file name is for. There is no `network-config`: without one NoCloud leaves the network as it is.
    pub fn of(name: &str) -> Option<Part> {
        match name {
            "meta-data" => Some(Part::MetaData),
            "vendor-data" => Some(Part::VendorData),
            _ => KINDS.iter().any(|kind| file_name(*kind) == name).then_some(Part::Answer),
        }
    }
}

const KINDS: [AnswerKind; 6] = [
    AnswerKind::Autoinstall,
    AnswerKind::Preseed,
    AnswerKind::Kickstart,
    AnswerKind::Autoyast,
    AnswerKind::Autounattend,
    AnswerKind::Other,
];

/// The name under which an answer file is fetched.
pub fn file_name(kind: AnswerKind) -> &'static str {
    match kind {
        AnswerKind::Autoinstall => "user-data",
        AnswerKind::Preseed => "preseed.cfg",
        AnswerKind::Kickstart => "ks.cfg",
        AnswerKind::Autoyast => "autoinst.xml",
        AnswerKind::Autounattend => "autounattend.xml",
        AnswerKind::Other => "answer",
    }
}

/// The URL of a ticket's folder, with a slash at its end: `{answer_dir_url}`. `base` has none.
pub fn folder_url(base: &str, token: &Token) -> String {
    format!("{base}/{FOLDER}/{}/", token.0)
}

/// The URL of the answer file: `{answer_url}`.
pub fn file_url(base: &str, token: &Token, kind: AnswerKind) -> String {
    format!("{}{}", folder_url(base, token), file_name(kind))
}

/// Token and file name of a path of the served tree; `None` where it is another path. What it gives is foreign text.
pub fn split(path: &str) -> Option<(&str, &str)> {
    let (folder, rest) = path.trim_start_matches('/').split_once('/')?;
    if !folder.eq_ignore_ascii_case(FOLDER) {
        return None;
    }
    Some(rest.split_once('/').unwrap_or((rest, "")))
}

/// A path as logs and the window may show it: without its token. Scripts for loaders have one in their paths as well.
pub fn shown(path: &str) -> String {
    let is_token = |part: &str| part.len() == LENGTH && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    match split(path) {
        Some((_, name)) => format!("{FOLDER}/{HIDDEN}/{}", if Part::of(name).is_some() { name } else { HIDDEN }),
        // TFTP clients of Windows write backslashes.
        None => {
            path.split(['/', '\\']).map(|part| if is_token(part) { HIDDEN } else { part }).collect::<Vec<_>>().join("/")
        }
    }
}

/// Who asks for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address that the request came from.
    pub ip: Ipv4Addr,
    /// The computer that is known to have this address.
    pub mac: Option<Mac>,
}

/// What a ticket opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redeemed {
    /// The entry's id.
    pub entry: String,
    /// The computer, with the address that it has now.
    pub computer: Computer,
    /// Which file.
    pub part: Part,
}

/// Why a ticket opens nothing. The computer is told "not found" in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// There is no such ticket, or a newer one made it void.
    #[error("there is no such address; boot the computer from the network again")]
    Unknown,
    /// It is too old.
    #[error("its address has expired; boot the computer from the network again")]
    Expired,
    /// It is for another computer.
    #[error("the address is for another computer")]
    OtherComputer,
    /// The file was read as often as it may be.
    #[error("it was read already as often as it may be; boot the computer from the network again")]
    AlreadyRead,
    /// The folder has no such file.
    #[error("there is no such file")]
    NoSuchFile,
}

struct Ticket {
    entry: String,
    computer: Computer,
    ip: Ipv4Addr,
    issued: Instant,
    /// When the computer last asked for anything.
    asked: Instant,
    /// Of each part, when it was read first, and how often it was.
    reads: [Option<(Instant, u32)>; PARTS.len()],
}

/// The tickets that are out.
pub struct Tickets {
    /// How long a ticket is good after the computer last asked for something.
    lifetime: Duration,
    tickets: HashMap<Token, Ticket>,
    /// The same, the oldest first, with some that are gone.
    order: VecDeque<Token>,
    /// The latest of each computer for each entry.
    latest: BTreeMap<(Mac, String), Token>,
}

/// With the shortest lifetime.
impl Default for Tickets {
    fn default() -> Tickets {
        Tickets::new(LIFETIME)
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("out", &self.tickets.len()).finish_non_exhaustive()
    }
}

impl Tickets {
    /// No tickets yet. `lifetime` is how long each will be good, from [`LIFETIME`] to [`MAX_LIFETIME`]; a menu that
    /// waits for a choice adds how long it does.
    pub fn new(lifetime: Duration) -> Tickets {
        Tickets {
            lifetime: lifetime.clamp(LIFETIME, MAX_LIFETIME),
            tickets: HashMap::new(),
            order: VecDeque::new(),
            latest: BTreeMap::new(),
        }
    }

    /// Makes the tickets of a computer that asks for anything young again: an installer that loads an image of some GB
    /// first comes late for its answers. What has expired or is read up stays so.
    pub fn renew(&mut self, mac: Mac, now: Instant) {
        // No computer has tickets for more than a menu's entries, and they are next to each other.
        let own = self.latest.range((mac, String::new())..).take_while(|((other, _), _)| *other == mac);
        for (_, token) in own {
            if let Some(ticket) = self.tickets.get_mut(token)
                && !ticket.is_old(now, self.lifetime)
                && !ticket.is_read_up(now)
            {
                ticket.asked = now;
            }
        }
    }

    /// A ticket for a computer that asks from this address for its menu. An older one of the same computer for the same
    /// entry is void.
    pub fn issue(&mut self, entry: &str, computer: &Computer, ip: Ipv4Addr, now: Instant) -> Result<Token, NoRandom> {
        let token = Token::new()?;
        self.make_room(now);
        let (computer, reads) = (computer.clone(), Default::default());
        let of = (computer.mac, entry.to_owned());
        let ticket = Ticket { entry: entry.to_owned(), computer, ip, issued: now, asked: now, reads };
        if let Some(old) = self.latest.insert(of, token.clone()) {
            self.tickets.remove(&old);
        }
        self.tickets.insert(token.clone(), ticket);
        self.order.push_back(token.clone());
        Ok(token)
    }

    /// Opens a file for a computer, and counts it as read. `token` and `name` are what the request says.
    pub fn redeem(&mut self, token: &str, name: &str, client: Client, now: Instant) -> Result<Redeemed, Refusal> {
        let (part, ticket) = self.admit(token, name, client, now)?;
        if let Some(reads) = ticket.reads.get_mut(place(part)) {
            let (first, count) = reads.unwrap_or((now, 0));
            *reads = Some((first, count.saturating_add(1)));
        }
        Ok(redeemed(ticket, part, client))
    }

    /// The same without counting, for a request that asks for the length alone (HEAD).
    pub fn look(&mut self, token: &str, name: &str, client: Client, now: Instant) -> Result<Redeemed, Refusal> {
        let (part, ticket) = self.admit(token, name, client, now)?;
        Ok(redeemed(ticket, part, client))
    }

    /// How many tickets are out.
    pub fn len(&self) -> usize {
        self.tickets.len()
    }

    /// Whether none is out.
    pub fn is_empty(&self) -> bool {
        self.tickets.is_empty()
    }

    fn admit(&mut self, token: &str, name: &str, client: Client, now: Instant) -> Result<(Part, &mut Ticket), Refusal> {
        let lifetime = self.lifetime;
        let ticket = self.tickets.get_mut(&Token(token.to_owned())).ok_or(Refusal::Unknown)?;
        // First of all: another computer learns nothing of a ticket, not even that it has expired.
        if !ticket.is_for(client) {
            return Err(Refusal::OtherComputer);
        }
        if ticket.is_old(now, lifetime) {
            return Err(Refusal::Expired);
        }
        let part = Part::of(name).ok_or(Refusal::NoSuchFile)?;
        if ticket.reads.get(place(part)).copied().flatten().is_some_and(|read| is_used_up(read, now)) {
            return Err(Refusal::AlreadyRead);
        }
        Ok((part, ticket))
    }

    /// Drops what has expired or is void, and the oldest where there are too many.
    fn make_room(&mut self, now: Instant) {
        // One that was renewed may stand before others that have expired: those go first.
        if self.tickets.len() >= MAX_TICKETS {
            let lifetime = self.lifetime;
            self.tickets.retain(|_, ticket| !ticket.is_old(now, lifetime));
            self.latest.retain(|_, token| self.tickets.contains_key(token));
            self.order.retain(|token| self.tickets.contains_key(token));
        }
        while let Some(oldest) = self.order.front() {
            let stays = self.tickets.get(oldest).is_some_and(|ticket| !ticket.is_old(now, self.lifetime));
            if stays && self.tickets.len() < MAX_TICKETS {
                break;
            }
            if let Some(ticket) = self.order.pop_front().and_then(|token| self.tickets.remove(&token)) {
                self.latest.remove(&(ticket.computer.mac, ticket.entry));
            }
        }
        // Void ones stand behind a good one.
        if self.order.len() >= 2 * MAX_TICKETS {
            self.order.retain(|token| self.tickets.contains_key(token));
        }
    }
}

impl Ticket {
    /// Whether it is for whoever asks. The system that an installer runs asks for an address of its own, and may get
    /// another than the firmware did; so the computer counts where it is known, and else the address.
    fn is_for(&self, client: Client) -> bool {
        match client.mac {
            Some(mac) => mac == self.computer.mac,
            None => client.ip == self.ip,
        }
    }

    fn is_old(&self, now: Instant, lifetime: Duration) -> bool {
        now.saturating_duration_since(self.asked) >= lifetime
            || now.saturating_duration_since(self.issued) >= MAX_LIFETIME
    }

    /// Whether the answer file was read as often as it may be, or long enough ago: the installer has it.
    fn is_read_up(&self, now: Instant) -> bool {
        let read = self.reads.get(place(Part::Answer)).copied().flatten();
        read.is_some_and(|read| is_used_up(read, now))
    }
}

fn place(part: Part) -> usize {
    PARTS.iter().position(|other| *other == part).unwrap_or_default()
}

fn is_used_up((first, count): (Instant, u32), now: Instant) -> bool {
    count >= MAX_READS || now.saturating_duration_since(first) >= READING
}

fn redeemed(ticket: &Ticket, part: Part, client: Client) -> Redeemed {
    let computer = Computer { ip: Some(client.ip), ..ticket.computer.clone() };
    Redeemed { entry: ticket.entry.clone(), computer, part }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 20);

    fn computer(last: u8) -> Computer {
        Computer { mac: Mac([2, 0, 0, 0, 0, last]), ip: None, uuid: None, serial: None, product: None }
    }

    fn client(last: u8) -> Client {
        Client { ip: IP, mac: Some(computer(last).mac) }
    }

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn a_ticket_is_for_one_computer_and_some_time() {
        let start = Instant::now();
        let mut tickets = Tickets::default();
        let token = tickets.issue("debian", &computer(1), IP, start).unwrap();
        let elsewhere = Ipv4Addr::new(10, 77, 0, 21);
        let cases = [
            ("no such ticket", "0", "user-data", client(1), 0, Err(Refusal::Unknown)),
            ("another computer", token.as_str(), "user-data", client(2), 0, Err(Refusal::OtherComputer)),
            (
                "another address",
                token.as_str(),
                "user-data",
                Client { ip: elsewhere, mac: None },
                0,
                Err(Refusal::OtherComputer),
            ),
            ("another computer late", token.as_str(), "user-data", client(2), 9999, Err(Refusal::OtherComputer)),
            ("no such file", token.as_str(), "network-config", client(1), 0, Err(Refusal::NoSuchFile)),
            ("a folder", token.as_str(), "", client(1), 0, Err(Refusal::NoSuchFile)),
            ("its address", token.as_str(), "user-data", Client { ip: IP, mac: None }, 0, Ok(Part::Answer)),
            (
                "its card at another address",
                token.as_str(),
                "meta-data",
                Client { ip: elsewhere, ..client(1) },
                1799,
                Ok(Part::MetaData),
            ),
            ("too late", token.as_str(), "meta-data", client(1), 1800, Err(Refusal::Expired)),
        ];
        for (name, token, file, client, seconds, expected) in cases {
            let redeemed = tickets.redeem(token, file, client, after(start, seconds));
            if let Ok(redeemed) = &redeemed {
                assert_eq!((redeemed.entry.as_str(), redeemed.computer.ip), ("debian", Some(client.ip)), "{name}");
            }
            assert_eq!(redeemed.map(|redeemed| redeemed.part), expected, "{name}");
        }
    }

    #[test]
    fn a_lifetime_is_half_an_hour_at_least_and_a_day_at_most() {
        let minutes = |count: u64| Duration::from_secs(60 * count);
        let cases = [(0, 30), (30, 30), (45, 45), (24 * 60, 24 * 60), (48 * 60, 24 * 60)];
        for (given, good) in cases {
            let (start, mut tickets) = (Instant::now(), Tickets::new(minutes(given)));
            let token = tickets.issue("debian", &computer(1), IP, start).unwrap();
            let mut look = |now| tickets.look(token.as_str(), "answer", client(1), now).err();
            let end = start + minutes(good);
            assert_eq!((look(end - minutes(1)), look(end)), (None, Some(Refusal::Expired)), "{given}");
        }
    }

    #[test]
    fn a_computer_that_asks_keeps_its_tickets_for_a_day_and_nobody_elses() {
        let start = Instant::now();
        let mut tickets = Tickets::default();
        let mut issue = |entry, last| tickets.issue(entry, &computer(last), IP, start).unwrap();
        let (own, second, other) = (issue("debian", 1), issue("fedora", 1), issue("debian", 2));
        for seconds in (0..24 * 3600).step_by(1799) {
            tickets.renew(computer(1).mac, after(start, seconds));
        }
        let mut look = |token: &Token, last, seconds| {
            tickets.look(token.as_str(), "answer", client(last), after(start, seconds)).err()
        };
        let day = 24 * 3600;
        assert_eq!([look(&own, 1, day - 1), look(&second, 1, day - 1)], [None, None]);
        assert_eq!(look(&own, 1, day), Some(Refusal::Expired), "a day is the end");
        assert_eq!(look(&other, 2, 1800), Some(Refusal::Expired), "another computer's");
    }

    #[test]
    fn what_has_expired_or_is_read_up_is_not_renewed() {
        let start = Instant::now();
        let mut tickets = Tickets::default();
        let token = tickets.issue("debian", &computer(1), IP, start).unwrap();
        tickets.renew(computer(1).mac, after(start, 1800));
        assert_eq!(tickets.look(token.as_str(), "answer", client(1), after(start, 1800)), Err(Refusal::Expired));
        let token = tickets.issue("debian", &computer(1), IP, start).unwrap();
        for _ in 0..MAX_READS {
            tickets.redeem(token.as_str(), "answer", client(1), start).unwrap();
        }
        tickets.renew(computer(1).mac, after(start, 1799));
        assert_eq!(tickets.look(token.as_str(), "meta-data", client(1), after(start, 1800)), Err(Refusal::Expired));
    }

    #[test]
    fn each_file_is_read_a_few_times_and_then_no_more() {
        let start = Instant::now();
        let mut tickets = Tickets::default();
        let token = tickets.issue("ubuntu", &computer(1), IP, start).unwrap();
        let mut read = |name, seconds| {
            tickets.redeem(token.as_str(), name, client(1), after(start, seconds)).map(|found| found.part)
        };
        for seconds in [600, 601, 1199] {
            assert_eq!(read("user-data", seconds), Ok(Part::Answer));
        }
        assert_eq!(read("user-data", 1199), Err(Refusal::AlreadyRead), "three times");
        assert_eq!(read("ks.cfg", 1199), Err(Refusal::AlreadyRead), "another name of the same file");
        assert_eq!(read("vendor-data", 700), Ok(Part::VendorData));
        assert_eq!(read("vendor-data", 1299), Ok(Part::VendorData));
        assert_eq!(read("vendor-data", 1300), Err(Refusal::AlreadyRead), "ten minutes after the first time");
        for _ in 0..10 {
            assert!(tickets.look(token.as_str(), "meta-data", client(1), start).is_ok(), "a look is not counted");
        }
        assert_eq!(tickets.look(token.as_str(), "user-data", client(1), after(start, 1199)), Err(Refusal::AlreadyRead));
    }

    #[test]
    fn a_new_menu_makes_the_old_ticket_void() {
        let start = Instant::now();
        let mut tickets = Tickets::default();
        let mut issue = |entry, last| tickets.issue(entry, &computer(last), IP, start).unwrap();
        let (old, other_entry, other) = (issue("debian", 1), issue("fedora", 1), issue("debian", 2));
        let new = issue("debian", 1);
        let mut works = |token: &Token, last| tickets.look(token.as_str(), "preseed.cfg", client(last), start).is_ok();
        assert_eq!(
            [works(&old, 1), works(&new, 1), works(&other_entry, 1), works(&other, 2)],
            [false, true, true, true]
        );
        assert_eq!(tickets.len(), 3);
    }

    #[test]
    fn the_oldest_make_room() {
        let start = Instant::now();
        let mut tickets = Tickets::default();
        let of = |at: usize| {
            let [.., high, low] = at.to_be_bytes();
            Computer { mac: Mac([2, 0, 0, 0, high, low]), ..computer(0) }
        };
        let first = tickets.issue("a", &of(0), IP, start).unwrap();
        let second = tickets.issue("a", &of(1), IP, start).unwrap();
        for at in 2..=MAX_TICKETS {
            tickets.issue("a", &of(at), IP, start).unwrap();
        }
        let mut look =
            |token: &Token, mac| tickets.look(token.as_str(), "answer", Client { ip: IP, mac: Some(mac) }, start).err();
        assert_eq!((look(&first, of(0).mac), look(&second, of(1).mac)), (Some(Refusal::Unknown), None));
        assert_eq!((tickets.len(), tickets.latest.len()), (MAX_TICKETS, MAX_TICKETS));
        for _ in 0..3 * MAX_TICKETS {
            tickets.issue("a", &of(1), IP, start).unwrap();
        }
        assert!(tickets.order.len() <= 2 * MAX_TICKETS && tickets.latest.len() <= MAX_TICKETS);
        tickets.issue("a", &of(3), IP, start + LIFETIME).unwrap();
        assert_eq!((tickets.len(), tickets.order.len(), tickets.latest.len()), (1, 1, 1), "what has expired goes");
    }

    #[test]
    fn what_has_expired_makes_room_before_what_is_renewed() {
        let start = Instant::now();
        let mut tickets = Tickets::default();
        let renewed = tickets.issue("a", &computer(1), IP, start).unwrap();
        for entry in 1..MAX_TICKETS {
            tickets.issue(&entry.to_string(), &computer(2), IP, start).unwrap();
        }
        tickets.renew(computer(1).mac, after(start, 1799));
        tickets.issue("a", &computer(3), IP, after(start, 1800)).unwrap();
        let found = tickets.look(renewed.as_str(), "answer", client(1), after(start, 1800));
        assert_eq!((found.err(), tickets.len(), tickets.latest.len()), (None, 2, 2));
    }

    #[test]
    fn tokens_differ_and_never_show() {
        let start = Instant::now();
        let mut tickets = Tickets::default();
        let token = tickets.issue("debian", &computer(1), IP, start).unwrap();
        let other = tickets.issue("debian", &computer(2), IP, start).unwrap();
        assert_eq!((token.as_str().len(), token == other), (32, false));
        assert!(!format!("{tickets:?} {token:?}").contains(token.as_str()));
        let url = file_url("http://10.77.0.1", &token, AnswerKind::Preseed);
        assert_eq!(url, format!("http://10.77.0.1/answer/{}/preseed.cfg", token.as_str()));
        let cases = [
            (&*format!("answer/{}/preseed.cfg", token.as_str()), "answer/…/preseed.cfg"),
            (&*format!("/Answer/{}", token.as_str()), "answer/…/…"),
            (&*format!("answer/{0}/{0}", token.as_str()), "answer/…/…"),
            (&*format!("esxi/esxi/{}/boot.cfg", token.as_str()), "esxi/esxi/…/boot.cfg"),
            (&*format!("answer\\{}\\ks.cfg", token.as_str()), "answer/…/ks.cfg"),
            ("image/a/answer/x", "image/a/answer/x"),
            ("answer", "answer"),
        ];
        for (path, expected) in cases {
            assert_eq!(shown(path), expected);
        }
        assert_eq!(split("/answer/t/user-data"), Some(("t", "user-data")));
    }
}
