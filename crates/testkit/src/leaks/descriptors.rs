//! Compares the open descriptors of this process at two moments.
//!
//! It goes by what a descriptor leads to, not by its number, which is used again at once.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// How many descriptors lead to each target.
#[derive(Debug)]
pub(super) struct Descriptors {
    before: BTreeMap<PathBuf, usize>,
}

impl Descriptors {
    pub(super) fn open_now() -> Self {
        let mut before = BTreeMap::new();
        for (_, target) in list() {
            *before.entry(target).or_default() += 1;
        }
        Self { before }
    }

    /// The descriptors beyond those of the first moment, as `number -> target`.
    pub(super) fn opened_since(&self) -> Vec<String> {
        let mut known = self.before.clone();
        let is_new = |(_, target): &(String, PathBuf)| match known.get_mut(target) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        };
        let new = list().into_iter().filter(is_new);
        new.collect::<Vec<_>>().iter().map(|(number, to)| format!("{number} -> {}", to.display())).collect()
    }
}

/// All open descriptors, without the ones that reading this very list takes.
fn list() -> Vec<(String, PathBuf)> {
    let own = format!("/proc/{}/fd", std::process::id());
    let entries = fs::read_dir("/proc/self/fd").expect("a process may list its own descriptors");
    let number_and_target = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.ok()?;
        // Another thread may have closed it since it was listed.
        let target = fs::read_link(entry.path()).ok()?;
        Some((entry.file_name().to_string_lossy().into_owned(), target))
    };
    entries.filter_map(number_and_target).filter(|(_, target)| target.as_os_str() != own.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn a_number_that_is_used_again_does_not_hide_another_target() {
        let old = File::open("/dev/null").expect("/dev/null");
        let descriptors = Descriptors::open_now();
        drop(old);
        let new = File::open("/dev/full").expect("/dev/full");
        let want = format!("{} -> /dev/full", new.as_raw_fd());
        assert!(descriptors.opened_since().contains(&want));
    }

    #[test]
    fn a_second_descriptor_of_a_known_target_counts() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("file");
        let _first = File::create(&path).expect("a file");
        let descriptors = Descriptors::open_now();
        let named = |descriptors: &Descriptors| {
            descriptors.opened_since().iter().filter(|line| line.ends_with("/file")).count()
        };
        assert_eq!(named(&descriptors), 0);
        let _second = File::open(&path).expect("the same file");
        assert_eq!(named(&descriptors), 1);
    }
}
