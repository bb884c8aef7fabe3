//! The handler that keeps records, for tests.
//!
//! It formats nothing and forgets nothing.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use super::Handler;
use crate::Record;

/// Collects records. Clones share them, so a test keeps one and gives the other to the listener.
#[derive(Clone, Debug)]
pub struct Memory {
    records: Arc<Mutex<Vec<Record>>>,
    level: LevelFilter,
}

impl Memory {
    /// Collects all records.
    #[must_use]
    pub fn new() -> Self {
        Self { records: Arc::default(), level: LevelFilter::TRACE }
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
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Record>> {
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
        self.lock().push(record.clone());
        Ok(())
    }

    fn name(&self) -> String {
        "memory".to_owned()
    }
}
