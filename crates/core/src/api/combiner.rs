//! The `Combiner` trait and the combiners that most jobs need.
//!
//! It does not hold the table that combiners work on: that is in `fold`.

use std::fmt::Display;

use crate::result::{BoxError, Result};

/// Folds two values of one key into one, before the shuffle and after it.
///
/// It must be associative and commutative: it is applied in any order, any number of times, in mappers' workers and
/// in reducers'. Sums of floating-point numbers are not associative; reduce those without a combiner.
///
/// A closure `Fn(&mut V, V) -> Result` is a combiner.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot combine values of type `{V}`",
    label = "not a combiner of `{V}`",
    note = "`Sum` adds integers, `Min` and `Max` compare values that are `Ord`; a closure \
            `|acc: &mut {V}, next: {V}| -> Result` combines any values",
    note = "floating-point sums depend on the order of addition: hand such values to `reduce_with` alone"
)]
pub trait Combiner<V>: Clone + Send + Sync + 'static {
    /// Whether no call can panic or end the process, so that there is no need to note for whose pair it was.
    #[doc(hidden)]
    const CANNOT_DIE: bool = false;

    /// Folds `next` into `acc`.
    ///
    /// # Errors
    /// Ends the attempt that is running.
    fn combine(&self, acc: &mut V, next: V) -> Result;

    /// Bytes that `acc` holds on the heap, for the memory budget. Needed only for accumulators that grow.
    fn heap(&self, acc: &V) -> usize {
        let _ = acc;
        0
    }
}

impl<V, F> Combiner<V> for F
where
    F: Fn(&mut V, V) -> Result + Clone + Send + Sync + 'static,
{
    fn combine(&self, acc: &mut V, next: V) -> Result {
        self(acc, next)
    }
}

/// Adds integers; a sum that overflows is an error.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sum;

macro_rules! sum_of_integers {
    ($($int:ty),*) => {$(
        impl Combiner<$int> for Sum {
            const CANNOT_DIE: bool = true;

            #[inline]
            fn combine(&self, acc: &mut $int, next: $int) -> Result {
                match acc.checked_add(next) {
                    Some(sum) => *acc = sum,
                    None => return Err(overflow(*acc, next, stringify!($int))),
                }
                Ok(())
            }
        }
    )*};
}

#[cold]
#[inline(never)]
fn overflow(acc: impl Display, next: impl Display, kind: &str) -> BoxError {
    format!("the sum {acc} + {next} overflows {kind}").into()
}

sum_of_integers!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

/// Keeps the smallest value.
#[derive(Debug, Clone, Copy, Default)]
pub struct Min;

impl<V: Ord + 'static> Combiner<V> for Min {
    fn combine(&self, acc: &mut V, next: V) -> Result {
        if next < *acc {
            *acc = next;
        }
        Ok(())
    }
}

/// Keeps the greatest value.
#[derive(Debug, Clone, Copy, Default)]
pub struct Max;

impl<V: Ord + 'static> Combiner<V> for Max {
    fn combine(&self, acc: &mut V, next: V) -> Result {
        if next > *acc {
            *acc = next;
        }
        Ok(())
    }
}
