//! The cap on each worker's memory: which means there are, and applying it before a worker is welcomed.
//!
//! It does not watch how much a worker uses: the kernel holds the limit, and `oom` looks afterwards what it did.

mod delegation;
#[cfg(test)]
mod fake;
mod group;
mod locate;
mod oom;
mod rlimit;
mod tree;
mod verdict;

use std::fmt;
use std::io;

use crate::member::Member;
use delegation::Lease;
pub(crate) use group::WorkerGroup;
pub(crate) use locate::{Hierarchy, own_groups};
pub use oom::OomSource;
pub(crate) use oom::{OomCounter, OomWatch};
pub(crate) use verdict::{announces_abort, says_out_of_memory};

/// No worker can work with less: the stack of one thread takes two of them.
const LEAST: u64 = 1 << 20;

/// What holds [`CrewConfig::memory_limit`](crate::CrewConfig::memory_limit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MemoryLimitKind {
    /// There is no limit.
    None,
    /// A limit of each process on its private writable memory (`RLIMIT_DATA`), in addition to what it had when it
    /// said hello. What exceeds it fails to be allocated, which ends a Rust program with SIGABRT.
    ResourceLimit,
    /// A control group (version 2) of each worker's own, its children included. What exceeds it is killed with
    /// SIGKILL, all processes of the group together.
    Cgroup,
}

impl fmt::Display for MemoryLimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::ResourceLimit => "resource limit (RLIMIT_DATA)",
            Self::Cgroup => "cgroup",
        })
    }
}

/// Holds the limit for the workers of one crew.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: u64,
    means: Means,
}

#[derive(Debug)]
enum Means {
    None,
    ResourceLimit,
    Groups(Lease),
}

impl Limiter {
    /// Finds out what can hold the limit here, and prepares it.
    pub(crate) fn new(limit: Option<u64>) -> io::Result<Self> {
        let Some(limit) = limit else { return Ok(Self { limit: 0, means: Means::None }) };
        if limit < LEAST {
            let text =
                format!("memory_limit is {limit} bytes, and no worker can work with less than {LEAST}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let means = match Lease::take() {
            Ok(lease) => Means::Groups(lease),
            Err(why) => {
                tracing::debug!("workers get a resource limit instead of a control group: {why}");
                rlimit::check_effective()?;
                Means::ResourceLimit
            }
        };
        Ok(Self { limit, means })
    }

    pub(crate) fn kind(&self) -> MemoryLimitKind {
        match self.means {
            Means::None => MemoryLimitKind::None,
            Means::ResourceLimit => MemoryLimitKind::ResourceLimit,
            Means::Groups(_) => MemoryLimitKind::Cgroup,
        }
    }

    /// Caps the memory of a worker that has said hello and runs no user code yet; says what failed.
    pub(crate) fn apply(&self, member: &Member) -> Result<(), String> {
        let applied = match &self.means {
            Means::None => Ok(()),
            Means::ResourceLimit => member.while_unreaped(|pid| rlimit::apply(pid, self.limit)),
            Means::Groups(lease) => lease.group(self.limit).and_then(|group| member.join_group(group)),
        };
        applied.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> String {
        format!("cannot limit its memory to {} bytes by {}: {error}", self.limit, self.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_below_all_use_is_refused_by_name() {
        let error = Limiter::new(Some(4096)).expect_err("too little");
        assert!(error.to_string().starts_with("memory_limit is 4096 bytes"), "{error}");
        assert_eq!(Limiter::new(None).expect("no limit").kind(), MemoryLimitKind::None);
    }

    #[test]
    fn a_failure_names_the_limit_and_the_means() {
        let limiter = Limiter { limit: 5 << 20, means: Means::ResourceLimit };
        let text = limiter.failed(&io::Error::other("no luck"));
        assert_eq!(text, "cannot limit its memory to 5242880 bytes by resource limit (RLIMIT_DATA): no luck");
    }
}
