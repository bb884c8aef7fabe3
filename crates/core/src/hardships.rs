//! What a run is made to suffer on purpose, to see that its output stays the same.
//!
//! It decides nothing: map sessions, merges and the task runner look here.

use serde::{Deserialize, Serialize};

/// The hidden option `--torture`. By default nothing is suffered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Hardships {
    /// The combiner is not applied in map.
    pub(crate) no_combine: bool,
    /// Every attempt is carried out twice, the first time for nothing.
    pub(crate) double: bool,
    /// Bytes of buffers for each worker, however many it might have.
    pub(crate) memory: Option<u64>,
    /// Segments that a merge reads at a time, at most.
    pub(crate) fan_in: Option<usize>,
}

/// With less than this for its buffers no worker can do anything.
pub(crate) const LEAST_MEMORY: u64 = 64 << 10;
/// A merge of fewer would never end.
pub(crate) const LEAST_FAN_IN: usize = 2;

impl Hardships {
    /// Bytes of buffers for each worker that would have `usual` bytes.
    pub(crate) fn memory(&self, usual: usize) -> usize {
        self.memory.map_or(usual, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// Segments that a merge reads at a time, if it usually reads up to `usual`.
    pub(crate) fn fan_in(&self, usual: usize) -> usize {
        self.fan_in.map_or(usual, |most| usual.min(most).max(LEAST_FAN_IN))
    }
}
