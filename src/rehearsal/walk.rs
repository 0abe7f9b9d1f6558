//! One firmware's way from its first packet to the last file of each entry.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::dhcp::{self, Answer, Question};
use super::driver::{MAX_LOADER, MAX_SCRIPT, Net, Trouble};
use super::files::{At, Files};
use super::firmware::{Dialect, Fetcher, Firmware};
use super::report::{Asked, By, Cell, Fault, Named, Outcome, Row, Start};
use super::script::{End, Fetch, Part, Play};
use super::tftp::{Options, Wanted};
use super::{Line, grub, ipxe};
use crate::boot::loader::Way;
use crate::boot::menu::grub::{Asking, CONFIG};
use crate::boot::menu::{self, MAX_ARGUMENTS, Processor};
use crate::dhcp::Note;
use crate::engine::double::{Addresses, Ask, Reply, Scene};
use crate::image::bootcfg::esxi;
use crate::image::signature::{self, Signed};
use crate::text;

/// How often firmware that refuses a loader comes back, at most. No ladder has more rungs.
const MOST_TRIES: usize = 8;
/// How long firmware takes to refuse a loader, at the least. The services learn meanwhile that it was fetched whole.
const REFUSAL: Duration = Duration::from_millis(50);
/// How deep one script may lead into another.
const MOST_DEPTH: usize = 3;
/// How files end that kernel arguments name; anything else may be a folder, which no server has a file for.
const FILES: [&str; 22] = [
    "cfg", "cpio", "efi", "erofs", "gz", "img", "ipxe", "iso", "json", "ks", "lz4", "raw", "sfs", "sh", "squashfs",
    "tgz", "txt", "wim", "xml", "xz", "yaml", "zst",
];

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

    /// shim takes its own folder from the header's field and starts what lies beside it (WIRE.md section 3).
    async fn second_stage(&mut self, boot: &Boot, shim: &Loader, second: &str) -> Result<(), Fault> {
        let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let name = second.rsplit('/').next().unwrap_or(second);
        let path = match shim.by {
            By::Tftp => format!("{}{name}", folder(&boot.field)),
            By::Http => format!("{}{name}", folder(&shim.path)),
        };
        let fetcher = Fetcher::Shim;
        let bytes = match shim.by {
            By::Tftp => {
                let got = self.net.tftp(&path, self.firmware.tftp(fetcher), Wanted::Whole).await;
                got.map(|got| got.bytes).map_err(|trouble| fetch(&path, By::Tftp, trouble))?
            }
            By::Http => {
                let page = self.net.get(&format!("/{path}"), MAX_LOADER).await;
                page.map(|page| page.bytes.to_vec()).map_err(|trouble| fetch(&path, By::Http, trouble))?
            }
        };
        let program = self.judge(&path, &bytes)?;
        let accepted = |shim: &Signed, second: &Signed| {
            let trusted = second.signed_by.iter().any(|signature| signature.authority.is_in_firmware());
            trusted || shim.accepts(&second.signed_by)
        };
        if self.firmware.is_secure()
            && let (Some(shim), Some(second)) = (&shim.signed, &program)
            && !accepted(shim, second)
        {
            return Err(Fault::NotAccepted { file: path });
        }
        self.loaders.push(path);
        Ok(())
    }

    /// The conversation by DHCP up to the name of a boot file.
    async fn asks(&mut self, dialect: Dialect) -> Result<Boot, Stop> {
        let beside = self.net.scene().addresses != Addresses::Ours;
        let (offer, notes) = self.says(dialect, Question::Discover, 0).await?;
        let offer = match offer {
            Some(offer) => offer,
            None => return Err(self.nothing(&notes, Asked::Discover)),
        };
        let answer = if beside {
            self.by_proxy(dialect, offer).await?
        } else {
            // Firmware passes over an offer without a boot file.
            if offer.file().is_empty() {
                return Err(self.nothing(&notes, Asked::Discover));
            }
            let (Some(address), Some(server)) = (offer.address, offer.server) else {
                return Err(Fault::Silent { asked: Asked::Discover }.into());
            };
            let (answer, notes) = self.says(dialect, Question::Request { address, server }, 1).await?;
            let answer = answer.ok_or_else(|| self.nothing(&notes, Asked::Request))?;
            if answer.kind != 5 {
                return Err(Fault::Refused.into());
            }
            self.address = address;
            if answer.file().is_empty() {
                return Err(self.nothing(&notes, Asked::Request));
            }
            // A full server that says `PXEClient` is asked again at its port 4011 by UEFI that was not told otherwise.
            match dhcp::asks_boot_server(self.firmware, dialect, &answer) {
                true => self.boot_server(dialect).await?,
                false => answer,
            }
        };
        if let Some(shortcoming) = dhcp::shortcoming(self.firmware, dialect, &answer, beside) {
            return Err(Fault::Answer { shortcoming, file: answer.file().to_owned() }.into());
        }
        Ok(Boot { file: answer.file().to_owned(), field: answer.field })
    }

    /// Another server gives the address: the offer of boot information counts, or what port 4011 says.
    async fn by_proxy(&mut self, dialect: Dialect, offer: Answer) -> Result<Answer, Stop> {
        if dhcp::asks_boot_server(self.firmware, dialect, &offer) {
            return self.boot_server(dialect).await;
        }
        if offer.file().is_empty() {
            return Err(Fault::Silent { asked: Asked::Discover }.into());
        }
        Ok(offer)
    }

    async fn boot_server(&mut self, dialect: Dialect) -> Result<Answer, Stop> {
        let question = Question::BootServer { address: self.address };
        let (answer, notes) = self.says(dialect, question, 0).await?;
        answer.filter(|answer| !answer.file().is_empty()).ok_or_else(|| self.nothing(&notes, Asked::BootServer))
    }

    async fn says(
        &self,
        dialect: Dialect,
        question: Question,
        tries: u16,
    ) -> Result<(Option<Answer>, Vec<Note>), Fault> {
        let mac = self.firmware.mac();
        let packet = dhcp::packet(self.firmware, dialect, mac, question, tries);
        let ask = Ask::Hear {
            token: self.net.scene().token.clone(),
            boot_server: dhcp::is_for_boot_server(question),
            from: dhcp::source(self.firmware, question),
            packet,
        };
        match self.line.ask(ask).await {
            Ok(Reply::Heard { answers, notes }) => {
                Ok((answers.iter().find_map(|answer| Answer::read(answer, mac)), notes))
            }
            Ok(Reply::Refused { reason }) | Err(reason) => Err(Fault::NoServices { reason }),
            Ok(_) => Err(Fault::NoServices { reason: "they answer what was not asked".to_owned() }),
        }
    }

    /// Why no boot file came.
    fn nothing(&self, notes: &[Note], asked: Asked) -> Stop {
        let told = notes.iter().find_map(|note| match note {
            Note::NoBootFile { reason } => Some(match self.firmware.is_common() {
                true => Stop::Fault(Fault::NoBootFile { reason: reason.clone() }),
                false => Stop::NotServed(reason.clone()),
            }),
            Note::PoolExhausted { size } => Some(Stop::Fault(Fault::NoAddress { size: *size })),
            Note::Refused { .. } => Some(Stop::Fault(Fault::Refused)),
            _ => None,
        });
        told.unwrap_or(Stop::Fault(Fault::Silent { asked }))
    }

    /// Fetches a loader whole, as this firmware does.
    async fn loads(&mut self, file: &str) -> Result<Loader, Fault> {
        if file.starts_with("http://") {
            return self.loads_by_http(file).await;
        }
        let path = file.trim_start_matches('/').to_owned();
        let failed = |trouble| fetch(&path, By::Tftp, trouble);
        let options = self.firmware.tftp(Fetcher::Firmware);
        let told = match self.firmware.is_uefi() {
            // The size first, broken off with an error (WIRE.md section 5).
            true => {
                let probe = Options { size: true, ..options };
                self.net.tftp(file, probe, Wanted::Size).await.map_err(failed)?.size
            }
            false => None,
        };
        let got = self.net.tftp(file, options, Wanted::Whole).await.map_err(failed)?;
        if let Some(expected) = told.or(got.size).filter(|told| *told != got.bytes.len() as u64) {
            return Err(Fault::Short { file: path, expected });
        }
        let signed = self.judge(&path, &got.bytes)?;
        self.loaders.push(path.clone());
        Ok(Loader { path, by: By::Tftp, signed })
    }

    async fn loads_by_http(&mut self, url: &str) -> Result<Loader, Fault> {
        let at = self.at(url)?;
        let path = at.path.clone();
        let failed = |trouble| fetch(&path, By::Http, trouble);
        let whole = format!("/{path}");
        let size = self.net.head(&whole).await.map_err(failed)?.size;
        let Some(size) = size.filter(|size| *size > 0) else { return Err(Fault::Empty { file: path }) };
        if is_disk(&path) && size > MAX_LOADER {
            // A whole image: both of its ends do.
            self.files.check(&self.net, self.firmware, &at).await?;
            self.loaders.push(path.clone());
            return Ok(Loader { path, by: By::Http, signed: None });
        }
        let page = self.net.get(&whole, MAX_LOADER).await.map_err(failed)?;
        if page.bytes.len() as u64 != size {
            return Err(Fault::Short { file: path, expected: size });
        }
        let signed = if is_disk(&path) { None } else { self.judge(&path, &page.bytes)? };
        self.loaders.push(path.clone());
        Ok(Loader { path, by: By::Http, signed })
    }

    /// Whether this firmware can start such a program.
    fn judge(&self, path: &str, bytes: &[u8]) -> Result<Option<Signed>, Fault> {
        let file = path.to_owned();
        if bytes.is_empty() {
            return Err(Fault::Empty { file });
        }
        let read = |at: u64, buffer: &mut [u8]| {
            let from = usize::try_from(at).unwrap_or(usize::MAX);
            let part = bytes.get(from..from.saturating_add(buffer.len()));
            buffer.copy_from_slice(part.ok_or(std::io::ErrorKind::UnexpectedEof)?);
            Ok(())
        };
        let found = signature::of(path, &read, bytes.len() as u64);
        match (self.firmware.machine(), found) {
            (None, None) => Ok(None),
            (Some(wanted), Some(found)) if found.machine == wanted => Ok(Some(found)),
            (_, Some(found)) => Err(Fault::WrongMachine { file, found: found.machine }),
            (Some(_), None) => Err(Fault::NoProgram { file }),
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

    async fn enter(&mut self, entry: ipxe::Entry, play: Result<Play, Fault>) {
        let (mut files, mut bytes) = (0, 0);
        let start = match play {
            Ok(play) => self.starts(&entry, &play, (&mut files, &mut bytes), 0).await,
            Err(fault) => Err(fault),
        };
        let start = start.unwrap_or_else(Start::Failed);
        self.cells.insert(entry.id.clone(), Cell { start, files, bytes });
        self.entries.push(entry.into());
    }

    /// The script that starts an entry which asks the server first.
    fn asked_first(&self, play: &Play) -> Result<Option<At>, Fault> {
        let program = play.fetches.iter().find(|fetch| fetch.part == Part::Program);
        let Some(program) = program.filter(|_| matches!(play.end, End::Program { .. })) else { return Ok(None) };
        let at = self.at(&program.url)?;
        let path = at.path.split('?').next().unwrap_or_default();
        let is_start = menu::ipxe::start_of(path.trim_start_matches('/')).is_some();
        Ok(is_start.then_some(at))
    }

    /// Reads every file that an entry fetches.
    async fn starts(
        &mut self,
        entry: &ipxe::Entry,
        play: &Play,
        count: (&mut usize, &mut u64),
        depth: usize,
    ) -> Result<Start, Fault> {
        let (files, bytes) = count;
        if let Some(at) = self.asked_first(play)?.filter(|_| depth < MOST_DEPTH) {
            let text = self.script(&at).await?;
            let wrong = |wrong| Fault::Script { file: at.shown(), wrong };
            let mut play = ipxe::Script::read(&text).and_then(|script| script.start(&self.settings)).map_err(wrong)?;
            // The first words of an entry are its title.
            play.said.insert(0, String::new());
            *files += 1;
            return Box::pin(self.starts(entry, &play, (files, bytes), depth + 1)).await;
        }
        if let Some(length) = play.said.iter().find_map(|said| menu::too_long_in(said)) {
            return Err(Fault::TooLong { length });
        }
        let next = match &play.end {
            End::Restart { script } => Some(script.clone()),
            End::Program { root_path } => root_path.clone(),
            _ => None,
        };
        if play.fetches.is_empty() && next.is_none() {
            // Behind the title the menu says why it does not even try, for the person in front of it.
            let words = play.said.iter().skip(1).filter_map(|said| said.strip_prefix("Bootwright: "));
            let mut words = words.filter(|words| !words.starts_with(menu::FAILED));
            return match (&play.end, words.next()) {
                (End::Menu, Some(words)) => Ok(Start::NotHere { reason: text::plain(words, 200) }),
                _ => Err(Fault::Nothing),
            };
        }
        if matches!(play.end, End::Menu | End::Firmware) {
            return Err(Fault::Nothing);
        }
        for fetch in &play.fetches {
            if fetch.part == Part::Kernel && fetch.arguments.len() > MAX_ARGUMENTS {
                return Err(Fault::TooLong { length: fetch.arguments.len() });
            }
            let at = self.at(&fetch.url)?;
            match self.files.check(&self.net, self.firmware, &at).await {
                Ok(length) => {
                    *files += 1;
                    *bytes += length;
                }
                // It goes on without, where Secure Boot is off.
                Err(_) if fetch.part == Part::Shim => {}
                Err(fault) => return Err(fault),
            }
            self.arguments(entry, fetch, files).await?;
        }
        if let Some(script) = next.filter(|_| depth < MOST_DEPTH) {
            let at = self.at(&script)?;
            let text = self.script(&at).await?;
            let wrong = |wrong| Fault::Script { file: at.shown(), wrong };
            let variables = self.variables(false);
            let play = grub::Script::read(&text).and_then(|script| script.start(&variables)).map_err(wrong)?;
            *files += 1;
            if matches!(play.end, End::Firmware) {
                // It restarts, and its firmware gets the image's own shim.
                return self.restarts().await;
            }
            return Box::pin(self.starts(entry, &play, (files, bytes), depth + 1)).await;
        }
        Ok(Start::Starts)
    }

    /// After the restart: the boot file is the image's own shim, which the firmware has to trust.
    async fn restarts(&mut self) -> Result<Start, Fault> {
        let boot = match self.asks(Dialect::Own).await {
            Ok(boot) => boot,
            Err(Stop::Fault(fault)) => return Err(fault),
            Err(Stop::NotServed(reason)) => return Err(Fault::NoBootFile { reason }),
        };
        let before = self.loaders.len();
        let loader = self.loads(&boot.file).await;
        self.loaders.truncate(before);
        let loader = loader?;
        let signed = loader.signed.as_ref();
        let trusted = signed.is_some_and(|signed| signed.signed_by.iter().any(|by| by.authority.is_in_firmware()));
        if trusted { Ok(Start::Starts) } else { Err(Fault::Unsigned { file: loader.path }) }
    }

    /// Files that a kernel fetches later, since its arguments name them.
    async fn arguments(&mut self, entry: &ipxe::Entry, fetch: &Fetch, files: &mut usize) -> Result<(), Fault> {
        let scene = self.net.scene();
        let named: Vec<At> = urls(&fetch.arguments, scene).filter_map(|url| At::read(url, scene)).collect();
        for at in named {
            if let Some((_, name)) = crate::answer::tickets::split(&at.path) {
                let folder = ["user-data", "meta-data"].map(|name| format!("{}{name}", at.path));
                let paths = if name.is_empty() { folder.to_vec() } else { vec![at.path.clone()] };
                for path in paths {
                    let page = self.net.get(&format!("/{path}"), MAX_SCRIPT).await;
                    page.map_err(|_| Fault::Answers { entry: entry.id.clone() })?;
                    *files += 1;
                }
                continue;
            }
            if at.path.rsplit('/').next().is_some_and(|name| name.eq_ignore_ascii_case("boot.cfg")) {
                *files += self.esxi(&at).await?;
            } else if is_file(&at.path) {
                self.files.check(&self.net, self.firmware, &at).await?;
                *files += 1;
            }
        }
        Ok(())
    }

    /// ESXi's loader reads its settings, and all that they name.
    async fn esxi(&mut self, at: &At) -> Result<usize, Fault> {
        let text = self.script(at).await?;
        let settings = esxi::parse(&text);
        let settings = settings.ok_or_else(|| Fault::NoMenu { file: at.shown() })?;
        let names = std::iter::once(&settings.kernel).chain(&settings.modules);
        let urls: Vec<String> = names
            .filter_map(|name| name.split_whitespace().next())
            .map(|name| format!("{}/{name}", settings.prefix.trim_end_matches('/')))
            .collect();
        for url in &urls {
            let at = self.at(url)?;
            self.files.check(&self.net, self.firmware, &at).await?;
        }
        Ok(urls.len() + 1)
    }
}

fn fetch(file: &str, by: By, trouble: Trouble) -> Fault {
    Fault::Fetch { file: text::plain(file, 200), by, trouble }
}

/// Whether a firmware that boots by HTTP takes a file for a disk or a disc, by its name's end.
fn is_disk(path: &str) -> bool {
    path.ends_with(".iso") || path.ends_with(".img")
}

/// The URLs of these services in a line of arguments.
fn urls<'a>(arguments: &'a str, scene: &'a Scene) -> impl Iterator<Item = &'a str> {
    arguments.split_whitespace().filter_map(|word| {
        let url = word.get(word.find(&scene.base)?..)?;
        url.split([',', ';', '\'', '"', '|']).next()
    })
}

/// Whether a path certainly names a file.
fn is_file(path: &str) -> bool {
    let name = path.split('?').next().and_then(|path| path.rsplit('/').next());
    let ending = name.and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| FILES.contains(&ending.as_str()))
}
