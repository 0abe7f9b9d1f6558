//! `bootwright helper`: what the window starts with more rights. All of it is in [`privilege`].

use super::{Status, complain};
use crate::check;
use crate::net::privilege::{self, PrivilegeError};

pub(super) fn run() -> Status {
    match privilege::help() {
        Ok(()) => Status::Done,
        Err(error) => {
            complain(&check::explain_privilege(&error).sentence());
            status(&error)
        }
    }
}

/// What it should not have been asked for is wrong; what this machine does not give cannot be done.
fn status(error: &PrivilegeError) -> Status {
    match error {
        PrivilegeError::ByHand | PrivilegeError::Refused(_) => Status::Wrong,
        _ => Status::Cannot,
    }
}
