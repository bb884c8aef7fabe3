//! Ends a program with everything that came from it.
//!
//! It is only used where a test gives up; a program that ends by itself is left alone, so that what it leaves behind
//! can be seen.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::process_tree::ProcessTree;

/// Kills the process group that `pid` leads and all of its descendants, whatever groups they are in.
pub(crate) fn kill_family(pid: u32) {
    // Taken first: orphans are no longer found.
    let family = ProcessTree::descendants_of(pid);
    report_unless_gone(pid, kill_process_group(raw(pid), Signal::KILL));
    kill_each(&family);
}

/// Kills all descendants of `pid`, whatever groups they are in.
pub(crate) fn kill_descendants(pid: u32) {
    kill_each(&ProcessTree::descendants_of(pid));
}

fn kill_each(family: &ProcessTree) {
    for process in family.processes().iter().filter(|process| process.is_alive()) {
        report_unless_gone(process.pid, kill_process(raw(process.pid), Signal::KILL));
    }
}

/// The pid in the form that system calls take.
pub(crate) fn raw(pid: u32) -> Pid {
    i32::try_from(pid).ok().and_then(Pid::from_raw).expect("the kernel's pids are positive and fit in an i32")
}

/// A process may end by itself before the signal arrives; anything else is worth a line.
fn report_unless_gone(pid: u32, result: Result<(), Errno>) {
    if let Err(error) = result
        && error != Errno::SRCH
    {
        eprintln!("testkit: cannot kill pid {pid}: {error}");
    }
}
