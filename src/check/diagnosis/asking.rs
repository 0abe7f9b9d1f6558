//! A computer that asks for an address and for what to boot, and does not get further.

use super::span;
use super::story::{Ask, Story, cause, since};
use crate::boot::Stage as Asker;
use crate::deployment::DhcpMode;
use crate::dhcp::{self, Question, Silence};
use crate::journal::cause::{Cause, Kind, Likelihood};
use crate::journal::{Event, Fault, Stage, Unheeded, What, wording};

use Likelihood::{Certain, Likely, Possible};

/// Questions after which it is plain that no answer helps: EDK2 asks at 0, 4, 12 and 28 s, iPXE at 0, 1, 3 and 7 s.
const QUESTIONS: usize = 4;
/// Longer than EDK2 waits between two questions, in seconds.
const GAVE_UP: u64 = 60;
/// From its address to its first request firmware took 15 s and iPXE 17 s at most (recorded in software emulation), in
/// seconds.
const TO_FILE: u64 = 35;
/// Beside another server nobody tells iPXE that there is no IPv6 router, and it looks for one: on a busy machine it took 29 s
/// so (`live-beside-office` of the recorded boots). In seconds.
const IPXE_TO_FILE: u64 = 60;
/// From the answer on port 4011 to the first request it takes no time at all, in seconds.
const AFTER_BOOT_SERVER: u64 = 20;
/// Who asks there so often hears no answer: EDK2 asks at 0, 2, 6 and 11 s and goes on to HTTP Boot 4 s later; a menu asks
/// twice.
const BOOT_SERVER_ASKED: usize = 3;
/// A switch that runs spanning tree lets nothing through for 30 s (twice 15 s, IEEE 802.1D); a computer that says at its
/// first question heard that it has been asking for longer than this was kept from it. Those that write the number in the
/// wrong order of bytes have more than 255.
const SLOW: std::ops::RangeInclusive<u16> = 20..=255;

pub(super) fn causes(story: &Story) -> Vec<Cause> {
    let mut causes = faults(story);
    if story.computer.stage < Stage::Menu {
        causes.extend(standstill(story));
        causes.extend(slow_switch(story));
    }
    causes.extend(relay(story));
    causes
}

fn faults(story: &Story) -> Vec<Cause> {
    let Some(trouble) = &story.computer.trouble else { return Vec::new() };
    let at = trouble.since;
    let one = |kind, evidence: String, next: &str| vec![cause((kind, Certain), at, evidence, next)];
    match &trouble.fault {
        Fault::Ignored { reason: Silence::NotAllowed } => one(
            Kind::NotAllowed,
            "It asked, and is not answered.".to_owned(),
            "Take it off the list of computers that are never answered, or add it to those that are.",
        ),
        Fault::Ignored { reason } => one(
            Kind::RelayElsewhere,
            format!("It is not answered: {}.", wording::silence(*reason)),
            "Connect it to the network that is served here, or let the router hand its questions to a server of its own \
             network.",
        ),
        Fault::PoolExhausted { size } => one(
            Kind::NoAddressLeft,
            format!("All {size} addresses of the range are taken."),
            "Widen the range of addresses, or wait ten minutes for those that nobody uses any more.",
        ),
        Fault::AddressRefused { address, reason } => one(
            Kind::AddressRefused,
            format!("It wanted {address} and was told no: {}.", wording::refusal(*reason)),
            "It asks for another one by itself. If it does not, restart it.",
        ),
        Fault::NoBootFile { reason } => one(
            Kind::NoBootFile,
            format!("It gets no boot file: {reason}."),
            "Look at the loaders (bootwright loaders), or boot it in another way: BIOS, UEFI or HTTP Boot.",
        ),
        Fault::OtherServer { server } => one(
            Kind::OtherServerWon,
            format!("It was offered an address here and took that of {server}."),
            "Two servers on one network give one address to two machines: stop, and start again beside the other server, or \
             take that one off this network.",
        ),
        Fault::OffersUnheeded { how, file } => unheeded(story, at, *how, file),
        _ => Vec::new(),
    }
}

/// It asks and asks beside another server, or takes an address and nothing else.
fn unheeded(story: &Story, at: jiff::Timestamp, how: Unheeded, file: &str) -> Vec<Cause> {
    let heeds_none = |likelihood, evidence: &str| cause((Kind::OffersUnheeded, likelihood), at, evidence, ways(file));
    let nobody = |likelihood, evidence: &str| {
        cause((Kind::NoAddressServer, likelihood), at, evidence, "Check the router, or hand out addresses here.")
    };
    let known = !story.around.foreign.is_empty();
    match how {
        Unheeded::AsksAgain => {
            let seen = "It was told what to boot each time, and only asks again.";
            let both = [
                heeds_none(if known { Likely } else { Possible }, seen),
                nobody(Possible, "It asks again and again, as one does that gets no address."),
            ];
            both.into_iter().take(if known { 1 } else { 2 }).collect()
        }
        Unheeded::NoAddress => {
            vec![nobody(Likely, "Its iPXE was told what to boot each time, and asks again: it lacks an address.")]
        }
        Unheeded::AddressOnly => vec![
            heeds_none(
                Likely,
                "It took an address twice and asked for no file; the other server may name one of its own.",
            ),
            cause((Kind::NoFileAsked, Possible), at, "It took an address twice and asked for no file.", OPEN_PORTS),
        ],
    }
}

const OPEN_PORTS: &str = "Let UDP 69 and 4011 through the firewall of this computer.";

fn ways(file: &str) -> String {
    format!(
        "Use full mode on a cable of its own, or set options 66 (the address of this computer) and 67 ({file}) in the router."
    )
}

/// What it does since the last file, where it asks and does nothing else.
fn standstill(story: &Story) -> Vec<Cause> {
    let tail = story.since_file();
    let asks = Story::asks(tail);
    if asks.is_empty() {
        return Vec::new();
    }
    let mut causes: Vec<Cause> = without_http(story, &asks).into_iter().collect();
    let took = tail.iter().rposition(|event| is_taken(event));
    match took.zip(took.and_then(|at| tail.get(at))) {
        Some((at, taken)) if causes.is_empty() => causes.extend(no_file(story, (at, taken), &asks)),
        // Its iPXE is told with the port that it needs.
        Some(_) => {}
        None if was_offered(tail) => causes.extend(not_taken(story, &asks)),
        // Nothing was offered: a fault says why, or its question was none for us.
        None => {}
    }
    causes
}

/// Whether the computer took an address, from us or from another server.
fn is_taken(event: &Event) -> bool {
    match &event.what {
        What::Dhcp(dhcp::Note::Granted { boot, .. }) => boot.is_some(),
        What::Dhcp(dhcp::Note::Asked { question: Question::Select, client, .. }) => {
            crate::boot::Machine::of(client).is_some()
        }
        _ => false,
    }
}

fn was_offered(events: &[&Event]) -> bool {
    events.iter().any(|event| matches!(event.what, What::Dhcp(dhcp::Note::Offered { boot: Some(_), .. })))
}

fn is_ipxe(ask: &Ask) -> bool {
    matches!(ask.machine.stage, Asker::Ipxe | Asker::IpxeWithoutHttp)
}

/// How long it may take from its address to its first request, in seconds.
fn to_file(story: &Story, ask: &Ask) -> u64 {
    if is_ipxe(ask) && story.around.mode != DhcpMode::Full { IPXE_TO_FILE } else { TO_FILE }
}

/// VirtualBox's card has such an iPXE (CONFORMANCE Q15).
fn without_http(story: &Story, asks: &[Ask]) -> Option<Cause> {
    let last = asks.last().filter(|ask| ask.machine.stage == Asker::IpxeWithoutHttp)?;
    let again = asks.iter().filter(|ask| ask.question == Question::Discover).count() >= QUESTIONS;
    (again || story.silent(to_file(story, last))).then(|| {
        cause(
            (Kind::IpxeWithoutHttp, Likely),
            last.time,
            "It runs an iPXE that says it cannot fetch by HTTP, was offered a full one by TFTP, and did not load that.",
            "Let UDP 69 through the firewall of this computer. In VirtualBox install the extension pack, or choose the \
             network card PCnet-FAST III or virtio-net.",
        )
    })
}

/// It has an address and a file's name, and asks for no file.
fn no_file(story: &Story, (at, taken): (usize, &Event), asks: &[Ask]) -> Vec<Cause> {
    let Some(by) = asks.iter().rfind(|ask| ask.at <= at).or(asks.last()) else { return Vec::new() };
    let again = asks.iter().find(|ask| ask.at > at && ask.question == Question::Discover);
    let full = story.around.mode == DhcpMode::Full;
    let last_is_boot_server = asks.last().is_some_and(|ask| ask.question == Question::BootServer);
    let file = story.computer.loader.as_ref().map_or("its loader", |boot| boot.file.as_str());
    let by_http = by.machine.stage == Asker::Http || by.machine.stage == Asker::Ipxe;
    let port = if by_http { format!("TCP {}", story.around.http_port) } else { "UDP 69".to_owned() };
    let open = format!("Let {port} in through the firewall of this computer, and look for one on the way.");
    if last_is_boot_server {
        let times = asks.iter().filter(|ask| ask.question == Question::BootServer).count();
        let evidence = match times {
            BOOT_SERVER_ASKED.. => {
                format!("It asked on port 4011 {times} times, was told {file} each time, and asked for no file.")
            }
            _ if story.silent(AFTER_BOOT_SERVER) => {
                format!("It asked on port 4011, was told {file}, and has asked for nothing for {}.", quiet(story))
            }
            _ => return Vec::new(),
        };
        let next = "Let UDP 69 and 4011 through the firewall of this computer in both directions, and restart the computer. \
                    If that does not help, use full mode on a cable of its own.";
        return vec![cause((Kind::SilentAfterBootServer, Likely), taken.time, evidence, next)];
    }
    let (evidence, sure) = match again {
        // Beside another server one address without a file may be a person at the keyboard; two are counted elsewhere.
        Some(ask) if full => {
            let after = span(since(taken.time, ask.time));
            (format!("It took an address, and {after} later began anew without having asked for a file here."), true)
        }
        _ if story.silent(to_file(story, by)) => {
            (format!("It took an address, and has asked for no file for {}.", quiet(story)), full || is_ipxe(by))
        }
        _ => return Vec::new(),
    };
    let blocked = cause((Kind::NoFileAsked, if sure { Likely } else { Possible }), taken.time, &evidence, open);
    if full || is_ipxe(by) {
        return vec![blocked];
    }
    vec![cause((Kind::OffersUnheeded, Possible), taken.time, evidence, ways(file)), blocked]
}

/// It was offered something, and takes no offer.
fn not_taken(story: &Story, asks: &[Ask]) -> Vec<Cause> {
    let (Some(first), Some(last)) = (asks.first(), asks.last()) else { return Vec::new() };
    let count = asks.len();
    let many = count >= QUESTIONS;
    if !many && !story.silent(GAVE_UP) {
        return Vec::new();
    }
    let (times, quiet) = (if count == 1 { "once".to_owned() } else { format!("{count} times") }, quiet(story));
    let evidence = match many {
        true => {
            format!("It asked {times} in {} and was answered; it took no offer.", span(since(first.time, last.time)))
        }
        false => format!("It asked {times}, was answered, and has been silent for {quiet}."),
    };
    let file = story.computer.loader.as_ref().map_or("its loader", |boot| boot.file.as_str());
    let known = !story.around.foreign.is_empty();
    match story.around.mode {
        DhcpMode::Full => {
            let other = known.then(|| {
                let evidence = format!("{} answers here as well. {evidence}", story.around.servers());
                let next = "Stop, and start again beside the other server, or take that one off this network.";
                cause((Kind::OtherServerWon, Likely), first.time, evidence, next)
            });
            let next = "See whether the answers reach it: a firewall on this computer must let UDP 67 and 68 out, and the \
                        switch must pass broadcasts on. Restart the computer.";
            let taken = cause(
                (Kind::OfferNotTaken, if many && !known { Likely } else { Possible }),
                first.time,
                evidence,
                next,
            );
            other.into_iter().chain([taken]).collect()
        }
        // A fault of its own is found once it asks often enough.
        _ if many => Vec::new(),
        _ => {
            let next = "Check the router, or hand out addresses here.";
            let nobody = cause((Kind::NoAddressServer, Possible), first.time, &evidence, next);
            let heeds_none = cause((Kind::OffersUnheeded, Possible), first.time, evidence, ways(file));
            [(!known).then_some(nobody), Some(heeds_none)].into_iter().flatten().collect()
        }
    }
}

fn quiet(story: &Story) -> String {
    span(story.silence())
}

/// Its first question that was heard says that it had been asking for long, though somebody listened.
fn slow_switch(story: &Story) -> Option<Cause> {
    if story.computer.stage >= Stage::Loader {
        return None;
    }
    let first = story.boot.first()?;
    let What::Dhcp(dhcp::Note::Asked { secs: Some(secs), question: Question::Discover, .. }) = &first.what else {
        return None;
    };
    let listened = since(story.around.since, first.time).as_secs();
    (SLOW.contains(secs) && listened > u64::from(*secs)).then(|| {
        cause(
            (Kind::SwitchSlow, Likely),
            first.time,
            format!("Its first question that came through says that it has been asking for {secs} s."),
            "Let its port of the switch forward at once (“edge port” or “PortFast”), or put a simple switch in between. \
             Often it works at the second try.",
        )
    })
}

fn relay(story: &Story) -> Option<Cause> {
    let relayed = |event: &&&Event| matches!(event.what, What::Dhcp(dhcp::Note::Asked { relay: Some(_), .. }));
    let event = story.boot.iter().rfind(relayed)?;
    let What::Dhcp(dhcp::Note::Asked { relay: Some(relay), .. }) = &event.what else { return None };
    Some(cause(
        (Kind::RelaySeen, Certain),
        event.time,
        format!("Its questions come through the relay agent {relay}, so it is in another network segment."),
        "The router there must also let UDP 69 and 4011 and TCP 80 through to this computer.",
    ))
}
