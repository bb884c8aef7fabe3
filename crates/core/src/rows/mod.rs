//! Rows on their way from map to reduce, sorted into buckets as they come.
//!
//! A *bucket* is a part of a partition, fine enough that what reduce makes of one fits the cache; it shows in no
//! output. Nothing here folds, orders or reads rows.

mod arena;
mod borders;
mod buckets;
mod place;
mod range;

pub(crate) use borders::agreed;
pub(crate) use buckets::Buckets;
pub(crate) use place::{BatchPlaces, ByHash, ByPartitioner, Placement};
pub(crate) use range::ByRange;

#[cfg(test)]
mod tests;
