//! How a worker's runs are written: whether they are compressed, and how much all of them may take up.
//!
//! It writes nothing.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::gauge::Gauge;
use super::ledger::{Claim, Ledger};
use super::pack::{Codec, MOST_BLOCK, Packed, Press};
use crate::options::SpillCompression;
use crate::result::{BoxError, is_of_full_disk};

/// What a job says about its runs.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct SpillSettings {
    pub(crate) compression: SpillCompression,
    pub(crate) limit: Option<SpillLimit>,
}

/// What all runs of a job may take up.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct SpillLimit {
    pub(crate) bytes: u64,
    /// Bytes that a worker claims at a time, so that it does not ask before each write.
    pub(crate) step: u64,
}

impl SpillLimit {
    /// A limit of `bytes`, of which what workers have claimed and not used is always a small part.
    pub(crate) fn new(bytes: u64, workers: usize) -> Self {
        Self { bytes, step: (bytes / 128 / workers.max(1) as u64).min(1 << 20) }
    }
}

/// What the writers of one worker share.
#[derive(Debug)]
pub(crate) struct Spilling {
    compression: SpillCompression,
    block: usize,
    gauge: Mutex<Gauge>,
    ledger: Option<Arc<Ledger>>,
    /// How the disk became full, if it did.
    full: OnceLock<String>,
}

impl Default for Spilling {
    fn default() -> Self {
        Self::fixed(SpillCompression::None, MOST_BLOCK)
    }
}

impl Spilling {
    /// For the worker that is called `owner` in the folder `runs` and has `memory` bytes for its buffers.
    pub(crate) fn new(settings: SpillSettings, runs: &Path, owner: &str, memory: usize) -> Self {
        const LEAST_BLOCK: usize = 16 << 10;
        let ledger = settings.limit.map(|limit| Arc::new(Ledger::new(runs, owner, limit)));
        // A merge holds a block of each run that it reads.
        let block = (memory / 64).clamp(LEAST_BLOCK, MOST_BLOCK);
        Self { ledger, ..Self::fixed(settings.compression, block) }
    }

    pub(super) fn fixed(compression: SpillCompression, block: usize) -> Self {
        Self { compression, block, gauge: Mutex::default(), ledger: None, full: OnceLock::new() }
    }

    /// How the next segment is to be stored.
    pub(super) fn codec(&self) -> Codec {
        match self.compression {
            SpillCompression::None => Codec::None,
            SpillCompression::Lz4 => Codec::Lz4,
            SpillCompression::Zstd => Codec::Zstd,
            SpillCompression::Auto if self.gauge().pays() => Codec::Lz4,
            SpillCompression::Auto => Codec::None,
        }
    }

    /// Raw bytes in a block, at most; 0 if there are no blocks.
    pub(crate) fn block(&self) -> usize {
        if self.compression == SpillCompression::None { 0 } else { self.block }
    }

    /// Whether writes are to be timed.
    pub(super) fn is_auto(&self) -> bool {
        self.compression == SpillCompression::Auto
    }

    /// Notes that a write of some bytes, among them `sample`, took so long.
    pub(super) fn wrote(&self, bytes: usize, took: Duration, sample: &[u8]) {
        const SAMPLE: usize = 64 << 10;
        let due = self.gauge().wrote(bytes, took);
        if due && let Ok(packed) = Press::default().try_lz4(&sample[..sample.len().min(SAMPLE)]) {
            self.gauge().packed(packed, true);
        }
    }

    /// Notes what blocks came to, if there were any: most rows only wait for theirs to be full.
    pub(super) fn packed(&self, packed: Packed) {
        if self.is_auto() && packed.raw > 0 {
            self.gauge().packed(packed, false);
        }
    }

    /// A claim of nothing yet, if there is a limit.
    pub(super) fn claim(&self) -> Option<Claim> {
        self.ledger.as_ref().map(|ledger| Claim::new(Arc::clone(ledger)))
    }

    /// Why a run could not grow, if that was so: another attempt would come to the same.
    pub(crate) fn refusal(&self) -> Option<&str> {
        let refused = self.ledger.as_ref().and_then(|ledger| ledger.refusal());
        refused.or_else(|| self.full.get().map(String::as_str))
    }

    /// Takes note of an error that may be a full disk's: user code, through which it passes, may drop it.
    pub(super) fn note_full(&self, error: &BoxError) {
        if is_of_full_disk(&**error) {
            self.full.get_or_init(|| error.to_string());
        }
    }

    fn gauge(&self) -> MutexGuard<'_, Gauge> {
        self.gauge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
