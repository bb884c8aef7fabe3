//! Reads the journal that a dead coordinator has left.
//!
//! It believes no entry whose checksum is wrong, nor anything behind it, and does not look at the files that entries name.

use std::io;
use std::path::Path;

use gristmill_ipc::codec;
use indexmap::IndexMap;

use super::{Entry, HEAD, HEADER, JobEntry, Publication, checksum, header};
use crate::collect::Committed;
use crate::counters::Counters;
use crate::disk;
use crate::reduce::Reduced;
use crate::result::{AtPath, Result};
use crate::task::Spot;

/// What a journal says.
#[derive(Debug)]
pub(crate) struct Past {
    pub(crate) job: JobEntry,
    /// Sessions so far.
    pub(crate) sessions: u32,
    /// XXH3-64 of the program's file, if it was noted.
    pub(crate) program: Option<u64>,
    /// Committed runs by name.
    pub(crate) runs: IndexMap<String, Committed>,
    /// Commits of map tasks that emitted nothing.
    pub(crate) empty: Vec<Committed>,
    /// Committed parts.
    pub(crate) parts: IndexMap<u32, (Reduced, Counters)>,
    /// The output that was about to be there.
    pub(crate) publishing: Option<Publication>,
    /// Records and groups that were set aside.
    pub(crate) aside: Vec<Spot>,
    /// As `publishing`, for the folder of what was set aside.
    pub(crate) quarantine: Option<(u64, u64)>,
    /// Where the last whole entry ends.
    pub(crate) len: u64,
    /// Bytes behind that.
    pub(crate) cut: u64,
}

impl Past {
    fn new(job: JobEntry) -> Self {
        Self {
            job,
            sessions: 1,
            program: None,
            runs: IndexMap::new(),
            empty: Vec::new(),
            parts: IndexMap::new(),
            publishing: None,
            aside: Vec::new(),
            quarantine: None,
            len: 0,
            cut: 0,
        }
    }

    /// Whether there is anything to go on with.
    pub(crate) fn has_work(&self) -> bool {
        !self.runs.is_empty() || !self.empty.is_empty() || !self.parts.is_empty()
    }

    /// Map tasks that are committed.
    pub(crate) fn mapped(&self) -> usize {
        self.runs.values().chain(&self.empty).map(|committed| committed.tasks.len()).sum()
    }

    /// Takes in what the next entry says.
    pub(crate) fn take(&mut self, entry: Entry) {
        match entry {
            // There is no second one.
            Entry::Job(_) => {}
            Entry::Session(session) => self.sessions = session,
            Entry::Program(hash) => self.program = Some(hash),
            Entry::Mapped(committed) => match &committed.run {
                Some(run) => drop(self.runs.insert(run.clone(), committed)),
                None => self.empty.push(committed),
            },
            Entry::LostRun(run) => drop(self.runs.shift_remove(&run)),
            Entry::Reduced { task, part, counters } => drop(self.parts.insert(task, (part, counters))),
            // The groups are to be tried again with everything else.
            Entry::PartsDropped => {
                self.parts.clear();
                self.aside.retain(Spot::is_record);
            }
            Entry::SetAside(spot) => self.aside.push(spot),
            Entry::PublishingQuarantine { device, inode } => self.quarantine = Some((device, inode)),
            Entry::Publishing(publication) => self.publishing = Some(publication),
        }
    }
}

/// Reads the journal at `path`; `None` if there is none, or nothing in it can be believed.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read(path: &Path) -> Result<Option<Past>> {
    let bytes = match disk::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Err::<(), _>(error).at("read the journal", path).unwrap_err().into()),
    };
    let whole = bytes.get(..HEADER) == Some(&header()[..]);
    let Some((Entry::Job(job), mut at)) = entry(&bytes, HEADER).filter(|_| whole) else {
        let path = path.display();
        tracing::warn!(target: "gristmill", "the journal {path} is damaged at its beginning, or of another version: nothing of the work there can be used");
        return Ok(None);
    };
    let mut past = Past::new(*job);
    while let Some((entry, next)) = entry(&bytes, at) {
        past.take(entry);
        at = next;
    }
    (past.len, past.cut) = (at as u64, (bytes.len() - at) as u64);
    if past.cut > 0 {
        let path = path.display();
        tracing::warn!(target: "gristmill", "the journal {path} was cut off or damaged at byte {at}: what it said behind that is done again");
    }
    Ok(Some(past))
}

/// The entry at `at`, and where the next one would be.
fn entry(bytes: &[u8], at: usize) -> Option<(Entry, usize)> {
    let head = bytes.get(at..at + HEAD)?;
    let len = u32::from_le_bytes(head[..4].try_into().ok()?) as usize;
    let encoded = bytes.get(at + HEAD..)?.get(..len)?;
    let right = checksum(at as u64, encoded) == u64::from_le_bytes(head[4..].try_into().ok()?);
    if !right {
        return None;
    }
    Some((codec::decode(encoded).ok()?, at + HEAD + len))
}
