//! What is committed: runs, map tasks that emitted nothing, parts. The journal is told first.
//!
//! It changes no task's state.

use indexmap::IndexMap;

use crate::collect::Committed;
use crate::counters::Counters;
use crate::journal::{Entry, Journal, Publication, program_hash};
use crate::quarantine::Keeper;
use crate::reduce::Reduced;
use crate::result::Result;
use crate::task::{Blame, Failure, Spot};

/// Everything that counts so far.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    /// Of a job that can be resumed.
    journal: Option<Journal>,
    runs: IndexMap<String, Committed>,
    /// Commits of map tasks that emitted nothing.
    empty: Vec<Committed>,
    parts: IndexMap<u32, (Reduced, Counters)>,
    /// Records and groups that were set aside.
    aside: Vec<Spot>,
    /// Where they are kept.
    keeper: Option<Keeper>,
}

impl Commits {
    /// Nothing yet, of a job that can be resumed.
    pub(crate) fn new(journal: Journal) -> Self {
        Self { journal: Some(journal), ..Self::default() }
    }

    /// What an earlier session has committed, and the journal to go on with.
    pub(crate) fn restored(
        journal: Option<Journal>,
        runs: IndexMap<String, Committed>,
        empty: Vec<Committed>,
        parts: IndexMap<u32, (Reduced, Counters)>,
    ) -> Self {
        Self { journal, runs, empty, parts, ..Self::default() }
    }

    /// Goes on with what an earlier session has set aside.
    pub(crate) fn with_aside(mut self, aside: Vec<Spot>) -> Self {
        self.aside = aside;
        self
    }

    /// Has what is set aside kept.
    pub(crate) fn keep_aside(&mut self, keeper: Keeper) {
        self.keeper = Some(keeper);
    }

    /// What was set aside, in the order in which it was.
    pub(crate) fn aside(&self) -> &[Spot] {
        &self.aside
    }

    /// Sets a record or group aside, after so many strikes.
    pub(super) fn set_aside(&mut self, blame: &Blame, failure: &Failure, strikes: u32) -> Result {
        if let Some(keeper) = &self.keeper {
            keeper.keep(blame, failure, strikes)?;
        }
        if !self.aside.contains(&blame.spot) {
            self.note(|| Entry::SetAside(blame.spot))?;
            self.aside.push(blame.spot);
        }
        Ok(())
    }

    /// Says that the folder of what was set aside is about to get its name beside the output.
    pub(crate) fn publishing_quarantine(&mut self, device: u64, inode: u64) -> Result {
        self.note(|| Entry::PublishingQuarantine { device, inode })
    }

    /// Whether there is anything to go on with.
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.empty.is_empty() && self.parts.is_empty()
    }

    /// The map tasks that are committed.
    pub(crate) fn map_tasks(&self) -> impl Iterator<Item = u32> {
        self.mapped().flat_map(|committed| committed.tasks.iter().map(|&(task, _)| task))
    }

    /// The partitions that are committed.
    pub(crate) fn reduce_tasks(&self) -> impl Iterator<Item = u32> {
        self.parts.keys().copied()
    }

    /// Names of the committed runs.
    pub(super) fn runs(&self) -> impl Iterator<Item = &String> {
        self.runs.keys()
    }

    /// Bytes of rows in each of `partitions`.
    pub(super) fn partition_bytes(&self, partitions: u32) -> Vec<u64> {
        let mut bytes = vec![0; partitions as usize];
        for &(partition, more) in self.mapped().flat_map(|committed| &committed.partitions) {
            bytes[partition as usize] += more;
        }
        bytes
    }

    /// Sums of everything that is committed.
    pub(crate) fn counters(&self) -> Counters {
        let mut counters = Counters::default();
        self.mapped().for_each(|committed| counters.merge(&committed.counters));
        self.parts.values().for_each(|(_, counted)| counters.merge(counted));
        counters.sort();
        counters
    }

    /// Results in all parts, and their bytes.
    pub(crate) fn size(&self) -> (u64, u64) {
        self.parts
            .values()
            .fold((0, 0), |(records, bytes), (part, _)| (records + part.records, bytes + part.bytes))
    }

    fn mapped(&self) -> impl Iterator<Item = &Committed> {
        self.runs.values().chain(&self.empty)
    }

    /// XXH3-64 of a committed part.
    pub(super) fn checksum(&self, partition: u32) -> Option<u64> {
        self.parts.get(&partition).map(|(part, _)| part.checksum)
    }

    /// Takes in a commit of map tasks.
    pub(super) fn map(&mut self, committed: Committed) -> Result {
        if let Some(run) = committed.run.as_ref().filter(|run| self.runs.contains_key(*run)) {
            return Err(format!("the run {run} was committed twice: the one before is lost").into());
        }
        self.note(|| Entry::Mapped(committed.clone()))?;
        match committed.run.clone() {
            Some(run) => drop(self.runs.insert(run, committed)),
            None => self.empty.push(committed),
        }
        Ok(())
    }

    /// Takes in a committed part.
    pub(super) fn part(&mut self, task: u32, part: Reduced, counters: Counters) -> Result {
        self.note(|| Entry::Reduced { task, part, counters: counters.clone() })?;
        self.parts.insert(task, (part, counters));
        Ok(())
    }

    /// A run cannot be read: its tasks count no more. `None` if that was known.
    pub(super) fn lose_run(&mut self, run: &str) -> Result<Option<Committed>> {
        if !self.runs.contains_key(run) {
            return Ok(None);
        }
        self.note(|| Entry::LostRun(run.to_owned()))?;
        Ok(self.runs.shift_remove(run))
    }

    /// Says that the folder of parts is about to become the output.
    pub(crate) fn publishing(&mut self, publication: Publication) -> Result {
        self.note(|| Entry::Publishing(publication))
    }

    /// Notes what the program's file holds, if a job that goes on with this one's work would ask for it.
    pub(super) fn note_program(&mut self) -> Result {
        match &mut self.journal {
            Some(journal) => journal.append(&Entry::Program(program_hash()?)),
            None => Ok(()),
        }
    }

    fn note(&mut self, entry: impl FnOnce() -> Entry) -> Result {
        self.journal.as_mut().map_or(Ok(()), |journal| journal.append(&entry()))
    }
}
