//! A handler behind a filter of its own: directives, and a predicate that sees the whole record.
//!
//! It narrows what the handler inside takes, and changes nothing else about it.

use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use tracing::Level;

use super::Handler;
use crate::{Directives, Record};

/// The levels of a handler, which can be changed while a listener uses it. Clones are the same levels.
///
/// ```
/// use gristmill_log::{Console, Directives, Handler, HandlerLevels};
///
/// let levels = HandlerLevels::from("warn".parse::<Directives>()?);
/// let console = Console::stderr().filtered(levels.clone());
/// // Later, when more is to be seen:
/// levels.set("warn,my_crate=debug".parse()?);
/// # Ok::<(), gristmill_log::DirectivesError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HandlerLevels {
    directives: Arc<RwLock<Directives>>,
}

impl HandlerLevels {
    /// Other levels from the next record on.
    pub fn set(&self, directives: Directives) {
        *self.directives.write().unwrap_or_else(PoisonError::into_inner) = directives;
    }

    fn pass(&self, target: &str, level: Level) -> bool {
        self.directives.read().unwrap_or_else(PoisonError::into_inner).pass(target, level)
    }
}

impl From<Directives> for HandlerLevels {
    fn from(directives: Directives) -> Self {
        Self { directives: Arc::new(RwLock::new(directives)) }
    }
}

/// What [`Handler::only`] and [`Handler::directives`] make of a handler.
pub struct Filtered<H> {
    inner: H,
    levels: Option<HandlerLevels>,
    predicate: Box<dyn Fn(&Record) -> bool + Send>,
}

impl<H: Handler> Filtered<H> {
    pub(super) fn new(inner: H, predicate: impl Fn(&Record) -> bool + Send + 'static) -> Self {
        Self { inner, levels: None, predicate: Box::new(predicate) }
    }

    pub(super) fn and_levels(mut self, levels: HandlerLevels) -> Self {
        self.levels = Some(levels);
        self
    }
}

impl<H: Handler> Handler for Filtered<H> {
    fn accepts(&self, level: &Level, target: &str) -> bool {
        let let_through = self.levels.as_ref().is_none_or(|levels| levels.pass(target, *level));
        let_through && self.inner.accepts(level, target)
    }

    fn wants(&self, record: &Record) -> bool {
        self.accepts(&record.level, &record.target) && (self.predicate)(record) && self.inner.wants(record)
    }

    fn handle(&mut self, record: &Record) -> io::Result<()> {
        self.inner.handle(record)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.inner.reopen()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.inner.finish()
    }

    fn begin(&mut self, origin: SystemTime) {
        self.inner.begin(origin);
    }

    fn name(&self) -> String {
        self.inner.name()
    }
}

impl<H: Handler> fmt::Debug for Filtered<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filtered").field("inner", &self.inner.name()).field("levels", &self.levels).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Memory;

    #[test]
    fn both_filters_and_the_handler_must_want_a_record() {
        let handler = Memory::new()
            .level(tracing_subscriber::filter::LevelFilter::INFO)
            .only(|record| record.process == "Worker-1")
            .directives("debug,noisy=warn")
            .expect("directives");
        let wants = |level, target: &str, process: &str| {
            handler.wants(&Record { process: process.into(), ..Record::new(level, target, "m") })
        };
        assert!(wants(Level::INFO, "here", "Worker-1"));
        assert!(!wants(Level::INFO, "here", "Worker-2"));
        assert!(!wants(Level::INFO, "noisy", "Worker-1"));
        assert!(!wants(Level::DEBUG, "here", "Worker-1"));
    }
}
