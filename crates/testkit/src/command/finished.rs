//! What a program that has ended left: its output, its status and how long it took.
//!
//! It starts and ends nothing.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

/// How much of a stream a message quotes.
const QUOTED: usize = 32 * 1024;

/// A program that has ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// All it wrote to standard output.
    pub stdout: Vec<u8>,
    /// All it wrote to standard error.
    pub stderr: Vec<u8>,
    /// The time from its start until it exited.
    pub elapsed: Duration,
    pub(crate) command: String,
}

impl Finished {
    /// Its exit code; `None` when a signal killed it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The number of the signal that killed it.
    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// Standard output as text; bytes that are not UTF-8 are replaced.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text; bytes that are not UTF-8 are replaced.
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Fails the test, and shows all that was printed, unless the program exited with `code`.
    #[track_caller]
    pub fn assert_code(self, code: i32) -> Self {
        assert!(self.code() == Some(code), "expected exit code {code}: {self}");
        self
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ended with {} after {:?}", self.command, self.status, self.elapsed)?;
        f.write_str(&quote(&self.stdout, &self.stderr))
    }
}

/// Both streams for a message, only their ends where they are long.
pub(crate) fn quote(stdout: &[u8], stderr: &[u8]) -> String {
    format!("{}{}", quote_stream("stdout", stdout), quote_stream("stderr", stderr))
}

fn quote_stream(name: &str, bytes: &[u8]) -> String {
    let end = &bytes[bytes.len().saturating_sub(QUOTED)..];
    let part = if end.len() < bytes.len() { format!(", the last {QUOTED}") } else { String::new() };
    format!("--- {name} ({} bytes{part})\n{}\n", bytes.len(), String::from_utf8_lossy(end))
}
