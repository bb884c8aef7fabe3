//! The way from map to reduce: which committed runs there are, and which of their segments a partition needs.
//!
//! It does not read rows.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use gristmill_ipc::codec;
use serde::{Deserialize, Serialize};

use crate::disk;
use crate::flight::Flight;
use crate::result::{AtPath, Result};
use crate::run::{Kind, RunFile};
use crate::task::{Stopped, TaskEnv};

/// What a reduce attempt has committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reduced {
    /// Results in the part file.
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    /// XXH3-64 of the part file.
    pub(crate) checksum: u64,
}

/// The segments of all committed runs, by partition and bucket.
pub(crate) struct Shuffle {
    segments: HashMap<(u32, u32, Kind), Vec<SegmentOf>>,
}

/// A run and the ordinal of a segment in it.
pub(super) type SegmentOf = (Arc<RunFile>, usize);

/// The shuffle, opened when the first reduce task of a process asks for it.
#[derive(Clone, Default)]
pub(crate) struct SharedShuffle {
    opened: Arc<Mutex<Option<Arc<Shuffle>>>>,
}

impl SharedShuffle {
    /// The shuffle that the manifest describes; all clones give the same one, so a process opens each run once.
    pub(crate) fn open(&self, env: &TaskEnv) -> Result<Arc<Shuffle>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shuffle) = &*opened {
            return Ok(Arc::clone(shuffle));
        }
        Ok(Arc::clone(opened.insert(Arc::new(Shuffle::open(env)?))))
    }

    /// Has the next one who asks read the manifest again.
    pub(crate) fn forget(&self) {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Writes the names of the committed runs into the file at `path`, in place of those that were in it.
pub(crate) fn write_manifest<'r>(path: &Path, runs: impl Iterator<Item = &'r String>) -> Result {
    let temporary = path.with_extension("tmp");
    let names: Vec<_> = runs.collect();
    let file = disk::create(&temporary).at("write the list of runs", &temporary)?;
    disk::write_all(&file, &codec::encode(&names)?).at("write the list of runs", &temporary)?;
    Ok(disk::rename(&temporary, path).at("write the list of runs", path)?)
}

impl Shuffle {
    /// Opens every run that the manifest names.
    fn open(env: &TaskEnv) -> Result<Self> {
        let encoded = disk::read(&env.manifest).at("read the list of runs", &env.manifest)?;
        let names: Vec<String> = codec::decode(&encoded)?;
        let mut segments = HashMap::<_, Vec<_>>::new();
        for name in names {
            let run = Arc::new(RunFile::open(&env.runs.join(name))?);
            for (i, segment) in run.index.segments.iter().enumerate() {
                let label = segment.label;
                segments
                    .entry((label.partition, label.bucket, label.kind))
                    .or_default()
                    .push((Arc::clone(&run), i));
            }
        }
        Ok(Self { segments })
    }

    /// Compares the checksums of everything that a partition needs.
    ///
    /// # Errors
    /// When a run is damaged.
    pub(crate) fn check(&self, partition: u32, flight: &Flight) -> Result {
        let mut buffer = vec![0; 256 << 10];
        let of_partition = self.segments.iter().filter(|((owner, ..), _)| *owner == partition);
        for (run, segment) in of_partition.flat_map(|(_, segments)| segments) {
            flight.beat();
            if flight.stop_requested() {
                return Err(Stopped.into());
            }
            run.check(*segment, &mut buffer)?;
        }
        Ok(())
    }

    /// The segments of a bucket, those of one run in the order in which they were spilled.
    pub(crate) fn segments(&self, partition: u32, bucket: u32, kind: Kind) -> &[SegmentOf] {
        self.segments.get(&(partition, bucket, kind)).map_or(&[], Vec::as_slice)
    }
}
