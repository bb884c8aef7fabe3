//! Runs one program to its end, within a time limit, and leaves none of its processes behind.
//!
//! What it wrote is not looked at here.

mod memory;
mod tree;

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::failure::{Context, Failure, Result};

pub(crate) use memory::touch;

/// How long to wait for the program's end before looking at memory, the limit and signals again.
const SAMPLE: Duration = Duration::from_millis(20);
const LOOK: Duration = Duration::from_millis(100);
/// How much of the end of what a failed program printed is shown.
const TAIL: usize = 300;

/// A program with everything it is given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Invocation {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) variables: Vec<(&'static str, OsString)>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ending {
    Done { wall: Duration, peak_kib: u64 },
    Failed { code: Option<i32>, why: String },
    OverLimit,
}

/// Starts programs, one at a time.
#[derive(Debug)]
pub(crate) struct Runner {
    limit: Duration,
    /// The signal that came, or 0.
    signalled: Arc<AtomicUsize>,
}

impl Runner {
    /// From now on SIGINT and SIGTERM end the running program, and this one by an error.
    pub(crate) fn new(limit: Duration) -> Result<Self> {
        let signalled = Arc::new(AtomicUsize::new(0));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&signalled), number)
                .map_err(|error| Failure::new(format!("cannot watch for signal {signal}: {error}")))?;
        }
        Ok(Self { limit, signalled })
    }

    /// An error if a signal came.
    pub(crate) fn check(&self) -> Result<()> {
        match self.signalled.load(Ordering::Relaxed) {
            0 => Ok(()),
            signal => Err(Failure::Interrupted(signal)),
        }
    }

    /// Runs a program with its temporary files in `scratch/tmp`; memory is sampled if asked, which costs time.
    pub(crate) fn run(&self, invocation: &Invocation, scratch: &Path, sample: bool) -> Result<Ending> {
        self.check()?;
        let temporary = scratch.join("tmp");
        fs::create_dir_all(&temporary).at("create", &temporary)?;
        let printed = scratch.join("printed");
        let mut group = Group::start(invocation, &temporary, &printed)?;
        let ending = self.wait(&mut group, sample)?;
        drop(group);
        crate::failure::remove_folder(&temporary)?;
        Ok(match ending {
            Some((status, wall, peak_kib)) if status.success() => Ending::Done { wall, peak_kib },
            Some((status, ..)) => Ending::Failed { code: status.code(), why: why(status, &printed) },
            None => Ending::OverLimit,
        })
    }

    /// The status, wall time and peak memory of a program that ended by itself, `None` of one that took too long.
    fn wait(&self, group: &mut Group, sample: bool) -> Result<Option<(ExitStatus, Duration, u64)>> {
        let ended = group.watch();
        let mut peak_kib = 0;
        loop {
            match ended.recv_timeout(if sample { SAMPLE } else { LOOK }) {
                Ok(at) => return Ok(Some((group.reap()?, at - group.started, peak_kib))),
                Err(RecvTimeoutError::Timeout) => self.check()?,
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::new("lost sight of a program")),
            }
            if group.started.elapsed() > self.limit {
                return Ok(None);
            }
            if sample {
                peak_kib = peak_kib.max(memory::pss_kib(&tree::with_descendants(group.child.id())));
            }
        }
    }
}

/// A program in a process group of its own; all of its processes end when this value goes.
#[derive(Debug)]
struct Group {
    child: Child,
    started: Instant,
    reaped: bool,
}

impl Group {
    fn start(invocation: &Invocation, temporary: &Path, printed: &Path) -> Result<Self> {
        let output = File::create(printed).at("create", printed)?;
        let errors = output.try_clone().at("share", printed)?;
        let mut command = Command::new(&invocation.program);
        command.args(&invocation.arguments).envs(invocation.variables.iter().cloned());
        command.env("TMPDIR", temporary).stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
        let started = Instant::now();
        let child = command.spawn().at("start", &invocation.program)?;
        Ok(Self { child, started, reaped: false })
    }

    /// Tells when the program ends, but leaves it as a zombie: its number stays its own until the group is killed.
    fn watch(&self) -> mpsc::Receiver<Instant> {
        let (sender, ended) = mpsc::channel();
        let pid = Pid::from_child(&self.child);
        thread::spawn(move || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while waitid(WaitId::Pid(pid), options).is_err_and(|error| error == rustix::io::Errno::INTR) {}
            // Nobody listens any more when the program was ended by us.
            sender.send(Instant::now()).ok();
        });
        ended
    }

    /// Ends what the program left behind in its group, and takes its status.
    fn reap(&mut self) -> Result<ExitStatus> {
        kill_process_group(Pid::from_child(&self.child), Signal::KILL).ok();
        self.reaped = true;
        self.child.wait().map_err(|error| Failure::new(format!("cannot wait for a program: {error}")))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.reaped {
            // Workers may be in groups of their own; they are found while their parents live.
            tree::kill(&tree::with_descendants(self.child.id()));
            self.reap().ok();
        }
    }
}

/// Says how a program failed, with the end of what it printed.
fn why(status: ExitStatus, printed: &Path) -> String {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, signal) => format!("killed by signal {}", signal.unwrap_or_default()),
    };
    let text = String::from_utf8_lossy(&fs::read(printed).unwrap_or_default()).into_owned();
    let tail: String = text.trim().chars().rev().take(TAIL).collect::<Vec<_>>().into_iter().rev().collect();
    let last_lines =
        tail.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" / ");
    if last_lines.is_empty() { how } else { format!("{how}: {last_lines}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, limit: Duration) -> Ending {
        let scratch = tempfile::tempdir().expect("a folder");
        let arguments = vec!["-c".into(), script.into()];
        let invocation = Invocation { program: "sh".into(), arguments, variables: Vec::new() };
        let runner = Runner { limit, signalled: Arc::default() };
        runner.run(&invocation, scratch.path(), true).expect("a shell can be started")
    }

    #[test]
    fn an_end_is_told_with_its_reason() {
        let minute = Duration::from_secs(60);
        assert!(matches!(run("true", minute), Ending::Done { .. }));
        let failed = Ending::Failed { code: Some(3), why: "exit status 3: one / two".into() };
        assert_eq!(run("echo one; echo two >&2; exit 3", minute), failed);
        assert!(matches!(run("kill -9 $$", minute), Ending::Failed { code: None, .. }));
    }

    #[test]
    fn what_takes_too_long_is_ended_with_its_children() {
        let folder = tempfile::tempdir().expect("a folder");
        let pid_file = folder.path().join("pid");
        let script = format!("setsid sh -c 'echo $$ > {0}; exec sleep 1000' & wait", pid_file.display());
        assert_eq!(run(&script, Duration::from_millis(500)), Ending::OverLimit);
        let pid: u32 =
            fs::read_to_string(pid_file).expect("it was started").trim().parse().expect("a number");
        let deadline = Instant::now() + Duration::from_secs(10);
        while tree::is_alive(pid) {
            assert!(Instant::now() < deadline, "process {pid} is still alive");
            thread::park_timeout(Duration::from_millis(5));
        }
    }
}
