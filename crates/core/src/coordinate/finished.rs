//! What a job that ended well gives back.
//!
//! It runs nothing and prints nothing.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::results::Pairs;
use crate::counters::Counters;
use crate::datum::Datum;
use crate::error::Error;
use crate::job::Types;
use crate::quarantine::Certificate;
use crate::result::{AtPath, Result};
use crate::task::Failure;
use crate::workdir::WorkFolder;

/// A job that ended well: its counters, its summary, and its results.
#[derive(Debug)]
pub struct Finished {
    pub(super) counters: Counters,
    pub(super) summary: Summary,
    pub(super) results: Results,
    /// Attempts that failed.
    pub(super) lost: Vec<Failure>,
    /// Names of what was set aside, and the folder where it is.
    pub(super) aside: Vec<String>,
    pub(super) quarantine: Option<PathBuf>,
}

/// Where the results are.
#[derive(Debug)]
pub(super) enum Results {
    Folder(PathBuf),
    /// In the work folder, which goes when this value does.
    Collected {
        parts: Vec<PathBuf>,
        types: Types,
        text: bool,
        _work: WorkFolder,
    },
}

/// Figures of one run.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Name of the job.
    pub job: String,
    /// Files that were read; 1 for standard input or in-memory items.
    pub input_files: usize,
    /// Their size.
    pub input_bytes: u64,
    /// Map tasks.
    pub map_tasks: usize,
    /// Partitions, which is the number of part files.
    pub partitions: u32,
    /// Workers that were allowed at a time.
    pub workers: usize,
    /// Results in all part files.
    pub records: u64,
    /// Bytes in all part files.
    pub bytes: u64,
    /// Attempts at tasks that failed, and whose tasks were tried again.
    pub lost_attempts: usize,
    /// Records, and groups in reduce, that were set aside.
    pub set_aside: u64,
    /// Wall time in seconds, from checking the options to publishing the output.
    #[serde(serialize_with = "seconds")]
    pub elapsed: Duration,
}

fn seconds<S: serde::Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(elapsed.as_secs_f64())
}

impl Finished {
    /// Sums of all committed attempts, by name.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Figures of the run.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The attempts that failed and whose tasks were tried again, in the order of their ends; of very many only the first.
    #[must_use]
    pub fn lost_attempts(&self) -> &[Failure] {
        &self.lost
    }

    /// The names of the records, and of the groups in reduce, that were set aside: `map-FILE-OFFSET` with the ordinal of
    /// the input and the record's offset in bytes, or `reduce-PARTITION-ORDINAL`.
    #[must_use]
    pub fn set_aside(&self) -> &[String] {
        &self.aside
    }

    /// The folder of what was set aside, if anything was.
    #[must_use]
    pub fn quarantine(&self) -> Option<&Path> {
        self.quarantine.as_deref()
    }

    /// A certificate for each attempt that failed.
    pub(crate) fn certificates(&self) -> Result<serde_json::Value> {
        let certificates = self.lost.iter().map(|failure| serde_json::to_value(Certificate::of(failure)));
        Ok(certificates.collect::<Result<Vec<_>, _>>()?.into())
    }

    /// The output folder, if the job wrote one.
    #[must_use]
    pub fn output(&self) -> Option<&Path> {
        match &self.results {
            Results::Folder(path) => Some(path),
            Results::Collected { .. } => None,
        }
    }

    /// The results, partition by partition, each in the order of its keys.
    ///
    /// # Errors
    /// When the job wrote an output folder instead, or its keys and values are not `K` and `V`.
    pub fn pairs<K: Datum, V: Datum>(&self) -> Result<Pairs<K, V>, Error> {
        match &self.results {
            Results::Collected { parts, types, text: false, .. } => {
                let asked = (std::any::type_name::<K>(), std::any::type_name::<V>());
                if asked != (types.out_key, types.out_value) {
                    return Err(Error::usage(format!(
                        "the results are ({}, {}), not ({}, {})",
                        types.out_key, types.out_value, asked.0, asked.1
                    )));
                }
                Ok(Pairs::new(parts.clone()))
            }
            _ => Err(Error::usage("the results were written as text, not collected")),
        }
    }

    /// Copies results that were collected as text.
    pub(crate) fn copy_text(&self, out: &mut impl Write) -> Result {
        if let Results::Collected { parts, text: true, .. } = &self.results {
            for part in parts {
                let mut file = File::open(part).at("open", part)?;
                io::copy(&mut file, out)?;
            }
        }
        Ok(())
    }
}
