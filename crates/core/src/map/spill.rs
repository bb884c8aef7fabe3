//! What both pair sinks share when they spill: partitions, key order, writing rows.
//!
//! It does not hold pairs.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::api::Partitioner;
use crate::key::KeyRef;
use crate::result::Result;
use crate::run::{Kind, RowShape, RunWriter, put_row};

/// The job's partitioner, applied to encoded keys.
pub(crate) trait Place: Send + Sync {
    /// The partition of `key`, whose hash is given where it is known.
    fn place(&self, key: &[u8], hash: Option<u64>) -> Result<u32>;
}

/// A shared [`Place`].
pub(crate) type Placement = Arc<dyn Place>;

/// Applies a [`Partitioner`] and checks what it says.
pub(crate) struct Placed<K> {
    pub(crate) partitioner: Arc<dyn Partitioner<K>>,
    pub(crate) partitions: u32,
    pub(crate) key: PhantomData<fn(K)>,
}

impl<K: 'static> Place for Placed<K> {
    fn place(&self, key: &[u8], hash: Option<u64>) -> Result<u32> {
        let key = hash.map_or_else(|| KeyRef::new(key), |hash| KeyRef::with_hash(key, hash));
        let partition = self.partitioner.partition(key, self.partitions)?;
        if partition >= self.partitions {
            let last = self.partitions - 1;
            return Err(format!("the partitioner chose partition {partition}, but the last is {last}").into());
        }
        Ok(partition)
    }
}

/// Where a held pair goes, small enough to be sorted in place of the pair itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    partition: u32,
    pub(super) index: u32,
    prefix: u64,
}

impl Slot {
    pub(super) fn new(placement: &Placement, index: u32, key: &[u8], hash: Option<u64>) -> Result<Self> {
        Ok(Self { partition: placement.place(key, hash)?, index, prefix: prefix(key) })
    }
}

/// The first eight bytes of a key as a number that orders as they do.
fn prefix(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let len = key.len().min(8);
    bytes[..len].copy_from_slice(&key[..len]);
    u64::from_be_bytes(bytes)
}

/// Sorts by (partition, key, tie).
pub(super) fn sort<'k, T: Ord>(slots: &mut [Slot], key: impl Fn(u32) -> &'k [u8], tie: impl Fn(u32) -> T) {
    slots.sort_unstable_by(|a, b| {
        (a.partition, a.prefix)
            .cmp(&(b.partition, b.prefix))
            .then_with(|| key(a.index).cmp(key(b.index)))
            .then_with(|| tie(a.index).cmp(&tie(b.index)))
    });
}

/// Rows are gathered to this many bytes before they go to the run.
const GATHER: usize = 64 << 10;

/// Writes rows in the order of `slots`, one segment for each partition.
///
/// `row` appends the value's bytes to the buffer it is given and returns the key and the split.
pub(super) fn write<'k>(
    slots: &[Slot],
    run: &mut RunWriter,
    spill: u32,
    shape: RowShape,
    mut row: impl FnMut(u32, &mut Vec<u8>) -> Result<(&'k [u8], u32)>,
) -> Result {
    let (mut rows, mut value, mut count) = (Vec::with_capacity(GATHER), Vec::new(), 0);
    let mut current = None;
    for slot in slots {
        let new_partition = current != Some(slot.partition);
        if new_partition || rows.len() >= GATHER {
            if !rows.is_empty() {
                run.write(&rows, count)?;
            }
            rows.clear();
            count = 0;
        }
        if new_partition {
            run.begin(slot.partition, spill, 0, Kind::Rows)?;
            current = Some(slot.partition);
        }
        value.clear();
        let (key, split) = row(slot.index, &mut value)?;
        put_row(&mut rows, shape, key, split, &value);
        count += 1;
    }
    if rows.is_empty() { Ok(()) } else { run.write(&rows, count) }
}
