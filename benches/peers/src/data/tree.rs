//! A folder of many small text files, and the list of all files below any folder.
//!
//! It makes files of words and identifiers; it does not know what they are used for.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::lines;
use super::random::{Random, Vocabulary};
use crate::failure::{Context, Result};

const SEED: u64 = 0x7472_6565;
/// Files in a folder, and folders in a folder.
const FAN_OUT: u64 = 64;
/// The smallest file and how much larger one can be: 12 KiB on average.
const LEAST: u64 = 8 << 10;
const SPREAD: u64 = 8 << 10;

/// Makes `count` files below `folder`.
pub(super) fn make(folder: &Path, vocabulary: &Vocabulary, count: u64) -> Result<()> {
    let inner = |group: u64| folder.join(format!("d{:03}/e{:02}", group / FAN_OUT, group % FAN_OUT));
    (0..count.div_ceil(FAN_OUT)).into_par_iter().try_for_each(|group| {
        let inner = inner(group);
        fs::create_dir_all(&inner).at("create", &inner)?;
        (group * FAN_OUT..count.min((group + 1) * FAN_OUT)).try_for_each(|number| {
            let path = inner.join(format!("f{number:06}.txt"));
            fs::write(&path, content(vocabulary, number)).at("write", &path)
        })
    })
}

/// Words of the vocabulary, and for each twenty of them an identifier that occurs in no other file.
fn content(vocabulary: &Vocabulary, number: u64) -> Vec<u8> {
    let mut random = Random::new(SEED, number);
    let size = (LEAST + random.below(SPREAD)) as usize;
    let mut text = Vec::with_capacity(size + 32);
    while text.len() < size {
        match random.below(21) {
            0 => text.extend_from_slice(format!("file{number}_item{}", random.below(40)).as_bytes()),
            _ => lines::word(vocabulary, &mut random, &mut text),
        }
        text.push(if random.below(9) == 0 { b'\n' } else { b' ' });
    }
    *text.last_mut().expect("a file has at least one word") = b'\n';
    text
}

/// All regular files below a folder, relative to it, in the byte order of their paths; links are not followed.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.at("list", folder)?;
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            files.push(path.to_owned());
        }
    }
    files.sort_unstable_by(|a, b| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes()));
    Ok(files)
}

/// Writes the paths of `files` below `folder` to `list`, one a line.
pub(crate) fn write_list(folder: &Path, files: &[PathBuf], list: &Path) -> Result<()> {
    let mut out = BufWriter::new(File::create(list).at("create", list)?);
    for file in files {
        out.write_all(folder.join(file).as_os_str().as_bytes()).at("write", list)?;
        out.write_all(b"\n").at("write", list)?;
    }
    out.flush().at("write", list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_files_as_asked_each_with_words_of_its_own() {
        let root = tempfile::tempdir().expect("a folder");
        make(root.path(), &Vocabulary::new(1, 500), 130).expect("a temporary folder can be written");
        let files = files_below(root.path()).expect("it can be listed");
        assert_eq!(files.len(), 130);
        let text = fs::read_to_string(root.path().join(&files[129])).expect("it is text");
        assert!((8 << 10..(16 << 10) + 32).contains(&text.len()));
        assert!(text.split_whitespace().any(|word| word.starts_with("file129_item")));
    }

    #[test]
    fn paths_are_listed_in_byte_order() {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir(root.path().join("a")).expect("a folder can be made");
        for name in ["a/b", "a.c", "B"] {
            fs::write(root.path().join(name), "").expect("a file can be made");
        }
        let files = files_below(root.path()).expect("it can be listed");
        assert_eq!(files, ["B", "a.c", "a/b"].map(PathBuf::from));
        let list = root.path().join("list");
        write_list(Path::new("/x"), &files, &list).expect("it can be written");
        assert_eq!(fs::read(list).expect("it was written"), b"/x/B\n/x/a.c\n/x/a/b\n");
    }
}
