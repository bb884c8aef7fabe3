//! Where records go in the end: the handlers, which the listener alone owns.
//!
//! A handler receives records one after another in one thread. It knows nothing of queues and processes.

mod console;
mod memory;
mod rotating_file;

use std::io;
use std::time::SystemTime;

pub use console::Console;
pub use memory::Memory;
pub use rotating_file::{OpenError, RotateOptions, RotatingFile};
use tracing::Level;

use crate::Record;

/// Takes records and writes them somewhere.
///
/// All methods are called by the listener's thread, one at a time. A handler that returns an error or panics is
/// reported through the other handlers, once for each distinct message, and goes on to be called.
///
/// [`accepts`](Handler::accepts) and [`handle`](Handler::handle) are required. A handler that buffers also needs
/// [`flush`](Handler::flush).
///
/// ```
/// use std::io;
/// use gristmill_log::{Handler, Level, Record};
///
/// /// Counts errors.
/// struct Errors(u64);
///
/// impl Handler for Errors {
///     fn accepts(&self, level: &Level, _target: &str) -> bool {
///         *level == Level::ERROR
///     }
///     fn handle(&mut self, _record: &Record) -> io::Result<()> {
///         self.0 += 1;
///         Ok(())
///     }
/// }
/// ```
pub trait Handler: Send {
    /// Whether a record of this level and target is wanted. It is asked for every record and should be quick.
    fn accepts(&self, level: &Level, target: &str) -> bool;

    /// Takes one record.
    ///
    /// # Errors
    /// When the record could not be written. It is not offered again.
    fn handle(&mut self, record: &Record) -> io::Result<()>;

    /// Writes out what is buffered. The listener calls it when the queue is empty and before it ends.
    ///
    /// # Errors
    /// When something could not be written.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Tells the moment at which the listener started, from which elapsed times are counted. Called once, first.
    fn begin(&mut self, _origin: SystemTime) {}

    /// What the handler is called in reports.
    fn name(&self) -> String {
        std::any::type_name::<Self>().to_owned()
    }
}
