//! What a user of the library writes and is given: the traits, the emitter, the values.
//!
//! Nothing here reads a file, starts a process or knows which executor runs it.

mod combiner;
mod emitter;
mod functions;
mod mapper;
mod out;
mod partitioner;
mod reducer;
mod values;

pub use combiner::{Combiner, Max, Min, Sum};
pub use emitter::Emitter;
pub use functions::{MapFn, ReduceFn, map_fn, map_items, map_lines, map_text, reduce_fn};
pub use mapper::Mapper;
pub use out::Out;
pub use partitioner::{HashPartitioner, Partitioner};
pub use reducer::{Group, Reducer};
pub use values::Values;

pub(crate) use emitter::Target;
pub(crate) use values::{Lent, ValueStream};
