//! Names the resource behind an error of the system, and how to have more of it.
//!
//! It changes no error that means something else.

use std::fs::{self, File};
use std::io;

use rustix::process::{Resource, getrlimit};

use crate::memory::{Hierarchy, own_groups};

/// How many descriptors the start of a worker and its handshake take for a moment, with some to spare.
const DESCRIPTORS: usize = 24;

/// Fails if a start would run out of descriptors on its way, where it could not be explained any more.
pub(crate) fn check_descriptors() -> io::Result<()> {
    let any = File::open("/dev/null")?;
    let spare: io::Result<Vec<_>> = (0..DESCRIPTORS).map(|_| any.try_clone()).collect();
    spare.map(drop)
}

/// The error with the resource that ran out, if one did. Its kind stays.
pub(crate) fn explained(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), explain(error.to_string()))
}

/// The text of an error, with the resource that ran out, if one did.
///
/// It looks at the text because errors that come through other crates are nothing more by then.
pub(crate) fn explain(text: String) -> String {
    match missing_resource(&text) {
        Some(resource) => format!("{text}: {resource}"),
        None => text,
    }
}

fn missing_resource(text: &str) -> Option<String> {
    let is =
        |code: i32| text.contains(&format!("(os error {code})")) || text.contains(&format!("code: {code},"));
    if is(libc::EMFILE) {
        return Some(descriptors());
    }
    if is(libc::ENFILE) {
        return Some("the system is out of descriptors, raise fs.file-max (`sysctl fs.file-max`)".into());
    }
    if is(libc::EAGAIN) {
        return Some(processes());
    }
    is(libc::ENOMEM).then(memory)
}

fn descriptors() -> String {
    let limit = shown(getrlimit(Resource::Nofile).current);
    format!("this process is out of descriptors, raise RLIMIT_NOFILE (`ulimit -n`, now {limit})")
}

fn processes() -> String {
    let limit = shown(getrlimit(Resource::Nproc).current);
    let group = pids_max().map_or_else(String::new, |max| format!(", now {max}"));
    let memory = getrlimit(Resource::As).current;
    let memory = memory
        .map_or_else(String::new, |bytes| format!("; RLIMIT_AS, {bytes} bytes, may be too low as well"));
    format!(
        "no more processes or threads can be started, raise RLIMIT_NPROC (`ulimit -u`, now {limit}) or the limit of \
         the control group (pids.max{group}){memory}"
    )
}

fn memory() -> String {
    let address_space = shown(getrlimit(Resource::As).current);
    let data = shown(getrlimit(Resource::Data).current);
    format!(
        "the system refuses more memory: free some, or raise RLIMIT_AS (`ulimit -v`, now {address_space} bytes) and \
         RLIMIT_DATA (`ulimit -d`, now {data} bytes)"
    )
}

fn pids_max() -> Option<String> {
    let groups = own_groups([Hierarchy::Unified, Hierarchy::Of("pids")]);
    let read = |group: std::path::PathBuf| fs::read_to_string(group.join("pids.max")).ok();
    groups.into_iter().flatten().find_map(read).map(|text| text.trim().to_owned())
}

fn shown(limit: Option<u64>) -> String {
    limit.map_or_else(|| "unlimited".into(), |limit| limit.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shortage_is_named_with_its_remedy() {
        for (code, names) in [
            (libc::EMFILE, ["RLIMIT_NOFILE", "ulimit -n"]),
            (libc::ENFILE, ["fs.file-max", "descriptors"]),
            (libc::EAGAIN, ["RLIMIT_NPROC", "pids.max"]),
            (libc::ENOMEM, ["RLIMIT_AS", "memory"]),
        ] {
            let error = io::Error::from_raw_os_error(code);
            let text = explained(&error).to_string();
            assert!(text.starts_with(&error.to_string()), "{text}");
            assert!(names.iter().all(|name| text.contains(name)), "{text}");
            let debugged = explain(format!("called `Result::unwrap()` on an `Err` value: {error:?}"));
            assert!(debugged.contains(names[0]), "{debugged}");
        }
    }

    #[test]
    fn other_errors_stay_as_they_are() {
        for error in [io::Error::from_raw_os_error(libc::ENOENT), io::Error::other("os error 24 it is not")] {
            assert_eq!(explained(&error).to_string(), error.to_string());
            assert_eq!(explained(&error).kind(), error.kind());
        }
    }
}
