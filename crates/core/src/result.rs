//! The result type of user code and of everything that runs inside a task attempt.
//!
//! It does not describe failed jobs: those are [`crate::Error`].

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// Any error, as user code returns it: `?` works on every standard error and on strings.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What mappers, reducers, combiners and readers return.
pub type Result<T = (), E = BoxError> = std::result::Result<T, E>;

/// A file operation that failed, with the file's name and, where there is any, a remedy.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {}: {source}{}", path.display(), self.remedy())]
pub(crate) struct FileError {
    what: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl FileError {
    fn remedy(&self) -> String {
        let folder = self.path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
        match () {
            () if is_full(&self.source) => format!(" (make room for the folder {})", folder.display()),
            () if is_out_of_descriptors(&self.source) => {
                " (allow more open files with `ulimit -n`)".to_owned()
            }
            () => String::new(),
        }
    }
}

/// Whether there is no room left on the disk, or not for this user.
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Whether a full disk is behind this error of ours: whoever tries again at once comes to the same.
pub(crate) fn is_of_full_disk(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .filter_map(|error| error.downcast_ref::<FileError>())
        .any(|error| is_full(&error.source))
}

/// Adds the operation and the file's name to an I/O error.
pub(crate) trait AtPath<T> {
    /// `what` reads well after "cannot": "write", "rename", "make the folder".
    fn at(self, what: &'static str, path: &Path) -> Result<T, FileError>;
}

impl<T, E: Into<io::Error>> AtPath<T> for Result<T, E> {
    fn at(self, what: &'static str, path: &Path) -> Result<T, FileError> {
        self.map_err(|error| FileError { what, path: path.to_owned(), source: error.into() })
    }
}

/// An error with all that caused it, on one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Many errors already tell their source.
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
