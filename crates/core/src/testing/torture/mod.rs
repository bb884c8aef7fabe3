//! The torture of a job: one undisturbed run of its program, then many under conditions that must not matter.
//!
//! [`trial`] is what one run is put through, [`draw`] chooses, [`series`] makes the runs one after the other, [`command`]
//! spells their command lines, [`process`] and [`family`] know processes and kill them, [`output`] compares, [`report`]
//! tells. Nothing here looks into the job: it is a program like any other.

mod command;
mod draw;
mod family;
mod output;
mod process;
mod report;
mod series;
mod trial;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub use output::Difference;
pub use report::{TortureError, TortureFailure, TortureReport};
use series::Series;

/// Proves that a job's output depends on its input alone, by running the program of the job in every way there is.
///
/// The first run is undisturbed and inline: one thread, one attempt at each task. Then come runs with splits of one
/// record, with odd chunk sizes, with one to four workers, with all executors, with a combiner that is applied never, once
/// and many times, with so little memory that everything is spilled, with every attempt carried out twice, with other
/// numbers of partitions, with workers killed at random, with the program itself killed and resumed until it ends; and at
/// last as many random mixtures of all that as [`Torture::rounds`] says. Files, counters and exit status have to be the
/// same every time.
///
/// What it finds is mostly one of these: a combiner that is not associative and commutative, a mapper that carries state
/// from one record to another, a reducer whose output depends on the time, on the order of a `HashMap` or on earlier
/// groups, a native library with state of its own.
///
/// It belongs into an integration test of the program, and wants an input of a few hundred kilobytes at most:
///
/// ```no_run
/// use gristmill::testing::{Torture, TortureError};
///
/// # macro_rules! env { ($name:literal) => { "wordcount" } }
/// # fn main() -> Result<(), TortureError> {
/// let report = Torture::new(env!("CARGO_BIN_EXE_wordcount")).args(["tests/moby-dick.txt"]).rounds(50).run()?;
/// println!("{report}");
/// # Ok(())
/// # }
/// ```
///
/// A failure names the seed, the command lines to repeat it, the first line that differs and the log of the run. A seed
/// repeats the choices; the moments of kills are repeated only as well as the machine's speed is.
#[derive(Debug, Clone)]
#[must_use]
pub struct Torture {
    program: PathBuf,
    args: Vec<OsString>,
    folder: Option<PathBuf>,
    partitions: Option<u32>,
    other_partitions: bool,
    keep_order: bool,
    ignored_counters: Vec<String>,
    seed: Option<u64>,
    rounds: u32,
    limit: Duration,
}

const ROUNDS: u32 = 20;
const LIMIT: Duration = Duration::from_secs(600);

impl Torture {
    /// The torture of the program at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            program: path.into(),
            args: Vec::new(),
            folder: None,
            partitions: None,
            other_partitions: true,
            keep_order: true,
            ignored_counters: Vec::new(),
            seed: None,
            rounds: ROUNDS,
            limit: LIMIT,
        }
    }

    /// Adds arguments of the program: the name of the job if there are several, options of its own, inputs. What the
    /// torture itself sets is refused: the output folder, workers, chunk size, partitions, executor and the like.
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Runs the program in this folder, not in that of the test.
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Number of partitions, in place of the one that the input's size gives.
    pub fn partitions(mut self, partitions: u32) -> Self {
        self.partitions = Some(partitions);
        self
    }

    /// Whether other numbers of partitions are tried. The lines of all part files together have to be the same, in any
    /// order. Not for jobs that mean partitions to be seen, such as one that writes a line for each; by default they
    /// are tried.
    pub fn other_partitions(mut self, tried: bool) -> Self {
        self.other_partitions = tried;
        self
    }

    /// Whether the lines of a part file have to come in the same order, which is the default and what the library
    /// promises.
    pub fn keep_order(mut self, kept: bool) -> Self {
        self.keep_order = kept;
        self
    }

    /// Leaves out a counter that may differ, such as one of calls of `setup`.
    pub fn ignore_counter(mut self, name: impl Into<String>) -> Self {
        self.ignored_counters.push(name.into());
        self
    }

    /// Seed of all random choices; by default another every time.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Random mixtures after the runs that are always made; by default 20.
    pub fn rounds(mut self, rounds: u32) -> Self {
        self.rounds = rounds;
        self
    }

    /// Time limit of the undisturbed run; by default ten minutes. The others may take a multiple of what that one took.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs the torture to its end or to the first difference. Everything that it writes is in a folder for temporary
    /// files, and removed.
    ///
    /// # Errors
    /// When the undisturbed run fails, or when another one differs from it, fails, hangs or leaves something behind.
    pub fn run(&self) -> Result<TortureReport, TortureError> {
        let began = Instant::now();
        let seed = self.seed.unwrap_or_else(|| {
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_nanos() as u64)
        });
        self.check_args()?;
        let mut series = Series::new(self, seed)?;
        let facts = series.undisturbed()?;
        let mut draw = draw::Draw::new(seed);
        for trial in draw.always(&facts) {
            series.trial(&trial)?;
        }
        for _ in 0..self.rounds {
            let trial = draw.mixture(&facts);
            series.trial(&trial)?;
        }
        Ok(series.report(began.elapsed()))
    }

    fn check_args(&self) -> Result<(), TortureError> {
        const SHORT: [&str; 4] = ["-o", "-w", "-c", "-r"];
        const LONG: [&str; 15] = [
            "--output",
            "--overwrite",
            "--json",
            "--workers",
            "--chunk-size",
            "--partitions",
            "--executor",
            "--max-attempts",
            "--resume",
            "--restart",
            "--from",
            "--work-dir",
            "--progress",
            "--torture",
            "--tune",
        ];
        for arg in self.args.iter().map(|arg| arg.to_string_lossy()).take_while(|arg| arg != "--") {
            let name = arg.split('=').next().unwrap_or_default();
            if LONG.contains(&name)
                || SHORT.iter().any(|short| name.starts_with(short)) && !name.starts_with("--")
            {
                return Err(TortureError::Refused(format!(
                    "the argument {arg}: the torture sets {name} itself"
                )));
            }
        }
        Ok(())
    }
}
