//! The command line: what is compared, on which data, how often, and where the result goes.
//!
//! It only reads options; what they mean is decided where they are used.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use crate::workload::Workload;

/// Runs the same jobs in Gristmill and in what people would use instead, checks that the outputs are equal and writes
/// a table and a plot of wall times and memory.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) naive: Option<Inner>,
    /// Where the data is made, once; about 4 GB at full scale [default: target/peers-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Share of the full amount of data, above 0 and up to 1
    #[arg(long, value_name = "S", default_value_t = 1.0, value_parser = scale)]
    pub(crate) scale: f64,
    /// A folder of your own for w3 in place of the generated one. Words are lower-cased as ASCII: where there are other
    /// capitals, opponents that know Unicode have another output
    #[arg(long, value_name = "DIR")]
    pub(crate) tree: Option<PathBuf>,
    /// Only these workloads
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME,…")]
    pub(crate) workload: Vec<Workload>,
    /// Only these opponents
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME,…")]
    pub(crate) opponent: Vec<Opponent>,
    /// Timed runs of each program, in turn with ours, after one that does not count
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,
    /// Worker processes or threads of every program
    #[arg(short, long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) workers: u32,
    /// How long one run may take before it is ended
    #[arg(long, value_name = "TIME", default_value = "600s", value_parser = limit)]
    pub(crate) limit: Duration,
    /// MiB of memory that are touched and given back right before each timed run: a virtual machine's host may take free
    /// memory back, and a program pays for every page that it is the first to touch then
    #[arg(long, value_name = "MIB", default_value_t = 0)]
    pub(crate) touch: u32,
    /// Where our example programs are [default: the folder `examples` beside this program]
    #[arg(long, value_name = "DIR")]
    pub(crate) ours: Option<PathBuf>,
    /// The virtual environment that setup.sh made [default: target/peers-venv]
    #[arg(long, value_name = "DIR")]
    pub(crate) venv: Option<PathBuf>,
    /// A program that shows what the machine can do: `wc-proc IN OUT N`, `gb-proc IN OUT N 1048576 4`,
    /// `ii-proc LIST OUT N`, `sort-proc IN OUT N 0`
    #[arg(long, value_name = "PATH")]
    pub(crate) yardstick: Option<PathBuf>,
    /// Where the table and the plot go [default: benches/results]
    #[arg(long, value_name = "DIR")]
    pub(crate) results: Option<PathBuf>,
    /// What the machine is called in the name of the result [default: its processor]
    #[arg(long, value_name = "NAME")]
    pub(crate) machine: Option<String>,
}

/// What this program does when it runs itself as an opponent.
#[derive(Debug, Subcommand)]
pub(crate) enum Inner {
    /// The workload as an ordinary program with rayon and a HashMap
    #[command(hide = true)]
    Naive { workload: Workload, input: PathBuf, out: PathBuf },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Opponent {
    Naive,
    Duckdb,
    Polars,
    Pyspark,
    Sort,
    Pool,
    Yardstick,
}

impl Options {
    pub(crate) fn data(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| top().join("target/peers-data"))
    }

    pub(crate) fn results(&self) -> PathBuf {
        self.results.clone().unwrap_or_else(|| top().join("benches/results"))
    }

    pub(crate) fn venv(&self) -> PathBuf {
        self.venv.clone().unwrap_or_else(|| top().join("target/peers-venv"))
    }

    pub(crate) fn workloads(&self) -> Vec<Workload> {
        let chosen = |workload: &Workload| self.workload.is_empty() || self.workload.contains(workload);
        Workload::value_variants().iter().copied().filter(chosen).collect()
    }

    pub(crate) fn wants(&self, opponent: Opponent) -> bool {
        self.opponent.is_empty() || self.opponent.contains(&opponent)
    }
}

/// The top folder of the project, where this program was built.
pub(crate) fn top() -> &'static Path {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.ancestors().nth(2).unwrap_or(crate_folder)
}

fn scale(text: &str) -> Result<f64, String> {
    let scale: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if scale > 0.0 && scale <= 1.0 { Ok(scale) } else { Err("it is above 0 and at most 1".into()) }
}

fn limit(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(limit) if limit.is_zero() => Err("no time at all".into()),
        Ok(limit) => Ok(limit),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(std::iter::once("peers").chain(arguments.split_whitespace()))
    }

    #[test]
    fn lists_choose_workloads_and_opponents() {
        let options = parse("--workload w1,w3 --opponent duckdb,sort").expect("both lists are well-formed");
        assert_eq!(options.workloads(), [Workload::W1, Workload::W3]);
        assert!(options.wants(Opponent::Sort) && !options.wants(Opponent::Polars));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for wrong in ["--scale 0", "--scale 1.5", "--runs 0", "--workers 0", "--limit 0s", "--workload w9"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
