//! For tests of jobs: drivers for single mappers and reducers, and a torture for whole programs.
//!
//! The drivers use no files and no processes:
//!
//! ```
//! use gristmill::{Emitter, Result, map_text, testing};
//!
//! fn words(line: &str, out: &mut Emitter<'_, String, u64>) -> Result {
//!     line.split_whitespace().try_for_each(|word| out.emit(word, 1))
//! }
//!
//! let pairs = testing::map_text(map_text(words), "a rose is a rose").unwrap();
//! assert_eq!(pairs.iter().filter(|(word, _)| word == "rose").count(), 2);
//! ```
//!
//! [`Torture`] runs a program again and again under ever worse conditions, and compares what comes out.

mod drivers;
mod torture;

pub use drivers::{map_lines, map_text, reduce};
pub use torture::{Difference, Torture, TortureError, TortureFailure, TortureReport};
