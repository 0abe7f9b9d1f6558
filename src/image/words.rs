//! People's words for what an image is: the same on the pages, in menus and on the command line.

use super::signature::{Authority, Machine, Signature, Signed};
use super::{Boot, Category, Entry, Firmware, Inspection, Transport};

/// How an entry reaches the computer.
pub fn way(entry: &Entry) -> &'static str {
    match (entry.boot, entry.transport) {
        (Boot::Linux, Transport::HttpTree) => "Fetches its files as it needs them",
        (Boot::Linux, Transport::HttpIso) => "Loads the whole image into memory",
        (Boot::EfiProgram, _) => "Starts as a program of the firmware",
        (Boot::Multiboot, _) => "Starts its hypervisor, and the rest as modules of that",
        (Boot::Wimboot, _) => "Starts Windows PE through wimboot",
        (Boot::Esxi, _) => "Starts VMware's own loader, which fetches the rest",
        (Boot::HttpDisc, _) => "Last resort: the firmware gets the whole image as a disc",
        (Boot::Memdisk, _) | (_, Transport::Memdisk) => "Loads the whole image into memory, as a disc",
        (Boot::Sanboot, _) | (_, Transport::Sanboot) => "Reads the image as if it were a disc",
    }
}

/// What a category of systems is for.
pub fn category(category: Category) -> &'static str {
    match category {
        Category::Installer => "Install a system",
        Category::Live => "Run a live system",
        Category::Rescue => "Rescue and backup",
        Category::Tool => "Tests and tools",
        Category::Hypervisor => "Install a hypervisor",
        Category::Windows => "Windows",
        Category::Bsd => "BSD",
        Category::Other => "Other",
    }
}

/// A kind of system, of one of them.
pub fn kind(category: Category) -> &'static str {
    match category {
        Category::Installer => "installer",
        Category::Live => "live system",
        Category::Rescue => "rescue system",
        Category::Tool => "tool",
        Category::Hypervisor => "hypervisor installer",
        Category::Windows => "Windows medium",
        Category::Bsd => "BSD medium",
        Category::Other => "system",
    }
}

/// What the firmware of computers may be.
pub fn firmware(firmware: &[Firmware]) -> &'static str {
    match (firmware.contains(&Firmware::Bios), firmware.contains(&Firmware::Uefi)) {
        (true, true) => "BIOS and UEFI",
        (true, false) => "BIOS only",
        (false, true) => "UEFI only",
        (false, false) => "none",
    }
}

/// A processor, as people call it.
pub fn processor(arch: &str) -> &str {
    match arch {
        "x86_64" => "64-bit PC",
        "i386" | "i686" => "32-bit PC",
        "aarch64" => "64-bit ARM",
        other => other,
    }
}

/// Who signed what an image starts with, a line for each kind of entry; then what to know of Microsoft's two sets of keys.
/// Empty where no entry is for UEFI.
pub fn secure_boot(inspection: &Inspection) -> Vec<String> {
    let entries = inspection.entries.iter().filter(|entry| entry.firmware.contains(&Firmware::Uefi));
    let told: Vec<(&str, String)> =
        entries.filter_map(|entry| Some((entry.title.as_str(), signed(entry, &inspection.signatures)?))).collect();
    let mut lines: Vec<String> = Vec::new();
    let alike = told.windows(2).all(|pair| matches!(pair, [one, two] if one.1 == two.1));
    for (title, words) in told {
        let line = if alike { words } else { format!("{title}: {words}") };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.extend(inspection.signatures.iter().filter_map(keys));
    lines
}

/// Who signed an entry's kernel, and the shim that is in the image for it. `None` where that cannot be told.
pub fn signed(entry: &Entry, programs: &[Signed]) -> Option<String> {
    let (noun, by) = (if entry.boot == Boot::EfiProgram { "program" } else { "kernel" }, entry.signed.as_ref()?);
    if by.is_empty() {
        return Some(format!("{noun} is not signed: it starts only with Secure Boot off"));
    }
    let by = signers(by);
    let machine = Machine::of_arch(&entry.arch);
    let shim = programs.iter().find(|program| program.is_shim() && program.machine == machine);
    Some(match shim {
        Some(shim) if shim.signed_by.is_empty() => format!("{} is not signed, {noun} by {by}", shims(shim)),
        Some(shim) => format!("signed by {} ({}), {noun} by {by}", signers(&shim.signed_by), shims(shim)),
        None => format!("{noun} signed by {by}"),
    })
}

/// What to know of a shim that Microsoft signed with the keys of one year only.
pub fn keys(shim: &Signed) -> Option<String> {
    let years: Vec<u16> = shim.signed_by.iter().filter_map(|signature| signature.authority.year()).collect();
    let (signed, lacking) = match (years.contains(&2011), years.contains(&2023)) {
        (true, false) => (2011, 2023),
        (false, true) => (2023, 2011),
        _ => return None,
    };
    shim.is_shim().then(|| {
        let whose = shims(shim);
        format!(
            "{whose} is signed with Microsoft's keys of {signed} only: a computer that knows only those of {lacking} \
             refuses it"
        )
    })
}

/// Whose shim it is, by the certificates that it brings.
fn shims(shim: &Signed) -> String {
    let name = shim.trusts.first().map_or("", String::as_str);
    Authority::of(name, name).name().map_or_else(|| format!("the shim of {name}"), |name| format!("{name}'s shim"))
}

/// Everybody who signed a program, each once.
fn signers(signatures: &[Signature]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for signature in signatures {
        let name = Some(signature.who()).filter(|name| !name.is_empty()).unwrap_or("somebody without a name");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(issuers: &[&str]) -> Vec<Signature> {
        let signature = |issuer: &&str| Signature {
            signer: String::new(),
            issuer: (*issuer).to_owned(),
            root: (*issuer).to_owned(),
            authority: Authority::of(issuer, ""),
        };
        issuers.iter().map(signature).collect()
    }

    fn shim(signed_by: &[&str], trusts: &str) -> Signed {
        Signed {
            path: "/EFI/BOOT/BOOTX64.EFI".into(),
            machine: Machine::X64,
            signed_by: by(signed_by),
            trusts: vec![trusts.into()],
            refuses: vec![],
            sbat: vec![],
            grub: None,
        }
    }

    fn inspection(kernels: &[Option<&[&str]>], signatures: Vec<Signed>) -> Inspection {
        let mut inspection = crate::boot::menu::tests::inspection("/a.iso", "a", &vec!["x"; kernels.len()]);
        for (number, (entry, kernel)) in inspection.entries.iter_mut().zip(kernels).enumerate() {
            entry.title = format!("Entry {number}");
            entry.arch = "x86_64".into();
            entry.firmware = vec![Firmware::Uefi];
            entry.signed = kernel.map(by);
        }
        inspection.signatures = signatures;
        inspection
    }

    #[test]
    fn who_signed_an_image_is_one_line() {
        const OLD: &str = "Microsoft Corporation UEFI CA 2011";
        const NEW: &str = "Microsoft UEFI CA 2023";
        const DEBIAN: &str = "Debian Secure Boot CA";
        let both = || vec![shim(&[OLD, NEW], DEBIAN)];
        let cases: [(&[Option<&[&str]>], Vec<Signed>, &[&str]); 8] = [
            (
                &[Some(&[DEBIAN]), Some(&[DEBIAN])],
                both(),
                &["signed by Microsoft's UEFI CA 2011 and Microsoft's UEFI CA 2023 (Debian's shim), kernel by Debian"],
            ),
            (&[Some(&[])], both(), &["kernel is not signed: it starts only with Secure Boot off"]),
            (
                &[Some(&[DEBIAN]), Some(&[])],
                vec![],
                &[
                    "Entry 0: kernel signed by Debian",
                    "Entry 1: kernel is not signed: it starts only with Secure Boot off",
                ],
            ),
            (&[None], both(), &[]),
            (&[], vec![], &[]),
            (
                &[Some(&["My Key"])],
                vec![shim(&[OLD], "My CA")],
                &[
                    "signed by Microsoft's UEFI CA 2011 (the shim of My CA), kernel by My Key",
                    "the shim of My CA is signed with Microsoft's keys of 2011 only: a computer that knows only those of \
                     2023 refuses it",
                ],
            ),
            (
                &[],
                vec![shim(&[NEW], DEBIAN)],
                &[
                    "Debian's shim is signed with Microsoft's keys of 2023 only: a computer that knows only those of 2011 \
                   refuses it",
                ],
            ),
            (&[Some(&[DEBIAN])], vec![shim(&[], DEBIAN)], &["Debian's shim is not signed, kernel by Debian"]),
        ];
        for (kernels, programs, expected) in cases {
            assert_eq!(secure_boot(&inspection(kernels, programs)), expected);
        }
    }
}
