//! Collecting a dead child's exit status together with its memory use.
//!
//! It is the one system call of this crate that has no safe wrapper; it does not wait for a living child.

use std::io;
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::Pid;

/// What the system tells about a child when it lets it go.
#[derive(Debug)]
pub(crate) struct Reaped {
    pub(crate) status: ExitStatus,
    /// The largest resident size in bytes, or that of the parent when the child was started if that was larger: the
    /// kernel counts the moment before the child's own image replaced its parent's.
    pub(crate) peak_rss: u64,
}

/// Reaps child `pid`, which is known to have ended.
pub(crate) fn reap(pid: Pid) -> io::Result<Reaped> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    #[allow(unsafe_code)]
    // SAFETY: both pointers lead to live, writable values of the types that wait4 fills in.
    let done = unsafe {
        libc::wait4(pid.as_raw_nonzero().get(), &raw mut status, libc::WNOHANG, usage.as_mut_ptr())
    };
    match done {
        0 => Err(io::Error::other("the child still runs")),
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(Reaped { status: ExitStatus::from_raw(status), peak_rss: peak(usage) }),
    }
}

fn peak(usage: MaybeUninit<libc::rusage>) -> u64 {
    #[allow(unsafe_code)]
    // SAFETY: the structure holds integers only, began as zeros and was filled in by the system.
    let usage = unsafe { usage.assume_init() };
    u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024
}
