//! A limit on the private writable memory of another process, set from outside before it runs user code.
//!
//! It is `RLIMIT_DATA`, which counts what the heap, anonymous mappings and thread stacks may be written to. The limit
//! on address space would also count the 64 MiB that the C library reserves for each thread's heap, and every shared
//! mapping, though nobody ever touches them. Neither limit counts shared memory, or file pages that are only read.

use std::fs;
use std::io;

use rustix::process::{Pid, Resource, Rlimit};

/// A boot option that turns the limit into a mere warning in the kernel's log.
const IGNORED: &str = "/sys/module/kernel/parameters/ignore_rlimit_data";

/// Fails where the kernel was told not to hold the limit.
pub(crate) fn check_effective() -> io::Result<()> {
    // A kernel without the file has no such option.
    if fs::read_to_string(IGNORED).is_ok_and(|value| matches!(value.trim(), "Y" | "1")) {
        let text = format!("memory_limit cannot be held: the kernel ignores RLIMIT_DATA ({IGNORED})");
        return Err(io::Error::new(io::ErrorKind::Unsupported, text));
    }
    Ok(())
}

/// Allows `pid` as much as it has now and `limit` bytes more. A lower limit that it inherited stays.
///
/// What it has now is its own libraries' and threads' business, so the limit is what user code can use.
pub(crate) fn apply(pid: Pid, limit: u64) -> io::Result<()> {
    let path = format!("/proc/{}/status", pid.as_raw_nonzero());
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{path}: {error}"));
    let status = fs::read_to_string(&path).map_err(named)?;
    let present = data_size(&status).ok_or_else(|| named(io::Error::other("it shows no VmData")))?;
    let now = rustix::process::getrlimit(Resource::Data);
    let wanted = capped(present + limit, now.maximum);
    rustix::process::prlimit(
        Some(pid),
        Resource::Data,
        Rlimit { current: Some(wanted), maximum: Some(wanted) },
    )
    .map_err(|error| io::Error::new(error.kind(), format!("prlimit: {error}")))?;
    Ok(())
}

/// A worker inherits our hard limit, and only a privileged process may exceed it.
fn capped(wanted: u64, hard: Option<u64>) -> u64 {
    hard.map_or(wanted, |hard| wanted.min(hard))
}

/// What the kernel compares with the limit, in bytes.
fn data_size(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_hard_limit_stays() {
        assert_eq!(capped(100, None), 100);
        assert_eq!(capped(100, Some(99)), 99);
        assert_eq!(capped(100, Some(101)), 100);
    }

    #[test]
    fn the_size_is_read_in_bytes() {
        assert_eq!(data_size("VmPeak:\t 10 kB\nVmData:\t    424 kB\nVmStk:\t 3 kB\n"), Some(424 * 1024));
        assert_eq!(data_size("Name:\tkthreadd\n"), None);
    }

    #[test]
    fn an_error_names_what_failed() {
        let nobody = Pid::from_raw(i32::MAX).expect("a process id");
        let text = apply(nobody, 1 << 20).expect_err("there is no such process").to_string();
        assert!(text.starts_with("/proc/2147483647/status: "), "{text}");
    }
}
