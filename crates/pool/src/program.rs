//! Which executable a worker runs.
//!
//! It names the executable; it does not start it.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

/// The executable of a crew's workers.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
}

/// The kernel's own link to the running image: it still leads there when the file was replaced or removed.
const RUNNING_IMAGE: &str = "/proc/self/exe";

impl Program {
    /// The program that is running now. Workers get the very same image, even if the file has changed since.
    ///
    /// # Errors
    /// When the running program cannot be found at all.
    pub fn this() -> io::Result<Self> {
        let link = Path::new(RUNNING_IMAGE);
        if link.symlink_metadata().is_ok() {
            return Ok(Self { path: link.to_owned() });
        }
        Ok(Self { path: env::current_exe()? })
    }

    /// Another executable, which must call [`worker::enter`](crate::worker::enter) first thing in `main`.
    #[must_use]
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub(crate) fn executable(&self) -> &Path {
        &self.path
    }
}
