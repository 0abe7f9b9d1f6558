//! Where things are on this machine.

use std::path::PathBuf;

/// Where things are on this machine, apart from what the settings say.
#[derive(Clone, Debug)]
pub struct Places {
    /// Folders with loaders.
    pub loaders: Vec<PathBuf>,
    /// The user's state folder.
    pub state: PathBuf,
    /// The user's data folder.
    pub data: PathBuf,
}

impl Places {
    /// The user's own recipes for images.
    pub fn recipes(&self) -> PathBuf {
        self.data.join("recipes")
    }

    /// Where packs of loaders are installed.
    pub fn packs(&self) -> PathBuf {
        self.data.join("loaders")
    }

    /// Where results of comparing checksums are kept.
    pub fn checksums(&self) -> PathBuf {
        self.state.join("checksums.json")
    }

    /// Those of the user who started the program. Loaders: the user's packs, beside the program, the distribution's
    /// folders.
    pub fn of_this_user() -> Places {
        let own = directories::ProjectDirs::from("", "", "bootwright");
        let beside = std::env::current_exe().ok().and_then(|program| program.parent().map(PathBuf::from));
        let state = own.as_ref().map(|own| own.state_dir().unwrap_or(own.data_local_dir()).to_path_buf());
        let data = own.map(|own| own.data_dir().to_path_buf());
        let packs = data.as_ref().map(|data| data.join("loaders"));
        let near =
            beside.into_iter().flat_map(|folder| [folder.join("loaders"), folder.join("../share/bootwright/loaders")]);
        let distribution = ["/usr/lib/ipxe", "/usr/share/ipxe", "/boot"].map(PathBuf::from);
        let here = || PathBuf::from(".");
        Places {
            loaders: packs.into_iter().chain(near).chain(distribution).collect(),
            state: state.unwrap_or_else(here),
            data: data.unwrap_or_else(here),
        }
    }
}
