//! What a run has written, and where two runs differ.
//!
//! It knows nothing of how they came about.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

/// The first place where a run's output is not that of the undisturbed run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Name of the file; of all part files together if their number was another.
    pub file: String,
    /// The line, counted from 1; in order of the lines, where their own order does not count.
    pub line: usize,
    /// What the undisturbed run has written there, if anything.
    pub expected: Option<String>,
    /// What the other one has written there, if anything.
    pub found: Option<String>,
}

/// Longer lines are shown in part.
const SHOWN: usize = 300;

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |line: &Option<String>| line.clone().unwrap_or_else(|| "(nothing)".to_owned());
        write!(
            f,
            "{}, line {}: another output\n  undisturbed: {}\n  here:        {}",
            self.file,
            self.line,
            text(&self.expected),
            text(&self.found)
        )
    }
}

/// How exactly two outputs have to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Strictness {
    /// There are as many partitions.
    pub(super) same_parts: bool,
    pub(super) keep_order: bool,
}

/// The files of an output folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Output(BTreeMap<String, Vec<u8>>);

impl Output {
    pub(super) fn read(folder: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            files.insert(entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?);
        }
        Ok(Self(files))
    }

    /// Where `found` is not what `self` says.
    pub(super) fn differs(&self, found: &Self, strictness: Strictness) -> Option<Difference> {
        if !strictness.same_parts {
            let (expected, found) = (self.together(), found.together());
            return expected.differs(&found, Strictness { same_parts: true, keep_order: false });
        }
        let none = Vec::new();
        let names: std::collections::BTreeSet<&String> = self.0.keys().chain(found.0.keys()).collect();
        names.into_iter().find_map(|name| {
            let (Some(expected), Some(found)) = (self.0.get(name), found.0.get(name)) else {
                let (here, there) = (self.0.get(name).unwrap_or(&none), found.0.get(name).unwrap_or(&none));
                return Some(first(name, &lines(here), &lines(there)).unwrap_or_else(|| missing(name, self)));
            };
            if expected == found {
                return None;
            }
            let (mut expected, mut found) = (lines(expected), lines(found));
            if !strictness.keep_order {
                expected.sort_unstable();
                found.sort_unstable();
            }
            first(name, &expected, &found)
        })
    }

    /// The same with one part file instead of many.
    fn together(&self) -> Self {
        let mut files = BTreeMap::<String, Vec<u8>>::new();
        for (name, content) in &self.0 {
            let name = if name.starts_with("part-") { "all part files" } else { name };
            files.entry(name.to_owned()).or_default().extend_from_slice(content);
        }
        Self(files)
    }
}

fn lines(content: &[u8]) -> Vec<&[u8]> {
    content.split_inclusive(|&byte| byte == b'\n').collect()
}

fn first(file: &str, expected: &[&[u8]], found: &[&[u8]]) -> Option<Difference> {
    let line = (0..expected.len().max(found.len())).find(|&line| expected.get(line) != found.get(line))?;
    let text = |lines: &[&[u8]]| lines.get(line).map(|line| shown(line));
    Some(Difference { file: file.to_owned(), line: line + 1, expected: text(expected), found: text(found) })
}

/// An empty file that only one of them has.
fn missing(file: &str, expected: &Output) -> Difference {
    let expected_here = expected.0.contains_key(file);
    let text = |here: bool| here.then(|| "(an empty file)".to_owned());
    Difference { file: file.to_owned(), line: 1, expected: text(expected_here), found: text(!expected_here) }
}

fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(SHOWN)]);
    let more = if line.len() > SHOWN { format!("… ({} bytes)", line.len()) } else { String::new() };
    format!("{:?}{more}", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(files: &[(&str, &str)]) -> Output {
        Output(files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_owned())).collect())
    }

    const EXACTLY: Strictness = Strictness { same_parts: true, keep_order: true };

    #[test]
    fn the_first_difference_is_named() {
        let one = output(&[("_SUCCESS", ""), ("part-r-00000", "a\t1\nb\t2\n")]);
        let other = output(&[("_SUCCESS", ""), ("part-r-00000", "a\t1\nb\t3\n")]);
        assert_eq!(one.differs(&one, EXACTLY), None);
        let difference = one.differs(&other, EXACTLY).expect("a difference");
        assert_eq!((difference.file.as_str(), difference.line), ("part-r-00000", 2));
        assert_eq!(difference.found.as_deref(), Some("\"b\\t3\\n\""));
        let shorter = output(&[("_SUCCESS", ""), ("part-r-00000", "a\t1\n")]);
        assert_eq!(one.differs(&shorter, EXACTLY).and_then(|difference| difference.found), None);
    }

    #[test]
    fn a_missing_file_is_a_difference_even_if_it_is_empty() {
        let one = output(&[("_SUCCESS", ""), ("part-r-00000", "")]);
        let other = output(&[("part-r-00000", "")]);
        assert_eq!(one.differs(&other, EXACTLY).map(|d| d.file), Some("_SUCCESS".to_owned()));
        assert_eq!(other.differs(&one, EXACTLY).map(|d| d.expected), Some(None));
    }

    #[test]
    fn with_another_number_of_parts_the_lines_count() {
        let loose = Strictness { same_parts: false, keep_order: true };
        let one = output(&[("part-r-00000", "a\nb\nb\n")]);
        let other = output(&[("part-r-00000", "b\n"), ("part-r-00001", "b\na\n")]);
        assert_eq!(one.differs(&other, loose), None);
        let less = output(&[("part-r-00000", "b\n"), ("part-r-00001", "a\n")]);
        assert!(one.differs(&less, loose).is_some());
    }
}
