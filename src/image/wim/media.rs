//! Windows installation media: which Windows, which version of it, and whether what Setup needs is all there.
//!
//! `boot.wim` says what starts, `install.wim` (or `.esd`, or the parts of a split `.swm`) what is installed. Client and
//! server have builds in common, so the second one decides.

use super::{Wim, WimImage, read};
use crate::image::Disc;

/// Where the files lie: Microsoft's media for two processors have them in a folder for each.
const FOLDERS: [&str; 3] = ["", "/x64", "/x86"];
/// Setup looks for them in this order (Microsoft Learn, "Windows Setup", and what media have).
const PAYLOADS: [&str; 3] = ["install.wim", "install.esd", "install.swm"];
/// Most editions and missing parts that are named.
const MAX_NAMED: usize = 100;

/// What an image with Windows on it installs, or starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowsMedia {
    /// What people call it, such as `Windows 11`, `Windows Server 2025` or `Windows PE`.
    pub name: String,
    /// Its version, such as `24H2 (build 26100)`; none where the files do not tell their build.
    pub version: Option<String>,
    /// The build; 0 where the files do not tell it. From 26100 on Windows demands signed SMB, and its boot manager a
    /// newer `wimboot` (WINDOWS.md sections 2 and 4.1).
    pub build: u32,
    /// The processor, as `uname -m` says it, where it is one that we know.
    pub arch: Option<&'static str>,
    /// What can be installed, in the order of the file; each name once.
    pub editions: Vec<String>,
    /// The languages of what is installed, or of what starts.
    pub languages: Vec<String>,
    /// What starts.
    pub boot: Wim,
    /// The path of `boot.wim`.
    pub boot_path: String,
    /// The path of what is installed, or of its first part; none where the image only starts something.
    pub install: Option<String>,
    /// How many parts that has: 0 where there is none, 1 where it is not split.
    pub parts: u16,
    /// Parts that are not on the disc, by their paths, the first hundred.
    pub missing: Vec<String>,
    /// What cannot be read of it, for people.
    pub problem: Option<String>,
}

/// Reads the Windows media on a disc; `None` where it has no `boot.wim` that can be read.
pub fn media(disc: &Disc) -> Option<WindowsMedia> {
    FOLDERS.iter().find_map(|folder| {
        let boot_path = disc.resolve_file(&format!("{folder}/sources/boot.wim"))?;
        let boot = read(disc, &boot_path).ok()?;
        let payload = PAYLOADS.iter().find_map(|name| disc.resolve_file(&format!("{folder}/sources/{name}")));
        let install = payload.map(|path| {
            let wim = read(disc, &path).map_err(|error| error.to_string());
            (path, wim)
        });
        let has = |path: &str| disc.find(path).is_some();
        Some(judge(boot, boot_path, install, disc.label().unwrap_or_default(), has))
    })
}

/// Puts together what the files say.
fn judge(
    boot: Wim,
    boot_path: String,
    install: Option<(String, Result<Wim, String>)>,
    label: &str,
    has: impl Fn(&str) -> bool,
) -> WindowsMedia {
    let (install, read) = install.map_or((None, None), |(path, wim)| (Some(path), Some(wim)));
    let (installed, problem) = match read {
        Some(Ok(wim)) => (Some(wim), None),
        Some(Err(reason)) => (None, Some(reason)),
        None => (None, None),
    };
    // Data images have no build. Of what starts, the image that does: it is the last one on Microsoft's media.
    let described = |wim: &Wim| wim.images.iter().find(|image| image.build != 0).cloned();
    let starting = boot.images.iter().find(|image| image.index == boot.boot_index).filter(|image| image.build != 0);
    let starting = starting.cloned().or_else(|| described(&boot));
    let image = installed.as_ref().and_then(described).or(starting).unwrap_or_default();
    let kind = Kind::of(&image, install.is_some(), label);
    let parts = match (&install, &installed) {
        (None, _) => 0,
        (Some(_), Some(wim)) => wim.part.1,
        (Some(_), None) => 1,
    };
    let missing = install.as_deref().map(|first| missing_parts(first, parts, has)).unwrap_or_default();
    WindowsMedia {
        name: name(kind, &image),
        version: version(kind, &image),
        build: image.build,
        arch: image.architecture,
        editions: editions(installed.as_ref()),
        languages: image.languages,
        boot,
        boot_path,
        install,
        parts,
        missing,
        problem,
    }
}

fn editions(installed: Option<&Wim>) -> Vec<String> {
    let mut editions: Vec<String> = Vec::new();
    for image in installed.into_iter().flat_map(|wim| &wim.images) {
        let named = [&image.name, &image.description, &image.edition_id].into_iter().find(|name| !name.is_empty());
        if let Some(name) = named.filter(|name| !editions.contains(name) && editions.len() < MAX_NAMED) {
            editions.push(name.clone());
        }
    }
    editions
}

/// The second part of `install.swm` is `install2.swm` (`dism /Split-Image`).
fn missing_parts(first: &str, parts: u16, has: impl Fn(&str) -> bool) -> Vec<String> {
    let stem = first.get(..first.len().saturating_sub(".swm".len())).unwrap_or_default();
    let others = (2..=parts).map(|number| format!("{stem}{number}.swm"));
    others.filter(|path| !has(path)).take(MAX_NAMED).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Client,
    Server,
    /// Nothing to install: an environment of its own.
    Pe,
}

impl Kind {
    /// What is installed says so itself. Where it cannot be read, Microsoft's labels begin with `SSS_` for servers, and
    /// evaluation media have the word in them.
    fn of(image: &WimImage, installs: bool, label: &str) -> Kind {
        let says = |text: &str, word: &str| text.to_ascii_lowercase().starts_with(word);
        let label = label.to_ascii_lowercase();
        if !installs {
            Kind::Pe
        } else if says(&image.installation_type, "server") || says(&image.edition_id, "server") {
            Kind::Server
        } else if says(&image.installation_type, "client") {
            Kind::Client
        } else if label.starts_with("sss_") || label.contains("server") {
            Kind::Server
        } else {
            Kind::Client
        }
    }
}

/// Builds of Windows for desktops, and the version that each is.
///
/// Source: Microsoft Learn, "Windows 11 release information" and "Windows 10 release information" (September 2026).
/// Versions that are an update of a few kB over another one keep its build in the WIM, so some builds stand for several.
const CLIENTS: [(u32, &str); 27] = [
    (6000, ""),
    (6001, "SP1"),
    (6002, "SP2"),
    (7600, ""),
    (7601, "SP1"),
    (9200, ""),
    (9600, ""),
    (10240, "1507"),
    (10586, "1511"),
    (14393, "1607"),
    (15063, "1703"),
    (16299, "1709"),
    (17134, "1803"),
    (17763, "1809"),
    (18362, "1903 or 1909"),
    (18363, "1909"),
    (19041, "2004 to 22H2"),
    (19042, "20H2"),
    (19043, "21H1"),
    (19044, "21H2"),
    (19045, "22H2"),
    (22000, "21H2"),
    (22621, "22H2 or 23H2"),
    (22631, "23H2"),
    (26100, "24H2"),
    (26200, "25H2"),
    (28000, "26H1"),
];

/// Builds of Windows Server, the name of each and its version where the name has none.
///
/// Source: Microsoft Learn, "Windows Server release information" and "Operating System Version".
const SERVERS: [(u32, &str, &str); 17] = [
    (6001, "2008", ""),
    (6002, "2008", "SP2"),
    (7600, "2008 R2", ""),
    (7601, "2008 R2", "SP1"),
    (9200, "2012", ""),
    (9600, "2012 R2", ""),
    (14393, "2016", ""),
    (16299, "", "1709"),
    (17134, "", "1803"),
    (17763, "2019", ""),
    (18362, "", "1903"),
    (18363, "", "1909"),
    (19041, "", "2004"),
    (19042, "", "20H2"),
    (20348, "2022", ""),
    (25398, "", "23H2"),
    (26100, "2025", ""),
];

fn name(kind: Kind, image: &WimImage) -> String {
    let system = match image.build {
        0 => "",
        build if build < 6000 => "",
        build if build < 7600 => "Vista",
        build if build < 9200 => "7",
        build if build < 9600 => "8",
        build if build < 10_000 => "8.1",
        build if build < 22_000 => "10",
        _ => "11",
    };
    let name = match kind {
        Kind::Client => format!("Windows {system}"),
        Kind::Server => {
            let known = SERVERS.iter().find(|(build, ..)| *build == image.build);
            format!("Windows Server {}", known.map_or("", |(_, name, _)| name))
        }
        Kind::Pe => "Windows PE".to_owned(),
    };
    name.trim_end().to_owned()
}

fn version(kind: Kind, image: &WimImage) -> Option<String> {
    let build = Some(image.build).filter(|build| *build != 0)?;
    let known = match kind {
        Kind::Client => CLIENTS.iter().find(|(known, _)| *known == build).map(|(_, version)| *version),
        Kind::Server => SERVERS.iter().find(|(known, ..)| *known == build).map(|(.., version)| *version),
        Kind::Pe => None,
    };
    match known.filter(|version| !version.is_empty()) {
        Some(version) => Some(format!("{version} (build {build})")),
        None => Some(format!("build {build}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{described, file, of, xml};
    use super::*;

    fn wim(images: &[(&str, &str, &str, u32)], part: (u16, u16)) -> Wim {
        let numbered = (1..).zip(images);
        let images: Vec<String> =
            numbered.map(|(n, (name, edition, kind, build))| described(n, name, edition, kind, *build)).collect();
        of(&file(&xml(&images), images.len() as u32, part)).unwrap()
    }

    fn boot(build: u32) -> Wim {
        let pe = |name| (name, "WindowsPE", "WindowsPE", build);
        wim(&[pe("Microsoft Windows PE (amd64)"), pe("Microsoft Windows Setup (amd64)")], (1, 1))
    }

    /// Media with these images in their `install.wim`.
    fn with(images: &[(&str, &str, &str, u32)], label: &str) -> WindowsMedia {
        let install = (!images.is_empty()).then(|| ("/sources/install.wim".to_owned(), Ok(wim(images, (1, 1)))));
        judge(boot(26100), "/sources/boot.wim".into(), install, label, |_| true)
    }

    #[test]
    fn what_is_installed_decides_the_name() {
        let cases = [
            (("Windows 11 Pro", "Professional", "Client", 26100), "Windows 11", "24H2 (build 26100)"),
            (("Windows 11 Pro", "Professional", "Client", 26200), "Windows 11", "25H2 (build 26200)"),
            (("Windows 11 Pro", "Professional", "Client", 27900), "Windows 11", "build 27900"),
            (("Windows 10 Pro", "Professional", "Client", 19041), "Windows 10", "2004 to 22H2 (build 19041)"),
            (("Windows 8.1 Pro", "Professional", "Client", 9600), "Windows 8.1", "build 9600"),
            (("Windows 7 ULTIMATE", "Ultimate", "Client", 7601), "Windows 7", "SP1 (build 7601)"),
            (("Windows Vista", "Ultimate", "Client", 6002), "Windows Vista", "SP2 (build 6002)"),
            (("Server 2025", "ServerStandard", "Server Core", 26100), "Windows Server 2025", "build 26100"),
            (("Server 2022", "ServerDatacenterEval", "", 20348), "Windows Server 2022", "build 20348"),
            (("Server 2008 R2", "ServerStandard", "Server", 7601), "Windows Server 2008 R2", "SP1 (build 7601)"),
            (("Server", "ServerStandardACor", "Server Core", 25398), "Windows Server", "23H2 (build 25398)"),
            (("Server", "ServerStandard", "Server", 29531), "Windows Server", "build 29531"),
        ];
        for (image, name, version) in cases {
            let media = with(&[image], "");
            assert_eq!((media.name.as_str(), media.version.as_deref()), (name, Some(version)), "{image:?}");
            assert_eq!((media.arch, media.build, media.parts), (Some("x86_64"), image.3, 1));
        }
    }

    #[test]
    fn editions_are_named_once_and_in_order() {
        let images = [
            ("Windows 11 Home", "Core", "Client", 26100),
            ("Windows 11 Pro", "Professional", "Client", 26100),
            ("Windows 11 Home", "CoreN", "Client", 26100),
            ("", "", "Client", 26100),
        ];
        assert_eq!(with(&images, "").editions, ["Windows 11 Home", "Windows 11 Pro", ", described"]);
    }

    #[test]
    fn nothing_to_install_is_an_environment() {
        let media = with(&[], "SSS_X64FREE");
        assert_eq!((media.name.as_str(), media.version.as_deref()), ("Windows PE", Some("build 26100")));
        assert_eq!((media.install, media.parts, media.editions.len()), (None, 0, 0));
    }

    #[test]
    fn what_cannot_be_read_is_told_and_the_label_helps() {
        let unreadable = |label| {
            let install = Some(("/sources/install.esd".to_owned(), Err("it is cut off".to_owned())));
            judge(boot(26100), "/sources/boot.wim".into(), install, label, |_| true)
        };
        for (label, name) in [("SSS_X64FRE_EN-US_DV9", "Windows Server 2025"), ("CCCOMA_X64FRE", "Windows 11")] {
            let media = unreadable(label);
            assert_eq!((media.name.as_str(), media.problem.as_deref()), (name, Some("it is cut off")));
            assert_eq!(media.install.as_deref(), Some("/sources/install.esd"));
        }
    }

    #[test]
    fn missing_parts_are_named() {
        let split = wim(&[("Windows 11 Pro", "Professional", "Client", 26100)], (1, 4));
        let install = Some(("/Sources/Install.SWM".to_owned(), Ok(split)));
        let media = judge(boot(26100), "/sources/boot.wim".into(), install, "", |path| path.ends_with("3.swm"));
        assert_eq!(media.parts, 4);
        assert_eq!(media.missing, ["/Sources/Install2.swm", "/Sources/Install4.swm"]);
    }

    #[test]
    fn builds_are_in_order_and_known_once() {
        assert!(CLIENTS.is_sorted_by(|a, b| a.0 < b.0) && SERVERS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
