//! The names of a log file's old files, with and without `.gz`, and how such a file is moved.
//!
//! Only names that rotation itself makes are known here; files that others put beside the log are never touched.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::explain;

const GZ: &str = ".gz";

/// A log file and the files that have been set aside from it.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    path: PathBuf,
}

impl Family {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The same files by the place that a symbolic link leads to: the link stays as it is, and old files are beside
    /// the new one.
    pub(crate) fn resolved(&self) -> Self {
        let leads_to = self.path.is_symlink().then(|| fs::canonicalize(&self.path).ok()).flatten();
        leads_to.filter(|path| path.is_file()).map_or_else(|| self.clone(), Self::new)
    }

    /// The path of the old file with this tail.
    pub(crate) fn with_tail(&self, tail: &str) -> PathBuf {
        append(&self.path, &format!(".{tail}"))
    }

    /// Whether there is an old file with this tail, compressed or not.
    pub(crate) fn has(&self, tail: &str) -> bool {
        let plain = self.with_tail(tail);
        exists(&compressed(&plain)) || exists(&plain)
    }

    /// Whether there is one that is no folder.
    pub(crate) fn has_file(&self, tail: &str) -> bool {
        self.find(tail).symlink_metadata().is_ok_and(|metadata| !metadata.is_dir())
    }

    /// The tails of the old files that `is_ours` accepts, in no order.
    pub(crate) fn tails(&self, is_ours: impl Fn(&str) -> bool) -> io::Result<Vec<String>> {
        let (folder, prefix) = (self.folder(), self.prefix());
        let failed = |error| explain(&error, format_args!("list {}", folder.display()));
        let mut tails = BTreeSet::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            // Tails are ASCII: whatever has another is not ours.
            let rest = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
            let Some(rest) = rest.and_then(|rest| std::str::from_utf8(rest).ok()) else { continue };
            let tail = rest.strip_suffix(GZ).unwrap_or(rest);
            if is_ours(tail) {
                tails.insert(tail.to_owned());
            }
        }
        Ok(tails.into_iter().collect())
    }

    /// The path of an old file in the form in which it is there. The plain one goes when the other is complete, so it
    /// is whole if it is there.
    pub(crate) fn find(&self, tail: &str) -> PathBuf {
        let plain = self.with_tail(tail);
        let gz = compressed(&plain);
        if !exists(&plain) && exists(&gz) { gz } else { plain }
    }

    /// Removes an old file in both forms.
    pub(crate) fn give_up(&self, tail: &str) -> io::Result<()> {
        let plain = self.with_tail(tail);
        remove(&plain)?;
        remove(&compressed(&plain))
    }

    /// Renames the log file to the old file with this tail, which it replaces in either form.
    pub(crate) fn set_aside(&self, tail: &str) -> io::Result<PathBuf> {
        let to = self.with_tail(tail);
        rename(&self.path, &to)?;
        remove(&compressed(&to))?;
        Ok(to)
    }

    /// Renames an old file, in the form in which it is there, over another in either form.
    pub(crate) fn shift(&self, from: &str, to: &str) -> io::Result<()> {
        let (found, to) = (self.find(from), self.with_tail(to));
        let plain = self.with_tail(from);
        if found == plain {
            rename(&plain, &to)?;
            remove(&compressed(&to))?;
            // What a compression left that did not come to its end.
            remove(&compressed(&plain))
        } else {
            rename(&found, &compressed(&to))?;
            remove(&to)
        }
    }

    fn folder(&self) -> PathBuf {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        }
    }

    fn prefix(&self) -> OsString {
        let mut prefix = self.path.file_name().unwrap_or_default().to_owned();
        prefix.push(".");
        prefix
    }
}

/// The path of the compressed form of a file.
pub(super) fn compressed(path: &Path) -> PathBuf {
    append(path, GZ)
}

pub(super) fn append(path: &Path, end: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(end);
    PathBuf::from(path)
}

pub(super) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
        .map_err(|error| explain(&error, format_args!("rename {} to {}", from.display(), to.display())))
}

/// Removes a file that may have been removed by somebody else.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(explain(&error, format_args!("remove {}", path.display())))
        }
        _ => Ok(()),
    }
}
