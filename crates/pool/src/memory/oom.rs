//! Evidence that the kernel killed for want of memory: its own counters, before and after.
//!
//! A counter that several processes share only says that somebody was killed; who it was is for the caller to judge.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use super::{Hierarchy, own_groups};

/// Whose counter of out-of-memory kills it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OomSource {
    /// That of the worker's own control group: nobody else is in it.
    WorkerGroup,
    /// That of the control group that the workers share with this process.
    SharedGroup,
    /// That of the whole system.
    System,
}

impl fmt::Display for OomSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WorkerGroup => "the worker's control group",
            Self::SharedGroup => "the control group shared with the worker",
            Self::System => "the whole system",
        })
    }
}

/// The best counter that there is for processes without a group of their own.
#[derive(Clone, Debug)]
pub(crate) struct OomCounter {
    source: OomSource,
    file: PathBuf,
}

/// What a counter showed when a worker was started.
#[derive(Debug)]
pub(crate) struct OomWatch {
    counter: OomCounter,
    before: u64,
}

impl OomCounter {
    /// To be asked before this process moves to another group.
    pub(crate) fn find() -> Option<Self> {
        let [unified, legacy] = own_groups([Hierarchy::Unified, Hierarchy::Of("memory")]);
        let unified = unified.map(|group| group.join("memory.events"));
        let legacy = legacy.map(|group| group.join("memory.oom_control"));
        let groups = [unified, legacy].into_iter().flatten().map(|file| (OomSource::SharedGroup, file));
        let counters = groups.chain([(OomSource::System, "/proc/vmstat".into())]);
        counters.map(|(source, file)| Self { source, file }).find(|counter| counter.read().is_some())
    }

    fn read(&self) -> Option<u64> {
        kills_in(&fs::read_to_string(&self.file).ok()?)
    }

    pub(crate) fn watch(&self) -> Option<OomWatch> {
        Some(OomWatch { before: self.read()?, counter: self.clone() })
    }
}

impl OomWatch {
    /// How many kills there were since the start.
    pub(crate) fn growth(&self) -> Option<(u64, OomSource)> {
        Some((self.counter.read()?.saturating_sub(self.before), self.counter.source))
    }
}

/// Reads the counter from `memory.events`, `memory.oom_control` or `/proc/vmstat`: all have it on a line of its own.
pub(super) fn kills_in(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")).and_then(|count| count.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_files_are_read() {
        assert_eq!(kills_in("low 0\nhigh 0\nmax 4\noom 1\noom_kill 3\noom_group_kill 2\n"), Some(3));
        assert_eq!(kills_in("oom_kill_disable 0\nunder_oom 1\noom_kill 5\n"), Some(5));
        assert_eq!(kills_in("nr_free_pages 7\noom_kill 12\n"), Some(12));
        assert_eq!(kills_in("oom_kill_disable 0\nunder_oom 0\n"), None);
    }

    #[test]
    fn only_growth_counts() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let file = folder.path().join("memory.events");
        fs::write(&file, "oom_kill 3\n").expect("write");
        let counter = OomCounter { source: OomSource::SharedGroup, file: file.clone() };
        let watch = counter.watch().expect("a counter");
        assert_eq!(watch.growth(), Some((0, OomSource::SharedGroup)));
        fs::write(&file, "oom_kill 5\n").expect("write");
        assert_eq!(watch.growth(), Some((2, OomSource::SharedGroup)));
        fs::remove_file(&file).expect("remove");
        assert_eq!(watch.growth(), None);
    }

    #[test]
    fn this_system_has_a_counter() {
        let counter = OomCounter::find().expect("a counter");
        assert!(counter.watch().is_some(), "{counter:?}");
    }
}
