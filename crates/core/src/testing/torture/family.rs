//! The workers of a program, found through `/proc`.
//!
//! It chooses nobody.

use std::fs;
use std::time::{Duration, Instant};

use crate::os::{Process, living_process};
use gristmill_pool::worker::MARKER;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A worker. A later process of the same number is not mistaken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Worker {
    pub(super) pid: u32,
    process: Process,
}

/// How often those who are to go away are looked at.
const TICK: Duration = Duration::from_millis(5);

/// The workers that the process `parent` has now.
pub(super) fn workers_of(parent: u32) -> Vec<Worker> {
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| {
        let process = living_process(pid).ok()?.filter(|process| process.parent == parent)?;
        // Between fork and exec a child still looks like its parent.
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let marked = arguments.split(|&byte| byte == 0).any(|argument| argument == MARKER.as_bytes());
        marked.then_some(Worker { pid, process })
    })
    .collect()
}

impl Worker {
    /// Whether it was there to be killed.
    pub(super) fn kill(self) -> bool {
        let Some(pid) = Pid::from_raw(self.pid.cast_signed()) else { return false };
        let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
        self.is_alive() && pidfd_send_signal(pidfd, Signal::KILL).is_ok()
    }

    fn is_alive(self) -> bool {
        living_process(self.pid)
            .is_ok_and(|found| found.is_some_and(|found| found.started == self.process.started))
    }
}

/// Waits until none of `workers` is alive, at most for `limit`; returns those that are.
pub(super) fn wait_gone(mut workers: Vec<Worker>, limit: Duration) -> Vec<Worker> {
    let end = Instant::now() + limit;
    loop {
        workers.retain(|worker| worker.is_alive());
        if workers.is_empty() || Instant::now() >= end {
            return workers;
        }
        // It tells of nothing but the time.
        crossbeam_channel::after(TICK).recv().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_read_and_is_no_worker() {
        let pid = std::process::id();
        let process = living_process(pid).expect("/proc is there").expect("it is alive");
        assert_eq!(process.parent, std::os::unix::process::parent_id());
        assert!(Worker { pid, process }.is_alive());
        let later = Process { started: process.started + 1, ..process };
        assert!(!Worker { pid, process: later }.is_alive());
        assert!(!workers_of(process.parent).iter().any(|worker| worker.pid == pid));
    }
}
