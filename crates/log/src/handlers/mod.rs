//! Where records go in the end: the handlers, which the listener alone owns.
//!
//! A handler receives records one after another in one thread. It knows nothing of queues and processes.

mod console;
mod file_builder;
mod filtered;
mod memory;
mod rotating_file;

use std::io;
use std::time::SystemTime;

pub use console::Console;
pub use file_builder::RotatingFileBuilder;
pub use filtered::{Filtered, HandlerLevels};
pub use memory::Memory;
pub use rotating_file::{OpenError, RotateOptions, RotatingFile};
use tracing::Level;

use crate::{Directives, DirectivesError, Record};

/// Takes records and writes them somewhere.
///
/// All methods are called by the listener's thread, one at a time. A handler that returns an error or panics is
/// reported through the other handlers, each distinct message once a minute, and goes on to be called.
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

    /// Whether this record is wanted, for handlers that want to see more of it than level and target.
    fn wants(&self, record: &Record) -> bool {
        self.accepts(&record.level, &record.target)
    }

    /// Takes one record.
    ///
    /// # Errors
    /// When the record could not be written. It is not offered again.
    fn handle(&mut self, record: &Record) -> io::Result<()>;

    /// Writes out what is buffered. The listener calls it when the queue is empty, and again later if it failed.
    ///
    /// # Errors
    /// When something could not be written.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Opens anew what it writes to, since somebody may have moved it away. See
    /// [`reopen`](crate::ListenerHandle::reopen).
    ///
    /// # Errors
    /// When that could not be opened.
    fn reopen(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Called once, when nothing more will come.
    ///
    /// # Errors
    /// When something could not be written, and is lost now.
    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }

    /// Tells the moment at which the listener started, from which elapsed times are counted. Called once, first.
    fn begin(&mut self, _origin: SystemTime) {}

    /// What the handler is called in reports.
    fn name(&self) -> String {
        std::any::type_name::<Self>().to_owned()
    }

    /// This handler, for those records alone that `predicate` wants, of those that it wants itself.
    ///
    /// ```
    /// use gristmill_log::{Console, Handler};
    ///
    /// let of_workers = Console::stderr().only(|record| record.process.starts_with("Worker-"));
    /// ```
    fn only(self, predicate: impl Fn(&Record) -> bool + Send + 'static) -> Filtered<Self>
    where
        Self: Sized,
    {
        Filtered::new(self, predicate)
    }

    /// This handler behind directives such as `info,noisy=warn`.
    ///
    /// # Errors
    /// When the directives make no sense.
    fn directives(self, directives: &str) -> Result<Filtered<Self>, DirectivesError>
    where
        Self: Sized,
    {
        Ok(self.filtered(directives.parse::<Directives>()?))
    }

    /// The same with [`Directives`] that have been read already, or with [`HandlerLevels`], which can be changed later.
    fn filtered(self, levels: impl Into<HandlerLevels>) -> Filtered<Self>
    where
        Self: Sized,
    {
        Filtered::new(self, |_| true).and_levels(levels.into())
    }
}

impl<H: Handler + ?Sized> Handler for Box<H> {
    fn accepts(&self, level: &Level, target: &str) -> bool {
        (**self).accepts(level, target)
    }

    fn wants(&self, record: &Record) -> bool {
        (**self).wants(record)
    }

    fn handle(&mut self, record: &Record) -> io::Result<()> {
        (**self).handle(record)
    }

    fn flush(&mut self) -> io::Result<()> {
        (**self).flush()
    }

    fn reopen(&mut self) -> io::Result<()> {
        (**self).reopen()
    }

    fn finish(&mut self) -> io::Result<()> {
        (**self).finish()
    }

    fn begin(&mut self, origin: SystemTime) {
        (**self).begin(origin);
    }

    fn name(&self) -> String {
        (**self).name()
    }
}
