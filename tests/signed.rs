//! Who signed Debian's boot loaders: what packaging/loaders.sh fetched, and its GRUB for discs.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may stop at the first surprise")]

use std::path::{Path, PathBuf};

use bootwright::boot::secure::{self, Chain};
use bootwright::image::signature::{self, Authority, Machine, Signed};
use bootwright::image::words;

/// Debian's GRUB for discs, of the package grub-efi-amd64-signed, which packaging/test.sh unpacks.
const FOR_DISCS: &str = "target/packages/grub-efi-amd64-signed/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed";

fn loaders() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/loaders")
}

fn read(test: &str, path: &Path) -> Option<Signed> {
    if !path.is_file() {
        println!("SKIPPED {test}: {} is missing", path.display());
        return None;
    }
    Some(signature::file(path).unwrap())
}

fn generation(program: &Signed, component: &str) -> Option<u32> {
    program.sbat.iter().find(|part| part.component == component).map(|part| part.generation)
}

#[test]
fn debians_shim_is_signed_by_microsoft_and_accepts_debian() {
    let Some(shim) = read("shim", &loaders().join("shimx64.efi")) else { return };
    let authorities: Vec<Authority> = shim.signed_by.iter().map(|signature| signature.authority).collect();
    assert!(authorities.contains(&Authority::MicrosoftUefi2011), "{shim:?}");
    assert_eq!(shim.signed_by[0].signer, "Microsoft Windows UEFI Driver Publisher");
    assert_eq!(shim.signed_by[0].root, "Microsoft Corporation Third Party Marketplace Root");
    assert_eq!((shim.machine, shim.trusts.as_slice()), (Machine::X64, &["Debian Secure Boot CA".to_owned()][..]));
    assert!(shim.is_shim() && shim.grub.is_none() && generation(&shim, "shim") >= Some(3), "{shim:?}");
    let both = authorities.contains(&Authority::MicrosoftUefi2023);
    assert_eq!(words::keys(&shim).is_none(), both, "{:?}", words::keys(&shim));
}

#[test]
fn debians_grub_for_networks_fetches() {
    let Some(grub) = read("GRUB", &loaders().join("grubx64.efi")) else { return };
    assert_eq!(grub.signed_by.len(), 1, "{grub:?}");
    assert_eq!(
        (grub.signed_by[0].authority, grub.signed_by[0].issuer.as_str()),
        (Authority::Debian, "Debian Secure Boot CA")
    );
    let modules = grub.grub.as_ref().unwrap();
    assert!(modules.fetches && !modules.http && modules.prefix.as_deref() == Some("/grub"), "{modules:?}");
    assert!(!grub.is_shim() && generation(&grub, "grub") >= Some(3), "{grub:?}");
    let Some(shim) = read("GRUB", &loaders().join("shimx64.efi")) else { return };
    assert_eq!(secure::chain(Some(&grub.signed_by), "x86_64", &[], Some(&shim)), Chain::Direct);
}

#[test]
fn what_loaders_sh_makes_is_not_signed() {
    for (file, machine) in [
        ("grub-http-ia32.efi", Machine::Ia32),
        ("grub-http-arm64.efi", Machine::Arm64),
        ("grub-http-x64.efi", Machine::X64),
    ] {
        let Some(grub) = read(file, &loaders().join(file)) else { return };
        let modules = grub.grub.as_ref().unwrap();
        assert!(grub.signed_by.is_empty() && grub.machine == machine && modules.fetches, "{grub:?}");
        assert!(modules.http, "{modules:?}");
    }
    for file in ["ipxe.efi", "snponly.efi"] {
        let Some(program) = read(file, &loaders().join(file)) else { return };
        assert!(program.signed_by.is_empty() && program.grub.is_none() && program.trusts.is_empty(), "{program:?}");
    }
    assert!(signature::file(&loaders().join("undionly.kpxe")).is_none());
}

#[test]
fn debians_grub_for_discs_has_the_texts_but_cannot_fetch() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOR_DISCS);
    let Some(grub) = read("GRUB for discs", &path) else { return };
    let modules = grub.grub.unwrap();
    assert!(!modules.fetches && modules.prefix.as_deref() == Some("/boot/grub"), "{modules:?}");
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes.windows(6).any(|part| part == b"\0tftp\0"), "else the test shows nothing");
}
