//! Asks services that run for this user, from another program.

use std::path::{Path, PathBuf};

use crate::deployment;
use crate::engine::control::{self, Reply, Request};

/// What all running services of a state folder say to this; nothing where none run. What a killed program has left there
/// counts for nothing.
pub(super) fn ask(state: &Path, request: &Request) -> std::io::Result<Vec<Reply>> {
    Ok(ask_each(&deployment::control_files(state), request)?.into_iter().map(|(_, reply)| reply).collect())
}

/// The same of the services whose doors are at these paths, each with what it says.
pub(super) fn ask_each(doors: &[PathBuf], request: &Request) -> std::io::Result<Vec<(PathBuf, Reply)>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut replies = Vec::new();
        for path in doors {
            match control::ask(path, request).await {
                Ok(reply) => replies.push((path.clone(), reply)),
                Err(error) if is_nobody(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(replies)
    })
}

fn is_nobody(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    matches!(error.kind(), ConnectionRefused | NotFound)
}
