//! What a run has come to, added up task by task: progress lines on the way, a summary at the end.
//!
//! Only what is committed counts.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use crate::plan::Context;
use crate::worker::Report;

/// The sums so far.
#[derive(Debug)]
pub(crate) struct Totals {
    progress_every: u64,
    /// Tasks that this run has loaded.
    loaded: u64,
    /// Tasks that were in the database already.
    before: u64,
    read: u64,
    left_out: u64,
    existing: u64,
    refused: u64,
    /// Rows that this run has inserted, by table.
    inserted: Vec<u64>,
    last_key: Option<String>,
    unknown: BTreeMap<String, u64>,
}

impl Totals {
    pub(crate) fn new(progress_every: u64) -> Self {
        Self {
            progress_every,
            loaded: 0,
            before: 0,
            read: 0,
            left_out: 0,
            existing: 0,
            refused: 0,
            inserted: Vec::new(),
            last_key: None,
            unknown: BTreeMap::new(),
        }
    }

    /// Adds a task. One that was tried again may be in the database because of this very run.
    pub(crate) fn add(&mut self, context: &Context, report: Report, tried_again: bool) {
        let outcome = report.outcome;
        self.refused += report.rejects.len() as u64;
        self.last_key = context.later(self.last_key.take(), outcome.last_key);
        if report.before && !tried_again {
            self.before += 1;
            return;
        }
        self.loaded += 1;
        self.read += outcome.read;
        self.left_out += outcome.left_out;
        self.existing += outcome.existing;
        for (path, documents) in outcome.unknown {
            *self.unknown.entry(path).or_default() += documents;
        }
        let earlier = self.rows();
        self.inserted.resize(context.schema.tables.len(), 0);
        self.inserted.iter_mut().zip(outcome.inserted).for_each(|(sum, rows)| *sum += rows);
        for step in earlier / self.progress_every + 1..=self.rows() / self.progress_every {
            tracing::info!("{} rows inserted", step * self.progress_every);
        }
    }

    /// All rows that this run has inserted.
    pub(crate) fn rows(&self) -> u64 {
        self.inserted.iter().sum()
    }

    /// Tasks that this run has loaded.
    pub(crate) fn tasks(&self) -> u64 {
        self.loaded
    }

    /// Whether documents were set aside.
    pub(crate) fn has_refused(&self) -> bool {
        self.refused > 0
    }

    /// Warns of fields that no column takes.
    pub(crate) fn warn(&self) {
        for (path, documents) in &self.unknown {
            tracing::warn!("field `{path}` is in {documents} documents and in no column");
        }
    }

    /// What is printed at the end.
    pub(crate) fn summary(&self, context: &Context) -> Result<String, fmt::Error> {
        let mut text = String::new();
        let Self { loaded, before, read, left_out, existing, refused, .. } = self;
        writeln!(text, "tasks: {loaded} loaded, {before} loaded before")?;
        writeln!(
            text,
            "documents: {read} read, {left_out} not selected, {existing} in the table before, {refused} set aside"
        )?;
        for (at, table) in context.schema.tables.iter().enumerate() {
            let rows = self.inserted.get(at).unwrap_or(&0);
            writeln!(text, "table {}: {rows} rows inserted", table.name)?;
        }
        if let Some(key) = &self.last_key {
            let column = &context.plan.key;
            writeln!(text, "last {column}: {key} (next time: --key {column} --after {key})")?;
        }
        Ok(text)
    }
}
