//! One firmware's way from its first packet to the last file of each entry.

mod conversation;
mod entry;
mod loader;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::driver::{MAX_SCRIPT, Net, Trouble};
use super::files::{At, Files};
use super::firmware::{Dialect, Fetcher, Firmware};
use super::report::{By, Cell, Fault, Named, Outcome, Row};
use super::script::{End, Part};
use super::tftp::Wanted;
use super::{Line, grub, ipxe};
use crate::boot::loader::Way;
use crate::boot::menu::Processor;
use crate::boot::menu::grub::{Asking, CONFIG};
use crate::engine::double::{Ask, Reply};
use crate::image::signature::Signed;
use crate::text;

/// How often firmware that refuses a loader comes back, at most. No ladder has more rungs.
const MOST_TRIES: usize = 8;
/// How long firmware takes to refuse a loader, at the least. The services learn meanwhile that it was fetched whole.
const REFUSAL: Duration = Duration::from_millis(50);
/// What a firmware boots.
struct Boot {
    /// As the answer names it: a path for TFTP, or a URL.
    file: String,
    /// What stands in the header's field, by which shim finds its folder.
    field: String,
}

/// A loader that came whole.
struct Loader {
    path: String,
    by: By,
    signed: Option<Signed>,
}

/// A firmware under way.
struct Walk<'a> {
    firmware: Firmware,
    line: &'a dyn Line,
    net: Net,
    files: &'a Files,
    address: Ipv4Addr,
    loaders: Vec<String>,
    /// What its iPXE knows, where it runs one.
    settings: ipxe::Settings,
    entries: Vec<Named>,
    cells: std::collections::BTreeMap<String, Cell>,
}

/// Why a firmware gets no further.
enum Stop {
    Fault(Fault),
    NotServed(String),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

/// Walks a firmware's whole way. The entries are those of its menu, in their order.
pub(super) async fn walk(line: Arc<dyn Line>, files: Arc<Files>, firmware: Firmware) -> (Row, Vec<Named>) {
    let began = Instant::now();
    let row = |outcome, loaders, entries| {
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Row { firmware, outcome, loaders, entries, millis }
    };
    let begun = line.ask(Ask::Begin { mac: firmware.mac() }).await;
    let failed = |reason: String| row(Outcome::Failed(Fault::NoServices { reason }), Vec::new(), Default::default());
    let scene = match begun {
        Ok(Reply::Begun(scene)) => scene,
        Ok(Reply::Refused { reason }) | Err(reason) => return (failed(reason), Vec::new()),
        Ok(_) => return (failed("they answer what was not asked".to_owned()), Vec::new()),
    };
    let token = scene.token.clone();
    let net = tokio::task::spawn_blocking(move || Net::to(scene)).await.ok().flatten();
    let Some(net) = net else { return (failed("the interface is gone".to_owned()), Vec::new()) };
    let (address, line) = (net.scene().address, &*line);
    let mut walk = Walk {
        firmware,
        line,
        net,
        files: &files,
        address,
        loaders: Vec::new(),
        settings: Default::default(),
        entries: Vec::new(),
        cells: Default::default(),
    };
    let outcome = match walk.boots().await {
        Ok(()) => Outcome::Ready,
        Err(Stop::NotServed(reason)) => Outcome::NotServed { reason },
        Err(Stop::Fault(fault)) => Outcome::Failed(fault),
    };
    // Whether it is thrown away now or by itself later is all the same.
    let _ = line.ask(Ask::End { token }).await;
    (row(outcome, walk.loaders, walk.cells), walk.entries)
}

impl Walk<'_> {
    async fn boots(&mut self) -> Result<(), Stop> {
        let own_ipxe = self.firmware == Firmware::BiosRom;
        if own_ipxe {
            let boot = self.asks(Dialect::Own).await?;
            return self.runs_ipxe(&boot.file, false).await;
        }
        let mut refused: Vec<String> = Vec::new();
        for _ in 0..MOST_TRIES {
            let boot = self.asks(Dialect::Own).await?;
            let loader = self.loads(&boot.file).await?;
            let signed = loader
                .signed
                .as_ref()
                .is_some_and(|signed| signed.signed_by.iter().any(|signature| signature.authority.is_in_firmware()));
            // A whole disk is started by what is on it, which is not looked into here.
            let is_disk = is_disk(&loader.path);
            if self.firmware.is_secure() && !signed && !is_disk {
                if refused.iter().filter(|file| **file == loader.path).count() > 1 {
                    break;
                }
                refused.push(loader.path);
                self.loaders.clear();
                tokio::time::sleep(REFUSAL).await;
                continue;
            }
            return self.runs(&boot, &loader).await;
        }
        Err(Stop::NotServed("no loader here is signed by whom its firmware trusts".to_owned()))
    }

    /// What runs after the firmware has started this loader.
    async fn runs(&mut self, boot: &Boot, loader: &Loader) -> Result<(), Stop> {
        let platform = self.firmware.platform();
        let ways = Way::ladder(platform).iter().copied();
        let way = ways.clone().find(|way| way.files(platform).first().is_some_and(|file| *file == loader.path));
        let Some(way) = way else {
            // An image, whole, or a loader of another server's.
            return Ok(());
        };
        if let (Some(second), false) = (way.chain(platform).get(1), is_disk(&loader.path)) {
            self.second_stage(boot, loader, second.file()).await?;
        }
        match way {
            Way::Ipxe | Way::IpxeDrivers | Way::SignedIpxe => {
                let menu = self.asks(Dialect::Ipxe).await?;
                self.runs_ipxe(&menu.file, way == Way::SignedIpxe).await
            }
            Way::SignedGrub | Way::SignedDisk => self.runs_grub(By::Tftp, way == Way::SignedDisk).await,
            Way::Grub => self.runs_grub(By::Http, false).await,
        }
    }

    fn at(&self, url: &str) -> Result<At, Fault> {
        At::read(url, self.net.scene()).ok_or_else(|| Fault::Elsewhere { url: text::plain(url, 200) })
    }

    /// Fetches a script.
    async fn script(&mut self, at: &At) -> Result<String, Fault> {
        let (path, file) = (at.path.as_str(), at.shown());
        let failed = |trouble| fetch(&file, at.by, trouble);
        let bytes = match at.by {
            By::Http => self.net.get(&format!("/{path}"), MAX_SCRIPT).await.map_err(failed)?.bytes.to_vec(),
            By::Tftp => {
                let options = self.firmware.tftp(Fetcher::Grub);
                self.net.tftp(path, options, Wanted::Whole).await.map_err(failed)?.bytes
            }
        };
        if bytes.is_empty() {
            return Err(Fault::Empty { file });
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn runs_ipxe(&mut self, first: &str, newer: bool) -> Result<(), Stop> {
        let at = self.at(first)?;
        let settings = self.settings(newer);
        let text = self.script(&at).await?;
        let wrong = |file: &At| {
            let file = file.shown();
            move |wrong| Fault::Script { file: file.clone(), wrong }
        };
        let play = ipxe::Script::read(&text).and_then(|script| script.start(&settings)).map_err(wrong(&at))?;
        self.loaders.push(at.shown());
        let next = play.fetches.iter().find(|fetch| fetch.part == Part::Program);
        let next = next.ok_or_else(|| Fault::NoMenu { file: at.shown() })?;
        let at = self.at(&next.url)?;
        let text = self.script(&at).await?;
        let menu = ipxe::Script::read(&text).map_err(wrong(&at))?;
        self.loaders.push(at.shown());
        self.settings = settings.clone();
        for entry in menu.entries() {
            let play = menu.entry(&entry.id, &settings).map_err(wrong(&at));
            self.enter(entry, play).await;
        }
        Ok(())
    }

    fn settings(&self, newer: bool) -> ipxe::Settings {
        let (platform, arch) = self.firmware.ipxe_words();
        let mac = self.firmware.mac().to_string().replace(':', "-");
        let pairs = [
            ("platform", platform.to_owned()),
            ("buildarch", arch.to_owned()),
            ("netX/mac:hexhyp", mac),
            ("netX/ip", self.address.to_string()),
            ("netX/gateway", String::new()),
            ("netX/netmask", Ipv4Addr::new(255, 255, 255, 0).to_string()),
            ("memsize", "2048".to_owned()),
            ("uuid", String::new()),
            ("product:uristring", "Rehearsal".to_owned()),
            ("serial:uristring", String::new()),
            ("version:uristring", if newer { "2.0.0" } else { "1.0.0+" }.to_owned()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    async fn runs_grub(&mut self, by: By, from_disk: bool) -> Result<(), Stop> {
        let variables = self.variables(from_disk);
        let menu = match by {
            By::Tftp if !from_disk => {
                let at = At { by, path: CONFIG.to_owned() };
                let text = self.script(&at).await?;
                let wrong = |wrong| Fault::Script { file: at.shown(), wrong };
                let play = grub::Script::read(&text).and_then(|script| script.start(&variables)).map_err(wrong)?;
                self.loaders.push(at.shown());
                let End::Restart { script } = play.end else { return Err(Fault::NoMenu { file: at.shown() }.into()) };
                self.at(&script)?
            }
            // Its first script is in the loader itself.
            _ => At { by, path: self.asking(from_disk).path() },
        };
        let text = self.script(&menu).await?;
        let wrong = |wrong| Fault::Script { file: menu.shown(), wrong };
        let script = grub::Script::read(&text).map_err(wrong)?;
        self.loaders.push(menu.shown());
        for entry in script.entries() {
            let play = script.entry(&entry.id, &variables).map_err(wrong);
            self.enter(entry, play).await;
        }
        Ok(())
    }

    fn asking(&self, from_disk: bool) -> Asking {
        let cpu = match self.firmware.ipxe_words().1 {
            "x86_64" => Processor::X86_64,
            "arm64" => Processor::Arm64,
            _ => Processor::I386,
        };
        // GRUB that got its address by itself does not know its card.
        let mac = (!from_disk).then(|| self.firmware.mac());
        Asking { cpu, mac, lockdown: self.firmware.is_secure() }
    }

    fn variables(&self, from_disk: bool) -> grub::Variables {
        let mac = if from_disk { String::new() } else { self.firmware.mac().to_string() };
        let lockdown = if self.firmware.is_secure() { "y" } else { "" };
        let pairs = [
            ("grub_cpu", self.firmware.ipxe_words().1.to_owned()),
            ("net_default_mac", mac),
            ("net_default_interface", "efinet0".to_owned()),
            ("lockdown", lockdown.to_owned()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn fetch(file: &str, by: By, trouble: Trouble) -> Fault {
    Fault::Fetch { file: text::plain(file, 200), by, trouble }
}

/// Whether a firmware that boots by HTTP takes a file for a disk or a disc, by its name's end.
fn is_disk(path: &str) -> bool {
    path.ends_with(".iso") || path.ends_with(".img")
}
