//! A job with its types hidden: what workers run and the coordinator plans.
//!
//! It decides nothing: each method hands over to the typed parts.

use std::any::type_name;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::back::Back;
use super::builder::Job;
use crate::api::{Mapper, Target};
use crate::collect::Digest;
use crate::counters::Counters;
use crate::flight::Stage;
use crate::input::{Cut, Input};
use crate::map::{MapSession, replay_record, run_attempt};
use crate::output::PairWriter;
use crate::output::part::{PartFile, part_name};
use crate::quarantine::Stored;
use crate::reduce::{Reduced, Shuffle};
use crate::result::Result;
use crate::task::{Care, TaskEnv};

/// A complete job, of whatever types. Every [`Job`] is one, but for those that still wait for a reducer.
pub trait AnyJob: sealed::Erase {}

pub(crate) mod sealed {
    use super::{Arc, Stages};

    /// Only the library's own jobs can be erased.
    pub trait Erase {
        #[doc(hidden)]
        #[allow(private_interfaces)]
        fn erase(self) -> Arc<dyn Stages>;
    }
}

/// Names of a job's types, to check what a caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Types {
    pub(crate) input: &'static str,
    pub(crate) out_key: &'static str,
    pub(crate) out_value: &'static str,
}

/// The typed parts of a job behind one face.
pub(crate) trait Stages: Send + Sync {
    fn types(&self) -> Types;
    /// The number of partitions that the job itself asks for.
    fn partitions(&self) -> Option<u32>;
    fn map_only(&self) -> bool;
    /// Whether results are written without separators and escapes.
    fn raw_output(&self) -> bool;
    /// Name of the file that lists the inputs, beside the parts.
    fn input_list(&self) -> Option<&str>;
    /// How files may be cut.
    fn cut(&self) -> Cut;
    /// Whether a file can hold the job's kind of records.
    fn check(&self, path: &Path, size: u64) -> Result;
    /// The map side of one worker.
    fn map_session(&self, env: &Arc<TaskEnv>, care: &Care) -> Result<Box<dyn MapSession>>;
    /// One attempt at a reduce task (partition and attempt), committed when it returns.
    fn reduce(
        &self,
        env: &TaskEnv,
        shuffle: &Shuffle,
        task: (u32, u32),
        care: &Care,
    ) -> Result<(Reduced, Counters)>;
    /// A digest of what a map task emits.
    fn map_digest(&self, env: &TaskEnv, task: u32, care: &Care) -> Result<u64>;
    /// The checksum that the part of a reduce task has; the part is thrown away.
    fn reduce_digest(&self, env: &TaskEnv, shuffle: &Shuffle, partition: u32, care: &Care) -> Result<u64>;
    /// Whether the mapper is run on a sample of the records before the first task.
    fn samples(&self) -> bool;
    /// Runs what was set aside, alone and in this thread; what it emits goes to `writer`.
    fn replay(&self, what: &Stored, env: &TaskEnv, writer: &mut PairWriter) -> Result;
}

impl<M: Mapper, S: Back<M>> Stages for Job<M, S> {
    fn types(&self) -> Types {
        let (out_key, out_value) = S::out_types();
        Types { input: type_name::<M::Input>(), out_key, out_value }
    }

    fn partitions(&self) -> Option<u32> {
        self.partitions
    }

    fn map_only(&self) -> bool {
        S::MAP_ONLY
    }

    fn raw_output(&self) -> bool {
        self.raw_output
    }

    fn input_list(&self) -> Option<&str> {
        self.input_list.as_deref()
    }

    fn cut(&self) -> Cut {
        self.input.cut()
    }

    fn check(&self, path: &Path, size: u64) -> Result {
        self.input.check(path, size)
    }

    fn map_session(&self, env: &Arc<TaskEnv>, care: &Care) -> Result<Box<dyn MapSession>> {
        S::map_session(self, env, care)
    }

    fn samples(&self) -> bool {
        self.partitioning.is_range()
    }

    fn replay(&self, what: &Stored, env: &TaskEnv, writer: &mut PairWriter) -> Result {
        match what {
            Stored::Record { file, original, ordinal } => {
                let of = (original.as_deref(), *ordinal);
                replay_record(env, &self.input, &self.mapper, file, of, writer)
            }
            Stored::Group { run } => S::replay(self, run, env, writer),
        }
    }

    fn reduce(
        &self,
        env: &TaskEnv,
        shuffle: &Shuffle,
        (partition, attempt): (u32, u32),
        care: &Care,
    ) -> Result<(Reduced, Counters)> {
        if care.closely {
            // User code may fail at damaged rows before their checksum is compared.
            shuffle.check(partition, &env.flight)?;
        }
        let mut part =
            PartFile::create(&env.parts, &part_name(S::MAP_ONLY, partition), &env.attempt_name(attempt))?;
        let (records, counters) = S::reduce(self, env, shuffle, (partition, attempt), care, &mut part)?;
        env.flight.stage(Stage::Commit);
        let (bytes, checksum) = part.commit(env.durable)?;
        Ok((Reduced { records, bytes, checksum }, counters))
    }

    fn map_digest(&self, env: &TaskEnv, task: u32, care: &Care) -> Result<u64> {
        let mut digest = Digest::new(S::MATTERS);
        let target = Target::Digest(&mut digest);
        let counters = run_attempt(env, &self.input, &self.mapper, (task, care), target)?;
        digest.finish(counters)
    }

    fn reduce_digest(&self, env: &TaskEnv, shuffle: &Shuffle, partition: u32, care: &Care) -> Result<u64> {
        // No attempt has this number.
        let mut part =
            PartFile::create(&env.parts, &part_name(S::MAP_ONLY, partition), &env.attempt_name(0))?;
        S::reduce(self, env, shuffle, (partition, 0), care, &mut part)?;
        Ok(part.checksum())
    }
}

impl<M: Mapper, S> sealed::Erase for Job<M, S>
where
    Self: Stages + 'static,
{
    #[allow(private_interfaces)]
    fn erase(self) -> Arc<dyn Stages> {
        Arc::new(self)
    }
}

impl<M: Mapper, S> AnyJob for Job<M, S> where Self: Stages + 'static {}

/// A complete job whose types are hidden, for programs that choose among several by their parameters.
///
/// ```
/// use gristmill::{DynJob, Emitter, Job, Result, Sum, map_lines, map_text};
///
/// fn characters(line: &str, out: &mut Emitter<'_, usize, u64>) -> Result {
///     out.emit(&line.chars().count(), 1)
/// }
///
/// fn bytes(line: &[u8], out: &mut Emitter<'_, usize, u64>) -> Result {
///     out.emit(&line.len(), 1)
/// }
///
/// fn lengths(of_text: bool) -> DynJob {
///     if of_text {
///         Job::new(map_text(characters)).fold_with(Sum).into_dyn()
///     } else {
///         Job::new(map_lines(bytes)).fold_with(Sum).into_dyn()
///     }
/// }
/// # lengths(true);
/// ```
#[derive(Clone)]
pub struct DynJob(Arc<dyn Stages>);

impl<M: Mapper, S> Job<M, S>
where
    Self: AnyJob,
{
    /// The job with its types hidden.
    #[must_use]
    pub fn into_dyn(self) -> DynJob {
        DynJob(sealed::Erase::erase(self))
    }
}

impl sealed::Erase for DynJob {
    #[allow(private_interfaces)]
    fn erase(self) -> Arc<dyn Stages> {
        self.0
    }
}

impl AnyJob for DynJob {}

impl fmt::Debug for DynJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynJob").field("types", &self.0.types()).finish_non_exhaustive()
    }
}
