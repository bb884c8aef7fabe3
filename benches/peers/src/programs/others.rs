//! The opponents, and how each of them is told to do a workload.

use std::ffi::OsString;
use std::path::Path;

use super::{Program, Site, Tools};
use crate::options::Opponent;
use crate::process::Invocation;
use crate::workload::Workload;

type Make = fn(&Site, &Tools) -> Option<Program>;

/// In the order of the table; `None` from one that has no answer to a workload.
pub(super) const ALL: &[(Opponent, Make)] = &[
    (Opponent::Naive, |site, tools| Some(naive(site, tools))),
    (Opponent::Duckdb, |site, tools| scripted(Opponent::Duckdb, "DuckDB", site, tools)),
    (Opponent::Polars, |site, tools| scripted(Opponent::Polars, "polars", site, tools)),
    (Opponent::Pyspark, |site, tools| scripted(Opponent::Pyspark, "PySpark", site, tools)),
    (Opponent::Sort, sort),
    (Opponent::Pool, |site, tools| scripted(Opponent::Pool, "Python's multiprocessing.Pool", site, tools)),
    (Opponent::Yardstick, yardstick),
];

/// Whether an opponent can do a workload at all.
pub(super) fn knows(opponent: Opponent, workload: Workload) -> bool {
    match opponent {
        Opponent::Sort => workload == Workload::W4,
        Opponent::Pool => workload == Workload::W1Small,
        Opponent::Yardstick => workload != Workload::W1Small,
        _ => true,
    }
}

pub(super) fn naive(site: &Site, tools: &Tools) -> Program {
    let mut arguments: Vec<OsString> = vec!["naive".into(), site.workload.name().into()];
    arguments.extend([site.input.clone().into(), site.out.clone().into()]);
    let variables = vec![("RAYON_NUM_THREADS", site.workers.to_string().into())];
    let invocation = Invocation { program: tools.own.clone(), arguments, variables };
    opponent("rayon and a HashMap", Ok(invocation))
}

/// An opponent that is a script of ours, called as `SCRIPT JOB INPUT OUT WORKERS LIST`.
fn scripted(which: Opponent, name: &str, site: &Site, tools: &Tools) -> Option<Program> {
    if !knows(which, site.workload) {
        return None;
    }
    let start = tools.script(which).map(|(python, script)| {
        let mut arguments: Vec<OsString> = vec![script.into()];
        if which != Opponent::Pool {
            arguments.push(site.workload.job().into());
        }
        arguments.extend([site.input.clone().into(), site.out.clone().into()]);
        arguments.extend([site.workers.to_string().into(), site.list.clone().into()]);
        Invocation { program: python, arguments, variables: vec![("PYTHONDONTWRITEBYTECODE", "1".into())] }
    });
    Some(opponent(name, start))
}

fn sort(site: &Site, tools: &Tools) -> Option<Program> {
    if !knows(Opponent::Sort, site.workload) {
        return None;
    }
    let start = tools.version(Opponent::Sort).map(|_| {
        let mut arguments: Vec<OsString> = vec!["-S".into(), "2G".into()];
        arguments.push(format!("--parallel={}", site.workers).into());
        arguments.extend(["-o".into(), site.out.join("part-0").into(), site.input.clone().into()]);
        Invocation { program: "sort".into(), arguments, variables: vec![("LC_ALL", "C".into())] }
    });
    Some(Program { wants_folder: true, ..opponent("GNU sort", start) })
}

fn yardstick(site: &Site, tools: &Tools) -> Option<Program> {
    let program = tools.yardstick.as_ref().filter(|_| knows(Opponent::Yardstick, site.workload))?;
    let (command, input, more): (_, &Path, &[&str]) = match site.workload {
        Workload::W1 | Workload::W1Small => ("wc-proc", &site.input, &[]),
        Workload::W2 => ("gb-proc", &site.input, &["1048576", "4"]),
        Workload::W3 => ("ii-proc", &site.list, &[]),
        Workload::W4 => ("sort-proc", &site.input, &["0"]),
    };
    let mut arguments: Vec<OsString> = vec![command.into(), input.into(), site.out.clone().into()];
    arguments.push(site.workers.to_string().into());
    arguments.extend(more.iter().map(OsString::from));
    let start = tools.version(Opponent::Yardstick);
    let invocation = Invocation { program: program.clone(), arguments, variables: Vec::new() };
    Some(opponent("yardstick", start.map(|_| invocation)))
}

fn opponent(name: &str, start: Result<Invocation, String>) -> Program {
    Program { name: name.to_owned(), ours: false, start, wants_folder: false }
}
