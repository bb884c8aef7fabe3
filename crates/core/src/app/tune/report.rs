//! The result of a tuning as a table with conclusions, or as JSON.
//!
//! It draws nothing and writes no file.

use std::fmt::Write;

use serde_json::{Value, json};

use super::command_line;
use super::measured::{Measured, Setting};
use super::sample::{Sample, Source};
use super::search::{Axis, Comparison, End, Found};
use super::words::{conclusions, label, size};

/// Half a spread above this part of the time hides differences that matter.
const NOISY: f64 = 0.1;

/// Everything that a tuning has to tell.
pub(super) struct Outcome<'a> {
    pub(super) job: &'a str,
    pub(super) source: &'a Source,
    pub(super) sample: &'a Sample,
    pub(super) found: &'a Found,
    /// What the user, the job or the executor had settled before.
    pub(super) start: Setting,
    /// A sentence for each option that was not tuned.
    pub(super) settled: Vec<String>,
}

impl Outcome<'_> {
    /// Tables, conclusions and the command line to use.
    pub(super) fn text(&self) -> String {
        let mut text = self.sample() + "\n\n";
        for comparison in &self.found.comparisons {
            self.table(comparison, &mut text);
        }
        for line in self.why() {
            text += &format!("{line}\n");
        }
        text += &format!("\nUse: {}\n", self.command());
        text
    }

    /// One line of JSON.
    pub(super) fn json(&self) -> String {
        let best = self.found.best;
        let values = self.found.comparisons.iter().map(|comparison| self.comparison_json(comparison));
        let value = json!({
            "job": self.job,
            "sample": {
                "bytes": self.sample.bytes,
                "files": self.sample.inputs.len(),
                "files_in_part": self.sample.prefixes,
                "input_bytes": self.source.bytes,
                "input_files": self.source.files.len(),
            },
            "complete": matches!(self.found.end, End::Complete),
            "comparisons": values.collect::<Vec<_>>(),
            "best": { "chunk_size": best.chunk, "workers": best.workers, "partitions": best.partitions },
            "why": self.why(),
            "command": self.command(),
        });
        format!("{value}\n")
    }

    fn sample(&self) -> String {
        let (sample, source) = (self.sample, self.source);
        let (bytes, all) = (size(sample.bytes), size(source.bytes));
        if sample.whole {
            return format!("Sample: the whole input, {all} in {}.", files(source.files.len()));
        }
        if source.files.len() == 1 {
            return format!("Sample: the first {bytes} of {all}.");
        }
        let part = match sample.prefixes {
            0 => String::new(),
            1 => ", of one of them the beginning".to_owned(),
            n => format!(", of {n} of them the beginning"),
        };
        let (taken, count) = (sample.inputs.len(), files(source.files.len()));
        format!("Sample: {bytes} of {all}, evenly spread over the input: {taken} of {count}{part}.")
    }

    fn table(&self, comparison: &Comparison, text: &mut String) {
        let title = match comparison.axis {
            Axis::ChunkSize | Axis::Line => "chunk size",
            Axis::Workers => "workers",
            Axis::Partitions => "partitions",
        };
        *text += &format!(
            "  {title:<30}{:>7}{:>9}{:>12}{:>6}{:>10}{:>9}{:>9}\n",
            "tasks", "workers", "partitions", "runs", "median s", "± s", "MB/s"
        );
        let chosen = (comparison.axis != Axis::Line).then(|| comparison.chosen().setting);
        for entry in &comparison.entries {
            let mark = if chosen == Some(entry.setting) { '*' } else { ' ' };
            *text += &format!("{mark} {:<30}", label(comparison.axis, entry, self.sample.bytes));
            self.numbers(entry, text);
        }
        text.push('\n');
    }

    fn numbers(&self, entry: &Measured, text: &mut String) {
        let written = match (entry.runs.first(), entry.over) {
            (_, Some(limit)) => writeln!(text, "  stopped after {:.2} s", limit.as_secs_f64()),
            (None, None) => writeln!(text, "  not measured"),
            (Some(run), None) => {
                let (median, spread) = (entry.median(), entry.spread());
                let rate = self.rate(entry);
                writeln!(
                    text,
                    "{:>7}{:>9}{:>12}{:>6}{median:>10.3}{spread:>9.3}{rate:>9.1}",
                    run.tasks,
                    run.workers,
                    run.partitions,
                    entry.runs.len()
                )
            }
        };
        written.expect("a string takes everything");
    }

    /// Millions of bytes per second.
    fn rate(&self, entry: &Measured) -> f64 {
        self.sample.bytes as f64 / 1e6 / entry.median().max(1e-9)
    }

    fn why(&self) -> Vec<String> {
        let compared = self.found.comparisons.iter();
        let mut lines: Vec<String> =
            compared.flat_map(|comparison| conclusions(comparison, self.sample.bytes)).collect();
        lines.extend(self.settled.iter().cloned());
        let ended = match self.found.end {
            End::OutOfTime => {
                Some("The time was used up before everything was compared: --tune-time gives more.")
            }
            End::Stopped => Some("It was stopped before everything was compared."),
            End::Complete | End::Failed(_) => None,
        };
        lines.extend(ended.map(str::to_owned));
        lines.extend(self.noise());
        if !self.sample.whole {
            let percent = 100.0 * self.sample.bytes as f64 / self.source.bytes as f64;
            lines.push(format!(
                "The sample is {percent:.2} % of the input. On all of it a task costs the same, but waiting for the last \
                 one weighs less: chunks may be larger than here."
            ));
        }
        lines
    }

    /// A warning when the machine was too busy to tell much.
    fn noise(&self) -> Option<String> {
        let entries = self.found.comparisons.iter().map(|comparison| &comparison.entries[0]);
        let parts = entries.filter(|entry| entry.is_judged()).map(|entry| entry.spread() / entry.median());
        let most = parts.fold(0.0, f64::max);
        (most > NOISY).then(|| {
            format!(
                "Runs with the same options differ by up to ±{:.0} %: with other programs closed, or more \
                 --tune-time, smaller differences would show.",
                100.0 * most
            )
        })
    }

    fn command(&self) -> String {
        let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
        command_line::with_settings(arguments, &beyond(&self.start, &self.found.best))
    }

    fn comparison_json(&self, comparison: &Comparison) -> Value {
        let axis = match comparison.axis {
            Axis::ChunkSize => "chunk_size",
            Axis::Workers => "workers",
            Axis::Partitions => "partitions",
            Axis::Line => "line",
        };
        let entries: Vec<_> = comparison.entries.iter().map(|entry| self.entry_json(entry)).collect();
        let chosen = comparison.chosen().setting;
        let place = comparison.entries.iter().position(|entry| entry.setting == chosen);
        json!({ "axis": axis, "chosen": place.filter(|_| comparison.axis != Axis::Line), "settings": entries })
    }

    fn entry_json(&self, entry: &Measured) -> Value {
        let Setting { chunk, workers, partitions } = entry.setting;
        let run = entry.runs.first();
        json!({
            "options": { "chunk_size": chunk, "workers": workers, "partitions": partitions },
            "map_tasks": run.map(|run| run.tasks),
            "workers": run.map(|run| run.workers),
            "partitions": run.map(|run| run.partitions),
            "seconds": entry.runs.iter().map(|run| run.wall.as_secs_f64()).collect::<Vec<_>>(),
            "median": run.map(|_| entry.median()),
            "spread": run.map(|_| entry.spread()),
            "megabytes_per_second": run.map(|_| self.rate(entry)),
            "stopped_after": entry.over.map(|limit| limit.as_secs_f64()),
        })
    }
}

fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

/// The options of `best` that `start` does not have.
fn beyond(start: &Setting, best: &Setting) -> Setting {
    Setting {
        chunk: best.chunk.filter(|_| start.chunk.is_none()),
        workers: best.workers.filter(|_| start.workers.is_none()),
        partitions: best.partitions.filter(|_| start.partitions.is_none()),
    }
}
