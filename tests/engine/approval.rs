//! Where strangers are asked about: what they get before they are approved, and after. On loopback nothing proves who has
//! an address, so a computer is the one that its request for the menu says.

use bootwright::boot::approval::{Code, Which};
use bootwright::engine::control::{Reply, Request};
use bootwright::mac::Mac;

use super::*;

const MENU: &str = "/menu.ipxe?mac=52-54-00-77-01-01&platform=efi&arch=x86_64&product=OptiPlex";
const GRUB: &str = "/grub/menu/x86_64/mac-52:54:00:77:01:01/lockdown-/menu.cfg";

fn mac() -> Mac {
    "52:54:00:77:01:01".parse().unwrap()
}

/// An image, a loader, a published file, and strangers that are asked about.
fn asking(bench: &Bench) -> Plan {
    let image = bench.path("debian.iso");
    std::fs::write(&image, table::image("debian-netboot")).unwrap();
    Plan { guests: Guests { ask: true, ..Guests::default() }, ..bench.plan(&[&image]) }
}

fn text(port: u16, path: &str) -> String {
    String::from_utf8(get(port, path, "").1).unwrap()
}

fn status(port: u16, path: &str) -> String {
    get(port, path, "").0.split(' ').nth(1).unwrap().to_owned()
}

/// The code of a page that waits.
fn code_on(page: &str) -> Code {
    let at = page.find("Code ").unwrap_or_else(|| panic!("no code in {page}"));
    page[at + 5..at + 9].parse().unwrap()
}

fn ask(bench: &Bench, running: &Running, request: Request) -> Reply {
    bench.runtime.block_on(running.control().ask(request)).unwrap()
}

/// What is no loader and no page, by HTTP.
fn contents(listening: &Listening) -> Vec<String> {
    let id = &listening.entries[0].image;
    let kernel = listening.entries[0].entry.kernel.clone().unwrap();
    let image = [format!("/image/{id}{kernel}"), format!("/image/{id}.iso")];
    image.into_iter().chain(["/files/setup.cmd".into(), "/winpeshl.ini".into()]).collect()
}

#[test]
fn a_stranger_gets_a_loader_and_a_page_and_after_its_approval_everything() {
    let bench = Bench::new();
    let (mut running, listening) = bench.run(&asking(&bench)).unwrap();
    let (http, tftp) = (listening.http_port, listening.tftp_port);
    let contents = contents(&listening);
    let refused = |when: &str| {
        for path in &contents {
            assert_eq!(status(http, path), "403", "{when}: {path}");
            let request = format!("\0\x01{path}\0octet\0");
            let answer = Tftp::ask(tftp, request.as_bytes()).next().0;
            assert_eq!(answer[..4], [0, 5, 0, 2], "{when}: {path}");
        }
        for path in ["/undionly.kpxe", "/boot.ipxe", "/autoexec.ipxe", "/grub/grub.cfg", "/"] {
            assert_eq!(status(http, path), "200", "{when}: {path}");
        }
        assert_eq!(Tftp::ask(tftp, b"\0\x01undionly.kpxe\0octet\0").all(512), pattern(100_000), "{when}");
    };
    refused("before anybody knows it");
    let page = text(http, MENU);
    let code = code_on(&page);
    assert!(page.starts_with("#!ipxe\n") && !page.contains("debian"), "{page}");
    bench.wait(&mut running, |what| {
        matches!(what, What::Service(Note::Waiting { code: told, product: Some(product) })
            if *told == code && product == "OptiPlex")
    });
    refused("while it waits");
    assert_eq!(code_on(&text(http, MENU)), code, "its screen shows the same as before");
    assert_eq!(code_on(&text(http, GRUB)), code, "in GRUB as well");
    let by_tftp = Tftp::ask(tftp, format!("\0\x01{GRUB}\0octet\0").as_bytes()).all(512);
    assert_eq!(code_on(&String::from_utf8(by_tftp).unwrap()), code, "in GRUB by TFTP");
    assert_ne!(text(http, &GRUB.replace("/menu/", "/wait/")), "set bootwright_waits=n\n");
    let start = MENU.replace("menu.ipxe", &format!("start/{}", listening.entries[0].id));
    assert_eq!(status(http, &start), "403", "an entry's start is no page to wait at");
    let Reply::Waiting { asking: true, computers } = ask(&bench, &running, Request::Waiting) else { panic!() };
    assert_eq!((computers.len(), computers[0].mac, computers[0].code), (1, mac(), code));
    let wrong = if code.to_string() == "0000" { "0001" } else { "0000" };
    let which = Which::Code(wrong.parse().unwrap());
    assert!(matches!(ask(&bench, &running, Request::Approve { which }), Reply::Refused { .. }));
    refused("after a wrong code");
    let which = Which::Code(code);
    assert_eq!(ask(&bench, &running, Request::Approve { which }), Reply::Decided { mac: mac() });
    bench.wait(&mut running, |what| *what == What::Service(Note::Approved));
    assert_eq!(text(http, &GRUB.replace("/menu/", "/wait/")), "set bootwright_waits=n\n");
    let menu = text(http, MENU);
    assert!(menu.contains("item ") && !menu.contains("Code "), "{menu}");
    for path in &contents {
        assert_eq!(status(http, path), "200", "{path}");
    }
    assert_eq!(Tftp::ask(tftp, b"\0\x01files/setup.cmd\0octet\0").all(512), b"echo hello\r\n");
}

#[test]
fn an_approval_outlives_a_restart_until_it_is_forgotten() {
    let bench = Bench::new();
    let plan = asking(&bench);
    let (running, listening) = bench.run(&plan).unwrap();
    code_on(&text(listening.http_port, MENU));
    ask(&bench, &running, Request::Approve { which: Which::Mac(mac()) });
    bench.runtime.block_on(running.stop());
    let (running, listening) = bench.run(&plan).unwrap();
    assert!(text(listening.http_port, MENU).contains("item "));
    assert_eq!(engine::approved(&plan.approval_file).unwrap().computers[0].product.as_deref(), Some("OptiPlex"));
    ask(&bench, &running, Request::Forget { mac: mac(), all: true });
    code_on(&text(listening.http_port, MENU));
}

/// Services on two interfaces of one user.
#[test]
fn services_that_share_a_folder_know_what_each_other_approved() {
    let bench = Bench::new();
    let plan = asking(&bench);
    let other = Plan { control_file: bench.path("other.sock"), ..plan.clone() };
    let ((one, _), (two, second)) = (bench.run(&plan).unwrap(), bench.run(&other).unwrap());
    let third: Mac = "52:54:00:77:01:03".parse().unwrap();
    let approve = |mac| Request::Approve { which: Which::Mac(mac) };
    code_on(&text(second.http_port, MENU));
    ask(&bench, &one, approve(mac()));
    ask(&bench, &two, approve(third));
    let kept = |count| {
        let until = std::time::Instant::now() + Duration::from_secs(30);
        loop {
            let kept = engine::approved(&plan.approval_file).unwrap().computers;
            if kept.len() == count {
                return kept.iter().map(|known| known.mac).collect::<Vec<_>>();
            }
            assert!(std::time::Instant::now() < until, "{count} awaited: {kept:?}");
            std::thread::yield_now();
        }
    };
    assert_eq!(kept(2), [mac(), third]);
    bench.runtime.block_on(async {
        one.stop().await;
        two.stop().await;
    });
    let ((mut one, first), (_two, second)) = (bench.run(&plan).unwrap(), bench.run(&other).unwrap());
    ask(&bench, &one, Request::Forget { mac: mac(), all: true });
    assert_eq!(kept(1), [third]);
    for port in [first.http_port, second.http_port] {
        code_on(&text(port, MENU));
    }
    ask(&bench, &one, approve(mac()));
    bench.wait(&mut one, |what| *what == What::Service(Note::Approved));
    assert_eq!(kept(2), [mac(), third]);
    assert!(text(second.http_port, MENU).contains("item "), "the other one hears of it while it waits there");
}

#[test]
fn an_approval_does_not_pretend_to_lift_a_list() {
    let bench = Bench::new();
    let denied = Guests { ask: true, deny: [mac()].into(), ..Guests::default() };
    let listed = Guests { allow: ["52:54:00:77:09:09".parse().unwrap()].into(), ..Guests::default() };
    for (guests, words) in [(denied, "never answered"), (listed, "Only the computers of a list")] {
        let plan = Plan { guests, ..asking(&bench) };
        let (mut running, listening) = bench.run(&plan).unwrap();
        let reply = ask(&bench, &running, Request::Approve { which: Which::Mac(mac()) });
        assert!(matches!(&reply, Reply::Refused { reason } if reason.contains(words)), "{reply:?}");
        bench.wait(
            &mut running,
            |what| matches!(what, What::Service(Note::Warning { sentence }) if sentence.contains(words)),
        );
        assert!(text(listening.http_port, MENU).contains("was refused"));
        assert_eq!(engine::approved(&plan.approval_file).unwrap().computers, []);
    }
}

#[test]
fn a_refused_computer_and_a_denied_one_get_their_own_disk() {
    let bench = Bench::new();
    let open = Plan { guests: Guests::default(), ..asking(&bench) };
    for (plan, decision) in [
        (asking(&bench), Request::Refuse { which: Which::Mac(mac()) }),
        (open, Request::Answer { mac: mac(), again: false }),
    ] {
        let (running, listening) = bench.run(&plan).unwrap();
        let port = listening.http_port;
        assert_eq!(text(port, MENU).contains("Code "), plan.guests.ask, "it is known by that");
        ask(&bench, &running, decision.clone());
        let page = text(port, MENU);
        assert!(page.contains("was refused") && page.contains("goto local\n") && !page.contains("Code "), "{page}");
        assert!(text(port, GRUB).contains("was refused"));
        assert_eq!((status(port, "/files/setup.cmd").as_str(), status(port, "/boot.ipxe").as_str()), ("403", "200"));
        ask(&bench, &running, Request::Answer { mac: mac(), again: true });
        ask(&bench, &running, Request::Approve { which: Which::Mac(mac()) });
        assert_eq!(status(port, "/files/setup.cmd"), "200", "{decision:?}");
    }
}

#[test]
fn a_list_of_those_who_may_counts_for_files_as_well() {
    let bench = Bench::new();
    for (named, page, file) in [(mac(), "item ", "200"), ("52:54:00:77:09:09".parse().unwrap(), "was refused", "403")] {
        let guests = Guests { allow: [named].into(), ..Guests::default() };
        let (_running, listening) = bench.run(&Plan { guests, ..asking(&bench) }).unwrap();
        let port = listening.http_port;
        assert_eq!(status(port, "/files/setup.cmd"), "403", "nobody knows who that is");
        assert!(text(port, MENU).contains(page));
        assert_eq!((status(port, "/files/setup.cmd").as_str(), status(port, "/boot.ipxe").as_str()), (file, "200"));
    }
}

#[test]
fn who_may_boot_changes_while_serving() {
    let bench = Bench::new();
    let plan = Plan { guests: Guests::default(), ..asking(&bench) };
    let (mut running, listening) = bench.run(&plan).unwrap();
    let port = listening.http_port;
    assert!(text(port, MENU).contains("item "), "everybody may");
    let guests = Guests { ask: true, ..Guests::default() };
    assert_eq!(ask(&bench, &running, Request::Guests { guests }), Reply::Done);
    bench.wait(&mut running, |what| matches!(what, What::Service(Note::Guests { ask: true, allowed: 0, denied: 0 })));
    code_on(&text(port, MENU));
    assert_eq!(status(port, "/files/setup.cmd"), "403");
    let guests = Guests { ask: true, allow: [mac()].into(), ..Guests::default() };
    ask(&bench, &running, Request::Guests { guests });
    assert!(text(port, MENU).contains("item "), "it is named");
    assert_eq!(status(port, "/files/setup.cmd"), "200");
}
