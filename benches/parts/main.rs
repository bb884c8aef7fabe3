//! The parts of the data plane one by one: emitting, choosing buckets, spilling, folding and grouping, keys and values as
//! bytes, and what it takes to start a job.
//!
//! Each part's result is checked once before anything of it is timed. It does not compare with other programs.

mod codec;
mod data;
mod emit;
mod partition;
mod reduce;
mod spill;
mod start_up;

use std::time::Duration;

use criterion::Criterion;
use gristmill::Result;

use data::Scale;

fn main() -> Result {
    // This program is its own worker: in one, the next line does not return.
    let program = start_up::program();
    let measure = std::env::args().any(|argument| argument == "--bench");
    let scale = if measure { Scale::FULL } else { Scale::QUICK };
    let mut criterion = criterion();
    emit::benches(&mut criterion, scale)?;
    partition::benches(&mut criterion, scale)?;
    spill::benches(&mut criterion, scale)?;
    reduce::benches(&mut criterion, scale)?;
    codec::benches(&mut criterion)?;
    start_up::benches(&mut criterion, &program)?;
    criterion.final_summary();
    Ok(())
}

/// There are many figures: each gets little time, and no plots.
fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .nresamples(10_000)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .without_plots()
        .configure_from_args()
}
