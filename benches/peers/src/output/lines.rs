//! Reads the part files of an output folder as one sequence of lines.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::form::Form;
use crate::failure::{Context, Failure, Result};

/// The lines of all part files in the order of their names, in the common form and without line ends.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    left: std::vec::IntoIter<PathBuf>,
    part: Option<(PathBuf, BufReader<File>)>,
    form: &'a Form,
    line: Vec<u8>,
    scratch: Vec<u8>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(folder: &Path, form: &'a Form) -> Result<Self> {
        let left = parts(folder)?.into_iter();
        Ok(Self { left, part: None, form, line: Vec::new(), scratch: Vec::new() })
    }

    pub(super) fn next(&mut self) -> Result<Option<&[u8]>> {
        while !self.read_line()? {
            let Some(path) = self.left.next() else { return Ok(None) };
            let file = File::open(&path).at("open", &path)?;
            self.part = Some((path, BufReader::with_capacity(1 << 18, file)));
        }
        Ok(Some(self.form.common(&self.line, &mut self.scratch)))
    }

    /// Reads a line of the current part file, if there is one left.
    fn read_line(&mut self) -> Result<bool> {
        let Some((path, reader)) = &mut self.part else { return Ok(false) };
        self.line.clear();
        let read = reader.read_until(b'\n', &mut self.line).at("read", path)?;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        }
        Ok(read > 0)
    }
}

/// The part files in a folder; an error if there are none, for an empty result is a file too.
fn parts(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder).at("list", folder)? {
        let entry = entry.at("list", folder)?;
        if entry.file_name().as_encoded_bytes().starts_with(b"part-") {
            parts.push(entry.path());
        }
    }
    parts.sort_unstable();
    if parts.is_empty() {
        return Err(Failure::new(format!("there are no part files in {}", folder.display())));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_one_another_and_other_files_are_none() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, content) in
            [("part-2", "c\n"), ("part-1", "a\n\nb"), ("_SUCCESS", "x\n"), (".part-1.crc", "y\n")]
        {
            fs::write(folder.path().join(name), content).expect("it can be written");
        }
        let mut lines = Lines::of(folder.path(), &Form::Plain).expect("there are part files");
        let mut seen = Vec::new();
        while let Some(line) = lines.next().expect("they can be read") {
            seen.push(String::from_utf8_lossy(line).into_owned());
        }
        assert_eq!(seen, ["a", "", "b", "c"]);
    }

    #[test]
    fn no_part_files_are_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(Lines::of(folder.path(), &Form::Plain).is_err());
    }
}
