//! Between a mapper's emitter and its run files: pairs held in memory, spilled, committed.
//!
//! How pairs are held is a [`PairSink`]'s business; the sinks are in `map`. Nothing here encodes keys or reads records.

mod coded;
mod collector;
mod digest;
mod runs;
mod sample;

pub(crate) use collector::{Collector, PairSink};
pub(crate) use digest::{Digest, Matters};
pub(crate) use runs::{Committed, Runs};
pub(crate) use sample::KeySample;
