//! A sample of the input: whole files where they lie, and prefixes of large ones, copied.
//!
//! It does not decide how large the sample should be.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::input::{Cut, InputFile};
use crate::result::AtPath;

/// A prefix shorter than this, and than this part of the sample, is not worth a file.
const LEAST_PREFIX: u64 = 64 << 10;
const LEAST_PREFIX_PART: u64 = 16;
/// A line that is longer than its prefix may make it longer by this factor; then the file is passed over.
const LONGER: u64 = 4;

/// The whole input.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) files: Vec<InputFile>,
    pub(super) bytes: u64,
    cut: Cut,
}

/// A part of the input, to be read instead of it.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// Its files, in the order of the input.
    pub(super) inputs: Vec<PathBuf>,
    pub(super) bytes: u64,
    /// How many of its files are prefixes.
    pub(super) prefixes: usize,
    /// Whether it is the whole input.
    pub(super) whole: bool,
}

impl Source {
    pub(super) fn new(files: Vec<InputFile>, cut: Cut) -> Self {
        Self { bytes: files.iter().map(|file| file.size).sum(), files, cut }
    }

    /// Takes a sample of about `want` bytes from all over the input. Prefixes are written into the new folder `folder`,
    /// which replaces that of an earlier sample.
    ///
    /// # Errors
    /// When a file cannot be copied, or nothing of the input can be taken.
    pub(super) fn take(&self, want: u64, folder: &Path) -> Result<Sample, Error> {
        if want >= self.bytes {
            let inputs = self.files.iter().map(|file| file.path.clone()).collect();
            return Ok(Sample { inputs, bytes: self.bytes, prefixes: 0, whole: true });
        }
        if folder.exists() {
            fs::remove_dir_all(folder).at("remove", folder)?;
        }
        fs::create_dir(folder).at("make the folder", folder)?;
        let mut sample = Sample { inputs: Vec::new(), bytes: 0, prefixes: 0, whole: false };
        self.fill(&mut sample, want, folder)?;
        if sample.bytes == 0 {
            self.take_smallest(&mut sample)?;
        }
        Ok(sample)
    }

    /// Goes through all files and keeps account of the bytes that each owes to the sample by its size. A file is taken
    /// when half of it is owed, a prefix when that is worth a file: so the sample is spread evenly.
    fn fill(&self, sample: &mut Sample, want: u64, folder: &Path) -> Result<(), Error> {
        let share = want as f64 / self.bytes as f64;
        let worth = LEAST_PREFIX.max(want / LEAST_PREFIX_PART).min(want) as f64;
        let mut owed = 0.0;
        for (ordinal, file) in self.files.iter().enumerate() {
            owed += file.size as f64 * share;
            let taken = if owed * 2.0 >= file.size as f64 && (1..=want).contains(&file.size) {
                sample.inputs.push(file.path.clone());
                file.size
            } else if self.cut != Cut::Never && owed + 0.5 >= worth {
                self.take_prefix(sample, ordinal, owed.round() as u64, folder)?
            } else {
                0
            };
            sample.bytes += taken;
            owed -= taken as f64;
        }
        Ok(())
    }

    /// In a folder of its own the prefix keeps its name, and with it what the job may read from that.
    fn take_prefix(
        &self,
        sample: &mut Sample,
        ordinal: usize,
        len: u64,
        folder: &Path,
    ) -> Result<u64, Error> {
        let file = &self.files[ordinal];
        let own = folder.join(format!("{ordinal:08}"));
        fs::create_dir(&own).at("make the folder", &own)?;
        let path = own.join(file.path.file_name().unwrap_or("input".as_ref()));
        let len = match self.cut {
            Cut::Multiple(unit) => len / unit.max(1) * unit.max(1),
            _ => len,
        };
        let by_lines = self.cut == Cut::Anywhere;
        let from = File::open(&file.path).at("read", &file.path)?;
        let to = File::create(&path).at("create", &path)?;
        let taken = copy_prefix(from, to, len, by_lines).at("copy a part of the input to", &path)?;
        if taken > 0 {
            sample.inputs.push(path);
            sample.prefixes += 1;
        }
        Ok(taken)
    }

    /// Where files cannot be cut, one of them may be more than was wanted.
    fn take_smallest(&self, sample: &mut Sample) -> Result<(), Error> {
        let filled = self.files.iter().filter(|file| file.size > 0);
        let Some(smallest) = filled.min_by_key(|file| file.size) else {
            return Err(Error::usage("--tune: the input is empty"));
        };
        sample.inputs.push(smallest.path.clone());
        sample.bytes = smallest.size;
        sample.whole = self.files.len() == 1;
        Ok(())
    }
}

/// Copies about `len` bytes, up to the end of a line if `by_lines`, and returns how many. Nothing when a line is far too
/// long.
fn copy_prefix(from: impl Read, to: impl Write, len: u64, by_lines: bool) -> io::Result<u64> {
    let mut from = BufReader::new(from);
    let mut to = BufWriter::new(to);
    let mut copied = io::copy(&mut from.by_ref().take(len), &mut to)?;
    if by_lines && copied == len {
        let (mut rest, limit) = (Vec::new(), len.saturating_mul(LONGER));
        from.take(limit).read_until(b'\n', &mut rest)?;
        if rest.len() as u64 == limit && !rest.ends_with(b"\n") {
            return Ok(0);
        }
        to.write_all(&rest)?;
        copied += rest.len() as u64;
    }
    to.flush()?;
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Given, find};

    fn source(folder: &Path, cut: Cut) -> Source {
        Source::new(find(&[Given::Path(folder.to_owned())]).expect("files"), cut)
    }

    fn write(folder: &Path, name: usize, line: &str, lines: usize) {
        fs::write(folder.join(format!("{name:04}.txt")), line.repeat(lines)).expect("a file");
    }

    #[test]
    fn small_files_are_taken_whole_and_evenly() {
        let (input, scratch) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        (0..100).for_each(|name| write(input.path(), name, "0123456\n", 100));
        let source = source(input.path(), Cut::Anywhere);
        let sample = source.take(8000, &scratch.path().join("sample")).expect("a sample");
        assert_eq!((sample.bytes, sample.prefixes, sample.whole), (8000, 0, false));
        let taken = |path: &PathBuf| source.files.iter().position(|file| file.path == *path);
        let places: Vec<_> = sample.inputs.iter().map(|path| taken(path).expect("an input")).collect();
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] == 10), "{places:?}");
        let all = source.take(80_000, &scratch.path().join("sample")).expect("a sample");
        assert!(all.whole && all.inputs.len() == 100);
    }

    #[test]
    fn large_files_give_prefixes_of_whole_lines() {
        let (input, scratch) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        (0..3).for_each(|name| write(input.path(), name, "a line of some length\n", 50_000));
        let source = source(input.path(), Cut::Anywhere);
        let sample = source.take(300_000, &scratch.path().join("sample")).expect("a sample");
        assert_eq!((sample.prefixes, sample.inputs.len()), (3, 3));
        assert!(sample.bytes.abs_diff(300_000) < 100, "{}", sample.bytes);
        for path in &sample.inputs {
            let text = fs::read_to_string(path).expect("a prefix");
            assert!(text.ends_with('\n') && text.lines().all(|line| line == "a line of some length"));
            assert!(path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".txt")));
        }
    }

    #[test]
    fn records_of_a_fixed_size_stay_whole_and_files_that_cannot_be_cut_are_not() {
        let (input, scratch) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        write(input.path(), 0, "1234567", 100_000);
        write(input.path(), 1, "1234567", 110_000);
        let folder = scratch.path().join("sample");
        let sample = source(input.path(), Cut::Multiple(7)).take(200_000, &folder).expect("a sample");
        assert!(sample.prefixes > 0 && sample.bytes.is_multiple_of(7) && sample.bytes.abs_diff(200_000) < 20);
        let sample = source(input.path(), Cut::Never).take(200_000, &folder).expect("a sample");
        assert_eq!((sample.bytes, sample.prefixes, sample.inputs.len()), (700_000, 0, 1));
    }

    #[test]
    fn a_line_without_end_is_passed_over() {
        let copied = |text: &str, len| copy_prefix(text.as_bytes(), io::sink(), len, true).expect("copied");
        assert_eq!(copied("ab\ncd\nef\n", 4), 6);
        assert_eq!(copied("ab\ncd\nef", 7), 8);
        assert_eq!(copied(&"x".repeat(100), 10), 0);
    }
}
