//! Supervised applications: events, queues, deadlines, failures, signals.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use gristmill_pool::app::{
    App, AppError, Body, Context, Handled, PlainWorker, QueueWorker, TimerWorker, Worker,
};
use gristmill_pool::{Failure, Registry, Result, Toolkit};
use gristmill_testkit::command::{Signal, TestCommand};

use crate::Test;

const SOON: Duration = Duration::from_secs(20);

/// The argument that makes this program an application that does not end by itself.
pub(crate) const STUBBORN: &str = "stubborn-application";

pub(crate) const TESTS: &[Test] = &[
    ("app::queues_are_worked_off_and_unknown_events_counted", queues_are_worked_off),
    ("app::a_timer_ticks", a_timer_ticks),
    ("app::it_ends_when_all_workers_are_through", it_ends_when_all_are_through),
    ("app::a_failing_worker_ends_the_application", a_failing_worker_ends_the_application),
    ("app::a_worker_that_does_not_start_is_an_error", a_worker_that_does_not_start),
    ("app::a_stubborn_worker_is_ended_by_force", a_stubborn_worker_is_ended_by_force),
    ("app::the_third_signal_ends_it_at_once", the_third_signal_ends_it_at_once),
];

/// Does what its settings say.
struct Actor(String);

impl Worker for Actor {
    const NAME: &'static str = "actor";
    type Settings = String;
    type Event = String;

    fn start(settings: String, _: &Context<String>) -> Result<Self> {
        match settings.as_str() {
            "cannot start" => Err(Failure::new("no power")),
            "does not start" => park(),
            _ => Ok(Self(settings)),
        }
    }
}

impl PlainWorker for Actor {
    fn run(&mut self, context: &Context<String>) -> Result<()> {
        match self.0.as_str() {
            "fails" => Err(Failure::new("out of steam")),
            "does not stop" => park(),
            "is through" => context.send("through".into()),
            _ => {
                while !context.wait(Duration::from_secs(1)) {}
                Ok(())
            }
        }
    }
}

fn park() -> ! {
    loop {
        thread::park();
    }
}

/// Sends each item back as an event.
struct Echo;

impl Worker for Echo {
    const NAME: &'static str = "echo";
    type Settings = ();
    type Event = String;

    fn start((): (), _: &Context<String>) -> Result<Self> {
        Ok(Self)
    }

    fn stop(&mut self, context: &Context<String>) -> Result<()> {
        context.send("last word".into())
    }
}

impl QueueWorker for Echo {
    type Item = u32;

    fn item(&mut self, item: u32, context: &Context<String>) -> Result<()> {
        context.send(format!("echo {item}"))
    }
}

struct Clock(u32);

impl Worker for Clock {
    const NAME: &'static str = "clock";
    type Settings = u32;
    type Event = String;

    fn start(first: u32, _: &Context<String>) -> Result<Self> {
        Ok(Self(first))
    }
}

impl TimerWorker for Clock {
    fn interval(&self) -> Duration {
        Duration::from_millis(10)
    }

    fn tick(&mut self, context: &Context<String>) -> Result<()> {
        self.0 += 1;
        context.send(format!("tick {}", self.0))
    }
}

pub(crate) fn register(registry: Registry) -> Registry {
    registry.plain_worker::<Actor>().queue_worker::<Echo>().timer_worker::<Clock>()
}

fn app(toolkit: &Toolkit) -> App<String> {
    App::new(toolkit).expect("an application").start_deadline(SOON).stop_deadline(SOON)
}

fn queues_are_worked_off(toolkit: &Toolkit) {
    let mut app = app(toolkit);
    let queue = app.queue(None).expect("a queue");
    app.start_consumer::<Echo>("ECHO", (), &queue).expect("start");
    app.start_plain::<Actor>("STEADY", "steady".into()).expect("start");
    (0..50).for_each(|n| queue.put(n).expect("put"));
    let mut echoes = 0;
    // It stops at the first, and the others are dealt with in the course of that.
    let report = app.run(|event| match event.body {
        Body::Event(text) if text.starts_with("echo") => {
            echoes += 1;
            Handled::Stop
        }
        _ => Handled::No,
    });
    let report = report.expect("a good end");
    assert!(report.is_clean(), "{report}");
    assert_eq!((echoes, report.unhandled, report.items_left, report.events_left), (50, 1, 0, 0));
    assert_eq!((report.workers[0].name.as_str(), report.exit_code()), ("ECHO", 0));
}

fn a_timer_ticks(toolkit: &Toolkit) {
    let mut app = app(toolkit);
    app.start_timer::<Clock>("CLOCK", 40).expect("start");
    let mut ticks = Vec::new();
    let report = app.run(|event| match event.body {
        Body::Event(text) => {
            ticks.push(text);
            if ticks.len() == 3 { Handled::Stop } else { Handled::Yes }
        }
        _ => Handled::No,
    });
    assert!(report.expect("a good end").is_clean());
    assert_eq!(ticks[..3], ["tick 41", "tick 42", "tick 43"]);
}

fn it_ends_when_all_are_through(toolkit: &Toolkit) {
    let mut app = app(toolkit);
    app.start_plain::<Actor>("BRIEF", "is through".into()).expect("start");
    let mut heard = Vec::new();
    let report = app.run(|event| {
        heard.push(event.body);
        Handled::Yes
    });
    assert!(report.expect("a good end").is_clean());
    assert_eq!(heard, [Body::Event("through".into()), Body::Stopped]);
}

fn a_failing_worker_ends_the_application(toolkit: &Toolkit) {
    let mut app = app(toolkit);
    app.start_plain::<Actor>("STEADY", "steady".into()).expect("start");
    app.start_plain::<Actor>("WEAK", "fails".into()).expect("it starts, and fails later");
    let error = app.run(|_| Handled::Yes).expect_err("one fails");
    let AppError::Worker(error) = error else { panic!("{error:?}") };
    assert_eq!(error.worker.as_deref(), Some("WEAK"));
    assert!(error.to_string().contains("out of steam"), "{error}");
}

fn a_worker_that_does_not_start(toolkit: &Toolkit) {
    let mut first = app(toolkit);
    let error = first.start_plain::<Actor>("DEAD", "cannot start".into()).expect_err("it cannot");
    assert!(error.to_string().contains("no power"), "{error}");
    drop(first);
    let mut second = app(toolkit).start_deadline(Duration::from_millis(300));
    let error = second.start_plain::<Actor>("LAZY", "does not start".into()).expect_err("it does not");
    assert_eq!(error.to_string(), "LAZY was not ready within 300ms");
}

fn a_stubborn_worker_is_ended_by_force(toolkit: &Toolkit) {
    let mut app = app(toolkit).stop_deadline(Duration::from_millis(100));
    app.start_plain::<Actor>("STEADY", "steady".into()).expect("start");
    app.start_plain::<Actor>("STUBBORN", "does not stop".into()).expect("start");
    app.shutdown_event().set().expect("set");
    let report = app.run(|_| Handled::Yes).expect("an end");
    assert!(!report.is_clean());
    assert_eq!((report.workers[0].exit_code, report.workers[0].forced), (Some(0), false));
    assert_eq!((report.workers[1].exit_code, report.workers[1].forced), (Some(-9), true));
}

/// An application whose worker does not stop and that has much patience.
pub(crate) fn be_stubborn(toolkit: &Toolkit) -> ExitCode {
    let mut app = App::new(toolkit).expect("an application").stop_deadline(Duration::from_secs(1000));
    app.start_plain::<Actor>("STUBBORN", "does not stop".into()).expect("start");
    println!("ready");
    let report = app.run(|event| {
        println!("{event}");
        Handled::Yes
    });
    ExitCode::from(report.expect("an end").exit_code())
}

fn the_third_signal_ends_it_at_once(_: &Toolkit) {
    let me = std::env::current_exe().expect("a running program has a path");
    let mut running = TestCommand::new(me).arg(STUBBORN).limit(SOON).spawn();
    let prefix = crate::spool_prefix(running.pid());
    running.wait_for_stdout("ready", SOON);
    for count in 1..=2 {
        running.signal(Signal::INT);
        running.wait_for(gristmill_testkit::command::Stream::Stdout, "main: SIGINT", count, SOON);
    }
    let begun = Instant::now();
    running.signal(Signal::INT);
    running.wait().assert_code(130);
    assert!(begun.elapsed() < Duration::from_secs(2));
    let entries = std::env::temp_dir().read_dir().expect("a folder for temporary files");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().starts_with(&prefix)));
}
