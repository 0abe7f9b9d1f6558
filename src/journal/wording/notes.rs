//! What each room of the program notes, as the end of a line that begins with whom it concerns.

use std::net::Ipv4Addr;

use super::{amount, bytes, cause_line};
use crate::boot::Machine;
use crate::dhcp::{self, Question, Refusal, Silence};
use crate::journal::Note;
use crate::mac::Mac;
use crate::{http, text, tftp};

pub(super) fn dhcp(note: &dhcp::Note) -> String {
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
        dhcp::Note::ForeignServer { server, mac, maker } => {
            let named = server_name(*server, *mac, maker.as_deref());
            format!(
                "{named} is a DHCP server of this network too, so nobody new gets an address from here any more: two \
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

/// A DHCP server by what helps to find it: its address, its network card and who made that.
pub fn server_name(server: Ipv4Addr, card: Option<Mac>, maker: Option<&str>) -> String {
    let maker = maker.map(|maker| text::plain(maker, 40));
    let card: Vec<String> = card.map(|mac| mac.to_string()).into_iter().chain(maker).collect();
    if card.is_empty() { server.to_string() } else { format!("{server} ({})", card.join(", ")) }
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

pub(super) fn tftp(note: &tftp::Note) -> Option<String> {
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

pub(super) fn http(note: &http::Note) -> Option<String> {
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

pub(super) fn service(note: &Note) -> String {
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
        Note::Stage { stage } => format!("** {}", super::stage(*stage)),
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
        Note::GuardEnded => {
            "The helper that listens for other DHCP servers has ended, so one is noticed only when a computer \
                             takes its offer. Stop and start again."
                .to_owned()
        }
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
        Note::OwnDisk { .. } => "starts its own disk".to_owned(),
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
