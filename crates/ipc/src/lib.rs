//! Messages and memory shared between the processes of a Gristmill job.
//!
//! This crate hides `ipc-channel` behind a face of our own.
//! It does not start processes and knows nothing of jobs, tasks or log records.

mod memory;

pub use memory::SharedMemory;
