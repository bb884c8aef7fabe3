//! The search on made-up machines: their cost functions and their noise are known, their clock is a number.

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const SAMPLE: u64 = 32 << 20;

/// A machine on which a setting takes what `cost` says, give or take `noise`.
struct Machine<F> {
    cost: F,
    noise: f64,
    /// Every run takes this part longer than the one before.
    drift: f64,
    random: u64,
    left: Duration,
    runs: Vec<Setting>,
    fail_at: Option<usize>,
}

fn machine<F: Fn(&Setting) -> f64>(cost: F, noise: f64, seed: u64) -> Machine<F> {
    Machine { cost, noise, drift: 0.0, random: seed, left: 60 * SECOND, runs: Vec::new(), fail_at: None }
}

impl<F> Machine<F> {
    /// Between -1 and 1.
    fn next_random(&mut self) -> f64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

impl<F: Fn(&Setting) -> f64> Bench for Machine<F> {
    fn begin(&mut self, _: Axis, _: usize) {}

    fn run(&mut self, setting: &Setting, limit: Duration) -> Result<Option<Run>, Error> {
        if self.fail_at == Some(self.runs.len()) {
            return Err(Error::cancelled(2));
        }
        let factor = (1.0 + self.noise * self.next_random()) * (1.0 + self.drift * self.runs.len() as f64);
        self.runs.push(*setting);
        let wall = Duration::from_secs_f64((self.cost)(setting) * factor);
        self.left = self.left.saturating_sub(wall.min(limit));
        let tasks = SAMPLE.div_ceil(chunk(setting)) as usize;
        let (workers, partitions) = (workers(setting), setting.partitions.unwrap_or(8));
        Ok((wall <= limit).then_some(Run { wall, tasks, workers, partitions }))
    }

    fn left(&self) -> Duration {
        self.left
    }
}

fn workers(setting: &Setting) -> usize {
    setting.workers.unwrap_or(4)
}

fn chunk(setting: &Setting) -> u64 {
    setting.chunk.unwrap_or(SAMPLE / 8 / workers(setting) as u64)
}

/// Tasks have a price, workers wait for the last task, partitions have a price.
fn realistic(setting: &Setting) -> f64 {
    let (chunk, workers) = (chunk(setting) as f64, workers(setting) as f64);
    let tasks = (SAMPLE as f64 / chunk).ceil();
    let turns = (tasks / workers).ceil();
    0.02 + turns * (chunk / SAMPLE as f64 + 0.002) + f64::from(setting.partitions.unwrap_or(8)) * 0.0005
}

fn space() -> Space {
    Space {
        chunks: (7..13).map(|power| 4u64.pow(power)).filter(|chunk| *chunk <= SAMPLE).collect(),
        workers: vec![1, 2],
        partitions: vec![1, 4, 16, 64],
        ..Space::default()
    }
}

#[test]
fn the_known_best_is_found_in_noise() {
    // The default cuts into tasks that are far too small: the best is 4 MiB, two turns of four workers.
    let cost = |setting: &Setting| match setting.chunk {
        None => realistic(&Setting { chunk: Some(100 << 10), ..*setting }),
        Some(_) => realistic(setting),
    };
    for seed in 0..50 {
        let mut machine = machine(cost, 0.05, seed);
        let found = search(&mut machine, &space());
        assert!(matches!(found.end, End::Complete));
        assert_eq!((found.best.chunk, found.best.workers), (Some(4 << 20), None), "seed {seed}");
        let runs = found.comparisons.iter().flat_map(|comparison| &comparison.entries);
        assert!(runs.clone().all(|entry| entry.over.is_some() || entry.runs.len() >= LEAST_RUNS));
    }
}

#[test]
fn where_nothing_makes_a_difference_everything_stays_at_its_default() {
    let mut changed = 0;
    for seed in 0..200 {
        let mut machine = machine(|_: &Setting| 0.3, 0.08, seed);
        let found = search(&mut machine, &space());
        changed += usize::from(found.best != Setting::default());
    }
    assert!(changed <= 2, "of 200 searches without a difference {changed} found one");
}

#[test]
fn a_machine_that_slows_down_does_so_for_everybody() {
    let mut machine = machine(|_: &Setting| 0.2, 0.01, 1);
    machine.drift = 0.005;
    assert_eq!(search(&mut machine, &space()).best, Setting::default());
}

#[test]
fn a_hopeless_setting_is_stopped_and_costs_one_run() {
    let slow = |setting: &Setting| if setting.chunk == Some(16 << 10) { 1e6 } else { 0.3 };
    let mut machine = machine(slow, 0.0, 1);
    let found = search(&mut machine, &space());
    assert_eq!(machine.runs.iter().filter(|setting| setting.chunk == Some(16 << 10)).count(), 1);
    let entries = &found.comparisons[0].entries;
    let hopeless = entries.iter().find(|entry| entry.setting.chunk == Some(16 << 10)).expect("it is told");
    assert_eq!((hopeless.over, hopeless.is_judged()), (Some(Duration::from_millis(1200)), false));
}

#[test]
fn time_and_errors_end_a_search_with_what_is_known() {
    let mut short = machine(realistic, 0.0, 1);
    short.left = Duration::from_millis(900);
    let found = search(&mut short, &space());
    assert!(matches!(found.end, End::OutOfTime) && found.best == Setting::default());
    let mut failing = machine(realistic, 0.0, 1);
    failing.fail_at = Some(30);
    let found = search(&mut failing, &space());
    assert!(matches!(found.end, End::Failed(_)) && found.comparisons[0].entries[0].is_judged());
}

#[test]
fn chunk_sizes_that_cut_alike_are_measured_once() {
    let space = Space { chunks: vec![1 << 20, 4 << 20], ..Space::default() };
    // The default of this machine is 1 MiB too.
    let found = search(&mut machine(realistic, 0.0, 1), &space);
    let chunks: Vec<_> = found.comparisons[0].entries.iter().map(|entry| entry.setting.chunk).collect();
    assert_eq!(chunks, [None, Some(4 << 20)]);
}

#[test]
fn lines_measure_every_chunk_size_with_the_other_workers() {
    let space = Space { lines: true, ..space() };
    let mut machine = machine(realistic, 0.02, 1);
    machine.left = 600 * SECOND;
    let found = search(&mut machine, &space);
    let lines: Vec<_> = found.comparisons.iter().filter(|comparison| comparison.axis == Axis::Line).collect();
    assert_eq!(lines.len(), 2);
    let sizes = found.comparisons[0].entries.len();
    for line in lines {
        // With other workers the default may be one of the sizes.
        assert!((sizes - 1..=sizes).contains(&line.entries.len()));
        assert!(line.entries.iter().all(Measured::is_judged));
    }
}
