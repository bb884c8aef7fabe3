//! How large the sample should be: from 1 MiB on until a run takes long enough to be measured, or the time for all runs
//! would not do.
//!
//! It neither takes samples nor runs jobs itself.

use std::time::Duration;

use super::measured::Run;
use crate::error::Error;

const FIRST_BYTES: u64 = 1 << 20;
/// A sample should not fill the folder for temporary files.
const MOST_BYTES: u64 = 256 << 20;
const LEAST_BYTES: u64 = 4 << 10;
/// Shorter runs are mostly the start of workers.
const LONG_ENOUGH: Duration = Duration::from_millis(300);
/// The part of the time that the least number of runs may take.
const PLANNED_PART: f64 = 0.7;
/// A first run that takes more than this part of the time is stopped.
const PATIENCE_PART: u32 = 6;

/// Takes samples of a wanted size and makes runs on the last one, with all options as they are.
pub(super) trait Prober {
    /// Takes a sample; how many bytes it has, and whether that is all there is.
    fn take(&mut self, want: u64) -> Result<(u64, bool), Error>;
    /// `None` when the run was stopped because it took longer than `limit`.
    fn run(&mut self, limit: Duration) -> Result<Option<Run>, Error>;
}

/// Finds the size of the sample; the prober has it in the end. `runs` are planned in `time`.
pub(super) fn probe(prober: &mut dyn Prober, time: Duration, runs: f64) -> Result<Run, Error> {
    let affordable = time.mul_f64(PLANNED_PART).div_f64(runs.max(1.0));
    let goal = LONG_ENOUGH.min(affordable);
    let limit = time / PATIENCE_PART;
    let (mut want, mut shrunk) = (FIRST_BYTES, false);
    loop {
        let (bytes, whole) = prober.take(want)?;
        let Some(run) = warm_run(prober, goal, limit)? else {
            let smaller = bytes.min(want) / 16;
            if smaller < LEAST_BYTES {
                return Err(too_slow(bytes, limit));
            }
            (want, shrunk) = (smaller, true);
            continue;
        };
        let part = goal.as_secs_f64() / run.wall.as_secs_f64().max(1e-6);
        if part > 1.0 && !whole && !shrunk && want < MOST_BYTES {
            want = want.saturating_mul(4).min((want as f64 * part * 1.25) as u64).min(MOST_BYTES);
        } else if run.wall > affordable * 2 && bytes.min(want) > 2 * LEAST_BYTES && bytes <= want * 2 {
            let fitting = (bytes.min(want) as f64 * affordable.as_secs_f64() / run.wall.as_secs_f64()) as u64;
            (want, shrunk) = (fitting.max(LEAST_BYTES), true);
        } else {
            return Ok(run);
        }
    }
}

/// The first run may have waited for a disk: what looks long enough is run again.
fn warm_run(prober: &mut dyn Prober, goal: Duration, limit: Duration) -> Result<Option<Run>, Error> {
    match prober.run(limit)? {
        Some(run) if run.wall >= goal => prober.run(limit),
        run => Ok(run),
    }
}

fn too_slow(bytes: u64, limit: Duration) -> Error {
    Error::usage(format!(
        "--tune-time: a run on a sample of {bytes} bytes takes longer than {limit:.1?}, a sixth of the time there is"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// An input of a known size and a job of a known speed.
    struct Known {
        input: u64,
        bytes_per_second: f64,
        bytes: u64,
        taken: Vec<u64>,
    }

    impl Prober for Known {
        fn take(&mut self, want: u64) -> Result<(u64, bool), Error> {
            self.bytes = want.min(self.input);
            self.taken.push(self.bytes);
            Ok((self.bytes, self.bytes == self.input))
        }

        fn run(&mut self, limit: Duration) -> Result<Option<Run>, Error> {
            let wall = Duration::from_secs_f64(0.005 + self.bytes as f64 / self.bytes_per_second);
            Ok((wall <= limit).then_some(Run { wall, tasks: 1, workers: 2, partitions: 1 }))
        }
    }

    fn probe_with(input: u64, bytes_per_second: f64, seconds: u64) -> (Result<Run, Error>, Known) {
        let mut known = Known { input, bytes_per_second, bytes: 0, taken: Vec::new() };
        let run = probe(&mut known, Duration::from_secs(seconds), 45.0);
        (run, known)
    }

    #[test]
    fn the_sample_grows_until_a_run_can_be_measured() {
        let (run, known) = probe_with(1 << 40, 100e6, 30);
        let wall = run.expect("a sample").wall;
        assert!((LONG_ENOUGH..LONG_ENOUGH * 2).contains(&wall), "{wall:?}");
        assert_eq!(known.taken[..3], [MIB, 4 * MIB, 16 * MIB]);
    }

    #[test]
    fn a_small_input_is_used_whole_and_a_fast_job_stays_below_the_limit() {
        let (run, known) = probe_with(3 * MIB, 1e9, 30);
        assert!(run.is_ok() && known.bytes == 3 * MIB);
        let (run, known) = probe_with(1 << 40, 1e12, 30);
        assert!(run.is_ok() && known.bytes == MOST_BYTES);
    }

    #[test]
    fn a_slow_job_gets_a_smaller_sample() {
        for (bytes_per_second, seconds) in [(1e6, 30), (1e5, 30), (20e6, 3)] {
            let (run, known) = probe_with(1 << 40, bytes_per_second, seconds);
            let all = run.expect("a sample").wall.as_secs_f64() * 45.0;
            assert!(all < seconds as f64 * 1.5, "{all} s for {} bytes", known.bytes);
        }
        let error = probe_with(1 << 40, 100.0, 30).0.expect_err("nothing is fast enough");
        assert!(error.to_string().contains("--tune-time"), "{error}");
    }
}
