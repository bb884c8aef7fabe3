//! The control group of one worker: its limit, its members, what the kernel did in it, and its end.
//!
//! Where it lies in the tree is decided by `delegation`.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::delegation::Delegation;
use super::oom;
use crate::os;

/// How long the last processes of a group may take to disappear after SIGKILL.
const EMPTY_LIMIT: Duration = Duration::from_millis(500);

/// How long to wait before another look.
const INTERVAL: Duration = Duration::from_millis(2);

/// A group of one worker and its children. It is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct WorkerGroup {
    delegation: Arc<Delegation>,
    path: PathBuf,
}

impl WorkerGroup {
    /// Makes the group and sets its limit.
    pub(super) fn create(delegation: Arc<Delegation>, path: PathBuf, limit: u64) -> io::Result<Self> {
        delegation.tree.create(&path)?;
        // From here on, an error removes it again.
        let group = Self { delegation, path };
        group.set("memory.max", &limit.to_string())?;
        // Without them there is no swap to limit, or a kernel that always kills single processes.
        group.set("memory.swap.max", "0").or_else(ignore_missing)?;
        group.set("memory.oom.group", "1").or_else(ignore_missing)?;
        Ok(group)
    }

    /// Takes a process in. What it has touched before is not counted here.
    pub(crate) fn admit(&self, pid: Pid) -> io::Result<()> {
        self.set("cgroup.procs", &pid.as_raw_nonzero().to_string())
    }

    /// How many of its processes the kernel has killed for want of memory.
    pub(crate) fn oom_kills(&self) -> Option<u64> {
        oom::kills_in(&self.delegation.tree.read(&self.path.join("memory.events")).ok()?)
    }

    fn set(&self, file: &str, value: &str) -> io::Result<()> {
        self.delegation.tree.write(&self.path.join(file), value)
    }

    /// Kills what is left in the group, which includes children that left the worker's process group, and removes it.
    fn end(&self) -> io::Result<()> {
        self.set("cgroup.kill", "1").or_else(ignore_missing)?;
        let deadline = Instant::now() + EMPTY_LIMIT;
        loop {
            match self.delegation.tree.remove(&self.path) {
                Err(error) if is_busy(&error) && Instant::now() < deadline => os::pause(INTERVAL)?,
                other => return other,
            }
        }
    }
}

impl Drop for WorkerGroup {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            // It is tried again when the crew ends, and by the next coordinator.
            tracing::warn!("a control group is left: {error}");
        }
    }
}

fn is_busy(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ResourceBusy
}

fn ignore_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::super::fake::Fake;
    use super::*;

    fn delegation(fake: &Fake) -> Arc<Delegation> {
        let claimed = Delegation::claim(Box::new(fake.clone()), fake.home(), 100);
        Arc::new(claimed.expect("delegated"))
    }

    #[test]
    fn a_worker_gets_its_limit_before_it_is_admitted() {
        let fake = Fake::new("memory", &[100]);
        let group = delegation(&fake).group(64 << 20).expect("a group");
        let name = "gristmill-100.worker-0";
        for (file, value) in [("memory.max", "67108864"), ("memory.swap.max", "0"), ("memory.oom.group", "1")]
        {
            assert_eq!(fake.content(&format!("{name}/{file}")), value, "{file}");
        }
        fake.start(200);
        group.admit(Pid::from_raw(200).expect("a process id")).expect("admitted");
        assert_eq!(fake.content(&format!("{name}/cgroup.procs")), "200\n");
        assert_eq!(group.oom_kills(), Some(0));
        fake.set(&format!("{name}/memory.events"), "max 9\noom 1\noom_kill 2\noom_group_kill 1\n");
        assert_eq!(group.oom_kills(), Some(2));
        drop(group);
        assert_eq!(fake.groups(), ["gristmill-100.coordinator"]);
    }

    #[test]
    fn a_missing_swap_file_is_no_error_but_a_missing_limit_is() {
        let fake = Fake::new("memory", &[100]).without("memory.swap.max");
        delegation(&fake).group(1 << 20).expect("no swap, no limit on it");
        let fake = Fake::new("memory", &[100]).without("memory.max");
        let text = delegation(&fake).group(1 << 20).expect_err("no limit").to_string();
        assert!(text.contains("gristmill-100.worker-0/memory.max: "), "{text}");
        assert_eq!(fake.groups(), ["gristmill-100.coordinator"], "a failed group is removed");
    }

    #[test]
    fn a_process_that_is_gone_is_not_admitted() {
        let fake = Fake::new("memory", &[100]);
        let group = delegation(&fake).group(1 << 20).expect("a group");
        let text = group.admit(Pid::from_raw(999).expect("a process id")).expect_err("gone").to_string();
        assert!(text.contains("cgroup.procs: "), "{text}");
    }

    #[test]
    fn a_group_that_cannot_be_emptied_is_left_for_later() {
        let fake = Fake::new("memory", &[100]).without("cgroup.kill");
        let delegation = delegation(&fake);
        let group = delegation.group(1 << 20).expect("a group");
        fake.start(200);
        group.admit(Pid::from_raw(200).expect("a process id")).expect("admitted");
        drop(group);
        assert!(fake.groups().contains(&"gristmill-100.worker-0".to_owned()));
        fake.set("gristmill-100.worker-0/cgroup.procs", "");
        delegation.give_back();
        assert!(fake.groups().is_empty(), "{:?}", fake.groups());
    }
}
