//! What is written down while the services run.

use std::path::PathBuf;

/// What is written down while the services run. By itself nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Records {
    /// The file that packets are written to as they pass.
    pub trace: Option<PathBuf>,
}
