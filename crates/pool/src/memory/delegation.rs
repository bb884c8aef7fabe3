//! A part of the control group tree that is ours to divide: claiming it, and giving it back.
//!
//! The kernel allows processes only in leaves, so we move into a leaf of our own while workers have groups beside it.
//! What one group does is up to `group`; what dead coordinators left behind is removed here.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use super::group::WorkerGroup;
use super::locate::{Hierarchy, own_group};
use super::tree::{Kernel, Tree};
use crate::lock;

/// All groups of ours are called `gristmill-PID.…`, with the coordinator's process id.
const PREFIX: &str = "gristmill-";

/// The one delegation of this process, and how many crews use it.
static SHARED: Mutex<Option<(Arc<Delegation>, usize)>> = Mutex::new(None);

/// A crew's share in the delegation of this process. The last one to be dropped gives it back.
#[derive(Debug)]
pub(crate) struct Lease {
    delegation: Arc<Delegation>,
}

impl Lease {
    /// Says why there is no delegation if there is none.
    pub(crate) fn take() -> Result<Self, String> {
        let mut shared = lock(&SHARED);
        if let Some((delegation, users)) = &mut *shared {
            *users += 1;
            return Ok(Self { delegation: Arc::clone(delegation) });
        }
        let home = own_group(Hierarchy::Unified).ok_or("there is no control group of version 2")?;
        let claimed = Delegation::claim(Box::new(Kernel), home, std::process::id());
        let delegation = Arc::new(claimed.map_err(|error| error.to_string())?);
        *shared = Some((Arc::clone(&delegation), 1));
        Ok(Self { delegation })
    }

    pub(crate) fn group(&self, limit: u64) -> io::Result<WorkerGroup> {
        self.delegation.group(limit)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut shared = lock(&SHARED);
        if let Some((_, users)) = &mut *shared {
            *users -= 1;
            if *users == 0 {
                *shared = None;
                self.delegation.give_back();
            }
        }
    }
}

/// A group of ours, prepared so that groups below it can limit memory.
#[derive(Debug)]
pub(crate) struct Delegation {
    pub(super) tree: Box<dyn Tree>,
    home: PathBuf,
    pid: u32,
    /// Where we live meanwhile, if we had to leave `home`.
    leaf: Option<PathBuf>,
    /// Whether it was us who gave the groups below a memory controller.
    enabled: bool,
    groups: AtomicU64,
}

impl Delegation {
    /// Prepares `home`, the group of process `pid`, or leaves it as it was.
    pub(super) fn claim(tree: Box<dyn Tree>, home: PathBuf, pid: u32) -> io::Result<Self> {
        let mut claim = Self { tree, home, pid, leaf: None, enabled: false, groups: AtomicU64::new(0) };
        claim.check()?;
        claim.remove_leftovers();
        let control = claim.home.join("cgroup.subtree_control");
        if lists_memory(&claim.tree.read(&control)?) {
            return Ok(claim);
        }
        claim.enable(&control)?;
        Ok(claim)
    }

    fn check(&self) -> io::Result<()> {
        let offered = self.tree.read(&self.home.join("cgroup.controllers"))?;
        let refuse = |why: &str| Err(io::Error::other(format!("{}: {why}", self.home.display())));
        if !lists_memory(&offered) {
            return refuse("no memory controller is available there");
        }
        for name in ["", "cgroup.procs", "cgroup.subtree_control"] {
            if !self.tree.is_writable(&self.home.join(name)) {
                return refuse("it is not delegated to us");
            }
        }
        Ok(())
    }

    fn enable(&mut self, control: &Path) -> io::Result<()> {
        match self.tree.write(control, "+memory") {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                self.move_out()?;
                if let Err(error) = self.tree.write(control, "+memory") {
                    // Somebody else lives there as well.
                    self.move_back();
                    return Err(error);
                }
            }
            other => other?,
        }
        self.enabled = true;
        Ok(())
    }

    fn move_out(&mut self) -> io::Result<()> {
        let leaf = self.home.join(format!("{PREFIX}{}.coordinator", self.pid));
        self.tree.create(&leaf)?;
        let moved = self.tree.write(&leaf.join("cgroup.procs"), &self.pid.to_string());
        self.leaf = Some(leaf);
        moved.inspect_err(|_| self.move_back())
    }

    fn move_back(&self) {
        let Some(leaf) = &self.leaf else { return };
        let back = self.tree.write(&self.home.join("cgroup.procs"), &self.pid.to_string());
        if let Err(error) = back.and_then(|()| self.tree.remove(leaf)) {
            tracing::warn!("a control group is left: {error}");
        }
    }

    /// Makes `home` what it was, unless another coordinator divides it too.
    pub(super) fn give_back(&self) {
        self.remove_leftovers();
        if self.enabled && !self.is_shared() {
            if let Err(error) = self.tree.write(&self.home.join("cgroup.subtree_control"), "-memory") {
                tracing::warn!("a control group keeps its memory controller: {error}");
            }
            self.move_back();
        }
    }

    fn is_shared(&self) -> bool {
        let leaf = self.leaf.as_deref().and_then(Path::file_name);
        let foreign = |name: &String| owner(name).is_some() && leaf != Some(name.as_ref());
        self.tree.below(&self.home).is_ok_and(|names| names.iter().any(foreign))
    }

    /// Removes the groups of the dead, and our own workers', whose processes are all gone by now.
    fn remove_leftovers(&self) {
        let leaf = self.leaf.as_deref().and_then(Path::file_name);
        for name in self.tree.below(&self.home).unwrap_or_default() {
            let dead = |pid: u32| pid == self.pid || !self.tree.is_alive(pid);
            if owner(&name).is_some_and(dead) && leaf != Some(name.as_ref()) {
                match self.tree.remove(&self.home.join(&name)) {
                    Ok(()) => tracing::debug!("removed the control group {name}, whose coordinator is gone"),
                    // Somebody lives in it, and it will be found again.
                    Err(error) => tracing::debug!("a control group is left: {error}"),
                }
            }
        }
    }

    /// Makes a group with a limit, with nobody in it.
    pub(super) fn group(self: &Arc<Self>, limit: u64) -> io::Result<WorkerGroup> {
        let number = self.groups.fetch_add(1, Relaxed);
        let path = self.home.join(format!("{PREFIX}{}.worker-{number}", self.pid));
        WorkerGroup::create(Arc::clone(self), path, limit)
    }
}

fn lists_memory(controllers: &str) -> bool {
    controllers.split_whitespace().any(|name| name == "memory")
}

/// The coordinator that a group was made by, if it is a group of ours.
fn owner(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.split_once('.')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::fake::Fake;
    use super::*;

    const ME: u32 = 100;

    fn claim(fake: &Fake) -> io::Result<Arc<Delegation>> {
        Delegation::claim(Box::new(fake.clone()), fake.home(), ME).map(Arc::new)
    }

    #[test]
    fn we_move_aside_and_come_back() {
        let fake = Fake::new("cpu memory pids", &[ME]);
        let delegation = claim(&fake).expect("delegated");
        assert_eq!(fake.groups(), ["gristmill-100.coordinator"]);
        assert_eq!(fake.content("gristmill-100.coordinator/cgroup.procs"), "100\n");
        assert_eq!(fake.content("cgroup.subtree_control"), "memory\n");
        let group = delegation.group(64 << 20).expect("a group");
        drop(group);
        delegation.give_back();
        assert_eq!((fake.groups().len(), fake.content("cgroup.subtree_control").as_str()), (0, "\n"));
        assert_eq!(fake.content("cgroup.procs"), "100\n");
    }

    #[test]
    fn a_group_that_others_live_in_is_left_as_it_was() {
        let fake = Fake::new("memory", &[ME, 101]);
        let error = claim(&fake).expect_err("somebody else lives there");
        assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
        assert_eq!((fake.groups().len(), fake.content("cgroup.procs").as_str()), (0, "101\n100\n"));
    }

    #[test]
    fn a_group_without_controller_or_permission_is_refused_by_name() {
        for (fake, why) in [
            (Fake::new("cpu pids", &[ME]), "no memory controller"),
            (Fake::new("memory", &[ME]).read_only("cgroup.subtree_control"), "not delegated"),
            (Fake::new("memory", &[ME]).read_only(""), "not delegated"),
        ] {
            let text = claim(&fake).expect_err("refused").to_string();
            assert!(text.contains(why) && text.contains(fake.home().to_str().expect("text")), "{text}");
            assert!(fake.groups().is_empty());
        }
    }

    #[test]
    fn groups_of_dead_coordinators_go_and_others_stay() {
        let fake = Fake::new("memory", &[ME]).alive(7);
        for name in ["gristmill-6.worker-1", "gristmill-6.coordinator", "gristmill-100.worker-9"] {
            fake.create(&fake.home().join(name)).expect("create");
        }
        for name in ["gristmill-7.worker-1", "user.slice", "gristmill-old"] {
            fake.create(&fake.home().join(name)).expect("create");
        }
        let delegation = claim(&fake).expect("delegated");
        let kept = ["gristmill-100.coordinator", "gristmill-7.worker-1", "gristmill-old", "user.slice"];
        assert_eq!(fake.groups(), kept);
        // Worker 1 of coordinator 7 would lose its limit.
        delegation.give_back();
        assert_eq!(fake.groups(), kept);
        assert_eq!(fake.content("cgroup.subtree_control"), "memory\n");
    }

    #[test]
    fn what_was_enabled_before_stays_enabled() {
        let fake = Fake::new("memory", &[]).enabled();
        let delegation = claim(&fake).expect("delegated");
        assert!(fake.groups().is_empty());
        delegation.give_back();
        assert_eq!(fake.content("cgroup.subtree_control"), "memory\n");
    }
}
