//! Who asks for a file, and what that very computer gets: its own menu, its own answer file, and else what the tree has.

use std::net::Ipv4Addr;

use super::Services;
use super::desk::{Fetched, Trouble};
use super::locks::{Caller, Verdict};
use crate::answer::{Computer, tickets};
use crate::boot::approval::Answer;
use crate::boot::loader::Loader;
use crate::boot::loader::version::Version;
use crate::boot::menu::{Asker, Leave, Page, grub, ipxe};
use crate::boot::password;
use crate::boot::tree::{self, Found, Role};
use crate::deployment::DhcpPlan;
use crate::http::path;
use crate::journal::{Note, What};
use crate::mac::Mac;
use crate::net::platform;
use crate::text;

/// Longest text that is taken of what a computer says of itself, in characters.
const MAX_SAID: usize = 64;

/// Who asks, as far as the request and what went before tell.
pub(super) struct Visitor {
    address: Ipv4Addr,
    menu: Option<Wanted>,
    /// Whether it may fetch answer files. Installers do so by HTTP, and no loader has a use for them.
    by_http: bool,
    /// The computer that asks for its menu, where it is proven to be that one.
    computer: Option<Computer>,
}

/// What comes of asking for a menu.
enum Wanted {
    /// The menu.
    Menu(Language),
    /// What stands instead of it.
    Page(Language, Page),
    /// Whether the GRUB that asks goes on to wait at such a page.
    Waits(Option<Page>),
}

/// Which menu is asked for, or what else needs to know who asks.
enum Language {
    Ipxe(Asker, Option<Version>),
    /// The start of an entry, with the password that came along.
    Start {
        entry: String,
        asker: Asker,
        version: Option<Version>,
        password: Option<String>,
    },
    /// GRUB, by what it fetches, and whether its firmware booted by PXE, where a restart may give it another loader.
    Grub(grub::Asking, grub::Reach, bool),
}

/// Why a computer does not get what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is not here.
    NotHere,
    /// The computer is not approved, or never answered.
    NotApproved,
    /// It is only for computers that have given a password.
    NoPassword,
}

/// What a computer says of itself when it asks for its menu.
#[derive(Default)]
struct Said {
    mac: Option<Mac>,
    platform: Option<String>,
    uuid: Option<String>,
    product: Option<String>,
    serial: Option<String>,
    memory_mb: Option<u64>,
}

/// The request for the menu says who asks: worth telling, and in proxy mode the only place where address and computer
/// come together.
pub(super) fn introduce(
    services: &Services,
    client: Ipv4Addr,
    path: &str,
    query: Option<&str>,
    authorization: Option<&str>,
) -> Visitor {
    let start = ipxe::start_of(path);
    if start.is_some() || path.eq_ignore_ascii_case(ipxe::MENU) {
        let value = |name| path::query_value(query, name).map(|value| text::plain(&value, MAX_SAID));
        let said = Said {
            mac: value(ipxe::query::MAC).and_then(|text| text.parse().ok()),
            platform: value(ipxe::query::PLATFORM),
            uuid: value(ipxe::query::UUID),
            product: value(ipxe::query::PRODUCT),
            serial: value(ipxe::query::SERIAL),
            memory_mb: value(ipxe::query::MEMORY)
                .and_then(|text| text.parse().ok())
                .or_else(|| value(ipxe::query::MODULES).as_deref().and_then(ipxe::memory)),
        };
        let firmware = ipxe::firmware(said.platform.as_deref());
        let arch = ipxe::processor(value(ipxe::query::ARCH).as_deref());
        let version = value(ipxe::query::VERSION).as_deref().and_then(Version::parse);
        let asker = Asker { firmware, arch };
        return match start {
            Some(entry) => {
                let (entry, password) = (entry.to_owned(), authorization.and_then(password::of_header));
                let (_, computer) = who(services, client, false, said);
                let menu = Some(Wanted::Menu(Language::Start { entry, asker, version, password }));
                Visitor { address: client, menu, by_http: false, computer }
            }
            None => asks_for_menu(services, client, Language::Ipxe(asker, version), said, false),
        };
    }
    by_grub(services, client, path, grub::Reach::Http).unwrap_or_else(|| stranger(client, true))
}

/// The same for a request by TFTP, where nothing but GRUB asks for a menu.
pub(super) fn introduce_by_tftp(services: &Services, client: Ipv4Addr, path: &str) -> Visitor {
    by_grub(services, client, path, grub::Reach::Tftp).unwrap_or_else(|| stranger(client, false))
}

fn stranger(address: Ipv4Addr, by_http: bool) -> Visitor {
    Visitor { address, menu: None, by_http, computer: None }
}

fn by_grub(services: &Services, client: Ipv4Addr, path: &str, reach: grub::Reach) -> Option<Visitor> {
    let waits = grub::waiting(path);
    let asking = waits.or_else(|| grub::Asking::of(path))?;
    // The disk for HTTP Boot leaves GRUB without an address of its firmware's.
    let restarts = asking.mac.is_some() && matches!(services.plan.dhcp, DhcpPlan::Full { .. });
    // GRUB that got its address by itself does not say which card it came by.
    let mac = asking.mac.or_else(|| proven(services, client)).or_else(|| services.whois.mac(client));
    let said = Said { mac, platform: Some("efi".to_owned()), ..Said::default() };
    let language = Language::Grub(grub::Asking { mac, ..asking }, reach, restarts);
    Some(asks_for_menu(services, client, language, said, waits.is_some()))
}

/// Asks the gate as well. `waits` says that a page asks whether it is still the right one.
fn asks_for_menu(services: &Services, client: Ipv4Addr, menu: Language, said: Said, waits: bool) -> Visitor {
    let by_tftp = matches!(menu, Language::Grub(_, grub::Reach::Tftp, _));
    let (platform, uuid, product, memory_mb) =
        (said.platform.clone(), said.uuid.clone(), said.product.clone(), said.memory_mb);
    let (mac, computer) = who(services, client, by_tftp, said);
    let wanted = match (instead(services, client, product.clone()), waits) {
        (page, true) => Wanted::Waits(page),
        (Some(page), false) => Wanted::Page(menu, page),
        (None, false) => {
            services.locks.started(caller(services, client), mac);
            let note = Note::Menu { platform, uuid, product, memory_mb };
            services.events.tell(mac, Some(client), Some(Role::Script), What::Service(note));
            Wanted::Menu(menu)
        }
    };
    Visitor { address: client, menu: Some(wanted), by_http: false, computer }
}

/// Which computer asks, and that computer with what it says of itself where it is proven to be that one.
fn who(services: &Services, client: Ipv4Addr, by_tftp: bool, said: Said) -> (Option<Mac>, Option<Computer>) {
    let proven = proven(services, client);
    if let Some(mac) = said.mac.filter(|mac| proven.is_none_or(|proven| proven == *mac)) {
        services.whois.learn(client, mac);
    }
    let mac = services.whois.mac(client);
    // Where we give the addresses, one that nothing proves is somebody's who wants to be another; and a first datagram
    // may come before the neighbour table has its sender.
    let unproven = (by_tftp || matches!(services.plan.dhcp, DhcpPlan::Full { .. })) && proven.is_none();
    let computer = said.mac.filter(|said| !unproven && mac == Some(*said));
    let Said { uuid, product, serial, .. } = said;
    (mac, computer.map(|mac| Computer { mac, ip: Some(client), uuid, serial, product }))
}

/// What the computer behind an address gets instead of its menu. One that nobody knows is a stranger of whom nobody can be
/// asked.
fn instead(services: &Services, client: Ipv4Addr, product: Option<String>) -> Option<Page> {
    if services.gate.is_open() {
        return None;
    }
    match behind(services, client) {
        None if services.gate.admits(None) => None,
        None => Some(Page::Refused),
        Some(mac) => match services.gate.ask(mac, client, product) {
            Answer::Menu => None,
            Answer::Wait { code, .. } => Some(Page::Wait(code)),
            Answer::Crowded => Some(Page::Crowded),
            Answer::Refused => Some(Page::Refused),
        },
    }
}

/// Whom a password lets pass.
fn caller(services: &Services, address: Ipv4Addr) -> Caller {
    proven(services, address).map_or(Caller::Address(address), Caller::Computer)
}

/// Whether a password has to come along first, for which HTTP has a way of asking.
pub(super) fn has_to_say_password(services: &Services, visitor: &Visitor) -> bool {
    match &visitor.menu {
        Some(Wanted::Menu(Language::Start { entry, password: None, .. })) => services.tree.password(entry).is_some(),
        _ => false,
    }
}

/// Whether only those who have given a password may have this, and whoever asks has not.
fn is_locked(services: &Services, path: &str, ip: Ipv4Addr) -> bool {
    let entries = services.tree.guarded(path);
    !entries.is_empty() && !services.locks.has_passed(caller(services, ip), &entries)
}

/// The computer that is behind an address, whatever it says: by the system's neighbour table, else by DHCP.
fn proven(services: &Services, address: Ipv4Addr) -> Option<Mac> {
    // A made-up computer has no place in the neighbour table, and its address may be that of a real one.
    if services.double.is_some() {
        return services.whois.leased(address);
    }
    platform::neighbour(&services.plan.interface, address).or_else(|| services.whois.leased(address))
}

/// The computer that is behind an address, as far as anybody says.
fn behind(services: &Services, address: Ipv4Addr) -> Option<Mac> {
    proven(services, address).or_else(|| services.whois.mac(address))
}

/// Whether a computer that was given a file may have it, now that more may be known of it. Its menu, or what stands instead,
/// is made for whoever asks.
pub(super) fn may_have(services: &Services, name: &str, ip: Ipv4Addr) -> bool {
    let Some(path) = tree::path_of_name(name) else { return false };
    let asking = grub::waiting(&path).or_else(|| grub::Asking::of(&path));
    // It was made for whoever it said it was.
    let made_for_it = asking
        .is_some_and(|asking| proven(services, ip).is_none_or(|proven| asking.mac.is_none_or(|said| said == proven)));
    made_for_it || services.tree.is_for_all(&path) || services.gate.admits(behind(services, ip))
}

/// Finds what is asked for. May wait for a disk.
///
/// # Errors
/// It is not here, or not for this computer.
pub(super) fn find(services: &Services, path: &str, visitor: &Visitor, length_only: bool) -> Result<Found, Missing> {
    let ip = visitor.address;
    if let (Some(desk), Some(mac)) = (&services.desk, services.whois.mac(ip)) {
        desk.heard(mac);
    }
    let admitted = services.gate.is_open() || services.gate.admits(behind(services, ip));
    if let Some(wanted) = &visitor.menu {
        return match wanted {
            Wanted::Menu(Language::Start { .. }) if !admitted => Err(Missing::NotApproved),
            Wanted::Menu(menu) => menu_of(services, visitor, menu, length_only).ok_or(Missing::NotHere),
            Wanted::Page(Language::Grub(asking, reach, _), page) => Ok(services.tree.grub_page(*page, *asking, *reach)),
            Wanted::Page(_, page) => Ok(services.tree.ipxe_page(*page)),
            Wanted::Waits(page) => Ok(services.tree.grub_goes_on(*page)),
        };
    }
    if let Some(leave) = Leave::of_path(path) {
        if !length_only {
            let mac = behind(services, ip);
            services.events.tell(mac, Some(ip), None, What::Service(Note::OwnDisk { leave }));
        }
        return Ok(services.tree.left());
    }
    if admitted && is_locked(services, path, ip) {
        return Err(Missing::NoPassword);
    }
    let found = match (admitted, services.tree.is_for_all(path)) {
        (true, _) => special(services, path, visitor, length_only),
        (false, true) => plain(services, path, ip),
        (false, false) => return Err(Missing::NotApproved),
    };
    found.ok_or(Missing::NotHere)
}

/// What is made for one computer, and else what is there for all who are admitted.
fn special(services: &Services, path: &str, visitor: &Visitor, length_only: bool) -> Option<Found> {
    let ip = visitor.address;
    if let Some(entry) = grub::begin_of(path) {
        let found = services.tree.grub_begin(entry)?;
        if !length_only {
            choose(services, ip, entry);
        }
        return Some(found);
    }
    if let Some(found) = own_shim(services, path, ip).filter(|_| !length_only) {
        return Some(found);
    }
    match services.desk.as_ref().zip(tickets::split(path)) {
        Some((_, wanted)) if visitor.by_http => answer(services, wanted, ip, length_only),
        Some(_) => None,
        None => plain(services, path, ip),
    }
}

/// What the tree has.
fn plain(services: &Services, path: &str, ip: Ipv4Addr) -> Option<Found> {
    let second = path.eq_ignore_ascii_case(Loader::IpxeX64.file());
    let meant = services.whois.mac(ip).filter(|_| second).and_then(|mac| services.rungs.second_stage(mac));
    services.tree.find(meant.unwrap_or(path), Asker::ANYBODY)
}

/// What an entry needs that starts through its image's own shim: the script that restarts the computer, and then whatever
/// script the image's own GRUB asks for.
fn own_shim(services: &Services, path: &str, ip: Ipv4Addr) -> Option<Found> {
    let restart = grub::restart_of(path);
    if restart.is_none() && !path.rsplit('/').next()?.eq_ignore_ascii_case("grub.cfg") {
        return None;
    }
    let proven = proven(services, ip);
    let mac = proven.or_else(|| services.whois.mac(ip))?;
    if let Some(entry) = restart {
        services.rungs.choose(mac, entry, services.tree.own_shim(entry)?);
        return Some(services.tree.grub_restart());
    }
    let entry = services.rungs.chosen(mac, path)?;
    let computer = proven.map(|mac| Computer { mac, ip: Some(ip), uuid: None, serial: None, product: None });
    let giver = services.desk.as_ref().zip(computer.as_ref());
    let address = |item: &_| giver.and_then(|(desk, computer)| desk.address(item, computer, ip));
    services.tree.grub_entry(&entry, mac, (ip, services.plan.network.netmask()), &address)
}

/// The menu of a computer, with the addresses of its answer files.
fn menu_of(services: &Services, visitor: &Visitor, menu: &Language, length_only: bool) -> Option<Found> {
    let ip = visitor.address;
    let giver = services.desk.as_ref().zip(visitor.computer.as_ref());
    if let Some(error) = giver.and_then(|(desk, _)| desk.refresh()) {
        let sentence = format!("An answer file was changed, and the earlier one is given: {}", error.in_words());
        services.events.service(Note::Warning { sentence: text::plain(&sentence, 500) });
    }
    let address = |item: &_| giver.and_then(|(desk, computer)| desk.address(item, computer, ip));
    services.locks.look();
    let done = |entry: &str| services.locks.has_begun(services.whois.mac(ip), entry);
    Some(match menu {
        Language::Ipxe(asker, version) => services.tree.ipxe_menu(*asker, version.as_ref(), (&done, &address)),
        Language::Grub(asking, reach, restarts) => {
            let of = (ip, services.plan.network.netmask());
            services.tree.grub_menu(*asking, *reach, *restarts, of, (&done, &address))
        }
        Language::Start { entry, asker, version, password } => {
            if let Some(refused) = refused(services, visitor, entry, password.as_deref()) {
                return Some(refused);
            }
            let start = services.tree.ipxe_start(entry, *asker, version.as_ref(), &address)?;
            if !length_only {
                choose(services, ip, entry);
            }
            start
        }
    })
}

/// What a computer gets that may not start an entry now: nothing where it may.
fn refused(services: &Services, visitor: &Visitor, entry: &str, password: Option<&str>) -> Option<Found> {
    let hash = services.tree.password(entry)?;
    let verdict = services.locks.check(caller(services, visitor.address), entry, hash, password.unwrap_or_default());
    let (wait, sentence) = match verdict {
        Verdict::Right => return None,
        Verdict::Wrong => (None, "that is not the password of this entry.".to_owned()),
        Verdict::Wait(seconds) => {
            (Some(seconds), format!("there were too many wrong passwords. Try again in {seconds} seconds."))
        }
    };
    let mac = proven(services, visitor.address).or_else(|| services.whois.mac(visitor.address));
    let note = Note::PasswordRefused { entry: text::plain(entry, 60), wait };
    services.events.tell(mac, Some(visitor.address), Some(Role::Script), What::Service(note));
    Some(services.tree.ipxe_refused(&sentence))
}

/// A computer begins an entry.
fn choose(services: &Services, ip: Ipv4Addr, entry: &str) {
    let mac = proven(services, ip).or_else(|| services.whois.mac(ip));
    if let Some(mac) = mac {
        services.locks.choose(mac, entry);
    }
    let note = Note::Chosen { entry: text::plain(entry, 60) };
    services.events.tell(mac, Some(ip), Some(Role::Script), What::Service(note));
}

fn answer(services: &Services, wanted: (&str, &str), ip: Ipv4Addr, length_only: bool) -> Option<Found> {
    let desk = services.desk.as_ref()?;
    let mac = proven(services, ip).or_else(|| services.whois.mac(ip));
    let tell = |note| services.events.tell(mac, Some(ip), Some(Role::Answer), What::Service(note));
    match desk.fetch(wanted, (ip, mac), length_only) {
        Ok(Fetched { file, entry, unsaved }) => {
            if !length_only {
                tell(Note::AnswerGiven { entry });
            }
            if let Some((path, error)) = unsaved {
                let (path, reason) = (path.display().to_string(), error.to_string());
                services.events.service(Note::NamesNotSaved { path, reason });
            }
            Some(file)
        }
        Err(trouble) => {
            let reason = match trouble {
                Trouble::Refused(refusal) => refusal.to_string(),
                Trouble::Unfilled(error) => error.in_words(),
                Trouble::Gone => "the menu has no such entry".to_owned(),
            };
            tell(Note::AnswerRefused { reason: text::plain(&reason, 300) });
            None
        }
    }
}
