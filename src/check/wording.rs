//! The sentences. The only place for them.

mod answers;
pub(super) mod around;
pub(super) mod meanwhile;
pub(super) mod ports;
pub(super) mod preflight;
mod rehearsal;
pub(super) mod servers;

pub use answers::{answer_fault, explain_answers};
pub use rehearsal::{Failing, explain_rehearsal, failing};

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::path::Path;

use super::{Finding, Remedy, Subject};
use crate::boot::Platform;
use crate::boot::loader::Loader;
use crate::deployment::{LockError, PlanError, SaveError};
use crate::engine::Error;
use crate::image::checksum::ChecksumError;
use crate::image::recipe::BadRecipe;
use crate::image::{DiscError, Firmware, Foreign};
use crate::journal::wording::bytes;
use crate::mac::Mac;
use crate::net::ports::Transport;
use crate::net::privilege::{PrivilegeError, Refusal};
use crate::net::socket::BindError;
use crate::text;

impl Remedy {
    /// What the button says that carries it out.
    pub fn label(&self) -> String {
        match self {
            Remedy::UseProxyMode => "Work beside it".to_owned(),
            Remedy::UseFullMode => "Hand out addresses".to_owned(),
            Remedy::SetAddress(address) => format!("Set {address}"),
            Remedy::RemoveImage(_) => "Take it out".to_owned(),
            Remedy::UseHttpPort(port) => format!("Use port {port}"),
            Remedy::OpenFirewall => "Open it while serving".to_owned(),
            Remedy::LeaveFirewall => "Leave it alone".to_owned(),
            Remedy::StopService(unit) => {
                let name = text::plain(unit.trim_end_matches(".service"), 30);
                format!("Stop {name} while serving")
            }
        }
    }
}

/// Why the services cannot run, or cannot go on.
pub fn explain(error: &Error) -> Finding {
    engine(error).about(subject(error))
}

fn subject(error: &Error) -> Subject {
    match error {
        Error::Image(_) | Error::NoDefault { .. } | Error::Files { .. } | Error::Answers(_) => Subject::Files,
        Error::InterfaceGone { .. } | Error::AddressGone { .. } => Subject::Network,
        Error::AnswerPublished { .. } | Error::AnswerEntry { .. } | Error::NoOnce { .. } => Subject::Files,
        Error::Bind { .. }
        | Error::Loader(_)
        | Error::NoLoaders { .. }
        | Error::Leases { .. }
        | Error::Names { .. }
        | Error::Ladder { .. }
        | Error::Approval { .. }
        | Error::Once { .. }
        | Error::Trace { .. }
        | Error::Broken(_) => Subject::ThisComputer,
    }
}

fn engine(error: &Error) -> Finding {
    match error {
        Error::Bind { interface, source } => bind(interface, source),
        Error::Image(error) => explain_disc(error),
        Error::Answers(error) => explain_answers(error),
        Error::Loader(error) => Finding::new(
            format!("The boot loader {} cannot be opened.", error.path.display()),
            "",
            "Make it readable, or set up anew with packaging/run.sh --prepare.",
        )
        .with(&error.source),
        Error::NoLoaders { folders } => Finding::new(
            format!("No boot loaders were found in {}.", list(folders.iter().map(|path| path.display().to_string()))),
            "Without one no computer can boot.",
            "Run packaging/run.sh --prepare, or name a folder that has undionly.kpxe and snponly.efi with --loaders.",
        ),
        Error::NoDefault { wanted, known } if known.is_empty() => Finding::new(
            format!("There is no menu entry {wanted}: the menu is empty."),
            "",
            "Add an image with --image, or leave --default out.",
        ),
        Error::NoDefault { wanted, known } => Finding::new(
            format!("There is no menu entry {wanted}."),
            "",
            format!("Use --default with local, a number from 1 to {}, or one of {}.", known.len(), known.join(", ")),
        ),
        Error::NoOnce { wanted, known } => Finding::new(
            format!("There is no menu entry {wanted} that could start once."),
            "",
            match known.is_empty() {
                true => "Add an image with --image, or leave --once out.".to_owned(),
                false => format!("Use --once with one of {}.", known.join(", ")),
            },
        ),
        Error::Files { path, source } => Finding::new(
            format!("The folder {} cannot be published.", path.display()),
            "",
            "Name a folder that exists and is readable with --files.",
        )
        .with(source),
        Error::AnswerPublished { file } => published(file),
        Error::AnswerEntry { entry, able } => answer_entry(entry, able),
        Error::Names { path, source } => Finding::new(
            format!("Host names cannot be kept in {}.", path.display()),
            "After a restart computers would get other names.",
            "Name a folder that can be written to with --state-dir.",
        )
        .with(source),
        Error::Ladder { path, source } => Finding::new(
            format!("Which loaders computers take cannot be kept in {}.", path.display()),
            "After a restart computers with Secure Boot on would refuse the usual loader again.",
            "Name a folder that can be written to with --state-dir.",
        )
        .with(source),
        Error::Approval { path, source } => Finding::new(
            format!("Which computers you approved cannot be kept in {}.", path.display()),
            "After a restart every computer would be asked about again.",
            "Name a folder that can be written to with --state-dir.",
        )
        .with(source),
        Error::Once { path, source } => Finding::new(
            format!("It cannot be kept in {} what computers have begun.", path.display()),
            "After a restart of the services, an installation that starts once would start once more.",
            "Name a folder that can be written to with --state-dir.",
        )
        .with(source),
        Error::Trace { path, source } => Finding::new(
            format!("Packets cannot be written to {}.", path.display()),
            "Booting does not depend on it.",
            "Name a file in a folder that can be written to with --trace, or leave --trace out.",
        )
        .with(source),
        Error::Leases { path, source } => Finding::new(
            format!("Leases cannot be kept in {}.", path.display()),
            "After a restart computers would lose their addresses.",
            "Name a file in a folder that can be written to with --lease-file.",
        )
        .with(source),
        Error::InterfaceGone { interface } => Finding::new(
            format!("The interface {interface} is gone."),
            "Serving has ended, and does not move to another one by itself.",
            "Plug it in again and start once more.",
        ),
        Error::AddressGone { interface, address } => Finding::new(
            format!("{interface} does not have the address {address} any more."),
            "Computers were told to load from it, so serving has ended.",
            "Give the interface a fixed address and start once more.",
        ),
        Error::Broken(what) => Finding::new(
            "A service of Bootwright ended unexpectedly.",
            "That is a fault of the program.",
            "Start once more, and report it with the log.",
        )
        .with(what),
    }
}

fn bind(interface: &str, error: &BindError) -> Finding {
    let BindError { transport, port, holder, source } = error;
    let what = service(*transport, *port);
    match source.kind() {
        ErrorKind::AddrInUse => {
            let holder = holder.as_ref().map_or("another program".to_owned(), ToString::to_string);
            let step = match (transport, *port) {
                (Transport::Tcp, _) => format!("Stop {holder}, or choose another port with --http-port."),
                (Transport::Udp, 67) => {
                    format!("Stop {holder}, or use --dhcp off if it is to stay the only DHCP server.")
                }
                _ => format!("Stop {holder} and start once more."),
            };
            Finding::new(format!("{transport} port {port} is held by {holder}."), format!("{what} needs it."), step)
        }
        ErrorKind::PermissionDenied => Finding::new(
            format!("{transport} port {port} on {interface} may not be opened by this user."),
            format!("{what} needs it."),
            "Start with sudo.",
        ),
        _ => Finding::new(
            format!("{transport} port {port} on {interface} cannot be opened."),
            format!("{what} needs it."),
            "Check that the interface is up and has its address.",
        )
        .with(source),
    }
}

fn service(transport: Transport, port: u16) -> &'static str {
    match (transport, port) {
        (Transport::Tcp, _) => "HTTP",
        (Transport::Udp, 67) => "DHCP",
        (Transport::Udp, 4011) => "The PXE boot server",
        (Transport::Udp, _) => "TFTP",
    }
}

/// What a failed start leaves behind.
const UNCHANGED: &str = "Nothing was started, and nothing has changed.";

/// Why the window did not get its ports.
pub fn explain_privilege(error: &PrivilegeError) -> Finding {
    privilege(error).about(Subject::ThisComputer)
}

fn privilege(error: &PrivilegeError) -> Finding {
    match error {
        PrivilegeError::NoPkexec => Finding::new(
            "The program that asks for the password, pkexec, is not installed.",
            "Without it the ports for booting computers (67, 69, 80 and 4011) cannot be opened.",
            "Install the package pkexec (policykit-1 on older systems), or serve without the window: \
             sudo packaging/run.sh serve.",
        ),
        PrivilegeError::Unsupported => {
            Finding::new("Bootwright cannot ask for more rights on this system.", UNCHANGED, "Start it with sudo.")
        }
        PrivilegeError::Tie { interface, source } => Finding::new(
            format!("Only root may tie a socket to {interface} on this system."),
            "Linux allows it to everybody from version 5.7 on.",
            "Serve without the window: sudo packaging/run.sh serve.",
        )
        .with(source),
        PrivilegeError::Start(source) => Finding::new(
            "The helper that opens the ports cannot be started.",
            UNCHANGED,
            "Start once more, and report it if it stays so.",
        )
        .with(source),
        PrivilegeError::Dismissed => Finding::new(
            "The password was not given.",
            UNCHANGED,
            "Start once more and give it: the ports for booting computers belong to the administrator.",
        ),
        PrivilegeError::NotAuthorised { reason } => Finding {
            details: Some(reason.clone()).filter(|reason| !reason.is_empty()),
            ..Finding::new(
                "The system did not allow the ports for booting computers to be opened.",
                "The password was wrong, this user may not, or there was nobody to ask for it.",
                "Start once more, or serve without the window: sudo packaging/run.sh serve.",
            )
        },
        PrivilegeError::Helper { reason } => Finding::new(
            "The helper that opens the ports did not do its work.",
            UNCHANGED,
            "Start once more, and report it if it stays so.",
        )
        .with(one_line(reason)),
        PrivilegeError::Refused(refusal) => refused(refusal),
        PrivilegeError::Port { interface, source } => bind(interface, source),
        PrivilegeError::ByHand => Finding::new(
            "bootwright helper is started by the window, which takes the sockets from it.",
            "",
            "Start bootwright itself, or serve without the window: bootwright serve.",
        ),
    }
}

fn refused(refusal: &Refusal) -> Finding {
    match refusal {
        Refusal::Request { reason } => Finding::new(
            "The helper that opens the ports does not understand what it was asked for.",
            "That is a fault of the program.",
            "Start once more, and report it if it stays so.",
        )
        .with(one_line(reason)),
        Refusal::Port { transport, port } => Finding::new(
            format!("{transport} port {port} is not one that the helper opens."),
            "It opens UDP 67, 69 and 4011 and TCP 80, each in its own way, and no other.",
            "Use another port, or serve without the window: sudo packaging/run.sh serve.",
        ),
        Refusal::NoInterface { interface } => {
            Finding::new(format!("There is no interface {interface:?}."), UNCHANGED, "Choose another one.")
        }
        Refusal::NotOwn { interface, own } => Finding::new(
            format!("{interface} does not have the address {own}."),
            "Computers could not load from it.",
            "Choose the network once more.",
        ),
        Refusal::Address { address } => Finding::new(
            format!("{address} is not an address for a network of your own."),
            UNCHANGED,
            "Use a private one that is neither the first nor the last of its network, like 10.77.0.1/24.",
        ),
        Refusal::Addressed { interface, present } => Finding::new(
            format!("{interface} has the address {present} already."),
            UNCHANGED,
            "Serve from that one, or remove it first.",
        ),
        Refusal::Overlap { interface, network } => Finding::new(
            format!("{interface} is in the network {network} already."),
            "Packets for one of the two would go to the other.",
            "Use an address of another network, like 10.77.0.1/24.",
        ),
        Refusal::Kind { interface } => Finding::new(
            format!("{interface} gets no address from Bootwright: it is neither wired nor virtual."),
            UNCHANGED,
            "Give it one in the settings of the system.",
        ),
        Refusal::Set { interface, address, reason } => Finding::new(
            format!("{interface} could not be given the address {address}."),
            UNCHANGED,
            "Give it one in the settings of the system.",
        )
        .with(one_line(reason)),
    }
}

/// Why a file is no image that can be used.
pub fn explain_disc(error: &DiscError) -> Finding {
    disc(error).about(Subject::Files)
}

fn disc(error: &DiscError) -> Finding {
    let name = |path: &Path| text::plain(&path.to_string_lossy(), 500);
    match error {
        DiscError::Open { path, source } if source.kind() == ErrorKind::NotFound => {
            Finding::new(format!("There is no file {}.", name(path)), "", "Check its name and where it lies.")
        }
        DiscError::Open { path, source } if source.kind() == ErrorKind::PermissionDenied => Finding::new(
            format!("{} may not be read by this user.", name(path)),
            "",
            "Make it readable, for example with: chmod a+r FILE.",
        ),
        DiscError::Open { path, source } => {
            Finding::new(format!("{} cannot be opened.", name(path)), "", "Check the disk that it lies on.")
                .with(source)
        }
        DiscError::NotAFile { path } => Finding::new(format!("{} is not a file.", name(path)), "", "Name an ISO file."),
        DiscError::Empty { path } => Finding::new(
            format!("{} is empty.", name(path)),
            "Its download did not begin, or its disk was full.",
            "Download it again.",
        ),
        DiscError::NotAnImage { path } => Finding::new(
            format!("{} is not a disc image.", name(path)),
            "It has neither an ISO 9660 nor a UDF file system.",
            "Name the ISO file itself; unpack it first if it is compressed.",
        ),
        DiscError::Foreign { path, what } => foreign(&name(path), *what),
        DiscError::Truncated { path, size, missing } => Finding::new(
            format!("{} is cut off: it has {} and {} are missing.", name(path), bytes(*size), bytes(*missing)),
            "Its download was broken off.",
            "Download it again.",
        ),
        DiscError::Damaged { path, reason } => Finding::new(
            format!("{} is damaged.", name(path)),
            "Its table of contents cannot be read.",
            "Download it again and compare its checksum.",
        )
        .with(text::plain(reason, 200)),
    }
}

/// What was taken for a disc image.
fn foreign(name: &str, what: Foreign) -> Finding {
    let head = format!("{name} is {what}, not a disc image.");
    match what {
        Foreign::WebPage => Finding::new(
            head,
            "The server gave a page in place of the file: to sign in, to choose a mirror, or to report an error.",
            "Open the publisher's page in a browser, and download the ISO file from there.",
        ),
        Foreign::Packed { unpack, .. } => Finding::new(
            format!("{name} is {what}."),
            "The disc image is inside it.",
            format!("Unpack it, for example with: {unpack} FILE. Then choose the ISO file that comes out."),
        ),
        Foreign::Drive { .. } => Finding::new(
            head,
            "It is made to be written to a drive, and has no disc's file system.",
            "Download the publisher's ISO file instead.",
        ),
        Foreign::RawCd => Finding::new(
            head,
            "It has what a CD has beside its data, as BIN and CUE files do.",
            "Turn it into an ISO file, for example with bchunk, or download the ISO file.",
        ),
        Foreign::Wim => Finding::new(
            head,
            "It is one file of a Windows disc, without what starts it.",
            "Choose the ISO file of the whole disc.",
        ),
        Foreign::Blank => Finding::new(
            format!("{name} is {what} where its tables should be."),
            "Room was made for a download that has not come yet.",
            "Wait until the download ends, or start it again.",
        ),
    }
}

/// Why settings make no deployment.
pub fn explain_plan(error: &PlanError) -> Finding {
    plan(error).about(plan_subject(error))
}

fn plan_subject(error: &PlanError) -> Subject {
    match error {
        PlanError::File { .. } | PlanError::Syntax { .. } | PlanError::Newer { .. } => Subject::Files,
        PlanError::Append { .. } | PlanError::EntryAppend { .. } | PlanError::EntryTwice { .. } => Subject::Files,
        PlanError::EntryPassword { .. } => Subject::Files,
        PlanError::Timeout { .. } => Subject::Files,
        PlanError::Duration { .. } => Subject::ThisComputer,
        _ => Subject::Network,
    }
}

fn plan(error: &PlanError) -> Finding {
    match error {
        PlanError::File { path, source } => Finding::new(
            format!("The deployment {} cannot be read.", path.display()),
            "",
            "Check its name and where it lies.",
        )
        .with(source),
        PlanError::Syntax { path, reason } => Finding::new(
            format!("The deployment {} has a mistake.", path.display()),
            "",
            "Correct it and start once more.",
        )
        .with(one_line(reason)),
        PlanError::Newer { path, version } => Finding::new(
            format!("The deployment {} was saved by a newer Bootwright (version {version}).", path.display()),
            "It says something in a way that this version does not understand.",
            "Use that version, or save the deployment anew.",
        ),
        PlanError::NoInterface => Finding::new(
            "No interface was named.",
            "",
            "Name the one to serve with --interface; `bootwright interfaces` lists them.",
        ),
        PlanError::UnknownInterface { name, known } if known.is_empty() => Finding::new(
            format!("There is no interface {name:?}."),
            "This machine has no network interface at all.",
            "Plug a network card in and start once more.",
        ),
        PlanError::UnknownInterface { name, known } => Finding::new(
            format!("There is no interface {name:?}."),
            "",
            format!("Use one of {}.", list(known.iter().cloned())),
        ),
        PlanError::NoAddress { name } => Finding::new(
            format!("{name} has no IPv4 address."),
            "Computers could not be told where to load from.",
            format!("Give it one, for example with: sudo ip addr add 10.77.0.1/24 dev {name}."),
        ),
        PlanError::RangeSyntax { text } => Finding::new(
            format!("{text:?} is not a range of addresses."),
            "",
            "Write the first and the last one, like 10.77.0.100-10.77.0.199.",
        ),
        PlanError::RangeReversed { range } => Finding::new(
            format!("The range {range} ends before it begins."),
            "",
            "Write the lower address first, like 10.77.0.100-10.77.0.199.",
        ),
        PlanError::RangeOutside { range, network } => Finding::new(
            format!("The range {range} is not inside the interface's network {network}."),
            "Computers with such addresses could not reach this one.",
            format!("Use addresses between {} and {}.", first_host(*network), last_host(*network)),
        ),
        PlanError::RangeTooLarge { range } => {
            Finding::new(format!("The range {range} has more than 65536 addresses."), "", "Use a smaller one.")
        }
        PlanError::RangeCoversOwn { range } => Finding::new(
            format!("All addresses of the range {range} are in use already."),
            "They are this computer's own, or its router's.",
            "Add more addresses to it.",
        ),
        PlanError::NoRoom { network } => Finding::new(
            format!("The network {network} has no addresses to hand out."),
            "",
            "Give the interface an address in a larger network, like 10.77.0.1/24.",
        ),
        PlanError::RangeWithoutFull => Finding::new(
            "A range was given, but no addresses are to be handed out.",
            "",
            "Add --dhcp full, or leave --range out.",
        ),
        PlanError::Timeout { seconds } => Finding::new(
            format!("A menu time-out of {seconds} seconds is more than a day."),
            "",
            "Use --menu-timeout with 0 to 86400.",
        ),
        PlanError::Duration { text } => {
            Finding::new(format!("{text:?} is not a time."), "", "Write it like 90s, 15m or 2h.")
        }
        PlanError::Append { why } => {
            Finding::new(format!("The text of --append cannot be used: {why}."), "", "Leave that part out.")
        }
        PlanError::EntryAppend { id, why } => Finding::new(
            format!("The kernel arguments of the menu entry {id} cannot be used: {why}."),
            "",
            "Leave that part out.",
        ),
        PlanError::EntryTwice { id } => Finding::new(
            format!("The deployment names the menu entry {id} twice."),
            "Its place in the menu is not known.",
            "Keep one of the two.",
        ),
        PlanError::EntryPassword { id } => Finding::new(
            format!("The password of the menu entry {id} cannot be used."),
            "What stands in `password-hash` is no hash of Argon2, or one that takes too long to check.",
            "Run `bootwright password`, and put in the line that it prints.",
        ),
    }
}

/// An entry that was to start by itself, and has a password.
pub fn locked_default(title: &str) -> Finding {
    Finding::new(
        format!("{} is to start by itself, and has a password.", text::plain(title, 80)),
        "Nobody is there to type it, so computers start their own disk.",
        "Mark another entry, or take the password away.",
    )
    .about(Subject::Files)
    .caution()
}

/// Why a deployment is not saved.
pub fn explain_save(error: &SaveError) -> Finding {
    save(error).about(Subject::Files)
}

fn save(error: &SaveError) -> Finding {
    let shown = |path: &Path| text::plain(&path.to_string_lossy(), 500);
    match error {
        SaveError::Write { path, source } => {
            let step = match source.kind() {
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                    "Save it in a folder that this user may write to."
                }
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "Make some room on that disk and save once more.",
                _ => "Check the folder and its disk, or save it somewhere else.",
            };
            Finding::new(format!("{} cannot be written.", shown(path)), "The deployment is not saved.", step)
                .with(source)
        }
        SaveError::NotText { path } => Finding::new(
            format!("A deployment cannot hold the path {}.", shown(path)),
            "It has characters that are not Unicode text, so the deployment is not saved.",
            "Rename that file or folder and choose it once more.",
        ),
        SaveError::WouldLose { path } => Finding::new(
            format!("{} is not a deployment that this version can read.", shown(path)),
            "Saving would destroy what is in it, so it was left as it is.",
            "Save under another name, or move that file away.",
        ),
        SaveError::Exists { name, path } => Finding::new(
            format!("There is a deployment {name} already, in {}.", shown(path)),
            "",
            "Replace it, or choose another name.",
        ),
        SaveError::NoName => Finding::new("The deployment has no name.", "", "Give it one with letters or digits."),
        SaveError::Unwritable { reason } => Finding::new(
            "The deployment cannot be written down.",
            "That is a fault of the program.",
            "Report it with these details.",
        )
        .with(one_line(reason)),
    }
}

/// Why this window is not the one that saves.
pub fn explain_lock(error: &LockError) -> Finding {
    match error {
        LockError::Busy => Finding::new(
            "Another Bootwright window is open.",
            "What you change here is not saved by itself, so that the two do not overwrite each other.",
            "Close this one, or save it by a name in the settings.",
        )
        .about(Subject::ThisComputer),
        LockError::Folder(error) => explain_save(error),
    }
}

/// Computers of a platform cannot boot for want of a loader.
pub fn unserved(platform: Platform) -> Finding {
    Finding::new(
        format!("There is no boot loader for {} computers.", platform.name()),
        "They are not offered anything to boot.",
        "Run packaging/run.sh --prepare, or name a folder that has one with --loaders.",
    )
    .about(Subject::ThisComputer)
    .caution()
}

/// A list of checksums cannot be read.
pub fn explain_list(error: &ChecksumError) -> Finding {
    let (ChecksumError::Folder { path, source } | ChecksumError::List { path, source }) = error;
    Finding::new(
        format!("{} cannot be read.", path.display()),
        "The image was not compared.",
        "Make it readable, or give the checksum with --checksum.",
    )
    .with(source)
    .about(Subject::Files)
}

/// An answer file is for an entry that cannot use one; `able` are those that can.
pub fn answer_entry(entry: &str, able: &[String]) -> Finding {
    let next = match able {
        [] => "Leave the answer file out, or serve an image whose installer takes one.".to_owned(),
        able => format!("Give it to {}.", list(able.iter().cloned())),
    };
    let title = format!("{} is no entry that takes an answer file.", text::plain(entry, 60));
    Finding::new(title, "Its installer would ask its questions.", next).about(Subject::Files)
}

/// An answer file lies where anybody may fetch it by its name.
pub fn published(file: &Path) -> Finding {
    Finding::new(
        format!("The answer file {} lies in the published folder.", file.display()),
        "Anybody on this network could read it under /files/, passwords included.",
        "Move it out of that folder.",
    )
    .about(Subject::Files)
}

/// A recipe of the user cannot be used.
pub fn wrong_recipe(fault: &BadRecipe) -> Finding {
    Finding::new(
        format!("The recipe {} cannot be used: {}.", text::plain(&fault.file, 200), text::plain(&fault.reason, 300)),
        "Images are judged by the other recipes.",
        "Mend it and start Bootwright again; assets/recipes/README.md explains the format.",
    )
    .about(Subject::Files)
    .caution()
}

/// An entry needs a loader that is not there.
pub fn lacking(entry: &str, loader: Loader) -> Finding {
    let file = loader.file();
    let next = match loader {
        Loader::Wimboot => {
            "Download wimboot 2.9.0 or newer from ipxe.org/wimboot, and put it into the loaders folder under the name wimboot."
                .to_owned()
        }
        _ => format!("Put {file} into the loaders folder; packaging/run.sh --prepare does it."),
    };
    Finding::new(
        format!("{} needs {file}, which is not there.", text::plain(entry, 100)),
        "The menu leaves this entry out.",
        next,
    )
    .about(Subject::Files)
    .caution()
}

/// An entry is for one kind of firmware only.
pub fn one_firmware(entry: &str, firmware: Firmware) -> Finding {
    let (has, lacks) = match firmware {
        Firmware::Bios => ("BIOS", "UEFI"),
        Firmware::Uefi => ("UEFI", "BIOS"),
    };
    Finding::new(
        format!("The entry {entry} boots on {has} computers only."),
        format!("The menu of {lacks} computers does not have it."),
        format!("Switch a computer to {has} to start it."),
    )
    .about(Subject::Files)
    .caution()
}

/// The menu has no entries.
pub fn no_entries() -> Finding {
    Finding::new("The menu is empty: it offers each computer its own disk only.", "", "Add an ISO file with --image.")
        .about(Subject::Files)
        .caution()
}

/// Addresses are handed out without asking first whether somebody uses them.
pub fn unprobed() -> Finding {
    Finding::new(
        "Addresses are handed out without asking first whether a machine uses them.",
        "The right to send ARP packets is missing.",
        "Start with sudo, or make sure that no machine has a fixed address inside the range.",
    )
    .caution()
}

/// Other DHCP servers may stay unnoticed while addresses are handed out.
pub fn unguarded() -> Finding {
    Finding::new(
        "Other DHCP servers are noticed only when a computer takes their offer.",
        "The right to listen for them and to ask for them is missing. Two servers give one address to two computers.",
        "Start with sudo, or make sure that there is no other DHCP server on this cable.",
    )
    .caution()
}

/// Another DHCP server was heard on the network where addresses were handed out.
pub fn foreign_server(server: Ipv4Addr, card: Option<Mac>) -> Finding {
    let card = card.map(|mac| format!(" (network card {mac})")).unwrap_or_default();
    Finding::new(
        format!("{server}{card} gives addresses on this network too, so Bootwright has stopped handing them out."),
        "Two DHCP servers give one address to two computers. Computers that have an address from here keep it; new ones \
         get theirs from that server, and nothing to boot.",
        "Work beside it, or unplug it and start again.",
    )
    .remedy(Remedy::UseProxyMode)
}

/// Computers are not told that there is no IPv6 router, which they were to be.
pub fn unadvertised(reason: &str) -> Finding {
    Finding::new(
        "Computers are not told that there is no IPv6 router.",
        "Those that boot by an iPXE with IPv6 wait for one, about 13 seconds each time.",
        "Start with sudo to spare them that, or with --router-advertisement off to leave it at that.",
    )
    .with(reason)
    .caution()
}

fn list(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() { "no folder at all".to_owned() } else { names.join(", ") }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn first_host(network: ipnet::Ipv4Net) -> std::net::Ipv4Addr {
    network.hosts().next().unwrap_or(network.addr())
}

fn last_host(network: ipnet::Ipv4Net) -> std::net::Ipv4Addr {
    network.hosts().next_back().unwrap_or(network.addr())
}
