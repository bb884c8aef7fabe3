//! What can go wrong between a program and its listener.
//!
//! What goes wrong in handlers is reported through the log.

use std::io;

use crate::ring::LONGEST_LEVELS;
use crate::{DirectivesError, InstallError};

/// An endpoint could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The listener has stopped, or is about to.
    #[error("the log listener has stopped")]
    Stopped,
    /// The directives make no sense.
    #[error("log level directives `{directives}` are invalid")]
    Directives {
        /// The directives.
        directives: String,
        /// What is wrong with them.
        source: DirectivesError,
    },
    /// The memory or the channel for the queue could not be made.
    #[error("cannot make a log queue for {name}: {source}")]
    Queue {
        /// The process that it was for.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}

/// The levels of running processes, or of a handler, could not be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LevelsError {
    /// The directives make no sense.
    #[error("log level directives `{directives}` are invalid")]
    Directives {
        /// The directives.
        directives: String,
        /// What is wrong with them.
        source: DirectivesError,
    },
    /// There is no room for them in a queue's header.
    #[error(
        "log level directives are {len} bytes long, and running processes can be told {LONGEST_LEVELS} at most"
    )]
    TooLong {
        /// How long they are.
        len: usize,
    },
    /// No handler has this name.
    #[error("there is no log handler called {name:?}")]
    NoHandler {
        /// The name.
        name: String,
    },
}

/// The listener could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Its own channel, or its set of channels, could not be made.
    #[error("cannot make a channel for the log listener")]
    Channel(#[source] io::Error),
    /// The queue for the program's own records could not be made.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The thread could not be started.
    #[error("cannot start the log listener's thread")]
    Thread(#[source] io::Error),
}

/// A process could not be made to log to its own listener.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallOwnError {
    /// There is no queue for it.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// Its logging is installed already.
    #[error(transparent)]
    Install(#[from] InstallError),
}
