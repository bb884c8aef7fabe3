//! Who takes part in a workload, and with which command line.
//!
//! It starts nothing but the short probes of `tools`.

mod others;
mod ours;
mod tools;

use std::path::{Path, PathBuf};

use crate::data::{Data, files_below, write_list};
use crate::failure::{Context, Result};
use crate::options::{Opponent, Options};
use crate::output::Form;
use crate::process::Invocation;
use crate::workload::Workload;
pub(crate) use tools::Tools;

/// A workload on this machine: what it reads and where its output goes.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) workload: Workload,
    pub(crate) input: PathBuf,
    /// All files below the input of the inverted index.
    pub(crate) files: Vec<PathBuf>,
    /// A file with their paths.
    pub(crate) list: PathBuf,
    /// The output folder of every run.
    pub(crate) out: PathBuf,
    pub(crate) scratch: PathBuf,
    pub(crate) workers: u32,
}

/// A program that takes part.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) ours: bool,
    /// How to start it, or why it cannot be.
    pub(crate) start: Result<Invocation, String>,
    /// Whether it expects the output folder to be there.
    pub(crate) wants_folder: bool,
}

impl Site {
    pub(crate) fn new(workload: Workload, options: &Options, scratch: &Path) -> Result<Self> {
        let input = input(workload, options)?;
        let list = scratch.join("files.list");
        let files = if workload == Workload::W3 { files_below(&input)? } else { Vec::new() };
        write_list(&input, &files, &list)?;
        let (out, scratch) = (scratch.join("out"), scratch.to_owned());
        Ok(Self { workload, input, files, list, out, scratch, workers: options.workers })
    }

    /// How a program writes the output that is there now.
    pub(crate) fn form(&self, ours: bool) -> Result<Form> {
        match (ours, self.workload) {
            (false, _) | (true, Workload::W4) => Ok(Form::Plain),
            (true, Workload::W3) => Form::numbered(&self.out, &self.input, &self.files),
            (true, _) => Ok(Form::Escaped),
        }
    }

    /// What the input is, for people.
    pub(crate) fn describe(&self) -> Result<String> {
        let name = self.input.file_name().unwrap_or_default().to_string_lossy();
        let length = |path: &Path| path.metadata().map(|data| data.len()).unwrap_or_default();
        if !self.input.is_dir() {
            return Ok(format!("`{name}`, {}", size(length(&self.input))));
        }
        let files = files_below(&self.input)?;
        let bytes = files.iter().map(|file| length(&self.input.join(file))).sum();
        Ok(format!("`{name}`, {} files, {}", files.len(), size(bytes)))
    }
}

fn size(bytes: u64) -> String {
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    if mebibytes < 10.0 { format!("{mebibytes:.1} MiB") } else { format!("{mebibytes:.0} MiB") }
}

/// What a workload reads: the user's own tree, or data that is made now unless it is there.
pub(crate) fn input(workload: Workload, options: &Options) -> Result<PathBuf> {
    let input = match &options.tree {
        Some(tree) if workload == Workload::W3 => tree.clone(),
        _ => Data::at(&options.data(), options.scale).input(workload)?,
    };
    input.canonicalize().at("find", &input)
}

/// All that take part: ours first, then the opponents that are wanted and know the workload.
pub(crate) fn programs(site: &Site, tools: &Tools, options: &Options) -> Vec<Program> {
    let mut programs = ours::programs(site, tools);
    for (opponent, make) in others::ALL {
        if options.wants(*opponent) {
            programs.extend(make(site, tools));
        }
    }
    programs
}

/// The program whose output all others have to equal.
pub(crate) fn reference(site: &Site, tools: &Tools) -> Program {
    others::naive(site, tools)
}

/// Whether an opponent has anything to do in the chosen workloads.
pub(crate) fn plays(opponent: Opponent, workloads: &[Workload]) -> bool {
    workloads.iter().any(|&workload| others::knows(opponent, workload))
}
