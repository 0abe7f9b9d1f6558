//! Who holds a socket whose process this user may not look into: the kernel tells everybody the control group that a socket
//! was opened in (`cgroups(7)`), and systemd gives each of its services and sockets one of its own.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::net::ports::Holder;

/// Where the groups are: the first place is for a system that has the older kind beside them, with numbers of their own.
const ROOTS: [&str; 2] = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
/// Most groups that are looked at; a computer with hundreds of containers has fewer.
const MOST: usize = 10_000;

/// The system's service or socket in a path of groups. Those of a user's own session are not the system's.
pub(super) fn unit(path: &str) -> Option<String> {
    let path = path.strip_prefix("/system.slice/")?;
    let names = |name: &&str| name.ends_with(".service") || name.ends_with(".socket");
    path.rsplit('/').find(names).map(str::to_owned)
}

/// The unit of the system that a socket was opened in, by the number of its group.
pub(super) fn unit_of(group: u64) -> Option<String> {
    ROOTS.iter().find_map(|root| unit_below(Path::new(root), group))
}

fn unit_below(root: &Path, group: u64) -> Option<String> {
    unit(&path(root, &find(root, group)?))
}

/// Whoever must hold a socket that was opened in this group. None where several programs are in it.
pub(super) fn holder(group: u64) -> Option<Holder> {
    ROOTS.iter().find_map(|root| holder_below(Path::new(root), group, program))
}

fn holder_below(root: &Path, group: u64, program: impl Fn(u32) -> Option<String>) -> Option<Holder> {
    let folder = find(root, group)?;
    let unit = unit(&path(root, &folder));
    if unit.as_ref().is_some_and(|unit| unit.ends_with(".socket")) {
        // Nobody is in there: the system itself holds it.
        return Some(Holder { program: "systemd".to_owned(), pid: 1, unit });
    }
    let listed = fs::read_to_string(folder.join("cgroup.procs")).ok()?;
    let mut members: Vec<(u32, String)> =
        listed.lines().filter_map(|line| line.parse().ok()).filter_map(|pid| Some((pid, program(pid)?))).collect();
    members.sort_unstable();
    let (pid, program) = members.first()?.clone();
    members.iter().all(|(_, other)| *other == program).then_some(Holder { program, pid, unit })
}

/// What a process is called.
fn program(pid: u32) -> Option<String> {
    Some(fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim().to_owned())
}

/// The folder of a group: its number is the folder's.
fn find(root: &Path, group: u64) -> Option<PathBuf> {
    let mut ahead = vec![root.to_path_buf()];
    for _ in 0..MOST {
        let folder = ahead.pop()?;
        if fs::metadata(&folder).is_ok_and(|found| found.ino() == group) {
            return Some(folder);
        }
        // One that goes away meanwhile has nobody in it.
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        ahead.extend(folders.map(|entry| entry.path()));
    }
    None
}

fn path(root: &Path, folder: &Path) -> String {
    folder.strip_prefix(root).map(|path| format!("/{}", path.display())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_belongs_to_the_one_program_of_its_group() {
        let root = tempfile::tempdir().unwrap();
        let group = |path: &str, members: &str| {
            let folder = root.path().join(path);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("cgroup.procs"), members).unwrap();
            fs::metadata(folder).unwrap().ino()
        };
        // As Debian 12 has them: nginx is two processes, xinetd runs what it started, and nobody is in a socket's.
        let nginx = group("system.slice/nginx.service", "310\n309\n");
        let xinetd = group("system.slice/xinetd.service", "586\n599\n");
        let socket = group("system.slice/tftp.socket", "");
        let session = group("user.slice/user-1000.slice/session-1.scope", "700\n");
        let gone = group("system.slice/gone.service", "1234\n");
        let programs = |pid: u32| match pid {
            309 | 310 => Some("nginx".to_owned()),
            586 => Some("xinetd".to_owned()),
            599 => Some("in.tftpd".to_owned()),
            700 => Some("pixied".to_owned()),
            _ => None,
        };
        let held = |program: &str, pid, unit: &str| {
            let unit = Some(unit.to_owned()).filter(|unit| !unit.is_empty());
            Some(Holder { program: program.to_owned(), pid, unit })
        };
        let cases = [
            (nginx, held("nginx", 309, "nginx.service")),
            (xinetd, None),
            (socket, held("systemd", 1, "tftp.socket")),
            (session, held("pixied", 700, "")),
            (gone, None),
            (u64::MAX, None),
        ];
        for (group, expected) in cases {
            assert_eq!(holder_below(root.path(), group, programs), expected, "{group}");
        }
        assert_eq!(unit_below(root.path(), socket).as_deref(), Some("tftp.socket"));
        assert_eq!(unit_below(root.path(), session), None);
    }
}
