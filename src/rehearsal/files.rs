//! Whether a file is there, and whole: its length, its first and its last block. What several computers fetch alike is read
//! once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::OnceCell;

use super::driver::{Net, Trouble};
use super::firmware::{Fetcher, Firmware};
use super::report::{By, Fault};
use super::tftp::Wanted;
use crate::answer::tickets;
use crate::boot::menu::ipxe::url_path;
use crate::engine::double::Scene;

/// How much of a file's ends is read, in bytes: a sector of a disc.
const BLOCK: u64 = 2048;

/// Where a file is, by its path in the tree: as it stands in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// How it is asked for.
    pub by: By,
    /// Its path without leading slash, with its query.
    pub path: String,
}

impl At {
    /// Reads where a script says that a file is: `http://…`, or GRUB's `(tftp,…)` and `(http,…)`. `None` where that is not
    /// on these services.
    pub fn read(url: &str, scene: &Scene) -> Option<At> {
        let rest = |path: &str| path.strip_prefix('/').map(str::to_owned);
        let host = scene.base.trim_start_matches("http://");
        if let Some(path) = url.strip_prefix(scene.base.as_str()) {
            return Some(At { by: By::Http, path: rest(path)? });
        }
        let (device, path) = url.strip_prefix('(')?.split_once(')')?;
        let (protocol, server) = device.split_once(',')?;
        let by = match protocol {
            "http" if server == host => By::Http,
            "tftp" if server == scene.server.to_string() => By::Tftp,
            _ => return None,
        };
        Some(At { by, path: rest(path)? })
    }

    /// The file as a person may see it.
    pub fn shown(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        tickets::shown(path)
    }

    /// The same file's path in an HTTP request.
    fn in_url(&self) -> String {
        match self.by {
            By::Http => format!("/{}", self.path),
            By::Tftp => format!("/{}", url_path(&self.path)),
        }
    }
}

type Checked = Result<u64, Fault>;

/// All files that were looked at.
#[derive(Debug, Default)]
pub struct Files {
    known: Mutex<HashMap<(By, String), Arc<OnceCell<Checked>>>>,
}

impl Files {
    /// Looks at a file, and says its length in bytes.
    ///
    /// # Errors
    /// It is not there, or not whole.
    pub async fn check(&self, net: &Net, firmware: Firmware, at: &At) -> Checked {
        let cell = {
            let Ok(mut known) = self.known.lock() else { return Err(Fault::NoServices { reason: String::new() }) };
            Arc::clone(known.entry((at.by, at.path.clone())).or_default())
        };
        let looking = async {
            let length = by_http(net, at).await?;
            if at.by == By::Tftp { by_tftp(net, firmware, at, length).await } else { Ok(length) }
        };
        cell.get_or_init(|| looking).await.clone()
    }
}

async fn by_http(net: &Net, at: &At) -> Checked {
    let (path, file) = (at.in_url(), at.shown());
    let trouble = |trouble| Fault::Fetch { file: file.clone(), by: at.by, trouble };
    let size = net.head(&path).await.map_err(trouble)?.size.unwrap_or_default();
    if size == 0 {
        return Err(Fault::Empty { file });
    }
    let short = |trouble| match trouble {
        Trouble::NotFound | Trouble::Unreachable { .. } => Fault::Fetch { file: file.clone(), by: at.by, trouble },
        _ => Fault::Short { file: file.clone(), expected: size },
    };
    let length = size.min(BLOCK);
    for from in [0, size - length] {
        let page = net.part(&path, from, length).await.map_err(short)?;
        if page.size != Some(size) || page.bytes.len() as u64 != length {
            return Err(Fault::Short { file, expected: size });
        }
    }
    Ok(size)
}

/// What signed GRUB does: size and start come from TFTP, and are those that HTTP says.
async fn by_tftp(net: &Net, firmware: Firmware, at: &At, size: u64) -> Checked {
    let got = net.tftp(&at.path, firmware.tftp(Fetcher::Grub), Wanted::Start(BLOCK)).await;
    let got = got.map_err(|trouble| Fault::Fetch { file: at.shown(), by: By::Tftp, trouble })?;
    match got.size {
        Some(told) if told != size => Err(Fault::Lengths { file: at.shown(), tftp: told, http: size }),
        _ if (got.bytes.len() as u64) < size.min(BLOCK) => Err(Fault::Short { file: at.shown(), expected: size }),
        _ => Ok(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::double::Addresses;

    #[test]
    fn a_place_is_read_as_each_loader_writes_it() {
        let scene = Scene {
            token: "t".into(),
            base: "http://10.77.0.1:8080".into(),
            server: [10, 77, 0, 1].into(),
            http: "127.0.0.1:1".parse().unwrap(),
            tftp: "127.0.0.1:2".parse().unwrap(),
            interface: None,
            addresses: Addresses::Ours,
            address: [10, 77, 0, 2].into(),
        };
        let read = |url: &str| At::read(url, &scene).map(|at| (at.by, at.path));
        let found = |by, path: &str| Some((by, path.to_owned()));
        assert_eq!(read("http://10.77.0.1:8080/a/b%20c?x=1"), found(By::Http, "a/b%20c?x=1"));
        assert_eq!(read("(http,10.77.0.1:8080)/a"), found(By::Http, "a"));
        assert_eq!(read("(tftp,10.77.0.1)/a b"), found(By::Tftp, "a b"));
        for elsewhere in ["http://10.77.0.1/a", "http://10.77.0.1:80801/a", "(tftp,10.0.0.1)/a", "(hd0,1)/a", "a"] {
            assert_eq!(read(elsewhere), None, "{elsewhere}");
        }
        let at = At { by: By::Tftp, path: "a b#c".into() };
        assert_eq!(at.in_url(), "/a%20b%23c");
    }
}
