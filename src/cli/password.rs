//! `bootwright password`: what is kept of an entry's password, for `password-hash` in a deployment.

use std::io::{self, BufRead, IsTerminal};

use super::{Status, complain, out};
use crate::boot::password::Hash;

pub(super) fn run() -> Status {
    let password = match ask() {
        Ok(Some(password)) => password,
        Ok(None) => {
            complain("The two were not the same, so nothing was made. Run it again.");
            return Status::Wrong;
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
        let first = rpassword::prompt_password("Password: ")?;
        let second = rpassword::prompt_password("The same again: ")?;
        return Ok((first == second).then_some(first));
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}
