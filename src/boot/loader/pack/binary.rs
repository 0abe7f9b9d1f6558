//! Looks at a loader's bytes: is it whole, for which processor, which version, signed by whom.

use sha2::{Digest, Sha256};

use super::super::version::{LONGEST, Version};

/// Processors of UEFI programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Machine {
    /// 32-bit x86.
    Ia32,
    /// 64-bit x86.
    X64,
    /// 64-bit ARM.
    Arm64,
}

impl Machine {
    /// By the code in a program's header (Microsoft, "PE Format", Machine Types).
    fn of(code: u16) -> Option<Machine> {
        match code {
            0x014c => Some(Machine::Ia32),
            0x8664 => Some(Machine::X64),
            0xaa64 => Some(Machine::Arm64),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Machine::Ia32 => "32-bit x86",
            Machine::X64 => "x64",
            Machine::Arm64 => "ARM64",
        }
    }
}

/// What stands in a UEFI program's headers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Program {
    machine: Machine,
    /// Whose certificates are with its signature, where it has one.
    pub(super) signers: Option<String>,
}

/// Most sections of a program; real ones have about ten.
const MAX_SECTIONS: u16 = 96;
/// The subsystem of UEFI applications ("PE Format", Windows Subsystem).
const EFI_APPLICATION: u16 = 10;

/// Checks that this is a whole UEFI application for this processor. The error is the end of a sentence.
pub(super) fn program(bytes: &[u8], wanted: Machine) -> Result<Program, String> {
    let program = headers(bytes).ok_or("is no whole UEFI program")?;
    if program.machine != wanted {
        return Err(format!("is for {} and not for {}", program.machine.name(), wanted.name()));
    }
    Ok(program)
}

fn headers(bytes: &[u8]) -> Option<Program> {
    let pe = usize::try_from(u32_at(bytes, 0x3c)?).ok().filter(|_| bytes.starts_with(b"MZ"))?;
    let coff = bytes.get(pe..)?.strip_prefix(b"PE\0\0")?;
    let machine = Machine::of(u16_at(coff, 0)?)?;
    let (sections, optional) = (u16_at(coff, 2)?, usize::from(u16_at(coff, 16)?));
    let header = coff.get(20..)?.get(..optional)?;
    if sections == 0 || sections > MAX_SECTIONS || u16_at(header, 68)? != EFI_APPLICATION {
        return None;
    }
    let table = coff.get(20..)?.get(optional..)?;
    for section in 0..usize::from(sections) {
        let row = table.get(section * 40..)?.get(..40)?;
        let end = u64::from(u32_at(row, 16)?) + u64::from(u32_at(row, 20)?);
        if end > bytes.len() as u64 {
            return None;
        }
    }
    let certificates = certificates(bytes, header)?;
    Some(Program { machine, signers: (!certificates.is_empty()).then(|| names(certificates)) })
}

/// The bytes of the certificate table, empty where there is none; `None` where it does not lie in the file.
fn certificates<'a>(bytes: &'a [u8], header: &[u8]) -> Option<&'a [u8]> {
    let directories = match u16_at(header, 0)? {
        0x10b => 96,
        0x20b => 112,
        _ => return None,
    };
    // The fifth directory; its address is a place in the file, unlike all others ("PE Format", The Attribute
    // Certificate Table).
    let row = directories + 4 * 8;
    if u32_at(header, directories - 4)? < 5 {
        return Some(&[]);
    }
    let (at, size) = (u32_at(header, row)?, u32_at(header, row + 4)?);
    bytes.get(usize::try_from(at).ok()?..)?.get(..usize::try_from(size).ok()?)
}

/// How the names of certificates begin that matter here.
const SIGNERS: [&[u8]; 3] = [b"Microsoft Corporation UEFI CA", b"Microsoft UEFI CA", b"iPXE Secure Boot"];
/// Longest name of a certificate (X.520 `ub-common-name`).
const MAX_SIGNER: usize = 64;

/// What is said of a signature by somebody else. Later releases may be signed by other names than we know.
const UNKNOWN: &str = "an unknown certificate";

/// The known names in certificates, each once. In DER a short text stands behind its length (X.690 section 8.1.3).
fn names(certificates: &[u8]) -> String {
    let mut names: Vec<String> = Vec::new();
    for start in SIGNERS {
        for at in places(certificates, start) {
            let length = at.checked_sub(1).and_then(|before| certificates.get(before)).copied().map_or(0, usize::from);
            let name = certificates.get(at..).and_then(|rest| rest.get(..length.max(start.len())));
            let name =
                name.filter(|name| name.len() <= MAX_SIGNER && name.iter().all(|byte| (b' '..=b'~').contains(byte)));
            if let Some(name) = name.map(|name| String::from_utf8_lossy(name).into_owned()) {
                names.push(name);
            }
        }
    }
    names.sort();
    names.dedup();
    if names.is_empty() { UNKNOWN.to_owned() } else { names.join(", ") }
}

/// Who signed a program, by the known certificates with its signature; none where it is not signed.
pub(super) fn signers(bytes: &[u8]) -> Option<String> {
    headers(bytes)?.signers
}

/// How iPXE's loaders for BIOS ROMs begin: a far jump to 0x7c0:5 (iPXE, `pxeprefix.S`).
const PXE_START: [u8; 5] = [0xea, 0x05, 0x00, 0xc0, 0x07];
/// A ROM loads it below 640 KiB, and less than 16 KiB are no iPXE.
const PXE_SIZES: std::ops::RangeInclusive<usize> = (16 << 10)..=(600 << 10);
/// Where the texts of its first part end, in bytes.
const PXE_TEXTS: usize = 4 << 10;

/// Checks that this is iPXE for a BIOS ROM. Its main part is packed, so it tells no version.
pub(super) fn bios(bytes: &[u8]) -> Result<(), String> {
    let texts = bytes.get(..PXE_TEXTS).unwrap_or_default();
    let is_pxe = bytes.starts_with(&PXE_START) && places(texts, b"UNDI").next().is_some();
    let fits = PXE_SIZES.contains(&bytes.len());
    if is_pxe && fits { Ok(()) } else { Err("is no iPXE for a BIOS".to_owned()) }
}

/// The version in iPXE's line for SBAT: `ipxe,1,iPXE,NAME,VERSION,https://ipxe.org` (iPXE, `version.c`), which every UEFI
/// build since 2023 has; before, the one text that is a version and nothing else.
pub(super) fn ipxe_version(bytes: &[u8]) -> Option<Version> {
    const LINE: &[u8] = b"\nipxe,";
    let line = |at: usize| {
        let line = bytes.get(at + 1..)?;
        let line = line.get(..line.len().min(4 * LONGEST))?.split(|byte| matches!(byte, b'\n' | b'\0')).next()?;
        Version::parse(std::str::from_utf8(line).ok()?.split(',').nth(4)?)
    };
    places(bytes, LINE).find_map(line).or_else(|| lone_version(bytes))
}

fn lone_version(bytes: &[u8]) -> Option<Version> {
    let texts = bytes.split(|byte| *byte == 0).filter(|text| (5..=LONGEST).contains(&text.len()));
    let mut versions = texts.filter_map(|text| Version::parse(std::str::from_utf8(text).ok()?));
    let version = versions.next()?;
    versions.all(|other| other == version).then_some(version)
}

/// Where a Linux kernel's header stands, and its texts begin (Linux, `Documentation/arch/x86/boot.rst`).
const SETUP: usize = 0x200;

/// Checks that this is `wimboot` for 64-bit UEFI and BIOS, and finds its version. It is a UEFI program and a Linux kernel
/// at once (wimboot, `prefix.S`); the one for 32-bit UEFI is another file.
pub(super) fn wimboot_version(bytes: &[u8]) -> Result<Version, String> {
    program(bytes, Machine::X64)?;
    let version = kernel_version(bytes).filter(|_| places(bytes, b"wimboot").next().is_some());
    version.ok_or_else(|| "is a UEFI program, but not wimboot (github.com/ipxe/wimboot/releases)".to_owned())
}

fn kernel_version(bytes: &[u8]) -> Option<Version> {
    let setup = bytes.get(SETUP..).filter(|setup| setup.get(2..6) == Some(b"HdrS"))?;
    let text = setup.get(usize::from(u16_at(setup, 0x0e)?)..)?.split(|byte| *byte == 0).next()?;
    let text = std::str::from_utf8(text).ok()?;
    Version::parse(text.strip_prefix('v').unwrap_or(text))
}

/// The SHA-256 of bytes as hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn places<'a>(bytes: &'a [u8], wanted: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let windows = bytes.windows(wanted.len()).enumerate();
    windows.filter(move |(_, window)| *window == wanted).map(|(at, _)| at)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}
