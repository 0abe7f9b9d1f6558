//! Every error has a title, a next step and the name of the thing.

use std::io;

use super::*;
use crate::boot::tree::LoaderError;
use crate::deployment::{PlanError, SaveError};
use crate::engine::Error;
use crate::image::{DiscError, Foreign};
use crate::net::ports::{Holder, Transport};
use crate::net::privilege::{PrivilegeError, Refusal};
use crate::net::socket::BindError;

fn denied() -> io::Error {
    io::ErrorKind::PermissionDenied.into()
}

fn bind(port: u16, kind: io::ErrorKind) -> Error {
    Error::Bind { interface: "eth0".into(), source: bind_error(port, kind) }
}

fn bind_error(port: u16, kind: io::ErrorKind) -> BindError {
    let holder = (kind == io::ErrorKind::AddrInUse).then(|| Holder { program: "dnsmasq".into(), pid: 7, unit: None });
    BindError { transport: Transport::Udp, port, holder, source: kind.into() }
}

fn refused(refusal: Refusal) -> Finding {
    explain_privilege(&refusal.into())
}

#[test]
fn every_sentence_names_the_thing_and_the_next_step() {
    let disc = |make: fn(std::path::PathBuf) -> DiscError| explain_disc(&make("/x/a.iso".into()));
    let foreign = |what| explain_disc(&DiscError::Foreign { path: "/x/a.iso".into(), what });
    let findings = [
        ("port 67 is held by dnsmasq (process 7)", explain(&bind(67, io::ErrorKind::AddrInUse))),
        ("port 69 on eth0 may not be opened", explain(&bind(69, io::ErrorKind::PermissionDenied))),
        ("port 80 on eth0 cannot be opened", explain(&bind(80, io::ErrorKind::AddrNotAvailable))),
        ("/x/undionly.kpxe", explain(&LoaderError { path: "/x/undionly.kpxe".into(), source: denied() }.into())),
        ("/x/loaders", explain(&Error::NoLoaders { folders: vec!["/x/loaders".into()] })),
        ("entry 9", explain(&Error::NoDefault { wanted: "9".into(), known: vec![] })),
        ("--once with one of arch", explain(&Error::NoOnce { wanted: "9".into(), known: vec!["arch".into()] })),
        ("what computers have begun", explain(&Error::Once { path: "/x".into(), source: denied() })),
        ("one of arch", explain(&Error::NoDefault { wanted: "9".into(), known: vec!["arch".into()] })),
        ("/x/files", explain(&Error::Files { path: "/x/files".into(), source: denied() })),
        ("/x/leases", explain(&Error::Leases { path: "/x/leases".into(), source: denied() })),
        ("/x/names", explain(&Error::Names { path: "/x/names".into(), source: denied() })),
        ("eth0", explain(&Error::InterfaceGone { interface: "eth0".into() })),
        ("10.0.0.1", explain(&Error::AddressGone { interface: "eth0".into(), address: [10, 0, 0, 1].into() })),
        ("task", explain(&Error::Broken("task".into()))),
        ("no file /x/a.iso", disc(|path| DiscError::Open { path, source: io::ErrorKind::NotFound.into() })),
        ("/x/a.iso may not be read", disc(|path| DiscError::Open { path, source: denied() })),
        ("/x/a.iso cannot be opened", disc(|path| DiscError::Open { path, source: io::ErrorKind::Other.into() })),
        ("/x/a.iso is not a file", disc(|path| DiscError::NotAFile { path })),
        ("/x/a.iso is empty", disc(|path| DiscError::Empty { path })),
        ("/x/a.iso is not a disc image", disc(|path| DiscError::NotAnImage { path })),
        ("/x/a.iso is a web page", foreign(Foreign::WebPage)),
        ("is packed with gzip", foreign(Foreign::Packed { format: "gzip", unpack: "gunzip" })),
        ("gunzip FILE", foreign(Foreign::Packed { format: "gzip", unpack: "gunzip" })),
        ("a VHD disk image", foreign(Foreign::Drive { format: "a VHD disk image" })),
        ("a raw copy of a CD", foreign(Foreign::RawCd)),
        ("/x/a.iso is a Windows image", foreign(Foreign::Wim)),
        ("/x/a.iso is filled with zeros", foreign(Foreign::Blank)),
        ("5.0 kB are missing", disc(|path| DiscError::Truncated { path, size: 100, missing: 5000 })),
        ("/x/a.iso is damaged", disc(|path| DiscError::Damaged { path, reason: "bad\nrecord".into() })),
        ("/x/d.toml", explain_plan(&PlanError::File { path: "/x/d.toml".into(), source: denied() })),
        ("line 3 here", explain_plan(&PlanError::Syntax { path: "/x/d.toml".into(), reason: "line 3\n  here".into() })),
        ("version 9", explain_plan(&PlanError::Newer { path: "/x/d.toml".into(), version: 9 })),
        ("--interface", explain_plan(&PlanError::NoInterface)),
        ("one of lo", explain_plan(&PlanError::UnknownInterface { name: "e".into(), known: vec!["lo".into()] })),
        ("eth0 has no IPv4", explain_plan(&PlanError::NoAddress { name: "eth0".into() })),
        ("\"5\"", explain_plan(&PlanError::RangeSyntax { text: "5".into() })),
        (
            "between 10.0.0.1 and 10.0.0.254",
            explain_plan(&PlanError::RangeOutside { range: "a-b".into(), network: "10.0.0.0/24".parse().unwrap() }),
        ),
        ("range a-a are in use", explain_plan(&PlanError::RangeCoversOwn { range: "a-a".into() })),
        ("a-b", explain_plan(&PlanError::RangeTooLarge { range: "a-b".into() })),
        ("10.0.0.1/32", explain_plan(&PlanError::NoRoom { network: "10.0.0.1/32".parse().unwrap() })),
        ("--dhcp full", explain_plan(&PlanError::RangeWithoutFull)),
        ("99999999", explain_plan(&PlanError::Timeout { seconds: 99_999_999 })),
        ("\"soon\"", explain_plan(&PlanError::Duration { text: "soon".into() })),
        ("because", explain_plan(&PlanError::Append { why: "because" })),
        ("entry arch cannot", explain_plan(&PlanError::EntryAppend { id: "arch".into(), why: "because" })),
        ("password of the menu entry arch", explain_plan(&PlanError::EntryPassword { id: "arch".into() })),
        ("entry arch twice", explain_plan(&PlanError::EntryTwice { id: "arch".into() })),
        ("/x/d.toml cannot be written", explain_save(&SaveError::Write { path: "/x/d.toml".into(), source: denied() })),
        ("path /x/a.iso", explain_save(&SaveError::NotText { path: "/x/a.iso".into() })),
        ("/x/d.toml is not a deployment", explain_save(&SaveError::WouldLose { path: "/x/d.toml".into() })),
        ("Lab already", explain_save(&SaveError::Exists { name: "Lab".into(), path: "/x/Lab.toml".into() })),
        ("no name", explain_save(&SaveError::NoName)),
        ("because", explain_save(&SaveError::Unwritable { reason: "because".into() })),
        ("BIOS", unserved(crate::boot::Platform::Bios)),
        ("ARP", unprobed()),
        ("Other DHCP servers", unguarded()),
        ("Erase it is to start by itself", locked_default("Erase it")),
        ("IPv6 router (not permitted)", unadvertised("not permitted")),
        ("rescue boots on BIOS", one_firmware("rescue", crate::image::Firmware::Bios)),
        ("--image", no_entries()),
        ("9-5", explain_plan(&PlanError::RangeReversed { range: "9-5".into() })),
        ("pkexec (policykit-1", explain_privilege(&PrivilegeError::NoPkexec)),
        ("more rights", explain_privilege(&PrivilegeError::Unsupported)),
        ("eth0", explain_privilege(&PrivilegeError::Tie { interface: "eth0".into(), source: denied() })),
        ("be started", explain_privilege(&PrivilegeError::Start(denied()))),
        ("The password was not given.", explain_privilege(&PrivilegeError::Dismissed)),
        ("opened. The", explain_privilege(&PrivilegeError::NotAuthorised { reason: String::new() })),
        ("(no agent)", explain_privilege(&PrivilegeError::NotAuthorised { reason: "no agent".into() })),
        ("(odd words)", explain_privilege(&PrivilegeError::Helper { reason: "odd\nwords".into() })),
        (
            "port 69 is held by dnsmasq (process 7)",
            explain_privilege(&PrivilegeError::Port {
                interface: "eth0".into(),
                source: bind_error(69, io::ErrorKind::AddrInUse),
            }),
        ),
        ("started by the window", explain_privilege(&PrivilegeError::ByHand)),
        ("(no JSON)", refused(Refusal::Request { reason: "no JSON".into() })),
        ("TCP port 22", refused(Refusal::Port { transport: Transport::Tcp, port: 22 })),
        ("\"e\\n\"", refused(Refusal::NoInterface { interface: "e\n".into() })),
        ("10.0.0.9", refused(Refusal::NotOwn { interface: "eth0".into(), own: [10, 0, 0, 9].into() })),
        ("8.8.8.8/24", refused(Refusal::Address { address: "8.8.8.8/24".parse().unwrap() })),
        (
            "10.0.0.1/24 already",
            refused(Refusal::Addressed { interface: "eth0".into(), present: "10.0.0.1/24".parse().unwrap() }),
        ),
        (
            "network 10.0.0.0/24",
            refused(Refusal::Overlap { interface: "eth0".into(), network: "10.0.0.0/24".parse().unwrap() }),
        ),
        ("wlan0", refused(Refusal::Kind { interface: "wlan0".into() })),
        (
            "eth0 could not be given the address 10.0.0.1/24 (ip says no)",
            refused(Refusal::Set {
                interface: "eth0".into(),
                address: "10.0.0.1/24".parse().unwrap(),
                reason: "ip says\nno".into(),
            }),
        ),
    ];
    for (name, finding) in findings {
        let sentence = finding.sentence();
        assert!(sentence.contains(name), "{name}: {sentence}");
        assert!(!finding.title.is_empty() && !finding.next_step.is_empty(), "{name}");
        assert!(finding.title.ends_with('.') && finding.next_step.ends_with('.'), "{name}: {sentence}");
        assert!(!sentence.contains('\n') && !sentence.contains('!'), "{name}: {sentence}");
    }
}
