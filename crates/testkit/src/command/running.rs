//! A program that runs: what it prints can be awaited, and it can be signalled, fed and waited for.
//!
//! It does not judge how the program ends; [`Finished`] tells that.

use std::io::{self, ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdin};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};

use super::capture::Capture;
use super::finished::{Finished, quote};
use super::stop;
use crate::poll as asking;

/// An output stream of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A program that was started; dropping it kills the program with everything that came from it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Stands for this very process, even after its number is used again.
    pidfd: OwnedFd,
    command: String,
    started: Instant,
    limit: Duration,
    stdin: Option<ChildStdin>,
    feeder: Option<JoinHandle<io::Result<()>>>,
    stdout: Capture,
    stderr: Capture,
    reaped: bool,
}

impl Running {
    pub(crate) fn new(mut child: Child, command: String, limit: Duration, input: Option<Vec<u8>>) -> Self {
        let pidfd = pidfd_open(stop::raw(child.id()), PidfdFlags::empty())
            .expect("a child that was not waited for has a descriptor");
        let stdout = Capture::start(child.stdout.take().expect("standard output is piped"));
        let stderr = Capture::start(child.stderr.take().expect("standard error is piped"));
        let mut stdin = child.stdin.take();
        let feeder =
            input.and_then(|bytes| stdin.take().map(|pipe| thread::spawn(move || feed(pipe, &bytes))));
        let started = Instant::now();
        Self { child, pidfd, command, started, limit, stdin, feeder, stdout, stderr, reaped: false }
    }

    /// The number of the process, which leads a process group of the same number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a whole line on standard output that contains `text`, and returns it.
    #[track_caller]
    pub fn wait_for_stdout(&mut self, text: &str, limit: Duration) -> String {
        self.wait_for(Stream::Stdout, text, 1, limit).swap_remove(0)
    }

    /// Waits for a whole line on standard error that contains `text`, and returns it.
    #[track_caller]
    pub fn wait_for_stderr(&mut self, text: &str, limit: Duration) -> String {
        self.wait_for(Stream::Stderr, text, 1, limit).swap_remove(0)
    }

    /// Waits until at least `count` lines of a stream contain `text`, and returns those there are.
    ///
    /// All that was printed since the start counts, so lines may be awaited in any order. The test fails at `limit`,
    /// or as soon as the stream ends without them.
    #[track_caller]
    pub fn wait_for(&mut self, stream: Stream, text: &str, count: usize, limit: Duration) -> Vec<String> {
        let capture = match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        };
        let lines = capture.wait_lines(text, count, Instant::now() + limit);
        lines.unwrap_or_else(|| {
            self.give_up(&format!("has not printed {count} × {text:?} on {stream:?} within {limit:?}"))
        })
    }

    /// Writes to standard input, which [`hold_stdin`](super::TestCommand::hold_stdin) has kept open.
    pub fn write_stdin(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stdin = self.stdin.as_mut().ok_or_else(|| io::Error::other("standard input is not held open"))?;
        stdin.write_all(bytes)
    }

    /// Closes a standard input that was kept open.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal to the program alone, as `kill PID` does.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        if let Err(error) = pidfd_send_signal(&self.pidfd, signal) {
            panic!("cannot send {signal:?} to {}: {error}", self.command);
        }
    }

    /// Sends a signal to the program's process group, as a terminal does at Ctrl-C.
    #[track_caller]
    pub fn signal_group(&self, signal: Signal) {
        if let Err(error) = kill_process_group(stop::raw(self.pid()), signal) {
            panic!("cannot send {signal:?} to the group of {}: {error}", self.command);
        }
    }

    /// Waits at most `limit` for the program to exit, and tells whether it did; it is not reaped yet.
    pub fn exits_within(&self, limit: Duration) -> bool {
        self.exits_before(Instant::now() + limit)
    }

    /// Closes standard input and waits for the end of the program and of its output.
    ///
    /// Both must come within the limit of the whole run. A process that lives on with the program's output open fails
    /// the test as well, since it is a leak.
    #[track_caller]
    pub fn wait(mut self) -> Finished {
        self.close_stdin();
        let deadline = self.started + self.limit;
        if !self.exits_before(deadline) {
            self.give_up(&format!("has not ended within {:?}", self.limit));
        }
        let elapsed = self.started.elapsed();
        let status = self.child.wait().expect("the child was not waited for yet");
        self.reaped = true;
        if !(self.stdout.wait_ended(deadline) && self.stderr.wait_ended(deadline)) {
            self.give_up(&format!("ended with {status}, but a process it left behind holds its output open"));
        }
        self.finish_feeding(deadline);
        let (stdout, stderr) = (self.stdout.bytes(), self.stderr.bytes());
        Finished { status, stdout, stderr, elapsed, command: self.command.clone() }
    }

    #[track_caller]
    fn finish_feeding(&mut self, deadline: Instant) {
        let Some(feeder) = self.feeder.take() else { return };
        let left = deadline.saturating_duration_since(Instant::now());
        let done = asking::until(left, || if feeder.is_finished() { Ok(()) } else { Err(()) });
        if done.is_err() {
            self.give_up("ended, but a process it left behind holds its input open");
        }
        if let Err(error) = feeder.join().expect("feeding a pipe does not panic") {
            self.give_up(&format!("cannot be fed: {error}"));
        }
    }

    fn exits_before(&self, deadline: Instant) -> bool {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).expect("a test's time limit fits in a timespec");
            match poll(&mut [PollFd::new(&self.pidfd, PollFlags::IN)], Some(&timeout)) {
                Ok(0) => return false,
                Ok(_) => return true,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => panic!("cannot wait for {}: {error}", self.command),
            }
        }
    }

    /// Ends the program and fails the test with `why` and all that was printed.
    #[track_caller]
    fn give_up(&mut self, why: &str) -> ! {
        let after = self.started.elapsed();
        self.kill();
        let printed = quote(&self.stdout.bytes(), &self.stderr.bytes());
        panic!("{} {why} (killed after {after:?})\n{printed}", self.command);
    }

    fn kill(&mut self) {
        stop::kill_family(self.pid());
        if !self.reaped {
            self.child.wait().expect("the child was not waited for yet");
            self.reaped = true;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.reaped {
            self.kill();
        }
    }
}

/// Writes all of the input and closes it; a program that stops reading early is within its rights.
fn feed(mut pipe: ChildStdin, bytes: &[u8]) -> io::Result<()> {
    match pipe.write_all(bytes) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}
