//! An IPv4 address that an interface has for a while. Done by `ip`, which knows all that routes and broadcasts need.

use std::fs;
use std::path::Path;

use ipnet::Ipv4Net;

use super::programs::run;
use crate::net::Interface;

/// An address that is on an interface because of us.
#[derive(Debug)]
pub(super) struct Given {
    interface: String,
    address: String,
    /// Whether the interface was switched off before.
    was_down: bool,
}

impl Given {
    /// Switches the interface on and adds the address. An error is what `ip` said, and leaves everything as it was.
    pub(super) async fn give(interface: &Interface, address: Ipv4Net) -> Result<Given, String> {
        let was_down = !is_up(&interface.name);
        let given = Given { interface: interface.name.clone(), address: address.to_string(), was_down };
        let name = given.interface.as_str();
        if was_down {
            ip(&["link", "set", "dev", name, "up"]).await?;
        }
        match ip(&["addr", "add", &given.address, "brd", "+", "dev", name]).await {
            Ok(()) => Ok(given),
            Err(reason) => {
                given.switch_off().await;
                Err(reason)
            }
        }
    }

    /// Takes it away again. What does not work any more, since the interface is gone for example, needs no undoing.
    pub(super) async fn take_away(self) {
        let _ = ip(&["addr", "del", &self.address, "dev", &self.interface]).await;
        self.switch_off().await;
    }

    async fn switch_off(&self) {
        if self.was_down {
            let _ = ip(&["link", "set", "dev", &self.interface, "down"]).await;
        }
    }
}

/// Whether the interface is switched on, with or without a carrier.
fn is_up(name: &str) -> bool {
    let flags = fs::read_to_string(Path::new("/sys/class/net").join(name).join("flags"));
    let flags = flags.ok().and_then(|flags| u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16).ok());
    flags.is_some_and(|flags| flags & 1 == 1)
}

async fn ip(arguments: &[&str]) -> Result<(), String> {
    run("ip", arguments).await.map(drop)
}
