//! Compares the contents of a folder at two moments.
//!
//! It sees names only: a file that was changed or replaced is not its business.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder and what was in it.
#[derive(Debug)]
pub(super) struct Watched {
    folder: PathBuf,
    scope: Scope,
    before: BTreeSet<PathBuf>,
}

#[derive(Debug)]
enum Scope {
    /// Everything below the folder, links not followed.
    Tree,
    /// The folder's own entries with a name that starts like this.
    Entries(String),
}

impl Watched {
    pub(super) fn tree(folder: &Path) -> Self {
        Self::new(folder, Scope::Tree)
    }

    pub(super) fn entries(folder: &Path, prefix: &str) -> Self {
        Self::new(folder, Scope::Entries(prefix.to_owned()))
    }

    fn new(folder: &Path, scope: Scope) -> Self {
        let mut watched = Self { folder: folder.to_owned(), scope, before: BTreeSet::new() };
        watched.before = watched.list();
        watched
    }

    /// What is there now and was not at first.
    pub(super) fn added(&self) -> BTreeSet<PathBuf> {
        self.list().difference(&self.before).cloned().collect()
    }

    fn list(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        match &self.scope {
            Scope::Tree => add_tree(&self.folder, &mut found),
            Scope::Entries(prefix) => {
                let starts = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(prefix);
                found.extend(read(&self.folder).filter(starts).map(|entry| entry.path()));
            }
        }
        found
    }
}

fn add_tree(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in read(folder) {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            add_tree(&entry.path(), found);
        }
        found.insert(entry.path());
    }
}

/// The entries of a folder; none when the folder itself is gone, which is as clean as it gets.
fn read(folder: &Path) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok)
}
