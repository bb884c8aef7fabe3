//! The reduce phase inside a worker: committed runs in, one part file per partition out.
//!
//! ```text
//! run files ─► rows of one bucket after the other ─► fold | keep ─► order ─► Reducer ─► part file
//!                                                      └─► spills ─► merge ─┘
//! ```
//!
//! Nothing here knows of processes or schedules.

mod by_rank;
mod careful;
mod concat;
mod fold;
mod folded;
mod gathered;
mod group;
mod held;
mod keep;
mod merge;
mod order;
mod radix;
mod ranges;
mod shuffle;
mod spills;
mod task;
mod ties;

pub(crate) use careful::{Folding, GroupWork, Reducing, fold_values, one_by_one, replay_group};
pub(crate) use concat::concatenate;
pub(crate) use fold::fold_partition;
pub(crate) use group::{reduce_groups, stream_groups};
pub(crate) use keep::each_stretch;
pub(crate) use merge::Merge;
pub(crate) use shuffle::{Reduced, SharedShuffle, Shuffle, write_manifest};
pub(crate) use task::{KeyOrder, ReduceTask};

#[cfg(test)]
mod tests;
