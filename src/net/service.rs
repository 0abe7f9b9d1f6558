//! Services of the system that are in the way: stopped for a while, and started again. The system itself asks for a
//! password where it wants one, and it says no where this user may not.

use std::process::Stdio;

use tokio::process::Command;

use crate::text;

/// Stops a service, like `dnsmasq.service`, until [`start`] or until this computer is started again. An error is what
/// the system said.
pub async fn stop(unit: &str) -> Result<(), String> {
    ask("stop", unit).await
}

/// Starts a service.
pub async fn start(unit: &str) -> Result<(), String> {
    ask("start", unit).await
}

/// As long as whoever is asked for a password takes. Dropping it takes the question away.
async fn ask(what: &str, unit: &str) -> Result<(), String> {
    let mut command = Command::new("systemctl");
    command.args([what, "--", unit]).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    let output = command.stderr(Stdio::piped()).output().await.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(text::plain(String::from_utf8_lossy(&output.stderr).trim(), 300))
}
