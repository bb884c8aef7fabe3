//! Shows what a job has to show: its results, or a summary, on standard output.
//!
//! It decides nothing about the job.

use std::io::{self, Write};

use super::registry::Registered;
use crate::coordinate::Finished;
use crate::result::Result;

/// Prints the summary that was asked for, or results that went to no folder.
pub(super) fn show(job: &Registered, params: &[u8], finished: &Finished, json: bool) -> Result {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let shown = match (&job.present, finished.output()) {
        (_, Some(_)) if json => print_json(finished, &mut out),
        (_, Some(_)) => Ok(()),
        (Some(present), None) => {
            drop(out);
            return ignore_closed_pipe(present(params, finished));
        }
        (None, None) => finished.copy_text(&mut out),
    };
    ignore_closed_pipe(shown.and_then(|()| Ok(out.flush()?)))
}

fn print_json(finished: &Finished, out: &mut impl Write) -> Result {
    let mut summary = serde_json::to_value(finished.summary())?;
    summary["counters"] = finished.counters().iter().collect();
    summary["certificates"] = finished.certificates()?;
    summary["quarantine"] = finished.quarantine().map(|path| path.display().to_string()).into();
    summary["output"] = finished.output().map(|path| path.display().to_string()).into();
    Ok(writeln!(out, "{summary}")?)
}

/// Whoever reads the results may have seen enough: `wordcount | head` is no failure.
fn ignore_closed_pipe(shown: Result) -> Result {
    let Err(error) = shown else { return Ok(()) };
    match error.downcast_ref::<io::Error>() {
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        // An error of a part file has the file's name already.
        Some(error) => Err(format!("cannot write to standard output: {error}").into()),
        None => Err(error),
    }
}
