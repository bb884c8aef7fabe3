//! Messages and memory shared between the processes of a Gristmill job.
//!
//! This crate hides `ipc-channel` behind a face of our own and keeps clear of its traps: frames stay small, every
//! wait has an end, and a channel belongs to one pair of processes.
//! It does not start processes and knows nothing of jobs, tasks or log records.

pub mod channel;
pub mod codec;
mod first_use;
mod memory;
pub mod rendezvous;
mod spool;

pub use channel::{Receiver, RecvError, SendError, Sender, channel};
pub use codec::{CodecError, decode, encode, encode_into};
pub use first_use::first_use;
pub use memory::{SharedMemory, store_bytes};
pub use rendezvous::{Aborter, Listening, Rendezvous, RendezvousError};
