//! The server as a timeline: packets in, answers out, with the time passed by hand.

use super::*;
use crate::dhcp::message::tests::packet;

pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
pub(crate) const NETWORK: Ipv4Net = Ipv4Net::new_assert(SERVER, 24);
const FROM: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
const PXE: (u8, &[u8]) = (60, b"PXEClient:Arch:00000:UNDI:002001");

/// Every network-booting client gets one file.
pub(crate) struct Script;

impl Policy for Script {
    fn boot(&self, client: &pxe::Client) -> Result<pxe::Boot, NoBoot> {
        let boot = pxe::Boot { file: "script.efi".into(), why: "test".into() };
        client.class.map(|_| boot).ok_or(NoBoot::NotAsked)
    }
}

/// There are no boot files.
struct Nothing;

impl Policy for Nothing {
    fn boot(&self, _client: &pxe::Client) -> Result<pxe::Boot, NoBoot> {
        Err(NoBoot::Because("there are none".into()))
    }
}

/// An option of a packet that we sent.
pub(crate) fn option(bytes: &[u8], code: u8) -> Option<Vec<u8>> {
    pxe::sub_options(&bytes[240..]).find(|(found, _)| *found == code).map(|(_, value)| value.to_vec())
}

fn ip(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, last)
}

struct Lab {
    server: Server,
    now: Instant,
}

impl Lab {
    fn new(first: u8, last: u8, probe: bool) -> Lab {
        let range = Range { first: ip(first), last: ip(last) };
        let guests = Guests::default();
        let (excluded, beside) = (BTreeSet::from([ip(102)]), BTreeSet::new());
        let config = Config { server: SERVER, network: NETWORK, range, excluded, guests, probe, beside };
        let now = Instant::now();
        Lab { server: Server::new(config, now, SystemTime::now(), &[]), now }
    }

    fn ask(&mut self, client: u8, kind: u8, options: &[(u8, &[u8])]) -> Outputs {
        self.ask_from(client, kind, [0; 4], options)
    }

    fn ask_from(&mut self, client: u8, kind: u8, ciaddr: [u8; 4], options: &[(u8, &[u8])]) -> Outputs {
        let mut bytes = packet(kind, options);
        bytes[33] = client;
        bytes[12..16].copy_from_slice(&ciaddr);
        self.server.handle(self.now, &bytes, FROM, &Script)
    }

    /// DISCOVER and REQUEST; the address that was granted.
    fn lease(&mut self, client: u8) -> Ipv4Addr {
        let offered = yiaddr(&self.ask(client, 1, &[]));
        let granted = self.ask(client, 3, &[(54, &SERVER.octets()), (50, &offered.octets())]);
        assert_eq!(kind(&granted), Some(5));
        assert_eq!(yiaddr(&granted), offered);
        offered
    }
}

fn kind(out: &Outputs) -> Option<u8> {
    option(&out.send.first()?.bytes, 53).map(|kind| kind[0])
}

fn last(out: &Outputs) -> Option<&Note> {
    out.notes.last().map(|(_, note)| note)
}

fn yiaddr(out: &Outputs) -> Ipv4Addr {
    let octets: [u8; 4] = out.send[0].bytes[16..20].try_into().unwrap();
    octets.into()
}

#[test]
fn discover_and_request_lead_to_a_lease() {
    let mut lab = Lab::new(100, 110, false);
    let offer = lab.ask(1, 1, &[]);
    assert_eq!((kind(&offer), yiaddr(&offer)), (Some(2), ip(100)));
    let sent = &offer.send[0];
    assert_eq!(sent.to, EVERYBODY);
    assert_eq!(option(&sent.bytes, 54), Some(SERVER.octets().to_vec()));
    assert_eq!(option(&sent.bytes, 1), Some(vec![255, 255, 255, 0]));
    let seconds = |code| u32::from_be_bytes(option(&sent.bytes, code).unwrap().try_into().unwrap());
    assert!(0 < seconds(58) && seconds(58) < seconds(59) && seconds(59) < seconds(51));
    for absent in [50, 55, 57, 60, 43, 82] {
        assert_eq!(option(&sent.bytes, absent), None, "option {absent}");
    }
    assert!(!offer.leases_changed);
    let grant = lab.ask(1, 3, &[(54, &SERVER.octets()), (50, &ip(100).octets())]);
    assert_eq!((kind(&grant), yiaddr(&grant), grant.leases_changed), (Some(5), ip(100), true));
    let again = lab.ask(1, 3, &[(54, &SERVER.octets()), (50, &ip(100).octets())]);
    assert_eq!(kind(&again), Some(5), "a repeated REQUEST is granted again");
}

#[test]
fn a_booting_client_gets_its_file_in_every_place() {
    let mut lab = Lab::new(100, 110, false);
    let out = lab.ask(1, 1, &[PXE, (77, b"iPXE"), (55, &[66, 150])]);
    let sent = &out.send[0].bytes;
    assert_eq!(sent[20..24], SERVER.octets());
    assert_eq!(&sent[44..53], b"10.77.0.1");
    assert_eq!(&sent[108..119], b"script.efi\0");
    assert_eq!(option(sent, 67).as_deref(), Some(b"script.efi\0".as_slice()));
    assert_eq!(option(sent, 66).as_deref(), Some(b"10.77.0.1".as_slice()));
    assert_eq!(option(sent, 150), Some(SERVER.octets().to_vec()));
    assert_eq!(option(sent, 60).as_deref(), Some(b"PXEClient".as_slice()));
    assert_eq!(option(sent, 43), Some(pxe::TAKE_THIS_OFFER.to_vec()));
    assert_eq!(option(sent, 175), Some(pxe::NO_PROXY_WAIT.to_vec()));
    assert!(sent.len() <= 1472);
    let plain = lab.ask(2, 1, &[PXE]);
    assert_eq!(option(&plain.send[0].bytes, 175), None, "only iPXE sees 175");
    let other = lab.server.handle(lab.now, &packet(1, &[PXE]), FROM, &Nothing);
    assert_eq!((kind(&other), last(&other)), (Some(2), Some(&Note::NoBootFile { reason: "there are none".into() })));
    let http = lab.ask(3, 1, &[(60, b"HTTPClient:Arch:00016:UNDI:003000")]);
    assert_eq!(option(&http.send[0].bytes, 60).as_deref(), Some(b"HTTPClient".as_slice()));
    assert_eq!(option(&http.send[0].bytes, 43), None);
}

#[test]
fn selecting_another_server_frees_the_offer() {
    let mut lab = Lab::new(100, 100, false);
    lab.server.config.beside.insert(ip(254));
    lab.ask(1, 1, &[]);
    let out = lab.ask(1, 3, &[(54, &[10, 77, 0, 254]), (50, &ip(100).octets())]);
    assert!(out.send.is_empty());
    assert_eq!(out.notes.get(1).map(|(_, note)| note), Some(&Note::ChoseOther { server: ip(254) }));
    assert_eq!(yiaddr(&lab.ask(2, 1, &[])), ip(100));
}

#[test]
fn nobody_gets_what_another_has() {
    let mut lab = Lab::new(100, 110, false);
    let taken = lab.lease(1);
    let cases: [(&str, [u8; 4], Vec<(u8, Vec<u8>)>); 4] = [
        ("selecting", [0; 4], vec![(54, SERVER.octets().into()), (50, taken.octets().into())]),
        ("init-reboot", [0; 4], vec![(50, taken.octets().into())]),
        ("renewing", taken.octets(), vec![]),
        ("discover", [0; 4], vec![]),
    ];
    for (name, ciaddr, options) in cases {
        let options: Vec<(u8, &[u8])> = options.iter().map(|(code, value)| (*code, value.as_slice())).collect();
        let out = if name == "discover" {
            lab.ask(2, 1, &[(50, &taken.octets())])
        } else {
            lab.ask_from(2, 3, ciaddr, &options)
        };
        match kind(&out) {
            Some(6) => assert_eq!(out.send[0].to, EVERYBODY, "{name}: a NAK is broadcast"),
            Some(2) => assert_ne!(yiaddr(&out), taken, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_nak_says_only_what_it_may() {
    let mut lab = Lab::new(100, 110, false);
    let out = lab.ask(1, 3, &[(50, &[192, 168, 1, 5])]);
    let sent = &out.send[0];
    assert_eq!(kind(&out), Some(6));
    assert_eq!(sent.bytes[16..20], [0; 4]);
    assert_eq!(option(&sent.bytes, 51), None);
    assert_eq!(option(&sent.bytes, 54), Some(SERVER.octets().to_vec()));
    assert_eq!(last(&out), Some(&Note::Refused { address: [192, 168, 1, 5].into(), reason: Refusal::WrongNetwork }));
}

#[test]
fn a_client_of_another_server_is_left_alone() {
    let mut lab = Lab::new(100, 110, false);
    for (name, ciaddr, options) in [
        ("init-reboot in our network", [0; 4], vec![(50u8, [10, 77, 0, 20])]),
        ("renewing", [10, 77, 0, 20], vec![]),
        ("renewing inside the range", [10, 77, 0, 105], vec![]),
    ] {
        let options: Vec<(u8, &[u8])> = options.iter().map(|(code, value)| (*code, value.as_slice())).collect();
        assert!(lab.ask_from(1, 3, ciaddr, &options).send.is_empty(), "{name}");
    }
}

#[test]
fn renewing_is_answered_to_the_client_itself_and_lasts_longer() {
    let mut lab = Lab::new(100, 110, false);
    let own = lab.lease(1);
    let out = lab.ask_from(1, 3, own.octets(), &[]);
    assert_eq!(out.send[0].to, SocketAddrV4::new(own, 68));
    assert_eq!(kind(&out), Some(5));
    assert_eq!(option(&out.send[0].bytes, 51), Some((LEASE.as_secs() as u32).to_be_bytes().to_vec()));
    let reboot = lab.ask(1, 3, &[(50, &own.octets())]);
    assert_eq!((kind(&reboot), yiaddr(&reboot)), (Some(5), own));
    let wrong = lab.ask(1, 3, &[(50, &ip(107).octets())]);
    assert_eq!(last(&wrong), Some(&Note::Refused { address: ip(107), reason: Refusal::NotYours }));
}

#[test]
fn only_the_rightful_client_declines_and_releases() {
    let mut lab = Lab::new(100, 110, false);
    let own = lab.lease(1);
    lab.ask(2, 4, &[(50, &own.octets()), (54, &SERVER.octets())]);
    lab.ask_from(2, 7, own.octets(), &[(54, &SERVER.octets())]);
    assert_eq!(yiaddr(&lab.ask(1, 1, &[])), own, "a stranger changed nothing");
    let out = lab.ask(1, 4, &[(50, &own.octets()), (54, &SERVER.octets())]);
    assert_eq!(last(&out), Some(&Note::Declined { address: own }));
    assert_ne!(yiaddr(&lab.ask(1, 1, &[])), own, "declined addresses rest");
    let next = lab.lease(3);
    let out = lab.ask_from(3, 7, next.octets(), &[(54, &SERVER.octets())]);
    assert_eq!(last(&out), Some(&Note::Released { address: next }));
    assert_eq!(yiaddr(&lab.ask(3, 1, &[])), next, "and comes back to its client");
}

#[test]
fn inform_is_answered_without_a_lease() {
    let mut lab = Lab::new(100, 110, false);
    let out = lab.ask_from(1, 8, [10, 77, 0, 50], &[]);
    assert_eq!((kind(&out), yiaddr(&out)), (Some(5), Ipv4Addr::UNSPECIFIED));
    assert_eq!(option(&out.send[0].bytes, 51), None);
    assert_eq!(out.send[0].to, SocketAddrV4::new(ip(50), 68));
    for reflected in [[127, 0, 0, 1], [224, 0, 0, 1], [8, 8, 8, 8], [10, 77, 0, 255], [255; 4]] {
        assert!(lab.ask_from(1, 8, reflected, &[]).send.is_empty(), "{reflected:?}");
    }
}

#[test]
fn an_empty_pool_is_told_and_lessees_renew() {
    let mut lab = Lab::new(101, 103, false);
    let first = lab.lease(1);
    lab.lease(2);
    let out = lab.ask(3, 1, &[]);
    assert!(out.send.is_empty());
    assert_eq!(last(&out), Some(&Note::PoolExhausted { size: 3 }), "102 is excluded");
    assert_eq!(kind(&lab.ask_from(1, 3, first.octets(), &[])), Some(5));
    lab.ask_from(1, 7, first.octets(), &[]);
    assert_eq!(yiaddr(&lab.ask(3, 1, &[])), first);
}

#[test]
fn a_relayed_client_is_answered_through_its_relay() {
    let mut lab = Lab::new(100, 110, false);
    let mut bytes = packet(1, &[(82, &[1, 2, 7, 7])]);
    bytes[24..28].copy_from_slice(&[10, 77, 0, 9]);
    let out = lab.server.handle(lab.now, &bytes, FROM, &Script);
    assert_eq!(out.send[0].to, SocketAddrV4::new(ip(9), 67));
    assert_eq!(option(&out.send[0].bytes, 82), Some(vec![1, 2, 7, 7]));
    bytes[24..28].copy_from_slice(&[192, 168, 0, 9]);
    assert!(lab.server.handle(lab.now, &bytes, FROM, &Script).send.is_empty());
    let mut nak = packet(3, &[(50, &[192, 168, 1, 5])]);
    nak[24..28].copy_from_slice(&[10, 77, 0, 9]);
    let out = lab.server.handle(lab.now, &nak, FROM, &Script);
    assert_eq!((kind(&out), out.send[0].to), (Some(6), SocketAddrV4::new(ip(9), 67)));
    assert_eq!(out.send[0].bytes[10] & 0x80, 0x80, "the relay has to broadcast a NAK");
}

#[test]
fn an_offer_waits_for_its_probe() {
    let mut lab = Lab::new(100, 110, true);
    let out = lab.ask(1, 1, &[]);
    assert_eq!((out.send.len(), out.probe), (0, vec![ip(100)]));
    assert!(lab.ask(1, 1, &[]).send.is_empty(), "asked again meanwhile");
    lab.now = lab.server.deadline().expect("a probe runs");
    let out = lab.server.tick(lab.now, &Script);
    assert_eq!((kind(&out), yiaddr(&out)), (Some(2), ip(100)));
    assert_eq!(out.send.len(), 1, "one offer for two questions");
}

#[test]
fn an_address_in_use_is_skipped_and_told() {
    let mut lab = Lab::new(100, 110, true);
    lab.ask(1, 1, &[]);
    let squatter = "02:00:00:00:00:99".parse().unwrap();
    let out = lab.server.heard(lab.now, ip(100), squatter);
    assert_eq!(last(&out), Some(&Note::AddressInUse { address: ip(100), by: squatter }));
    assert_eq!(out.probe, [ip(101)]);
    lab.now += PROBE_WAIT;
    let out = lab.server.tick(lab.now, &Script);
    assert_eq!(yiaddr(&out), ip(101));
    assert!(lab.server.heard(lab.now, ip(100), squatter).notes.is_empty(), "told once");
    assert!(lab.server.heard(lab.now, ip(50), squatter).notes.is_empty(), "not ours to care");
}

#[test]
fn an_old_address_is_probed_again_once_its_lease_has_ended() {
    let mut lab = Lab::new(100, 110, true);
    lab.server.tick(lab.now, &Script);
    lab.now += PROBE_WAIT;
    lab.server.tick(lab.now, &Script);
    let own = lab.lease(1);
    assert!(lab.ask(1, 1, &[]).probe.is_empty(), "its own still");
    lab.now += FIRST_LEASE;
    let out = lab.ask(1, 1, &[]);
    assert_eq!((out.send.len(), out.probe.first()), (0, Some(&own)));
}

#[test]
fn many_machines_with_fixed_addresses_inside_the_range_end_the_search() {
    let mut lab = Lab::new(110, 117, true);
    let mut out = lab.ask(1, 1, &[]);
    for _ in 0..8 {
        let Some(&probed) = out.probe.first() else { break };
        if probed <= ip(115) {
            out = lab.server.heard(lab.now, probed, "02:00:00:00:00:99".parse().unwrap());
        }
    }
    lab.now += PROBE_WAIT;
    assert_eq!(yiaddr(&lab.server.tick(lab.now, &Script)), ip(116));
}

#[test]
fn addresses_probed_ahead_are_offered_at_once() {
    let mut lab = Lab::new(100, 110, true);
    let out = lab.server.tick(lab.now, &Script);
    assert_eq!(out.probe.len(), 10, "all of the range but the excluded one");
    lab.now += PROBE_WAIT;
    lab.server.tick(lab.now, &Script);
    let offer = lab.ask(1, 1, &[]);
    assert_eq!((kind(&offer), yiaddr(&offer)), (Some(2), ip(100)));
    assert!(offer.probe.contains(&ip(100)), "probed once more beside the offer");
    let late = "02:00:00:00:00:99".parse().unwrap();
    lab.server.heard(lab.now, ip(100), late);
    let request = lab.ask(1, 3, &[(54, &SERVER.octets()), (50, &ip(100).octets())]);
    assert_eq!(last(&request), Some(&Note::Refused { address: ip(100), reason: Refusal::Taken }));
    assert_eq!(yiaddr(&lab.ask(1, 1, &[])), ip(101));
    lab.now += PROBE_GOOD_FOR;
    let out = lab.server.tick(lab.now, &Script);
    assert!(out.probe.contains(&ip(103)), "old silence is checked again");
}

#[test]
fn a_lessee_that_speaks_by_arp_is_no_stranger() {
    let mut lab = Lab::new(100, 110, true);
    lab.server.tick(lab.now, &Script);
    lab.now += PROBE_WAIT;
    lab.server.tick(lab.now, &Script);
    let own = lab.lease(1);
    let mac = "52:54:00:77:01:01".parse().unwrap();
    assert!(lab.server.heard(lab.now, own, mac).notes.is_empty());
    let other = "02:00:00:00:00:99".parse().unwrap();
    assert!(lab.server.heard(lab.now, own, other).notes.is_empty(), "a lease is not broken from outside");
    assert_eq!(kind(&lab.ask_from(1, 3, own.octets(), &[])), Some(5));
}

#[test]
fn replies_bootp_and_unknown_types_get_no_answer() {
    let mut lab = Lab::new(100, 110, false);
    for other in [2, 5, 6, 9, 13, 200] {
        assert_eq!(lab.ask(1, other, &[]), Outputs::default(), "type {other}");
    }
    let mut reply = packet(1, &[]);
    reply[0] = 2;
    assert_eq!(lab.server.handle(lab.now, &reply, FROM, &Script), Outputs::default());
    let out = lab.server.handle(lab.now, &[0; 20], FROM, &Script);
    assert!(matches!(last(&out), Some(Note::Unreadable { .. })));
}

#[test]
fn two_hundred_computers_at_once_get_two_hundred_addresses() {
    let mut lab = Lab::new(1, 254, false);
    let mut given: Vec<Ipv4Addr> = (1..=200).map(|client| yiaddr(&lab.ask(client, 1, &[]))).collect();
    given.sort();
    given.dedup();
    assert_eq!(given.len(), 200);
    assert!(!given.contains(&SERVER) && !given.contains(&ip(102)));
}

const OTHER: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);
const CARD: Mac = Mac([2, 0, 0, 0, 0, 0xfe]);

#[test]
fn another_server_ends_the_handing_out_at_once_and_takes_nothing_from_anybody() {
    let mut lab = Lab::new(100, 110, false);
    let address = lab.lease(1);
    let offered = yiaddr(&lab.ask(2, 1, &[]));
    let told = lab.server.foreign(OTHER, Some(CARD));
    assert_eq!(told.notes, [(None, Note::ForeignServer { server: OTHER, mac: Some(CARD), maker: None })]);
    assert_eq!(lab.server.foreign(OTHER, Some(CARD)), Outputs::default(), "told once");
    let (own, foreign) = (SERVER.octets(), OTHER.octets());
    let silent = Note::Ignored { reason: Silence::OtherServer { server: OTHER } };
    let late = lab.ask(2, 3, &[(54, &own), (50, &offered.octets())]);
    assert_eq!(kind(&late), Some(6), "who takes an offer from before is to ask anew");
    let cases: [(&str, Outputs); 4] = [
        ("a new client", lab.ask(3, 1, &[])),
        ("one of ours that begins anew", lab.ask(1, 1, &[])),
        ("who comes back with an address from elsewhere", lab.ask(4, 3, &[(50, &[192, 168, 1, 50])])),
        ("who comes back with an address of somebody else", lab.ask(4, 3, &[(50, &address.octets())])),
    ];
    for (who, out) in cases {
        assert_eq!((out.send.as_slice(), last(&out)), ([].as_slice(), Some(&silent)), "{who}");
    }
    assert_eq!(kind(&lab.ask_from(1, 3, address.octets(), &[])), Some(5), "a lease is renewed");
    assert_eq!(kind(&lab.ask(1, 3, &[(50, &address.octets())])), Some(5), "and known after a restart of its client");
    let chose = lab.ask(3, 3, &[(54, &foreign), (50, &[192, 168, 1, 51])]);
    assert_eq!((chose.send.len(), last(&chose)), (0, Some(&Note::ChoseOther { server: OTHER })));
}

#[test]
fn nothing_is_waited_for_once_another_server_is_there() {
    let mut lab = Lab::new(100, 110, true);
    lab.server.tick(lab.now, &Script);
    lab.now += PROBE_WAIT;
    lab.server.tick(lab.now, &Script);
    assert!(lab.server.deadline().is_some(), "the addresses that were probed ahead grow old");
    lab.server.foreign(OTHER, None);
    assert_eq!(lab.server.deadline(), None, "one that has passed would be due again and again");
}

#[test]
fn a_client_that_takes_the_offer_of_another_server_gives_it_away() {
    let mut lab = Lab::new(100, 110, false);
    lab.ask(1, 1, &[]);
    let chose = lab.ask(1, 3, &[(54, &OTHER.octets()), (50, &[192, 168, 1, 51])]);
    assert_eq!(last(&chose), Some(&Note::ForeignServer { server: OTHER, mac: None, maker: None }));
    assert!(lab.ask(2, 1, &[]).send.is_empty());
}

#[test]
fn a_server_that_is_meant_to_be_there_changes_nothing_but_refusals() {
    let mut lab = Lab::new(100, 110, false);
    assert_eq!(kind(&lab.ask(4, 3, &[(50, &[192, 168, 1, 50])])), Some(6), "alone, an address from elsewhere is wrong");
    lab.server.config.beside.insert(OTHER);
    assert_eq!(lab.server.foreign(OTHER, None), Outputs::default());
    assert_eq!(lab.server.foreign(SERVER, None), Outputs::default(), "our own word");
    lab.lease(1);
    let out = lab.ask(4, 3, &[(50, &[192, 168, 1, 50])]);
    assert!(out.send.is_empty(), "it may be that server's client");
}

#[test]
fn nobody_is_offered_anything_while_the_network_is_still_asked() {
    for probe in [false, true] {
        let mut lab = Lab::new(100, 110, probe);
        let (began, until) = (lab.now, lab.now + Duration::from_secs(4));
        lab.server.hold(until);
        assert!(lab.ask(1, 1, &[]).send.is_empty());
        lab.now = began + Duration::from_secs(1);
        assert!(lab.server.tick(lab.now, &Script).send.is_empty());
        assert!(lab.ask(1, 1, &[]).send.is_empty(), "it asks again");
        lab.now = until;
        let out = lab.server.tick(lab.now, &Script);
        assert_eq!((out.send.len(), kind(&out)), (1, Some(2)), "one offer, to its last question");
    }
    let mut lab = Lab::new(100, 110, false);
    lab.server.hold(lab.now + Duration::from_secs(4));
    lab.ask(1, 1, &[]);
    lab.server.foreign(OTHER, None);
    lab.now += Duration::from_secs(9);
    assert!(lab.server.tick(lab.now, &Script).send.is_empty(), "somebody answered meanwhile");
}
