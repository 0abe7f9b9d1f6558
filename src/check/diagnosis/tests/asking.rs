//! Computers that ask, and do not get further.

use super::*;

#[test]
fn a_computer_that_only_asks() {
    use DhcpMode::{Full, Proxy};
    let ignored =
        |reason| [discover(0.0, Who::Uefi), event(0.1, None, What::Dhcp(dhcp::Note::Ignored { reason }))].to_vec();
    let relayed = |mut events: Vec<Event>| {
        if let Some(What::Dhcp(dhcp::Note::Asked { relay, .. })) = events.first_mut().map(|event| &mut event.what) {
            *relay = Some([10, 77, 9, 1].into());
        }
        events
    };
    let late = |secs: u16, mut events: Vec<Event>| {
        if let Some(What::Dhcp(dhcp::Note::Asked { secs: said, .. })) = events.first_mut().map(|event| &mut event.what)
        {
            *said = Some(secs);
        }
        events
    };
    let dhcp = |second, note| vec![event(second, None, What::Dhcp(note))];
    let boot_server = |second| {
        let grant = dhcp::Note::Granted { address: None, boot: Some(boot_of(Who::Uefi)) };
        vec![asks(second, Who::Uefi, Question::BootServer), event(second + 0.01, None, What::Dhcp(grant))]
    };
    check(vec![
        (
            "on the deny list",
            Full,
            ignored(dhcp::Silence::NotAllowed),
            1.0,
            vec![(NotAllowed, Certain)],
            "never answered",
        ),
        (
            "through a foreign relay",
            Full,
            relayed(ignored(dhcp::Silence::ForeignRelay)),
            1.0,
            vec![(RelayElsewhere, Certain), (RelaySeen, Certain)],
            "10.77.9.1",
        ),
        (
            "no address left",
            Full,
            [vec![discover(0.0, Who::Uefi)], dhcp(0.1, dhcp::Note::PoolExhausted { size: 9 })].concat(),
            1.0,
            vec![(NoAddressLeft, Certain)],
            "All 9 addresses",
        ),
        (
            "an address of elsewhere",
            Full,
            [
                vec![asks(0.0, Who::Uefi, Question::Reboot)],
                dhcp(
                    0.1,
                    dhcp::Note::Refused { address: [192, 168, 1, 9].into(), reason: dhcp::Refusal::WrongNetwork },
                ),
            ]
            .concat(),
            1.0,
            vec![(AddressRefused, Certain)],
            "192.168.1.9",
        ),
        (
            "no boot file",
            Full,
            [vec![discover(0.0, Who::Uefi)], dhcp(0.1, dhcp::Note::NoBootFile { reason: "no loader for it".into() })]
                .concat(),
            1.0,
            vec![(NoBootFile, Certain)],
            "no loader for it",
        ),
        (
            "another server won",
            Full,
            [offered(0.0, Who::Uefi), dhcp(1.0, dhcp::Note::ChoseOther { server: [10, 77, 0, 254].into() })].concat(),
            2.0,
            vec![(OtherServerWon, Certain)],
            "took that of 10.77.0.254",
        ),
        ("asked once, a minute ago", Full, offered(0.0, Who::Uefi), 61.0, vec![(OfferNotTaken, Possible)], "once"),
        (
            "asked until it gave up, full",
            Full,
            each(&EDK2, |second| offered(second, Who::Uefi)),
            29.0,
            vec![(OfferNotTaken, Likely)],
            "4 times in 28 s",
        ),
        (
            "asked until it gave up, proxy",
            Proxy,
            each(&EDK2, |second| told(second, Who::Uefi)),
            29.0,
            vec![(OffersUnheeded, Possible), (NoAddressServer, Possible)],
            "67 (snponly.efi)",
        ),
        (
            "iPXE gets no address",
            Proxy,
            each(&[0.0, 1.0, 3.0, 7.0], |second| told(second, Who::Ipxe)),
            8.0,
            vec![(NoAddressServer, Likely)],
            "lacks an address",
        ),
        (
            "asked once in proxy mode",
            Proxy,
            told(0.0, Who::Uefi),
            61.0,
            vec![(NoAddressServer, Possible), (OffersUnheeded, Possible)],
            "silent for 60 s",
        ),
        (
            "took an address twice",
            Proxy,
            each(&[0.0, 20.0, 40.0], |second| {
                [told(second, Who::Uefi), vec![asks(second + 4.0, Who::Uefi, Question::Select)]].concat()
            }),
            41.0,
            vec![(OffersUnheeded, Likely), (NoFileAsked, Possible)],
            "took an address twice",
        ),
        (
            "port 69 dropped: an address and no file",
            Full,
            granted(0.0, Who::Uefi),
            40.0,
            vec![(NoFileAsked, Likely)],
            "UDP 69",
        ),
        (
            "port 69 dropped: it begins anew",
            Full,
            [granted(0.0, Who::Uefi), offered(25.0, Who::HttpBoot)].concat(),
            26.0,
            vec![(NoFileAsked, Likely)],
            "24 s later began anew",
        ),
        ("port 80 dropped", Full, granted(0.0, Who::HttpBoot), 40.0, vec![(NoFileAsked, Likely)], "TCP 80"),
        (
            "port 80 dropped for iPXE",
            Full,
            [granted(0.0, Who::Uefi), loads(1.0, "snponly.efi"), granted(3.0, Who::Ipxe)].concat(),
            40.0,
            vec![(NoFileAsked, Likely)],
            "TCP 80",
        ),
        (
            "iPXE looks for an IPv6 router",
            Proxy,
            [told(0.0, Who::Ipxe), vec![asks(4.0, Who::Ipxe, Question::Select)]].concat(),
            63.0,
            vec![],
            "",
        ),
        (
            "iPXE in proxy mode and no file",
            Proxy,
            [told(0.0, Who::Ipxe), vec![asks(4.0, Who::Ipxe, Question::Select)]].concat(),
            65.0,
            vec![(NoFileAsked, Likely)],
            "TCP 80",
        ),
        (
            "an address in proxy mode and no file",
            Proxy,
            [told(0.0, Who::Uefi), vec![asks(4.0, Who::Uefi, Question::Select)]].concat(),
            40.0,
            vec![(OffersUnheeded, Possible), (NoFileAsked, Possible)],
            "asked for no file",
        ),
        (
            "port 4011 and silent",
            Proxy,
            [told(0.0, Who::Uefi), vec![asks(4.0, Who::Uefi, Question::Select)], boot_server(4.2)].concat(),
            25.0,
            vec![(SilentAfterBootServer, Likely)],
            "was told snponly.efi",
        ),
        (
            "port 4011, again and again",
            Proxy,
            [told(0.0, Who::Uefi), vec![asks(4.0, Who::Uefi, Question::Select)], each(&[4.2, 6.2, 10.2], boot_server)]
                .concat(),
            10.3,
            vec![(SilentAfterBootServer, Likely)],
            "port 4011 3 times, was told snponly.efi each time",
        ),
        (
            "a menu on port 4011",
            Proxy,
            [told(0.0, Who::Uefi), vec![asks(4.0, Who::Uefi, Question::Select)], each(&[4.2, 6.2], boot_server)]
                .concat(),
            10.3,
            vec![],
            "",
        ),
        (
            "iPXE without HTTP",
            Full,
            each(&[0.0, 1.0, 3.0, 7.0], |second| offered(second, Who::CutIpxe)),
            8.0,
            vec![(IpxeWithoutHttp, Likely), (OfferNotTaken, Likely)],
            "cannot fetch by HTTP",
        ),
        (
            "iPXE without HTTP, port 69 dropped",
            Full,
            granted(0.0, Who::CutIpxe),
            40.0,
            vec![(IpxeWithoutHttp, Likely)],
            "Let UDP 69 through",
        ),
        (
            "a switch that learns",
            Full,
            late(31, offered(0.0, Who::Uefi)),
            1.0,
            vec![(SwitchSlow, Likely)],
            "asking for 31 s",
        ),
        (
            "through a router",
            Full,
            relayed(granted(0.0, Who::Uefi)),
            40.0,
            vec![(NoFileAsked, Likely), (RelaySeen, Certain)],
            "relay agent 10.77.9.1",
        ),
    ]);
}

#[test]
fn a_second_server_that_was_heard_is_named() {
    let foreign = vec![Foreign { server: [10, 77, 0, 254].into(), vendor: Some("AVM".into()) }];
    let full = Surroundings { foreign: foreign.clone(), ..around(DhcpMode::Full) };
    let causes = found(&each(&EDK2, |second| offered(second, Who::Uefi)), &full, 29.0);
    assert_eq!(kinds(&causes), [(OtherServerWon, Likely), (OfferNotTaken, Possible)]);
    assert!(causes[0].evidence.starts_with("10.77.0.254 (AVM) answers here as well."), "{causes:?}");
    let proxy = Surroundings { foreign, ..around(DhcpMode::Proxy) };
    let causes = found(&each(&EDK2, |second| told(second, Who::Uefi)), &proxy, 29.0);
    assert_eq!(kinds(&causes), [(OffersUnheeded, Likely)], "somebody gives addresses");
}
