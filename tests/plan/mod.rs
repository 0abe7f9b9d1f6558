//! The plan that tests of the engine begin with: a new field of [`Plan`] gets its value here, for all of them.
#![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

use std::path::Path;

use bootwright::boot::loader::Preference;
use bootwright::boot::menu::Default as Choice;
use bootwright::deployment::{DhcpPlan, Plan, Ports};
use bootwright::dhcp::Guests;

/// Serves nothing on loopback, by ports of the system's choice. Loaders are looked for in this folder alone, and what is
/// kept lies in its folder `state`, which is not there yet.
pub(crate) fn on_loopback(folder: &Path) -> Plan {
    let loopback = bootwright::net::interface::list().pop().expect("an interface");
    let state = |name: &str| folder.join("state").join(name);
    Plan {
        interface: loopback.name.clone(),
        network: loopback.network().expect("an address of loopback"),
        dhcp: DhcpPlan::Off,
        guests: Guests::default(),
        images: vec![],
        default: Choice::Local,
        menu_timeout: 30,
        append: String::new(),
        edits: vec![],
        once: Default::default(),
        once_file: state("once.json"),
        answers: Default::default(),
        names_file: state("host-names.json"),
        preference: Preference::Auto,
        ladder_file: state("loaders.json"),
        control_file: state("control.sock"),
        approval_file: state("approved.json"),
        records: Default::default(),
        own_loaders: Some(folder.to_path_buf()),
        loaders: vec![],
        files: None,
        ports: Ports { dhcp: 0, pxe: 0, tftp: 0, http: Some(0) },
    }
}
