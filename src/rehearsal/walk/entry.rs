//! An entry of the menu: every file that it fetches, and those that its kernel fetches later.

use super::{Stop, Walk};
use crate::boot::menu::{self, MAX_ARGUMENTS};
use crate::engine::double::Scene;
use crate::image::bootcfg::esxi;
use crate::rehearsal::driver::MAX_SCRIPT;
use crate::rehearsal::files::At;
use crate::rehearsal::firmware::Dialect;
use crate::rehearsal::report::{Cell, Fault, Start};
use crate::rehearsal::script::{End, Fetch, Part, Play};
use crate::rehearsal::{grub, ipxe};
use crate::text;

/// How deep one script may lead into another.
const MOST_DEPTH: usize = 3;
/// How files end that kernel arguments name; anything else may be a folder, which no server has a file for.
const FILES: [&str; 22] = [
    "cfg", "cpio", "efi", "erofs", "gz", "img", "ipxe", "iso", "json", "ks", "lz4", "raw", "sfs", "sh", "squashfs",
    "tgz", "txt", "wim", "xml", "xz", "yaml", "zst",
];

impl Walk<'_> {
    pub(super) async fn enter(&mut self, entry: ipxe::Entry, play: Result<Play, Fault>) {
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
