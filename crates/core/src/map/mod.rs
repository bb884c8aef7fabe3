//! The map phase inside a worker: records in, committed runs out.
//!
//! ```text
//! reader ─► Mapper ─► Emitter ─► Collector ─► pair sink (combine | keep) ─► rows in buckets ─► spill ─► run file
//! ```
//!
//! A [`session`] lives as long as its worker: its pair sink keeps the pairs of several tasks and commits them
//! together. Nothing here knows of processes or schedules.

mod attempt;
mod careful;
mod combine;
mod direct;
mod keep;
mod pending;
mod replay;
mod rows;
mod sample;
mod session;

pub(crate) use attempt::run_attempt;
pub(crate) use combine::CombineSink;
pub(crate) use direct::OutputSession;
pub(crate) use keep::KeepSink;
pub(crate) use replay::replay_record;
pub(crate) use sample::sample_keys;
pub(crate) use session::{MapSession, ShuffleSession};

#[cfg(test)]
mod tests;
