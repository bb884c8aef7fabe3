//! What the benchmarks share: generated text whose words are as unevenly frequent as those of a real one.
//!
//! It measures nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gristmill::bstr::{BString, ByteSlice};
use gristmill_testkit::text::ZipfText;
use tempfile::TempDir;

/// Different words in the text; about as many as in a large English novel or a software manual.
const VOCABULARY: u64 = 50_000;
const SEED: u64 = 0x6772_6973_746d_696c;

/// The same text as a file and as lines in memory. The file goes when this value does.
#[derive(Debug)]
pub struct Corpus {
    path: PathBuf,
    lines: Arc<[BString]>,
    bytes: u64,
    _folder: TempDir,
}

impl Corpus {
    /// Generates at least `bytes` bytes of text, the same on every machine.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn generate(bytes: usize) -> io::Result<Self> {
        let mut source = ZipfText::new(SEED, VOCABULARY);
        let mut text = String::with_capacity(bytes + (1 << 16));
        while text.len() < bytes {
            text.push_str(&source.lines(256));
        }
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("text");
        fs::write(&path, &text)?;
        let lines = text.as_bytes().lines().map(BString::from).collect();
        Ok(Self { path, lines, bytes: text.len() as u64, _folder: folder })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its size.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The number of its lines.
    #[must_use]
    pub fn line_count(&self) -> u64 {
        self.lines.len() as u64
    }

    /// Its lines without their ends, one after the other. The iterator owns its share of them.
    pub fn lines(&self) -> impl Iterator<Item = BString> + Send + 'static {
        let lines = Arc::clone(&self.lines);
        (0..lines.len()).map(move |i| lines[i].clone())
    }

    /// How often each word occurs, counted in the plainest way.
    #[must_use]
    pub fn word_counts(&self) -> BTreeMap<BString, u64> {
        let mut counts = BTreeMap::new();
        for word in self.lines.iter().flat_map(|line| words(line)) {
            *counts.entry(BString::from(word)).or_insert(0) += 1;
        }
        counts
    }
}

/// What stands between white space.
pub fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}
