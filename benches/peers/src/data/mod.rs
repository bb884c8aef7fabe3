//! Makes the inputs, once, and knows where they are.
//!
//! What is in them is decided in `lines` and `tree`. The same scale gives the same bytes on every machine.

mod lines;
mod random;
mod tree;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::failure::{Context, Result, remove_folder};
use crate::workload::Workload;
use random::Vocabulary;
pub(crate) use tree::{files_below, write_list};

/// Is part of the folder's name: another content needs another number.
const VERSION: u32 = 1;
const VOCABULARY_SEED: u64 = 0x776f_7264;
const SMALL_FILES: u64 = 48;
/// As many as this are in memory at once, so that all cores are busy and memory stays small.
const BATCH: u64 = 16;

/// Where the data of one scale is.
#[derive(Debug)]
pub(crate) struct Data {
    folder: PathBuf,
    scale: f64,
}

impl Data {
    pub(crate) fn at(root: &Path, scale: f64) -> Self {
        Self { folder: root.join(format!("v{VERSION}-scale-{scale}")), scale }
    }

    /// The input of a workload, made now unless it is there already.
    pub(crate) fn input(&self, workload: Workload) -> Result<PathBuf> {
        let (name, make): (_, fn(&Self, &Path) -> Result<()>) = match workload {
            Workload::W1 => ("zipf.txt", Self::make_text),
            Workload::W1Small => ("zipf-small", Self::make_small),
            Workload::W2 => ("keys.txt", Self::make_keys),
            Workload::W3 => ("tree", Self::make_tree),
            Workload::W4 => ("tera.txt", Self::make_records),
        };
        let path = self.folder.join(name);
        if !path.exists() {
            eprintln!("making {}", path.display());
            fs::create_dir_all(&self.folder).at("create", &self.folder)?;
            let unfinished = self.folder.join(format!("{name}.unfinished"));
            remove_folder_or_file(&unfinished)?;
            make(self, &unfinished)?;
            fs::rename(&unfinished, &path).at("rename to", &path)?;
        }
        Ok(path)
    }

    /// A number at full scale, brought down, but not below `least`.
    fn scaled(&self, full: u64, least: u64) -> u64 {
        ((full as f64 * self.scale) as u64).max(least)
    }

    fn vocabulary(&self) -> Vocabulary {
        Vocabulary::new(VOCABULARY_SEED, self.scaled(1_000_000, 500) as u32)
    }

    fn make_text(&self, path: &Path) -> Result<()> {
        let (vocabulary, bytes) = (self.vocabulary(), self.scaled(1 << 30, 1 << 16));
        write_parts(path, bytes, 4 << 20, |part, _, bytes| lines::text(&vocabulary, part, bytes as usize))
    }

    fn make_small(&self, path: &Path) -> Result<()> {
        let (vocabulary, bytes) = (self.vocabulary(), self.scaled(24 << 20, 1 << 16) / SMALL_FILES);
        fs::create_dir(path).at("create", path)?;
        (0..SMALL_FILES).into_par_iter().try_for_each(|part| {
            let file = path.join(format!("{part:02}.txt"));
            fs::write(&file, lines::text(&vocabulary, part, bytes as usize)).at("write", &file)
        })
    }

    fn make_keys(&self, path: &Path) -> Result<()> {
        let count = self.scaled(20_000_000, 2_000);
        // Of a pool this size, half as many keys occur as there are lines.
        let pool = count * 6275 / 10_000;
        write_parts(path, count, 250_000, |part, _, count| lines::keys(pool, part, count))
    }

    fn make_tree(&self, path: &Path) -> Result<()> {
        tree::make(path, &self.vocabulary(), self.scaled(60_000, 30))
    }

    fn make_records(&self, path: &Path) -> Result<()> {
        let count = self.scaled(10_000_000, 1_000);
        write_parts(path, count, 40_000, lines::records)
    }
}

/// Writes a file of `total` units in parts of up to `size`, made in parallel; `make` gets a part's number, its first
/// unit and how many it has.
fn write_parts(
    path: &Path,
    total: u64,
    size: u64,
    make: impl Fn(u64, u64, u64) -> Vec<u8> + Sync,
) -> Result<()> {
    let mut file = File::create(path).at("create", path)?;
    let parts = total.div_ceil(size);
    for batch in (0..parts).step_by(BATCH as usize) {
        let made: Vec<Vec<u8>> = (batch..parts.min(batch + BATCH))
            .into_par_iter()
            .map(|part| make(part, part * size, size.min(total - part * size)))
            .collect();
        made.iter().try_for_each(|bytes| file.write_all(bytes)).at("write", path)?;
    }
    Ok(())
}

fn remove_folder_or_file(path: &Path) -> Result<()> {
    if path.is_file() { fs::remove_file(path).at("remove", path) } else { remove_folder(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(root: &Path, workload: Workload) -> PathBuf {
        Data::at(root, 0.0001).input(workload).expect("a temporary folder can be written")
    }

    fn contents(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let files =
            if path.is_dir() { files_below(path).expect("it can be listed") } else { vec!["".into()] };
        files.into_iter().map(|file| (file.clone(), read(&path.join(file)))).collect()
    }

    fn read(path: &Path) -> Vec<u8> {
        let plain = path.to_str().expect("the path is text").trim_end_matches('/');
        fs::read(plain).expect("it was made")
    }

    #[test]
    fn the_same_bytes_every_time() {
        let (one, two) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        for workload in [Workload::W1, Workload::W1Small, Workload::W2, Workload::W3, Workload::W4] {
            let (a, b) = (contents(&made(one.path(), workload)), contents(&made(two.path(), workload)));
            assert!(!a.is_empty() && a == b, "{workload:?}");
        }
    }

    #[test]
    fn what_is_there_is_not_made_again() {
        let root = tempfile::tempdir().expect("a folder");
        let path = made(root.path(), Workload::W4);
        fs::write(&path, "mine").expect("it can be written");
        assert_eq!(read(&made(root.path(), Workload::W4)), b"mine");
    }

    #[test]
    fn parts_cover_all_units_once() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("units");
        write_parts(&path, 103, 5, |_, first, count| (first..first + count).map(|unit| unit as u8).collect())
            .expect("a temporary folder can be written");
        assert_eq!(read(&path), (0..103).collect::<Vec<u8>>());
    }
}
