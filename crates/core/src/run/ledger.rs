//! The ledger of a job's runs: what they take up on disk, over all workers, against the limit that was set.
//!
//! It opens and removes no run but those that dead workers have left.
//!
//! A file beside the runs, which a worker locks for each change. It holds one entry for all committed runs and one for
//! each worker: what the worker's other files may grow to without asking again. Bytes are claimed before they are
//! written and given back after they are gone, so the sum is never less than what is on disk. A worker that is killed
//! leaves its claim; whoever runs short looks for the entries of dead workers and removes what they have left.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::entries::Entries;
use super::spilling::SpillLimit;
use crate::disk;
use crate::result::{AtPath, Result};

/// Its name in the folder of runs.
const NAME: &str = "ledger";

/// One worker's access to the ledger.
#[derive(Debug)]
pub(crate) struct Ledger {
    runs: PathBuf,
    owner: String,
    limit: SpillLimit,
    /// The file and the place of this worker's entry, once it has claimed something.
    open: Mutex<Option<(File, usize)>>,
    refusal: OnceLock<String>,
}

impl Ledger {
    /// A ledger in the folder `runs`, for the worker whose files there begin with `owner`.
    pub(super) fn new(runs: &std::path::Path, owner: &str, limit: SpillLimit) -> Self {
        let (runs, owner) = (runs.to_owned(), owner.to_owned());
        Self { runs, owner, limit, open: Mutex::default(), refusal: OnceLock::new() }
    }

    /// Why a claim was refused, if one was.
    pub(super) fn refusal(&self) -> Option<&str> {
        self.refusal.get().map(String::as_str)
    }

    /// Claims `wanted` bytes, or as many as there are if that is not less than `needed`; returns how many.
    fn claim(&self, needed: u64, wanted: u64) -> Result<u64> {
        self.locked(|entries, own| {
            let mut free = self.limit.bytes.saturating_sub(entries.sum());
            if free < wanted {
                entries.give_back_of_the_dead(&self.runs)?;
                free = self.limit.bytes.saturating_sub(entries.sum());
            }
            if free < needed {
                return Err(self.refuse(needed, entries.sum()).into());
            }
            let granted = wanted.min(free);
            entries.add(own, granted)?;
            Ok(granted)
        })
    }

    fn refuse(&self, needed: u64, used: u64) -> String {
        let limit = self.limit.bytes;
        let why = format!(
            "--max-spill: the runs of this job may take up {limit} bytes; {used} are in use, and {needed} more are \
             needed"
        );
        self.refusal.get_or_init(|| why).clone()
    }

    /// Calls `change` with the entries and the place of this worker's own, while no other worker can.
    fn locked<R>(&self, change: impl FnOnce(&mut Entries<'_>, usize) -> Result<R>) -> Result<R> {
        let path = self.runs.join(NAME);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((file, own)) = &*open {
            return change(&mut Entries::lock(file, &path)?, *own);
        }
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = disk::open_with(options, &path).at("open the ledger of runs", &path)?;
        let mut entries = Entries::lock(&file, &path)?;
        let own = entries.enter(&self.owner, &self.runs)?;
        let done = change(&mut entries, own);
        drop(entries);
        *open = Some((file, own));
        done
    }
}

/// What one file that is not committed may grow to. Dropped, it is given back.
#[derive(Debug)]
pub(crate) struct Claim {
    ledger: Arc<Ledger>,
    bytes: u64,
}

impl Claim {
    /// A claim of nothing.
    pub(super) fn new(ledger: Arc<Ledger>) -> Self {
        Self { ledger, bytes: 0 }
    }

    /// Sees that the file may hold `bytes`.
    ///
    /// # Errors
    /// When that is more than all runs may take up.
    pub(super) fn cover(&mut self, bytes: u64) -> Result {
        if bytes > self.bytes {
            let needed = bytes - self.bytes;
            self.bytes += self.ledger.claim(needed, needed.max(self.ledger.limit.step))?;
        }
        Ok(())
    }

    /// Gives back what the file, which holds `bytes` and does not grow any more, does not need.
    pub(super) fn settle(&mut self, bytes: u64) {
        self.give_back(self.bytes.saturating_sub(bytes));
    }

    /// Hands the file, which holds `bytes`, over to the committed runs, as `rename` does.
    pub(super) fn commit(mut self, bytes: u64, rename: impl FnOnce() -> Result) -> Result {
        let claimed = self.bytes;
        Arc::clone(&self.ledger).locked(|entries, own| {
            rename()?;
            self.bytes = 0;
            entries.add(Entries::COMMITTED, bytes)?;
            entries.take(own, claimed)
        })
    }

    fn give_back(&mut self, bytes: u64) {
        if bytes > 0 {
            self.bytes -= bytes;
            // Where it fails the ledger only says more than there is.
            drop(self.ledger.locked(|entries, own| entries.take(own, bytes)));
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn ledger(runs: &std::path::Path, owner: &str) -> Arc<Ledger> {
        Arc::new(Ledger::new(runs, owner, SpillLimit { bytes: 1000, step: 100 }))
    }

    fn claim(ledger: &Arc<Ledger>, bytes: u64) -> Result<Claim> {
        let mut claim = Claim::new(Arc::clone(ledger));
        claim.cover(bytes).map(|()| claim)
    }

    #[test]
    fn workers_share_one_limit() {
        let runs = tempfile::tempdir().expect("a folder");
        let (one, other) = (ledger(runs.path(), "W-1-1"), ledger(runs.path(), "W-2-1"));
        let first = claim(&one, 500).expect("there is room");
        let mut second = claim(&other, 10).expect("there is room");
        assert_eq!(second.bytes, 100, "a step is claimed at a time");
        second.cover(450).expect("there is room");
        second.cover(460).expect("less than a step is left, and it is enough");
        assert_eq!(second.bytes, 500, "no more is claimed than there is");
        let error = claim(&one, 60).expect_err("nothing is left").to_string();
        assert!(
            error.contains("--max-spill") && error.contains(" 1000 are") && error.contains("60"),
            "{error}"
        );
        assert_eq!((one.refusal(), other.refusal()), (Some(&error[..]), None));
        drop(first);
        second.settle(400);
        claim(&one, 600).expect("what was given back can be claimed");
    }

    #[test]
    fn committed_runs_stay_in_the_ledger() {
        let runs = tempfile::tempdir().expect("a folder");
        let one = ledger(runs.path(), "W-1-1");
        claim(&one, 400).expect("there is room").commit(300, || Ok(())).expect("a commit");
        claim(&one, 500).expect("there is room").commit(1, || Err("no".into())).expect_err("no commit");
        fs::write(runs.path().join("W-1-1-0.run"), [0; 300]).expect("the run");
        claim(&one, 701).expect_err("300 are in use");
        claim(&one, 700).expect("the rest is free");
    }
}
