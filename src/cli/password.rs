//! `bootwright password`: what is kept of an entry's password, for `password-hash` in a deployment.

use std::io::{self, BufRead, ErrorKind, IsTerminal};

use super::{Status, complain, out};
use crate::boot::password::Hash;

/// What is said to whoever names a password on the command line.
pub(super) const NO_ARGUMENTS: &str = "A password is no argument, for other programs could read it there. Run \
    `bootwright password` alone: it asks for the password, or takes a line of standard input.";

pub(super) fn run() -> Status {
    let password = match ask() {
        Ok(Some(password)) => password,
        Ok(None) => {
            complain("The two were not the same, so nothing was made. Run it again.");
            return Status::Wrong;
        }
        Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::UnexpectedEof) => {
            complain("Nothing was typed to the end, so nothing was made.");
            return Status::Cannot;
        }
        Err(error) => {
            complain(&format!("The password cannot be read ({error})."));
            return Status::Cannot;
        }
    };
    match Hash::of(&password) {
        Ok(hash) => {
            out(&format!("password-hash = \"{}\"\n", hash.as_str()));
            Status::Done
        }
        Err(error) => {
            complain(&format!("This cannot be a password: {error}."));
            Status::Wrong
        }
    }
}

/// Twice where somebody types it, and a line where it comes by itself. `None` where the two differ.
fn ask() -> io::Result<Option<String>> {
    if io::stdin().is_terminal() {
        let _heeded = heed_interrupts()?;
        let first = rpassword::prompt_password("Password: ")?;
        let second = rpassword::prompt_password("The same again: ")?;
        return Ok((first == second).then_some(first));
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// From now on Ctrl-C ends the question, not the program: `rpassword` raises the signal before it gives the terminal back,
/// which would be left without echo.
#[cfg(unix)]
fn heed_interrupts() -> io::Result<tokio::runtime::Runtime> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let entered = runtime.enter();
    // The handler stays when nobody listens any more.
    drop(signal(SignalKind::interrupt())?);
    drop(entered);
    Ok(runtime)
}

#[cfg(not(unix))]
fn heed_interrupts() -> io::Result<()> {
    Ok(())
}
