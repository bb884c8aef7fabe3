//! Looks for the best setting, one option after the other, and knows no job: a [`Bench`] makes the runs.
//!
//! The settings of a comparison take turns, so that a machine that gets slower or faster does so for all of them. What
//! is clearly slower is left out after the least number of runs; the others get more. Among many settings one may look
//! best by luck: what seems to beat the first one has to do so again, in runs of its own.

use std::time::Duration;

use super::measured::{LEAST_RUNS, Measured, Run, Setting};
use crate::error::Error;

/// Rounds that a comparison takes at most.
const MOST_ROUNDS: usize = 6;
/// Runs in which the fastest has to beat the first again.
const DUEL_ROUNDS: usize = 5;
/// A run that takes so many times as long as the one it is compared with need not come to its end.
const HOPELESS: u32 = 4;
/// No run is hopeless before this time.
const PATIENCE: Duration = Duration::from_secs(1);

/// Makes runs.
pub(super) trait Bench {
    /// Tells that `settings` settings of `axis` are about to be compared.
    fn begin(&mut self, axis: Axis, settings: usize);
    /// One run; `None` when it was stopped because it took longer than `limit`.
    fn run(&mut self, setting: &Setting, limit: Duration) -> Result<Option<Run>, Error>;
    /// What is left of the whole time.
    fn left(&self) -> Duration;
}

/// What a comparison varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    ChunkSize,
    Workers,
    Partitions,
    /// Chunk sizes again, with another number of workers: for the plot, nothing is chosen.
    Line,
}

/// What there is to try.
#[derive(Debug, Clone, Default)]
pub(super) struct Space {
    /// Where the search begins: what the user fixed.
    pub(super) start: Setting,
    pub(super) chunks: Vec<u64>,
    pub(super) workers: Vec<usize>,
    pub(super) partitions: Vec<u32>,
    /// Whether time that is left goes into lines for the plot.
    pub(super) lines: bool,
}

/// Settings that took turns; the first is the one to beat.
#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) axis: Axis,
    pub(super) entries: Vec<Measured>,
    /// The setting that has beaten the first one twice.
    winner: Option<Setting>,
}

/// How a search ended.
#[derive(Debug)]
pub(super) enum End {
    Complete,
    OutOfTime,
    /// By a signal.
    Stopped,
    Failed(Error),
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) comparisons: Vec<Comparison>,
    pub(super) best: Setting,
    pub(super) end: End,
}

/// Compares chunk sizes, then workers, then partitions, each with the best of before.
pub(super) fn search(bench: &mut dyn Bench, space: &Space) -> Found {
    let whole = bench.left();
    let mut found = Found { comparisons: Vec::new(), best: space.start, end: End::Complete };
    // What must be left of the time when a comparison stops asking for more than the least number of runs.
    let shares = [(Axis::ChunkSize, 0.5), (Axis::Workers, 0.3), (Axis::Partitions, 0.1)];
    for (axis, share) in shares {
        let candidates = space.candidates(axis, found.best);
        if candidates.is_empty() {
            continue;
        }
        let (comparison, end) = compare(bench, axis, found.best, candidates, whole.mul_f64(share));
        found.best = comparison.chosen().setting;
        found.comparisons.push(comparison);
        if !matches!(end, End::Complete) {
            found.end = end;
            return found;
        }
    }
    if space.lines {
        found.end = draw_lines(bench, space, &mut found.comparisons);
    }
    found
}

impl Space {
    fn candidates(&self, axis: Axis, best: Setting) -> Vec<Setting> {
        let chunk = |&chunk: &u64| Setting { chunk: Some(chunk), ..best };
        let workers = |&workers: &usize| Setting { workers: Some(workers), ..best };
        let partitions = |&partitions: &u32| Setting { partitions: Some(partitions), ..best };
        match axis {
            Axis::ChunkSize => self.chunks.iter().map(chunk).collect(),
            Axis::Workers => self.workers.iter().map(workers).collect(),
            Axis::Partitions => self.partitions.iter().map(partitions).collect(),
            Axis::Line => Vec::new(),
        }
    }
}

/// Measures the compared chunk sizes with the other worker counts too, as far as the time goes.
fn draw_lines(bench: &mut dyn Bench, space: &Space, comparisons: &mut Vec<Comparison>) -> End {
    let Some(chunks) = comparisons.iter().find(|comparison| comparison.axis == Axis::ChunkSize) else {
        return End::Complete;
    };
    let settings: Vec<Setting> = chunks.entries.iter().map(|entry| entry.setting).collect();
    let one_turn: f64 = chunks.entries.iter().map(Measured::median).sum();
    let workers_there = chunks.entries[0].runs.first().map_or(1, |run| run.workers);
    for &workers in space.workers.iter().rev() {
        let estimate = one_turn * LEAST_RUNS as f64 * (workers_there as f64 / workers as f64).max(1.0);
        if bench.left().as_secs_f64() < estimate {
            // The plot has one line less: nothing of what was asked is missing.
            return End::Complete;
        }
        let mut settings =
            settings.iter().map(|setting| Setting { workers: Some(workers), ..*setting }).collect::<Vec<_>>();
        let first = settings.remove(0);
        let all_the_time = Duration::MAX;
        let (comparison, end) = compare(bench, Axis::Line, first, settings, all_the_time);
        comparisons.push(comparison);
        match end {
            End::Complete => {}
            End::OutOfTime => return End::Complete,
            failed => return failed,
        }
    }
    End::Complete
}

/// Lets the settings take turns until the least number of rounds is done and no more than `reserve` is left, or nothing
/// is open any more.
fn compare(
    bench: &mut dyn Bench,
    axis: Axis,
    first: Setting,
    candidates: Vec<Setting>,
    reserve: Duration,
) -> (Comparison, End) {
    let entries = std::iter::once(first).chain(candidates).map(Measured::new).collect();
    let mut comparison = Comparison::new(axis, entries);
    bench.begin(axis, comparison.entries.len());
    for round in 0..MOST_ROUNDS {
        let turn = comparison.turn(round);
        if round >= LEAST_RUNS && (bench.left() <= reserve || turn.len() < 2) {
            break;
        }
        match comparison.run_all(bench, turn) {
            End::Complete => {}
            end => return (comparison, end),
        }
        if round == 0 {
            comparison.drop_repeated_plans();
        }
    }
    let end = comparison.duel(bench);
    (comparison, end)
}

impl Comparison {
    pub(super) fn new(axis: Axis, entries: Vec<Measured>) -> Self {
        Self { axis, entries, winner: None }
    }

    /// Whose turn it is. Every other round goes backwards: a steady drift then adds up to the same for everybody.
    fn turn(&self, round: usize) -> Vec<usize> {
        let open = |&index: &usize| {
            let entry = &self.entries[index];
            entry.over.is_none()
                && (round < LEAST_RUNS || index == 0 || !self.fastest().is_faster_than(entry))
        };
        let turn = (0..self.entries.len()).filter(open);
        if round.is_multiple_of(2) { turn.collect() } else { turn.rev().collect() }
    }

    fn run_all(&mut self, bench: &mut dyn Bench, turn: Vec<usize>) -> End {
        let mut ends = turn.into_iter().map(|index| self.run(bench, index));
        ends.find(|end| !matches!(end, End::Complete)).unwrap_or(End::Complete)
    }

    fn run(&mut self, bench: &mut dyn Bench, index: usize) -> End {
        let left = bench.left();
        let entry = &self.entries[index];
        if left.is_zero() || left < entry.runs.last().map_or(Duration::ZERO, |run| run.wall) {
            return End::OutOfTime;
        }
        let limit = self.limit(index).min(left);
        let setting = entry.setting;
        match bench.run(&setting, limit) {
            Ok(Some(run)) => self.entries[index].runs.push(run),
            Ok(None) if limit == left => return End::OutOfTime,
            Ok(None) => self.entries[index].over = Some(limit),
            Err(error) => return End::Failed(error),
        }
        End::Complete
    }

    /// Fewer workers may well take several times as long; other settings that do are hopeless.
    fn limit(&self, index: usize) -> Duration {
        match self.entries[0].runs.first() {
            Some(first) if index > 0 && matches!(self.axis, Axis::ChunkSize | Axis::Partitions) => {
                (first.wall * HOPELESS).max(PATIENCE)
            }
            _ => Duration::MAX,
        }
    }

    /// Two chunk sizes may cut the input into the same tasks: the first of them is enough.
    fn drop_repeated_plans(&mut self) {
        let mut seen: Vec<Run> = Vec::new();
        self.entries.retain(|entry| match entry.runs.first() {
            Some(run) if seen.iter().any(|other| other.same_plan(run)) => false,
            run => {
                seen.extend(run);
                true
            }
        });
    }

    /// The judged setting with the smallest median; the first one if none is judged.
    pub(super) fn fastest(&self) -> &Measured {
        let judged = self.entries.iter().filter(|entry| entry.is_judged());
        judged.min_by(|a, b| a.median().total_cmp(&b.median())).unwrap_or(&self.entries[0])
    }

    /// Only new runs count here: the old ones have had their chance to be lucky.
    fn duel(&mut self, bench: &mut dyn Bench) -> End {
        let fastest = self.fastest().setting;
        let place = self.entries.iter().position(|entry| entry.setting == fastest).unwrap_or(0);
        if self.axis == Axis::Line || !self.beats_first(place) {
            return End::Complete;
        }
        let before = [0, place].map(|index| self.entries[index].runs.len());
        for round in 0..DUEL_ROUNDS {
            let turn = if round.is_multiple_of(2) { vec![0, place] } else { vec![place, 0] };
            match self.run_all(bench, turn) {
                End::Complete => {}
                end => return end,
            }
        }
        let again = self.entries[place].since(before[1]).is_faster_than(&self.entries[0].since(before[0]));
        self.winner = (again && self.beats_first(place)).then_some(fastest);
        End::Complete
    }

    fn beats_first(&self, place: usize) -> bool {
        let (first, other) = (&self.entries[0], &self.entries[place]);
        first.is_judged() && other.is_judged() && other.is_faster_than(first)
    }

    /// The setting that is really faster than the first, or else the first.
    pub(super) fn chosen(&self) -> &Measured {
        let winner = self.entries.iter().find(|entry| Some(entry.setting) == self.winner);
        winner.unwrap_or(&self.entries[0])
    }
}

#[cfg(test)]
impl Comparison {
    /// A comparison in which the entry at `place` has won.
    pub(super) fn with_winner(axis: Axis, entries: Vec<Measured>, place: usize) -> Self {
        let winner = Some(entries[place].setting);
        Self { axis, entries, winner }
    }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
