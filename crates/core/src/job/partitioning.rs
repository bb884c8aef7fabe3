//! How a job's keys are divided among its partitions.
//!
//! It places no key: the placements in `rows` do.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::api::Partitioner;
use crate::result::Result;
use crate::rows::{ByHash, ByPartitioner, ByRange, Placement, agreed};
use crate::task::TaskEnv;

/// The rule by which keys go to partitions.
pub(super) enum Partitioning<K> {
    Hash,
    Custom(Arc<dyn Partitioner<K>>),
    /// By ranges between sampled keys.
    Range,
}

impl<K: 'static> Partitioning<K> {
    /// Whether every bucket's keys come before those of the next.
    pub(super) fn is_range(&self) -> bool {
        matches!(self, Self::Range)
    }

    /// Among how many buckets hashes are divided, if hashes are what is divided.
    pub(super) fn hashed_buckets(&self, env: &TaskEnv) -> Option<u32> {
        match self {
            Self::Hash => Some(env.partitions * env.buckets),
            Self::Custom(_) => Some(env.buckets),
            Self::Range => None,
        }
    }

    /// The placement for a worker; `sample` gives a sample of the job's keys.
    pub(super) fn placement(
        &self,
        env: &TaskEnv,
        sample: impl FnOnce() -> Result<Vec<Vec<u8>>>,
    ) -> Result<Placement> {
        let (partitions, per_partition) = (env.partitions, env.buckets);
        Ok(match self {
            Self::Range => Arc::new(agreed(env, || Ok(ByRange::new(sample()?, partitions * per_partition)))?),
            Self::Hash => Arc::new(ByHash { buckets: partitions * per_partition }),
            Self::Custom(partitioner) => {
                let partitioner = Arc::clone(partitioner);
                Arc::new(ByPartitioner { partitioner, partitions, per_partition, key: PhantomData })
            }
        })
    }
}
