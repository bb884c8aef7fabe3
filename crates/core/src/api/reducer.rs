//! The `Reducer` trait: the user's half of the reduce phase.
//!
//! It does not merge runs or write files.

use super::{Out, Values};
use crate::datum::Datum;
use crate::key::KeyRef;
use crate::result::Result;

/// The key of the group that is being reduced.
pub type Group<'a, K> = KeyRef<'a, K>;

/// Turns all values of one key into results: `reduce(key, list(value)) → list(key, value)`.
///
/// The framework calls it inside a worker, once per key of a partition, in the order of the keys. Each attempt at a
/// reduce task works on a clone: [`setup`](Reducer::setup), then [`reduce`](Reducer::reduce) for every key, then
/// [`cleanup`](Reducer::cleanup).
///
/// Only [`reduce`](Reducer::reduce) is required. Values stream: they are lent one at a time, and values that are
/// not asked for are skipped. They come in the order of input split and record; with a combiner there is exactly one
/// value, the fold of them all. `Err` or a panic ends the attempt, and its output is dropped as a whole.
///
/// ```
/// use gristmill::{Group, Out, Reducer, Result, Values};
///
/// /// The longest run of values that grow.
/// #[derive(Clone)]
/// struct LongestRise;
///
/// impl Reducer for LongestRise {
///     type Key = String;
///     type Value = i64;
///     type OutKey = String;
///     type OutValue = usize;
///
///     fn reduce(
///         &mut self,
///         key: Group<'_, String>,
///         mut values: Values<'_, i64>,
///         out: &mut Out<'_, String, usize>,
///     ) -> Result {
///         let (mut longest, mut current, mut last) = (0, 0, None);
///         while let Some(value) = values.next()? {
///             current = if last.is_none_or(|last| value > last) { current + 1 } else { 1 };
///             (longest, last) = (longest.max(current), Some(value));
///         }
///         out.emit(key.decode::<&str>()?, &longest)
///     }
/// }
///
/// let pairs = [("a".to_owned(), 1), ("a".to_owned(), 5), ("a".to_owned(), 2)];
/// assert_eq!(gristmill::testing::reduce(LongestRise, pairs).unwrap(), [("a".to_owned(), 2)]);
/// ```
pub trait Reducer: Clone + Send + Sync + 'static {
    /// The keys that the mapper emits.
    type Key: Datum;
    /// The values that the mapper emits.
    type Value: Datum;
    /// The keys of the results.
    type OutKey: Datum;
    /// The values of the results.
    type OutValue: Datum;

    /// Called once before the first key of an attempt.
    ///
    /// # Errors
    /// Ends the attempt.
    fn setup(&mut self) -> Result {
        Ok(())
    }

    /// Called with each key and its values.
    ///
    /// # Errors
    /// Ends the attempt; the failure names the key.
    fn reduce(
        &mut self,
        key: Group<'_, Self::Key>,
        values: Values<'_, Self::Value>,
        out: &mut Out<'_, Self::OutKey, Self::OutValue>,
    ) -> Result;

    /// Called once after the last key of an attempt; it may still emit.
    ///
    /// # Errors
    /// Ends the attempt.
    fn cleanup(&mut self, out: &mut Out<'_, Self::OutKey, Self::OutValue>) -> Result {
        let _ = out;
        Ok(())
    }
}
