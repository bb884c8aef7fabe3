//! What a pool's workers did with their time.
//!
//! It computes and prints; the scheduler measures.

use std::fmt;
use std::time::Duration;

/// How many of the longest tasks are kept.
const LONGEST: usize = 5;

/// Below this share of busy time, more work per task or fewer workers would do.
const BUSY_ENOUGH: f64 = 0.8;

/// How the time of one worker's slot was spent, over all processes that it has had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerTimes {
    /// The worker's name.
    pub name: String,
    /// From the order to start until it was ready, its init hook included.
    pub start: Duration,
    /// Ready and without a task.
    pub wait: Duration,
    /// In tasks that it completed.
    pub work: Duration,
    /// From its last task to its end, its exit hook included.
    pub exit: Duration,
    /// How many tasks it completed.
    pub tasks: u64,
    /// How many processes it took.
    pub processes: u32,
}

/// One of the longest tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LongTask {
    /// How long it took.
    pub time: Duration,
    /// The function.
    pub function: String,
    /// Which of its items it was.
    pub index: u64,
    /// The worker that ran it.
    pub worker: String,
}

/// What a pool did with its time.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PoolStats {
    /// One entry for each worker.
    pub workers: Vec<WorkerTimes>,
    /// The five longest tasks, the longest first.
    pub longest: Vec<LongTask>,
}

impl PoolStats {
    pub(super) fn note(&mut self, time: Duration, function: &str, index: u64, worker: &str) {
        // Nearly all are shorter than those.
        if self.longest.get(LONGEST - 1).is_some_and(|last| last.time >= time) {
            return;
        }
        let at = self.longest.partition_point(|other| other.time >= time);
        if at < LONGEST {
            let (function, worker) = (function.to_owned(), worker.to_owned());
            self.longest.insert(at, LongTask { time, function, index, worker });
            self.longest.truncate(LONGEST);
        }
    }

    /// How many tasks were completed.
    #[must_use]
    pub fn tasks(&self) -> u64 {
        self.workers.iter().map(|worker| worker.tasks).sum()
    }

    /// Which share of the workers' time was work, from 0 to 1; `None` if there was no time yet.
    #[must_use]
    pub fn busy(&self) -> Option<f64> {
        let sum = |part: fn(&WorkerTimes) -> Duration| self.workers.iter().map(part).sum::<Duration>();
        let work = sum(|worker| worker.work).as_secs_f64();
        let all = work + sum(|worker| worker.start + worker.wait + worker.exit).as_secs_f64();
        (all > 0.0).then(|| work / all)
    }

    /// A warning if the workers were busy for less than 80 % of their time, with what it was spent on instead.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let busy = self.busy().filter(|busy| *busy < BUSY_ENOUGH && self.tasks() > 0)?;
        let sum = |part: fn(&WorkerTimes) -> Duration| self.workers.iter().map(part).sum::<Duration>();
        Some(format!(
            "the pool's workers were busy for {:.0} % of their time only: start {:.3?}, wait {:.3?}, work {:.3?}, exit {:.3?}",
            busy * 100.0,
            sum(|worker| worker.start),
            sum(|worker| worker.wait),
            sum(|worker| worker.work),
            sum(|worker| worker.exit),
        ))
    }
}

impl fmt::Display for PoolStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for worker in &self.workers {
            let WorkerTimes { name, start, wait, work, exit, tasks, .. } = worker;
            writeln!(
                f,
                "{name}: {tasks} tasks, start {start:.3?}, wait {wait:.3?}, work {work:.3?}, exit {exit:.3?}"
            )?;
        }
        for LongTask { time, function, index, worker } in &self.longest {
            writeln!(f, "{time:.3?} for `{function}` of item {index} in {worker}")?;
        }
        write!(f, "busy {:.0} %", self.busy().unwrap_or(0.0) * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(work: u64, wait: u64) -> WorkerTimes {
        let (work, wait) = (Duration::from_secs(work), Duration::from_secs(wait));
        WorkerTimes { name: "PoolWorker-1".into(), work, wait, tasks: 1, ..WorkerTimes::default() }
    }

    #[test]
    fn the_five_longest_are_kept_in_order() {
        let mut stats = PoolStats::default();
        for millis in [3, 1, 7, 5, 9, 2, 8] {
            stats.note(Duration::from_millis(millis), "f", millis, "PoolWorker-1");
        }
        assert_eq!(stats.longest.iter().map(|task| task.index).collect::<Vec<_>>(), [9, 8, 7, 5, 3]);
    }

    #[test]
    fn idle_workers_are_a_warning_and_busy_ones_are_not() {
        let mut stats = PoolStats { workers: vec![worker(9, 1), worker(8, 2)], longest: Vec::new() };
        assert_eq!(stats.warning(), None);
        stats.workers.push(worker(1, 9));
        let warning = stats.warning().expect("18 of 30 seconds");
        assert!(warning.contains("busy for 60 %"), "{warning}");
        assert_eq!(PoolStats::default().busy(), None);
    }
}
