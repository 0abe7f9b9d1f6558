//! People's words for what an image is: the same on the pages, in menus and on the command line.

use super::{Boot, Category, Entry, Firmware, Transport};

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
