//! The map phase inside a worker: records in, committed runs out.
//!
//! ```text
//! reader ─► Mapper ─► Emitter ─► Collector ─► pair sink (combine | keep) ─► rows in buckets ─► spill ─► run file
//! ```
//!
//! A [`session`] lives as long as its worker: its pair sink keeps the pairs of several tasks and commits them
//! together. Nothing here knows of processes or schedules.

mod attempt;
mod combine;
mod direct;
mod keep;
mod pending;
mod rows;
mod sample;
mod session;

pub(crate) use combine::CombineSink;
pub(crate) use direct::OutputSession;
pub(crate) use keep::KeepSink;
pub(crate) use sample::sample_keys;
pub(crate) use session::{MapSession, ShuffleSession};

#[cfg(test)]
mod tests;
