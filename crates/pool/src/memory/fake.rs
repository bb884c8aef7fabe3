//! A folder that behaves like a tree of control groups, for tests: it has the kernel's rules on who may live where.
//!
//! It limits nothing.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use super::tree::{Kernel, Tree, named};

const MEMORY_FILES: [(&str, &str); 4] = [
    ("memory.max", "max\n"),
    ("memory.swap.max", "max\n"),
    ("memory.oom.group", "0\n"),
    ("memory.events", "oom 0\noom_kill 0\n"),
];

#[derive(Clone, Debug)]
pub(super) struct Fake {
    folder: Arc<tempfile::TempDir>,
    read_only: BTreeSet<PathBuf>,
    missing: BTreeSet<&'static str>,
    alive: BTreeSet<u32>,
}

impl Fake {
    /// A group with these controllers and processes.
    pub(super) fn new(controllers: &str, processes: &[u32]) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("temporary folder"));
        let fake =
            Self { folder, read_only: BTreeSet::new(), missing: BTreeSet::new(), alive: BTreeSet::new() };
        fs::create_dir(fake.home()).expect("create the home group");
        fake.furnish(&fake.home(), controllers);
        processes.iter().for_each(|pid| fake.enter(&fake.home(), *pid));
        fake
    }

    pub(super) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(super) fn read_only(mut self, name: &str) -> Self {
        self.read_only.insert(self.home().join(name));
        self
    }

    /// A kernel that lacks a file.
    pub(super) fn without(mut self, name: &'static str) -> Self {
        self.missing.insert(name);
        self
    }

    pub(super) fn alive(mut self, pid: u32) -> Self {
        self.alive.insert(pid);
        self
    }

    /// Somebody has given the groups below their memory controller already.
    pub(super) fn enabled(self) -> Self {
        self.set("cgroup.subtree_control", "memory\n");
        self
    }

    /// A process begins, where its parent lives.
    pub(super) fn start(&self, pid: u32) {
        self.enter(&self.home(), pid);
    }

    pub(super) fn set(&self, name: &str, text: &str) {
        fs::write(self.home().join(name), text).expect("write");
    }

    pub(super) fn content(&self, name: &str) -> String {
        fs::read_to_string(self.home().join(name)).expect("read")
    }

    pub(super) fn groups(&self) -> Vec<String> {
        let mut names = self.below(&self.home()).expect("list");
        names.sort();
        names
    }

    fn furnish(&self, group: &Path, controllers: &str) {
        let basic = [
            ("cgroup.controllers", controllers),
            ("cgroup.procs", ""),
            ("cgroup.subtree_control", "\n"),
            ("cgroup.kill", ""),
        ];
        self.add_files(group, &basic);
    }

    fn add_files(&self, group: &Path, files: &[(&'static str, &str)]) {
        for (name, text) in files.iter().filter(|(name, _)| !self.missing.contains(name)) {
            fs::write(group.join(name), text).expect("write");
        }
    }

    fn enter(&self, group: &Path, pid: u32) {
        let path = group.join("cgroup.procs");
        fs::write(&path, format!("{}{pid}\n", fs::read_to_string(&path).expect("read"))).expect("write");
    }

    fn all(&self) -> Vec<PathBuf> {
        let below = self.groups().into_iter().map(|name| self.home().join(name));
        below.chain([self.home()]).collect()
    }

    fn move_process(&self, group: &Path, pid: &str) -> io::Result<()> {
        if divides(group) {
            return Err(Errno::BUSY.into());
        }
        for path in self.all().into_iter().map(|group| group.join("cgroup.procs")) {
            let present = fs::read_to_string(&path)?;
            if present.lines().any(|line| line == pid) {
                let others = present.lines().filter(|line| *line != pid).map(|line| format!("{line}\n"));
                fs::write(&path, others.collect::<String>())?;
                self.enter(group, pid.parse().expect("a process id"));
                return Ok(());
            }
        }
        Err(Errno::SRCH.into())
    }

    fn divide(&self, group: &Path, change: &str) -> io::Result<()> {
        if change == "+memory" && is_populated(group) {
            return Err(Errno::BUSY.into());
        }
        let on = change == "+memory";
        fs::write(group.join("cgroup.subtree_control"), if on { "memory\n" } else { "\n" })?;
        for name in self.below(group)? {
            let below = group.join(name);
            if on {
                self.add_files(&below, &MEMORY_FILES);
            } else {
                MEMORY_FILES.iter().try_for_each(|(name, _)| fs::remove_file(below.join(name)))?;
            }
        }
        Ok(())
    }
}

fn is_populated(group: &Path) -> bool {
    fs::read_to_string(group.join("cgroup.procs")).is_ok_and(|processes| !processes.is_empty())
}

fn divides(group: &Path) -> bool {
    fs::read_to_string(group.join("cgroup.subtree_control")).is_ok_and(|on| !on.trim().is_empty())
}

impl Tree for Fake {
    fn read(&self, file: &Path) -> io::Result<String> {
        Kernel.read(file)
    }

    fn write(&self, file: &Path, text: &str) -> io::Result<()> {
        let group = file.parent().expect("a file of a group");
        let done = match file.file_name().and_then(|name| name.to_str()).unwrap_or_default() {
            "cgroup.procs" => self.move_process(group, text),
            "cgroup.subtree_control" => self.divide(group, text),
            _ if !file.exists() => Err(Errno::NOENT.into()),
            "cgroup.kill" => fs::write(group.join("cgroup.procs"), ""),
            _ => fs::write(file, text),
        };
        done.map_err(|error| named(file, &error))
    }

    fn create(&self, group: &Path) -> io::Result<()> {
        Kernel.create(group)?;
        self.furnish(group, "");
        if divides(group.parent().expect("a group below another")) {
            self.add_files(group, &MEMORY_FILES);
        }
        Ok(())
    }

    fn remove(&self, group: &Path) -> io::Result<()> {
        if is_populated(group) {
            return Err(named(group, &Errno::BUSY.into()));
        }
        fs::remove_dir_all(group)
    }

    fn below(&self, group: &Path) -> io::Result<Vec<String>> {
        Kernel.below(group)
    }

    fn is_writable(&self, path: &Path) -> bool {
        // A joined empty name ends in a slash, which comparison ignores.
        !self.read_only.contains(path)
    }

    fn is_alive(&self, pid: u32) -> bool {
        self.alive.contains(&pid)
    }
}
