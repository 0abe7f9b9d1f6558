//! Programs of the system that are run, as root also: by their full path, with argument vectors, an environment of our own,
//! and not waited for longer than they may take.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::text;

/// Where distributions keep them. `PATH` is not asked: this may run as root.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
/// A program that has no answer after this time has other problems. ufw and firewall-cmd, written in Python, take a second
/// or two, and ufw took nine on a slow computer that was busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a program is, if it is installed.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists())
}

/// Runs a program with these arguments and returns what it printed. An error is what it said.
///
/// One that takes too long is left to its work, not killed: ufw tries out what iptables can do in chains of its own, even
/// where it is only asked, and half of what it does would stay.
pub(super) async fn run(name: &str, arguments: &[&str]) -> Result<String, String> {
    run_with(name, arguments, &[]).await
}

/// The same with something on its standard input.
pub(super) async fn run_with(name: &str, arguments: &[&str], input: &[u8]) -> Result<String, String> {
    let program = find(name).ok_or_else(|| format!("the program {name} is not installed"))?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", FOLDERS.join(":")).env("LC_ALL", "C").current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = tokio::time::timeout(PATIENCE, async {
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // Whoever does not read it tells by its status why.
            let _ = stdin.write_all(input).await;
        }
        child.wait_with_output().await
    });
    let output =
        ended.await.map_err(|_elapsed| format!("{name} takes too long"))?.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(text::plain(String::from_utf8_lossy(&output.stderr).trim(), 300))
}
