//! The `Partitioner` trait: which reduce task a key goes to.
//!
//! It does not group or order keys.

use crate::key::{self, KeyRef};
use crate::result::Result;

/// Chooses the partition of a key.
///
/// Called in the worker for every key that leaves the map phase. It must depend on the key and the number of
/// partitions alone: the same key must go the same way in every worker and in every attempt.
pub trait Partitioner<K>: Send + Sync + 'static {
    /// The partition of `key`, less than `partitions`.
    ///
    /// # Errors
    /// Ends the attempt. A partition that does not exist does so too.
    fn partition(&self, key: KeyRef<'_, K>, partitions: u32) -> Result<u32>;
}

impl<K, F> Partitioner<K> for F
where
    F: Fn(KeyRef<'_, K>, u32) -> Result<u32> + Send + Sync + 'static,
{
    fn partition(&self, key: KeyRef<'_, K>, partitions: u32) -> Result<u32> {
        self(key, partitions)
    }
}

/// The default: the fixed hash of the encoded key, scaled to the number of partitions by multiply-shift.
#[derive(Debug, Clone, Copy, Default)]
pub struct HashPartitioner;

impl<K> Partitioner<K> for HashPartitioner {
    fn partition(&self, key: KeyRef<'_, K>, partitions: u32) -> Result<u32> {
        Ok(key::partition_of(key.hash(), partitions))
    }
}
