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

use lab::{Host, Lab, SERVER, Server, loaders, must, ready};

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
