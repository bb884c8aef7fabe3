//! Gristmill beside what people would use instead: the same data, equal output, wall time and memory.
//!
//! This file puts the parts together: `data` makes the inputs, `programs` knows who takes part, `process` runs one
//! program, `output` compares results, `contest` holds to the method and `report` writes the table and the plot.

mod contest;
mod data;
mod failure;
mod figures;
mod naive;
mod options;
mod output;
mod process;
mod programs;
mod report;
mod workload;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use contest::{Contest, Rules};
use failure::{Context, Failure, Result, remove_folder};
use options::{Inner, Options};
use process::Runner;
use programs::{Site, Tools, programs, reference};
use report::{Machine, Report, Section};
use workload::Workload;

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match &options.naive {
        Some(Inner::Naive { workload, input, out }) => naive::run(*workload, input, out).map(|()| Vec::new()),
        None => compare(&options),
    };
    match done {
        Ok(faults) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(faults) => {
            faults.iter().for_each(|fault| eprintln!("error: {fault}"));
            ExitCode::FAILURE
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            match failure {
                // What a shell reports of a program that a signal ended.
                Failure::Interrupted(signal) => ExitCode::from(128 + signal as u8),
                Failure::Other(_) => ExitCode::FAILURE,
            }
        }
    }
}

/// Compares all that was asked for, and tells what was wrong.
fn compare(options: &Options) -> Result<Vec<String>> {
    let workloads = options.workloads();
    // Before signals are watched for: making data may be interrupted at any time.
    workloads.iter().try_for_each(|&workload| programs::input(workload, options).map(drop))?;
    let runner = Runner::new(options.limit)?;
    let folder = options.data();
    fs::create_dir_all(&folder).at("create", &folder)?;
    let folder = folder.canonicalize().at("find", &folder)?;
    let scratch =
        tempfile::Builder::new().prefix("run-").tempdir_in(&folder).at("create a folder in", &folder)?;
    let wanted = |opponent| options.wants(opponent) && programs::plays(opponent, &workloads);
    let tools = Tools::find(options, scratch.path(), wanted)?;
    let mut sections = Vec::new();
    for workload in workloads {
        let section = hold(workload, options, &tools, &runner, scratch.path())?;
        println!("{}", report::section(&section));
        sections.push(section);
    }
    let faults = faults(&sections);
    let table = write(options, &tools, sections)?;
    println!("written: {}", table.display());
    Ok(faults)
}

/// One workload from its data to its figures.
fn hold(
    workload: Workload,
    options: &Options,
    tools: &Tools,
    runner: &Runner,
    scratch: &Path,
) -> Result<Section> {
    let site = Site::new(workload, options, scratch)?;
    runner.check()?;
    let rules = Rules { runs: options.runs, limit: options.limit, touch: options.touch };
    let contest = Contest::new(&site, runner, rules, &reference(&site, tools))?;
    let rows = contest.hold(&programs(&site, tools, options))?;
    let section = Section { workload, input: site.describe()?, rows };
    remove_folder(&scratch.join("reference"))?;
    Ok(section)
}

fn faults(sections: &[Section]) -> Vec<String> {
    let of = |section: &Section| {
        let name = section.workload.name();
        section.rows.iter().filter_map(|row| Some(format!("{name} {}", row.fault()?))).collect::<Vec<_>>()
    };
    sections.iter().flat_map(of).collect()
}

fn write(options: &Options, tools: &Tools, sections: Vec<Section>) -> Result<std::path::PathBuf> {
    let machine = Machine::this();
    let name = options.machine.as_deref().map_or_else(|| machine.slug(), report::slug);
    let report = Report {
        date: jiff::Zoned::now().date().to_string(),
        machine,
        commit: report::commit(),
        versions: tools.present().map(str::to_owned).collect(),
        scale: options.scale,
        runs: options.runs,
        touch: options.touch,
        workers: options.workers,
        sections,
    };
    report.write(&options.results(), &name)
}
