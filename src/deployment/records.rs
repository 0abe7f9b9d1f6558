//! What is written down while the services run.

use std::path::{Path, PathBuf};

/// What turns the job sheet off, in the place of its folder.
const OFF: &str = "off";

/// What is written down while the services run. By itself nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Records {
    /// The file that packets are written to as they pass.
    pub trace: Option<PathBuf>,
    /// The folder of the job sheet.
    pub jobs: Option<PathBuf>,
    /// Who is there, for the job sheet; none is whoever was there before.
    pub operator: Option<String>,
    /// Where the checksums of images are kept that were computed.
    pub checksums: Option<PathBuf>,
}

/// Whether this is no folder, but says that there is to be no job sheet.
pub(super) fn is_off(said: &Path) -> bool {
    said.as_os_str() == OFF
}

/// The folder of the job sheet: what was said, `off` for none, and what is usual in a state folder.
pub fn jobs_folder(said: Option<PathBuf>, state: &Path) -> Option<PathBuf> {
    match said {
        Some(said) if is_off(&said) => None,
        Some(said) => Some(said),
        None => Some(state.join("jobs")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_job_sheet_is_kept_unless_it_is_turned_off() {
        let state = Path::new("/state");
        let cases = [(None, Some("/state/jobs")), (Some("off"), None), (Some("/mine"), Some("/mine"))];
        for (said, expected) in cases {
            assert_eq!(jobs_folder(said.map(PathBuf::from), state), expected.map(PathBuf::from), "{said:?}");
        }
    }
}
