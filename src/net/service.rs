//! Services of the system that are in the way: stopped for a while, and started again. The system itself asks for a
//! password where it wants one, and it says no where this user may not.
//!
//! Who stops a service is a program whose input ends with us, and who starts it again then: also when this program is
//! killed.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::text;

/// Stops what it is asked for, says so, waits for the end of its input, and starts it. Nobody may be there any more to hear
/// what it says, which must not end it (SIGPIPE).
const HOLD: &str = "trap '' PIPE; systemctl stop -- \"$1\" >&2 || exit; echo stopped; cat > /dev/null; \
                    exec systemctl start -- \"$1\"";
/// Most that is kept of what the system says, in bytes.
const WORDS: u64 = 4096;

/// A service that is stopped. When this is dropped, or this program ends in whatever way, it is started again.
#[derive(Debug)]
pub struct Stopped {
    unit: String,
    /// Its input is ours.
    holder: Child,
}

/// Stops a service, like `dnsmasq.service`. It takes as long as whoever is asked for a password; who does not wait that long
/// has it started again. An error is what the system said. Must be called inside a tokio runtime.
pub async fn stop(unit: &str) -> Result<Stopped, String> {
    stop_by(Command::new("sh"), unit).await
}

async fn stop_by(mut shell: Command, unit: &str) -> Result<Stopped, String> {
    shell.args(["-c", HOLD, "sh", unit]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A signal to us from a terminal is not for it: it has something to do after us.
    #[cfg(unix)]
    shell.process_group(0);
    let mut holder = shell.spawn().map_err(|error| error.to_string())?;
    let mut line = String::new();
    if let Some(stdout) = holder.stdout.as_mut() {
        BufReader::new(stdout).read_line(&mut line).await.map_err(|error| error.to_string())?;
    }
    if line.trim() == "stopped" {
        return Ok(Stopped { unit: unit.to_owned(), holder });
    }
    Err(said(&mut holder).await)
}

impl Stopped {
    /// Which one it is.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Starts it again. An error is what the system said.
    pub async fn start(mut self) -> Result<(), String> {
        drop(self.holder.stdin.take());
        let reason = said(&mut self.holder).await;
        let status = self.holder.wait().await.map_err(|error| error.to_string())?;
        if status.success() { Ok(()) } else { Err(reason) }
    }
}

/// What the system says until the end.
async fn said(holder: &mut Child) -> String {
    let mut said = Vec::new();
    if let Some(stderr) = holder.stderr.as_mut() {
        let _ = stderr.take(WORDS).read_to_end(&mut said).await;
    }
    text::plain(String::from_utf8_lossy(&said).trim(), 300)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::time::Duration;

    use super::*;

    /// A shell whose `systemctl` writes down what it is asked for, and knows no unit called `none.service`. It asks for a
    /// password as long as there is a file `held`.
    fn shell(folder: &Path) -> std::io::Result<Command> {
        let program = folder.join("systemctl");
        let script = format!(
            "#!/bin/sh\n[ \"$3\" != none.service ] || {{ echo 'No\u{1b}[31m way' >&2; exit 5; }}\necho \"$@\" >> {}\n\
             while [ -e {} ]; do sleep 0.02; done\n",
            folder.join("asked").display(),
            folder.join("held").display()
        );
        std::fs::write(&program, script)?;
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
        let mut shell = Command::new("sh");
        shell.env("PATH", format!("{}:/usr/bin:/bin", folder.display()));
        Ok(shell)
    }

    fn asked(folder: &Path) -> String {
        std::fs::read_to_string(folder.join("asked")).unwrap_or_default()
    }

    const BOTH: &str = "stop -- -dnsmasq.service\nstart -- -dnsmasq.service\n";

    #[tokio::test]
    async fn the_system_is_asked_for_that_very_unit_and_its_word_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let stopped = stop_by(shell(folder.path()).unwrap(), "-dnsmasq.service").await.unwrap();
        assert_eq!((stopped.unit(), asked(folder.path()).as_str()), ("-dnsmasq.service", "stop -- -dnsmasq.service\n"));
        assert_eq!(stopped.start().await, Ok(()));
        assert_eq!(asked(folder.path()), BOTH);
        let refused = stop_by(shell(folder.path()).unwrap(), "none.service").await.unwrap_err();
        assert!(refused.starts_with("No") && refused.ends_with("way") && !refused.contains('\u{1b}'), "{refused:?}");
        stop_by(Command::new(folder.path().join("none")), "x").await.unwrap_err();
    }

    #[tokio::test]
    async fn whoever_lets_go_of_it_has_it_started_again() {
        let folder = tempfile::tempdir().unwrap();
        let stopped = stop_by(shell(folder.path()).unwrap(), "-dnsmasq.service").await.unwrap();
        // What the system does for a program that is killed.
        drop(stopped);
        until_asked(folder.path(), BOTH).await;
    }

    async fn until_asked(folder: &Path, what: &str) {
        let as_wanted = async {
            while asked(folder) != what {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let asked = tokio::time::timeout(Duration::from_secs(20), as_wanted).await;
        assert!(asked.is_ok(), "never: {what}");
    }

    #[tokio::test]
    async fn whoever_goes_before_it_is_stopped_has_it_started_again() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("held"), "").unwrap();
        let stopping = stop_by(shell(folder.path()).unwrap(), "-dnsmasq.service");
        tokio::select! {
            _ = stopping => panic!("nobody gave the password yet"),
            () = until_asked(folder.path(), "stop -- -dnsmasq.service\n") => {}
        }
        std::fs::remove_file(folder.path().join("held")).unwrap();
        until_asked(folder.path(), BOTH).await;
    }
}
