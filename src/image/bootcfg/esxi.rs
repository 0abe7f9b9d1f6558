//! ESXi's `boot.cfg`: which kernel and modules its loader fetches, and from where.
//!
//! Source: VMware, "Installing and Setting Up ESXi", "About the boot.cfg File"; vmware/esx-boot `mboot/config.c`.

use std::fmt::Write;

const MAX_SIZE: usize = 256 << 10;
/// Largest count of modules. ESXi 8 has about 120.
const MAX_MODULES: usize = 512;
/// Between two modules.
const SEPARATOR: &str = "---";

/// What a `boot.cfg` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BootCfg {
    /// What it shows while it loads.
    pub title: String,
    /// What kernel and modules are relative to; empty for the folder of the file.
    pub prefix: String,
    /// The kernel, as written.
    pub kernel: String,
    /// The kernel's arguments.
    pub kernelopt: String,
    /// Modules, as written; one may have arguments behind its name.
    pub modules: Vec<String>,
    /// Version and build, where it says them.
    pub build: String,
    /// All other settings, in their order.
    pub others: Vec<(String, String)>,
}

/// Reads a `boot.cfg`. `None` for a text that names no kernel and modules.
pub fn parse(text: &str) -> Option<BootCfg> {
    let mut found = BootCfg::default();
    let text = text.get(..MAX_SIZE.min(text.len())).unwrap_or_default();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let Some((key, value)) = line.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else { continue };
        match key.to_ascii_lowercase().as_str() {
            "title" => found.title = value.to_owned(),
            "prefix" => found.prefix = value.to_owned(),
            "kernel" => found.kernel = value.to_owned(),
            "kernelopt" => found.kernelopt = value.to_owned(),
            "modules" => found.modules = modules(value),
            "build" => found.build = value.to_owned(),
            _ if found.others.len() < MAX_MODULES => found.others.push((key.to_owned(), value.to_owned())),
            _ => {}
        }
    }
    (!found.kernel.is_empty() && !found.modules.is_empty()).then_some(found)
}

fn modules(value: &str) -> Vec<String> {
    let modules = value.split(SEPARATOR).map(str::trim).filter(|module| !module.is_empty());
    modules.map(str::to_owned).take(MAX_MODULES).collect()
}

impl BootCfg {
    /// Paths of kernel and modules in a tree, without their arguments.
    pub fn files(&self) -> impl Iterator<Item = String> {
        let names = std::iter::once(&self.kernel).chain(&self.modules);
        names.filter_map(|name| name.split_whitespace().next()).map(|name| super::absolute(&self.prefix, name))
    }

    /// Adds arguments for the kernel: `ks=…`.
    pub fn with_arguments(mut self, more: &str) -> BootCfg {
        self.kernelopt = [self.kernelopt.trim(), more.trim()].join(" ").trim().to_owned();
        self
    }

    /// The same for a network, for a tree that is served at an address without a slash behind it.
    ///
    /// The loader puts `prefix` and a slash before each name, and takes a name that begins with a slash as one of its own
    /// root: so the slashes go. `cdromBoot` makes the installer look for its disc.
    pub fn for_network(&self, base_url: &str) -> String {
        let inner = self.prefix.trim_matches('/');
        let prefix = format!("{}/{inner}", base_url.trim_end_matches('/'));
        let bare = |name: &str| name.trim_start_matches('/').to_owned();
        let kept = self.kernelopt.split_whitespace().filter(|word| !word.eq_ignore_ascii_case("cdromBoot"));
        let arguments: Vec<&str> = kept.collect();
        let modules: Vec<String> = self.modules.iter().map(|module| bare(module)).collect();
        let mut text = String::new();
        let mut line = |key: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{key}={value}");
        };
        let [before, after] = ["bootstate", "updated"].map(|key| self.others.iter().find(|(own, _)| own == key));
        before.into_iter().for_each(|(key, value)| line(key, value));
        line("title", &self.title);
        let others = self.others.iter().filter(|(key, _)| key != "bootstate" && key != "updated");
        others.for_each(|(key, value)| line(key, value));
        line("prefix", prefix.trim_end_matches('/'));
        line("kernel", &bare(&self.kernel));
        line("kernelopt", &arguments.join(" "));
        line("modules", &modules.join(" --- "));
        line("build", &self.build);
        after.into_iter().for_each(|(key, value)| line(key, value));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "bootstate=0\ntitle=Loading ESXi installer\ntimeout=5\nprefix=\nkernel=/b.b00\n\
        kernelopt=runweasel cdromBoot\nmodules=/jumpstrt.gz --- /useropts.gz --- /k.b00 --- /x.v00\n\
        build=8.0.3-0.0.24022510\nupdated=0\n";

    #[test]
    fn a_cd_becomes_a_tree() {
        let found = parse(PLAIN).unwrap();
        assert_eq!(found.modules, ["/jumpstrt.gz", "/useropts.gz", "/k.b00", "/x.v00"]);
        assert_eq!(found.files().next().as_deref(), Some("/b.b00"));
        let expected = "bootstate=0\ntitle=Loading ESXi installer\ntimeout=5\nprefix=http://10.0.0.1:8080/i/esxi\n\
            kernel=b.b00\nkernelopt=runweasel ks=http://10.0.0.1/ks\n\
            modules=jumpstrt.gz --- useropts.gz --- k.b00 --- x.v00\nbuild=8.0.3-0.0.24022510\nupdated=0\n";
        assert_eq!(
            found.clone().with_arguments("ks=http://10.0.0.1/ks").for_network("http://10.0.0.1:8080/i/esxi/"),
            expected
        );
        assert!(parse(&found.for_network("http://h")).is_some());
    }

    #[test]
    fn upper_case_names_arguments_and_prefixes_stay() {
        let text = "TITLE=x\r\nprefix=/esx\r\nkernel=B.B00 a=b\r\nkernelopt=CDROMBOOT\r\nmodules=A.V00 opt\r\n";
        let found = parse(text).unwrap();
        assert_eq!(found.files().collect::<Vec<_>>(), ["/esx/B.B00", "/esx/A.V00"]);
        let network = found.for_network("http://h/t");
        assert!(
            network.contains("prefix=http://h/t/esx\nkernel=B.B00 a=b\nkernelopt=\nmodules=A.V00 opt\n"),
            "{network}"
        );
    }

    #[test]
    fn every_cut_is_an_answer() {
        for length in 0..PLAIN.len() {
            let _ = parse(&PLAIN[..length]);
        }
        assert_eq!(parse("kernel=b\n"), None);
        assert_eq!(parse(""), None);
    }
}
