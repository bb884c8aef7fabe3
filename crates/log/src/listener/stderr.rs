//! Logging to standard error in one line of a program.
//!
//! It puts together what is there; programs that want more put it together themselves.

use super::{InstallOwnError, Listener, StartError};
use crate::{Console, DirectivesError};

/// [`log_to_stderr`] has failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogToStderrError {
    /// The directives make no sense.
    #[error("log level directives `{directives}` are invalid")]
    Directives {
        /// The directives.
        directives: String,
        /// What is wrong with them.
        source: DirectivesError,
    },
    /// There is no listener.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It cannot be used by this process.
    #[error(transparent)]
    Install(#[from] InstallOwnError),
}

/// Starts a listener that writes to standard error, and sends this process's own records to it. Other processes get
/// their endpoints from its handle.
///
/// ```no_run
/// let log = gristmill_log::log_to_stderr("info")?;
/// tracing::info!("hello");
/// # Ok::<(), gristmill_log::LogToStderrError>(())
/// ```
///
/// # Errors
/// When the directives make no sense, the listener cannot be started, or logging has been installed by somebody else.
pub fn log_to_stderr(directives: &str) -> Result<Listener, LogToStderrError> {
    let invalid = |source| LogToStderrError::Directives { directives: directives.to_owned(), source };
    let builder = Listener::builder().levels(directives).map_err(invalid)?;
    let listener = builder.handler(Console::stderr()).start()?;
    listener.install()?;
    Ok(listener)
}
