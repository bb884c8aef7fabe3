//! Where this process stands in the hierarchies of control groups, as folders.
//!
//! It reads `/proc` and nothing else; whether a folder is of any use is for others to find out.

use std::fs;
use std::path::{Path, PathBuf};

/// One of the hierarchies that a system can have.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hierarchy<'a> {
    /// Version 2.
    Unified,
    /// That of a controller in version 1.
    Of(&'a str),
}

/// The folder of the group that this process belongs to.
pub(crate) fn own_group(hierarchy: Hierarchy<'_>) -> Option<PathBuf> {
    own_groups([hierarchy])[0].take()
}

/// The same in several hierarchies, from one look at the system.
pub(crate) fn own_groups<const N: usize>(hierarchies: [Hierarchy<'_>; N]) -> [Option<PathBuf>; N] {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    let (groups, mounts) = (read("/proc/self/cgroup"), read("/proc/self/mountinfo"));
    hierarchies.map(|hierarchy| locate(&groups, &mounts, hierarchy))
}

fn locate(groups: &str, mounts: &str, hierarchy: Hierarchy<'_>) -> Option<PathBuf> {
    let group = groups.lines().find_map(|line| group_of(line, hierarchy))?;
    mounts.lines().filter_map(|line| mount_of(line, hierarchy)).find_map(|(root, point)| {
        // A mount may show a part of the hierarchy only; our group need not be in it.
        let below = group.strip_prefix(root).ok()?;
        Some(point.join(below))
    })
}

/// The path in a line such as `4:memory:/session` or `0::/session`.
fn group_of<'a>(line: &'a str, hierarchy: Hierarchy<'_>) -> Option<&'a Path> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (controllers, path) = (fields.next()?, fields.next()?);
    let matching = match hierarchy {
        Hierarchy::Unified => controllers.is_empty(),
        Hierarchy::Of(name) => controllers.split(',').any(|found| found == name),
    };
    // A group outside our namespace begins with `/..` and is out of reach.
    (matching && !path.starts_with("/..")).then(|| Path::new(path))
}

/// Root and mount point in a line such as `35 31 0:32 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw`.
fn mount_of<'a>(line: &'a str, hierarchy: Hierarchy<'_>) -> Option<(&'a Path, &'a Path)> {
    let (place, system) = line.split_once(" - ")?;
    let mut system = system.split(' ');
    let (kind, options) = (system.next()?, system.nth(1)?);
    let matching = match hierarchy {
        Hierarchy::Unified => kind == "cgroup2",
        Hierarchy::Of(name) => kind == "cgroup" && options.split(',').any(|found| found == name),
    };
    let mut place = place.split(' ').skip(3);
    let (root, point) = (place.next()?, place.next()?);
    matching.then(|| (Path::new(root), Path::new(point)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n\
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:7 - cgroup cgroup rw,memory\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

    fn found(groups: &str, mounts: &str, hierarchy: Hierarchy<'_>) -> Option<String> {
        locate(groups, mounts, hierarchy).map(|path| path.display().to_string())
    }

    #[test]
    fn each_hierarchy_has_its_own_place() {
        let groups = "9:name=systemd:/\n4:memory:/api/7f\n0::/\n";
        let memory = found(groups, HYBRID, Hierarchy::Of("memory"));
        assert_eq!(memory.as_deref(), Some("/sys/fs/cgroup/memory/api/7f"));
        assert_eq!(found(groups, HYBRID, Hierarchy::Unified).as_deref(), Some("/sys/fs/cgroup/unified/"));
        assert_eq!(found(groups, HYBRID, Hierarchy::Of("pids")), None);
    }

    #[test]
    fn a_mount_of_a_part_is_understood() {
        let mounts = "41 31 0:38 /box/a /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        let inside = found("0::/box/a/job:1\n", mounts, Hierarchy::Unified);
        assert_eq!(inside.as_deref(), Some("/sys/fs/cgroup/job:1"));
        assert_eq!(found("0::/box/b\n", mounts, Hierarchy::Unified), None);
        assert_eq!(found("0::/../elsewhere\n", mounts, Hierarchy::Unified), None);
    }

    #[test]
    fn controllers_that_share_a_hierarchy_are_told_apart() {
        let mounts = "4 1 0:3 / /cg/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";
        let groups = "2:cpu,cpuacct:/x\n";
        assert_eq!(found(groups, mounts, Hierarchy::Of("cpuacct")).as_deref(), Some("/cg/cpu,cpuacct/x"));
        assert_eq!(found(groups, mounts, Hierarchy::Of("cp")), None);
    }
}
