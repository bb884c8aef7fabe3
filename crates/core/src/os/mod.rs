//! Everything that depends on the operating system in this crate, but for what every Unix has.
//!
//! Tested on Linux; another system needs another body for each function, and no other file.

mod memory;
mod process;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::num::NonZero;
use std::path::Path;

use rustix::fs::{Advice, CWD, RenameFlags, fadvise, renameat_with};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

pub(crate) use memory::{Slots, prefetch, prefetch_at, reserve, zeroed};
pub(crate) use process::{Process, living_process};

/// Writes a line to standard error. Where that is gone, or full, the exit status has to say it all.
pub(crate) fn tell(line: fmt::Arguments<'_>) {
    drop(writeln!(io::stderr(), "{line}"));
}

/// Renames a folder, unless the new name is taken.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

/// Swaps the names of two folders at once.
pub(crate) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

/// Tells the system that so many bytes at `offset` are read soon. It fetches those that are not in memory, and nobody
/// waits.
pub(crate) fn will_need(file: &File, offset: u64, len: u64) {
    // A file for which that cannot be said is read when it is wanted.
    let _unheeded = fadvise(file, offset, NonZero::new(len), Advice::WillNeed);
}

/// Bytes of memory that this process may hope for: the machine's, or the control group's limit if that is less.
pub(crate) fn total_memory() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_of(&text));
    let group =
        fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    match (machine, group) {
        (Some(machine), Some(group)) => Some(u64::min(machine, group)),
        (one, other) => one.or(other),
    }
}

fn total_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// Lets this process and its children open as many files as the system allows, which is returned unless it is no matter
/// how many: a merge reads many runs at once.
pub(crate) fn raise_descriptor_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    // A limit that cannot be raised is found out, and named, by whoever runs out of descriptors.
    let _unchanged = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_found_in_meminfo() {
        assert_eq!(total_of("MemTotal:       24000 kB\nMemFree: 1 kB\n"), Some(24000 << 10));
        assert_eq!(total_of("nonsense"), None);
    }

    #[test]
    fn a_folder_never_replaces_another_and_two_can_change_places() {
        let parent = tempfile::tempdir().expect("a folder");
        let (a, b) = (parent.path().join("a"), parent.path().join("b"));
        fs::create_dir(&a).expect("a folder");
        fs::create_dir(&b).expect("a folder");
        fs::write(a.join("from-a"), "").expect("a file");
        assert_eq!(rename_new(&a, &b).expect_err("b exists").kind(), io::ErrorKind::AlreadyExists);
        exchange(&a, &b).expect("both exist");
        assert!(b.join("from-a").exists());
    }
}
