//! The values of one key, as a reducer sees them.
//!
//! They are lent one at a time from whatever holds them; nothing here collects them.

use std::fmt;
use std::marker::PhantomData;

use gristmill_ipc::codec;
use serde::Deserialize;

use crate::datum::Datum;
use crate::fold::value::{self, is_word};
use crate::result::Result;

/// Encoded values of the current key, one after the other.
pub(crate) trait ValueStream {
    /// The next value, or `None` at the end of the key.
    fn next_value(&mut self) -> Result<Option<Lent<'_>>>;

    /// Told of a value that does not decode, so that the attempt fails even if user code drops the error.
    fn lost(&mut self, why: String);
}

/// A value of the current key in its encoded form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lent<'r> {
    pub(crate) code: &'r [u8],
    /// Whether it is known that the key has no more: most have one, and need not be asked again.
    pub(crate) last: bool,
}

/// The values of one key, one at a time.
///
/// It is no [`Iterator`], because reading a value may fail: `while let Some(value) = values.next()?` goes through it.
///
/// ```
/// use gristmill::{Group, Out, Result, Values, reduce_fn, testing};
///
/// fn mean(key: Group<'_, String>, mut values: Values<'_, f64>, out: &mut Out<'_, String, f64>) -> Result {
///     let (mut sum, mut count) = (0.0, 0);
///     while let Some(value) = values.next()? {
///         (sum, count) = (sum + value, count + 1);
///     }
///     out.emit(key.decode::<&str>()?, &(sum / f64::from(count)))
/// }
///
/// let readings = [("oslo".to_owned(), 1.0), ("oslo".to_owned(), 2.0)];
/// assert_eq!(testing::reduce(reduce_fn(mean), readings).unwrap(), [("oslo".to_owned(), 1.5)]);
/// ```
pub struct Values<'a, V> {
    source: Source<'a, V>,
    /// Whether the source is known to have no more, and need not be asked.
    over: bool,
    /// Why a value was lost that was to be lent: the source is told when nothing can be lent of it any more.
    lost: Option<String>,
    /// What a value is encoded in that is wanted in another form.
    encoded: Vec<u8>,
}

enum Source<'a, V> {
    /// The one value that a combiner has left.
    Folded(Option<V>),
    Stream(&'a mut dyn ValueStream, PhantomData<fn() -> V>),
}

impl<'a, V> Values<'a, V> {
    pub(crate) fn folded(value: V) -> Self {
        Self { source: Source::Folded(Some(value)), over: false, lost: None, encoded: Vec::new() }
    }

    pub(crate) fn stream(stream: &'a mut dyn ValueStream) -> Self {
        Self { source: Source::Stream(stream, PhantomData), over: false, lost: None, encoded: Vec::new() }
    }

    /// The next value, or `None` after the last.
    ///
    /// This is not [`Iterator::next`]: reading a value may fail.
    ///
    /// # Errors
    /// When a run cannot be read or a value does not decode as `V`.
    #[expect(
        clippy::should_implement_trait,
        reason = "it returns a Result, and values may be borrowed instead"
    )]
    pub fn next(&mut self) -> Result<Option<V>>
    where
        V: Datum,
    {
        match &mut self.source {
            Source::Folded(value) => Ok(value.take()),
            Source::Stream(..) if self.over => Ok(None),
            Source::Stream(stream, _) => {
                let Some(lent) = stream.next_value()? else { return Ok(None) };
                self.over = lent.last;
                let decoded = value::decode(lent.code).map(Some);
                decoded.inspect_err(|error| stream.lost(error.to_string()))
            }
        }
    }

    /// The next value as `T`, which may borrow from the run: `&str` for `String`, `(&str, u32)` for `(String, u32)`.
    ///
    /// # Errors
    /// As [`Values::next`].
    pub fn next_as<'s, T>(&'s mut self) -> Result<Option<T>>
    where
        T: Deserialize<'s>,
        V: Datum,
    {
        let value = match &mut self.source {
            Source::Folded(value) => value.take(),
            Source::Stream(..) if self.over => None,
            Source::Stream(stream, _) => {
                let Some(lent) = stream.next_value()? else { return Ok(None) };
                self.over = lent.last;
                // Rows hold integers in a form of their own.
                if !is_word::<V>() {
                    let decoded = codec::decode(lent.code).map(Some);
                    return Ok(decoded.inspect_err(|error| self.lost = Some(error.to_string()))?);
                }
                Some(value::decode(lent.code).inspect_err(|error| self.lost = Some(error.to_string()))?)
            }
        };
        let Some(value) = value else { return Ok(None) };
        self.encoded = codec::encode(&value)?;
        Ok(Some(codec::decode(&self.encoded)?))
    }
}

impl<V> Values<'_, V> {
    /// Tells the source which value was lost.
    #[cold]
    fn tell(&mut self) {
        if let (Source::Stream(stream, _), Some(why)) = (&mut self.source, self.lost.take()) {
            stream.lost(why);
        }
    }
}

impl<V> Drop for Values<'_, V> {
    fn drop(&mut self) {
        if self.lost.is_some() {
            self.tell();
        }
    }
}

impl<V> fmt::Debug for Values<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One value that is none.
    #[derive(Default)]
    struct Bad {
        told: Vec<String>,
    }

    impl ValueStream for Bad {
        fn next_value(&mut self) -> Result<Option<Lent<'_>>> {
            Ok(Some(Lent { code: &[0xff; 9], last: true }))
        }

        fn lost(&mut self, why: String) {
            self.told.push(why);
        }
    }

    fn told<V: Datum>(take: impl FnOnce(&mut Values<'_, V>) -> bool) -> Vec<String> {
        let mut bad = Bad::default();
        let mut values = Values::stream(&mut bad);
        assert!(!take(&mut values), "the value does not decode");
        assert!(values.next().expect("the end").is_none(), "it was the last");
        drop(values);
        bad.told
    }

    #[test]
    fn a_value_that_does_not_decode_is_told_of_though_user_code_drops_the_error() {
        for told in [
            told::<String>(|values| values.next().is_ok()),
            told::<String>(|values| values.next_as::<&str>().is_ok()),
            told::<u64>(|values| values.next().is_ok()),
            told::<u64>(|values| values.next_as::<u64>().is_ok()),
        ] {
            assert_eq!(told.len(), 1, "{told:?}");
        }
    }
}
