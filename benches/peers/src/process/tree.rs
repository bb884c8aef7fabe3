//! Finds the descendants of a process in `/proc`, and kills processes.
//!
//! A process may vanish between two looks; then it is simply not there.

use std::collections::HashMap;
use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// A process and all that descend from it.
pub(super) fn with_descendants(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for (pid, parent) in processes() {
        children.entry(parent).or_default().push(pid);
    }
    let mut family = vec![root];
    let mut next = 0;
    while let Some(pid) = family.get(next) {
        family.extend(children.remove(pid).unwrap_or_default());
        next += 1;
    }
    family
}

/// Every process with its parent.
fn processes() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?.1))).collect()
}

/// The state's letter and the parent of a process.
fn stat(pid: u32) -> Option<(char, u32)> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may itself hold brackets and spaces: only the last one ends it.
    let mut fields = line.rsplit_once(')')?.1.split_ascii_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Kills processes that this program started, or that descend from one it started.
pub(super) fn kill(pids: &[u32]) {
    for &pid in pids {
        if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
            // That it is gone already is what was wanted.
            kill_process(pid, Signal::KILL).ok();
        }
    }
}

/// Tells whether a process exists and is no zombie.
#[cfg(test)]
pub(super) fn is_alive(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_descends_from_its_parent() {
        let own = std::process::id();
        let (_, parent) = stat(own).expect("this process is alive");
        assert_eq!(parent, std::os::unix::process::parent_id());
        assert!(with_descendants(parent).contains(&own));
        assert!(!with_descendants(own).contains(&parent));
    }
}
