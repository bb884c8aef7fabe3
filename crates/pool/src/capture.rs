//! What a worker prints: read from its pipes, cut into lines, handed to the listener; the end of stderr is kept.
//!
//! Its memory is bounded whatever the worker prints. It never writes to the parent's own output.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use gristmill_log::{ListenerHandle, Record};
use tracing::Level;

use crate::memory::announces_abort;
use crate::os;
use crate::roster::Shared;

/// A line longer than this becomes several records.
const LONGEST_LINE: usize = 8 * 1024;

/// How much of standard error a death keeps.
const TAIL: usize = 8 * 1024;

/// How much of the end is looked at for an announcement.
const LAST_LINE: usize = 512;

/// How much is read at once. A pipe holds 64 KiB unless somebody changed that.
const CHUNK: usize = 64 * 1024;

/// Both output pipes of one worker.
pub(crate) struct Capture<'a> {
    stdout: Stream,
    stderr: Stream,
    journal: Journal<'a>,
    tail: Vec<u8>,
    /// Since when standard error has ended with the announcement of an abort.
    aborting: Option<Instant>,
    buffer: Vec<u8>,
}

struct Stream {
    pipe: Option<OwnedFd>,
    lines: Lines,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Stdout,
    Stderr,
}

/// Where the lines go.
struct Journal<'a> {
    listener: Option<&'a ListenerHandle>,
    process: &'a str,
    pid: u32,
}

impl<'a> Capture<'a> {
    pub(crate) fn new(shared: &'a Shared, name: &'a str, pid: u32, stdout: OwnedFd, stderr: OwnedFd) -> Self {
        let listener = shared.config.log.as_ref().map(|(listener, _)| listener);
        Self {
            stdout: Stream::new(stdout, Kind::Stdout),
            stderr: Stream::new(stderr, Kind::Stderr),
            journal: Journal { listener, process: name, pid },
            tail: Vec::new(),
            aborting: None,
            buffer: vec![0; CHUNK],
        }
    }

    /// The pipes that are not at their end yet.
    pub(crate) fn open_pipes(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        [&self.stdout, &self.stderr].into_iter().filter_map(|stream| stream.pipe.as_ref().map(AsFd::as_fd))
    }

    /// Takes what is there, a chunk of each pipe at most. True if there was anything.
    pub(crate) fn read_once(&mut self) -> bool {
        let from_stdout = self.stdout.read(&mut self.buffer, &self.journal).is_some_and(|count| count > 0);
        let count = self.stderr.read(&mut self.buffer, &self.journal).unwrap_or(0);
        if count > 0 {
            keep_tail(&mut self.tail, &self.buffer[..count]);
            self.aborting =
                announces_abort(&self.tail[self.tail.len().saturating_sub(LAST_LINE)..]).then(Instant::now);
        }
        from_stdout || count > 0
    }

    /// For how long the worker should have been dead by its own account.
    pub(crate) fn aborting_for(&self) -> Option<Duration> {
        self.aborting.as_ref().map(Instant::elapsed)
    }

    /// Reads on after the worker's end, until both pipes end too or `limit` has passed.
    pub(crate) fn drain(&mut self, limit: Duration) {
        let deadline = Instant::now() + limit;
        loop {
            while self.read_once() && Instant::now() < deadline {}
            let left = deadline.saturating_duration_since(Instant::now());
            let open: Vec<_> = self.open_pipes().collect();
            if open.is_empty() || left.is_zero() || os::poll_readable(&open, left).is_err() {
                return;
            }
        }
    }

    /// Passes on the last unfinished lines and returns the end of standard error.
    pub(crate) fn into_tail(mut self) -> String {
        for stream in [&mut self.stdout, &mut self.stderr] {
            let kind = stream.kind;
            stream.lines.finish(|line| self.journal.write(kind, line));
        }
        let start = self.tail.len().saturating_sub(TAIL);
        String::from_utf8_lossy(&self.tail[start..]).into_owned()
    }
}

impl Stream {
    fn new(pipe: OwnedFd, kind: Kind) -> Self {
        Self { pipe: Some(pipe), lines: Lines::default(), kind }
    }

    /// Reads one chunk; how much it was, or `None` if there was nothing to read.
    fn read(&mut self, buffer: &mut [u8], journal: &Journal<'_>) -> Option<usize> {
        let pipe = self.pipe.as_ref()?;
        let count = match os::read_now(pipe, buffer) {
            Ok(count) => count?,
            Err(error) => self.give_up(&error),
        };
        if count == 0 {
            self.pipe = None;
        }
        let kind = self.kind;
        self.lines.push(&buffer[..count], |line| journal.write(kind, line));
        Some(count)
    }

    fn give_up(&self, error: &io::Error) -> usize {
        let name = self.kind.target();
        tracing::warn!("cannot read the {name} of a worker any further: {error}");
        0
    }
}

impl Kind {
    fn target(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }

    fn level(self) -> Level {
        match self {
            Self::Stdout => Level::INFO,
            Self::Stderr => Level::WARN,
        }
    }
}

impl Journal<'_> {
    fn write(&self, kind: Kind, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let (process, pid) = (self.process, self.pid);
        match (self.listener, kind) {
            (Some(listener), _) => {
                let mut record = Record::new(kind.level(), kind.target(), text);
                record.process = process.to_owned();
                record.pid = pid;
                listener.submit(record);
            }
            (None, Kind::Stdout) => tracing::info!(target: "stdout", process, pid, "{text}"),
            (None, Kind::Stderr) => tracing::warn!(target: "stderr", process, pid, "{text}"),
        }
    }
}

fn keep_tail(tail: &mut Vec<u8>, bytes: &[u8]) {
    tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
    // Cut off in large steps, not at each chunk.
    if tail.len() > 4 * TAIL {
        tail.drain(..tail.len() - TAIL);
    }
}

/// Cuts a stream of bytes into lines without their ends, in pieces of [`LONGEST_LINE`] at most.
#[derive(Default)]
struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    fn push(&mut self, bytes: &[u8], mut line: impl FnMut(&[u8])) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            match part.strip_suffix(b"\n") {
                Some(end) => {
                    self.extend(end, &mut line);
                    line(self.partial.strip_suffix(b"\r").unwrap_or(&self.partial));
                    self.partial.clear();
                }
                None => self.extend(part, &mut line),
            }
        }
    }

    fn extend(&mut self, mut bytes: &[u8], line: &mut impl FnMut(&[u8])) {
        while self.partial.len() + bytes.len() > LONGEST_LINE {
            let (now, later) = bytes.split_at(LONGEST_LINE - self.partial.len());
            self.partial.extend_from_slice(now);
            line(&self.partial);
            self.partial.clear();
            bytes = later;
        }
        self.partial.extend_from_slice(bytes);
    }

    fn finish(&mut self, mut line: impl FnMut(&[u8])) {
        if !self.partial.is_empty() {
            line(&self.partial);
            self.partial.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(chunks: &[&[u8]]) -> Vec<String> {
        let mut out = Vec::new();
        let mut lines = Lines::default();
        let mut keep = |line: &[u8]| out.push(String::from_utf8_lossy(line).into_owned());
        for chunk in chunks {
            lines.push(chunk, &mut keep);
        }
        lines.finish(&mut keep);
        out
    }

    #[test]
    fn lines_do_not_depend_on_the_chunks() {
        let text = b"one\r\n\ntwo\nrest";
        assert_eq!(cut(&[text]), ["one", "", "two", "rest"]);
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(cut(&bytes), cut(&[text]));
    }

    #[test]
    fn a_long_line_comes_in_pieces_and_loses_nothing() {
        let long = vec![b'x'; 2 * LONGEST_LINE + 5];
        let pieces = cut(&[&long[..100], &long[100..], b"\nnext\n"]);
        assert_eq!(pieces.iter().map(String::len).collect::<Vec<_>>(), [LONGEST_LINE, LONGEST_LINE, 5, 4]);
    }

    #[test]
    fn the_tail_is_bounded_and_ends_with_the_end() {
        let mut tail = Vec::new();
        for n in 0..10_000u32 {
            keep_tail(&mut tail, format!("line {n}\n").as_bytes());
            assert!(tail.len() <= 4 * TAIL);
        }
        keep_tail(&mut tail, &vec![b'-'; 10 * TAIL]);
        assert!(tail.len() <= 4 * TAIL && tail.ends_with(&[b'-'; TAIL]));
    }
}
