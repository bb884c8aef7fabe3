//! Which settings are worth trying for this job, this machine and this sample.
//!
//! It tries none of them.

use std::thread::available_parallelism;

use super::measured::{LEAST_RUNS, Run, Setting};
use super::search::Space;
use super::words::size;
use crate::error::Error;
use crate::job::Stages;
use crate::options::{ExecutorKind, RunOptions};

const CHUNKS: [u64; 7] = [16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20];
const PARTITIONS: [u32; 5] = [1, 4, 16, 64, 256];
/// More map tasks than this are never worth their price.
const MOST_TASKS: u64 = 4096;

/// Who settled an option before the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Nobody,
    User,
    Job,
    Executor,
}

/// What is settled, by whom, and so what is open.
#[derive(Debug)]
pub(super) struct Settled {
    start: Setting,
    chunk: By,
    workers: By,
    partitions: By,
    parallelism: usize,
}

impl Settled {
    /// Looks at what the user and the job ask for.
    ///
    /// # Errors
    /// When nothing is left to try.
    pub(super) fn of(options: &RunOptions, stages: &dyn Stages) -> Result<Self, Error> {
        let by_user = |given: bool| if given { By::User } else { By::Nobody };
        let inline = options.executor == ExecutorKind::Inline;
        let partitions = match (options.partitions, stages.partitions()) {
            (Some(_), _) => By::User,
            (None, Some(_)) => By::Job,
            (None, None) => By::Nobody,
        };
        let settled = Self {
            start: Setting {
                chunk: options.chunk_size,
                workers: options.workers,
                partitions: options.partitions,
            },
            chunk: by_user(options.chunk_size.is_some()),
            workers: if inline { By::Executor } else { by_user(options.workers.is_some()) },
            partitions,
            parallelism: available_parallelism().map_or(1, usize::from),
        };
        if [settled.chunk, settled.workers, settled.partitions].contains(&By::Nobody) {
            Ok(settled)
        } else {
            Err(Error::usage(
                "--tune: chunk size, workers and partitions are all settled, so there is nothing to try",
            ))
        }
    }

    /// How many runs of the length of the first there will be at least.
    pub(super) fn planned_runs(&self) -> f64 {
        let mut runs = 0.0;
        if self.chunk == By::Nobody {
            runs += (CHUNKS.len() + 1) as f64;
        }
        if self.workers == By::Nobody {
            // Half as many workers may take twice as long.
            let most = self.parallelism as f64;
            runs += 1.0 + fewer_workers(self.parallelism).iter().map(|n| most / *n as f64).sum::<f64>();
        }
        if self.partitions == By::Nobody {
            runs += PARTITIONS.len() as f64;
        }
        runs * LEAST_RUNS as f64
    }

    /// What to try. `first` is a run with everything as it is.
    pub(super) fn space(&self, first: &Run, sample_bytes: u64) -> Space {
        let fits = |chunk: &&u64| {
            let tasks = sample_bytes.div_ceil(**chunk);
            **chunk <= sample_bytes && tasks <= MOST_TASKS && tasks != first.tasks as u64
        };
        let open = |by: By| by == By::Nobody;
        let mut space = Space { start: self.start, ..Space::default() };
        if open(self.chunk) {
            space.chunks = CHUNKS.iter().filter(fits).copied().collect();
        }
        if open(self.workers) {
            space.workers = fewer_workers(first.workers);
        }
        if open(self.partitions) {
            space.partitions = PARTITIONS.into_iter().filter(|&number| number != first.partitions).collect();
        }
        space
    }

    /// A sentence for each option that was not open.
    pub(super) fn sentences(&self, first: &Run) -> Vec<String> {
        let chunk = self.start.chunk.map_or(String::new(), size);
        let options = [
            ("Chunk size", self.chunk, chunk),
            ("Workers", self.workers, first.workers.to_string()),
            ("Partitions", self.partitions, first.partitions.to_string()),
        ];
        let sentence = |(name, by, value): (&str, By, String)| {
            let whose = match by {
                By::Nobody => return None,
                By::User => "as given",
                By::Job => "as the job asks for",
                By::Executor => "as this executor has",
            };
            Some(format!("{name}: {value}, {whose}."))
        };
        options.into_iter().filter_map(sentence).collect()
    }
}

/// 1, 2, 4 and so on below the default.
fn fewer_workers(default: usize) -> Vec<usize> {
    (0..).map(|power| 1 << power).take_while(|&workers| workers < default).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn settled(start: Setting) -> Settled {
        let by = |given| if given { By::User } else { By::Nobody };
        let (chunk, workers) = (by(start.chunk.is_some()), by(start.workers.is_some()));
        Settled { start, chunk, workers, partitions: by(start.partitions.is_some()), parallelism: 6 }
    }

    const FIRST: Run = Run { wall: Duration::from_millis(300), tasks: 16, workers: 6, partitions: 4 };

    #[test]
    fn what_the_sample_and_the_machine_bear_is_tried_but_for_the_default() {
        let space = settled(Setting::default()).space(&FIRST, 4 << 20);
        assert_eq!(space.chunks, [16 << 10, 64 << 10, 1 << 20, 4 << 20]);
        assert_eq!(space.workers, [1, 2, 4]);
        assert_eq!(space.partitions, [1, 16, 64, 256]);
    }

    #[test]
    fn what_the_user_has_fixed_stays() {
        let start = Setting { workers: Some(3), partitions: Some(2), chunk: None };
        let settled = settled(start);
        let space = settled.space(&FIRST, 4 << 20);
        assert!(space.workers.is_empty() && space.partitions.is_empty() && space.start == start);
        assert_eq!(settled.sentences(&FIRST), ["Workers: 6, as given.", "Partitions: 4, as given."]);
    }
}
