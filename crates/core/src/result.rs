//! The result type of user code and of everything that runs inside a task attempt.
//!
//! It does not describe failed jobs: those are [`crate::Error`].

/// Any error, as user code returns it: `?` works on every standard error and on strings.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What mappers, reducers, combiners and readers return.
pub type Result<T = (), E = BoxError> = std::result::Result<T, E>;

/// A file operation that failed, with the file's name.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {}: {source}", path.display())]
pub(crate) struct FileError {
    what: &'static str,
    path: std::path::PathBuf,
    source: std::io::Error,
}

/// Adds the operation and the file's name to an I/O error.
pub(crate) trait AtPath<T> {
    /// `what` reads well after "cannot": "write", "rename", "make the folder".
    fn at(self, what: &'static str, path: &std::path::Path) -> Result<T, FileError>;
}

impl<T, E: Into<std::io::Error>> AtPath<T> for Result<T, E> {
    fn at(self, what: &'static str, path: &std::path::Path) -> Result<T, FileError> {
        self.map_err(|error| FileError { what, path: path.to_owned(), source: error.into() })
    }
}

/// An error with all that caused it, on one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Many errors already end with the text of their source.
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
