//! What the fixture jobs should print, computed the plain way, and the check of part files against it.
//!
//! It uses none of the code under test: lines, escapes and partitions are spelt out again.

use std::collections::{BTreeMap, HashMap};

use gristmill_testkit::reference;
use xxhash_rust::xxh3::xxh3_64;

/// A result line with the encoded key that it belongs to, in the order of keys.
pub type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// The lines of a file as the library reads them: without `\n` or `\r\n`, the last with or without one.
pub fn lines(content: &[u8]) -> Vec<&[u8]> {
    let whole = content.split_inclusive(|&byte| byte == b'\n');
    // A carriage return belongs to the line end only where a newline follows.
    let strip = |line: &'_ [u8]| -> usize {
        if line.ends_with(b"\r\n") { line.len() - 2 } else { line.len() - usize::from(line.ends_with(b"\n")) }
    };
    whole.map(|line| &line[..strip(line)]).collect()
}

/// The words of a line: what stands between blanks.
pub fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&byte| byte == b' ').filter(|word| !word.is_empty())
}

/// What `byte-words` and `words` print.
pub fn word_counts(files: &[Vec<u8>]) -> Rows {
    let records = files.iter().flat_map(|content| lines(content));
    let count =
        |line: &[u8], emit: &mut dyn FnMut(Vec<u8>, u64)| words(line).for_each(|word| emit(word.to_vec(), 1));
    rows(reference::map_fold(records, count, |a, b| a + b), |sum| sum.to_string().into_bytes())
}

/// What `positions` prints: each word with the lines that it stands in, in the order of the input.
pub fn positions(files: &[Vec<u8>]) -> Rows {
    let records =
        (0..).zip(files).flat_map(|(ordinal, content)| lines(content).into_iter().map(move |l| (ordinal, l)));
    let place = |(ordinal, line): (u32, &[u8]), emit: &mut dyn FnMut(Vec<u8>, Vec<u8>)| {
        let value = [format!("{ordinal}:").as_bytes(), line, b"|"].concat();
        words(line).for_each(|word| emit(word.to_vec(), value.clone()));
    };
    rows(reference::map_reduce(records, place, |_, values| values.concat()), |joined| escape(&joined))
}

/// What `upper --containing PART` prints, in the order of the input.
pub fn upper(files: &[Vec<u8>], part: &str) -> Vec<u8> {
    let mut all = Vec::new();
    for line in files.iter().flat_map(|content| lines(content)) {
        let line = std::str::from_utf8(line).expect("this input is text");
        if line.contains(part) {
            all.extend(escape(line.to_uppercase().as_bytes()));
            all.extend(format!("\t{}\n", line.len()).into_bytes());
        }
    }
    all
}

fn rows<V>(result: BTreeMap<Vec<u8>, V>, text: impl Fn(V) -> Vec<u8>) -> Rows {
    let row = |(key, value): (Vec<u8>, V)| {
        let line = [&escape(&key)[..], b"\t", &text(value)[..], b"\n"].concat();
        (key, line)
    };
    result.into_iter().map(row).collect()
}

/// The documented escapes of a field.
pub fn escape(bytes: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\t' => escaped.extend(b"\\t"),
            b'\n' => escaped.extend(b"\\n"),
            b'\r' => escaped.extend(b"\\r"),
            b'\\' => escaped.extend(b"\\\\"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The part files that `rows` make with the default partitioner.
pub fn parts(rows: &Rows, partitions: u32) -> BTreeMap<String, Vec<u8>> {
    let mut parts: HashMap<u32, Vec<u8>> = HashMap::new();
    for (key, line) in rows {
        let product = u128::from(xxh3_64(key)) * u128::from(partitions);
        let partition = u32::try_from(product >> 64).expect("it is below the number of partitions");
        parts.entry(partition).or_default().extend(line);
    }
    let part = |number: u32| (format!("part-r-{number:05}"), parts.remove(&number).unwrap_or_default());
    (0..partitions).map(part).collect()
}
