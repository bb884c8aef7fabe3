//! Ten worker processes log at random through one file that rotates by size.
//!
//! Run it with `cargo run -p gristmill-log --example ten_workers`, and with a folder to keep the files.

use std::error::Error;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use gristmill_log::{Listener, ListenerHandle, Offer, RotatingFile, StopReport, install, receive};
use tracing::{debug, error, info, warn};

const WORKERS: u64 = 10;
const RECORDS: u64 = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args[..] {
        [marker, address, seed] if marker == "worker" => worker(address, seed.parse()?),
        [folder] => parent(Path::new(folder)),
        [] => parent(tempfile::tempdir()?.path()),
        _ => Err("usage: ten_workers [FOLDER]".into()),
    }
}

/// Starts the listener and then the workers, and says what is in the files.
fn parent(folder: &Path) -> Result<(), Box<dyn Error>> {
    let file = RotatingFile::builder(folder.join("workers.log")).max_bytes(20_000).backups(20).open()?;
    let listener = Listener::builder().handler(file).start()?;
    let workers = (1..=WORKERS).map(|n| start(&listener.handle(), n)).collect::<Result<Vec<_>, _>>()?;
    for mut worker in workers {
        worker.wait()?;
    }
    let report = listener.stop(Duration::from_secs(10));
    show(folder, &report)
}

/// The worker is this program again, with an address from which it gets its place on the queue.
fn start(listener: &ListenerHandle, n: u64) -> Result<Child, Box<dyn Error>> {
    let offer = Offer::new(listener.endpoint(&format!("Worker-{n}"), "debug")?)?;
    let worker =
        Command::new(std::env::current_exe()?).args(["worker", offer.address(), &n.to_string()]).spawn()?;
    offer.deliver(Duration::from_secs(10))?;
    Ok(worker)
}

/// Logs records of random levels after random pauses.
fn worker(address: &str, seed: u64) -> Result<(), Box<dyn Error>> {
    install(receive(address)?)?;
    let mut random = Random(seed);
    for n in 1..=RECORDS {
        std::thread::park_timeout(Duration::from_micros(random.next() % 500));
        match random.next() % 4 {
            0 => debug!(n, "a look around"),
            1 => info!(n, "some work"),
            2 => warn!(n, "something odd"),
            _ => error!(n, "something wrong"),
        }
    }
    Ok(())
}

/// A linear congruential generator: good enough for pauses.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
}

fn show(folder: &Path, report: &StopReport) -> Result<(), Box<dyn Error>> {
    let file = RotatingFile::builder(folder.join("workers.log")).max_bytes(20_000).backups(20).open()?;
    let mut lines = 0;
    for path in file.files()? {
        let text = std::fs::read_to_string(&path)?;
        let name = path.file_name().unwrap_or_default().display();
        println!("{name}: {} lines, {} bytes", text.lines().count(), text.len());
        lines += text.lines().count();
    }
    println!("{lines} lines of {WORKERS} workers");
    println!("{report}");
    Ok(())
}
