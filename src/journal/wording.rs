//! Events in words, one line each. The only place for these sentences.

use jiff::Zoned;
use serde::{Deserialize, Serialize};

use super::cause::{Cause, Kind, Likelihood};
use super::{Computer, Event, Note, Stage, What};
use crate::boot::Machine;
use crate::boot::tree::Role;
use crate::dhcp::{self, Question, Refusal, Silence};
use crate::{http, tftp};

/// Smaller files are told when they have arrived, not when they begin.
const WORTH_ANNOUNCING: u64 = 1_000_000;

/// Whether a person who reads along can do without an event: another one beside it says as much.
pub fn is_minor(event: &Event) -> bool {
    match &event.what {
        // It comes every few seconds while a computer waits.
        What::Tftp(_) | What::Http(_) if event.role == Some(Role::Page) => true,
        What::Tftp(tftp::Note::Started { size, .. }) => *size < WORTH_ANNOUNCING,
        What::Http(http::Note::Started { length, .. }) => *length < WORTH_ANNOUNCING,
        What::Service(Note::Stage { stage }) => matches!(stage, Stage::Asked | Stage::Offered | Stage::Menu),
        What::Service(Note::NoRouter) => true,
        What::Service(Note::Diagnosis(cause)) => matches!(cause.kind, Kind::WaitingInMenu | Kind::MenuTimedOut),
        _ => false,
    }
}

/// How much an event matters to a person who reads the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// For those who look closely.
    Detail,
    /// What happens in every boot.
    #[default]
    Normal,
    /// Worth a look.
    Notice,
    /// Something does not work.
    Problem,
}

/// How much an event matters.
pub fn level(event: &Event) -> Level {
    if is_minor(event) {
        return Level::Detail;
    }
    match &event.what {
        What::Dhcp(note) => dhcp_level(note),
        What::Tftp(note) => tftp_level(note),
        What::Http(note) => http_level(note),
        What::Service(note) => service_level(note),
    }
}

fn dhcp_level(note: &dhcp::Note) -> Level {
    match note {
        dhcp::Note::Asked { client, question: Question::Discover | Question::BootServer, .. }
            if Machine::of(client).is_some() =>
        {
            Level::Normal
        }
        dhcp::Note::Offered { boot: Some(_), .. } | dhcp::Note::Granted { .. } => Level::Normal,
        // Each of them follows from a packet that any machine of the network may send at any time.
        dhcp::Note::Asked { .. }
        | dhcp::Note::Offered { .. }
        | dhcp::Note::Released { .. }
        | dhcp::Note::Unreadable { .. }
        | dhcp::Note::Ignored { reason: Silence::Unknown | Silence::OutsideNetwork } => Level::Detail,
        dhcp::Note::Refused { .. }
        | dhcp::Note::Declined { .. }
        | dhcp::Note::AddressInUse { .. }
        | dhcp::Note::Ignored { reason: Silence::NotAllowed | Silence::ForeignRelay | Silence::OtherServer { .. } } => {
            Level::Notice
        }
        dhcp::Note::ForeignServer { .. } => Level::Problem,
        dhcp::Note::NoBootFile { .. } | dhcp::Note::ChoseOther { .. } | dhcp::Note::PoolExhausted { .. } => {
            Level::Problem
        }
    }
}

fn tftp_level(note: &tftp::Note) -> Level {
    match note {
        tftp::Note::Progress { .. } | tftp::Note::SizeAsked { .. } | tftp::Note::NotFound { .. } => Level::Detail,
        tftp::Note::Started { .. } | tftp::Note::Done { .. } => Level::Normal,
        tftp::Note::Stalled { .. } | tftp::Note::Replaced { .. } | tftp::Note::Refused { .. } => Level::Notice,
        tftp::Note::Aborted { .. } | tftp::Note::TimedOut { .. } | tftp::Note::ReadFailed { .. } => Level::Problem,
    }
}

fn http_level(note: &http::Note) -> Level {
    match note {
        http::Note::Progress { .. } | http::Note::SizeAsked { .. } | http::Note::NotFound { .. } => Level::Detail,
        http::Note::Started { .. } | http::Note::Done { .. } => Level::Normal,
        http::Note::Refused { .. } => Level::Notice,
        http::Note::BrokenOff { .. } | http::Note::ReadFailed { .. } => Level::Problem,
    }
}

fn service_level(note: &Note) -> Level {
    match note {
        Note::Image { warnings, .. } if !warnings.is_empty() => Level::Notice,
        Note::Diagnosis(cause) if cause.is_trouble() => Level::Problem,
        Note::Ready { .. }
        | Note::Serving { .. }
        | Note::Image { .. }
        | Note::Menu { .. }
        | Note::AnswerGiven { .. }
        | Note::Arranged { .. }
        | Note::Approved
        | Note::TurnedAway
        | Note::Guests { .. }
        | Note::Answered { .. }
        | Note::Chosen { .. }
        | Note::Stopped => Level::Normal,
        Note::NoRouter => Level::Detail,
        Note::Diagnosis(_)
        | Note::Stage { .. }
        | Note::PortTaken { .. }
        | Note::AnswerRefused { .. }
        | Note::LoaderRefused { .. }
        | Note::Warning { .. }
        | Note::LeasesSetAside { .. }
        | Note::NamesSetAside { .. }
        | Note::LadderSetAside { .. }
        | Note::ApprovalSetAside { .. }
        | Note::Waiting { .. }
        | Note::OnceSetAside { .. }
        | Note::Begun { .. }
        | Note::PasswordRefused { .. }
        | Note::ImageGone { .. }
        | Note::LinkUp { .. }
        | Note::Dropped { .. } => Level::Notice,
        Note::LeasesNotSaved { .. }
        | Note::NamesNotSaved { .. }
        | Note::NoControl { .. }
        | Note::LadderNotSaved { .. }
        | Note::ApprovalNotSaved { .. }
        | Note::OnceNotSaved { .. }
        | Note::TraceNotWritten { .. }
        | Note::JobsNotWritten { .. }
        | Note::NotSent { .. }
        | Note::ImageChanged { .. }
        | Note::LinkDown { .. }
        | Note::Failed { .. } => Level::Problem,
    }
}

/// What happened, without time and without whom it concerns; `None` for what is only worth a progress bar.
pub fn words(event: &Event) -> Option<String> {
    match &event.what {
        What::Dhcp(note) => Some(dhcp(note)),
        What::Tftp(note) => tftp(note),
        What::Http(note) => http(note),
        What::Service(note) => Some(service(note)),
    }
}

/// An event in one line, without its time; `None` for what is only worth a progress bar.
pub fn line(event: &Event) -> Option<String> {
    let words = words(event)?;
    let who = [event.mac.map(|mac| mac.to_string()), event.ip.map(|ip| ip.to_string())];
    let who: Vec<String> = who.into_iter().flatten().collect();
    Some(if who.is_empty() { words } else { format!("{}  {words}", who.join(" ")) })
}

fn dhcp(note: &dhcp::Note) -> String {
    match note {
        dhcp::Note::Asked { question, client, address, relay, secs } => {
            let machine = Machine::of(client);
            let wish = match (question, machine.is_some()) {
                (Question::Discover, true) => "asks what to boot".to_owned(),
                (Question::Discover, false) => "asks for an address".to_owned(),
                (Question::Select, _) => "takes an offer".to_owned(),
                (Question::Reboot, _) => "asks for its old address".to_owned(),
                (Question::Renew, _) => "renews its address".to_owned(),
                (Question::Inform, _) => "asks for settings".to_owned(),
                (Question::BootServer, _) => "asks what to boot on port 4011".to_owned(),
            };
            let parts = [
                address.map(|address| format!("address {address}")),
                machine.map(|machine| machine.describe()),
                client.vendor_class.clone(),
                client.user_class.as_ref().map(|class| format!("user class {class}")),
                client.uuid.as_ref().map(|uuid| format!("UUID {uuid}")),
                relay.map(|relay| format!("through relay {relay}")),
                secs.map(|secs| format!("since {secs} s")),
            ];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            if parts.is_empty() { wish } else { format!("{wish} ({})", parts.join(", ")) }
        }
        dhcp::Note::Offered { address, boot } => given("is offered", address.map(|a| a.to_string()), boot.as_ref()),
        dhcp::Note::Granted { address, boot } => given("gets", address.map(|a| a.to_string()), boot.as_ref()),
        dhcp::Note::NoBootFile { reason } => format!("gets no boot file: {reason}"),
        dhcp::Note::Refused { address, reason } => {
            format!("is refused address {address}: {}", refusal(*reason))
        }
        dhcp::Note::Declined { address } => {
            format!("found another machine on {address}; the address rests for ten minutes")
        }
        dhcp::Note::Released { address } => format!("gives {address} back"),
        dhcp::Note::Ignored { reason } => format!("is not answered: {}", silence(*reason)),
        dhcp::Note::ChoseOther { server } => format!(
            "took the offer of another DHCP server, {server}. Two on one network give one address to two machines: stop, \
             and start again with --dhcp proxy."
        ),
        dhcp::Note::ForeignServer { server, mac } => {
            let card = mac.map(|mac| format!(" ({mac})")).unwrap_or_default();
            format!(
                "{server}{card} is a DHCP server of this network too, so nobody new gets an address from here any more: two \
                 servers give one address to two machines. Work beside it with --dhcp proxy, or switch it off and start \
                 again; --beside {server} is for those who mean to have two."
            )
        }
        dhcp::Note::AddressInUse { address, by } => {
            format!("Address {address} is in use by {by}, which did not get it here; it is left out for ten minutes.")
        }
        dhcp::Note::PoolExhausted { size } => {
            format!("gets no address: all {size} addresses of the range are taken. Widen --range or wait ten minutes.")
        }
        dhcp::Note::Unreadable { from, reason } => format!("A packet from {from} is no DHCP: {reason}."),
    }
}

/// Why an address was refused, a clause.
pub fn refusal(reason: Refusal) -> &'static str {
    match reason {
        Refusal::WrongNetwork => "it does not belong to this network",
        Refusal::Taken => "another computer has it",
        Refusal::NotYours => "it has another one here",
        Refusal::OtherServer => "another DHCP server gives the addresses here",
    }
}

/// Why a question stays without an answer, a clause.
pub fn silence(reason: Silence) -> &'static str {
    match reason {
        Silence::NotAllowed => "the allow and deny lists leave it out",
        Silence::ForeignRelay => "its relay agent is not in the served network",
        Silence::Unknown => "its address is not from here",
        Silence::OtherServer { .. } => "another server gives the addresses here",
        Silence::OutsideNetwork => "its address is outside the served network",
    }
}

fn given(verb: &str, address: Option<String>, boot: Option<&crate::dhcp::pxe::Boot>) -> String {
    match (address, boot) {
        (Some(address), Some(boot)) => format!("{verb} {address} and {}: {}", boot.file, boot.why),
        (None, Some(boot)) => format!("{verb} {}: {}", boot.file, boot.why),
        (Some(address), None) => format!("{verb} {address}"),
        (None, None) => format!("{verb} its settings"),
    }
}

fn tftp(note: &tftp::Note) -> Option<String> {
    Some(match note {
        tftp::Note::Started { file, size, block_size, window } => {
            format!("loads {file} by TFTP ({}, blocks of {block_size}, window {window})", bytes(*size))
        }
        tftp::Note::Progress { .. } => return None,
        tftp::Note::Done { file, bytes: size, millis, resent } => {
            let resent = if *resent == 0 { String::new() } else { format!(", {resent} packets sent again") };
            format!("has {file} by TFTP: {}{resent}", amount(*size, *millis))
        }
        tftp::Note::SizeAsked { file, size } => format!("asks for the size of {file} by TFTP: {}", bytes(*size)),
        tftp::Note::Aborted { file, bytes: had, code, words } => {
            format!("broke {file} off after {}: {words:?} (TFTP error {code})", bytes(*had))
        }
        tftp::Note::TimedOut { file, bytes: had, size } => {
            format!("went silent while loading {file}: {} of {}", bytes(*had), bytes(*size))
        }
        tftp::Note::Stalled { file, bytes: had, size, answered, .. } => {
            let had = if *answered { format!("{} of {}", bytes(*had), bytes(*size)) } else { "nothing yet".to_owned() };
            format!("does not acknowledge {file}, which is sent again and again: {had}")
        }
        tftp::Note::Replaced { file } => format!("began anew while loading {file}"),
        tftp::Note::NotFound { file } => format!("asked for {file:?} by TFTP, which is not here"),
        tftp::Note::Refused { file, reason } => format!("was refused {file:?} by TFTP: {reason}"),
        tftp::Note::ReadFailed { file, reason } => format!("cannot get the rest of {file}: {reason}"),
    })
}

fn http(note: &http::Note) -> Option<String> {
    Some(match note {
        http::Note::Started { file, from, length, size } => match length == size {
            true => format!("loads /{file} by HTTP ({})", bytes(*size)),
            false => format!("loads {} of /{file} by HTTP, from byte {from} on", bytes(*length)),
        },
        http::Note::Progress { .. } => return None,
        http::Note::Done { file, from, bytes: sent, size, millis } => match sent == size {
            true => format!("was sent /{file} by HTTP: {}", amount(*sent, *millis)),
            false => {
                let last = (from + sent).saturating_sub(1);
                format!("was sent bytes {from} to {last} of /{file} by HTTP: {}", amount(*sent, *millis))
            }
        },
        http::Note::SizeAsked { file, size } => format!("asks for the size of /{file} by HTTP: {}", bytes(*size)),
        http::Note::BrokenOff { file, bytes: sent, length } => {
            format!("broke /{file} off: {} of {}", bytes(*sent), bytes(*length))
        }
        http::Note::NotFound { file } => format!("asked for {:?} by HTTP, which is not here", format!("/{file}")),
        http::Note::Refused { file, status } => {
            format!("was refused {:?} by HTTP: status {status}", format!("/{file}"))
        }
        http::Note::ReadFailed { file, reason } => format!("cannot get the rest of /{file}: {reason}"),
    })
}

fn service(note: &Note) -> String {
    match note {
        Note::Ready { url } => format!("ready {url}"),
        Note::Image { image, title, entries, warnings } => {
            let place = if entries.is_empty() {
                "not in the menu".to_owned()
            } else {
                format!("in the menu as {}", entries.join(", "))
            };
            let warnings = warnings.iter().map(|warning| format!(" {warning}")).collect::<String>();
            format!("{image}: {title}, {place}.{warnings}")
        }
        Note::Menu { platform, product, .. } => {
            let parts = [product.as_deref(), platform.as_deref()];
            let parts: Vec<&str> = parts.into_iter().flatten().collect();
            if parts.is_empty() { "gets its menu".to_owned() } else { format!("gets its menu ({})", parts.join(", ")) }
        }
        Note::NoRouter => "is told that there is no IPv6 router, which iPXE would wait for".to_owned(),
        Note::AnswerGiven { entry } => format!("gets the answer file of {entry}"),
        Note::AnswerRefused { reason } => format!("gets no answer file: {reason}"),
        Note::Stage { stage } => format!("** {}", self::stage(*stage)),
        Note::Warning { sentence } | Note::Failed { sentence } | Note::Arranged { sentence } => sentence.clone(),
        Note::Serving { interface, address, dhcp, range, default, timeout } => {
            let addresses = match (dhcp.as_str(), range) {
                ("full", Some(range)) => format!("handing out {range}"),
                ("proxy", _) => "beside the network's own DHCP server".to_owned(),
                _ => "without DHCP".to_owned(),
            };
            let starts = default.as_ref().map_or("each computer's own disk".to_owned(), |id| format!("entry {id}"));
            let when = if *timeout == 0 { "at once".to_owned() } else { format!("after {timeout} seconds") };
            format!("Serving on {interface} as {address}, {addresses}. By itself {starts} starts {when}.")
        }
        Note::PortTaken { port, holder, used } => {
            let holder = holder.as_deref().unwrap_or("another program");
            format!("TCP port {port} is held by {holder}, so HTTP uses port {used}.")
        }
        Note::LeasesSetAside { path } => {
            format!("The lease file could not be understood. It was kept as {path}, and a new one begun.")
        }
        Note::LeasesNotSaved { path, reason } => {
            format!(
                "Leases could not be saved to {path} ({reason}). After a restart computers may lose their addresses."
            )
        }
        Note::NamesSetAside { path } => format!(
            "The file with the numbers in host names could not be understood. It was kept as {path}, and counting begins \
             anew: computers may get names that others have."
        ),
        Note::NoControl { path, reason } => format!(
            "Commands like `bootwright approve` cannot reach these services, for {path} cannot be opened ({reason}). Name \
             another folder with --state-dir if you need them."
        ),
        Note::NamesNotSaved { path, reason } => format!(
            "The numbers in host names could not be saved to {path} ({reason}). After a restart two computers could get \
             one name."
        ),
        Note::LoaderRefused { file, reason } => format!("{file} {reason}."),
        Note::LadderSetAside { path } => format!(
            "The file with the loaders that computers take could not be understood. It was kept as {path}; computers \
             with Secure Boot on may refuse one loader more before they get the signed one."
        ),
        Note::LadderNotSaved { path, reason } => format!(
            "Which loaders computers take could not be saved to {path} ({reason}). After a restart they begin with the \
             usual one."
        ),
        Note::NotSent { to, reason } => format!("An answer to {to} could not be sent: {reason}."),
        Note::ImageChanged { image } => {
            format!("{image} was changed while it is served. It is served no more; stop and start again to use it.")
        }
        Note::ImageGone { image } => format!(
            "{image} was removed or moved. Computers still get it from the open file until you stop; put it back before \
             you start again."
        ),
        Note::LinkDown { interface } => format!("{interface} has no link. Check the cable; serving goes on by itself."),
        Note::LinkUp { interface } => format!("{interface} has link again."),
        Note::Dropped { count } => format!("{count} events were left out of this log: there were too many at once."),
        Note::Stopped => "stopped".to_owned(),
        Note::Diagnosis(cause) => cause_line(cause),
        Note::Waiting { code, product } => {
            let product = product.as_ref().map(|product| format!(" ({product})")).unwrap_or_default();
            format!(
                "is not known{product} and waits for your approval; its screen shows {code}: bootwright approve {code}"
            )
        }
        Note::Approved => "was approved, and may have the menu".to_owned(),
        Note::TurnedAway => "was refused, and is sent to its own disk".to_owned(),
        Note::Guests { ask, allowed, denied } => {
            let known = match (*ask, *allowed) {
                (true, _) => "computers that you have not approved wait for your word".to_owned(),
                (false, 0) => "every computer is answered".to_owned(),
                (false, 1) => "1 computer is answered, and no other".to_owned(),
                (false, allowed) => format!("{allowed} computers are answered, and no others"),
            };
            let never = match denied {
                0 => String::new(),
                1 => "; 1 is never answered".to_owned(),
                denied => format!("; {denied} are never answered"),
            };
            format!("From now on {known}{never}.")
        }
        Note::Answered { again: true } => "is answered again".to_owned(),
        Note::Answered { again: false } => "is never answered from now on".to_owned(),
        Note::ApprovalSetAside { path } => format!(
            "The file with the approved computers could not be understood. It was kept as {path}; every computer is asked \
             about again."
        ),
        Note::ApprovalNotSaved { path, reason } => format!(
            "Which computers were approved could not be saved to {path} ({reason}). After a restart they are asked about \
             again."
        ),
        Note::Chosen { entry } => format!("chose {entry}"),
        Note::Begun { entry } => format!("began {entry}, which starts once: from now on its own disk starts by itself"),
        Note::PasswordRefused { entry, wait: None } => format!("gave a wrong password for {entry}"),
        Note::PasswordRefused { entry, wait: Some(seconds) } => {
            format!("gave too many wrong passwords for {entry}, and has to wait {seconds} s")
        }
        Note::OnceSetAside { path } => format!(
            "The file with what computers have begun could not be understood. It was kept as {path}, and a new one was \
             begun: entries that start once may start once more."
        ),
        Note::OnceNotSaved { path, reason } => format!(
            "What computers have begun cannot be saved in {path}: {reason}. After a restart of the services, entries that \
             start once may start once more. Make room on the disk, or name another folder for state."
        ),
        Note::JobsNotWritten { path, reason } => format!(
            "The job sheet in {path} cannot be written ({reason}). Serving goes on; name another folder with --job-sheet."
        ),
        Note::TraceNotWritten { path, reason } => {
            format!("No more packets are written to {path} ({reason}). Serving goes on.")
        }
    }
}

/// A stage in a word, as it stands below its dot on a card.
pub fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Asked | Stage::Offered => "Asked",
        Stage::Loader => "Loader",
        Stage::Menu => "Menu",
        Stage::Kernel => "Kernel",
        Stage::System => "System",
        Stage::HandedOver => "Handed over",
    }
}

/// A stage in words.
pub fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Asked => "asked",
        Stage::Offered => "offered",
        Stage::Loader => "has its boot loader",
        Stage::Menu => "has its menu",
        Stage::Kernel => "has its kernel",
        Stage::System => "its system has its files",
        Stage::HandedOver => "handed over: its system asks for an address by itself",
    }
}

/// The loader of a computer and why it gets that one, in one line.
pub fn loader_line(boot: &crate::dhcp::pxe::Boot) -> String {
    let file = boot.file.rsplit('/').next().unwrap_or(&boot.file);
    let way = if boot.file.starts_with("http") { "by HTTP" } else { "by TFTP" };
    format!("Loader {file} {way}: {}", boot.why)
}

/// What a cause is, in one sentence.
pub fn cause_title(kind: Kind) -> &'static str {
    match kind {
        Kind::NothingArrives => "No computer has asked for anything",
        Kind::NotAllowed => "The lists of computers leave it out",
        Kind::RelayElsewhere => "It asks from a network that is not served",
        Kind::NoAddressLeft => "No address is left for it",
        Kind::AddressRefused => "The address that it wants is not for it",
        Kind::NoBootFile => "There is no boot file for it",
        Kind::OtherServerWon => "It follows another DHCP server",
        Kind::OffersUnheeded => "Its firmware takes no boot information from a second server",
        Kind::NoAddressServer => "No DHCP server gives it an address",
        Kind::OfferNotTaken => "It does not take what it is offered",
        Kind::NoFileAsked => "It knows what to boot, and its request for that does not arrive",
        Kind::SilentAfterBootServer => "It asked on port 4011, was answered, and went silent",
        Kind::SizeAskedOnly => "It asked how large its loader is, and then for nothing",
        Kind::TransferPortBlocked => "A firewall keeps its loader from it",
        Kind::LargePacketsLost => "Large packets are lost on the way",
        Kind::TransferStalled => "It stopped in the middle of a file",
        Kind::PacketsLost => "Many packets are lost on the way",
        Kind::BrokeOff => "It broke a file off",
        Kind::SecureBoot => "Secure Boot does not let its loader start",
        Kind::LoaderUnsuitable => "Its loader does not run on it",
        Kind::FileMissing => "A file that it needs is not here",
        Kind::FileEmpty => "A file that it needs is empty",
        Kind::FileRefused => "It was refused a file",
        Kind::FileUnreadable => "A file cannot be read here",
        Kind::IpxeWithoutHttp => "The iPXE in its network card cannot read the menu",
        Kind::TooLittleMemory => "It has too little memory for this system",
        Kind::KernelSilent => "Its system does not go on",
        Kind::SystemMissesFile => "Its system asks for files that are not here",
        Kind::AnswerFetchedAgain => "It installs once more",
        Kind::SwitchSlow => "Its switch lets nothing through at first",
        Kind::RelaySeen => "A router passes its questions on",
        Kind::WaitingInMenu => "It shows its menu",
        Kind::MenuTimedOut => "Nobody chose from its menu",
    }
}

/// How sure a cause is, in a word that goes before it.
pub fn likelihood(likelihood: Likelihood) -> &'static str {
    match likelihood {
        Likelihood::Certain => "Certain",
        Likelihood::Likely => "Likely",
        Likelihood::Possible => "Possible",
    }
}

/// A cause in short: how sure it is, and what it is.
pub fn cause_heading(cause: &Cause) -> String {
    let title = cause_title(cause.kind);
    match cause.likelihood {
        Likelihood::Certain => format!("{title}."),
        other => format!("{}: {}.", likelihood(other), uncapital(title)),
    }
}

/// A cause with all that is known of it, in one line.
pub fn cause_line(cause: &Cause) -> String {
    let parts = [cause_heading(cause), cause.evidence.clone(), cause.next_step.clone()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The beginning of a sentence behind a colon. Names stay as they are written.
fn uncapital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    match letters.next() {
        Some(first) if !sentence.starts_with("Secure Boot") => first.to_lowercase().chain(letters).collect(),
        _ => sentence.to_owned(),
    }
}

/// The story of a computer as plain text: what it is, how far it came, what keeps it, and a line for each of its events. The times of
/// day are those of the zone that `now` is in.
pub fn report(computer: &Computer, causes: &[Cause], now: &Zoned) -> String {
    let zone = now.time_zone();
    let machine = computer.machine.map(|machine| machine.describe());
    let uuid = computer.uuid.as_ref().map(|uuid| format!("UUID {uuid}"));
    let about = [Some(computer.mac.to_string()), computer.ip.map(|ip| ip.to_string()), machine, uuid];
    let about: Vec<String> = about.into_iter().flatten().collect();
    let mut lines = vec![computer.name(), about.join(", "), format!("As of {}", now.strftime("%Y-%m-%d %H:%M:%S %:z"))];
    lines.push(format!("Boot {}: {}", computer.boots, stage(computer.stage)));
    lines.extend(computer.loader.as_ref().map(loader_line));
    lines.extend(causes.iter().map(|cause| {
        format!("Since {}: {}", cause.since.to_zoned(zone.clone()).strftime("%H:%M:%S"), cause_line(cause))
    }));
    let mut day = None;
    for event in &computer.history {
        let Some(words) = words(event) else { continue };
        let time = event.time.to_zoned(zone.clone());
        if day.replace(time.date()) != Some(time.date()) {
            lines.push(format!("\n{}", time.date()));
        }
        lines.push(format!("{}  {words}", time.strftime("%H:%M:%S%.3f")));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Bytes for people, in units of 1000.
pub fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.iter().find(|(size, _)| count >= *size) {
        Some((size, unit)) => {
            let tenths = count / (size / 10);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{count} bytes"),
    }
}

/// A rate over less than ten milliseconds says nothing.
fn amount(count: u64, millis: u64) -> String {
    if millis < 10 {
        return bytes(count);
    }
    let seconds = format!("{}.{} s", millis / 1000, millis % 1000 / 100);
    let rate = count.saturating_mul(1000) / millis.max(1);
    format!("{} in {seconds}, {}/s", bytes(count), bytes(rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn sizes_are_for_people() {
        let cases =
            [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (850_528, "850.5 kB"), (4_294_967_296, "4.2 GB")];
        for (count, words) in cases {
            assert_eq!(bytes(count), words);
        }
        assert_eq!(amount(10_000_000, 2_500), "10.0 MB in 2.5 s, 4.0 MB/s");
        assert_eq!(amount(5, 9), "5 bytes");
    }

    #[test]
    fn a_line_says_who_and_what() {
        let note = tftp::Note::Done { file: "undionly.kpxe".into(), bytes: 74_213, millis: 100, resent: 2 };
        let event = Event {
            time: Timestamp::UNIX_EPOCH,
            mac: "52:54:00:77:01:01".parse().ok(),
            ip: Some([10, 77, 0, 128].into()),
            role: None,
            what: What::Tftp(note),
        };
        let expected = "52:54:00:77:01:01 10.77.0.128  has undionly.kpxe by TFTP: 74.2 kB in 0.1 s, 742.1 kB/s, 2 packets sent again";
        assert_eq!(line(&event).as_deref(), Some(expected));
    }

    fn no_boot_file() -> dhcp::Note {
        dhcp::Note::NoBootFile { reason: "there is none".into() }
    }

    fn about(what: What) -> Event {
        Event { time: Timestamp::UNIX_EPOCH, mac: "52:54:00:77:01:01".parse().ok(), ip: None, role: None, what }
    }

    #[test]
    fn words_leave_out_who() {
        let event = about(What::Dhcp(no_boot_file()));
        let words = words(&event).unwrap();
        assert_eq!(line(&event).unwrap(), format!("52:54:00:77:01:01  {words}"));
        let progress = http::Note::Progress { file: "f".into(), bytes: 1, length: 2 };
        assert_eq!(super::words(&about(What::Http(progress))), None);
    }

    #[test]
    fn levels_keep_what_matters() {
        let file = || "f".to_owned();
        let started = |length| What::Http(http::Note::Started { file: file(), from: 0, length, size: length });
        let cases = [
            (started(10), Level::Detail),
            (started(WORTH_ANNOUNCING), Level::Normal),
            (What::Http(http::Note::NotFound { file: file() }), Level::Detail),
            (What::Http(http::Note::BrokenOff { file: file(), bytes: 1, length: 2 }), Level::Problem),
            (What::Tftp(tftp::Note::Replaced { file: file() }), Level::Notice),
            (What::Tftp(tftp::Note::TimedOut { file: file(), bytes: 1, size: 2 }), Level::Problem),
            (What::Dhcp(no_boot_file()), Level::Problem),
            (What::Dhcp(dhcp::Note::Offered { address: None, boot: None }), Level::Detail),
            (What::Service(Note::Stage { stage: Stage::Menu }), Level::Detail),
            (What::Service(Note::Stage { stage: Stage::Kernel }), Level::Notice),
            (What::Service(Note::LinkDown { interface: "eth0".into() }), Level::Problem),
            (What::Service(Note::Stopped), Level::Normal),
        ];
        for (what, expected) in cases {
            assert_eq!(level(&about(what.clone())), expected, "{what:?}");
        }
        assert!(Level::Detail < Level::Normal && Level::Notice < Level::Problem);
    }

    #[test]
    fn a_report_tells_a_boot_in_local_time() {
        let mut journal = super::super::Journal::default();
        let menu =
            Note::Menu { platform: None, uuid: Some("u".into()), product: Some("Bench".into()), memory_mb: None };
        let aborted = tftp::Note::Aborted { file: "snponly.efi".into(), bytes: 9, code: 0, words: "no".into() };
        let progress = tftp::Note::Progress { file: "snponly.efi".into(), bytes: 1, size: 2 };
        let story = [What::Service(menu), What::Tftp(progress), What::Tftp(aborted)];
        for (what, second) in story.into_iter().zip([82_799, 82_800, 82_801]) {
            journal.record(&Event { time: Timestamp::from_second(second).unwrap(), ..about(what) });
        }
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(1));
        let now = Timestamp::from_second(82_900).unwrap().to_zoned(zone);
        let expected = "Bench\n52:54:00:77:01:01, UUID u\nAs of 1970-01-02 00:01:40 +01:00\nBoot 1: has its menu\n\
            Since 00:00:01: Likely: it broke a file off. Evidence. Step.\n\n\
            1970-01-01\n23:59:59.000  gets its menu (Bench)\n\n\
            1970-01-02\n00:00:01.000  broke snponly.efi off after 9 bytes: \"no\" (TFTP error 0)\n";
        let computer = journal.computers().next().unwrap();
        let since = Timestamp::from_second(82_801).unwrap();
        let (evidence, next_step) = ("Evidence.".to_owned(), "Step.".to_owned());
        let cause = Cause { kind: Kind::BrokeOff, likelihood: Likelihood::Likely, since, evidence, next_step };
        assert_eq!(report(computer, &[cause], &now), expected);
    }

    #[test]
    fn hostile_names_are_shown_escaped() {
        let event = |file: &str| Event {
            time: Timestamp::UNIX_EPOCH,
            mac: None,
            ip: None,
            role: None,
            what: What::Tftp(tftp::Note::NotFound { file: file.into() }),
        };
        let said = line(&event("a\x1b[2J\nb\u{202e}c")).unwrap();
        assert!(!said.chars().any(|c| c.is_control() || c == '\u{202e}'), "{said:?}");
    }
}
