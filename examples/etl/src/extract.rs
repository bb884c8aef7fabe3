//! Cuts an export into tasks: so many lines each, at the same places whatever the number of workers.
//!
//! It reads the file once, in the parent, and looks at nothing but line ends. Workers read their part again, and compare.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// A document of MongoDB has 16 MiB at most; its notation as JSON takes more.
const LONGEST_LINE: u64 = 64 << 20;

/// A task is cut off after so many bytes, however few lines that are.
const LARGEST_TASK: u64 = 16 << 20;

/// A part of the export, loaded in one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Task {
    /// Names it in the database: other bytes, another place or another selection make another key.
    pub(crate) key: String,
    /// Counted from 1.
    pub(crate) first_line: u64,
    pub(crate) lines: u64,
    pub(crate) start: u64,
    pub(crate) len: u64,
    digest: u64,
    /// How many workers have died over it.
    pub(crate) deaths: u32,
}

impl Task {
    /// Its bytes, if they are still those that the parent has read.
    pub(crate) fn read(&self, export: &Path) -> io::Result<Vec<u8>> {
        let mut file = File::open(export)?;
        file.seek(SeekFrom::Start(self.start))?;
        let mut bytes = Vec::new();
        file.take(self.len).read_to_end(&mut bytes)?;
        if xxh3_64(&bytes) == self.digest {
            return Ok(bytes);
        }
        let changed = format!("line {} or one soon after it has changed since the start", self.first_line);
        Err(io::Error::other(changed))
    }
}

/// The tasks of an export, one after the other.
#[derive(Debug)]
pub(crate) struct Tasks {
    file: BufReader<File>,
    /// What else makes a task what it is: the source, the table, the selection.
    salt: String,
    lines_each: u64,
    next_line: u64,
    offset: u64,
}

impl Tasks {
    pub(crate) fn open(export: &Path, lines_each: u64, salt: String) -> io::Result<Self> {
        let file = BufReader::with_capacity(1 << 20, File::open(export)?);
        Ok(Self { file, salt, lines_each: lines_each.max(1), next_line: 1, offset: 0 })
    }

    fn cut(&mut self) -> io::Result<Option<Task>> {
        let mut bytes = Vec::new();
        let mut lines = 0;
        while lines < self.lines_each && (bytes.len() as u64) < LARGEST_TASK {
            let read = (&mut self.file).take(LONGEST_LINE).read_until(b'\n', &mut bytes)? as u64;
            if read == 0 {
                break;
            }
            if read == LONGEST_LINE {
                let line = self.next_line + lines;
                return Err(io::Error::other(format!("line {line} is longer than {LONGEST_LINE} bytes")));
            }
            lines += 1;
        }
        if lines == 0 {
            return Ok(None);
        }
        let task = self.task(&bytes, lines);
        self.next_line += lines;
        self.offset += task.len;
        Ok(Some(task))
    }

    fn task(&self, bytes: &[u8], lines: u64) -> Task {
        let mut key = Xxh3::new();
        key.update(self.salt.as_bytes());
        // Not the offset: mending a line would make other tasks of all that come after it.
        key.update(&self.next_line.to_le_bytes());
        key.update(bytes);
        Task {
            key: format!("{:032x}", key.digest128()),
            first_line: self.next_line,
            lines,
            start: self.offset,
            len: bytes.len() as u64,
            digest: xxh3_64(bytes),
            deaths: 0,
        }
    }
}

impl Iterator for Tasks {
    type Item = io::Result<Task>;

    fn next(&mut self) -> Option<Self::Item> {
        self.cut().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, lines_each: u64, salt: &str) -> Vec<Task> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(&file, text).expect("written");
        let tasks = Tasks::open(file.path(), lines_each, salt.to_owned()).expect("open");
        tasks.map(|task| task.expect("a task")).inspect(|task| drop(task.read(file.path()))).collect()
    }

    #[test]
    fn every_line_is_in_one_task() {
        let tasks = cut("a\nbb\n\nccc\nd", 2, "");
        let places: Vec<_> = tasks.iter().map(|t| (t.first_line, t.lines, t.start, t.len)).collect();
        assert_eq!(places, [(1, 2, 0, 5), (3, 2, 5, 5), (5, 1, 10, 1)]);
        assert_eq!(cut("", 2, ""), []);
    }

    #[test]
    fn a_key_stands_for_bytes_place_and_selection() {
        let keys = |text, salt| cut(text, 1, salt).into_iter().map(|task| task.key).collect::<Vec<_>>();
        let first = keys("a\na\n", "");
        assert_ne!(first[0], first[1]);
        assert_eq!(first[0], keys("a\nb\nc\n", "")[0], "what comes later does not matter");
        assert_ne!(first[0], keys("a\na\n", "since 5")[0]);
    }

    #[test]
    fn a_change_is_noticed() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(&file, "a\nb\n").expect("written");
        let task =
            Tasks::open(file.path(), 9, String::new()).expect("open").next().expect("one").expect("ok");
        assert_eq!(task.read(file.path()).expect("unchanged"), b"a\nb\n");
        std::fs::write(&file, "a\nc\n").expect("written");
        task.read(file.path()).expect_err("changed");
    }
}
