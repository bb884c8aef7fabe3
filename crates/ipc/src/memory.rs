//! Memory that two processes see at once, as a slice of atomic words.
//!
//! It gives no meaning to the words: the log ring and the flight recorder define their own layouts.
//! Every access is atomic, so a peer that dies or misbehaves can make a word wrong but never undefined.

use std::fmt;
use std::io;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use ipc_channel::ipc::IpcSharedMemory;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::first_use::first_use;

/// A zeroed block of memory that can be sent to another process through an ipc-channel message.
///
/// Clones share the same block. It lives until the last process that holds it lets go, whatever the manner of
/// the others' deaths.
#[derive(Clone)]
pub struct SharedMemory {
    block: Arc<Block>,
}

enum Block {
    Mapped(Mapping),
    /// For this process alone, see [`SharedMemory::unshared`].
    Own(Box<[AtomicU64]>),
}

struct Mapping {
    start: NonNull<AtomicU64>,
    count: usize,
    block: IpcSharedMemory,
}

#[allow(unsafe_code)]
// SAFETY: the mapping stays where it is until `block` is dropped, whichever thread holds it, and all access to it
// goes through atomics.
unsafe impl Send for Mapping {}

#[allow(unsafe_code)]
// SAFETY: as above; a shared `Mapping` gives out nothing but `&[AtomicU64]`.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(mut block: IpcSharedMemory) -> Self {
        #[allow(unsafe_code)]
        // SAFETY: the mutable slice ends within this function and is used for its address alone, so nobody in this
        // process reads or writes the block through a plain reference while it exists.
        let bytes = unsafe { block.deref_mut() };
        let count = bytes.len() / size_of::<AtomicU64>();
        let start = NonNull::from(bytes).cast::<AtomicU64>();
        assert!(start.is_aligned(), "a mapping starts at a page");
        Self { start, count, block }
    }

    fn words(&self) -> &[AtomicU64] {
        #[allow(unsafe_code)]
        // SAFETY: `start` is aligned and points to `count * 8` readable and writable bytes (mmap with PROT_READ |
        // PROT_WRITE, MAP_SHARED) that live as long as `self`, which the returned slice borrows. `AtomicU64` has no
        // invalid bit patterns, and no plain reference to the bytes exists beside it.
        unsafe {
            std::slice::from_raw_parts(self.start.as_ptr(), self.count)
        }
    }
}

impl SharedMemory {
    /// Allocates `words` eight-byte words, all zero.
    ///
    /// # Errors
    /// When the system is out of descriptors, or a memory file of that size cannot be created: ipc-channel would panic
    /// on that, so it is probed first.
    pub fn new(words: usize) -> io::Result<Self> {
        let len = words.max(1) * size_of::<u64>();
        first_use()?;
        probe_memory_file(len).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot make {len} bytes of shared memory: {error}"))
        })?;
        let block = IpcSharedMemory::from_byte(0, len);
        Ok(Self { block: Arc::new(Block::Mapped(Mapping::new(block))) })
    }

    /// Allocates `words` eight-byte words, all zero, which cannot be sent: for a side of this process that speaks to
    /// another of its own. It takes no descriptor, and costs only what is used of it, where ipc-channel writes to every
    /// page.
    #[must_use]
    pub fn unshared(words: usize) -> Self {
        let words = Box::new_zeroed_slice(words.max(1));
        #[allow(unsafe_code)]
        // SAFETY: all bits zero is a valid `AtomicU64`.
        let words = unsafe { words.assume_init() };
        Self { block: Arc::new(Block::Own(words)) }
    }

    /// All words of the block.
    #[must_use]
    pub fn words(&self) -> &[AtomicU64] {
        match &*self.block {
            Block::Mapped(mapping) => mapping.words(),
            Block::Own(words) => words,
        }
    }

    /// Stores `bytes` from word `at` on, padded with zeros to whole words. What does not fit is cut off.
    pub fn store_bytes(&self, at: usize, bytes: &[u8]) {
        if let Some(room) = self.words().get(at..) {
            store_bytes(room, bytes);
        }
    }

    /// Appends `len` bytes that start at word `at` to `out`; fewer if the block ends before.
    pub fn load_bytes(&self, at: usize, len: usize, out: &mut Vec<u8>) {
        let Some(room) = self.words().get(at..) else { return };
        let end = out.len() + len.min(room.len() * 8);
        for word in &room[..len.div_ceil(8).min(room.len())] {
            out.extend_from_slice(&word.load(Relaxed).to_le_bytes());
        }
        out.truncate(end);
    }
}

/// Stores `bytes` in `words`, padded with zeros to whole words. What does not fit is cut off.
#[inline]
pub fn store_bytes(words: &[AtomicU64], bytes: &[u8]) {
    let (whole, rest) = bytes.as_chunks::<8>();
    for (word, chunk) in words.iter().zip(whole) {
        word.store(u64::from_le_bytes(*chunk), Relaxed);
    }
    if let (Some(word), [_, ..]) = (words.get(whole.len()), rest) {
        let last = match bytes.last_chunk() {
            // A load that overlaps the word before, and no loop over single bytes.
            Some(last) => u64::from_le_bytes(*last) >> (8 * (8 - rest.len())),
            None => rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
        };
        word.store(last, Relaxed);
    }
}

#[cfg(target_os = "linux")]
fn probe_memory_file(len: usize) -> io::Result<()> {
    let file = rustix::fs::memfd_create("gristmill-probe", rustix::fs::MemfdFlags::CLOEXEC)?;
    // A limit on the size of files (`ulimit -f`) holds for memory files too.
    Ok(rustix::fs::ftruncate(&file, len as u64)?)
}

#[cfg(not(target_os = "linux"))]
fn probe_memory_file(_len: usize) -> io::Result<()> {
    Ok(())
}

impl fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedMemory").field("words", &self.words().len()).finish()
    }
}

impl Serialize for SharedMemory {
    /// Works only inside a message that an ipc-channel sender encodes, and not for [`SharedMemory::unshared`]. It takes a
    /// descriptor: ipc-channel would panic if there were none.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Block::Mapped(mapping) = &*self.block else {
            return Err(S::Error::custom("cannot send memory that is for one process alone"));
        };
        probe_memory_file(0)
            .map_err(|error| S::Error::custom(format!("cannot send shared memory: {error}")))?;
        mapping.block.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SharedMemory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mapping = Mapping::new(IpcSharedMemory::deserialize(deserializer)?);
        Ok(Self { block: Arc::new(Block::Mapped(mapping)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_zeroed_and_bytes_survive_the_trip() {
        let memory = SharedMemory::new(8).expect("shared memory");
        assert!(memory.words().iter().all(|word| word.load(Relaxed) == 0));
        memory.store_bytes(2, b"eleven byte");
        let mut out = b">".to_vec();
        memory.load_bytes(2, 11, &mut out);
        assert_eq!(out, b">eleven byte");
    }

    #[test]
    fn bytes_over_the_end_are_cut_off() {
        let memory = SharedMemory::new(2).expect("shared memory");
        memory.store_bytes(1, b"0123456789");
        let mut out = Vec::new();
        memory.load_bytes(1, 10, &mut out);
        assert_eq!(out, b"01234567");
        memory.store_bytes(9, b"nothing happens");
    }

    #[test]
    fn a_sent_block_is_the_same_memory() {
        let memory = SharedMemory::new(4).expect("shared memory");
        let (sender, receiver) = ipc_channel::ipc::channel().expect("channel");
        sender.send(memory.clone()).expect("send");
        let other: SharedMemory = receiver.recv().expect("receive");
        other.words()[3].store(42, Relaxed);
        assert_eq!(memory.words()[3].load(Relaxed), 42);
    }

    #[test]
    fn a_block_of_one_process_is_zeroed_and_shared_by_its_clones_and_cannot_be_sent() {
        let memory = SharedMemory::unshared(1 << 15);
        assert!(memory.words().len() == 1 << 15 && memory.words().iter().all(|word| word.load(Relaxed) == 0));
        memory.clone().words()[3].store(42, Relaxed);
        assert_eq!(memory.words()[3].load(Relaxed), 42);
        let (sender, receiver) = ipc_channel::ipc::channel::<SharedMemory>().expect("channel");
        assert!(matches!(sender.send(memory), Err(ipc_channel::IpcError::SerializationError(_))));
        drop(sender);
        assert!(receiver.recv().is_err(), "nothing was sent");
    }
}
