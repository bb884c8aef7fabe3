//! Measures the way of a record, beside Python's, and says what filtered events and a stalled disk cost.
//!
//! Run it with `cargo run --release -p gristmill-log --example log_speed`; it needs `python3` and takes some minutes. The
//! number of Python's records may be given, for a shorter run: its time grows with it.

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use gristmill_log::{
    Handler, Level, Listener, ListenerHandle, Offer, Record, RotatingFile, install, receive,
};

const PROCESSES: u64 = 10;
const RECORDS: u64 = 100_000;
const FILTERED: u64 = 10_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["count", address] => count(address),
        ["filtered", address] => filtered(address),
        ["flood", address] => flood(address),
        [] => measure(RECORDS),
        [records] => measure(records.parse()?),
        _ => Err("usage: log_speed [RECORDS-OF-PYTHON]".into()),
    }
}

fn measure(of_python: u64) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    measure_filtered()?;
    measure_stall()?;
    let ours = throughput(folder.path())?;
    println!("{PROCESSES} processes × {RECORDS} records to a rotated file: {ours:.0} records/s");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/log_speed.py");
    let python = Command::new("python3")
        .arg(script)
        .arg(folder.path())
        .args([PROCESSES.to_string(), of_python.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    let seconds: f64 = String::from_utf8(python.stdout)?.trim().parse()?;
    let theirs = (PROCESSES * of_python) as f64 / seconds;
    println!("Python's {PROCESSES} processes × {of_python} records: {theirs:.0} records/s");
    println!("ratio: {:.1}", ours / theirs);
    Ok(())
}

/// Records per second, from the first event to the last byte in the file.
fn throughput(folder: &Path) -> Result<f64, Box<dyn Error>> {
    let builder = RotatingFile::builder(folder.join("ours.log")).max_bytes(10 << 20).backups(200);
    let listener = Listener::builder().handler(builder.clone().open()?).start()?;
    let mut workers = start_all(&listener.handle(), "count")?;
    let begin = Instant::now();
    workers.iter_mut().for_each(|worker| drop(worker.stdin.take()));
    for mut worker in workers {
        worker.wait()?;
    }
    let report = listener.stop(Duration::from_secs(60));
    let seconds = begin.elapsed().as_secs_f64();
    let mut lines = 0;
    for path in builder.open()?.files()? {
        lines += std::fs::read(path)?.split(|byte| *byte == b'\n').count() as u64 - 1;
    }
    if !report.is_complete() || lines != PROCESSES * RECORDS {
        return Err(format!("{lines} lines: {report}").into());
    }
    Ok(lines as f64 / seconds)
}

fn start_all(handle: &ListenerHandle, what: &str) -> Result<Vec<Child>, Box<dyn Error>> {
    (1..=PROCESSES).map(|n| start(handle, what, &format!("Worker-{n}"), "info")).collect()
}

fn start(handle: &ListenerHandle, what: &str, name: &str, levels: &str) -> Result<Child, Box<dyn Error>> {
    let offer = Offer::new(handle.endpoint(name, levels)?)?;
    let child = Command::new(std::env::current_exe()?)
        .args([what, offer.address()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    offer.deliver(Duration::from_secs(30))?;
    Ok(child)
}

/// The worker waits for the end of its standard input, and then logs.
fn count(address: &str) -> Result<(), Box<dyn Error>> {
    install(receive(address)?)?;
    std::io::stdin().read_line(&mut String::new())?;
    for n in 0..RECORDS {
        tracing::info!("record {n} of this process, of an ordinary length");
    }
    Ok(())
}

fn measure_filtered() -> Result<(), Box<dyn Error>> {
    let listener = Listener::builder().start()?;
    for (what, levels) in [("by level", "info"), ("by target", "trace,log_speed=info")] {
        let output = start(&listener.handle(), "filtered", "Worker-1", levels)?.wait_with_output()?;
        print!("an event that is filtered out {what} costs {}", String::from_utf8(output.stdout)?);
    }
    Ok(())
}

fn filtered(address: &str) -> Result<(), Box<dyn Error>> {
    install(receive(address)?)?;
    let tracing = median(|n| tracing::debug!(n, "an event of an ordinary length"));
    let log = median(|n| log::debug!("an event of an ordinary length {n}"));
    println!("{tracing:.1} ns with `tracing`, {log:.1} ns with `log`");
    Ok(())
}

/// Nanoseconds that a call takes: the median of many batches, so that other programs do not count.
fn median(call: impl Fn(u64)) -> f64 {
    const BATCH: u64 = 10_000;
    let batch = |_| {
        let begin = Instant::now();
        (0..BATCH).for_each(&call);
        begin.elapsed()
    };
    let mut times: Vec<Duration> = (0..FILTERED / BATCH).map(batch).collect();
    times.sort();
    times[times.len() / 2].as_nanos() as f64 / BATCH as f64
}

/// A handler that stands still, as one does whose disk is stalled.
struct Stalled(mpsc::Receiver<()>);

impl Handler for Stalled {
    fn accepts(&self, _: &Level, _: &str) -> bool {
        true
    }

    fn handle(&mut self, _: &Record) -> std::io::Result<()> {
        // It ends when the other side is dropped.
        let _ended = self.0.recv();
        Ok(())
    }
}

fn measure_stall() -> Result<(), Box<dyn Error>> {
    let (go, stalled) = mpsc::channel();
    let listener =
        Listener::builder().patience(Duration::from_millis(10)).handler(Stalled(stalled)).start()?;
    let before = resident()?;
    let workers = start_all(&listener.handle(), "flood")?;
    let mut grown = 0;
    let mut outputs = Vec::new();
    for worker in workers {
        let output = worker.wait_with_output()?;
        grown += String::from_utf8(output.stdout)?.trim().parse::<u64>()?;
        outputs.push(output.status);
    }
    let own = resident()?.saturating_sub(before);
    drop(go);
    let report = listener.stop(Duration::from_secs(60));
    println!(
        "while the handler stalls {PROCESSES} processes that log {RECORDS} records each take {grown} KiB more, and the listener {own} KiB"
    );
    println!("{report}");
    Ok(())
}

/// Logs without a pause, and says by how many KiB the process has grown.
fn flood(address: &str) -> Result<(), Box<dyn Error>> {
    install(receive(address)?)?;
    tracing::info!("the first");
    let before = resident()?;
    for n in 0..RECORDS {
        tracing::info!("record {n} of this process, of an ordinary length");
    }
    writeln!(std::io::stdout(), "{}", resident()?.saturating_sub(before))?;
    Ok(())
}

/// The memory that this process has at the moment, in KiB.
fn resident() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::File::open("/proc/self/status")?;
    for line in std::io::BufReader::new(status).lines() {
        if let Some(size) = line?.strip_prefix("VmRSS:") {
            return Ok(size.trim().trim_end_matches(" kB").parse()?);
        }
    }
    Err("no VmRSS in /proc/self/status".into())
}
