//! An HVAC monitor: a main process, and workers that observe, report their status, send and listen.
//!
//! Readings and status reports go through the main process to a queue, from which SEND delivers them to a file. LISTEN
//! takes commands on a local socket. `hvac FILE [MILLISECONDS]` runs until Ctrl-C or the command STOP.

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use gristmill_log::{Console, LevelFilter, Listener};
use gristmill_pool::app::{
    App, AppEvent, Body, Context, Handled, PlainWorker, QueueWorker, TimerWorker, Worker,
};
use gristmill_pool::{Queue, Registry, Result};
use serde::{Deserialize, Serialize};

/// What the workers tell the main process.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Event {
    Listening(u16),
    Status(String),
    /// Degrees Celsius.
    Observation(f64),
    Command(String),
    Sent(u32),
}

struct Status;

impl Worker for Status {
    const NAME: &'static str = "status";
    type Settings = Duration;
    type Event = Event;

    fn start(_: Duration, _: &Context<Event>) -> Result<Self> {
        Ok(Self)
    }
}

impl TimerWorker for Status {
    fn interval(&self) -> Duration {
        Duration::from_millis(50)
    }

    fn tick(&mut self, context: &Context<Event>) -> Result<()> {
        let up = context.elapsed().as_secs();
        context.send(Event::Status(format!("up for {up} s")))
    }
}

struct Observation {
    interval: Duration,
    reading: u32,
}

impl Worker for Observation {
    const NAME: &'static str = "observation";
    type Settings = Duration;
    type Event = Event;

    fn start(interval: Duration, _: &Context<Event>) -> Result<Self> {
        Ok(Self { interval, reading: 0 })
    }

    fn stop(&mut self, _: &Context<Event>) -> Result<()> {
        tracing::info!("the sensor is switched off after {} readings", self.reading);
        Ok(())
    }
}

impl TimerWorker for Observation {
    fn interval(&self) -> Duration {
        self.interval
    }

    fn tick(&mut self, context: &Context<Event>) -> Result<()> {
        self.reading += 1;
        context.send(Event::Observation(20.0 + f64::from(self.reading % 8) / 4.0))
    }
}

struct Send {
    file: File,
    sent: u32,
}

impl Worker for Send {
    const NAME: &'static str = "send";
    type Settings = PathBuf;
    type Event = Event;

    fn start(path: PathBuf, _: &Context<Event>) -> Result<Self> {
        Ok(Self { file: OpenOptions::new().append(true).create(true).open(path)?, sent: 0 })
    }

    fn stop(&mut self, context: &Context<Event>) -> Result<()> {
        context.send(Event::Sent(self.sent))
    }
}

impl QueueWorker for Send {
    type Item = String;

    fn item(&mut self, item: String, _: &Context<Event>) -> Result<()> {
        self.sent += 1;
        Ok(writeln!(self.file, "{item}")?)
    }
}

struct Listen {
    socket: TcpListener,
}

impl Worker for Listen {
    const NAME: &'static str = "listen";
    type Settings = ();
    type Event = Event;

    fn start((): (), context: &Context<Event>) -> Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        context.send(Event::Listening(socket.local_addr()?.port()))?;
        Ok(Self { socket })
    }
}

impl PlainWorker for Listen {
    fn run(&mut self, context: &Context<Event>) -> Result<()> {
        while !context.wait(Duration::from_millis(20)) {
            match self.socket.accept() {
                Ok((stream, _)) => obey(stream, context)?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// One command per line. A client that says nothing is not waited for.
fn obey(stream: TcpStream, context: &Context<Event>) -> Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    for line in BufReader::new(stream).lines() {
        match line {
            Ok(command) => context.send(Event::Command(command))?,
            Err(error) => {
                tracing::warn!("a client is cut off: {error}");
                break;
            }
        }
    }
    Ok(())
}

fn handle(event: AppEvent<Event>, outgoing: &Queue<String>) -> Handled {
    let report = match event.body {
        Body::Event(Event::Listening(port)) => {
            println!("listening on port {port}");
            return Handled::Yes;
        }
        Body::Event(Event::Sent(count)) => {
            println!("{count} reports sent");
            return Handled::Yes;
        }
        Body::Event(Event::Command(command)) if command == "STOP" => return Handled::Stop,
        Body::Event(Event::Status(status)) => format!("{} status {status}", event.source),
        Body::Event(Event::Observation(degrees)) => format!("{} observation {degrees:.2}", event.source),
        _ => return Handled::No,
    };
    if let Err(error) = outgoing.put(report) {
        tracing::debug!("a report came too late: {error}");
    }
    Handled::Yes
}

fn main() -> std::result::Result<ExitCode, Box<dyn Error>> {
    let toolkit = Registry::new()
        .app("hvac")
        .timer_worker::<Status>()
        .timer_worker::<Observation>()
        .queue_worker::<Send>()
        .plain_worker::<Listen>()
        .enter()?;
    let mut arguments = std::env::args().skip(1);
    let file = PathBuf::from(arguments.next().ok_or("usage: hvac FILE [MILLISECONDS]")?);
    let interval = Duration::from_millis(arguments.next().map_or(Ok(100), |text| text.parse())?);

    let console = Console::stderr().level(LevelFilter::DEBUG);
    let listener = Listener::builder().name("MAIN").handler(console).start()?;
    gristmill_log::install(listener.handle().endpoint("MAIN", "debug")?)?;
    let toolkit = toolkit.with_log(listener.handle(), "debug");

    let mut app = App::new(&toolkit)?;
    let outgoing = app.queue(None)?;
    app.start_consumer::<Send>("SEND", file, &outgoing)?;
    app.start_plain::<Listen>("LISTEN", ())?;
    app.start_timer::<Status>("STATUS", interval)?;
    app.start_timer::<Observation>("OBSERVATION", interval)?;
    let report = app.run(|event| handle(event, &outgoing))?;
    drop(toolkit);
    let logged = listener.stop(Duration::from_secs(2));
    if !logged.is_complete() {
        eprintln!("{logged}");
    }
    println!("{report}");
    Ok(ExitCode::from(report.exit_code()))
}
