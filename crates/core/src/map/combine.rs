//! The pair sink of a job with a combiner: a table while that pays, rows when it does not.
//!
//! It lives as long as its worker, across tasks. It does not keep the order of values: a combiner gives that up.

use gristmill_ipc::codec;

use super::rows::RowSink;
use crate::api::Combiner;
use crate::collect::PairSink;
use crate::datum::Datum;
use crate::flight::{Flight, Stage};
use crate::fold::{Batch, Places, Table};
use crate::result::Result;
use crate::rows::{Buckets, Placement};
use crate::run::RunWriter;

/// Tables up to this many keys lie in the cache, where folding is cheap whether it pays or not.
const CACHED_KEYS: usize = 32 << 10;
/// Beyond that, a table has to see this many pairs for each new key. Otherwise most pairs only wait for memory.
const LEAST_GAIN: u64 = 2;

/// Folds the pairs of a worker until they are spilled.
pub(crate) struct CombineSink<V, C> {
    combiner: C,
    table: Table<V>,
    flight: Flight,
    table_limit: usize,
    rows: RowSink,
    /// For pairs that come with encoded values. Lost if user code fails with one of them.
    decoded: Option<Batch<V>>,
    /// Whether pairs go into rows as they come, until the next commit.
    direct: bool,
    /// Whether they always do.
    always_direct: bool,
    /// How many pairs for each new key a large table has to see.
    least_gain: u64,
    /// Pairs and keys since the table grew.
    pairs: u64,
    keys_before: usize,
}

impl<V: Datum, C: Combiner<V>> CombineSink<V, C> {
    /// A sink that holds about `limit` bytes: one half for the table, one for rows.
    pub(crate) fn new(
        combiner: C,
        placement: Placement,
        buckets: Buckets,
        limit: usize,
        flight: Flight,
    ) -> Self {
        Self {
            combiner,
            table: Table::new(Places::Mixed(0)),
            flight,
            table_limit: limit / 2,
            rows: RowSink::new(placement, buckets, limit / 2),
            decoded: None,
            direct: false,
            always_direct: false,
            least_gain: LEAST_GAIN,
            pairs: 0,
            keys_before: 0,
        }
    }

    /// The same sink, that never combines.
    pub(crate) fn without_table(mut self) -> Self {
        (self.direct, self.always_direct) = (true, true);
        self
    }

    /// The same sink, that never asks whether the table pays.
    #[cfg(feature = "bench")]
    pub(crate) fn always_table(mut self) -> Self {
        self.least_gain = 0;
        self
    }

    /// Makes room in the table for one more batch; true if it had to be emptied for that.
    #[cold]
    fn make_room(&mut self) -> Result<bool> {
        let new_keys = (self.table.len() - self.keys_before) as u64;
        let pays = self.table.len() < CACHED_KEYS || self.pairs >= self.least_gain * new_keys;
        let fits = self.table.held() + self.table.growth() <= self.table_limit;
        if pays && fits {
            self.table.grow();
            (self.pairs, self.keys_before) = (0, self.table.len());
            return Ok(false);
        }
        if self.table.is_empty() {
            // Not even the smallest table fits.
            self.table.grow();
            return Ok(false);
        }
        self.direct = !pays;
        self.empty_table()?;
        Ok(true)
    }

    /// Makes rows of what is in the table.
    fn empty_table(&mut self) -> Result {
        // What fails from here on is of many records at once, and the page keeps saying so.
        let before = self.flight.enter(Stage::Commit);
        let Self { table, rows, .. } = self;
        table.drain(|slots, contents| rows.put_slots(slots, contents))?;
        (self.pairs, self.keys_before) = (0, 0);
        self.flight.stage(before);
        Ok(())
    }
}

impl<V: Datum, C: Combiner<V>> PairSink<V> for CombineSink<V, C> {
    fn begin(&mut self, _split: u32) -> Result {
        Ok(())
    }

    fn push(&mut self, batch: &mut Batch<V>) -> Result<bool> {
        let emptied = !self.direct && !self.table.has_room() && self.make_room()?;
        if self.direct {
            batch.expect_nowhere();
            self.rows.put(batch, 0)?;
            return Ok(self.rows.is_full());
        }
        self.pairs += batch.keys().len() as u64;
        self.table.probe().fold(batch, &self.combiner)?;
        Ok(emptied || self.table.held() > self.table_limit.max(self.table.least()))
    }

    fn discard(&mut self) {
        self.table = Table::new(Places::Mixed(0));
        (self.pairs, self.keys_before) = (0, 0);
    }

    fn push_coded(&mut self, batch: &mut Batch<usize>, codes: &[u8]) -> Result<bool> {
        if self.direct {
            self.rows.put_coded::<V>(batch, 0, codes)?;
            return Ok(self.rows.is_full());
        }
        let decoded = self.decoded.take();
        let mut decoded = decoded.unwrap_or_else(|| Batch::noting(self.flight.clone()));
        batch.decode_into(codes, &mut decoded, |code| Ok(codec::decode(code)?))?;
        let full = self.push(&mut decoded)?;
        self.decoded = Some(decoded);
        Ok(full)
    }

    fn is_empty(&self) -> bool {
        self.table.is_empty() && self.rows.is_empty()
    }

    fn spill(&mut self, run: &mut RunWriter, spill: u32) -> Result {
        self.empty_table()?;
        self.direct = self.always_direct;
        self.rows.spill(run, spill)
    }
}
