//! Inputs with records that user code fails at, and what is then set aside.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use gristmill_testkit::command::{Finished, TestCommand};
use serde_json::Value;

use crate::case::Case;

/// A text of which every so-manieth line is one of `poison`, the first and the last among them; and the same without them.
#[derive(Debug)]
pub struct Mixed {
    /// With the poison.
    pub text: Vec<u8>,
    /// Without it.
    pub clean: Vec<u8>,
    /// Offset and bytes of each line that is poison.
    pub bad: Vec<(usize, Vec<u8>)>,
}

/// Lines of `poison`, with `between` good ones before each but the first; the last has no end.
#[must_use]
pub fn mixed(poison: &[&[u8]], between: usize, line_end: &str) -> Mixed {
    let mut mixed = Mixed { text: Vec::new(), clean: Vec::new(), bad: Vec::new() };
    for (n, line) in poison.iter().enumerate() {
        let last = n + 1 == poison.len();
        for i in 0..if n == 0 { 0 } else { between } {
            let good = format!("alpha w-{:02} x-{:03}{line_end}", (n + i) % 10, i % 17);
            mixed.text.extend_from_slice(good.as_bytes());
            mixed.clean.extend_from_slice(good.as_bytes());
        }
        let mut bytes = line.to_vec();
        if !last {
            bytes.extend_from_slice(line_end.as_bytes());
        }
        mixed.bad.push((mixed.text.len(), bytes.clone()));
        mixed.text.extend_from_slice(&bytes);
    }
    mixed
}

/// The program `fixture` fails at records or groups that are poison, in a job of so many partitions.
#[must_use]
pub fn poison(case: &Case, fixture: &str, partitions: &str, input: &str, output: &str) -> TestCommand {
    let quiet = ["--progress", "never", "--log-level", "off"];
    case.command(fixture).args(["poison", "-r", partitions]).args(quiet).args(["-o", output, input])
}

/// The files of the quarantine beside `output`.
///
/// # Panics
/// When one of them cannot be read.
#[must_use]
pub fn quarantine(case: &Case, output: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = format!("{output}.quarantine");
    let read = |name: String| {
        let bytes = fs::read(case.path(&folder).join(&name)).expect("it can be read");
        (name, bytes)
    };
    case.names(&folder).into_iter().map(read).collect()
}

/// What the certificate of something set aside says.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn certificate(case: &Case, output: &str, id: &str) -> Value {
    let text = fs::read(case.path(format!("{output}.quarantine/{id}.json"))).expect("a certificate");
    serde_json::from_slice(&text).expect("JSON")
}

/// The quarantine holds exactly the lines that are poison, and the output is that of `clean`.
///
/// # Panics
/// When that is not so.
#[track_caller]
pub fn check(case: &Case, output: &str, clean: &str, mixed: &Mixed, finished: &Finished) {
    assert!(case.parts(output) == case.parts(clean), "another output than without the poison: {finished}");
    let mut found = quarantine(case, output);
    for (offset, bytes) in &mixed.bad {
        let id = format!("map-0-{offset}");
        let record = found.remove(&format!("{id}.record"));
        assert!(record.as_ref() == Some(bytes), "{id}: {record:?} {finished}");
        assert!(found.remove(&format!("{id}.json")).is_some(), "{id}: {finished}");
        let told = certificate(case, output, &id);
        assert_eq!(
            (&told["id"], &told["place"]["record"]["offset"]),
            (&id.into(), &(*offset).into()),
            "{told}"
        );
    }
    assert!(found.is_empty(), "{:?} {finished}", found.keys());
    let said = format!("{} record", mixed.bad.len());
    assert!(finished.stderr_text().contains(&said), "{finished}");
}

/// Words, each on several lines, and keys that are poison for a reducer; and the same without those.
///
/// # Panics
/// Never: writing to a string does not fail.
#[must_use]
pub fn keyed(keys: &[&str]) -> (String, String) {
    let (mut text, mut clean) = (String::new(), String::new());
    for n in 0..300 {
        writeln!(text, "key-{:02} and-{:03}", n % 13, n % 60).expect("a string");
        writeln!(clean, "key-{:02} and-{:03}", n % 13, n % 60).expect("a string");
        if n % 30 == 0 {
            keys.iter().for_each(|key| writeln!(text, "{key}").expect("a string"));
        }
    }
    (text, clean)
}
