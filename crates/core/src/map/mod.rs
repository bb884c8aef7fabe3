//! The map phase inside a worker: records in, committed runs out.
//!
//! ```text
//! reader ─► Mapper ─► Emitter ─► Collector ─► pair sink (combine table | row buffer) ─► spill ─► run file
//! ```
//!
//! A [`session`] lives as long as its worker: its pair sink keeps the pairs of several tasks and commits them
//! together. Nothing here knows of processes or schedules.

mod attempt;
mod direct;
mod pending;
mod rows;
mod session;
mod spill;
mod table;

pub(crate) use direct::OutputSession;
pub(crate) use rows::RowBuffer;
pub(crate) use session::{MapSession, ShuffleSession};
pub(crate) use spill::{Placed, Placement};
pub(crate) use table::CombineTable;
