//! The entries of the ledger as they stand in its file, and the lock under which they are read and changed.
//!
//! It does not know the limit.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::retry_on_intr;

use crate::disk;
use crate::os::living_process;
use crate::result::{AtPath, Result};

/// An entry: bytes, process id and birth of its worker as eight bytes each, and what its files' names begin with.
///
/// Eight bytes at a time are changed in place: a worker that is killed meanwhile leaves the old ones or the new.
const ENTRY: usize = 64;
const NAME_AT: usize = 24;

/// All entries, while the file is locked.
pub(super) struct Entries<'f> {
    file: &'f File,
    path: &'f Path,
    bytes: Vec<u8>,
}

impl<'f> Entries<'f> {
    /// The place of the entry of all committed runs.
    pub(super) const COMMITTED: usize = 0;

    /// Waits for the lock, which others hold for a few system calls, and reads the entries.
    pub(super) fn lock(file: &'f File, path: &'f Path) -> Result<Self> {
        retry_on_intr(|| flock(file, FlockOperation::LockExclusive)).at("lock", path)?;
        let mut locked = Self { file, path, bytes: Vec::new() };
        let len = file.metadata().at("examine", path)?.len() as usize;
        // Another worker may have been killed while it added its entry.
        locked.bytes.resize(len / ENTRY * ENTRY, 0);
        disk::read_exact_at(file, &mut locked.bytes, 0).at("read", path)?;
        Ok(locked)
    }

    pub(super) fn sum(&self) -> u64 {
        (0..self.len()).map(|place| self.word(place, 0)).sum()
    }

    /// Makes an entry for this process; returns its place. The first one of all counts the runs that there are: they may
    /// be those of a job that goes on.
    pub(super) fn enter(&mut self, owner: &str, runs: &Path) -> Result<usize> {
        let first = self.len() == 0;
        let place = self.enter_uncounted(owner)?;
        if first {
            self.count_committed(runs)?;
        }
        Ok(place)
    }

    fn enter_uncounted(&mut self, owner: &str) -> Result<usize> {
        let pid = std::process::id();
        let mut entry = [0; ENTRY];
        entry[8..16].copy_from_slice(&u64::from(pid).to_le_bytes());
        entry[16..24]
            .copy_from_slice(&birth(pid).at("examine", Path::new("/proc"))?.unwrap_or(0).to_le_bytes());
        let name =
            entry[NAME_AT..].get_mut(..owner.len()).ok_or("a worker's name is too long for the ledger")?;
        name.copy_from_slice(owner.as_bytes());
        let place = (1..self.len()).find(|&place| self.word(place, 8) == 0).unwrap_or(self.len().max(1));
        self.bytes.resize(self.bytes.len().max((place + 1) * ENTRY), 0);
        self.bytes[place * ENTRY..][..ENTRY].copy_from_slice(&entry);
        let from = if place == 1 { 0 } else { place * ENTRY };
        disk::write_all_at(self.file, &self.bytes[from..(place + 1) * ENTRY], from as u64)
            .at("write", self.path)?;
        Ok(place)
    }

    pub(super) fn add(&mut self, place: usize, bytes: u64) -> Result {
        self.set(place, self.word(place, 0).saturating_add(bytes))
    }

    pub(super) fn take(&mut self, place: usize, bytes: u64) -> Result {
        self.set(place, self.word(place, 0).saturating_sub(bytes))
    }

    /// Removes what dead workers have left, and their claims with it.
    pub(super) fn give_back_of_the_dead(&mut self, runs: &Path) -> Result {
        let mut found = false;
        for place in 1..self.len() {
            if self.is_dead(place)? {
                self.remove_files(place, runs)?;
                self.set(place, 0)?;
                self.put(place, 8, 0)?;
                found = true;
            }
        }
        // One that died in a commit has not said which of its runs are committed.
        if found { self.count_committed(runs) } else { Ok(()) }
    }

    fn is_dead(&self, place: usize) -> Result<bool> {
        let (pid, born) = (self.word(place, 8), self.word(place, 16));
        if pid == 0 || born == 0 {
            return Ok(false);
        }
        Ok(birth(u32::try_from(pid)?).at("examine", Path::new("/proc"))? != Some(born))
    }

    fn remove_files(&self, place: usize, runs: &Path) -> Result {
        let name = &self.bytes[place * ENTRY + NAME_AT..(place + 1) * ENTRY];
        let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
        let prefix = format!("{}-", String::from_utf8_lossy(name));
        for entry in fs::read_dir(runs).at("list", runs)? {
            let entry = entry.at("list", runs)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(&prefix) && !is_run(&name) {
                disk::remove_file(&entry.path()).at("remove", &entry.path())?;
            }
        }
        Ok(())
    }

    fn count_committed(&mut self, runs: &Path) -> Result {
        let mut bytes = 0;
        for entry in fs::read_dir(runs).at("list", runs)? {
            let entry = entry.at("list", runs)?;
            if is_run(&entry.file_name().to_string_lossy()) {
                bytes += entry.metadata().at("examine", &entry.path())?.len();
            }
        }
        self.set(Self::COMMITTED, bytes)
    }

    fn len(&self) -> usize {
        self.bytes.len() / ENTRY
    }

    fn word(&self, place: usize, at: usize) -> u64 {
        self.bytes[place * ENTRY + at..][..8].iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
    }

    fn set(&mut self, place: usize, bytes: u64) -> Result {
        self.put(place, 0, bytes)
    }

    fn put(&mut self, place: usize, at: usize, word: u64) -> Result {
        let at = place * ENTRY + at;
        self.bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
        Ok(disk::write_all_at(self.file, &word.to_le_bytes(), at as u64).at("write", self.path)?)
    }
}

impl Drop for Entries<'_> {
    fn drop(&mut self) {
        // The lock also goes when the file is closed; unlocking a file that is locked does not fail.
        retry_on_intr(|| flock(self.file, FlockOperation::Unlock)).unwrap_or_default();
    }
}

/// Whether a file of this name is a committed run.
fn is_run(name: &str) -> bool {
    name.ends_with(".run")
}

/// When a process was started; `None` if it is dead.
fn birth(pid: u32) -> io::Result<Option<u64>> {
    Ok(living_process(pid)?.map(|process| process.started))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn the_dead_have_no_birth() {
        assert!(birth(std::process::id()).expect("/proc is there").is_some_and(|born| born > 0));
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("a child");
        let born = birth(child.id()).expect("/proc is there");
        assert!(born >= birth(std::process::id()).expect("/proc is there"));
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        assert_eq!(birth(child.id()).expect("/proc is there"), None);
    }

    #[test]
    fn what_a_dead_worker_has_left_is_removed_and_its_commits_are_counted() {
        let runs = tempfile::tempdir().expect("a folder");
        let path = runs.path().join("ledger");
        let file = File::options().read(true).write(true).create_new(true).open(&path).expect("a file");
        for name in ["W-1-1-0.run", "W-1-1-1.run.tmp", "W-1-1-reduce-0-1-0.tmp", "W-1-10-0.run.tmp"] {
            fs::write(runs.path().join(name), [0; 100]).expect("a file");
        }
        let mut entries = Entries::lock(&file, &path).expect("the lock");
        let (dead, alive) = (
            entries.enter("W-1-1", runs.path()).expect("a place"),
            entries.enter("W-1-10", runs.path()).expect("a place"),
        );
        entries.add(dead, 300).expect("a change");
        entries.add(alive, 120).expect("a change");
        entries.give_back_of_the_dead(runs.path()).expect("nobody is dead");
        assert_eq!(entries.sum(), 100 + 420, "a run was committed before");
        // Another process that was born before this one had this number.
        entries.put(dead, 16, 1).expect("a change");
        drop(entries);
        let mut entries = Entries::lock(&file, &path).expect("the lock");
        entries.give_back_of_the_dead(runs.path()).expect("one is dead");
        assert_eq!(entries.sum(), 100 + 120);
        let names =
            fs::read_dir(runs.path()).expect("the folder").map(|entry| entry.expect("a file").file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        assert_eq!(names, ["W-1-1-0.run", "W-1-10-0.run.tmp", "ledger"]);
        assert_eq!(entries.enter("W-1-2", runs.path()).expect("a place"), dead, "the place is free");
    }
}
