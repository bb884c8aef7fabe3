//! The file of documents that were refused: one JSON object per line, each document once.
//!
//! What belongs there is decided by the transaction of its task. The parent alone writes the file; an entry that it has
//! already, from a task that was tried again or from an earlier run, is not written once more.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use crate::transform::Place;

/// A refused document as it stands in the file.
#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    /// Counted from 1.
    line: u64,
    /// Of its first byte in the export.
    offset: u64,
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<&'a str>,
    /// The bytes, if they are no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
}

/// The line of a refused document, without its end.
pub(crate) fn entry(file: &str, place: Place, error: &str, bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let document = std::str::from_utf8(bytes).ok();
    let hex = document.is_none().then(|| {
        bytes.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("writing to a string does not fail");
            hex
        })
    });
    let entry = Entry { file, line: place.line, offset: place.offset, error, document, hex };
    serde_json::to_string(&entry).expect("plain data can be written as JSON")
}

/// The open file.
#[derive(Debug)]
pub(crate) struct Quarantine {
    file: File,
    known: HashSet<u128>,
}

impl Quarantine {
    /// Opens or makes the file, which nobody else may have open for this. A last line without an end is removed: whoever
    /// wrote it has died over it.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        file.try_lock().map_err(|_| io::Error::other("another run is using it"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        let known = bytes[..whole].split(|&byte| byte == b'\n').map(xxh3_128).collect();
        Ok(Self { file, known })
    }

    /// Adds entries, each in one write.
    pub(crate) fn add(&mut self, entries: &[String]) -> io::Result<()> {
        for entry in entries {
            if self.known.insert(xxh3_128(entry.as_bytes())) {
                self.file.write_all(format!("{entry}\n").as_bytes())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { line: 3, offset: 40, len: 0 };

    #[test]
    fn an_entry_has_the_bytes_whatever_they_are() {
        let text = entry("f", PLACE, "no", b"{\"a\":1}\n");
        assert_eq!(text, r#"{"file":"f","line":3,"offset":40,"error":"no","document":"{\"a\":1}"}"#);
        let bytes = entry("f", PLACE, "no", b"\xff\x01\n");
        assert_eq!(bytes, r#"{"file":"f","line":3,"offset":40,"error":"no","hex":"ff01"}"#);
    }

    #[test]
    fn each_entry_is_written_once_and_torn_ones_are_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("q");
        std::fs::write(&path, "one\ntw").expect("written");
        let mut quarantine = Quarantine::open(&path).expect("open");
        Quarantine::open(&path).expect_err("it is locked");
        for entries in [["one", "two"], ["two", "three"]] {
            quarantine.add(&entries.map(str::to_owned)).expect("written");
        }
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "one\ntwo\nthree\n");
    }
}
