//! What the numbers say, in sentences: what is best, what the others cost and why.
//!
//! It draws on medians, spreads and task counts alone; it measures nothing.

use super::measured::{Measured, Run};
use super::search::{Axis, Comparison};

/// With at least so many tasks for each worker, waiting for the last one does not explain a difference.
const BALANCED: usize = 4;

/// A size as people read it: `64 KiB`, `1.5 MiB`.
pub(super) fn size(bytes: u64) -> String {
    let (mut value, mut units) = (bytes as f64, ["bytes", "KiB", "MiB", "GiB", "TiB"].iter());
    let mut unit = units.next().unwrap_or(&"");
    for next in units {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, next);
    }
    if value.fract() < 0.05 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

/// An exact size as the option takes it: `64KiB`.
pub(super) fn option_size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let exact = units.iter().find(|(unit, _)| bytes.is_multiple_of(*unit));
    exact.map_or(bytes.to_string(), |(unit, name)| format!("{}{name}", bytes / unit))
}

/// What a comparison varied, for this setting: `64 KiB`, `default (about 1 MiB)`, `2`.
pub(super) fn label(axis: Axis, entry: &Measured, sample_bytes: u64) -> String {
    let run = entry.runs.first();
    let setting = &entry.setting;
    match axis {
        Axis::ChunkSize | Axis::Line => match (setting.chunk, run) {
            (Some(chunk), _) => size(chunk),
            (None, Some(run)) => {
                format!("default (about {})", size(sample_bytes.div_ceil(run.tasks.max(1) as u64)))
            }
            (None, None) => "default".to_owned(),
        },
        Axis::Workers => or_default(setting.workers, run.map(|run| run.workers)),
        Axis::Partitions => or_default(setting.partitions, run.map(|run| run.partitions)),
    }
}

fn or_default<N: ToString>(set: Option<N>, came_to: Option<N>) -> String {
    match (set, came_to) {
        (Some(number), _) => number.to_string(),
        (None, Some(number)) => format!("default ({})", number.to_string()),
        (None, None) => "default".to_owned(),
    }
}

/// What a comparison has shown. Nothing is said about settings with too few runs.
pub(super) fn conclusions(comparison: &Comparison, sample_bytes: u64) -> Vec<String> {
    let says = Says { comparison, sample_bytes, best: comparison.chosen() };
    if comparison.axis == Axis::Line {
        return Vec::new();
    }
    if !comparison.entries[0].is_judged()
        || comparison.entries.iter().filter(|entry| entry.is_judged()).count() < 2
    {
        return vec![format!("{}: too few runs to say anything.", says.name())];
    }
    let mut lines = vec![says.verdict()];
    match comparison.axis {
        Axis::ChunkSize => {
            lines.extend(says.smaller_chunks());
            lines.extend(says.larger_chunks());
        }
        Axis::Partitions if says.is_changed() => {
            lines.push("  The output then has so many part files.".to_owned());
        }
        _ => lines.extend(says.others()),
    }
    lines
}

struct Says<'a> {
    comparison: &'a Comparison,
    sample_bytes: u64,
    best: &'a Measured,
}

impl<'a> Says<'a> {
    fn name(&self) -> &'static str {
        match self.comparison.axis {
            Axis::ChunkSize | Axis::Line => "Chunk size",
            Axis::Workers => "Workers",
            Axis::Partitions => "Partitions",
        }
    }

    fn label(&self, entry: &Measured) -> String {
        label(self.comparison.axis, entry, self.sample_bytes)
    }

    fn is_changed(&self) -> bool {
        self.best.setting != self.comparison.entries[0].setting
    }

    fn verdict(&self) -> String {
        let (name, best, first) = (self.name(), self.label(self.best), &self.comparison.entries[0]);
        let tasks = match (self.comparison.axis, run_of(self.best)) {
            (Axis::ChunkSize, Some(run)) => format!(", {}", tasks(run)),
            _ => String::new(),
        };
        if self.is_changed() {
            let gain = 100.0 * (1.0 - self.best.median() / first.median());
            return format!("{name}: {best}{tasks}; {gain:.0} % less time than {}.", self.label(first));
        }
        if self.slower().is_empty() {
            return format!("{name}: no difference beyond the spread; the {best} stays.");
        }
        format!("{name}: {best}{tasks}; nothing else is faster by more than the spread.")
    }

    /// The settings that the best one beats for certain.
    fn slower(&self) -> Vec<&'a Measured> {
        let judged = self.comparison.entries.iter().filter(|entry| entry.is_judged());
        judged.filter(|entry| self.best.is_faster_than(entry)).collect()
    }

    fn smaller_chunks(&self) -> Option<String> {
        let best = run_of(self.best)?;
        let smaller = |entry: &&Measured| run_of(entry).is_some_and(|run| run.tasks > best.tasks);
        let mut slower: Vec<_> = self.slower().into_iter().filter(smaller).collect();
        slower.sort_by_key(|entry| run_of(entry).map(|run| run.tasks));
        let (most, run) = slower.last().and_then(|entry| Some((*entry, run_of(entry)?)))?;
        let extra = (most.median() - self.best.median()) * run.workers as f64;
        let price = 1e3 * extra / (run.tasks - best.tasks) as f64;
        let list = self.list(&slower, tasks_alone);
        Some(format!("  Smaller ones are slower: {list}. A task more costs about {price:.2} ms of a worker."))
    }

    fn larger_chunks(&self) -> Option<String> {
        let best = run_of(self.best)?;
        let larger = |entry: &&Measured| run_of(entry).is_some_and(|run| run.tasks < best.tasks);
        let mut slower: Vec<_> = self.slower().into_iter().filter(larger).collect();
        slower.sort_by_key(|entry| std::cmp::Reverse(run_of(entry).map(|run| run.tasks)));
        let fewest = slower.last().and_then(|entry| run_of(entry))?;
        let list = self.list(&slower, tasks);
        let waiting = fewest.workers > 1 && fewest.tasks < BALANCED * fewest.workers;
        let why = if waiting {
            " With so few tasks some workers have nothing to do while others still work."
        } else {
            ""
        };
        Some(format!("  Larger ones are slower: {list}.{why}"))
    }

    fn others(&self) -> Option<String> {
        let slower = self.slower();
        let list = self.list(&slower, |_| String::new());
        (!slower.is_empty()).then(|| format!("  Slower: {list}."))
    }

    fn list(&self, entries: &[&Measured], detail: impl Fn(&Run) -> String) -> String {
        let one = |entry: &&Measured| {
            let by = 100.0 * entry.slower_by(self.best);
            let detail = run_of(entry).map(&detail).filter(|detail| !detail.is_empty());
            let detail = detail.map_or(String::new(), |detail| format!(" ({detail})"));
            format!("{} by {by:.0} %{detail}", self.label(entry))
        };
        entries.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

fn run_of(entry: &Measured) -> Option<&Run> {
    entry.runs.first()
}

fn tasks_alone(run: &Run) -> String {
    if run.tasks == 1 { "1 task".to_owned() } else { format!("{} tasks", run.tasks) }
}

fn tasks(run: &Run) -> String {
    let workers = if run.workers == 1 { "1 worker".to_owned() } else { format!("{} workers", run.workers) };
    format!("{} for {workers}", tasks_alone(run))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::measured::Setting;
    use super::*;

    fn entry(chunk: Option<u64>, tasks: usize, millis: u64) -> Measured {
        let wall = Duration::from_millis(millis);
        let runs = vec![Run { wall, tasks, workers: 2, partitions: 4 }; 3];
        Measured { runs, ..Measured::new(Setting { chunk, ..Setting::default() }) }
    }

    #[test]
    fn sizes_read_well_and_go_back_into_the_option() {
        assert_eq!([100, 64 << 10, 3 << 19].map(size), ["100 bytes", "64 KiB", "1.5 MiB"]);
        assert_eq!([100, 64 << 10, 3 << 19].map(option_size), ["100", "64KiB", "1536KiB"]);
    }

    #[test]
    fn what_tasks_cost_and_who_waits_is_told_in_numbers() {
        let entries = vec![
            entry(None, 128, 300),
            entry(Some(16 << 10), 1024, 390),
            entry(Some(1 << 20), 16, 270),
            entry(Some(8 << 20), 2, 360),
        ];
        let comparison = Comparison::with_winner(Axis::ChunkSize, entries, 2);
        let said = conclusions(&comparison, 16 << 20).join("\n");
        let expected = "Chunk size: 1 MiB, 16 tasks for 2 workers; 10 % less time than default (about 128 KiB).\n  \
            Smaller ones are slower: default (about 128 KiB) by 11 % (128 tasks), 16 KiB by 44 % (1024 tasks). \
            A task more costs about 0.24 ms of a worker.\n  \
            Larger ones are slower: 8 MiB by 33 % (2 tasks for 2 workers). \
            With so few tasks some workers have nothing to do while others still work.";
        assert_eq!(said, expected);
    }

    #[test]
    fn no_difference_is_said_to_be_none() {
        let entries = vec![entry(None, 16, 300), entry(Some(4 << 20), 4, 301)];
        let said = conclusions(&Comparison::new(Axis::ChunkSize, entries), 16 << 20);
        assert_eq!(said, ["Chunk size: no difference beyond the spread; the default (about 1 MiB) stays."]);
    }
}
