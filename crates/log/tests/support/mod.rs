//! What the integration tests share: a worker process with an endpoint, a time limit, and log files read back.
//!
//! It asserts nothing about logging.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gristmill_log::{Clock, Handler, Level, ListenerHandle, Offer, Record};

/// Ends the test binary if a test hangs. The test holds it while it runs.
pub struct Watchdog {
    _alive: Sender<()>,
}

impl Watchdog {
    pub fn new() -> Self {
        let (alive, dead) = mpsc::channel::<()>();
        let test = thread::current().name().unwrap_or("a test").to_owned();
        thread::spawn(move || {
            if dead.recv_timeout(Duration::from_secs(180)) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprintln!("{test} has run for three minutes: giving up");
                std::process::abort();
            }
        });
        Self { _alive: alive }
    }
}

/// A fixture process. It is killed when it is dropped.
pub struct Worker {
    pub child: Child,
    pub stdin: Option<ChildStdin>,
    pub stdout: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts `log-fixture` with `args` and sends it an endpoint.
    pub fn start(handle: &ListenerHandle, name: &str, directives: &str, args: &[&str]) -> Self {
        let offer = Offer::new(handle.endpoint(name, directives).expect("endpoint")).expect("offer");
        let worker = Self::spawn(&[&[offer.address()], args].concat());
        offer.deliver(Duration::from_secs(60)).expect("delivery");
        worker
    }

    /// Starts `log-fixture` with these arguments alone.
    pub fn spawn(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_log-fixture"))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("fixture");
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("stdout"));
        Self { child, stdin, stdout }
    }

    /// Tells the fixture something and waits for its answer.
    pub fn ask(&mut self, line: &str) -> String {
        let stdin = self.stdin.as_mut().expect("stdin");
        stdin.write_all(format!("{line}\n").as_bytes()).expect("write");
        self.line()
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a line");
        line.trim().to_owned()
    }

    pub fn join(&mut self) {
        drop(self.stdin.take());
        assert!(self.child.wait().expect("wait").success());
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // After `join` or `kill` there is nothing to end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The file and its backups, oldest first.
pub fn files(path: &Path) -> Vec<PathBuf> {
    let backup = |number: u32| PathBuf::from(format!("{}.{number}", path.display()));
    let mut files: Vec<_> = (1..).map(backup).take_while(|path| path.exists()).collect();
    files.reverse();
    files.push(path.to_owned());
    files
}

/// All lines of the file and its backups in the order in which they were written.
pub fn lines(path: &Path) -> Vec<String> {
    let read = |path: PathBuf| fs::read_to_string(path).expect("log file");
    files(path)
        .into_iter()
        .map(read)
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// A clock that goes on a little whenever it is asked, so that time passes with the records.
#[derive(Debug)]
pub struct Ticking {
    nanos: AtomicU64,
    tick: u64,
}

impl Ticking {
    pub fn new(tick: Duration) -> Self {
        Self { nanos: AtomicU64::new(1_700_000_000_000_000_000), tick: tick.as_nanos() as u64 }
    }
}

impl Clock for Ticking {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.nanos.fetch_add(self.tick, Relaxed))
    }
}

/// The text of a file that may be compressed.
pub fn text(path: &Path) -> String {
    let mut text = String::new();
    let file = fs::File::open(path).expect("log file");
    let read = match path.extension().is_some_and(|end| end == "gz") {
        true => flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text),
        false => BufReader::new(file).read_to_string(&mut text),
    };
    read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text
}

/// Opens a pipe for reading without a wait for somebody who writes to it.
pub fn open_pipe(path: &Path) -> fs::File {
    fs::File::options().read(true).write(true).open(path).expect("a pipe")
}

/// Reads as many bytes as a text that comes through the pipe has.
pub fn drain(mut pipe: fs::File, len: usize) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = vec![0; len];
        pipe.read_exact(&mut text).expect("a pipe");
        String::from_utf8(text).expect("text")
    })
}

/// Waits until `done`, at most 30 seconds.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < until, "in vain: {what}");
        thread::park_timeout(Duration::from_millis(2));
    }
}

/// A handler made of a function.
pub struct Function<F>(pub F);

impl<F: FnMut(&Record) -> std::io::Result<()> + Send> Handler for Function<F> {
    fn accepts(&self, _: &Level, _: &str) -> bool {
        true
    }

    fn handle(&mut self, record: &Record) -> std::io::Result<()> {
        (self.0)(record)
    }

    fn name(&self) -> String {
        "function".to_owned()
    }
}
