//! Reads what `/proc` says about processes, one process at a time.
//!
//! It draws no conclusions: trees and leaks are the business of its callers. A process may vanish between two reads,
//! which is why everything here is optional.

use std::fs;
use std::path::Path;

/// The fields of `/proc/PID/stat` that the test kit needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) parent: u32,
    /// The state's letter as the kernel prints it: `R`, `S`, `D`, `Z` …
    pub(crate) state: char,
    /// In clock ticks since boot; together with the pid it names one process for ever.
    pub(crate) started: u64,
}

/// The pids of all processes, in no particular order.
pub(crate) fn pids() -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc can be listed on any Linux");
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// The state of a process; `None` when there is no such process any more.
pub(crate) fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// The argument vector of a process; empty for a zombie or a kernel thread, or when the process is gone.
pub(crate) fn arguments(pid: u32) -> Vec<String> {
    let raw = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let raw = raw.strip_suffix(b"\0").unwrap_or(&raw);
    if raw.is_empty() {
        return Vec::new();
    }
    raw.split(|&byte| byte == 0).map(|argument| String::from_utf8_lossy(argument).into_owned()).collect()
}

/// A small file's text without surrounding white space, or why it cannot be read, in brackets.
pub(crate) fn text(path: &Path) -> String {
    match fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).trim().to_owned(),
        Err(error) => format!("({error})"),
    }
}

fn parse_stat(line: &[u8]) -> Option<Stat> {
    // The name stands in brackets and may itself hold brackets and spaces: only the last one ends it.
    let name_end = line.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(line.get(name_end + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_listed_and_read() {
        let own = std::process::id();
        assert!(pids().contains(&own));
        let stat = stat(own).expect("this process is alive");
        assert_eq!(stat.parent, std::os::unix::process::parent_id());
        assert!(!arguments(own).is_empty());
    }

    #[test]
    fn a_name_may_hold_brackets_and_spaces() {
        let line = b"7 (a) Z (b) S 3 7 7 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 4711 100 10\n";
        assert_eq!(parse_stat(line), Some(Stat { parent: 3, state: 'S', started: 4711 }));
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        assert_eq!(parse_stat(b"7 (cat) S 3"), None);
        assert_eq!(parse_stat(b""), None);
    }
}
