//! Programs that are known to hold the ports of booting: what each is, and how that one is stopped. Pure: a table from
//! program and port to a sentence.

use crate::net::ports::{Holder, Transport};
use crate::text;

/// The system whose commands are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum System {
    Linux,
    MacOs,
    Windows,
}

impl System {
    /// This computer's.
    pub(super) const HERE: System = match () {
        () if cfg!(target_os = "macos") => System::MacOs,
        () if cfg!(windows) => System::Windows,
        () => System::Linux,
    };
}

/// What is known of a program that holds a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// What it is, as a sentence; empty where its name says it all.
    pub(super) what: String,
    /// How it is stopped, as a sentence.
    pub(super) step: String,
    /// The system's service that can be stopped for as long as we serve, where it is one.
    pub(super) service: Option<String>,
}

/// Services that are stopped for somebody who asks for it: servers that do the same as we do. Nothing that other parts of
/// the system rest on is among them.
const STOPPABLE: [&str; 18] = [
    "dnsmasq.service",
    "isc-dhcp-server.service",
    "dhcpd.service",
    "kea-dhcp4-server.service",
    "kea-dhcp4.service",
    "tftpd-hpa.service",
    "atftpd.service",
    "tftp.service",
    "nginx.service",
    "apache2.service",
    "httpd.service",
    "lighttpd.service",
    "caddy.service",
    "xinetd.service",
    "inetutils-inetd.service",
    "tftp.socket",
    "tftpd.socket",
    "atftpd.socket",
];

/// Services that start others, which go on when these are stopped.
const STARTERS: [&str; 3] = ["xinetd.service", "inetutils-inetd.service", "openbsd-inetd.service"];

/// Whether a service may be stopped while we serve.
pub(super) fn may_stop(unit: &str) -> bool {
    STOPPABLE.contains(&unit)
}

/// What is known of whoever holds a port, and how that one is stopped.
pub(super) fn known(holder: &Holder, system: System, transport: Transport, port: u16) -> Known {
    let told = match system {
        System::Linux => linux(holder, port),
        System::MacOs => macos(holder, port),
        System::Windows => windows(holder, transport, port),
    };
    let (what, step) = told.unwrap_or_else(|| (String::new(), otherwise(holder, system)));
    let stops = |unit: &String| system == System::Linux && may_stop(unit) && !is_left_behind(&holder.program, unit);
    let service = holder.unit.clone().filter(stops);
    Known { what, step, service }
}

/// Whether a server was started by another one, and is not stopped with it: TFTP's waits for more questions for some minutes.
fn is_left_behind(program: &str, unit: &str) -> bool {
    program == "in.tftpd" && STARTERS.contains(&unit)
}

/// How whoever holds a port is found out where the system did not tell us.
pub(super) fn listing(system: System, transport: Transport, port: u16) -> String {
    match (system, transport) {
        (System::Linux, Transport::Udp) => format!("sudo ss -lunp sport = {port}"),
        (System::Linux, Transport::Tcp) => format!("sudo ss -ltnp sport = {port}"),
        (System::MacOs, _) => format!("sudo lsof -nP -i{transport}:{port}"),
        (System::Windows, _) => format!("netstat -abno -p {transport} | findstr :{port}"),
    }
}

fn linux(holder: &Holder, port: u16) -> Option<(String, String)> {
    let unit = holder.unit.as_deref().unwrap_or_default();
    let stop = |fallback: &str| {
        let unit = if unit.is_empty() { fallback } else { unit };
        format!("Stop it with sudo systemctl stop {}.", text::plain(unit.trim_end_matches(".service"), 60))
    };
    let told = |what: &str, step: String| Some((what.to_owned(), step));
    // The kernel keeps the first fifteen letters of a name.
    match (holder.program.as_str(), unit) {
        ("dnsmasq", "libvirtd.service" | "virtnetworkd.service") => told(
            "It gives addresses to the virtual machines of libvirt.",
            "Stop that network with sudo virsh net-destroy default; sudo virsh net-list names it if it is another."
                .into(),
        ),
        ("dnsmasq", "NetworkManager.service") => told(
            "NetworkManager runs it for a connection that is shared.",
            "Switch sharing off with nmcli connection down NAME; nmcli connection show --active lists the names."
                .into(),
        ),
        ("dnsmasq", "lxc-net.service") => told("It gives addresses to containers.", stop("lxc-net")),
        ("dnsmasq", unit) if ["lxd", "incus"].iter().any(|name| unit.contains(name)) => told(
            "It gives addresses to containers and virtual machines.",
            "Stop its network's DHCP with incus network set NAME ipv4.dhcp false, or lxc instead of incus.".into(),
        ),
        ("dnsmasq", _) => told("It is a DHCP, TFTP and name server.", stop("dnsmasq")),
        ("systemd-network", _) => told(
            "It is systemd-networkd, whose own DHCP server is switched on.",
            "Set DHCPServer=no in its file below /etc/systemd/network, then sudo networkctl reload.".into(),
        ),
        ("systemd-resolve", _) => told("It is systemd-resolved, which looks up names.", stop("systemd-resolved")),
        ("systemd", unit) if unit.ends_with(".socket") => {
            told("The system listens there for a service that is started by the first question.", stop(unit))
        }
        ("systemd", _) => told(
            "The system listens there for a service that is started by the first question.",
            format!(
                "Find it with systemctl list-sockets | grep :{port}, and stop that socket with sudo systemctl stop."
            ),
        ),
        ("dhcpd", _) => told("It is the ISC DHCP server.", stop("isc-dhcp-server")),
        (program, _) if program.starts_with("kea-dhcp4") => {
            told("It is the Kea DHCP server.", stop("kea-dhcp4-server"))
        }
        (program, unit) if is_left_behind(program, unit) => told(
            "It is a TFTP server, which goes on when whoever started it is stopped.",
            otherwise(holder, System::Linux),
        ),
        ("in.tftpd", _) => told("It is a TFTP server.", stop("tftpd-hpa")),
        ("atftpd", _) => told("It is a TFTP server.", stop("atftpd")),
        ("xinetd", _) => told("It starts servers when somebody asks for them.", stop("xinetd")),
        ("inetd" | "inetutils-inetd" | "openbsd-inetd", _) => told(
            "It starts servers when somebody asks for them.",
            "Put a # before the line of tftp in /etc/inetd.conf, then sudo pkill -HUP inetd.".into(),
        ),
        ("nginx", _) => told("It is a web server.", stop("nginx")),
        ("apache2", _) => told("It is a web server.", stop("apache2")),
        ("httpd", _) => told("It is a web server.", stop("httpd")),
        ("lighttpd", _) => told("It is a web server.", stop("lighttpd")),
        ("caddy", _) => told("It is a web server.", stop("caddy")),
        ("docker-proxy" | "rootlessport", _) => told(
            "It passes the port on to a container.",
            format!("Find it with docker ps --filter publish={port}, and stop it with docker stop."),
        ),
        ("bootwright", _) => told("Another Bootwright serves already.", ours(holder)),
        (_, unit) if unit.ends_with(".service") => told("", stop(unit)),
        _ => None,
    }
}

fn macos(holder: &Holder, port: u16) -> Option<(String, String)> {
    let told = |what: &str, step: &str| Some((what.to_owned(), step.to_owned()));
    match (holder.program.as_str(), port) {
        ("bootpd", _) | ("launchd", 67) => told(
            "It is Internet Sharing, which gives addresses.",
            "Switch Internet Sharing off in System Settings, under General and Sharing.",
        ),
        ("tftpd", _) | ("launchd", 69) => told(
            "It is the TFTP server of macOS.",
            "Stop it with sudo launchctl unload -F /System/Library/LaunchDaemons/tftp.plist.",
        ),
        ("httpd", _) => told("It is the web server of macOS.", "Stop it with sudo apachectl stop."),
        ("nginx", _) => told("It is a web server.", "Stop it with brew services stop nginx."),
        ("caddy", _) => told("It is a web server.", "Stop it with caddy stop."),
        ("dnsmasq", _) => told("It is a DHCP and name server.", "Stop it with sudo brew services stop dnsmasq."),
        ("bootwright", _) => Some(("Another Bootwright serves already.".to_owned(), ours(holder))),
        _ => None,
    }
}

fn windows(holder: &Holder, transport: Transport, port: u16) -> Option<(String, String)> {
    let told = |what: &str, step: &str| Some((what.to_owned(), step.to_owned()));
    let program = holder.program.to_ascii_lowercase();
    match (program.trim_end_matches(".exe"), transport, port) {
        ("wdsserver", ..) | ("svchost", Transport::Udp, 69 | 4011) => {
            told("It is Windows Deployment Services.", "Stop it as administrator with net stop WDSServer.")
        }
        ("svchost", Transport::Udp, 67) => told(
            "It is Internet Connection Sharing, the DHCP server of Windows, or Windows Deployment Services.",
            "Stop it as administrator with net stop SharedAccess, net stop DHCPServer or net stop WDSServer.",
        ),
        ("system" | "w3wp" | "inetinfo", Transport::Tcp, _) => told(
            "It is the web server of Windows (IIS), or a program that uses it.",
            "Stop it as administrator with net stop W3SVC; netsh http show servicestate names other programs.",
        ),
        ("tftpd64" | "tftpd32", ..) => told("It is a TFTP and DHCP server.", "Close its window."),
        ("nginx", ..) => told("It is a web server.", "Stop it with nginx -s quit."),
        ("caddy", ..) => told("It is a web server.", "Stop it with caddy stop."),
        ("bootwright", ..) => Some(("Another Bootwright serves already.".to_owned(), ours(holder))),
        _ => None,
    }
}

fn ours(holder: &Holder) -> String {
    format!("Stop serving there; it is process {}.", holder.pid)
}

fn otherwise(holder: &Holder, system: System) -> String {
    match system {
        System::Linux | System::MacOs => format!("Stop it, with sudo kill {} for example.", holder.pid),
        System::Windows => format!("Stop it, as administrator with taskkill /PID {} for example.", holder.pid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(program: &str, unit: &str) -> Holder {
        Holder { program: program.into(), pid: 7, unit: Some(unit.to_owned()).filter(|unit| !unit.is_empty()) }
    }

    #[test]
    fn each_known_program_is_told_with_its_own_command() {
        use System::{Linux, MacOs, Windows};
        use Transport::{Tcp, Udp};
        let cases = [
            (held("dnsmasq", ""), Linux, Udp, 67, "name server", "sudo systemctl stop dnsmasq."),
            (held("dnsmasq", "libvirtd.service"), Linux, Udp, 67, "libvirt", "virsh net-destroy default"),
            (held("dnsmasq", "NetworkManager.service"), Linux, Udp, 67, "NetworkManager", "nmcli connection down"),
            (held("dnsmasq", "snap.lxd.daemon.service"), Linux, Udp, 67, "containers", "ipv4.dhcp false"),
            (held("dnsmasq", "lxc-net.service"), Linux, Udp, 67, "containers", "systemctl stop lxc-net."),
            (held("dnsmasq", "pihole-FTL.service"), Linux, Udp, 67, "name server", "systemctl stop pihole-FTL."),
            (held("systemd-network", ""), Linux, Udp, 67, "systemd-networkd", "DHCPServer=no"),
            (held("systemd-resolve", ""), Linux, Udp, 53, "looks up names", "systemctl stop systemd-resolved."),
            (held("systemd", "init.scope"), Linux, Udp, 69, "first question", "list-sockets | grep :69"),
            (held("systemd", "tftp.socket"), Linux, Udp, 69, "first question", "sudo systemctl stop tftp.socket."),
            (held("in.tftpd", "xinetd.service"), Linux, Udp, 69, "TFTP", "sudo kill 7"),
            (held("dhcpd", ""), Linux, Udp, 67, "ISC DHCP", "systemctl stop isc-dhcp-server."),
            (held("kea-dhcp4", "kea-dhcp4.service"), Linux, Udp, 67, "Kea", "systemctl stop kea-dhcp4."),
            (held("in.tftpd", ""), Linux, Udp, 69, "TFTP", "systemctl stop tftpd-hpa."),
            (held("atftpd", ""), Linux, Udp, 69, "TFTP", "systemctl stop atftpd."),
            (held("xinetd", ""), Linux, Udp, 69, "starts servers", "systemctl stop xinetd."),
            (held("inetutils-inetd", ""), Linux, Udp, 69, "starts servers", "/etc/inetd.conf"),
            (held("nginx", ""), Linux, Tcp, 80, "web server", "systemctl stop nginx."),
            (held("apache2", ""), Linux, Tcp, 80, "web server", "systemctl stop apache2."),
            (held("httpd", ""), Linux, Tcp, 80, "web server", "systemctl stop httpd."),
            (held("caddy", ""), Linux, Tcp, 80, "web server", "systemctl stop caddy."),
            (held("docker-proxy", "docker.service"), Linux, Tcp, 80, "container", "docker ps --filter publish=80"),
            (held("bootwright", ""), Linux, Udp, 67, "Another Bootwright", "process 7"),
            (held("pixied", "pixie.service"), Linux, Udp, 69, "", "sudo systemctl stop pixie."),
            (held("pixied", ""), Linux, Udp, 69, "", "sudo kill 7"),
            (held("bootpd", ""), MacOs, Udp, 67, "Internet Sharing", "System Settings"),
            (held("launchd", ""), MacOs, Udp, 69, "TFTP", "launchctl unload"),
            (held("httpd", ""), MacOs, Tcp, 80, "web server", "apachectl stop"),
            (held("dnsmasq", ""), MacOs, Udp, 67, "name server", "brew services stop dnsmasq"),
            (held("odd", ""), MacOs, Tcp, 80, "", "sudo kill 7"),
            (held("svchost.exe", ""), Windows, Udp, 67, "Internet Connection Sharing", "net stop SharedAccess"),
            (held("svchost.exe", ""), Windows, Udp, 69, "Windows Deployment", "net stop WDSServer"),
            (held("System", ""), Windows, Tcp, 80, "IIS", "net stop W3SVC"),
            (held("tftpd64.exe", ""), Windows, Udp, 69, "TFTP", "Close its window"),
            (held("odd.exe", ""), Windows, Tcp, 80, "", "taskkill /PID 7"),
        ];
        for (holder, system, transport, port, what, step) in cases {
            let known = known(&holder, system, transport, port);
            assert!(known.what.contains(what) && known.step.contains(step), "{holder:?}: {known:?}");
            assert_eq!(known.what.is_empty(), what.is_empty(), "{holder:?}: {known:?}");
            assert!(known.step.ends_with('.'), "{known:?}");
        }
    }

    #[test]
    fn only_a_server_like_ours_can_be_stopped_for_a_while() {
        let service = |program, unit| known(&held(program, unit), System::Linux, Transport::Udp, 67).service;
        assert_eq!(service("dnsmasq", "dnsmasq.service").as_deref(), Some("dnsmasq.service"));
        assert_eq!(service("systemd", "tftp.socket").as_deref(), Some("tftp.socket"));
        assert_eq!(service("xinetd", "xinetd.service").as_deref(), Some("xinetd.service"));
        assert_eq!(service("in.tftpd", "xinetd.service"), None, "that would stop somebody else");
        assert_eq!(service("dnsmasq", ""), None);
        for unit in ["NetworkManager.service", "libvirtd.service", "ssh.service", "docker.service", "init.scope"] {
            assert_eq!(service("dnsmasq", unit), None, "{unit}");
        }
        let elsewhere = known(&held("nginx", "nginx.service"), System::MacOs, Transport::Tcp, 80);
        assert_eq!(elsewhere.service, None);
    }

    #[test]
    fn who_holds_a_port_is_found_out_by_each_systems_own_means() {
        assert_eq!(listing(System::Linux, Transport::Udp, 67), "sudo ss -lunp sport = 67");
        assert_eq!(listing(System::Linux, Transport::Tcp, 80), "sudo ss -ltnp sport = 80");
        assert_eq!(listing(System::MacOs, Transport::Udp, 67), "sudo lsof -nP -iUDP:67");
        assert_eq!(listing(System::Windows, Transport::Tcp, 80), "netstat -abno -p TCP | findstr :80");
    }
}
