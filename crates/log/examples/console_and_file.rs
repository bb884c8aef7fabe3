//! Warnings go to the console in a short form, everything goes to a file as JSON, and the whole is data.
//!
//! Run it with `cargo run -p gristmill-log --example console_and_file`, and with a path to keep the file.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gristmill_log::{Config, Listener, Offer, install, receive};

const CONFIG: &str = r#"
    [listener]
    levels = "debug"

    [handlers.console]
    kind = "console"
    level = "warn"
    format = "{level} {process}: {message}"

    [handlers.file]
    kind = "file"
    path = "PATH"
    format = "json"
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args[..] {
        [marker, address] if marker == "worker" => worker(address),
        [path] => parent(&PathBuf::from(path)),
        [] => parent(&tempfile::tempdir()?.path().join("all.log")),
        _ => Err("usage: console_and_file [FILE]".into()),
    }
}

fn parent(path: &Path) -> Result<(), Box<dyn Error>> {
    let config = Config::from_toml(&CONFIG.replace("PATH", path.to_str().ok_or("the path is not UTF-8")?))?;
    let listener = config.start()?;
    listener.install()?;
    tracing::info!("the program has started");
    run_worker(&listener)?;
    // Records of different processes may change places. What the worker has logged is to stand before the last word.
    if !listener.handle().sync(Duration::from_secs(10)) {
        return Err("the listener is too slow".into());
    }
    tracing::warn!("the program is about to end");
    let report = listener.stop(Duration::from_secs(10));
    print!("{}", std::fs::read_to_string(path)?);
    println!("{report}");
    Ok(())
}

fn run_worker(listener: &Listener) -> Result<(), Box<dyn Error>> {
    let offer = Offer::new(listener.handle().endpoint_for("Worker-1")?)?;
    let mut worker = Command::new(std::env::current_exe()?).args(["worker", offer.address()]).spawn()?;
    offer.deliver(Duration::from_secs(10))?;
    worker.wait()?;
    Ok(())
}

fn worker(address: &str) -> Result<(), Box<dyn Error>> {
    install(receive(address)?)?;
    let _request = tracing::info_span!("request", id = 7).entered();
    tracing::debug!(rows = 3, "the table has been read");
    let error = std::io::Error::other("no such disk");
    tracing::error!(error = &error as &dyn Error, "cannot save it");
    Ok(())
}
