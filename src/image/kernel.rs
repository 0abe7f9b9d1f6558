//! What a kernel's own header says: processor, and which firmware can start it.

use super::{Disc, Firmware};

/// A kernel, or another program that boots like one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// The processor, as `uname -m` says it.
    pub arch: &'static str,
    /// The firmware that can start it.
    pub firmware: Vec<Firmware>,
}

/// Reads a kernel's header. `None` for what is neither a Linux boot image nor a UEFI program.
pub fn probe(disc: &Disc, path: &str) -> Option<Kernel> {
    examine(&disc.read_start(path, 4096).ok()?)
}

/// The x86 boot protocol has `HdrS` at 0x202 (Linux `Documentation/arch/x86/boot.rst`); a UEFI program is a PE image
/// with its machine type behind `PE\0\0`.
fn examine(header: &[u8]) -> Option<Kernel> {
    let machine = pe_machine(header);
    let linux = header.get(0x202..0x206) == Some(b"HdrS");
    // XLF_KERNEL_64: there is a 64-bit entry point.
    let is_64_bit = header.get(0x236).is_some_and(|flags| flags & 1 != 0);
    let arch = match machine {
        Some(0x8664) => "x86_64",
        Some(0xaa64) => "aarch64",
        Some(0x014c) => "i386",
        Some(_) => return None,
        None if linux && is_64_bit => "x86_64",
        None if linux => "i386",
        None => return None,
    };
    let bios = linux.then_some(Firmware::Bios);
    let uefi = machine.map(|_| Firmware::Uefi);
    Some(Kernel { arch, firmware: bios.into_iter().chain(uefi).collect() })
}

fn pe_machine(header: &[u8]) -> Option<u16> {
    if header.get(..2)? != b"MZ" {
        return None;
    }
    let at = u32::from_le_bytes(header.get(0x3c..0x40)?.try_into().ok()?);
    let at = usize::try_from(at).ok()?;
    let signature = header.get(at..at.checked_add(6)?)?;
    match signature {
        [b'P', b'E', 0, 0, low, high] => Some(u16::from_le_bytes([*low, *high])),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The least header of a Linux kernel with these starts.
    pub(crate) fn header(bios: bool, machine: Option<u16>) -> Vec<u8> {
        let mut bytes = vec![0u8; 1024];
        if bios {
            bytes[0x202..0x206].copy_from_slice(b"HdrS");
            bytes[0x236] = 1;
        }
        if let Some(machine) = machine {
            bytes[..2].copy_from_slice(b"MZ");
            bytes[0x3c] = 0x80;
            bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
            bytes[0x84..0x86].copy_from_slice(&machine.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn headers_tell_processor_and_firmware() {
        use Firmware::{Bios, Uefi};
        let cases = [
            (header(true, Some(0x8664)), Some(("x86_64", vec![Bios, Uefi]))),
            (header(true, None), Some(("x86_64", vec![Bios]))),
            (header(false, Some(0xaa64)), Some(("aarch64", vec![Uefi]))),
            (header(false, Some(0x1234)), None),
            (b"MZ".to_vec(), None),
            (vec![], None),
        ];
        for (bytes, expected) in cases {
            let found = examine(&bytes).map(|kernel| (kernel.arch, kernel.firmware));
            assert_eq!(found, expected);
        }
    }
}
