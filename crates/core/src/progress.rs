//! Progress on standard error: bars on a terminal, now and then a line elsewhere.
//!
//! It never writes to standard output, and it is told everything: it looks at nothing itself.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// When progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ShowProgress {
    /// Bars on a terminal, a line every few seconds elsewhere.
    #[default]
    Auto,
    /// As `auto`, and a line at the end of each phase.
    Always,
    /// Nothing.
    Never,
}

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows how far a job has come.
#[derive(Debug)]
pub(crate) struct Progress {
    show: Show,
    phase: Phase,
}

#[derive(Debug)]
enum Show {
    Nothing,
    Bars(MultiProgress, Option<ProgressBar>),
    Lines { always: bool, last: Instant },
}

#[derive(Debug)]
struct Phase {
    name: &'static str,
    tasks: usize,
    bytes: u64,
    reached: u64,
    since: Instant,
}

impl Progress {
    /// `bars` draws to standard error; other writers there should go through [`MultiProgress::suspend`].
    pub(crate) fn new(show: ShowProgress, bars: &MultiProgress) -> Self {
        let terminal = io::stderr().is_terminal();
        let show = match show {
            ShowProgress::Never => Show::Nothing,
            _ if terminal => {
                bars.set_draw_target(ProgressDrawTarget::stderr());
                Show::Bars(bars.clone(), None)
            }
            show => Show::Lines { always: show == ShowProgress::Always, last: Instant::now() },
        };
        Self { show, phase: Phase { name: "map", tasks: 0, bytes: 0, reached: 0, since: Instant::now() } }
    }

    pub(crate) fn begin_map(&mut self, tasks: usize, bytes: u64) {
        self.begin("map", tasks, bytes);
    }

    /// `bytes` were read so far. An attempt that is lost takes some back; the bar stays where it is then.
    pub(crate) fn map(&mut self, done: usize, bytes: u64) {
        self.phase.reached = bytes.min(self.phase.bytes).max(self.phase.reached);
        self.update(done, self.phase.reached);
    }

    pub(crate) fn begin_reduce(&mut self, tasks: usize) {
        self.end();
        self.begin("reduce", tasks, 0);
    }

    pub(crate) fn reduce(&mut self, done: usize) {
        self.update(done, 0);
    }

    pub(crate) fn finish(&mut self) {
        self.end();
    }

    fn begin(&mut self, name: &'static str, tasks: usize, bytes: u64) {
        self.phase = Phase { name, tasks, bytes, reached: 0, since: Instant::now() };
        if let Show::Bars(bars, bar) = &mut self.show {
            let (length, template) = if bytes > 0 {
                (
                    bytes,
                    "{prefix:>6} [{bar:30}] {msg} tasks  {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left",
                )
            } else {
                (tasks as u64, "{prefix:>6} [{bar:30}] {msg} tasks  {per_sec}  {eta} left")
            };
            let style =
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let fresh = bars.add(ProgressBar::new(length).with_style(style).with_prefix(name));
            fresh.set_message(format!("0/{tasks}"));
            *bar = Some(fresh);
        }
    }

    fn update(&mut self, done: usize, bytes: u64) {
        let Phase { tasks, bytes: all, .. } = self.phase;
        match &mut self.show {
            Show::Bars(_, Some(bar)) => {
                bar.set_message(format!("{done}/{tasks}"));
                bar.set_position(if all > 0 { bytes } else { done as u64 });
            }
            Show::Lines { last, .. } if last.elapsed() >= LINE_EVERY => {
                *last = Instant::now();
                self.phase.line(done, bytes);
            }
            _ => {}
        }
    }

    fn end(&mut self) {
        match &mut self.show {
            Show::Bars(bars, bar) => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                    bars.remove(&bar);
                }
            }
            Show::Lines { always: true, .. } => self.phase.line(self.phase.tasks, self.phase.bytes),
            _ => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Show::Bars(_, Some(bar)) = &self.show {
            bar.finish_and_clear();
        }
    }
}

impl Phase {
    fn line(&self, done: usize, bytes: u64) {
        let elapsed = self.since.elapsed();
        let mut line = format!("{}: {done} of {} tasks", self.name, self.tasks);
        if self.bytes > 0 {
            let rate = bytes as f64 / elapsed.as_secs_f64().max(1e-3);
            line += &format!(
                ", {} of {}, {}/s",
                HumanBytes(bytes),
                HumanBytes(self.bytes),
                HumanBytes(rate as u64)
            );
            if bytes > 0 && bytes < self.bytes {
                let left = Duration::from_secs_f64((self.bytes - bytes) as f64 / rate.max(1.0));
                line += &format!(", about {} left", HumanDuration(left));
            }
        }
        // Nobody is helped by a job that fails because its progress cannot be shown.
        drop(writeln!(io::stderr(), "{line}"));
    }
}
