//! The reduce phase inside a worker: committed runs in, one part file per partition out.
//!
//! ```text
//! run files ─► segments of one partition ─► merge ─► groups ─► fold | Reducer ─► part file
//! ```
//!
//! Nothing here knows of processes or schedules.

mod concat;
mod group;
mod merge;
mod shuffle;

pub(crate) use concat::concatenate;
pub(crate) use group::{fold_groups, reduce_groups, stream_groups};
pub(crate) use merge::Merge;
pub(crate) use shuffle::{Reduced, SharedShuffle, Shuffle, write_manifest};
