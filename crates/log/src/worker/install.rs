//! Puts the layer in place as this process's `tracing` subscriber, and as its `log` logger.
//!
//! It does so once; a process that has others already is told so.

use std::sync::Arc;

use tracing_log::AsTrace;
use tracing_subscriber::layer::SubscriberExt;

use super::endpoint::{AttachError, Endpoint};
use super::gate::Gate;
use super::layer::QueueLayer;
use super::producer::Producer;
use crate::directives::{Directives, DirectivesError};

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
        source: DirectivesError,
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
    let directives = parse(&endpoint.directives)?;
    install_gated(Arc::new(endpoint.attach()?), directives)
}

/// The same for a process whose queue is in use already.
pub(crate) fn install_producer(producer: Arc<Producer>, directives: &str) -> Result<(), InstallError> {
    install_gated(producer, parse(directives)?)
}

fn parse(directives: &str) -> Result<Directives, InstallError> {
    let invalid = |source| InstallError::Directives { directives: directives.to_owned(), source };
    directives.parse().map_err(invalid)
}

fn install_gated(producer: Arc<Producer>, directives: Directives) -> Result<(), InstallError> {
    let gate = Arc::new(Gate::new(producer.ring().clone(), directives));
    let layer = QueueLayer { producer, gate: Arc::clone(&gate) };
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;
    log::set_boxed_logger(Box::new(GatedLogger { gate }))?;
    // The gate decides: the levels may be changed at any time.
    log::set_max_level(log::LevelFilter::Trace);
    Ok(())
}

/// Passes the records of the `log` crate that the gate lets through on to the layer.
struct GatedLogger {
    gate: Arc<Gate>,
}

impl log::Log for GatedLogger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        self.gate.passes_log(metadata.target(), metadata.level().as_trace())
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            // It has no way to fail.
            drop(tracing_log::format_trace(record));
        }
    }

    fn flush(&self) {}
}
