//! The way from map to reduce: which committed runs there are, and which of their segments a partition needs.
//!
//! It does not read rows.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use gristmill_ipc::codec;
use indexmap::IndexSet;
use serde::{Deserialize, Serialize};

use crate::result::{AtPath, Result};
use crate::run::{Kind, RunFile};
use crate::task::TaskEnv;

/// What a reduce attempt has committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reduced {
    /// Results in the part file.
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

/// The segments of all committed runs, by partition and bucket.
pub(crate) struct Shuffle {
    segments: HashMap<(u32, u32, Kind), Vec<SegmentOf>>,
}

/// A run and the ordinal of a segment in it.
type SegmentOf = (Arc<RunFile>, usize);

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
}

/// Writes the names of the committed runs into the file at `path`.
pub(crate) fn write_manifest(path: &Path, runs: &IndexSet<String>) -> Result {
    Ok(fs::write(path, codec::encode(runs)?).at("write the list of runs", path)?)
}

impl Shuffle {
    /// Opens every run that the manifest names.
    fn open(env: &TaskEnv) -> Result<Self> {
        let encoded = fs::read(&env.manifest).at("read the list of runs", &env.manifest)?;
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

    /// The segments of a bucket, those of one run in the order in which they were spilled.
    pub(crate) fn segments(&self, partition: u32, bucket: u32, kind: Kind) -> &[SegmentOf] {
        self.segments.get(&(partition, bucket, kind)).map_or(&[], Vec::as_slice)
    }
}
