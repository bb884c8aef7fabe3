//! Finds processes by descent or by an argument, and waits until they are gone.
//!
//! It ends no process; [`Running`](crate::command::Running) does that for the programs it started.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::{poll, procfs};

/// One process as it was seen.
///
/// It stands for that very process: a later one with the same pid is not mistaken for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// The number of its parent.
    pub parent: u32,
    /// The kernel's letter for its state: `R`, `S`, `D`, `T`, `Z` …
    pub state: char,
    /// Its argument vector; empty for a zombie.
    pub arguments: Vec<String>,
    started: u64,
}

impl Process {
    fn read(pid: u32) -> Option<Self> {
        let stat = procfs::stat(pid)?;
        let arguments = procfs::arguments(pid);
        Some(Self { pid, parent: stat.parent, state: stat.state, arguments, started: stat.started })
    }

    /// Tells whether the process has ended but was not waited for by its parent.
    pub fn is_zombie(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }

    /// Tells whether this very process still runs; a zombie does not.
    pub fn is_alive(&self) -> bool {
        procfs::stat(self.pid)
            .is_some_and(|now| now.started == self.started && !matches!(now.state, 'Z' | 'X'))
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {} (parent {}, state {}): ", self.pid, self.parent, self.state)?;
        if self.arguments.is_empty() {
            f.write_str("no arguments")
        } else {
            write!(f, "{:?}", self.arguments)
        }
    }
}

/// A set of processes at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessTree {
    processes: Vec<Process>,
}

impl ProcessTree {
    /// All descendants of `pid`, without `pid` itself, parents before their children.
    ///
    /// Take the tree while the ancestors live: an orphan belongs to another parent and is no longer found.
    pub fn descendants_of(pid: u32) -> Self {
        let all = all_processes();
        let mut family = BTreeSet::from([pid]);
        let mut processes: Vec<Process> = Vec::new();
        loop {
            let next =
                |process: &&Process| family.contains(&process.parent) && !family.contains(&process.pid);
            let generation: Vec<Process> = all.iter().filter(next).cloned().collect();
            if generation.is_empty() {
                return Self { processes };
            }
            family.extend(generation.iter().map(|process| process.pid));
            processes.extend(generation);
        }
    }

    /// The direct children of `pid`, zombies included.
    pub fn children_of(pid: u32) -> Self {
        Self { processes: all_processes().into_iter().filter(|process| process.parent == pid).collect() }
    }

    /// All processes but this one with an argument that contains `marker`, whoever their parent is.
    pub fn with_argument(marker: &str) -> Self {
        let own = std::process::id();
        let marked = |process: &Process| {
            process.pid != own && process.arguments.iter().any(|argument| argument.contains(marker))
        };
        Self { processes: all_processes().into_iter().filter(marked).collect() }
    }

    /// The processes found.
    pub fn processes(&self) -> &[Process] {
        &self.processes
    }

    /// Tells whether none was found.
    pub fn is_empty(&self) -> bool {
        self.processes.is_empty()
    }

    /// The processes that are not in `known`.
    pub(crate) fn without(mut self, known: &Self) -> Self {
        let same = |a: &Process, b: &Process| (a.pid, a.started) == (b.pid, b.started);
        self.processes.retain(|process| !known.processes.iter().any(|other| same(process, other)));
        self
    }

    /// Waits until none of the processes runs any more; returns those that still do at the limit.
    ///
    /// A zombie counts as gone: it runs nothing, and reaping it is up to a parent that may not be ours.
    pub fn wait_gone(&self, limit: Duration) -> Result<(), ProcessTree> {
        poll::until(limit, || {
            let left: Vec<Process> =
                self.processes.iter().filter(|process| process.is_alive()).cloned().collect();
            if left.is_empty() { Ok(()) } else { Err(Self { processes: left }) }
        })
    }

    /// Fails the test unless all of the processes are gone within `limit`.
    #[track_caller]
    pub fn assert_gone_within(&self, limit: Duration) {
        if let Err(left) = self.wait_gone(limit) {
            panic!("still running after {limit:?}:\n{left}");
        }
    }
}

impl fmt::Display for ProcessTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.processes.iter().try_for_each(|process| writeln!(f, "  {process}"))
    }
}

fn all_processes() -> Vec<Process> {
    procfs::pids().into_iter().filter_map(Process::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Running, TestCommand};

    const MOMENT: Duration = Duration::from_secs(10);

    /// A shell whose own child waits for a line that never comes.
    fn family(marker: &str) -> Running {
        let script = "sh -c 'echo ready; read line; : $0' \"$0\"; echo after";
        let mut running = TestCommand::new("sh").args(["-c", script, marker]).hold_stdin().spawn();
        running.wait_for_stdout("ready", MOMENT);
        running
    }

    #[test]
    fn finds_descendants_and_sees_them_go() {
        let running = family("testkit-descent");
        let tree = ProcessTree::descendants_of(running.pid());
        assert_eq!(tree.processes().len(), 1, "{tree}");
        assert!(tree.processes()[0].is_alive());
        assert!(tree.wait_gone(Duration::ZERO).is_err());
        drop(running);
        tree.assert_gone_within(MOMENT);
    }

    #[test]
    fn finds_processes_by_an_argument() {
        let marker = format!("testkit-marker-{}", std::process::id());
        let running = family(&marker);
        let marked = ProcessTree::with_argument(&marker);
        assert_eq!(marked.processes().len(), 2, "{marked}");
        drop(running);
        marked.assert_gone_within(MOMENT);
        assert!(ProcessTree::with_argument(&marker).is_empty());
    }

    #[test]
    fn a_zombie_is_a_child_but_not_alive() {
        let mut child = std::process::Command::new("true").spawn().expect("`true` can be run");
        let zombie = poll::until(MOMENT, || {
            let children = ProcessTree::children_of(std::process::id());
            let own = |process: &&Process| process.pid == child.id() && process.is_zombie();
            children.processes().iter().find(own).cloned().ok_or(())
        });
        assert_eq!(zombie.map(|process| (process.pid, process.is_alive())), Ok((child.id(), false)));
        child.wait().expect("the child was not waited for yet");
    }
}
