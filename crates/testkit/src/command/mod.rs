//! Runs a program as a test sees it: arguments and input in, output, status and duration out, within a time limit.
//!
//! It judges nothing by itself except the limit. A program that exceeds it is killed with its whole process group and
//! everything that descends from it, and the test fails with what was printed so far.

mod capture;
mod finished;
mod running;
mod stop;

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

pub use finished::Finished;
pub use running::{Running, Stream};
pub use rustix::process::Signal;
pub(crate) use stop::kill_descendants;

const DEFAULT_LIMIT: Duration = Duration::from_secs(60);

/// A program to run, with everything it is given.
#[derive(Debug, Clone)]
pub struct TestCommand {
    program: OsString,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    folder: Option<PathBuf>,
    input: Input,
    limit: Duration,
}

/// What the program finds on its standard input.
#[derive(Debug, Clone)]
enum Input {
    Nothing,
    Bytes(Vec<u8>),
    Held,
}

impl TestCommand {
    /// A run of `program` without arguments and with empty standard input, limited to 60 seconds.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            variables: Vec::new(),
            folder: None,
            input: Input::Nothing,
            limit: DEFAULT_LIMIT,
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable for the program alone.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Runs the program in `folder`.
    pub fn current_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = Some(folder.as_ref().to_owned());
        self
    }

    /// Gives the program `bytes` on standard input and closes it then.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Input::Bytes(bytes.into());
        self
    }

    /// Keeps standard input open, for [`Running::write_stdin`] and [`Running::close_stdin`].
    pub fn hold_stdin(mut self) -> Self {
        self.input = Input::Held;
        self
    }

    /// Sets the time after which the program is killed and the test fails.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs the program to its end.
    #[track_caller]
    pub fn run(self) -> Finished {
        self.spawn().wait()
    }

    /// Starts the program in a process group of its own.
    #[track_caller]
    pub fn spawn(self) -> Running {
        let mut command = self.prepared();
        match command.spawn() {
            Ok(child) => Running::new(child, format!("{command:?}"), self.limit, self.into_bytes()),
            Err(error) => panic!("cannot start {command:?}: {error}"),
        }
    }

    fn prepared(&self) -> Command {
        let mut command = Command::new(&self.program);
        let variables = self.variables.iter().map(|(name, value)| (name, value));
        command.args(&self.arguments).envs(variables).process_group(0);
        let input = if matches!(self.input, Input::Nothing) { Stdio::null() } else { Stdio::piped() };
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }

    fn into_bytes(self) -> Option<Vec<u8>> {
        if let Input::Bytes(bytes) = self.input { Some(bytes) } else { None }
    }
}

#[cfg(test)]
mod tests;
