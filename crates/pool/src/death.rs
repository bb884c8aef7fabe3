//! How a worker ended, told in full: the cause, whether we had a hand in it, and what it left behind.
//!
//! It decides nothing: whether a death costs an attempt or brings a fresh worker is the caller's affair.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use gristmill_ipc::SharedMemory;

use crate::memory::{OomSource, announces_abort, says_out_of_memory};

/// A program that exits by itself says why at the very end.
const LAST_WORDS: usize = 4;

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
    ///
    /// It is exact for a worker that became larger than its parent ever was, or that we killed. Of others the last
    /// look counts, which is up to a second old.
    pub peak_rss: Option<u64>,
    /// How many processes the kernel killed for want of memory between the start and the end of this one, as the
    /// closest counter shows.
    pub oom_kills: Option<u64>,
    /// Whose counter that was. Only that of the worker's own group is sure to mean this worker.
    pub oom_source: Option<OomSource>,
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

impl Death {
    /// Whether the worker ended because it could not have the memory it wanted.
    ///
    /// True if the kernel killed it while its counter of out-of-memory kills grew, if it aborted and the end of standard
    /// error tells of a failed allocation (Rust's, C++'s or a C library's), if it exited with such last words and a
    /// status other than 0, or if we had to kill it after it had announced its abort.
    #[must_use]
    pub fn ran_out_of_memory(&self) -> bool {
        match self.cause {
            Cause::Signalled { signal: libc::SIGKILL, .. } => match self.sent_by_us {
                Some(_) => announces_abort(self.stderr_tail.as_bytes()),
                None => self.oom_kills.is_some_and(|kills| kills > 0),
            },
            Cause::Signalled { signal: libc::SIGABRT, .. } => says_out_of_memory(&self.stderr_tail),
            Cause::Exited(status) if status != 0 => says_out_of_memory(self.last_words()),
            _ => false,
        }
    }

    /// The last lines of standard error.
    fn last_words(&self) -> &str {
        let text = self.stderr_tail.trim_end();
        let start = text.rmatch_indices('\n').nth(LAST_WORDS - 1).map_or(0, |(at, _)| at);
        &text[start..]
    }
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
        if self.ran_out_of_memory() {
            f.write_str(", out of memory")?;
        }
        // Other causes tell it themselves.
        let by_signal = matches!(self.cause, Cause::Signalled { .. } | Cause::Exited(_));
        match &self.sent_by_us {
            Some(reason) if by_signal => write!(f, ", sent by us: {reason}"),
            None if self.cause.signal() == Some(libc::SIGKILL) => f.write_str(", not sent by us"),
            _ => Ok(()),
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

    fn death(cause: Cause, oom_kills: Option<u64>, stderr_tail: &str) -> Death {
        Death {
            name: "Worker-1".into(),
            pid: Some(7),
            incarnation: 1,
            started: true,
            cause,
            sent_by_us: None,
            peak_rss: None,
            oom_kills,
            oom_source: oom_kills.map(|_| OomSource::System),
            stderr_tail: stderr_tail.into(),
            lifetime: Duration::ZERO,
            page: None,
        }
    }

    fn killed_by(signal: i32) -> Cause {
        Cause::Signalled { signal, core_dumped: false }
    }

    #[test]
    fn a_kill_is_out_of_memory_only_with_evidence() {
        let kill = |kills| death(killed_by(libc::SIGKILL), kills, "");
        assert!(kill(Some(1)).ran_out_of_memory());
        assert_eq!(
            kill(Some(1)).to_string(),
            "Worker-1 (pid 7) killed by SIGKILL, out of memory, not sent by us"
        );
        assert!(!kill(Some(0)).ran_out_of_memory());
        assert!(!kill(None).ran_out_of_memory());
        let ours = Death { sent_by_us: Some("too slow".into()), ..kill(Some(1)) };
        assert!(!ours.ran_out_of_memory());
        let stuck = "memory allocation of 5 bytes failed\n".to_owned();
        assert!(Death { stderr_tail: stuck, ..ours }.ran_out_of_memory());
        assert!(!death(killed_by(libc::SIGSEGV), Some(1), "").ran_out_of_memory());
    }

    #[test]
    fn an_abort_is_out_of_memory_if_it_says_so() {
        let abort = |text| death(killed_by(libc::SIGABRT), None, text).ran_out_of_memory();
        assert!(abort("memory allocation of 1048576 bytes failed\n"));
        assert!(abort("terminate called after throwing an instance of 'std::bad_alloc'\n"));
        assert!(!abort("thread 'main' panicked at src/main.rs:3:5:\n"));
    }

    #[test]
    fn of_an_exit_only_the_last_words_count() {
        let exit = |status, text: &str| death(Cause::Exited(status), Some(1), text).ran_out_of_memory();
        assert!(exit(1, "parse: Out of memory\n"));
        assert!(exit(101, "panicked at x:\nos error 12: Cannot allocate memory\nnote: run again\n"));
        assert!(!exit(0, "parse: Out of memory\n"));
        assert!(!exit(1, "parse: out of memory, skipped\none\ntwo\nthree\nfour\n"));
    }
}
