//! How a worker ended, told in full: the cause, whether we had a hand in it, and what it left behind.
//!
//! It decides nothing: whether a death costs an attempt or brings a fresh worker is the caller's affair.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use gristmill_ipc::SharedMemory;

/// The end of one incarnation of a worker.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Death {
    /// The worker's name, such as `Worker-1`.
    pub name: String,
    /// Its process id, if there ever was a process.
    pub pid: Option<u32>,
    /// Which incarnation of its slot it was, counted from 1.
    pub incarnation: u32,
    /// Whether the handshake was complete, so that it could have worked.
    pub started: bool,
    /// What ended it.
    pub cause: Cause,
    /// Why we sent the signal that ended it, if we did.
    pub sent_by_us: Option<String>,
    /// The largest resident size it is known to have had, in bytes.
    pub peak_rss: Option<u64>,
    /// The last of what it wrote to standard error, 8 KiB at most.
    pub stderr_tail: String,
    /// The time from its start to its end.
    pub lifetime: Duration,
    /// The shared page, as the dead worker left it. It is missing only if it could not be made.
    pub page: Option<SharedMemory>,
}

/// What ended a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// There never was a process, or it was called off before there was one.
    CouldNotStart(String),
    /// It exited by itself with this status.
    Exited(i32),
    /// A signal ended it.
    Signalled {
        /// The signal's number.
        signal: i32,
        /// Whether the system wrote a core file.
        core_dumped: bool,
    },
    /// It did not complete the handshake before the deadline and was killed.
    HandshakeTimeout(Duration),
    /// It said hello, but it is not the program that was expected.
    HandshakeRefused(String),
    /// It sent something that is not a message and was killed.
    Protocol(String),
    /// It is gone, but somebody else took its exit status.
    Lost(String),
}

impl Cause {
    pub(crate) fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exited(code),
            (None, Some(signal)) => Self::Signalled { signal, core_dumped: status.core_dumped() },
            (None, None) => Self::Lost(format!("its wait status is {status}")),
        }
    }

    /// Whether the worker simply finished: it exited by itself with status 0.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        *self == Self::Exited(0)
    }

    /// The number of the signal that ended the worker.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        match self {
            Self::Signalled { signal, .. } => Some(*signal),
            _ => None,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CouldNotStart(why) => write!(f, "could not start: {why}"),
            Self::Exited(status) => write!(f, "exited with status {status}"),
            Self::Signalled { signal, core_dumped } => {
                let dumped = if *core_dumped { " (core dumped)" } else { "" };
                write!(f, "killed by {}{dumped}", signal_name(*signal))
            }
            Self::HandshakeTimeout(limit) => write!(f, "did not complete the handshake within {limit:?}"),
            Self::HandshakeRefused(why) => write!(f, "refused in the handshake: {why}"),
            Self::Protocol(why) => write!(f, "broke the protocol: {why}"),
            Self::Lost(why) => write!(f, "ended with an unknown status: {why}"),
        }
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(pid) = self.pid {
            write!(f, " (pid {pid})")?;
        }
        write!(f, " {}", self.cause)?;
        match &self.sent_by_us {
            Some(reason) => write!(f, ", sent by us: {reason}"),
            None if self.cause.signal() == Some(libc::SIGKILL) => f.write_str(", not sent by us"),
            None => Ok(()),
        }
    }
}

/// The name of a signal, such as `SIGSEGV`; a number without a name gives `signal 34`.
#[must_use]
pub fn signal_name(signal: i32) -> String {
    let known = NAMES.iter().find(|(number, _)| *number == signal);
    known.map_or_else(|| format!("signal {signal}"), |(_, name)| (*name).to_owned())
}

const NAMES: [(i32, &str); 24] = [
    (libc::SIGHUP, "SIGHUP"),
    (libc::SIGINT, "SIGINT"),
    (libc::SIGQUIT, "SIGQUIT"),
    (libc::SIGILL, "SIGILL"),
    (libc::SIGTRAP, "SIGTRAP"),
    (libc::SIGABRT, "SIGABRT"),
    (libc::SIGBUS, "SIGBUS"),
    (libc::SIGFPE, "SIGFPE"),
    (libc::SIGKILL, "SIGKILL"),
    (libc::SIGUSR1, "SIGUSR1"),
    (libc::SIGSEGV, "SIGSEGV"),
    (libc::SIGUSR2, "SIGUSR2"),
    (libc::SIGPIPE, "SIGPIPE"),
    (libc::SIGALRM, "SIGALRM"),
    (libc::SIGTERM, "SIGTERM"),
    (libc::SIGSTOP, "SIGSTOP"),
    (libc::SIGTSTP, "SIGTSTP"),
    (libc::SIGXCPU, "SIGXCPU"),
    (libc::SIGXFSZ, "SIGXFSZ"),
    (libc::SIGVTALRM, "SIGVTALRM"),
    (libc::SIGPROF, "SIGPROF"),
    (libc::SIGIO, "SIGIO"),
    (libc::SIGSYS, "SIGSYS"),
    (libc::SIGCONT, "SIGCONT"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_statuses_are_told_apart_and_read_well() {
        for (raw, text) in [
            (0, "exited with status 0"),
            (3 << 8, "exited with status 3"),
            (libc::SIGSEGV, "killed by SIGSEGV"),
            (libc::SIGABRT | 0x80, "killed by SIGABRT (core dumped)"),
            (40, "killed by signal 40"),
        ] {
            assert_eq!(Cause::of(ExitStatus::from_raw(raw)).to_string(), text);
        }
    }

    #[test]
    fn only_status_zero_is_clean() {
        assert!(Cause::Exited(0).is_clean());
        assert!(!Cause::Exited(1).is_clean());
        assert!(!Cause::Lost(String::new()).is_clean());
    }
}
