//! Keeps this computer from going to sleep while it serves, by the system's own means, and undoes that when it is dropped
//! or when this program ends in whatever way: the one who holds it is a program whose input ends with us.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::net::platform;
use crate::text;

/// How long the system may take to agree. It asks nobody.
const PATIENCE: Duration = Duration::from_secs(5);
/// Says that it holds, and then waits for the end of its input.
const HOLD: [&str; 3] = ["sh", "-c", "echo held; exec cat"];

/// How this computer stands with sleep and power.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Power {
    /// Whether [`stay`] has a way to keep it awake.
    pub can_stay: bool,
    /// What the battery has left, in percent, while the computer runs on it.
    pub on_battery: Option<u8>,
    /// Whether it has a battery, and so is one that goes to sleep by itself or when its lid is closed.
    pub is_portable: bool,
}

/// How this computer stands with sleep and power, now.
pub fn power() -> Power {
    platform::power()
}

/// The computer is kept awake until this is dropped.
#[derive(Debug)]
pub struct Awake {
    /// Its input is ours, so it ends with us even if nobody can end it.
    _holder: Child,
    /// Whether closing the lid changes nothing either.
    pub with_lid: bool,
}

/// Keeps the computer awake. An error is what the system said. Must be called inside a tokio runtime.
pub async fn stay() -> Result<Awake, String> {
    let mut reason = "this system has no program for it".to_owned();
    for (command, with_lid) in platform::AWAKE {
        match hold(command).await {
            Ok(holder) => return Ok(Awake { _holder: holder, with_lid: *with_lid }),
            Err(error) => reason = error,
        }
    }
    Err(reason)
}

async fn hold(command: &[&str]) -> Result<Child, String> {
    let words = [command, &HOLD].concat();
    let (program, arguments) = words.split_first().ok_or("there is no command")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // A signal to us from a terminal is not for it: it is to end after us.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
    let mut line = String::new();
    let told = async {
        match child.stdout.as_mut() {
            Some(stdout) => BufReader::new(stdout).read_line(&mut line).await.map(drop),
            None => Ok(()),
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, told).await;
    if line.trim() == "held" {
        return Ok(child);
    }
    in_time.map_err(|_elapsed| format!("{program} takes too long"))?.map_err(|error| error.to_string())?;
    let mut said = Vec::new();
    if let Some(stderr) = child.stderr.as_mut() {
        // It has ended, or said nothing in time; a program that it left behind may hold the other end.
        let _ = tokio::time::timeout(PATIENCE, stderr.take(4096).read_to_end(&mut said)).await;
    }
    Err(text::plain(String::from_utf8_lossy(&said).trim(), 200))
}
