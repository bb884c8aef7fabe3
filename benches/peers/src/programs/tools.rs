//! Finds out which opponents are installed here, and in which version.
//!
//! Each is asked once, before anything is measured.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Context, Failure, Result};
use crate::options::{Opponent, Options};

/// Where the programs are and what they are.
#[derive(Debug)]
pub(crate) struct Tools {
    /// This very program.
    pub(crate) own: PathBuf,
    /// The folder of our example programs.
    pub(crate) ours: PathBuf,
    pub(crate) yardstick: Option<PathBuf>,
    /// The virtual environment's Python, or another that can do without packages.
    python: PathBuf,
    scripts: PathBuf,
    versions: Vec<(Opponent, Result<String, String>)>,
}

const SCRIPTS: [(Opponent, &str, &str); 4] = [
    (Opponent::Duckdb, "duckdb_jobs.py", include_str!("../python/duckdb_jobs.py")),
    (Opponent::Polars, "polars_jobs.py", include_str!("../python/polars_jobs.py")),
    (Opponent::Pyspark, "pyspark_jobs.py", include_str!("../python/pyspark_jobs.py")),
    (Opponent::Pool, "pool_word_count.py", include_str!("../python/pool_word_count.py")),
];

impl Tools {
    /// Asks for those opponents that `wanted` tells; their scripts go to `scripts`.
    pub(crate) fn find(options: &Options, scripts: &Path, wanted: impl Fn(Opponent) -> bool) -> Result<Self> {
        let own = std::env::current_exe()
            .map_err(|error| Failure::new(format!("cannot tell where this program is: {error}")))?;
        let beside = own.parent().unwrap_or(Path::new(".")).join("examples");
        for (_, name, text) in SCRIPTS {
            let path = scripts.join(name);
            fs::write(&path, text).at("write", &path)?;
        }
        let of_venv = options.venv().join("bin/python");
        let python = if of_venv.is_file() { of_venv } else { "python3".into() };
        let ours = options.ours.clone().unwrap_or(beside);
        let yardstick = options.yardstick.clone();
        let mut tools =
            Self { own, ours, yardstick, python, scripts: scripts.to_owned(), versions: Vec::new() };
        let asked = [Opponent::Duckdb, Opponent::Polars, Opponent::Pyspark, Opponent::Sort, Opponent::Pool];
        let asked = asked.into_iter().chain([Opponent::Yardstick]).filter(|&opponent| wanted(opponent));
        tools.versions = asked.map(|opponent| (opponent, tools.ask(opponent))).collect();
        Ok(tools)
    }

    /// An opponent's version, or why it cannot take part.
    pub(crate) fn version(&self, opponent: Opponent) -> Result<String, String> {
        let found = self.versions.iter().find(|(other, _)| *other == opponent);
        found.map_or_else(|| Err("it was not asked for".to_owned()), |(_, version)| version.clone())
    }

    /// The versions of those that take part.
    pub(crate) fn present(&self) -> impl Iterator<Item = &str> {
        self.versions
            .iter()
            .filter_map(|(_, version)| version.as_deref().ok())
            .filter(|text| !text.is_empty())
    }

    /// Python and the script of an opponent.
    pub(super) fn script(&self, opponent: Opponent) -> Result<(PathBuf, PathBuf), String> {
        self.version(opponent)?;
        let (_, name, _) =
            SCRIPTS.iter().find(|(other, ..)| *other == opponent).ok_or("there is no script for it")?;
        Ok((self.python.clone(), self.scripts.join(name)))
    }

    fn ask(&self, opponent: Opponent) -> Result<String, String> {
        match opponent {
            Opponent::Naive => Ok(String::new()),
            Opponent::Duckdb => self.package("duckdb"),
            Opponent::Polars => self.package("polars"),
            Opponent::Pyspark => {
                let java =
                    first_line(Command::new("java").arg("-version")).map_err(|_| "there is no java")?;
                Ok(format!("{} on {java}", self.package("pyspark")?))
            }
            Opponent::Sort => first_line(Command::new("sort").arg("--version")),
            Opponent::Pool => first_line(Command::new(&self.python).arg("--version")),
            Opponent::Yardstick => match &self.yardstick {
                Some(path) if path.is_file() => Ok(String::new()),
                Some(path) => Err(format!("there is no {}", path.display())),
                None => Err("no --yardstick was given".to_owned()),
            },
        }
    }

    fn package(&self, name: &str) -> Result<String, String> {
        let question = format!("import {name}; print({name}.__version__)");
        match first_line(Command::new(&self.python).args(["-c", &question])) {
            Ok(version) => Ok(format!("{name} {version}")),
            Err(_) => Err(format!(
                "{} has no package {name}; benches/peers/setup.sh makes one",
                self.python.display()
            )),
        }
    }
}

/// The first line that a program prints, if it is there and content.
fn first_line(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let text = [output.stdout, output.stderr].concat();
    let line = String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned();
    if output.status.success() { Ok(line) } else { Err(line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_asked_for_its_first_line() {
        assert_eq!(first_line(Command::new("sh").args(["-c", "echo one; echo two"])), Ok("one".into()));
        assert_eq!(first_line(Command::new("sh").args(["-c", "echo no >&2; false"])), Err("no".into()));
        assert!(first_line(&mut Command::new("/no/such/program")).is_err());
    }
}
