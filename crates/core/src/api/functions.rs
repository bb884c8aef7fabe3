//! Plain functions and closures as mappers and reducers.
//!
//! It adds nothing to the traits but the wrapping.

use std::fmt;
use std::marker::PhantomData;

use super::{Emitter, Group, Mapper, Out, Reducer, Values};
use crate::datum::Datum;
use crate::input::{Input, Items, Lines, Text};
use crate::result::Result;

/// A function as a mapper; made by [`map_fn`], [`map_text`] or [`map_lines`].
pub struct MapFn<I, K, V, F> {
    function: F,
    types: PhantomData<fn(I) -> (K, V)>,
}

/// Wraps a function `(record, &mut Emitter<K, V>) -> Result` over records of any kind.
pub fn map_fn<I, K, V, F>(function: F) -> MapFn<I, K, V, F>
where
    I: Input,
    F: Fn(I::Record<'_>, &mut Emitter<'_, K, V>) -> Result + Clone + Send + Sync + 'static,
{
    MapFn { function, types: PhantomData }
}

/// Wraps a function over lines of text.
///
/// ```
/// fn words(line: &str, out: &mut gristmill::Emitter<'_, String, u64>) -> gristmill::Result {
///     line.split_whitespace().try_for_each(|word| out.emit(word, 1))
/// }
///
/// let pairs = gristmill::testing::map_text(gristmill::map_text(words), "two words").unwrap();
/// assert_eq!(pairs, [("two".to_owned(), 1), ("words".to_owned(), 1)]);
/// ```
pub fn map_text<K, V, F>(function: F) -> MapFn<Text, K, V, F>
where
    F: Fn(&str, &mut Emitter<'_, K, V>) -> Result + Clone + Send + Sync + 'static,
{
    MapFn { function, types: PhantomData }
}

/// Wraps a function over lines of bytes.
pub fn map_lines<K, V, F>(function: F) -> MapFn<Lines, K, V, F>
where
    F: Fn(&[u8], &mut Emitter<'_, K, V>) -> Result + Clone + Send + Sync + 'static,
{
    MapFn { function, types: PhantomData }
}

/// Wraps a function over in-memory items.
///
/// ```
/// use gristmill::{Emitter, Job, Result, Sum, map_items};
///
/// fn last_digit(number: u64, out: &mut Emitter<'_, u64, u64>) -> Result {
///     out.emit(&(number % 10), 1)
/// }
///
/// let job = Job::new(map_items(last_digit)).fold_with(Sum);
/// ```
pub fn map_items<T, K, V, F>(function: F) -> MapFn<Items<T>, K, V, F>
where
    T: Datum,
    F: Fn(T, &mut Emitter<'_, K, V>) -> Result + Clone + Send + Sync + 'static,
{
    MapFn { function, types: PhantomData }
}

impl<I, K, V, F> Mapper for MapFn<I, K, V, F>
where
    I: Input,
    K: Datum,
    V: Datum,
    F: Fn(I::Record<'_>, &mut Emitter<'_, K, V>) -> Result + Clone + Send + Sync + 'static,
{
    type Input = I;
    type Key = K;
    type Value = V;

    fn map(&mut self, record: I::Record<'_>, out: &mut Emitter<'_, K, V>) -> Result {
        (self.function)(record, out)
    }
}

impl<I, K, V, F: Clone> Clone for MapFn<I, K, V, F> {
    fn clone(&self) -> Self {
        Self { function: self.function.clone(), types: PhantomData }
    }
}

impl<I, K, V, F> fmt::Debug for MapFn<I, K, V, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapFn").finish_non_exhaustive()
    }
}

/// A function as a reducer; made by [`reduce_fn`].
pub struct ReduceFn<K, V, OK, OV, F> {
    function: F,
    types: PhantomData<Signature<K, V, OK, OV>>,
}

/// From which keys and values to which.
type Signature<K, V, OK, OV> = fn(K, V) -> (OK, OV);

/// Wraps a function `(key, values, &mut Out<OK, OV>) -> Result`.
pub fn reduce_fn<K, V, OK, OV, F>(function: F) -> ReduceFn<K, V, OK, OV, F>
where
    F: Fn(Group<'_, K>, Values<'_, V>, &mut Out<'_, OK, OV>) -> Result + Clone + Send + Sync + 'static,
{
    ReduceFn { function, types: PhantomData }
}

impl<K, V, OK, OV, F> Reducer for ReduceFn<K, V, OK, OV, F>
where
    K: Datum,
    V: Datum,
    OK: Datum,
    OV: Datum,
    F: Fn(Group<'_, K>, Values<'_, V>, &mut Out<'_, OK, OV>) -> Result + Clone + Send + Sync + 'static,
{
    type Key = K;
    type Value = V;
    type OutKey = OK;
    type OutValue = OV;

    fn reduce(&mut self, key: Group<'_, K>, values: Values<'_, V>, out: &mut Out<'_, OK, OV>) -> Result {
        (self.function)(key, values, out)
    }
}

impl<K, V, OK, OV, F: Clone> Clone for ReduceFn<K, V, OK, OV, F> {
    fn clone(&self) -> Self {
        Self { function: self.function.clone(), types: PhantomData }
    }
}

impl<K, V, OK, OV, F> fmt::Debug for ReduceFn<K, V, OK, OV, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReduceFn").finish_non_exhaustive()
    }
}
