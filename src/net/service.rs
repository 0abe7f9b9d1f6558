//! Services of the system that are in the way: stopped for a while, and started again. The system itself asks for a
//! password where it wants one, and it says no where this user may not.

use std::ffi::OsStr;
use std::process::Stdio;

use tokio::process::Command;

use crate::text;

const SYSTEMCTL: &str = "systemctl";

/// Stops a service, like `dnsmasq.service`, until [`start`] or until this computer is started again. An error is what
/// the system said.
pub async fn stop(unit: &str) -> Result<(), String> {
    ask(SYSTEMCTL, "stop", unit).await
}

/// Starts a service.
pub async fn start(unit: &str) -> Result<(), String> {
    ask(SYSTEMCTL, "start", unit).await
}

/// As long as whoever is asked for a password takes. Dropping it takes the question away.
async fn ask(program: impl AsRef<OsStr>, what: &str, unit: &str) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args([what, "--", unit]).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    let output = command.stderr(Stdio::piped()).output().await.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(text::plain(String::from_utf8_lossy(&output.stderr).trim(), 300))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn the_system_is_asked_for_that_very_unit_and_its_word_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("systemctl");
        let said = folder.path().join("said");
        let script = format!(
            "#!/bin/sh\necho \"$@\" >> {}\n[ $1 = stop ] || {{ echo 'No\u{1b}[31m way' >&2; exit 4; }}\n",
            said.display()
        );
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(ask(&program, "stop", "-dnsmasq.service").await, Ok(()));
        let refused = ask(&program, "start", "dnsmasq.service").await.unwrap_err();
        assert!(refused.starts_with("No") && refused.ends_with("way") && !refused.contains('\u{1b}'), "{refused:?}");
        assert_eq!(std::fs::read_to_string(&said).unwrap(), "stop -- -dnsmasq.service\nstart -- dnsmasq.service\n");
        ask(folder.path().join("none"), "stop", "x").await.unwrap_err();
    }
}
