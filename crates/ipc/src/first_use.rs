//! Has ipc-channel do early what it would panic at later.
//!
//! When it sends for the first time it asks the system how long a message may be, on a socket of its own.

use std::io;
use std::sync::{Mutex, PoisonError};

use ipc_channel::ipc;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

/// Sends something to this process itself, once. Whoever sends through ipc-channel's own channels calls it before; what
/// this crate makes does.
///
/// # Errors
/// When the system is out of descriptors.
pub fn first_use() -> io::Result<()> {
    static DONE: Mutex<bool> = Mutex::new(false);
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if *done {
        return Ok(());
    }
    let pair = || socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
    let for_message_and_question = [pair()?, pair()?];
    drop(for_message_and_question);
    let (sender, _receiver) = ipc::channel()?;
    sender.send(()).map_err(io::Error::other)?;
    *done = true;
    Ok(())
}
