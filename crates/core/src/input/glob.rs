//! Expands one pattern (`*`, `?`, `[a-z]`, `{a,b}`, `**`) into the paths that it matches.
//!
//! What a matched path means (a file, or a folder with files below it) is decided in `files`.

use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::{DirEntry, WalkDir};

use super::error::InputError;

/// Whether a path that cannot be opened because of `error` is to be read as a pattern.
pub(super) fn may_be_pattern(path: &Path, error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    let absent = matches!(error.kind(), NotFound | NotADirectory | InvalidFilename);
    absent && path.to_str().is_some_and(is_magic)
}

/// The paths that match and what each is, in no order, none twice; below a matched folder nothing is matched again.
pub(super) fn matches(pattern: &Path) -> Result<Vec<(PathBuf, FileType)>, InputError> {
    let pattern = Pattern::parse(pattern.to_str().expect("a pattern is UTF-8: may_be_pattern said so"))?;
    let root = if pattern.base.is_empty() { Path::new(".") } else { Path::new(&pattern.base) };
    let mut walk = WalkDir::new(root).min_depth(1).max_depth(pattern.depth).into_iter();
    let mut found = Vec::new();
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            // A pattern in a folder that does not exist matches nothing.
            Err(error) if error.depth() == 0 && is_absent(&error) => break,
            Err(error) => return Err(walk_error(root, error)),
        };
        let relative = entry.path().strip_prefix(root).expect("walkdir stays below its root");
        let matched = pattern.takes(&entry, relative);
        if matched {
            found.push((Path::new(&pattern.base).join(relative), entry.file_type()));
        }
        if entry.file_type().is_dir() && (matched || !pattern.reaches_below(relative, entry.depth())) {
            walk.skip_current_dir();
        }
    }
    Ok(found)
}

fn walk_error(root: &Path, error: walkdir::Error) -> InputError {
    let path = error.path().unwrap_or(root).to_path_buf();
    InputError::at(&path, error.into())
}

fn is_absent(error: &walkdir::Error) -> bool {
    let kind = error.io_error().map(io::Error::kind);
    matches!(kind, Some(io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
}

fn is_magic(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// A pattern taken apart: a folder without magic to start in, and what must match below it.
#[derive(Debug)]
struct Pattern {
    base: String,
    whole: GlobMatcher,
    /// One matcher for each depth at which it is known what folders can lead to a match.
    leading: Vec<GlobMatcher>,
    depth: usize,
    /// The pattern ends in a slash: it means folders only.
    folders: bool,
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, InputError> {
        let magic = text.find(['*', '?', '[', '{', '\\']).unwrap_or(text.len());
        let (base, rest) = text.split_at(text[..magic].rfind('/').map_or(0, |slash| slash + 1));
        let parts: Vec<&str> = rest.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        let compile = |parts: &[&str]| compile(text, &parts.join("/"));
        let leading = (1..parts.len()).take_while(|&n| is_plain(parts[n - 1]));
        Ok(Pattern {
            base: base.into(),
            whole: compile(&parts)?,
            leading: leading.map(|n| compile(&parts[..n])).collect::<Result<_, _>>()?,
            depth: if rest.contains("**") { usize::MAX } else { parts.len() },
            folders: text.ends_with('/'),
        })
    }

    fn takes(&self, entry: &DirEntry, relative: &Path) -> bool {
        self.whole.is_match(relative) && (!self.folders || entry.path().is_dir())
    }

    /// Keeps the walk out of folders where nothing can match, which may be large or not readable.
    fn reaches_below(&self, folder: &Path, depth: usize) -> bool {
        self.leading.get(depth - 1).is_none_or(|leading| leading.is_match(folder))
    }
}

/// Whether a part of a pattern stands for exactly one level of folders: `**` does not, nor does a brace or class that
/// goes on behind the slash.
fn is_plain(part: &str) -> bool {
    let balanced = |open, close| part.matches::<char>(open).count() == part.matches::<char>(close).count();
    !part.contains("**") && !part.contains('\\') && balanced('{', '}') && balanced('[', ']')
}

fn compile(text: &str, glob: &str) -> Result<GlobMatcher, InputError> {
    let glob = GlobBuilder::new(glob).literal_separator(true).backslash_escape(true).build();
    let glob = glob.map_err(|source| InputError::BadPattern { pattern: text.into(), source })?;
    Ok(glob.compile_matcher())
}
