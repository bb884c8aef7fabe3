//! Counts the fault points of this process and has the one that was asked for misbehave.
//!
//! It does not know files: what a point is about is its caller's business.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::io::Errno;
use rustix::process::{Signal, getpid, kill_process};

use super::inject::{Inject, Kind, Role};

/// What kind of call a point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Create,
    Open,
    Read,
    Write,
    SetLen,
    Sync,
    SyncFolder,
    Rename,
    MakeFolder,
    Remove,
    RemoveAll,
}

/// Whether this process counts its points at all.
static ARMED: AtomicBool = AtomicBool::new(false);
static POINTS: AtomicU64 = AtomicU64::new(0);
static ORDERS: OnceLock<Orders> = OnceLock::new();

/// What this process is to do with its points.
enum Orders {
    Misbehave { at: u64, kind: Kind, always: bool },
    Count { role: Role, file: PathBuf, steps: Mutex<Vec<Step>> },
}

/// Has this process do what is asked of its role, from the next point on. Only the first time counts.
pub(crate) fn arm(inject: Option<&Inject>, own: Role) {
    let orders = match inject {
        Some(Inject::Count(file)) => Orders::Count { role: own, file: file.clone(), steps: Mutex::default() },
        Some(&Inject::Fault { role, at, kind, always })
            if role.name() == own.name() && (always || role == own) =>
        {
            Orders::Misbehave { at, kind, always }
        }
        _ => return,
    };
    ARMED.store(ORDERS.set(orders).is_ok(), Relaxed);
}

/// Appends how many points there were to the file that asks for it.
pub(crate) fn report() -> io::Result<()> {
    let Some(Orders::Count { role, file, steps }) = ORDERS.get() else { return Ok(()) };
    let steps = std::mem::take(&mut *steps.lock().unwrap_or_else(PoisonError::into_inner));
    let mut line = format!("{} {}", role.name(), steps.len());
    steps.iter().for_each(|step| line += &format!(" {step:?}"));
    // One write: several processes append to it.
    std::fs::File::options().create(true).append(true).open(file)?.write_all((line + "\n").as_bytes())
}

/// A point at which something is to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault(pub(super) Kind);

/// Comes to the next point: what is to happen there, if it is anything.
#[inline]
pub(super) fn point(step: Step) -> Option<Fault> {
    if ARMED.load(Relaxed) { armed_point(step) } else { None }
}

#[cold]
fn armed_point(step: Step) -> Option<Fault> {
    match ORDERS.get()? {
        Orders::Count { steps, .. } => {
            steps.lock().unwrap_or_else(PoisonError::into_inner).push(step);
            None
        }
        &Orders::Misbehave { at, kind, always } => due(POINTS.fetch_add(1, Relaxed) + 1, at, kind, always),
    }
}

fn due(point: u64, at: u64, kind: Kind, always: bool) -> Option<Fault> {
    match kind {
        Kind::Full if point == at => Some(Fault(Kind::Short)),
        Kind::Full if point == at + 1 || (always && point > at) => Some(Fault(Kind::Enospc)),
        Kind::Full => None,
        _ => (point == at || (always && point > at)).then_some(Fault(kind)),
    }
}

impl Fault {
    /// Carries out a call that cannot be half done, or not.
    pub(super) fn around<T>(self, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.before()?;
        let done = call();
        self.after();
        done
    }

    /// Does `half` of the call and dies, if that is what is to happen.
    pub(super) fn half_way(self, half: impl FnOnce() -> io::Result<()>) -> Self {
        if self.0 == Kind::DieHalf {
            drop(half());
            die();
        }
        self
    }

    pub(super) fn before(self) -> io::Result<()> {
        match self.0 {
            Kind::Enospc => Err(Errno::NOSPC.into()),
            Kind::Eio => Err(Errno::IO.into()),
            Kind::DieBefore => die(),
            Kind::Short | Kind::Full | Kind::DieAfter | Kind::DieHalf => Ok(()),
        }
    }

    pub(super) fn after(self) {
        if matches!(self.0, Kind::DieAfter | Kind::DieHalf) {
            die();
        }
    }
}

/// As if somebody else had killed this process.
fn die() -> ! {
    kill_process(getpid(), Signal::KILL).unwrap_or_default();
    // Nothing may happen any more until the signal arrives.
    loop {
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_comes_once_or_from_then_on() {
        let due =
            |kind, always| (1..=4).map(|point| due(point, 2, kind, always).is_some()).collect::<Vec<_>>();
        assert_eq!(due(Kind::Eio, false), [false, true, false, false]);
        assert_eq!(due(Kind::Eio, true), [false, true, true, true]);
        assert_eq!(due(Kind::Full, false), [false, true, true, false]);
    }

    #[test]
    fn a_call_that_fails_is_not_made() {
        for kind in [Kind::Enospc, Kind::Eio] {
            let mut made = false;
            let error = Fault(kind).around(|| {
                made = true;
                Ok(())
            });
            assert!(error.is_err() && !made);
        }
    }
}
