//! The one error of this program: what went wrong, with the path it happened at, or the signal that ended it.
//!
//! An opponent that is missing, slow or wrong is no error but a result.

use std::fmt::Display;
use std::io;
use std::path::Path;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("interrupted by signal {0}")]
    Interrupted(usize),
    #[error("{0}")]
    Other(String),
}

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self::Other(what.into())
    }
}

/// Puts in front of an error what was being done, and to which path.
pub(crate) trait Context<T> {
    fn at(self, doing: &str, path: &Path) -> Result<T>;
}

impl<T, E: Display> Context<T> for Result<T, E> {
    fn at(self, doing: &str, path: &Path) -> Result<T> {
        self.map_err(|error| Failure::Other(format!("cannot {doing} {}: {error}", path.display())))
    }
}

/// Removes a folder and all in it; that there is none is fine.
pub(crate) fn remove_folder(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).at("remove", path),
        _ => Ok(()),
    }
}
