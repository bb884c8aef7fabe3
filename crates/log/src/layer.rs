//! The worker's one handler: a `tracing` layer that turns events into records and enqueues them.
//!
//! It filters before it formats and formats before it enqueues. It opens nothing, prints nothing and makes no
//! events of its own.

use std::cell::Cell;
use std::sync::Arc;

use tracing::{Event, Subscriber};
use tracing_log::{LogTracer, NormalizeEvent};
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::context;
use crate::endpoint::{AttachError, Endpoint, Producer};
use crate::fields::Fields;
use crate::record::{Wire, now};

/// Logging could not be installed in this process.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The endpoint cannot be used.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// The endpoint's directives make no sense.
    #[error("log level directives `{directives}` are invalid")]
    Directives {
        /// The directives.
        directives: String,
        /// What is wrong with them.
        source: ParseError,
    },
    /// The process has a `tracing` subscriber already.
    #[error("another `tracing` subscriber is installed in this process")]
    Subscriber(#[from] tracing::subscriber::SetGlobalDefaultError),
    /// The process has a `log` logger already.
    #[error("another `log` logger is installed in this process")]
    Logger(#[from] tracing_log::log_tracer::SetLoggerError),
}

/// Sends all `tracing` events and `log` records of this process, as far as the endpoint's directives let them
/// through, to the listener. To be called once, early in `main`.
///
/// # Errors
/// When the endpoint is in use or damaged, or logging has been installed by somebody else.
pub fn install(endpoint: Endpoint) -> Result<(), InstallError> {
    let targets = parse_directives(&endpoint.directives)
        .map_err(|source| InstallError::Directives { directives: endpoint.directives.clone(), source })?;
    let most = Layer::<tracing_subscriber::Registry>::max_level_hint(&targets).unwrap_or(LevelFilter::TRACE);
    let layer = QueueLayer { producer: Arc::new(endpoint.attach()?) };
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(targets).with(layer))?;
    LogTracer::builder().with_max_level(log_level(most)).init()?;
    Ok(())
}

/// Reads directives such as `info,mycrate=debug,noisy=off`.
pub(crate) fn parse_directives(directives: &str) -> Result<Targets, ParseError> {
    directives.parse()
}

fn log_level(level: LevelFilter) -> log::LevelFilter {
    match level {
        LevelFilter::OFF => log::LevelFilter::Off,
        LevelFilter::ERROR => log::LevelFilter::Error,
        LevelFilter::WARN => log::LevelFilter::Warn,
        LevelFilter::INFO => log::LevelFilter::Info,
        LevelFilter::DEBUG => log::LevelFilter::Debug,
        LevelFilter::TRACE => log::LevelFilter::Trace,
    }
}

struct QueueLayer {
    producer: Arc<Producer>,
}

thread_local! {
    /// The text of the last event, for its capacity. It is taken out while an event is formatted, since a value's
    /// formatting may log as well.
    static TEXT: Cell<Fields> = Cell::default();
}

impl<S: Subscriber> Layer<S> for QueueLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if context::is_muted() {
            return;
        }
        let mut fields = TEXT.try_with(Cell::take).unwrap_or_default();
        event.record(&mut fields);
        self.enqueue(event, fields.finish());
        fields.clear();
        // Only a thread that is ending has no place for it.
        let _kept = TEXT.try_with(|text| text.set(fields));
    }
}

impl QueueLayer {
    fn enqueue(&self, event: &Event<'_>, message: &str) {
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        let thread = std::thread::current();
        let current = context::current();
        self.producer.enqueue(Wire {
            time: now(),
            level: *metadata.level(),
            target: metadata.target(),
            message,
            process: self.producer.name(),
            pid: self.producer.pid(),
            thread: thread.name(),
            job: current.job.as_deref(),
            task: current.task.as_deref(),
            attempt: current.attempt,
            file: metadata.file(),
            line: metadata.line(),
            sequence: 0,
        });
    }
}
