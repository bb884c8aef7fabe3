//! What the runs and spills of a job take up on disk, measured while it runs.
//!
//! It stops the workers for each measurement, so that nothing moves meanwhile; it ends none.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use gristmill_testkit::command::Running;
use gristmill_testkit::process_tree::ProcessTree;
use rustix::process::{Pid, Signal, kill_process};

use crate::wait;

/// The most that the files in `runs` take up until `running` ends, with those that have no name any more. `each` is
/// told of each measurement.
pub fn peak(running: &Running, runs: &Path, mut each: impl FnMut(u64)) -> u64 {
    let mut peak = 0;
    while !running.exits_within(Duration::from_millis(10)) {
        let workers: Vec<_> =
            ProcessTree::children_of(running.pid()).processes().iter().map(|p| p.pid).collect();
        let stopped: Vec<_> = workers.into_iter().filter(|&pid| send(pid, Signal::STOP)).collect();
        wait::until(Duration::from_secs(1), || stopped.iter().all(|&pid| rests(pid)));
        let used = named(runs).into_iter().chain(stopped.iter().flat_map(|&pid| unnamed(pid, runs)));
        let sizes: HashMap<_, _> = used.map(|file| ((file.dev(), file.ino()), file.len())).collect();
        for pid in stopped {
            send(pid, Signal::CONT);
        }
        let used = sizes.values().sum();
        each(used);
        peak = peak.max(used);
    }
    peak
}

/// A worker may have ended by itself.
fn send(pid: u32, signal: Signal) -> bool {
    Pid::from_raw(pid.cast_signed()).is_some_and(|pid| kill_process(pid, signal).is_ok())
}

/// Whether a process is stopped, or dead.
fn rests(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, fields)| fields.chars().next());
    matches!(state, None | Some('T' | 'Z' | 'X'))
}

/// The files in the folder but for the ledger.
fn named(runs: &Path) -> Vec<Metadata> {
    let entries = fs::read_dir(runs).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name() != "ledger").filter_map(|entry| entry.metadata().ok()).collect()
}

/// The files that a process holds open and that were removed from the folder.
fn unnamed(pid: u32, runs: &Path) -> Vec<Metadata> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let removed =
        |target: &Path| target.starts_with(runs) && target.to_string_lossy().ends_with(" (deleted)");
    let open =
        descriptors.map(|entry| entry.path()).filter(|path| fs::read_link(path).is_ok_and(|t| removed(&t)));
    open.filter_map(|path| fs::metadata(path).ok()).collect()
}
