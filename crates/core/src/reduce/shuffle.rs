//! The way from map to reduce: which committed runs there are, and which of their segments a partition needs.
//!
//! It does not read rows.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gristmill_ipc::codec;
use serde::{Deserialize, Serialize};

use super::Merge;
use crate::result::{AtPath, Result};
use crate::run::{Kind, RowShape, RunFile, SegmentReader};
use crate::task::TaskEnv;

/// What a reduce attempt has committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reduced {
    /// Results in the part file.
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

/// All committed runs, opened once per worker.
pub(crate) struct Shuffle {
    runs: Vec<Arc<RunFile>>,
}

/// Writes the names of the committed runs into the file at `path`.
pub(crate) fn write_manifest(path: &Path, runs: &[String]) -> Result {
    Ok(fs::write(path, codec::encode(runs)?).at("write the list of runs", path)?)
}

impl Shuffle {
    /// Opens every run that the manifest names.
    pub(crate) fn open(env: &TaskEnv) -> Result<Self> {
        let encoded = fs::read(&env.manifest).at("read the list of runs", &env.manifest)?;
        let names: Vec<String> = codec::decode(&encoded)?;
        let open = |name: String| RunFile::open(&env.runs.join(name)).map(Arc::new);
        Ok(Self { runs: names.into_iter().map(open).collect::<Result<_>>()? })
    }

    /// The rows of `partition` from all runs, as one ordered stream that holds at most about `memory` bytes.
    pub(crate) fn merge(&self, partition: u32, shape: RowShape, memory: usize) -> Result<Merge> {
        const SMALLEST: usize = 4 << 10;
        const LARGEST: usize = 256 << 10;
        let segments = self.segments(partition, Kind::Rows);
        let buffer = (memory / segments.len().max(1)).clamp(SMALLEST, LARGEST);
        let reader = |(run, segment)| SegmentReader::new(run, segment, shape, buffer);
        Merge::new(segments.into_iter().map(reader).collect())
    }

    /// The segments of `partition`, those of one run in the order in which they were spilled.
    pub(crate) fn segments(&self, partition: u32, kind: Kind) -> Vec<(Arc<RunFile>, usize)> {
        let mut found = Vec::new();
        for run in &self.runs {
            let wanted = |(_, segment): &(usize, &crate::run::Segment)| {
                segment.partition == partition && segment.kind == kind
            };
            found.extend(
                run.index.segments.iter().enumerate().filter(wanted).map(|(i, _)| (Arc::clone(run), i)),
            );
        }
        found
    }
}
