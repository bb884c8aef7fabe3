//! A job whose mapper works on each record with rayon, as a library that it calls might.
//!
//! With the threads executor its calls run in the framework's own pool.

use gristmill::{App, Emitter, Job, NoArgs, Result, Sum, map_text};
use rayon::prelude::*;

pub(crate) fn register(app: App) -> App {
    app.job("parallel", |_: NoArgs| Job::new(map_text(letters)).fold_with(Sum))
}

/// Counts letters, each line in many small parts.
fn letters(line: &str, out: &mut Emitter<'_, u8, u64>) -> Result {
    let bytes: Vec<u8> = line.bytes().collect();
    let count =
        |wanted: u8| bytes.par_chunks(3).map(|part| part.iter().filter(|&&b| b == wanted).count()).sum();
    for letter in b'a'..=b'e' {
        let found: usize = count(letter);
        out.emit(&letter, found as u64)?;
    }
    Ok(())
}
