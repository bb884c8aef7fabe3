//! The result of a whole comparison, and the two files it is written to.
//!
//! How they look is decided in `table` and `plot`.

mod machine;
mod plot;
mod table;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::failure::{Context, Result};
use crate::figures::{Outcome, Row};
use crate::workload::Workload;
pub(crate) use machine::{Machine, commit, slug};
pub(crate) use table::section;

/// Everything that the files tell.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) date: String,
    pub(crate) machine: Machine,
    pub(crate) commit: String,
    pub(crate) versions: Vec<String>,
    pub(crate) scale: f64,
    pub(crate) runs: u32,
    pub(crate) touch: u32,
    pub(crate) workers: u32,
    pub(crate) sections: Vec<Section>,
}

/// One workload.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) workload: Workload,
    pub(crate) input: String,
    pub(crate) rows: Vec<Row>,
}

impl Report {
    /// Writes `DATE-MACHINE.md` and `.svg`; an earlier result of the day is not overwritten.
    pub(crate) fn write(&self, folder: &Path, machine: &str) -> Result<PathBuf> {
        fs::create_dir_all(folder).at("create", folder)?;
        let stem = format!("{}-{machine}", self.date);
        let (stem, mut file) = create_new(folder, &stem)?;
        let (table, plot) = (folder.join(format!("{stem}.md")), folder.join(format!("{stem}.svg")));
        file.write_all(table::table(self, &format!("{stem}.svg")).as_bytes()).at("write", &table)?;
        fs::write(&plot, plot::plot(self)).at("write", &plot)?;
        Ok(table)
    }
}

/// Creates the first of `STEM.md`, `STEM-2.md`, … that is not there.
fn create_new(folder: &Path, stem: &str) -> Result<(String, File)> {
    let mut number = 1;
    loop {
        let name = if number == 1 { stem.to_owned() } else { format!("{stem}-{number}") };
        let path = folder.join(format!("{name}.md"));
        match File::create_new(&path) {
            Ok(file) => return Ok((name, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error).at("create", &path),
        }
    }
}

/// Seconds with three digits that count.
fn seconds(value: f64) -> String {
    match value {
        ..1.0 => format!("{value:.3}"),
        ..10.0 => format!("{value:.2}"),
        _ => format!("{value:.1}"),
    }
}

/// A duration for a bar that has no other end.
fn limit(outcome: &Outcome) -> Option<Duration> {
    if let Outcome::Over(limit) = outcome { Some(*limit) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Figures;

    /// A report with every kind of outcome.
    pub(super) fn example() -> Report {
        let measured = |walls: &[f64], ratios: &[f64]| {
            Outcome::Measured(Figures { walls: walls.to_vec(), ratios: ratios.to_vec(), peak_kib: 2048 })
        };
        let row = |name: &str, ours, outcome| Row { name: name.into(), ours, outcome };
        let rows = vec![
            row("ours & <sons>", true, measured(&[1.0, 1.2, 1.1], &[])),
            row("slower", false, measured(&[12.0, 13.0, 14.0], &[11.0, 10.0, 12.0])),
            row("faster", false, measured(&[0.5], &[0.5])),
            row("slowest", false, Outcome::Over(Duration::from_secs(600))),
            row("broken", false, Outcome::Failed("exit status 1: a | b".into())),
            row("liar", false, Outcome::Wrong("line 3 is \"a\"".into())),
            row("absent", false, Outcome::Skipped("it is not here".into())),
        ];
        Report {
            date: "2026-01-02".into(),
            machine: Machine {
                processor: "A <CPU>".into(),
                cores: 2,
                memory_mib: 2048,
                kernel: "6.1".into(),
            },
            commit: "abc123".into(),
            versions: vec!["sort 9".into()],
            scale: 0.5,
            runs: 3,
            touch: 100,
            workers: 2,
            sections: vec![Section { workload: Workload::W4, input: "`tera.txt`, 1 MiB".into(), rows }],
        }
    }

    #[test]
    fn a_result_is_never_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let names: Vec<PathBuf> = (0..3)
            .map(|_| example().write(folder.path(), "box").expect("a temporary folder can be written"))
            .map(|path| path.file_name().map(PathBuf::from).unwrap_or_default())
            .collect();
        assert_eq!(
            names,
            ["2026-01-02-box.md", "2026-01-02-box-2.md", "2026-01-02-box-3.md"].map(PathBuf::from)
        );
        assert!(folder.path().join("2026-01-02-box-3.svg").is_file());
    }
}
