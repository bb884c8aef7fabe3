//! The result type of user code and of everything that runs inside a task attempt.
//!
//! It does not describe failed jobs: those are [`crate::Error`].

/// Any error, as user code returns it: `?` works on every standard error and on strings.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What mappers, reducers, combiners and readers return.
pub type Result<T = (), E = BoxError> = std::result::Result<T, E>;
