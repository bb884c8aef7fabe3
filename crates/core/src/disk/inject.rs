//! What `--inject SPEC` asks for: which process misbehaves, at which of its fault points, and how.
//!
//! It injects nothing.
//!
//! ```text
//! coordinator:17:die-after        the coordinator dies when its 17th call is done
//! worker:4:enospc                 the 4th call of each worker fails, but not of those that replace it
//! worker:4:enospc:always          from the 4th on all calls of all workers fail
//! count:FILE                      each process appends to FILE what it is, the number of its points, and their steps
//! ```
//!
//! | kind | at the point |
//! |---|---|
//! | `enospc`, `eio` | the call fails and nothing is done |
//! | `short` | a write takes half of what it is given, and says so |
//! | `full` | the same, and the call after it fails with `ENOSPC`: a disk that becomes full meanwhile |
//! | `die-before`, `die-after` | the process is killed by SIGKILL |
//! | `die-half` | a write, or the removal of a folder, is half done when that happens; other calls are done |

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Inject {
    Fault { role: Role, at: u64, kind: Kind, always: bool },
    Count(PathBuf),
}

/// What a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Role {
    Coordinator,
    /// The how-manieth of its name, from 1.
    Worker(u32),
}

/// How a call misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Enospc,
    Eio,
    Short,
    Full,
    DieBefore,
    DieAfter,
    DieHalf,
}

const KINDS: [(&str, Kind); 7] = [
    ("enospc", Kind::Enospc),
    ("eio", Kind::Eio),
    ("short", Kind::Short),
    ("full", Kind::Full),
    ("die-before", Kind::DieBefore),
    ("die-after", Kind::DieAfter),
    ("die-half", Kind::DieHalf),
];

impl Role {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::Worker(_) => "worker",
        }
    }
}

impl FromStr for Inject {
    type Err = String;

    fn from_str(spec: &str) -> Result<Self, String> {
        if let Some(file) = spec.strip_prefix("count:") {
            return Ok(Self::Count(file.into()));
        }
        let fields: Vec<_> = spec.split(':').collect();
        let (role, at, kind, always) = match fields[..] {
            [role, at, kind] => (role, at, kind, false),
            [role, at, kind, "always"] => (role, at, kind, true),
            _ => return Err("not of the form ROLE:N:KIND[:always] or count:FILE".to_owned()),
        };
        let role = match role {
            "coordinator" => Role::Coordinator,
            "worker" => Role::Worker(1),
            other => return Err(format!("{other:?} is no process of a job")),
        };
        let kind = KINDS.iter().find(|(name, _)| *name == kind).ok_or(format!("{kind:?} is no fault"))?.1;
        let at = at.parse().map_err(|error| format!("{at:?}: {error}"))?;
        Ok(Self::Fault { role, at, kind, always })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_can_be_asked_for_and_nothing_else() {
        for (name, kind) in KINDS {
            let asked = Inject::Fault { role: Role::Worker(1), at: 9, kind, always: true };
            assert_eq!(format!("worker:9:{name}:always").parse(), Ok(asked));
        }
        assert_eq!("count:a:b".parse(), Ok(Inject::Count("a:b".into())));
        for spec in ["", "worker", "worker:x:eio", "worker:1:eoi", "boss:1:eio", "worker:1:eio:often"] {
            assert!(spec.parse::<Inject>().is_err(), "{spec}");
        }
    }
}
