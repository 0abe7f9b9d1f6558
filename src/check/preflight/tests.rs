//! Facts, and what is said about them.

use ipnet::Ipv4Net;

use super::*;
use crate::boot::loader::Loader;
use crate::boot::menu::tests::inspection;
use crate::check::{Subject, Verdict, blocking};
use crate::deployment::{Places, Settings};
use crate::dhcp::probe::Answer;
use crate::engine::probe::ProbeError;
use crate::net::firewall::{Judgement, Program};

/// The network card of a server.
const MAC: Mac = Mac([0, 0, 0x0c, 1, 2, 3]);
const FULL: DhcpMode = DhcpMode::Full;
const PROXY: DhcpMode = DhcpMode::Proxy;
const OFF: DhcpMode = DhcpMode::Off;

fn eth0() -> Interface {
    Interface {
        name: "eth0".into(),
        friendly_name: "eth0".into(),
        index: 2,
        kind: Kind::Wired,
        link: true,
        addresses: vec!["10.77.0.1/24".parse().unwrap()],
        mac: None,
        speed_mbps: Some(1000),
        mtu: 1500,
        gateway: None,
    }
}

fn places() -> Places {
    Places { loaders: vec![], state: "/var/state".into(), data: "/var/data".into() }
}

fn settings(mode: DhcpMode) -> Settings {
    Settings { interface: Some("eth0".into()), dhcp: Some(mode), image: vec!["/x/a.iso".into()], ..Settings::default() }
}

fn plan(settings: Settings, interface: &Interface) -> Result<Plan, PlanError> {
    settings.plan(std::slice::from_ref(interface), places())
}

fn udp(port: u16, state: State) -> PortState {
    PortState { transport: Transport::Udp, port, state }
}

fn tcp(port: u16, state: State) -> PortState {
    PortState { transport: Transport::Tcp, port, state }
}

fn dnsmasq() -> State {
    State::Held(Some(Holder { program: "dnsmasq".into(), pid: 7, unit: None }))
}

fn answered(servers: &[[u8; 4]]) -> Probe {
    Probe::Answered(servers.iter().map(|&server| Answer::from_server(server.into())).collect())
}

fn passage() -> Passage {
    Passage::of("eth0", &[(Transport::Udp, 67), (Transport::Udp, 69), (Transport::Tcp, 80)])
}

/// A firewall that does this, and what is to be done about it.
fn firewall(judgement: Option<Judgement>, wanted: Firewall) -> Facts {
    let look = Look { program: Some(Program::Ufw), judgement };
    with(FULL, |facts| facts.firewall = Some((look, passage(), wanted)))
}

/// A server that says what to boot.
fn boots(mac: Option<Mac>) -> Probe {
    let answer = Answer::from_server([10, 77, 0, 9].into());
    Probe::Answered(vec![Answer { mac, boot_file: Some("pxelinux.0".into()), ..answer }])
}

/// All is well, this way of serving.
fn good(mode: DhcpMode) -> Facts {
    let dhcp = [udp(67, State::Free), udp(4011, State::Free)].into_iter().filter(|_| mode != OFF);
    Facts {
        interface: Some(eth0()),
        proposal: "10.77.0.1/24".parse().unwrap(),
        mode,
        plan: plan(settings(mode), &eth0()),
        ports: dhcp.chain([udp(69, State::Free), tcp(80, State::Free)]).collect(),
        rights: Rights::Present,
        firewall: Some((Look::NONE, passage(), Firewall::Leave)),
        loaders: Loaders::of(Loader::ALL),
        images: vec![("/x/a.iso".into(), Ok(inspection("/x/a.iso", "arch", &[""])))],
        probe: match mode {
            FULL => Probe::Nobody,
            PROXY => answered(&[[10, 77, 0, 254]]),
            OFF => boots(None),
        },
        vendors: BTreeMap::from([(MAC, "Made Up, Inc".into())]),
        around: Around::default(),
        answers: None,
        published: Vec::new(),
        state: Ok(()),
        files: Ok(()),
    }
}

fn with(mode: DhcpMode, change: impl FnOnce(&mut Facts)) -> Facts {
    let mut facts = good(mode);
    change(&mut facts);
    facts
}

fn on(mode: DhcpMode, change: impl FnOnce(&mut Interface)) -> Facts {
    let mut interface = eth0();
    change(&mut interface);
    with(mode, |facts| {
        facts.plan = plan(settings(mode), &interface);
        facts.interface = Some(interface);
    })
}

fn set(mode: DhcpMode, change: impl FnOnce(&mut Settings)) -> Facts {
    let mut settings = settings(mode);
    change(&mut settings);
    with(mode, |facts| facts.plan = plan(settings, &eth0()))
}

fn ports_of(mode: DhcpMode, ports: &[PortState]) -> Facts {
    with(mode, |facts| facts.ports = ports.to_vec())
}

fn images(images: Vec<(PathBuf, Result<Inspection, Arc<DiscError>>)>) -> Facts {
    with(FULL, |facts| facts.images = images)
}

fn cut_off(path: &str) -> (PathBuf, Result<Inspection, Arc<DiscError>>) {
    let error = DiscError::Truncated { path: path.into(), size: 100, missing: 5000 };
    (path.into(), Err(Arc::new(error)))
}

fn readable(
    path: &str,
    suffixes: &[&str],
    change: impl FnOnce(&mut Inspection),
) -> (PathBuf, Result<Inspection, Arc<DiscError>>) {
    let mut found = inspection(path, "arch", suffixes);
    change(&mut found);
    (path.into(), Ok(found))
}

fn memory(mib: u64) -> impl FnOnce(&mut Inspection) {
    move |found| found.entries.iter_mut().for_each(|entry| entry.min_ram_mb = Some(mib))
}

/// Facts, and a finding that there must be.
struct Case {
    facts: Facts,
    verdict: Verdict,
    subject: Subject,
    title: &'static str,
    remedy: Option<Remedy>,
}

fn pass(facts: Facts, subject: Subject, title: &'static str) -> Case {
    Case { facts, verdict: Verdict::Pass, subject, title, remedy: None }
}

fn caution(facts: Facts, subject: Subject, title: &'static str) -> Case {
    Case { facts, verdict: Verdict::Caution, subject, title, remedy: None }
}

fn blocks(facts: Facts, subject: Subject, title: &'static str) -> Case {
    Case { facts, verdict: Verdict::Blocks, subject, title, remedy: None }
}

impl Case {
    fn remedy(self, remedy: Remedy) -> Case {
        Case { remedy: Some(remedy), ..self }
    }
}

fn this_computer_cases() -> Vec<Case> {
    use Subject::ThisComputer as Here;
    let http = |port| move |settings: &mut Settings| settings.http_port = Some(port);
    let chosen = |port, ports: &[PortState]| Facts { ports: ports.to_vec(), ..set(FULL, http(port)) };
    let broken = |facts: Facts| Facts { plan: Err(PlanError::RangeWithoutFull), ..facts };
    let unkept = |mode| with(mode, |facts| facts.state = Err(("/var/state".into(), "read-only".into())));
    let elsewhere = |settings: &mut Settings| settings.lease_file = Some("/srv/leases.json".into());
    let loaders = |loaders: &[Loader]| with(FULL, |facts| facts.loaders = Loaders::of(loaders.iter().copied()));
    let service =
        |name: &str| State::Held(Some(Holder { program: name.into(), pid: 7, unit: Some(format!("{name}.service")) }));
    let held_by = |name: &str| State::Held(Some(Holder { program: name.into(), pid: 7, unit: None }));
    vec![
        pass(good(FULL), Here, "The ports 67, 69, 80 and 4011 are free."),
        pass(good(OFF), Here, "The ports 69 and 80 are free."),
        pass(ports_of(FULL, &[udp(67, State::Free), udp(69, dnsmasq())]), Here, "The port 67 is free."),
        blocks(ports_of(FULL, &[udp(67, dnsmasq())]), Here, "UDP port 67 is held by dnsmasq (process 7)."),
        blocks(ports_of(PROXY, &[udp(67, dnsmasq())]), Here, "UDP port 67 is held by dnsmasq (process 7)."),
        blocks(ports_of(PROXY, &[udp(4011, State::Held(None))]), Here, "UDP port 4011 is held by another program."),
        blocks(ports_of(PROXY, &[udp(67, service("dnsmasq"))]), Here, "UDP port 67 is held by dnsmasq (process 7).")
            .remedy(Remedy::StopService("dnsmasq.service".into())),
        blocks(ports_of(OFF, &[udp(69, held_by("a\nb"))]), Here, "UDP port 69 is held by a·b (process 7)."),
        pass(
            ports_of(OFF, &[udp(67, dnsmasq()), udp(4011, dnsmasq()), udp(69, State::Free)]),
            Here,
            "The port 69 is free.",
        ),
        caution(ports_of(FULL, &[tcp(80, dnsmasq())]), Here, "TCP port 80 is held by dnsmasq (process 7)."),
        caution(
            ports_of(FULL, &[tcp(80, State::Held(None)), tcp(8080, State::Free)]),
            Here,
            "TCP port 80 is held by another program.",
        ),
        blocks(
            ports_of(FULL, &[tcp(80, dnsmasq()), tcp(8080, State::Held(None))]),
            Here,
            "TCP port 80 is held by dnsmasq (process 7), and port 8080 cannot be opened either.",
        )
        .remedy(Remedy::UseHttpPort(8000)),
        pass(ports_of(FULL, &[tcp(80, State::Free), tcp(8080, dnsmasq())]), Here, "The port 80 is free."),
        blocks(chosen(80, &[tcp(80, dnsmasq())]), Here, "TCP port 80 is held by dnsmasq (process 7).")
            .remedy(Remedy::UseHttpPort(8080)),
        blocks(chosen(8080, &[tcp(8080, dnsmasq())]), Here, "TCP port 8080 is held by dnsmasq (process 7).")
            .remedy(Remedy::UseHttpPort(8000)),
        blocks(broken(chosen(9000, &[tcp(9000, dnsmasq())])), Here, "TCP port 9000 is held by dnsmasq (process 7).")
            .remedy(Remedy::UseHttpPort(8080)),
        caution(broken(chosen(80, &[tcp(80, dnsmasq())])), Here, "TCP port 80 is held by dnsmasq (process 7)."),
        blocks(
            ports_of(FULL, &[udp(69, State::Other("no such device".into()))]),
            Here,
            "UDP port 69 cannot be opened.",
        ),
        blocks(ports_of(FULL, &[tcp(80, State::Other("odd".into()))]), Here, "TCP port 80 cannot be opened."),
        pass(good(FULL), Here, "No firewall was found that keeps computers out."),
        pass(firewall(Some(Judgement::Passes), Firewall::Leave), Here, "The firewall (ufw) lets computers in on eth0."),
        blocks(
            firewall(Some(Judgement::Dropped), Firewall::Leave),
            Here,
            "The firewall (ufw) keeps computers out on eth0.",
        )
        .remedy(Remedy::OpenFirewall),
        caution(
            firewall(Some(Judgement::Unclear), Firewall::Leave),
            Here,
            "The firewall (ufw) may keep computers out on eth0.",
        )
        .remedy(Remedy::OpenFirewall),
        caution(
            firewall(None, Firewall::Leave),
            Here,
            "There is a firewall (ufw), and whether it lets computers in on eth0 is not known.",
        )
        .remedy(Remedy::OpenFirewall),
        pass(
            firewall(None, Firewall::Open),
            Here,
            "The firewall (ufw) is opened on eth0 while serving, and closed again after it.",
        )
        .remedy(Remedy::LeaveFirewall),
        pass(good(FULL), Here, "This computer may open the ports."),
        pass(
            with(FULL, |facts| facts.rights = Rights::Asked),
            Here,
            "Starting asks for your password once: ports below 1024 belong to the system.",
        ),
        blocks(
            with(FULL, |facts| facts.rights = Rights::Missing),
            Here,
            "Bootwright may not open the ports for booting computers.",
        ),
        pass(good(FULL), Here, "Settings and given addresses are kept."),
        blocks(unkept(FULL), Here, "/var/state cannot be written to."),
        blocks(broken(unkept(FULL)), Here, "/var/state cannot be written to."),
        caution(unkept(PROXY), Here, "/var/state cannot be written to."),
        caution(Facts { plan: set(FULL, elsewhere).plan, ..unkept(FULL) }, Here, "/var/state cannot be written to."),
        pass(good(FULL), Here, "Boot loaders for BIOS and UEFI x64 computers are there."),
        blocks(loaders(&[]), Here, "There are no boot loaders on this computer."),
        caution(loaders(&[Loader::IpxeX64]), Here, "There is no boot loader for BIOS computers."),
        caution(loaders(&[Loader::Undionly]), Here, "There is no boot loader for UEFI x64 computers."),
        blocks(
            set(FULL, |settings| settings.loaders = Some("/own".into())),
            Here,
            "There are no boot loaders in /own.",
        ),
    ]
}

fn network_cases() -> Vec<Case> {
    use Subject::Network as Net;
    let gone = |error| with(FULL, |facts| (facts.interface, facts.plan) = (None, Err(error)));
    let kind = |kind| on(FULL, move |interface| interface.kind = kind);
    let speed = |mbps| on(FULL, move |interface| interface.speed_mbps = Some(mbps));
    let bare = |kind| {
        on(FULL, move |interface| {
            interface.kind = kind;
            interface.addresses.clear();
        })
    };
    let unplugged = |kind| on(FULL, move |interface| (interface.kind, interface.link) = (kind, false));
    let probe = |mode, probe| with(mode, |facts| facts.probe = probe);
    let unable = || Probe::Unable(ProbeError::NoRights);
    let proposal: Ipv4Net = "10.77.0.1/24".parse().unwrap();
    let range = |text: &'static str| set(FULL, move |settings| settings.range = Some(text.into()));
    vec![
        blocks(gone(PlanError::UnknownInterface { name: "eth0".into(), known: vec![] }), Net, "eth0 is not there."),
        blocks(with(FULL, |facts| facts.interface = None), Net, "eth0 is not there."),
        blocks(gone(PlanError::NoInterface), Net, "No network is chosen."),
        blocks(gone(PlanError::NoAddress { name: "eth0".into() }), Net, "eth0 has no IPv4 address."),
        pass(good(FULL), Net, "eth0 is connected with 1 Gbit/s."),
        pass(speed(2500), Net, "eth0 is connected with 2.5 Gbit/s."),
        pass(on(FULL, |interface| interface.speed_mbps = None), Net, "eth0 is connected."),
        caution(speed(100), Net, "eth0 is connected with 100 Mbit/s only."),
        caution(speed(10), Net, "eth0 is connected with 10 Mbit/s only."),
        pass(
            on(FULL, |interface| (interface.kind, interface.speed_mbps) = (Kind::Virtual, Some(10))),
            Net,
            "eth0 is connected.",
        ),
        caution(unplugged(Kind::Wired), Net, "eth0 has no link."),
        caution(unplugged(Kind::Wifi), Net, "eth0 has no link."),
        caution(unplugged(Kind::Bridge), Net, "eth0 has no link."),
        caution(kind(Kind::Wifi), Net, "eth0 is Wi-Fi."),
        caution(kind(Kind::Vpn), Net, "eth0 is a tunnel to another network."),
        caution(kind(Kind::Bridge), Net, "eth0 is a bridge."),
        caution(kind(Kind::Virtual), Net, "eth0 is made by software."),
        caution(kind(Kind::Loopback), Net, "eth0 is this computer itself."),
        caution(
            on(FULL, |interface| (interface.kind, interface.friendly_name) = (Kind::Wifi, "WLAN\u{202e} 2".into())),
            Net,
            "WLAN· 2 is Wi-Fi.",
        ),
        pass(good(FULL), Net, "This computer is 10.77.0.1 on eth0."),
        blocks(bare(Kind::Wired), Net, "eth0 has no address.").remedy(Remedy::SetAddress(proposal)),
        blocks(bare(Kind::Virtual), Net, "eth0 has no address.").remedy(Remedy::SetAddress(proposal)),
        blocks(bare(Kind::Wifi), Net, "eth0 has no address."),
        blocks(range("10.77.0.9-10.77.0.5"), Net, "The range 10.77.0.9-10.77.0.5 ends before it begins."),
        pass(good(FULL), Net, "Addresses 10.77.0.128 to 10.77.0.254 are handed out: 127 computers."),
        pass(range("10.77.0.1-10.77.0.6"), Net, "Addresses 10.77.0.1 to 10.77.0.6 are handed out: 5 computers."),
        caution(range("10.77.0.1-10.77.0.5"), Net, "Addresses 10.77.0.1 to 10.77.0.5 are handed out: 4 computers."),
        caution(range("10.77.0.5-10.77.0.5"), Net, "The address 10.77.0.5 is handed out: 1 computer."),
        caution(probe(FULL, answered(&[[10, 77, 0, 9]])), Net, "10.77.0.9 gives addresses on eth0.")
            .remedy(Remedy::UseProxyMode),
        caution(
            probe(FULL, answered(&[[10, 77, 0, 9], [10, 77, 0, 8], [10, 77, 0, 9]])),
            Net,
            "10.77.0.8 and 10.77.0.9 give addresses on eth0.",
        )
        .remedy(Remedy::UseProxyMode),
        pass(probe(FULL, Probe::Nobody), Net, "Nobody answered as a DHCP server on eth0."),
        caution(probe(FULL, unable()), Net, "Nobody could be asked whether there is a DHCP server on eth0."),
        caution(
            Facts { probe: unable(), ..on(FULL, |interface| interface.gateway = Some([10, 77, 0, 254].into())) },
            Net,
            "eth0 uses the router 10.77.0.254, which usually gives addresses. It could not be asked.",
        )
        .remedy(Remedy::UseProxyMode),
        caution(probe(PROXY, Probe::Nobody), Net, "Nobody gives addresses on eth0, so computers would get none.")
            .remedy(Remedy::UseFullMode),
        caution(probe(PROXY, answered(&[])), Net, "Nobody gives addresses on eth0, so computers would get none.")
            .remedy(Remedy::UseFullMode),
        pass(probe(PROXY, answered(&[[10, 77, 0, 9]])), Net, "10.77.0.9 gives addresses on eth0."),
        caution(probe(PROXY, unable()), Net, "Nobody could be asked whether there is a DHCP server on eth0."),
        caution(probe(OFF, Probe::Nobody), Net, "Nobody gives addresses on eth0, and nobody says what to boot.")
            .remedy(Remedy::UseFullMode),
        caution(probe(OFF, unable()), Net, "Nobody could be asked whether there is a DHCP server on eth0."),
        caution(probe(OFF, answered(&[[10, 77, 0, 9]])), Net, "10.77.0.9 gives addresses on eth0.")
            .remedy(Remedy::UseProxyMode),
        pass(probe(OFF, boots(None)), Net, "10.77.0.9 gives addresses on eth0. It says what to boot: pxelinux.0."),
        pass(
            probe(PROXY, boots(Some(MAC))),
            Net,
            "10.77.0.9 (00:00:0c:01:02:03, Made Up, Inc) gives addresses on eth0.",
        ),
        pass(
            probe(PROXY, boots(Some(Mac([2, 0, 0, 0, 0, 1])))),
            Net,
            "10.77.0.9 (02:00:00:00:00:01) gives addresses on eth0.",
        ),
        caution(probe(PROXY, boots(None)), Net, "10.77.0.9 also hands out the boot file pxelinux.0."),
        caution(probe(FULL, boots(None)), Net, "10.77.0.9 also hands out the boot file pxelinux.0."),
    ]
}

fn file_cases() -> Vec<Case> {
    use Subject::Files;
    let plain = |path: &str| readable(path, &[""], |_| {});
    let warned = |suffixes: &[&str]| readable("/x/a.iso", suffixes, |found| found.warnings = vec!["Old\u{1b}.".into()]);
    let default = |wanted: &'static str| set(FULL, move |settings| settings.default_entry = Some(wanted.into()));
    let folder = || set(FULL, |settings| settings.files = Some("/x/files".into()));
    let hidden = || crate::boot::menu::Edit { id: "arch".into(), hidden: true, ..Default::default() };
    let gone = |facts: &mut Facts| facts.files = Err(("/x/files".into(), "not found".into()));
    vec![
        pass(good(FULL), Files, "1 image can be read."),
        pass(images(vec![plain("/x/a.iso"), plain("/x/b.iso"), cut_off("/x/c.iso")]), Files, "2 images can be read."),
        blocks(
            images(vec![plain("/x/a.iso"), cut_off("/x/c.iso")]),
            Files,
            "/x/c.iso is cut off: it has 100 bytes and 5.0 kB are missing.",
        )
        .remedy(Remedy::RemoveImage("/x/c.iso".into())),
        caution(
            images(vec![readable("/x/a.iso", &[], |_| {})]),
            Files,
            "a.iso has nothing that can be started over a network.",
        )
        .remedy(Remedy::RemoveImage("/x/a.iso".into())),
        caution(images(vec![warned(&[])]), Files, "a.iso has nothing that can be started over a network.")
            .remedy(Remedy::RemoveImage("/x/a.iso".into())),
        caution(images(vec![warned(&[""])]), Files, "There is something to know about a.iso."),
        caution(images(vec![]), Files, "The menu is empty: it offers each computer its own disk only."),
        caution(
            with(FULL, |facts| (facts.images, facts.plan) = (vec![], Err(PlanError::RangeWithoutFull))),
            Files,
            "The menu is empty: it offers each computer its own disk only.",
        ),
        caution(
            set(FULL, |settings| settings.entry = vec![hidden()]),
            Files,
            "The menu is empty: it offers each computer its own disk only.",
        ),
        blocks(default("debian"), Files, "The menu has no entry debian, which is to start by itself."),
        pass(
            images(vec![
                readable("/x/a.iso", &[""], memory(1024)),
                readable("/x/b.iso", &[""], |found| {
                    memory(2048)(found);
                    found.recognised = None;
                    found.volume_label = Some("Debian Live 12".into());
                }),
            ]),
            Files,
            "Computers need 2.0 GB of memory for Debian Live 12.",
        ),
        pass(folder(), Files, "The folder /x/files can be read."),
        blocks(
            {
                let mut facts = folder();
                gone(&mut facts);
                facts
            },
            Files,
            "The folder /x/files cannot be read.",
        ),
    ]
}

fn cases() -> Vec<Case> {
    [this_computer_cases(), network_cases(), file_cases()].into_iter().flatten().collect()
}

#[test]
fn every_fact_is_judged() {
    for Case { facts, verdict, subject, title, remedy } in cases() {
        let findings = preflight(&facts);
        let same: Vec<&Finding> = findings.iter().filter(|finding| finding.title == title).collect();
        let [finding] = same.as_slice() else { panic!("{title}: {} times in {findings:#?}", same.len()) };
        assert_eq!((finding.verdict, finding.subject, &finding.remedy), (verdict, subject, &remedy), "{title}");
    }
}

#[test]
fn one_trouble_blocks_once_and_a_caution_does_not() {
    for Case { facts, verdict, title, .. } in cases() {
        let findings = preflight(&facts);
        let expected = match (&facts.plan, verdict) {
            // Cases that need a plan that cannot be made have that beside what they are about.
            (Err(PlanError::RangeWithoutFull), _) | (_, Verdict::Pass) => continue,
            (_, Verdict::Caution) => 0,
            (_, Verdict::Blocks) => 1,
        };
        assert_eq!(blocking(&findings), expected, "{title}: {findings:#?}");
    }
}

#[test]
fn what_is_not_as_it_should_be_has_a_meaning_and_a_next_step() {
    for finding in cases().iter().flat_map(|case| preflight(&case.facts)) {
        let Finding { title, meaning, next_step, .. } = &finding;
        let text = finding.sentence();
        assert!(title.ends_with('.') && title.len() > 5, "{text}");
        for word in ["!", "invalid", "sorry", "\n", "  ", "\u{1b}", "\u{202e}"] {
            assert!(!text.contains(word), "{word:?}: {text}");
        }
        if finding.verdict == Verdict::Pass {
            let undoes = matches!(finding.remedy, None | Some(Remedy::LeaveFirewall));
            assert!(meaning.is_empty() && next_step.is_empty() && undoes, "{text}");
        } else {
            // The words of `explain_disc` and `explain_plan` leave a meaning out where the title has it already.
            assert!(next_step.ends_with('.'), "{text}");
        }
    }
}

#[test]
fn a_good_computer_passes_with_everything_told() {
    for (mode, passes) in [(FULL, 10), (PROXY, 9), (OFF, 9)] {
        let findings = preflight(&good(mode));
        assert_eq!((blocking(&findings), findings.len()), (0, passes), "{findings:#?}");
        assert!(findings.iter().all(|finding| finding.verdict == Verdict::Pass), "{findings:#?}");
        assert!(findings.is_sorted_by_key(|finding| finding.subject), "one subject after the other");
    }
}

#[test]
fn what_nobody_could_find_out_is_not_told() {
    // Without an interface nothing was opened and nobody was asked, so there is nothing to say but that.
    let facts = with(FULL, |facts| {
        facts.interface = None;
        facts.plan = Err(PlanError::UnknownInterface { name: "eth0".into(), known: vec![] });
        facts.ports = vec![];
        facts.rights = Rights::Missing;
    });
    let findings = preflight(&facts);
    assert_eq!(blocking(&findings), 1, "{findings:#?}");
    assert_eq!(findings.iter().filter(|finding| finding.subject == Subject::Network).count(), 1, "{findings:#?}");
    // Without an address the plan's own words would be the same once more.
    let bare = Interface { addresses: vec![], ..eth0() };
    let facts = with(PROXY, |facts| {
        facts.plan = plan(settings(PROXY), &bare);
        facts.interface = Some(bare);
        facts.ports = vec![];
        facts.rights = Rights::Missing;
    });
    assert_eq!(blocking(&preflight(&facts)), 1, "{:#?}", preflight(&facts));
    // Nobody answers on a cable that is not plugged in.
    let facts = with(PROXY, |facts| {
        facts.interface = Some(Interface { link: false, ..eth0() });
        facts.probe = Probe::Nobody;
    });
    let said = preflight(&facts);
    assert!(!said.iter().any(|finding| finding.title.starts_with("Nobody")), "{said:#?}");
}

#[test]
fn what_is_not_needed_is_in_nobodys_way() {
    let off = ports_of(OFF, &[udp(67, dnsmasq()), udp(4011, dnsmasq()), udp(69, State::Free)]);
    assert!(preflight(&off).iter().all(|finding| finding.verdict == Verdict::Pass), "{:#?}", preflight(&off));
    let reserve = ports_of(FULL, &[tcp(80, State::Free), tcp(8080, dnsmasq())]);
    assert!(preflight(&reserve).iter().all(|finding| finding.verdict == Verdict::Pass), "{:#?}", preflight(&reserve));
}

#[test]
fn an_image_without_entries_is_told_once() {
    let findings = preflight(&images(vec![readable("/x/a.iso", &[], |found| found.warnings = vec!["Old.".into()])]));
    let open: Vec<&Finding> = findings.iter().filter(|finding| finding.verdict != Verdict::Pass).collect();
    assert!(matches!(open.as_slice(), [one] if one.meaning == "Old."), "{open:#?}");
}

#[test]
fn what_can_be_done_is_said_in_peoples_words() {
    let labels = [
        (Remedy::UseProxyMode, "Work beside it"),
        (Remedy::UseFullMode, "Hand out addresses"),
        (Remedy::SetAddress("10.77.0.1/24".parse().unwrap()), "Set 10.77.0.1/24"),
        (Remedy::RemoveImage("/x/a.iso".into()), "Take it out"),
        (Remedy::UseHttpPort(8080), "Use port 8080"),
        (Remedy::OpenFirewall, "Open it while serving"),
        (Remedy::LeaveFirewall, "Leave it alone"),
        (Remedy::StopService("dnsmasq.service".into()), "Stop dnsmasq while serving"),
    ];
    for (remedy, label) in labels {
        assert_eq!(remedy.label(), label);
    }
}

#[test]
fn a_finding_is_written_as_json() {
    let finding = explain_disc(&DiscError::Empty { path: "/x/a.iso".into() });
    let json = serde_json::to_value(finding.remedy(Remedy::RemoveImage("/x/a.iso".into()))).unwrap();
    assert_eq!(json["subject"], "files");
    assert_eq!(json["verdict"], "blocks");
    assert_eq!(json["remedy"]["remove-image"], "/x/a.iso");
    let other = serde_json::to_value(say::may_open()).unwrap();
    assert_eq!((&other["subject"], &other["verdict"]), (&"this-computer".into(), &"pass".into()));
    assert_eq!(serde_json::to_value(Remedy::UseHttpPort(80)).unwrap()["use-http-port"], 80);
}
