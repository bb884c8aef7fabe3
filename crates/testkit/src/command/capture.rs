//! Collects one output stream of a running program on a thread of its own.
//!
//! It decides nothing about the program; it only tells what came so far and whether the stream has ended.

use std::io::{ErrorKind, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

/// What a stream has delivered so far.
#[derive(Debug, Default)]
struct Collected {
    bytes: Vec<u8>,
    ended: bool,
}

#[derive(Debug, Default)]
struct Shared {
    collected: Mutex<Collected>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Collected> {
        self.collected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, bytes: &[u8]) {
        self.lock().bytes.extend_from_slice(bytes);
        self.changed.notify_all();
    }

    fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }
}

/// The bytes of one stream, growing until it ends.
#[derive(Debug)]
pub(crate) struct Capture {
    shared: Arc<Shared>,
}

impl Capture {
    /// Starts to drain `pipe`, so that the program never waits for us.
    pub(crate) fn start(pipe: impl Read + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let sink = Arc::clone(&shared);
        thread::spawn(move || {
            drain(pipe, &sink);
            sink.end();
        });
        Self { shared }
    }

    /// What came so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.shared.lock().bytes.clone()
    }

    /// Waits for the end of the stream; `false` when somebody still holds it open at `deadline`.
    pub(crate) fn wait_ended(&self, deadline: Instant) -> bool {
        let mut collected = self.shared.lock();
        while !collected.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            collected = self.wait_changed(collected, left);
        }
        true
    }

    /// Waits until `count` lines contain `text`; `None` when the stream ends or `deadline` passes before that.
    pub(crate) fn wait_lines(&self, text: &str, count: usize, deadline: Instant) -> Option<Vec<String>> {
        let mut lines = Vec::new();
        let mut scanned = 0;
        let mut collected = self.shared.lock();
        loop {
            scanned += scan(&collected.bytes[scanned..], collected.ended, text, &mut lines);
            if lines.len() >= count {
                return Some(lines);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if collected.ended || left.is_zero() {
                return None;
            }
            collected = self.wait_changed(collected, left);
        }
    }

    fn wait_changed<'a>(
        &'a self,
        collected: MutexGuard<'a, Collected>,
        limit: std::time::Duration,
    ) -> MutexGuard<'a, Collected> {
        self.shared.changed.wait_timeout(collected, limit).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Reads to the end and closes the pipe.
fn drain(mut pipe: impl Read, sink: &Shared) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => sink.push(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return sink.push(format!("\n(testkit: cannot read on: {error})\n").as_bytes()),
        }
    }
}

/// Adds the whole lines with `text` to `lines` and returns how many bytes need no second look.
///
/// The rest behind the last newline is a line only when nothing more can come.
fn scan(bytes: &[u8], ended: bool, text: &str, lines: &mut Vec<String>) -> usize {
    let last_newline = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let whole = if ended { bytes.len() } else { last_newline };
    let found = String::from_utf8_lossy(&bytes[..whole]);
    lines.extend(found.lines().filter(|line| line.contains(text)).map(str::to_owned));
    whole
}
