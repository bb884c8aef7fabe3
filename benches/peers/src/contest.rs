//! The method: a run that does not count, whose output has to be right, then timed runs in turn with the first program.
//!
//! It knows neither the workloads nor the programs, and it presents nothing.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::failure::{Context, Failure, Result, remove_folder};
use crate::figures::{Figures, Outcome, Row};
use crate::output::{self, Digest, Form};
use crate::process::{self, Ending, Runner};
use crate::programs::{Program, Site};

/// How many of the timed runs there are, and how long one may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) runs: u32,
    pub(crate) limit: Duration,
    /// MiB of memory to touch before each timed run.
    pub(crate) touch: u32,
}

/// One workload, with the output that is expected of everybody.
#[derive(Debug)]
pub(crate) struct Contest<'a> {
    site: &'a Site,
    runner: &'a Runner,
    rules: Rules,
    expected: Digest,
    /// The output folder that others have to equal.
    reference: PathBuf,
}

impl<'a> Contest<'a> {
    /// Runs `reference`, and keeps its output.
    pub(crate) fn new(site: &'a Site, runner: &'a Runner, rules: Rules, reference: &Program) -> Result<Self> {
        let kept = site.scratch.join("reference");
        let digest = Digest::default();
        let mut contest = Self { site, runner, rules, expected: digest, reference: kept };
        contest.say(&reference.name, "for its output");
        if let Err(outcome) = contest.run(reference, false)? {
            return Err(Failure::new(format!(
                "{}: no output to compare with: {}",
                reference.name,
                words(&outcome)
            )));
        }
        contest.expected = output::digest(&site.out, site.workload.order(), &Form::Plain)?;
        fs::rename(&site.out, &contest.reference).at("rename to", &contest.reference)?;
        Ok(contest)
    }

    /// Measures all programs. The first that can be measured is the one that others are compared with.
    pub(crate) fn hold(&self, programs: &[Program]) -> Result<Vec<Row>> {
        let mut rows: Vec<Row> = Vec::new();
        let mut first: Option<(&Program, usize)> = None;
        let mut first_walls = Vec::new();
        for program in programs {
            let outcome = match (self.warm_up(program)?, first) {
                (Err(outcome), _) => outcome,
                (Ok(peak_kib), Some((first, _))) => self.pairs(first, &mut first_walls, program, peak_kib)?,
                (Ok(peak_kib), None) => {
                    first = Some((program, rows.len()));
                    Outcome::Measured(Figures { peak_kib, ..Figures::default() })
                }
            };
            rows.push(Row { name: program.name.clone(), ours: program.ours, outcome });
        }
        if let Some((program, place)) = first {
            rows[place].outcome = self.alone(program, first_walls, &rows[place].outcome)?;
        }
        Ok(rows)
    }

    /// The run that does not count: tells the peak of memory if the output is right.
    fn warm_up(&self, program: &Program) -> Result<Result<u64, Outcome>> {
        if let Err(reason) = &program.start {
            self.say(&program.name, &format!("skipped: {reason}"));
            return Ok(Err(Outcome::Skipped(reason.clone())));
        }
        self.say(&program.name, "first run");
        let checked = match self.run(program, true)? {
            Ok((_, peak_kib)) => {
                self.judge(program)?.map_or(Ok(peak_kib), |wrong| Err(Outcome::Wrong(wrong)))
            }
            Err(outcome) => Err(outcome),
        };
        match &checked {
            Ok(_) => self.say(&program.name, "output is right"),
            Err(outcome) => self.say(&program.name, &words(outcome)),
        }
        Ok(checked)
    }

    /// What is wrong with the output that is there now.
    fn judge(&self, program: &Program) -> Result<Option<String>> {
        let order = self.site.workload.order();
        let judged = self.site.form(program.ours).and_then(|form| {
            let found = output::digest(&self.site.out, order, &form)?;
            if found == self.expected {
                return Ok(None);
            }
            let difference = output::difference(&self.reference, &Form::Plain, &self.site.out, &form, order)?;
            let difference = difference.unwrap_or_else(|| "its digest".to_owned());
            Ok(Some(format!("{} lines instead of {}; {difference}", found.lines, self.expected.lines)))
        });
        // An output that cannot be read is the program's fault.
        let judged = judged.or_else(|failure| match failure {
            Failure::Other(why) => Ok(Some(why)),
            interrupted @ Failure::Interrupted(_) => Err(interrupted),
        })?;
        remove_folder(&self.site.out)?;
        Ok(judged)
    }

    /// Timed runs of `first` and `program` in turn.
    fn pairs(
        &self,
        first: &Program,
        first_walls: &mut Vec<f64>,
        program: &Program,
        peak_kib: u64,
    ) -> Result<Outcome> {
        let mut figures = Figures { peak_kib, ..Figures::default() };
        for run in 1..=self.rules.runs {
            let before = match self.time(first)? {
                Ok(wall) => wall,
                Err(outcome) => {
                    return Ok(Outcome::Failed(format!("{} beside it: {}", first.name, words(&outcome))));
                }
            };
            let wall = match self.time(program)? {
                Ok(wall) => wall,
                Err(outcome) => return Ok(outcome),
            };
            first_walls.push(before);
            figures.walls.push(wall);
            figures.ratios.push(wall / before);
            self.say(
                &program.name,
                &format!("run {run} of {}: {wall:.3} s beside {before:.3} s", self.rules.runs),
            );
        }
        Ok(Outcome::Measured(figures))
    }

    /// The figures of the first program: from the pairs, or from runs of its own if there were none.
    fn alone(&self, program: &Program, mut walls: Vec<f64>, so_far: &Outcome) -> Result<Outcome> {
        let Outcome::Measured(figures) = so_far else { return Ok(so_far.clone()) };
        while walls.len() < self.rules.runs as usize {
            match self.time(program)? {
                Ok(wall) => walls.push(wall),
                Err(outcome) => return Ok(outcome),
            }
        }
        Ok(Outcome::Measured(Figures { walls, ..figures.clone() }))
    }

    /// A timed run: its wall time in seconds. The output is removed.
    fn time(&self, program: &Program) -> Result<Result<f64, Outcome>> {
        process::touch(self.rules.touch);
        let ran = self.run(program, false)?;
        remove_folder(&self.site.out)?;
        Ok(ran.map(|(wall, _)| wall))
    }

    /// Wall time in seconds and, if sampled, peak memory of a run. The output stays.
    fn run(&self, program: &Program, sample: bool) -> Result<Result<(f64, u64), Outcome>> {
        let invocation = match &program.start {
            Ok(invocation) => invocation,
            Err(reason) => return Ok(Err(Outcome::Skipped(reason.clone()))),
        };
        remove_folder(&self.site.out)?;
        if program.wants_folder {
            fs::create_dir(&self.site.out).at("create", &self.site.out)?;
        }
        let ending = self.runner.run(invocation, &self.site.scratch, sample)?;
        Ok(match ending {
            Ending::Done { wall, peak_kib } => Ok((wall.as_secs_f64(), peak_kib)),
            Ending::OverLimit => Err(Outcome::Over(self.rules.limit)),
            Ending::Failed { code: Some(2), why } if program.ours && refused_option(&why).is_some() => {
                Err(Outcome::Skipped(refused_option(&why).unwrap_or_default().to_owned()))
            }
            Ending::Failed { why, .. } => Err(Outcome::Failed(why)),
        })
    }

    fn say(&self, who: &str, what: &str) {
        eprintln!("{} {who}: {what}", self.site.workload.name());
    }
}

fn words(outcome: &Outcome) -> String {
    outcome.words().unwrap_or_default()
}

/// What a program of ours says that is older or younger than the options it was given.
fn refused_option(why: &str) -> Option<&str> {
    let told = |part: &&str| part.contains("unexpected argument") || part.contains("invalid value");
    why.split(" / ").find(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_option_is_told_apart_from_other_mistakes() {
        let unknown =
            "exit status 2: error: invalid value 'plain' for '--tokenizer <KIND>' / [possible values: x]";
        let told = "exit status 2: error: invalid value 'plain' for '--tokenizer <KIND>'";
        assert_eq!(refused_option(unknown), Some(told));
        assert_eq!(refused_option("exit status 2: error: the output folder exists"), None);
    }
}
