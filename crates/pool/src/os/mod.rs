//! What differs between operating systems, behind one set of functions.
//!
//! It supervises nothing by itself. Only Linux is there so far.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod reap;

#[cfg(target_os = "linux")]
pub(crate) use linux::*;
#[cfg(target_os = "linux")]
pub(crate) use reap::{Reaped, reap};

#[cfg(not(target_os = "linux"))]
compile_error!("gristmill-pool supervises processes by means that exist on Linux only");
