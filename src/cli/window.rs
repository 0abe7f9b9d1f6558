//! `bootwright` without a command: the wizard, or why there is none.

use std::path::PathBuf;

use super::{Status, complain};

/// Opens the window, and waits until it is closed.
#[cfg(feature = "gui")]
pub(super) fn run(demo: Option<String>, open: Option<PathBuf>) -> Status {
    match crate::app::run(crate::app::Start { demo, deployment: open }) {
        Ok(()) => Status::Done,
        Err(error) => {
            complain(&crate::app::explain(&error).sentence());
            Status::Cannot
        }
    }
}

/// This program was built without its window.
#[cfg(not(feature = "gui"))]
pub(super) fn run(_demo: Option<String>, _open: Option<PathBuf>) -> Status {
    complain(
        "This program was built without its window. Serve with: bootwright serve --interface NAME --image FILE; \
         `bootwright interfaces` lists the names.",
    );
    Status::Wrong
}
