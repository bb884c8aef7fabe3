//! The `Mapper` trait: the user's half of the map phase.
//!
//! It does not say how records are read or where pairs go.

use super::Emitter;
use crate::datum::Datum;
use crate::input::Input;
use crate::result::Result;

/// Turns records into pairs: `map(record) → list(key, value)`.
///
/// The framework calls it inside a worker, once per record of an input split, in the order of the input. Each
/// attempt at a map task works on a clone of the mapper that the job was built with: [`setup`](Mapper::setup), then
/// [`map`](Mapper::map) for every record, then [`cleanup`](Mapper::cleanup). State in `self` therefore lives for one
/// attempt, never longer.
///
/// Only [`map`](Mapper::map) is required. `Ok` goes on with the next record; `Err` or a panic ends the attempt, and
/// the task fails or is tried again from its start. An attempt's pairs and counters are used only if it ends well, so
/// a retry never counts a record twice. For output that does not depend on retries and schedules, `map` must depend
/// on its record, the job's parameters and the state of this attempt alone.
///
/// ```
/// use gristmill::{Emitter, Mapper, Result, Text};
///
/// #[derive(Clone)]
/// struct Words;
///
/// impl Mapper for Words {
///     type Input = Text;
///     type Key = String;
///     type Value = u64;
///
///     fn map(&mut self, line: &str, out: &mut Emitter<'_, String, u64>) -> Result {
///         line.split_whitespace().try_for_each(|word| out.emit(word, 1))
///     }
/// }
///
/// let pairs = gristmill::testing::map_text(Words, "to be or\nnot to be").unwrap();
/// assert_eq!(pairs[1], ("be".to_owned(), 1));
/// assert_eq!(pairs.len(), 6);
/// ```
pub trait Mapper: Clone + Send + Sync + 'static {
    /// The kind of record it reads.
    type Input: Input;
    /// The keys it emits.
    type Key: Datum;
    /// The values it emits.
    type Value: Datum;

    /// Called once before the first record of an attempt.
    ///
    /// # Errors
    /// Ends the attempt.
    fn setup(&mut self) -> Result {
        Ok(())
    }

    /// Called with each record.
    ///
    /// # Errors
    /// Ends the attempt; the failure names the record's input, offset and length.
    fn map(
        &mut self,
        record: <Self::Input as Input>::Record<'_>,
        out: &mut Emitter<'_, Self::Key, Self::Value>,
    ) -> Result;

    /// Called with the bytes of many whole records at once, line ends and all, before they are taken apart; `true` if that
    /// has mapped them. Otherwise, which is the default, [`map`](Mapper::map) is called with each of them.
    ///
    /// It is for mappers that find their way in a block faster than record by record, such as the tokenisers of
    /// [`gristmill::text`](crate::text), and must emit what `map` would. Only [`Text`](crate::Text),
    /// [`Lines`](crate::Lines) and [`Fixed`](crate::Fixed) have blocks. A task that is tried again is given its records one
    /// by one, so that a failure names the record.
    ///
    /// # Errors
    /// Ends the attempt; the failure names the block.
    #[inline]
    fn map_block(&mut self, block: &[u8], out: &mut Emitter<'_, Self::Key, Self::Value>) -> Result<bool> {
        let _ = (block, out);
        Ok(false)
    }

    /// Called once after the last record of an attempt; it may still emit.
    ///
    /// What is emitted here depends on where the input was split, and so does a job's output then.
    ///
    /// # Errors
    /// Ends the attempt.
    fn cleanup(&mut self, out: &mut Emitter<'_, Self::Key, Self::Value>) -> Result {
        let _ = out;
        Ok(())
    }
}
