//! The handler that keeps records, for tests.
//!
//! It formats nothing, and forgets nothing unless it was told how many records to keep.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use super::Handler;
use crate::Record;

/// Collects records. Clones share them, so a test keeps one and gives the other to the listener.
#[derive(Clone, Debug)]
pub struct Memory {
    records: Arc<Mutex<VecDeque<Record>>>,
    level: LevelFilter,
    most: usize,
}

impl Memory {
    /// Collects all records.
    #[must_use]
    pub fn new() -> Self {
        Self { records: Arc::default(), level: LevelFilter::TRACE, most: usize::MAX }
    }

    /// Keeps the last `records` records.
    #[must_use]
    pub fn last(records: usize) -> Self {
        Self { most: records, ..Self::new() }
    }

    /// Takes only records of this level or a more important one.
    #[must_use]
    pub fn level(mut self, level: LevelFilter) -> Self {
        self.level = level;
        self
    }

    /// A copy of what has been collected.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.lock().iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Handler for Memory {
    fn accepts(&self, level: &Level, _target: &str) -> bool {
        *level <= self.level
    }

    fn handle(&mut self, record: &Record) -> io::Result<()> {
        let mut records = self.lock();
        records.push_back(record.clone());
        let surplus = records.len().saturating_sub(self.most);
        records.drain(..surplus);
        Ok(())
    }

    fn name(&self) -> String {
        "memory".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_records_are_kept() {
        let mut memory = Memory::last(2);
        for message in ["a", "b", "c"] {
            memory.handle(&Record::new(Level::INFO, "t", message)).expect("memory takes all");
        }
        let messages: Vec<_> = memory.records().into_iter().map(|record| record.message).collect();
        assert_eq!(messages, ["b", "c"]);
    }
}
