//! Brings a line as one program writes it into the form that all are compared in.
//!
//! The common form is a key as it is, a tab and the value; an index entry names documents by their place in the list of
//! all files in byte order.

use std::collections::HashMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::failure::{Context, Failure, Result};

/// How a program writes its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// As they are compared.
    Plain,
    /// With `\t`, `\n`, `\r` and `\\` for what cannot stand in a field.
    Escaped,
    /// Escaped, and with document numbers of its own: the place of each number's document in the common list.
    Numbered(Vec<u32>),
}

impl Form {
    /// Reads `documents.tsv` beside the part files, lines of a number and the path of a file below `tree`.
    pub(crate) fn numbered(out: &Path, tree: &Path, files: &[PathBuf]) -> Result<Self> {
        let path = out.join("documents.tsv");
        if !path.exists() {
            return Ok(Self::Escaped);
        }
        let list = fs::read(&path).at("read", &path)?;
        let places: HashMap<&[u8], u32> =
            files.iter().map(|file| file.as_os_str().as_bytes()).zip(0..).collect();
        let wrong = |line: &[u8]| {
            Failure::new(format!("{}: no such document: {}", path.display(), String::from_utf8_lossy(line)))
        };
        let mut numbers = vec![0; files.len()];
        for line in list.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let (number, place) = document(line, tree, &places).ok_or_else(|| wrong(line))?;
            *numbers.get_mut(number).ok_or_else(|| wrong(line))? = place;
        }
        let in_order = numbers.iter().zip(0..).all(|(&place, number)| place == number);
        Ok(if in_order { Self::Escaped } else { Self::Numbered(numbers) })
    }

    /// The line in the common form; `scratch` may be overwritten.
    pub(super) fn common<'a>(&self, line: &'a [u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
        match self {
            Self::Escaped if line.contains(&b'\\') => {
                unescape(line, scratch);
                scratch
            }
            Self::Numbered(numbers) => {
                let tab = line.iter().position(|&byte| byte == b'\t').unwrap_or(line.len());
                unescape(&line[..tab], scratch);
                renumber(&line[tab..], numbers, scratch);
                scratch
            }
            Self::Plain | Self::Escaped => line,
        }
    }
}

/// A document's number and its place among all files.
fn document(line: &[u8], tree: &Path, places: &HashMap<&[u8], u32>) -> Option<(usize, u32)> {
    let tab = line.iter().position(|&byte| byte == b'\t')?;
    let number = std::str::from_utf8(&line[..tab]).ok()?.parse().ok()?;
    let mut path = Vec::new();
    unescape(&line[tab + 1..], &mut path);
    let below = Path::new(std::ffi::OsStr::from_bytes(&path));
    let below = below.strip_prefix(tree).unwrap_or(below);
    Some((number, *places.get(below.as_os_str().as_bytes())?))
}

fn unescape(field: &[u8], plain: &mut Vec<u8>) {
    plain.clear();
    let mut bytes = field.iter().copied();
    while let Some(byte) = bytes.next() {
        let next = if byte == b'\\' { bytes.next() } else { None };
        plain.push(match next {
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(other) => other,
            None => byte,
        });
    }
}

/// Appends `\t3,17,…` with the numbers replaced and in order; what is no number spoils the line, so that it differs.
fn renumber(list: &[u8], numbers: &[u32], out: &mut Vec<u8>) {
    let place = |digits: &str| numbers.get(digits.parse::<usize>().ok()?).copied();
    let text = std::str::from_utf8(list).unwrap_or_default();
    let mut places: Vec<u32> =
        text.trim_start_matches('\t').split(',').map(|digits| place(digits).unwrap_or(u32::MAX)).collect();
    places.sort_unstable();
    let places: Vec<String> = places.iter().map(u32::to_string).collect();
    out.push(b'\t');
    out.extend_from_slice(places.join(",").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common(form: &Form, line: &str) -> String {
        String::from_utf8_lossy(form.common(line.as_bytes(), &mut Vec::new())).into_owned()
    }

    #[test]
    fn escapes_are_undone_where_they_are_used() {
        assert_eq!(common(&Form::Escaped, r"a\\b\tc	1"), "a\\b\tc\t1");
        assert_eq!(common(&Form::Plain, r"a\\b	1"), r"a\\b	1");
    }

    #[test]
    fn documents_in_another_order_get_the_common_numbers() {
        let out = tempfile::tempdir().expect("a folder");
        let list = out.path().join("documents.tsv");
        let files = ["a", "b", "c"].map(PathBuf::from);
        let form = |content: &str| {
            fs::write(&list, content).expect("it can be written");
            Form::numbered(out.path(), Path::new("/tree"), &files)
        };
        assert_eq!(form("0\t/tree/a\n1\tb\n2\tc\n").expect("all are there"), Form::Escaped);
        let turned = form("0\t/tree/c\n1\t/tree/a\n2\t/tree/b\n").expect("all are there");
        assert_eq!(common(&turned, "word\t0,2"), "word\t1,2");
        assert!(form("0\t/tree/d\n").is_err());
    }
}
