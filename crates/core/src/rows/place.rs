//! Which bucket a key goes to: its partition, as the job's partitioner says, and its part of that by hash or range.
//!
//! It does not hold rows.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::api::Partitioner;
use crate::fold::{BATCH, Keys, Marks};
use crate::key::{self, AnyKey, KeyRef};
use crate::result::Result;

/// The buckets of the keys of one batch.
pub(crate) type BatchPlaces = [u32; BATCH];

/// Chooses buckets. They are numbered through all partitions: those of the first come first.
pub(crate) trait Place: Send + Sync {
    /// Sets the bucket of each of `keys`, which are of the records that `marks` knows.
    fn place(&self, keys: Keys<'_>, marks: &Marks, places: &mut BatchPlaces) -> Result;
}

/// A shared [`Place`].
pub(crate) type Placement = Arc<dyn Place>;

/// The default: the fixed hash of the key, scaled to the number of all buckets.
///
/// Scaling to partitions times buckets and dividing by the buckets gives the same partition as scaling to partitions.
#[derive(Debug)]
pub(crate) struct ByHash {
    pub(crate) buckets: u32,
}

impl Place for ByHash {
    fn place(&self, keys: Keys<'_>, _: &Marks, places: &mut BatchPlaces) -> Result {
        for (place, slot) in places.iter_mut().zip(keys.slots()) {
            let hash = match keys.of(slot) {
                AnyKey::Short(image) => image.hash(),
                AnyKey::Long(key) => key::hash(key),
            };
            *place = key::partition_of(hash, self.buckets);
        }
        Ok(())
    }
}

/// A user's [`Partitioner`], whose partitions are divided by hash.
pub(crate) struct ByPartitioner<K> {
    pub(crate) partitioner: Arc<dyn Partitioner<K>>,
    pub(crate) partitions: u32,
    pub(crate) per_partition: u32,
    pub(crate) key: PhantomData<fn(K)>,
}

impl<K: 'static> ByPartitioner<K> {
    fn place_one(&self, key: &[u8]) -> Result<u32> {
        let key = KeyRef::with_hash(key, key::hash(key));
        let partition = self.partitioner.partition(key, self.partitions)?;
        if partition >= self.partitions {
            let last = self.partitions - 1;
            return Err(format!("the partitioner chose partition {partition}, but the last is {last}").into());
        }
        Ok(partition * self.per_partition + key::partition_of(key.hash(), self.per_partition))
    }
}

impl<K: 'static> Place for ByPartitioner<K> {
    fn place(&self, keys: Keys<'_>, marks: &Marks, places: &mut BatchPlaces) -> Result {
        for (i, (place, slot)) in places.iter_mut().zip(keys.slots()).enumerate() {
            marks.note(i);
            *place = keys.of(slot).with_bytes(|key| self.place_one(key))?;
        }
        marks.note_current();
        Ok(())
    }
}
