//! Real clients against `bootwright serve`: curl, tftp-hpa, atftp, dhclient, udhcpc, each in a namespace of its own.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod disc;
mod lab;

use std::path::Path;
use std::time::{Duration, Instant};

use lab::{Host, Lab, Process, SERVER, Server, ask_for_routers, loaders, must, ready};

const FULL: [&str; 4] = ["--dhcp", "full", "--range", "10.77.0.100-10.77.0.110"];

fn sh(host: &Host, line: &str) -> String {
    let output = host.sh(line);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{line}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// Gets a lease with udhcpc, without configuring anything, and returns the address.
fn udhcpc(host: &Host, options: &str) -> Option<String> {
    let output = host.sh(&format!("udhcpc -i eth0 -n -q -f -t 3 -T 2 -s /bin/true {options} 2>&1"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, rest) = text.split_once("lease of ")?;
    rest.split_whitespace().next().map(str::to_owned)
}

#[test]
fn curl_gets_whole_files_parts_and_resumes() {
    if !ready("curl", &["curl"]) {
        return;
    }
    let lab = Lab::new();
    let image = lab.path("big.iso");
    disc::with_big_file(&image);
    std::fs::create_dir(lab.path("files")).unwrap();
    std::fs::write(lab.path("files/a b.txt"), "hello").unwrap();
    let options = ["--image", image.to_str().unwrap(), "--files", lab.folder.path().join("files").to_str().unwrap()]
        .map(str::to_owned);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let server = Server::start(&lab, &lab.server(), &options);
    let client = lab.host("c", Some("10.77.0.50/24"));
    let out = lab.path("out");
    let out = out.to_str().unwrap();
    let loader = std::fs::read(loaders().join("undionly.kpxe")).unwrap();
    let base = format!("http://{SERVER}");
    sh(&client, &format!("curl -sSf -o {out} {base}/undionly.kpxe"));
    assert_eq!(std::fs::read(out).unwrap(), loader);
    // Broken off in the middle, and gone on with.
    std::fs::write(out, &loader[..1000]).unwrap();
    sh(&client, &format!("curl -sSf -C - -o {out} {base}/undionly.kpxe"));
    assert_eq!(std::fs::read(out).unwrap(), loader);
    assert_eq!(sh(&client, &format!("curl -sSf '{base}/files/a%20b.txt'")), "hello");
    let head = sh(&client, &format!("curl -sSfI {base}/image/image/BIG.BIN"));
    assert!(
        head.contains(&format!("Content-Length: {}", disc::BIG))
            || head.contains(&format!("content-length: {}", disc::BIG)),
        "{head}"
    );
    for (offset, text) in disc::MARKS {
        let range = format!("{offset}-{}", offset + text.len() as u64 - 1);
        assert_eq!(sh(&client, &format!("curl -sSf -r {range} {base}/image/image/BIG.BIN")), text);
    }
    let status = sh(&client, &format!("curl -s -o /dev/null -w '%{{http_code}}' {base}/nothing"));
    assert_eq!(status, "404");
    let line = server.wait("the download", |line| line["event"] == "http-done" && line["file"] == "undionly.kpxe");
    assert_eq!((line["bytes"].as_u64(), line["ip"].as_str()), (Some(loader.len() as u64), Some("10.77.0.50")));
    server.stop();
}

#[test]
fn tftp_clients_get_whole_files() {
    if !ready("tftp", &["tftp", "atftp"]) {
        return;
    }
    let lab = Lab::new();
    let server = Server::start(&lab, &lab.server(), &[]);
    let client = lab.host("c", Some("10.77.0.50/24"));
    let out = lab.path("out");
    let loader = std::fs::read(loaders().join("ipxe.efi")).unwrap();
    for line in [
        format!("tftp -m binary {SERVER} -c get ipxe.efi {}", out.display()),
        format!("atftp --get --remote-file ipxe.efi --local-file {} {SERVER}", out.display()),
        format!("atftp --option 'blksize 1428' --option 'tsize' --get -r ipxe.efi -l {} {SERVER}", out.display()),
        format!(
            "atftp --option 'blksize 1428' --option 'windowsize 8' --get -r ipxe.efi -l {} {SERVER}",
            out.display()
        ),
    ] {
        let _ = std::fs::remove_file(&out);
        sh(&client, &line);
        assert_eq!(std::fs::read(&out).unwrap_or_default(), loader, "{line}");
    }
    let missing = client.sh(&format!("tftp -m binary {SERVER} -c get nothing {}", out.display()));
    let said = String::from_utf8_lossy(&[missing.stdout, missing.stderr].concat()).into_owned();
    assert!(said.contains("file not found"), "{said}");
    server.stop();
}

#[test]
fn dhclient_and_udhcpc_get_renew_and_give_back_addresses() {
    if !ready("dhcp", &["dhclient", "udhcpc"]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    let server = Server::start(&lab, &host, &FULL);
    let (one, two) = (lab.host("c", None), lab.host("d", None));
    let first = udhcpc(&one, "").expect("a lease");
    assert!(first.starts_with("10.77.0.10"), "{first}");
    assert_eq!(udhcpc(&one, "").as_ref(), Some(&first), "the same one again");
    let files = format!("-lf {0}/lease -pf {0}/pid -sf /bin/true", lab.folder.path().display());
    sh(&two, &format!("dhclient -1 -v {files} eth0 2>&1"));
    let lease = std::fs::read_to_string(lab.path("lease")).unwrap();
    assert!(lease.contains("fixed-address 10.77.0.1") && !lease.contains(&first), "{lease}");
    assert!(lease.contains("option subnet-mask 255.255.255.0") && lease.contains("dhcp-server-identifier 10.77.0.1"));
    // A lease is known after a restart: nobody else gets the address, and its owner gets it again.
    server.stop();
    let server = Server::start(&lab, &host, &FULL);
    let three = lab.host("e", None);
    let third = udhcpc(&three, "").expect("a lease");
    assert!(third != first && !lease.contains(&third), "{third}");
    assert_eq!(udhcpc(&one, "").as_ref(), Some(&first));
    // The release goes by unicast, for which the address must be there.
    let (_, own) = lease.split_once("fixed-address ").unwrap();
    let own = own.split(';').next().unwrap().to_owned();
    two.ip(&format!("addr add {own}/24 dev eth0"));
    sh(&two, &format!("dhclient -r {files} eth0 2>&1"));
    server.wait("the release", |line| line["event"] == "released");
    server.stop();
}

#[test]
fn an_address_that_a_machine_uses_is_not_handed_out() {
    if !ready("squatter", &["udhcpc"]) {
        return;
    }
    let lab = Lab::new();
    let server_host = lab.server();
    let _squatter = lab.host("q", Some("10.77.0.100/24"));
    let server = Server::start(&lab, &server_host, &FULL);
    let client = lab.host("c", None);
    assert_eq!(udhcpc(&client, "").as_deref(), Some("10.77.0.101"));
    let told = server.wait("the squatter", |line| line["event"] == "address-in-use");
    assert_eq!(told["address"], "10.77.0.100");
    // One that comes up later, on the very address that is asked for.
    let late = lab.host("l", Some("10.77.0.105/24"));
    let other = lab.host("d", None);
    let given = udhcpc(&other, "-r 10.77.0.105").expect("a lease");
    assert_ne!(given, "10.77.0.105");
    drop(late);
    server.stop();
}

#[test]
fn only_the_chosen_interface_is_heard_and_answered() {
    if !ready("interfaces", &["udhcpc", "curl", "tftp"]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    // A second link of the same machine, and the default route through it: where answers would go without care.
    let other = lab.host("x", None);
    other.ip("link del eth0");
    host.ip(&format!("link add eth1 type veth peer name eth0 netns {}", other.name));
    host.ip("addr add 10.88.0.1/24 dev eth1");
    host.ip("link set eth1 up");
    other.ip("addr add 10.88.0.2/24 dev eth0");
    other.ip("link set eth0 up");
    host.ip("route add default via 10.88.0.2 dev eth1");
    let server = Server::start(&lab, &host, &FULL);
    assert_eq!(udhcpc(&other, ""), None, "no lease on the other link");
    other.ip("route add default via 10.88.0.1 dev eth0");
    for address in ["10.88.0.1", SERVER] {
        let status = other.sh(&format!("curl -s -m 2 -o /dev/null http://{address}/undionly.kpxe")).status;
        assert!(!status.success(), "{address} answered on the other link");
        let out = lab.path("out");
        let _ = std::fs::remove_file(&out);
        other.sh(&format!("timeout 3 tftp -m binary {address} -c get undionly.kpxe {}", out.display()));
        assert_eq!(std::fs::metadata(&out).map_or(0, |file| file.len()), 0, "{address} sent a file on the other link");
    }
    let client = lab.host("c", None);
    assert!(udhcpc(&client, "").is_some(), "the chosen link is served");
    let heard: Vec<_> = server.lines().into_iter().filter(|line| line["event"] == "asked").collect();
    let own = must(client.command("cat").arg("/sys/class/net/eth0/address"));
    assert!(heard.iter().all(|line| line["mac"] == own.trim()), "{heard:#?}");
    server.stop();
}

#[test]
fn denied_computers_get_nothing() {
    if !ready("lists", &["udhcpc"]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    let client = lab.host("c", None);
    let mac = must(client.command("cat").arg("/sys/class/net/eth0/address"));
    let options = [FULL.as_slice(), &["--deny", mac.trim()]].concat();
    let server = Server::start(&lab, &host, &options);
    assert_eq!(udhcpc(&client, ""), None);
    let told = server.wait("the silence", |line| line["event"] == "ignored");
    assert_eq!(told["reason"], "not-allowed");
    server.stop();
}

#[test]
fn leases_lie_in_one_readable_file() {
    if !ready("lease file", &["udhcpc"]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    let file = lab.path("own/leases.json");
    let options = [FULL.as_slice(), &["--lease-file", file.to_str().unwrap()]].concat();
    let server = Server::start(&lab, &host, &options);
    let client = lab.host("c", None);
    let address = udhcpc(&client, "").expect("a lease");
    server.stop();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(&address) && text.contains("\"version\": 1"), "{text}");
    std::fs::write(&file, "spoiled").unwrap();
    let server = Server::start(&lab, &host, &options);
    let warning = server.wait("a warning", |line| line["event"] == "leases-set-aside");
    assert!(warning["text"].as_str().unwrap().contains("leases.json.unreadable"), "{warning}");
    assert_eq!(std::fs::read_to_string(Path::new(&format!("{}.unreadable", file.display()))).unwrap(), "spoiled");
    server.stop();
}

/// Sends and bridges frames with 802.1Q tags, by packet sockets: not every kernel that runs this has VLAN devices.
const TAGS: &str = r#"
import fcntl, os, select, socket, struct, sys
ETH_ALL, TUNSETIFF, TAP_NO_INFO = 3, 0x400454ca, 0x1002
def link(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_ALL))
    s.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA: the kernel takes tags out and tells them beside the frame
    s.bind((name, 0))
    return s
def mac(name):
    return bytes.fromhex(open(f'/sys/class/net/{name}/address').read().strip().replace(':', ''))
def tagged(tag, to, sender, kind, payload):
    return to + sender + struct.pack('!HHH', 0x8100, tag, kind) + payload
def discover(sender):
    dhcp = b'\x01\x01\x06\0\xca\xfe\0\x01\0\0\x80\0' + bytes(16) + sender + bytes(202)
    dhcp += bytes([99, 130, 83, 99, 53, 1, 1, 60, 9]) + b'PXEClient' + bytes([93, 2, 0, 0, 255])
    udp = struct.pack('!HHHH', 68, 67, 8 + len(dhcp), 0) + dhcp
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, bytes(4), b'\xff' * 4)
    total = sum(struct.unpack('!10H', head))
    check = ~((total & 0xffff) + (total >> 16)) & 0xffff
    return head[:10] + struct.pack('!H', check) + head[12:] + udp
def arp(sender, address):
    return struct.pack('!HHBBH', 1, 0x0800, 6, 4, 2) + sender + address + b'\xff' * 6 + address
def bridge(trunk, name, tag, mark):
    device = os.open('/dev/net/tun', os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack('16sH22x', name.encode(), TAP_NO_INFO))
    wire = link(trunk)
    os.system(f'ip link set {name} address {mac(trunk).hex(":")} up; ip link set {trunk} promisc on')
    open(mark, 'w').close()
    while True:
        ready, _, _ = select.select([device, wire], [], [])
        if device in ready:
            frame = os.read(device, 2048)
            wire.send(frame[:12] + struct.pack('!HH', 0x8100, tag) + frame[12:])
        if wire in ready:
            frame, beside, _, address = wire.recvmsg(2048, 256)
            told = [struct.unpack('IIIHHHH', data)[5] for level, kind, data in beside if (level, kind) == (263, 8)
                    and struct.unpack('IIIHHHH', data)[0] & 16]
            if address[2] != 4 and told == [tag]:
                os.write(device, frame)
"#;

/// Runs lines of Python in a namespace that know how to tag.
fn tag(host: &Host, lines: &str) {
    must(host.command("python3").args(["-c", &format!("{TAGS}\n{lines}")]));
}

/// A device for the frames with this tag, as `ip link add link eth0 name eth0.10 type vlan id 10` makes it.
fn vlan(lab: &Lab, host: &Host, tag: u16) -> Process {
    let mark = lab.path(&format!("vlan-{}", host.name));
    let lines = format!("{TAGS}\nbridge('eth0', 'eth0.{tag}', {tag}, '{}')", mark.display());
    let process = Process::start(host.command("python3").args(["-c", &lines]));
    let until = Instant::now() + Duration::from_secs(10);
    while !mark.exists() {
        assert!(Instant::now() < until, "no device for tagged frames");
        std::thread::sleep(Duration::from_millis(20));
    }
    process
}

/// A client of another VLAN gets nothing, and disturbs nobody; tag 0 is a priority and no VLAN (IEEE 802.1Q section 9.6),
/// which some firmware sets.
#[test]
fn tagged_frames_are_of_another_network_unless_the_tag_is_a_priority() {
    if !ready("tagged frames", &["udhcpc", "python3"]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    let server = Server::start(&lab, &host, &FULL);
    let (tagging, plain) = (lab.host("t", None), lab.host("c", None));
    // 10.77.0.100 is the first address of the range: in VLAN 10 somebody has it, which is no matter here.
    tag(
        &tagging,
        "s = link('eth0')\n\
         s.send(tagged(10, b'\\xff' * 6, mac('eth0'), 0x0800, discover(mac('eth0'))))\n\
         s.send(tagged(10, b'\\xff' * 6, mac('eth0'), 0x0806, arp(mac('eth0'), bytes([10, 77, 0, 100]))))",
    );
    assert_eq!(udhcpc(&plain, "").as_deref(), Some("10.77.0.100"));
    let own = must(tagging.command("cat").arg("/sys/class/net/eth0/address"));
    assert_eq!(server.about(own.trim()), [] as [serde_json::Value; 0], "VLAN 10 is heard");
    assert!(server.lines().iter().all(|line| line["event"] != "address-in-use"));
    tag(&tagging, "link('eth0').send(tagged(0xa000, b'\\xff' * 6, mac('eth0'), 0x0800, discover(mac('eth0'))))");
    let offer = server.wait("an offer to priority 5", |line| line["event"] == "offered" && line["mac"] == own.trim());
    assert_eq!(offer["boot"]["file"], "undionly.kpxe");
    server.stop();
}

#[test]
fn a_vlan_is_served_on_its_own_interface_and_nowhere_else() {
    if !ready("VLAN", &["udhcpc", "python3"]) {
        return;
    }
    let lab = Lab::new();
    let (host, client, plain) = (lab.server(), lab.host("c", None), lab.host("d", None));
    let _devices = [vlan(&lab, &host, 10), vlan(&lab, &client, 10)];
    host.ip("addr add 10.78.0.1/24 dev eth0.10");
    let mut serve = host.command(lab::program());
    serve.args(["serve", "--interface", "eth0.10", "--dhcp", "full", "--range", "10.78.0.100-10.78.0.110"]);
    serve.arg("--loaders").arg(loaders()).arg("--state-dir").arg(lab.path("vlan-state"));
    let _server = Process::start(serve.stdout(std::process::Stdio::null()));
    let on = |host: &Host, device: &str| {
        let output = host.sh(&format!("udhcpc -i {device} -n -q -f -t 3 -T 2 -s /bin/true 2>&1"));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let until = Instant::now() + Duration::from_secs(30);
    let mut said = on(&client, "eth0.10");
    while !said.contains("lease of 10.78.0.100 obtained") {
        assert!(Instant::now() < until, "{said}");
        said = on(&client, "eth0.10");
    }
    let said = on(&plain, "eth0");
    assert!(!said.contains("lease of"), "{said}");
}

#[test]
fn who_asks_for_ipv6_routers_is_told_that_there_is_none() {
    if !ready("routers", &["python3", "curl"]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    let client = lab.host("c", Some("10.77.0.50/24"));
    let mac = must(client.command("cat").arg("/sys/class/net/eth0/address"));
    let mac = mac.trim();
    let url = format!("http://{SERVER}/undionly.kpxe");
    let ask = || ask_for_routers(&client, &["curl", "-sSf", "-o", "/dev/null", &url]);
    // IPv6 is off on both sides here, as network managers have it on interfaces that they do not use.
    let server = Server::start(&lab, &host, &FULL);
    let own = must(host.command("cat").arg("/sys/class/net/eth0/address")).trim().replace(':', "");
    let told = ask();
    for line in told.lines() {
        assert!(line.starts_with(&mac.replace(':', "")) && line.ends_with(" good"), "to that computer alone: {line}");
        // IPv6 with hop limit 255, from our link-local address; an advertisement of zeros but for its checksum.
        let sender = format!("fe8000000000000050{}fffe{}", &own[2..6], &own[6..]);
        assert_eq!(&line[40..76], format!("3aff{sender}"), "{line}");
        assert_eq!(&line[108..112], "8600", "{line}");
        assert_eq!(&line[116..156], format!("{:024}0101{own}", 0), "nothing is offered: {line}");
        assert_eq!(line.len(), "good".len() + 157, "and nothing more: {line}");
    }
    assert_eq!(told.lines().count(), 2, "{told}");
    server.wait("what it was told", |line| line["event"] == "no-router" && line["mac"] == mac);
    server.stop();
    let file = lab.path("off.toml");
    std::fs::write(&file, "router-advertisement = 'off'\n").unwrap();
    let silent: [&[&str]; 5] = [
        &["--dhcp", "proxy", "--router-advertisement", "on"],
        &["--dhcp", "off"],
        &["--dhcp", "full", "--router-advertisement", "off"],
        &["--dhcp", "full", "--deployment", file.to_str().unwrap()],
        &["--dhcp", "full", "--deny", mac],
    ];
    for options in silent {
        let server = Server::start(&lab, &host, options);
        assert_eq!(ask(), "", "{options:?}");
        server.wait("the download", |line| line["event"] == "http-done" && line["ip"] == "10.77.0.50");
        let told = server.lines().into_iter().find(|line| line["event"] == "no-router");
        assert_eq!(told, None, "{options:?}");
        server.stop();
    }
}
