//! What Linux knows of a cable, the clock, and where files lie.

use std::fs;
use std::path::Path;

use crate::net::place::{Cable, Place};

/// What the driver says of an interface's cable.
pub fn cable(name: &str) -> Cable {
    if name.contains('/') {
        return Cable::default();
    }
    let duplex = fs::read_to_string(Path::new("/sys/class/net").join(name).join("duplex")).unwrap_or_default();
    let vlans = fs::read_to_string("/proc/net/vlan/config").unwrap_or_default();
    Cable { half_duplex: duplex.trim() == "half", vlan: vlan(&vlans, name) }
}

/// The number of a virtual network in `/proc/net/vlan/config`: `eth0.7         | 7  | eth0`.
fn vlan(table: &str, name: &str) -> Option<u16> {
    table.lines().find_map(|line| {
        let mut fields = line.split('|').map(str::trim);
        (fields.next()? == name).then(|| fields.next()?.parse().ok())?
    })
}

/// Whether somebody keeps the clock right, as the kernel was told.
pub fn clock_is_kept() -> Option<bool> {
    // SAFETY: `timex` is plain data for which zeros are valid, and without a mode nothing is set.
    let (state, status) = unsafe {
        let mut told: libc::timex = std::mem::zeroed();
        let state = libc::adjtimex(&raw mut told);
        (state, told.status)
    };
    (state >= 0).then_some(status & libc::STA_UNSYNC == 0)
}

/// Bytes that are free for this user on the disk of a folder.
pub fn free_room(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Where a file lies, if not on a disk of this computer.
pub fn place(file: &Path) -> Option<Place> {
    /// statfs(2): NFS, SMB and CIFS in their generations, 9P, AFS, Ceph, a folder of a virtual machine's host, and FUSE,
    /// by which desktops and sshfs show shares (NTFS on a disk of one's own too, but that is a driver of the kernel now).
    const SHARES: [u64; 9] =
        [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997, 0x5346_414f, 0x00c3_6400, 0x786f_4256, 0x6573_5546];
    let kind = rustix::fs::statfs(file).ok()?.f_type;
    if u64::try_from(kind).is_ok_and(|kind| SHARES.contains(&kind)) {
        return Some(Place::Network);
    }
    let device = std::os::unix::fs::MetadataExt::dev(&fs::metadata(file).ok()?);
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let device = fs::canonicalize(format!("/sys/dev/block/{major}:{minor}")).ok()?;
    // A stick has the mark on the disk, not on its part; a disk on USB has none, but hangs there.
    let marked = |folder: &Path| fs::read_to_string(folder.join("removable")).is_ok_and(|mark| mark.trim() == "1");
    let is_removable =
        marked(&device) || device.parent().is_some_and(marked) || device.to_string_lossy().contains("/usb");
    is_removable.then_some(Place::Removable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_network_has_its_number_in_the_table() {
        let table =
            "VLAN Dev name\t | VLAN ID\nName-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD\neth0.7         | 7  | eth0\n";
        assert_eq!(vlan(table, "eth0.7"), Some(7));
        assert_eq!(vlan(table, "eth0"), None);
        assert_eq!(vlan("", "eth0"), None);
    }

    #[test]
    fn what_is_here_is_found() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_room(folder.path()).is_some_and(|room| room > 0));
        assert_eq!(free_room(&folder.path().join("gone")), None);
        assert!(clock_is_kept().is_some());
        assert_eq!(cable("../lo"), Cable::default());
    }
}
