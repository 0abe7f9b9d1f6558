//! `bootwright loaders`: which boot loaders there are, and packs of them.

use std::path::PathBuf;

use serde::Serialize;

use super::{Status, complain, out, out_json};
use crate::boot::Platform;
use crate::boot::loader::pack::{self, Pack};
use crate::boot::loader::{Loader, Loaders};
use crate::deployment::Places;
use crate::text;

/// What is wanted.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    action: Option<Action>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Install a pack: iPXE's ipxeboot.tar.gz (2.0.0 or later), the folder that it was unpacked to, or wimboot
    Add {
        /// The file
        file: PathBuf,
    },
    /// Remove a pack
    Remove {
        /// Its name or version, as the list has it
        version: String,
    },
}

pub(super) fn run(options: Options) -> Status {
    let places = Places::of_this_user();
    let (done, said) = match options.action {
        None => {
            list(&places, options.json);
            return Status::Done;
        }
        Some(Action::Add { file }) => (pack::import(&file, &places.packs()), "Installed"),
        Some(Action::Remove { version }) => (pack::remove(&places.packs(), &version), "Removed"),
    };
    match done {
        Ok(pack) => {
            let files: Vec<String> = pack.manifest.iter().map(|origin| text::plain(&origin.file, 60)).collect();
            out(&format!("{said} {}: {}\n", shown(&pack), files.join(", ")));
            Status::Done
        }
        Err(error) => {
            // A file's name may have line breaks.
            complain(&text::plain(&error.to_string(), 1000));
            Status::Wrong
        }
    }
}

fn shown(pack: &Pack) -> String {
    text::plain(&pack.name, 80)
}

/// A loader that was found.
#[derive(Serialize)]
struct Row {
    file: &'static str,
    path: PathBuf,
    version: Option<String>,
    package: Option<String>,
    signed_by: Option<String>,
    /// The computers that may get it first; none for one that another loader starts.
    serves: Vec<Platform>,
}

#[derive(Serialize)]
struct Listing {
    loaders: Vec<Row>,
    packs: Vec<String>,
    folder: PathBuf,
}

impl Row {
    fn of(loader: Loader, path: &std::path::Path) -> Row {
        let origin = pack::origin(loader.file(), path);
        Row {
            file: loader.file(),
            path: path.to_path_buf(),
            version: origin.as_ref().map(|origin| origin.version.clone()),
            package: origin.as_ref().map(|origin| origin.package.clone()),
            signed_by: origin.and_then(|origin| origin.signed_by),
            serves: Platform::ALL.into_iter().filter(|&platform| loader.serves(platform)).collect(),
        }
    }

    fn line(&self, width: usize) -> String {
        let version = self.version.as_deref().map_or("version unknown".to_owned(), |version| text::plain(version, 64));
        let signed = self.signed_by.as_deref().map(|names| format!(", signed by {}", text::plain(names, 120)));
        let serves: Vec<&str> = self.serves.iter().map(|platform| platform.name()).collect();
        let serves = if serves.is_empty() { "started by other loaders".to_owned() } else { serves.join(", ") };
        format!("{:<width$}  {serves}: {version}{}\n", self.file, signed.unwrap_or_default())
    }
}

fn list(places: &Places, json: bool) {
    let loaders: Vec<Row> = Loaders::find(&places.loaders).iter().map(|(loader, path)| Row::of(loader, path)).collect();
    let packs: Vec<String> = pack::packs(&places.packs()).iter().map(shown).collect();
    if json {
        return out_json(&Listing { loaders, packs, folder: places.packs() });
    }
    let width = loaders.iter().map(|row| row.file.len()).max().unwrap_or(0);
    out(&loaders.iter().map(|row| row.line(width)).collect::<String>());
    if loaders.is_empty() {
        out("No boot loader was found. `bootwright loaders add FILE` installs iPXE's ipxeboot.tar.gz.\n");
    }
    if !packs.is_empty() {
        out(&format!("Packs, the newest first: {}\n", packs.join(", ")));
    }
}
