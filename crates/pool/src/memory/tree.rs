//! What is done to a tree of control groups: a few file operations whose errors name their path.
//!
//! It knows no order of steps. Behind a trait, so that tests can put a folder in the kernel's place.

use std::fmt::Debug;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use rustix::fs::Access;

/// The tree as the kernel shows it, or as a test does.
pub(crate) trait Tree: Debug + Send + Sync {
    fn read(&self, file: &Path) -> io::Result<String>;
    /// Writes to a file that exists.
    fn write(&self, file: &Path, text: &str) -> io::Result<()>;
    fn create(&self, group: &Path) -> io::Result<()>;
    fn remove(&self, group: &Path) -> io::Result<()>;
    /// The names of the groups directly below.
    fn below(&self, group: &Path) -> io::Result<Vec<String>>;
    fn is_writable(&self, path: &Path) -> bool;
    fn is_alive(&self, pid: u32) -> bool;
}

/// The real one.
#[derive(Debug)]
pub(crate) struct Kernel;

impl Tree for Kernel {
    fn read(&self, file: &Path) -> io::Result<String> {
        fs::read_to_string(file).map_err(|error| named(file, &error))
    }

    fn write(&self, file: &Path, text: &str) -> io::Result<()> {
        let open = fs::OpenOptions::new().write(true).open(file);
        // The kernel takes a value in one piece.
        open.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| named(file, &error))
    }

    fn create(&self, group: &Path) -> io::Result<()> {
        fs::create_dir(group).map_err(|error| named(group, &error))
    }

    fn remove(&self, group: &Path) -> io::Result<()> {
        fs::remove_dir(group).map_err(|error| named(group, &error))
    }

    fn below(&self, group: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(group).map_err(|error| named(group, &error))? {
            let entry = entry.map_err(|error| named(group, &error))?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                names.extend(entry.file_name().into_string().ok());
            }
        }
        Ok(names)
    }

    fn is_writable(&self, path: &Path) -> bool {
        rustix::fs::access(path, Access::WRITE_OK).is_ok()
    }

    fn is_alive(&self, pid: u32) -> bool {
        Path::new("/proc").join(pid.to_string()).exists()
    }
}

/// The error with its path in front. Its kind stays.
pub(crate) fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
