//! Linux: lifelines, parent-death signals, process groups and what `/proc` knows.
//!
//! Each function is one step; the order of the steps is decided by the callers.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::{Pid, PidfdFlags, Signal};

/// Two ends of a line that nobody speaks on: when the parent is gone, the worker's end reads end-of-file.
///
/// A sequenced-packet socket pair cannot be mistaken for a pipe or terminal, and it knows who made it.
pub(crate) fn lifeline() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC;
    Ok(rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?)
}

/// In a worker: takes the lifeline off standard input, which then reads as empty.
pub(crate) fn adopt_lifeline(parent: u32) -> Result<OwnedFd, String> {
    let stdin = rustix::stdio::stdin();
    if !is_lifeline(stdin, parent) {
        return Err("standard input is not the lifeline of a parent process".into());
    }
    let line = rustix::io::fcntl_dupfd_cloexec(stdin, 3).map_err(|error| error.to_string())?;
    let empty = File::open("/dev/null").map_err(|error| format!("/dev/null: {error}"))?;
    rustix::stdio::dup2_stdin(empty).map_err(|error| error.to_string())?;
    Ok(line)
}

fn is_lifeline(fd: BorrowedFd<'_>, parent: u32) -> bool {
    let of_right_type = rustix::net::sockopt::socket_type(fd) == Ok(SocketType::SEQPACKET);
    let maker = rustix::net::sockopt::socket_peercred(fd).map(|maker| maker.pid.as_raw_nonzero().get());
    of_right_type && maker.is_ok_and(|maker| u32::try_from(maker) == Ok(parent))
}

/// In a worker: makes sure that neither it nor a child in its process group outlives `parent`.
///
/// Two independent means: a signal that the kernel sends when the parent dies, and a thread that waits at the lifeline.
pub(crate) fn die_with_parent(parent: u32, lifeline: OwnedFd) -> Result<(), String> {
    if rustix::process::getpgrp() != rustix::process::getpid() {
        return Err("a worker must lead a process group of its own".into());
    }
    handle_parent_death(parent).map_err(|error| format!("cannot handle signals: {error}"))?;
    // SIGCONT and no other: it alone wakes a stopped worker, even one that is just about to stop.
    rustix::process::set_parent_process_death_signal(Some(Signal::CONT))
        .map_err(|error| format!("cannot ask for a parent-death signal: {error}"))?;
    // The parent may have died before the request above.
    if !is_child_of(parent) {
        return Err(format!("its parent, process {parent}, is gone"));
    }
    thread::Builder::new()
        .name("lifeline".into())
        .spawn(move || wait_for_end(&lifeline))
        .map_err(|error| format!("cannot start a thread: {error}"))?;
    Ok(())
}

fn is_child_of(parent: u32) -> bool {
    rustix::process::getppid().is_some_and(|found| found.as_raw_pid().cast_unsigned() == parent)
}

/// SIGCONT also comes from shells and from our own parent, so it means nothing unless the parent changed. SIGHUP is
/// what the kernel sends to stopped groups whose parent died.
fn handle_parent_death(parent: u32) -> io::Result<()> {
    let continued = move || {
        if !is_child_of(parent) {
            kill_own_group();
        }
    };
    #[allow(unsafe_code)]
    // SAFETY: the action makes two system calls, getppid(2) and kill(2), both async-signal-safe; it allocates nothing
    // and takes no lock.
    unsafe { signal_hook::low_level::register(libc::SIGCONT, continued) }?;
    #[allow(unsafe_code)]
    // SAFETY: the action is the single system call kill(2), which is async-signal-safe.
    unsafe { signal_hook::low_level::register(libc::SIGHUP, kill_own_group) }?;
    Ok(())
}

/// Ends this process and the children in its process group.
pub(crate) fn kill_own_group() {
    // There is nobody left to tell of a failure, and SIGKILL to oneself does not fail.
    rustix::process::kill_current_process_group(Signal::KILL).unwrap_or_default();
}

fn wait_for_end(lifeline: &OwnedFd) {
    let mut byte = [0u8];
    while matches!(rustix::io::read(lifeline, &mut byte), Ok(1) | Err(Errno::INTR)) {}
    kill_own_group();
}

/// The name that `ps` and `top` show for this process; the system cuts it off after 15 bytes.
pub(crate) fn set_process_name(name: &str) -> io::Result<()> {
    Ok(rustix::thread::set_name(&CString::new(name)?)?)
}

/// A descriptor that becomes readable when child `pid` ends.
pub(crate) fn watch_handle(pid: Pid) -> io::Result<OwnedFd> {
    Ok(rustix::process::pidfd_open(pid, PidfdFlags::empty())?)
}

/// Sends a signal to the process group that `pid` leads, and to `pid` itself should it have left the group.
///
/// `pid` must not have been reaped: until then neither number can belong to anybody else.
pub(crate) fn signal_group(pid: Pid, signal: Signal) -> io::Result<()> {
    let group = rustix::process::kill_process_group(pid, signal);
    match (group, rustix::process::getpgid(Some(pid))) {
        (Ok(()) | Err(Errno::SRCH), Ok(found)) if found != pid => rustix::process::kill_process(pid, signal)?,
        (Err(error), _) if error != Errno::SRCH => return Err(error.into()),
        _ => {}
    }
    Ok(())
}

/// Reads from a pipe without blocking: `None` when there is nothing now, 0 at its end.
pub(crate) fn read_now(fd: impl AsFd, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    match rustix::io::read(fd, buffer) {
        Ok(count) => Ok(Some(count)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes reads from `fd` return at once.
pub(crate) fn set_nonblocking(fd: impl AsFd) -> io::Result<()> {
    Ok(rustix::io::ioctl_fionbio(fd, true)?)
}

/// Waits until one of `fds` has something to say, for `limit` at most, and tells which do.
pub(crate) fn poll_readable(fds: &[BorrowedFd<'_>], limit: std::time::Duration) -> io::Result<Vec<bool>> {
    let mut polled: Vec<_> = fds.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
    match rustix::event::poll(&mut polled, Some(&limit)) {
        Ok(_) | Err(Errno::INTR) => Ok(polled.iter().map(|fd| !fd.revents().is_empty()).collect()),
        Err(error) => Err(error.into()),
    }
}

/// Lets some time pass.
pub(crate) fn pause(time: std::time::Duration) -> io::Result<()> {
    poll_readable(&[], time).map(drop)
}

/// The largest resident size of a living process so far, in bytes. A dead one has none any more.
pub(crate) fn peak_rss(pid: u32) -> Option<u64> {
    let mut status = String::new();
    File::open(format!("/proc/{pid}/status")).ok()?.read_to_string(&mut status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lifeline_of_the_right_parent_is_one() {
        let (ours, theirs) = lifeline().expect("socket pair");
        let me = std::process::id();
        assert!(is_lifeline(theirs.as_fd(), me));
        assert!(!is_lifeline(theirs.as_fd(), me + 1));
        let (pipe, _) = rustix::pipe::pipe().expect("pipe");
        assert!(!is_lifeline(pipe.as_fd(), me));
        drop(ours);
    }

    #[test]
    fn this_process_has_a_peak() {
        assert!(peak_rss(std::process::id()).expect("VmHWM") > 100_000);
        assert_eq!(peak_rss(u32::MAX), None);
    }
}
