//! `bootwright interfaces`: the interfaces of this machine.

use super::{Status, out, out_json};
use crate::net::interface::{self, Interface, Kind};

pub(super) fn run(json: bool) -> Status {
    let all = interface::list();
    if json {
        out_json(&all);
    } else {
        let width = all.iter().map(|interface| interface.name.len()).max().unwrap_or(0);
        out(&all.iter().map(|interface| line(interface, width)).collect::<String>());
    }
    Status::Done
}

fn line(interface: &Interface, width: usize) -> String {
    let kind = match interface.kind {
        Kind::Wired => "wired",
        Kind::Wifi => "Wi-Fi",
        Kind::Virtual => "virtual",
        Kind::Bridge => "bridge",
        Kind::Vpn => "VPN",
        Kind::Loopback => "loopback",
    };
    let link = if interface.link { "link" } else { "no link" };
    let addresses: Vec<String> = interface.addresses.iter().map(ToString::to_string).collect();
    let addresses = if addresses.is_empty() { "no IPv4 address".to_owned() } else { addresses.join(", ") };
    let speed = interface.speed_mbps.map(|speed| format!("  {speed} Mbit/s")).unwrap_or_default();
    let mac = interface.mac.map(|mac| format!("  {mac}")).unwrap_or_default();
    let friendly = Some(&interface.friendly_name).filter(|name| **name != interface.name);
    let friendly = friendly.map(|name| format!("  ({name})")).unwrap_or_default();
    format!("{:<width$}  {kind:<8}  {link:<7}  {addresses}{speed}{mac}{friendly}\n", interface.name)
}
