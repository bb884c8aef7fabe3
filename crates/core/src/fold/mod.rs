//! Folding pairs by key in memory: a batch of pairs on its way, and the table that they are folded into.
//!
//! Mappers' workers and reducers' workers use the same table. Nothing here knows of partitions, runs or tasks.

mod batch;
mod homes;
mod keys;
mod probe;
mod slot;
mod table;
pub(crate) mod value;

pub(crate) use batch::{BATCH, Batch, Marks};
pub(crate) use keys::{Keys, Slot};
pub(crate) use slot::{Contents, Places};
pub(crate) use table::Table;

#[cfg(test)]
mod tests;
