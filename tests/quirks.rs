//! Firmware that does not do what the standards say, by the numbers of CONFORMANCE section 8: each quirk that shows in
//! DHCP is a case here, with whoever found it. The machines are asked as the engine asks them, with crafted packets.
//!
//! The others have their cases where they belong: Q19 is not done (a ProxyDHCP offer that came 4 s late was ignored, WIRE
//! 2, and one at once was taken by all), Q21 `options_are_granted_within_bounds` in `tftp/transfer.rs`, Q22 in
//! `engine.rs` (`a_size_probe_is_no_failure_…`), Q25, Q29 and Q30 there (`edk2_boots_and_resumes_by_its_own_rules`), Q26
//! there (`tftp_serves_the_same_tree`), Q27 in `boot/ladder.rs`, Q31 in `journal/heed.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Instant, SystemTime};

use bootwright::boot::ladder::{Kept, Ladder};
use bootwright::boot::loader::{Loader, Loaders, Preference};
use bootwright::boot::{Answer, Machine, Offer, choose};
use bootwright::dhcp::lease::Range;
use bootwright::dhcp::proxy::{self, Proxy};
use bootwright::dhcp::server::{self, Server};
use bootwright::dhcp::{Guests, NoBoot, Note, Outputs, Policy, Silence, pxe};
use bootwright::mac::Mac;
use ipnet::Ipv4Net;

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const NETWORK: Ipv4Net = Ipv4Net::new_assert(SERVER, 24);
/// Where a client without an address asks from, and where all such clients listen.
const NOWHERE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
const EVERYBODY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::BROADCAST, 68);
/// Longest UDP payload that EDK2 takes (its `PxeBcDhcp4.h`).
const EDK2_LIMIT: usize = 1472;

const DISCOVER: u8 = 1;
const OFFER: u8 = 2;
const REQUEST: u8 = 3;
const ACK: u8 = 5;
const INFORM: u8 = 8;

type Options<'a> = &'a [(u8, &'a [u8])];

/// What OVMF and AAVMF list in option 55 (WIRE 1).
const UEFI_LIST: [u8; 35] = [
    1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67, 97, 128, 129,
    130, 131, 132, 133, 134, 135,
];
const BIOS: Options = &[(60, b"PXEClient:Arch:00000:UNDI:002001"), (93, &[0, 0]), (94, &[1, 2, 1]), (97, &[0; 17])];
const UEFI: Options = &[
    (60, b"PXEClient:Arch:00007:UNDI:003000"),
    (93, &[0, 7]),
    (94, &[1, 3, 0]),
    (97, &[0; 17]),
    (57, &[5, 0xc0]),
    (55, &UEFI_LIST),
];
const HTTP_BOOT: Options = &[(60, b"HTTPClient:Arch:00016:UNDI:003000"), (93, &[0, 16]), (97, &[0; 17])];
/// What undionly.kpxe says that it can do (WIRE 1): 19 is HTTP.
const FEATURES: &[u8] = &[16, 1, 1, 17, 1, 1, 18, 1, 1, 19, 1, 1, 21, 1, 1, 33, 1, 1, 34, 1, 1, 39, 1, 1];
const IPXE: Options = &[(60, b"PXEClient:Arch:00000:UNDI:002001"), (93, &[0, 0]), (77, b"iPXE"), (175, FEATURES)];

/// A client's packet.
fn packet(kind: u8, options: Options) -> Vec<u8> {
    let mut bytes = vec![0u8; 236];
    bytes[..8].copy_from_slice(&[1, 1, 6, 0, 0xca, 0xfe, 0, 1]);
    bytes[28..34].copy_from_slice(&[0x52, 0x54, 0, 0x77, 1, 1]);
    bytes.extend_from_slice(&[99, 130, 83, 99, 53, 1, kind]);
    for (code, value) in options {
        bytes.push(*code);
        bytes.push(u8::try_from(value.len()).unwrap());
        bytes.extend_from_slice(value);
    }
    bytes.push(255);
    bytes
}

/// The packet with other bytes at a place of its header.
fn with(mut packet: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    packet[at..at + bytes.len()].copy_from_slice(bytes);
    packet
}

const CIADDR: usize = 12;
const GIADDR: usize = 24;
const CHADDR: usize = 28;

/// Options without some, and with others.
fn but<'a>(options: &[(u8, &'a [u8])], without: &[u8], more: &[(u8, &'a [u8])]) -> Vec<(u8, &'a [u8])> {
    options.iter().filter(|(code, _)| !without.contains(code)).chain(more).copied().collect()
}

/// The engine's policy without the engine.
struct Rungs {
    offer: Offer,
    ladder: RefCell<Ladder>,
}

impl Policy for Rungs {
    fn boot(&self, client: &pxe::Client) -> Result<pxe::Boot, NoBoot> {
        let machine = Machine::of(client).ok_or(NoBoot::NotAsked)?;
        let (standing, _) = self.ladder.borrow_mut().ask(Instant::now(), client, &machine, &self.offer.loaders);
        match choose(&machine, &standing, &self.offer) {
            Answer::Loader(boot) | Answer::HttpLoader(boot) | Answer::Menu(boot) => Ok(boot),
            Answer::Nothing(reason) => Err(NoBoot::Because(reason)),
        }
    }
}

/// Both machines, with all loaders.
struct Lab {
    server: Server,
    proxy: Proxy,
    rungs: Rungs,
}

impl Lab {
    fn new() -> Lab {
        use Loader::{GrubX64, IpxePxe, IpxeX64, ShimX64, SnponlyX64, Undionly};
        let loaders = Loaders::of([Undionly, IpxePxe, SnponlyX64, IpxeX64, ShimX64, GrubX64]);
        let offer = Offer { http: SocketAddrV4::new(SERVER, 80), loaders, disc: None };
        let ladder = RefCell::new(Ladder::new(Preference::Auto, false, Kept::default()));
        let range = Range { first: Ipv4Addr::new(10, 77, 0, 100), last: Ipv4Addr::new(10, 77, 0, 110) };
        let (guests, excluded) = (Guests::default(), BTreeSet::new());
        let config = server::Config {
            server: SERVER,
            network: NETWORK,
            range,
            excluded,
            guests: guests.clone(),
            probe: false,
            // Else its first word would end the handing out.
            beside: BTreeSet::from([Ipv4Addr::new(10, 77, 0, 254)]),
        };
        Lab {
            server: Server::new(config, Instant::now(), SystemTime::now(), &[]),
            proxy: Proxy::new(proxy::Config { server: SERVER, network: NETWORK, guests }),
            rungs: Rungs { offer, ladder },
        }
    }

    fn full(&mut self, packet: &[u8]) -> Outputs {
        self.server.handle(Instant::now(), packet, NOWHERE, &self.rungs)
    }

    fn beside(&mut self, packet: &[u8]) -> Outputs {
        self.proxy.handle(packet, &self.rungs)
    }

    fn on_4011(&mut self, packet: &[u8], from: SocketAddrV4) -> Outputs {
        self.proxy.handle_boot_server(packet, from, &self.rungs)
    }

    /// Every answer to this client, full and beside another server, before and after it has an address.
    fn all(&mut self, options: Options) -> Vec<(&'static str, Said)> {
        let offer = said(&self.full(&packet(DISCOVER, options)));
        let chosen = but(options, &[], &[(54, &[10, 77, 0, 1])]);
        let address = offer.bytes[16..20].to_vec();
        let chosen = [chosen.as_slice(), &[(50, &address)]].concat();
        let informs = with(packet(INFORM, options), CIADDR, &[10, 77, 0, 50]);
        let asks = with(packet(REQUEST, options), CIADDR, &[10, 77, 0, 50]);
        let from = SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 50), 4011);
        vec![
            ("offer", offer),
            ("ack", said(&self.full(&packet(REQUEST, &chosen)))),
            ("inform", said(&self.full(&informs))),
            ("proxy offer", said(&self.beside(&packet(DISCOVER, options)))),
            ("4011", said(&self.on_4011(&asks, from))),
        ]
    }
}

/// The one packet that was sent.
struct Said {
    to: SocketAddrV4,
    bytes: Vec<u8>,
}

fn said(out: &Outputs) -> Said {
    let [sent] = out.send.as_slice() else { panic!("{} answers: {:?}", out.send.len(), out.notes) };
    Said { to: sent.to, bytes: sent.bytes.clone() }
}

impl Said {
    fn option(&self, code: u8) -> Option<&[u8]> {
        pxe::sub_options(&self.bytes[240..]).find(|(found, _)| *found == code).map(|(_, value)| value)
    }

    fn kind(&self) -> u8 {
        self.option(53).unwrap()[0]
    }

    fn vendor(&self) -> Vec<(u8, Vec<u8>)> {
        let options = pxe::sub_options(self.option(43).unwrap_or_default());
        options.map(|(code, value)| (code, value.to_vec())).collect()
    }

    fn siaddr(&self) -> &[u8] {
        &self.bytes[20..24]
    }

    fn broadcast_flag(&self) -> bool {
        self.bytes[10] & 0x80 != 0
    }

    fn sname(&self) -> String {
        text(&self.bytes[44..108])
    }

    fn file(&self) -> String {
        text(&self.bytes[108..236])
    }

    /// Where option 67's value ends.
    fn behind_67(&self) -> u8 {
        let value = self.option(67).unwrap();
        let at = self.bytes.windows(value.len()).rposition(|part| part == value).unwrap();
        self.bytes[at + value.len()]
    }
}

fn text(field: &[u8]) -> String {
    field.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect()
}

fn ignored(out: &Outputs) -> Option<Silence> {
    out.notes.iter().find_map(|(_, note)| match note {
        Note::Ignored { reason } => Some(*reason),
        _ => None,
    })
}

fn no_boot_file(out: &Outputs) -> Option<&str> {
    out.notes.iter().find_map(|(_, note)| match note {
        Note::NoBootFile { reason } => Some(reason.as_str()),
        _ => None,
    })
}

/// EDK2 `PxeBcRetryBinlOffer`, FOG docs PR 188: an offer with 60 and without 43 sends it to port 4011, and to its end
/// where nobody answers there.
#[test]
fn q1_no_full_offer_says_pxeclient_without_43_and_4011_answers_in_full_mode_too() {
    for (name, said) in Lab::new().all(UEFI).into_iter().filter(|(name, _)| *name != "proxy offer") {
        assert_eq!(said.option(60), Some(b"PXEClient".as_slice()), "{name}");
        assert_eq!(said.vendor(), [(6, vec![8])], "{name}");
    }
}

/// EDK2 `PxeBcCacheDhcp4Offer` of 2019 throws away each proxy offer with 43; pixiecore `dhcp.go` knows more such
/// firmware. All of it follows an offer without 43 to port 4011.
#[test]
fn q2_uefi_that_asks_again_is_sent_to_4011_until_it_gets_on() {
    let mut lab = Lab::new();
    let mut ask = |options: Options| {
        let said = said(&lab.beside(&packet(DISCOVER, options)));
        assert_eq!((said.siaddr(), said.option(67).is_some()), (SERVER.octets().as_slice(), true));
        said.option(43).is_some()
    };
    assert_eq!([ask(UEFI), ask(UEFI)], [true, false], "asks again 4 s later");
    assert!(ask(UEFI), "neither way is given up");
    let ipxe = but(UEFI, &[], &[(77, b"iPXE")]);
    assert!(ask(&ipxe) && ask(UEFI), "after iPXE has come it begins with the short way");
    assert!(!ask(UEFI) && !ask(HTTP_BOOT) && ask(UEFI), "HTTP Boot in between has no 43, and changes nothing");
}

/// dnsmasq `pxe_uefi_workaround`: menus are broken in many UEFI stacks.
#[test]
fn q3_nobody_gets_a_pxe_menu() {
    for options in [BIOS, UEFI, IPXE] {
        for (name, said) in Lab::new().all(options) {
            assert!(said.vendor().iter().all(|(code, _)| ![8, 9, 10].contains(code)), "{name}: {:?}", said.vendor());
            assert!(!said.file().is_empty(), "{name}");
        }
    }
}

/// dnsmasq, pixiecore, Smee: a BIOS ROM hunts for boot servers without 43.6 with bit 3. ESXi's goes to the wrong place
/// without 43 (Q20, digital rebar provision issue 238).
#[test]
fn q4_and_q20_a_bios_rom_gets_43_each_time_it_asks() {
    let mut lab = Lab::new();
    for try_ in 0..3 {
        let said = said(&lab.beside(&packet(DISCOVER, BIOS)));
        assert_eq!(said.option(43), Some([6, 1, 8, 255].as_slice()), "try {try_}");
        assert_eq!((said.file().as_str(), said.siaddr()), ("undionly.kpxe", SERVER.octets().as_slice()));
    }
}

/// Smee's proxy: clients broadcast to 4011 where 54 or siaddr is wanting.
#[test]
fn q5_every_answer_names_the_server_twice() {
    for options in [BIOS, UEFI, HTTP_BOOT, IPXE] {
        for (name, said) in Lab::new().all(options) {
            assert_eq!(said.option(54), Some(SERVER.octets().as_slice()), "{name}");
            assert_eq!(said.siaddr(), SERVER.octets(), "{name}");
        }
    }
}

/// claytono/infra issue 1362: dnsmasq 2.92 answered to port 68, and firmware that had asked from 4011 heard nothing.
#[test]
fn q6_port_4011_answers_to_the_port_that_asked() {
    let mut lab = Lab::new();
    for port in [68, 4011, 1024] {
        let from = SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 50), port);
        let said = said(&lab.on_4011(&packet(REQUEST, UEFI), from));
        assert_eq!((said.to, said.kind()), (from, ACK));
    }
    let said = said(&lab.on_4011(&packet(REQUEST, UEFI), SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 4011)));
    assert_eq!(said.to, SocketAddrV4::new(Ipv4Addr::BROADCAST, 4011), "one without an address");
}

/// EDK2 `PxeBcDhcp4.c/.h`: longer packets are ignored, 16 offers kept, and a first byte 0 of yiaddr means a proxy. Its
/// REQUEST says 65280 in option 57, a byte-order slip (WIRE 1).
#[test]
fn q7_one_answer_that_is_short_enough_whatever_the_client_says() {
    let long = [7; 255];
    let ids: [(u8, &[u8]); 5] = [(61, &long), (61, &long), (61, &long), (82, &long), (82, &long)];
    let greedy = but(&but(UEFI, &[57], &[(57, &[0xff, 0])]), &[], &ids);
    for (name, said) in Lab::new().all(&greedy) {
        assert!(said.bytes.len() <= EDK2_LIMIT, "{name}: {}", said.bytes.len());
        assert!(!said.file().is_empty(), "{name}");
    }
    let offer = said(&Lab::new().full(&packet(DISCOVER, UEFI)));
    assert_ne!(offer.bytes[16], 0);
}

/// EDK2 writes a zero behind option 67, into the option that follows; old ROMs read on until a zero (netboot.xyz issue
/// 1198: `name.efi\xff` was asked for); some read the field only (shim, WIRE 3), some the option only.
#[test]
fn q8_the_name_is_in_both_places_and_ends_with_zeros() {
    for (options, file) in [(BIOS, "undionly.kpxe"), (UEFI, "snponly.efi"), (HTTP_BOOT, "http://10.77.0.1/snponly.efi")]
    {
        for (name, said) in Lab::new().all(options) {
            assert_eq!(said.file(), file, "{name}");
            assert_eq!(said.option(67).map(text).as_deref(), Some(file), "{name}");
            assert_eq!(said.option(67).and_then(<[u8]>::last), Some(&0), "{name}");
            assert_eq!(said.behind_67(), 0, "{name}: a pad, and no option");
        }
    }
    let relayed = but(UEFI, &[], &[(82, &[1, 1, 7])]);
    let said = said(&Lab::new().full(&with(packet(DISCOVER, &relayed), GIADDR, &[10, 77, 0, 9])));
    assert_eq!((said.behind_67(), said.option(82)), (0, Some([1, 1, 7].as_slice())));
}

/// dnsmasq `--dhcp-no-override`, FOG's sample: old ROMs read no options in the fields of the header.
#[test]
fn q9_options_are_never_in_the_fields() {
    let long = [7; 255];
    for little in [&[2u8, 64][..], &[0, 1]] {
        let crowded = but(BIOS, &[57], &[(57, little), (61, &long), (82, &long)]);
        for (name, said) in Lab::new().all(&crowded) {
            assert_eq!(said.option(52), None, "{name}");
            assert_eq!((said.file().as_str(), said.sname().as_str()), ("undionly.kpxe", "10.77.0.1"), "{name}");
        }
    }
}

/// RFC 4578 has 7 and 9 the other way round (erratum 4624, dnsmasq 2.76): real machines send either.
#[test]
fn q10_codes_7_and_9_get_the_same() {
    let answers = [[0, 7], [0, 9]].map(|code| {
        let options = but(UEFI, &[93], &[(93, &code)]);
        Lab::new().all(&options).into_iter().map(|(_, said)| said.bytes).collect::<Vec<_>>()
    });
    assert_eq!(answers[0], answers[1]);
}

/// pixiecore issue 21: ROMs without 97 or 94.
#[test]
fn q11_options_that_are_wanting_or_odd_cost_nobody_his_boot() {
    let odd: [(&str, &[u8], Options); 5] = [
        ("no 97", &[97], &[]),
        ("no 94", &[94], &[]),
        ("neither, and no 93", &[93, 94, 97], &[]),
        ("97 without its type", &[97], &[(97, &[9; 16])]),
        ("an empty 97 and half a 93", &[93, 97], &[(97, &[]), (93, &[0])]),
    ];
    for (name, without, more) in odd {
        for (answer, said) in Lab::new().all(&but(BIOS, without, more)) {
            assert_eq!(said.file(), "undionly.kpxe", "{name}: {answer}");
        }
    }
}

/// Smee `AddRPIOpt43`: a Raspberry Pi's ROM says architecture 0 and wants files of its own, which we have not got. It
/// must not get a PC's loader.
#[test]
fn q11_a_raspberry_pi_gets_an_address_and_no_loader_of_a_pc() {
    let mut lab = Lab::new();
    for card in [[0xb8, 0x27, 0xeb], [0xdc, 0xa6, 0x32], [0xe4, 0x5f, 0x01], [0xd8, 0x3a, 0xdd], [0x2c, 0xcf, 0x67]] {
        let asks = with(packet(DISCOVER, BIOS), CHADDR, &card);
        let full = lab.full(&asks);
        let offer = said(&full);
        assert_eq!((offer.kind(), offer.file().as_str()), (OFFER, ""), "{card:02x?}");
        assert_eq!((offer.option(67), offer.option(43), offer.option(60)), (None, None, None), "{card:02x?}");
        assert!(no_boot_file(&full).unwrap().starts_with("it is a Raspberry Pi"), "{card:02x?}");
        let beside = lab.beside(&asks);
        assert!(beside.send.is_empty() && no_boot_file(&beside).is_some(), "{card:02x?}");
    }
    let uefi = with(packet(DISCOVER, &but(BIOS, &[93], &[(93, &[0, 7])])), CHADDR, &[0xdc, 0xa6, 0x32]);
    assert_eq!(said(&lab.full(&uefi)).file(), "snponly.efi", "UEFI says by itself what it is");
}

/// CONFORMANCE 3.6: an address, no boot file rather than a wrong one, and the code for who looks it up.
#[test]
fn an_unknown_architecture_gets_an_address_and_is_told_by_its_code() {
    let options = but(UEFI, &[60, 93], &[(60, b"PXEClient:Arch:00099:UNDI:003000"), (93, &[0, 99])]);
    let out = Lab::new().full(&packet(DISCOVER, &options));
    assert_eq!((said(&out).kind(), said(&out).file().as_str()), (OFFER, ""));
    assert!(no_boot_file(&out).unwrap().contains("code 0x63"), "{:?}", no_boot_file(&out));
}

/// iPXE `dhcp.c`: it asks 4011 where the proxy offer lacks siaddr and file, and waits 2 s for a proxy offer unless 175.176
/// says that there is none.
#[test]
fn q12_ipxe_finds_all_in_the_offer_and_need_not_wait() {
    let mut lab = Lab::new();
    let beside = said(&lab.beside(&packet(DISCOVER, IPXE)));
    assert_eq!((beside.siaddr(), beside.file().as_str()), (SERVER.octets().as_slice(), "http://10.77.0.1/boot.ipxe"));
    assert_eq!(beside.option(60), Some(b"PXEClient".as_slice()));
    assert_eq!(beside.option(175), None, "there is one beside us");
    assert_eq!(said(&lab.full(&packet(DISCOVER, IPXE))).option(175), Some([176, 1, 1].as_slice()));
}

/// iPXE issues 908, 913 and 144: an iPXE that is given what its firmware was given loads itself for ever.
#[test]
fn q13_ipxe_never_gets_the_loader_that_it_is() {
    let by_mark: [Options; 3] = [&[(77, b"iPXE")], &[(175, FEATURES)], &[(77, b"iPXE"), (175, FEATURES)]];
    for mark in by_mark {
        for (firmware, loader) in [(BIOS, "undionly.kpxe"), (UEFI, "snponly.efi")] {
            let mut lab = Lab::new();
            assert_eq!(said(&lab.full(&packet(DISCOVER, firmware))).file(), loader);
            for (name, said) in lab.all(&but(firmware, &[], mark)) {
                assert_eq!(said.file(), "http://10.77.0.1/boot.ipxe", "{name}: {mark:?}");
                assert!(said.vendor().iter().all(|(code, _)| *code == 6), "{name}: no menu");
            }
        }
    }
}

/// tcpdump's output in iPXE issue 1374: the user class is raw, where RFC 3004 wants a length before it.
#[test]
fn q14_ipxe_is_known_by_both_forms_of_its_user_class() {
    for class in [&b"iPXE"[..], b"\x04iPXE"] {
        let said = said(&Lab::new().full(&packet(DISCOVER, &but(BIOS, &[], &[(77, class)]))));
        assert_eq!(said.file(), "http://10.77.0.1/boot.ipxe", "{class:?}");
    }
    let other = said(&Lab::new().full(&packet(DISCOVER, &but(BIOS, &[], &[(77, b"iPXEd")]))));
    assert_eq!(other.file(), "undionly.kpxe");
}

/// danderson/netboot issue 52: VirtualBox's ROM is an iPXE without HTTP. It loads ours by TFTP, which reads the menu; one
/// that comes back without HTTP all the same gets another loader and not the same for ever.
#[test]
fn q15_an_ipxe_without_http_loads_ours_first() {
    let mut lab = Lab::new();
    let cut = but(IPXE, &[175], &[(175, &[33, 1, 1, 34, 1, 1])]);
    assert_eq!(said(&lab.full(&packet(DISCOVER, &cut))).file(), "undionly.kpxe");
    let mac = Mac([0x52, 0x54, 0, 0x77, 1, 1]);
    lab.rungs.ladder.borrow_mut().fetched(Instant::now(), mac, "undionly.kpxe");
    assert_eq!(said(&lab.full(&packet(DISCOVER, IPXE))).file(), "http://10.77.0.1/boot.ipxe");
    lab.rungs.ladder.borrow_mut().fetched(Instant::now(), mac, "undionly.kpxe");
    assert_eq!(said(&lab.full(&packet(DISCOVER, &cut))).file(), "ipxe.pxe", "a loop is left at its second turn");
}

/// dnsmasq forces the flag as a proxy: some clients clear it and ignore what is sent to them alone; and a relay that is
/// not told to broadcast would send a proxy offer to yiaddr, which is 0.0.0.0.
#[test]
fn q16_who_has_no_address_is_answered_by_broadcast() {
    let mut lab = Lab::new();
    for flags in [[0, 0], [0x80, 0]] {
        let asks = with(packet(DISCOVER, BIOS), 10, &flags);
        assert_eq!(said(&lab.full(&asks)).to, EVERYBODY);
        let beside = said(&lab.beside(&asks));
        assert_eq!((beside.to, beside.broadcast_flag()), (EVERYBODY, true));
        let relayed = said(&lab.beside(&with(asks, GIADDR, &[10, 77, 0, 9])));
        let relay = SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 9), 67);
        assert_eq!((relayed.to, relayed.broadcast_flag()), (relay, true));
    }
}

/// dnsmasq `rfc2131.c`: clients that leave their old address in ciaddr of a DISCOVER, or beside option 50.
#[test]
fn q17_an_old_address_where_none_belongs_is_overlooked() {
    for old in [[10, 77, 0, 50], [192, 168, 1, 5], [8, 8, 8, 8]] {
        let mut lab = Lab::new();
        let full = said(&lab.full(&with(packet(DISCOVER, BIOS), CIADDR, &old)));
        assert_eq!((full.to, full.kind(), &full.bytes[CIADDR..16]), (EVERYBODY, OFFER, [0; 4].as_slice()), "{old:?}");
        assert_eq!(said(&lab.beside(&with(packet(DISCOVER, BIOS), CIADDR, &old))).to, EVERYBODY, "{old:?}");
        let chosen = but(BIOS, &[], &[(54, &[10, 77, 0, 1]), (50, &[10, 77, 0, 100])]);
        let ack = said(&lab.full(&with(packet(REQUEST, &chosen), CIADDR, &old)));
        assert_eq!((ack.to, ack.kind()), (EVERYBODY, ACK), "{old:?}");
    }
}

/// dnsmasq `rfc2131.c` on Microsoft's clients: who ends texts with a zero expects it of ours.
#[test]
fn q18_texts_end_with_a_zero_for_those_that_send_them_so() {
    for (name, expected) in [(&b"pc\0"[..], &b"10.77.0.1\0"[..]), (b"pc", b"10.77.0.1")] {
        let said = said(&Lab::new().full(&packet(DISCOVER, &but(UEFI, &[], &[(12, name)]))));
        assert_eq!(said.option(66), Some(expected), "{name:?}");
    }
}

/// FOG PR 114 and issue 213: one USB network adapter serves many machines. Its address is one and the same, but what is
/// remembered of a machine's firmware is not (the journal's part is in `journal/computer.rs`).
#[test]
fn q23_machines_behind_one_adapter_are_told_apart_by_their_uuid() {
    let (one, other) = ([[0].as_slice(), &[1; 16]].concat(), [[0].as_slice(), &[2; 16]].concat());
    let (one, other) = (but(UEFI, &[97], &[(97, &one)]), but(UEFI, &[97], &[(97, &other)]));
    let mut lab = Lab::new();
    let mac = Mac([0x52, 0x54, 0, 0x77, 1, 1]);
    assert_eq!(said(&lab.full(&packet(DISCOVER, &one))).file(), "snponly.efi");
    lab.rungs.ladder.borrow_mut().fetched(Instant::now(), mac, "snponly.efi");
    let refused = said(&lab.full(&packet(DISCOVER, &one)));
    assert_eq!(refused.file(), "shimx64.efi", "it refused the unsigned one");
    let next = said(&lab.full(&packet(DISCOVER, &other)));
    assert_eq!(next.file(), "snponly.efi", "the next machine on the adapter did not");
    assert_eq!(next.option(97), Some(&[[0].as_slice(), &[2; 16]].concat()[..]));
}

/// FOG docs PR 61 on Palo Alto's DHCP: a server that is named in one place only is not found. UEFI and iPXE list 66 and
/// not 150 (WIRE 1), so 150 is for those that list it, and for those that list nothing.
#[test]
fn q24_the_server_is_named_wherever_a_client_may_look() {
    let lists: [(&str, Options, bool, bool); 4] = [
        ("UEFI's list", &[(55, &UEFI_LIST)], true, false),
        ("a list with 150", &[(55, &[1, 66, 67, 150])], true, true),
        ("a list without both", &[(55, &[1, 3])], false, false),
        ("no list", &[], true, true),
    ];
    for (name, list, wants_66, wants_150) in lists {
        for (answer, said) in Lab::new().all(&but(UEFI, &[55], list)) {
            assert_eq!((said.siaddr(), said.sname().as_str()), (SERVER.octets().as_slice(), "10.77.0.1"), "{name}");
            assert_eq!(said.option(66), wants_66.then_some(b"10.77.0.1".as_slice()), "{name}: {answer}");
            assert_eq!(said.option(150), wants_150.then_some(SERVER.octets().as_slice()), "{name}: {answer}");
        }
    }
}

/// iPXE issues 517 and 954: `next-server` is the DHCP server's, wherever the files lie.
#[test]
fn q28_scripts_are_named_by_whole_urls_and_do_not_ask_for_next_server() {
    for (name, said) in Lab::new().all(IPXE) {
        assert_eq!(said.option(67), Some(b"http://10.77.0.1/boot.ipxe\0".as_slice()), "{name}");
    }
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let (mut scripts, mut folders) = (0, vec![golden]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "ipxe") {
                let script = std::fs::read_to_string(&path).unwrap();
                assert!(!script.contains("next-server") && !script.contains("${filename}"), "{path:?}");
                scripts += 1;
            }
        }
    }
    assert!(scripts > 0, "no script was looked at");
}

/// EDK2 `HttpBootSupport.c`: what ends in none of `.efi`, `.iso` and `.img` needs a type to boot by HTTP. Ours have both.
#[test]
fn q30_what_uefi_gets_ends_in_efi() {
    for (name, said) in Lab::new().all(HTTP_BOOT) {
        assert!(said.file().ends_with(".efi"), "{name}: {}", said.file());
    }
    let efi = Loader::ALL.into_iter().filter(|loader| !loader.is_helper()).map(Loader::file);
    let other: Vec<&str> = efi.filter(|file| !file.ends_with(".efi")).collect();
    assert_eq!(other, ["undionly.kpxe", "ipxe.pxe"], "for BIOS");
}

/// RFC 2131 section 3.1 (4): a client that takes another server's offer is let go without a word on the wire, and its
/// address is free.
#[test]
fn two_servers_the_one_that_was_not_chosen_withdraws_quietly() {
    let mut lab = Lab::new();
    let offered = said(&lab.full(&packet(DISCOVER, BIOS))).bytes[16..20].to_vec();
    let other = but(BIOS, &[], &[(54, &[10, 77, 0, 254]), (50, &[10, 77, 0, 150])]);
    let out = lab.full(&packet(REQUEST, &other));
    assert!(out.send.is_empty() && !out.leases_changed);
    assert_eq!(out.notes.last().unwrap().1, Note::ChoseOther { server: Ipv4Addr::new(10, 77, 0, 254) });
    let next = lab.full(&with(packet(DISCOVER, BIOS), CHADDR, &[2, 0, 0, 0, 0, 9]));
    assert_eq!(said(&next).bytes[16..20], offered);
    // Beside that server nothing is said at all: the choice between addresses is none of ours.
    assert!(lab.beside(&packet(REQUEST, &other)).send.is_empty());
}

/// RFC 2131 section 4.1, RFC 3046 section 2.2: the answer goes to the relay, with its option 82 as it came, in the last
/// place. What a relay of another network asks is not answered: the answer would go wherever the packet says.
#[test]
fn relayed_clients_are_answered_through_a_relay_of_this_network_only() {
    let information = [1, 4, b'e', b't', b'h', b'1', 2, 2, 7, 7];
    let options = but(UEFI, &[], &[(82, &information)]);
    let relay = SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 9), 67);
    let mut lab = Lab::new();
    let asks = |kind, giaddr: [u8; 4], options: Options| with(packet(kind, options), GIADDR, &giaddr);
    let offer = said(&lab.full(&asks(DISCOVER, [10, 77, 0, 9], &options)));
    let address = offer.bytes[16..20].to_vec();
    let chosen = [options.as_slice(), &[(54, &[10, 77, 0, 1]), (50, &address)]].concat();
    let wrong = [options.as_slice(), &[(50, &[192, 168, 1, 5])]].concat();
    let answers = [
        ("offer", offer),
        ("ack", said(&lab.full(&asks(REQUEST, [10, 77, 0, 9], &chosen)))),
        ("nak", said(&lab.full(&asks(REQUEST, [10, 77, 0, 9], &wrong)))),
        ("proxy offer", said(&lab.beside(&asks(DISCOVER, [10, 77, 0, 9], &options)))),
    ];
    for (name, said) in answers {
        assert_eq!((said.to, &said.bytes[GIADDR..28]), (relay, [10, 77, 0, 9].as_slice()), "{name}");
        assert_eq!(said.option(82), Some(information.as_slice()), "{name}");
        let end = said.bytes.iter().rposition(|byte| *byte == 255).unwrap();
        assert!(said.bytes[..end].ends_with(&information), "{name}: not the last option");
    }
    for foreign in [[192, 168, 1, 1], [8, 8, 8, 8], [127, 0, 0, 1], [10, 77, 0, 255], [224, 0, 0, 1]] {
        let asks = asks(DISCOVER, foreign, &options);
        for out in [lab.full(&asks), lab.beside(&asks)] {
            assert!(out.send.is_empty(), "{foreign:?}");
            assert_eq!(ignored(&out), Some(Silence::ForeignRelay), "{foreign:?}");
        }
    }
    let plain = said(&lab.full(&asks(DISCOVER, [10, 77, 0, 9], UEFI)));
    assert_eq!(plain.option(82), None, "none came with the question");
}
