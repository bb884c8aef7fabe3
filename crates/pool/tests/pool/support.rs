//! A crew of fixture workers under test: every wait has a limit, and nothing may be left behind.
//!
//! What is expected of the workers is said in the tests.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gristmill_log::{Handler, Listener, StopReport};
use gristmill_pool::{Crew, CrewConfig, CrewEvent, Death, Identity, Program, worker};
use gristmill_testkit::leaks::LeakCheck;
use gristmill_testkit::watchdog::Watchdog;

/// No single event takes longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// The identity of a fixture worker; the name decides what it does before its hello.
pub(crate) fn identity(app: &str) -> Identity {
    Identity { app: app.into(), version: "1".into(), protocol: 1 }
}

pub(crate) fn config(app: &str, spool: &Path) -> CrewConfig {
    let program = Program::path(env!("CARGO_BIN_EXE_pool-fixture"));
    let mut config = CrewConfig::new(program, identity(app), spool);
    config.welcome = b"welcome".to_vec();
    config
}

pub(crate) struct Rig {
    pub(crate) crew: Crew,
    events: Receiver<CrewEvent>,
    /// Whoever holds it holds up the messages of worker 0, and nothing else.
    pub(crate) gate: Arc<Mutex<()>>,
    spool: PathBuf,
}

impl Rig {
    fn new(config: CrewConfig) -> Self {
        assert!(worker::enter(&config.identity).is_none());
        let (sender, events) = channel();
        let (gate, spool) = (Arc::new(Mutex::new(())), config.spool_dir.clone());
        let passage = Arc::clone(&gate);
        let sink = move |event| {
            if matches!(event, CrewEvent::Message { slot: 0, .. }) {
                drop(passage.lock().expect("gate"));
            }
            sender.send(event).unwrap_or_default();
        };
        Self { crew: Crew::new(config, sink).expect("crew"), events, gate, spool }
    }

    pub(crate) fn event(&self) -> CrewEvent {
        self.events.recv_timeout(LIMIT).expect("an event in time")
    }

    pub(crate) fn start(&self, slot: usize) -> u32 {
        self.crew.spawn(slot);
        match self.event() {
            CrewEvent::Started { slot: started, pid, .. } if started == slot => pid,
            other => panic!("expected worker {slot} to start, but {other:?}"),
        }
    }

    pub(crate) fn send(&self, slot: usize, order: &str) {
        self.crew.send(slot, order.as_bytes()).expect("send");
    }

    pub(crate) fn message(&self) -> String {
        match self.event() {
            CrewEvent::Message { bytes, .. } => String::from_utf8_lossy(&bytes).into_owned(),
            other => panic!("expected a message, but {other:?}"),
        }
    }

    pub(crate) fn ask(&self, slot: usize, order: &str) -> String {
        self.send(slot, order);
        self.message()
    }

    pub(crate) fn death(&self) -> Death {
        match self.event() {
            CrewEvent::Ended { death, .. } => death,
            other => panic!("expected an end, but {other:?}"),
        }
    }

    /// The next death, whatever comes before it.
    pub(crate) fn final_death(&self) -> Death {
        loop {
            if let CrewEvent::Ended { death, .. } = self.event() {
                return death;
            }
        }
    }

    /// Starts worker 0, gives it one order that it does not survive, and returns its death.
    pub(crate) fn end_by(&self, order: &str) -> Death {
        self.start(0);
        self.send(0, order);
        self.death()
    }

    /// Waits for a spooled message from worker 0 and removes it.
    pub(crate) fn lose_spooled_message(&self) {
        std::fs::remove_file(self.spooled_message()).expect("remove");
    }

    /// Waits until worker 0 spools a message and returns its file, which need not be complete yet.
    pub(crate) fn spooled_message(&self) -> PathBuf {
        let folder = self.spool.join("Worker-1.1");
        until("nothing was spooled", || {
            let mut files = folder.read_dir().into_iter().flatten();
            files.next().map(|file| file.expect("entry").path())
        })
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.events.try_recv().is_err()
    }
}

/// Runs a test with a crew, under a time limit, and checks afterwards that nothing was left behind.
pub(crate) fn with_crew(app: &str, change: impl FnOnce(&mut CrewConfig), test: impl FnOnce(&Rig)) {
    let _watchdog = Watchdog::new(Duration::from_secs(120));
    let spool = tempfile::tempdir().expect("temporary folder");
    let check = LeakCheck::start().folder(spool.path());
    let mut config = config(app, spool.path());
    change(&mut config);
    let rig = Rig::new(config);
    test(&rig);
    drop(rig);
    check.finish();
}

/// The same with a listener that is stopped before the leaks are counted.
pub(crate) fn with_listener(handler: impl Handler + 'static, test: impl FnOnce(&Rig)) -> StopReport {
    let _watchdog = Watchdog::new(Duration::from_secs(120));
    let spool = tempfile::tempdir().expect("temporary folder");
    let check = LeakCheck::start().folder(spool.path());
    let listener = Listener::builder().handler(handler).start().expect("listener");
    let mut config = config("logs", spool.path());
    config.log = Some((listener.handle(), "info".into()));
    let rig = Rig::new(config);
    test(&rig);
    drop(rig);
    let report = listener.stop(Duration::from_secs(10));
    check.finish();
    report
}

/// Asks again and again until there is an answer.
pub(crate) fn until<T>(complaint: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(Instant::now() < deadline, "{complaint}");
        std::thread::yield_now();
    }
}

/// Says visibly that a test could not be made here.
pub(crate) fn skip(why: &str) {
    // Not `eprint!`: the test runner would capture it.
    std::io::stderr().write_all(format!("\nSKIPPED: {why}\n").as_bytes()).expect("standard error is open");
}

/// Forgets the largest size that this process has had so far, and returns the present one.
pub(crate) fn reset_own_peak() -> u64 {
    std::fs::write("/proc/self/clear_refs", "5").expect("reset the peak");
    own_peak()
}

pub(crate) fn own_peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("VmHWM");
    let number: String = line.chars().filter(char::is_ascii_digit).collect();
    number.parse::<u64>().expect("a number") * 1024
}
