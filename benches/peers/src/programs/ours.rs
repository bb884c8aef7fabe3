//! Our example programs with the options that are measured.

use std::ffi::OsString;

use super::{Program, Site, Tools};
use crate::process::Invocation;
use crate::workload::Workload;

/// One program per set of options, first as worker processes, then as threads. The first is what others are compared
/// with.
pub(super) fn programs(site: &Site, tools: &Tools) -> Vec<Program> {
    let (name, variants): (_, &[&[&str]]) = match site.workload {
        Workload::W1 => ("wordcount", &[&["--tokenizer", "whitespace"], &["--tokenizer", "plain"]]),
        Workload::W1Small => ("wordcount", &[&["--tokenizer", "whitespace"]]),
        Workload::W2 => ("sum_by_key", &[&[], &["--any-order"]]),
        Workload::W3 => ("inverted_index", &[&[]]),
        Workload::W4 => ("sort_records", &[&[]]),
    };
    let executors: [&[&str]; 2] = [&[], &["--executor", "threads"]];
    let options = variants.iter().flat_map(|variant| executors.map(|executor| [*variant, executor].concat()));
    options.map(|options| program(name, &options, site, tools)).collect()
}

fn program(name: &str, options: &[&str], site: &Site, tools: &Tools) -> Program {
    let path = tools.ours.join(name);
    let words: Vec<&str> = std::iter::once(name).chain(options.iter().copied()).collect();
    let mut arguments: Vec<OsString> = options.iter().map(OsString::from).collect();
    arguments.extend(["-w".into(), site.workers.to_string().into(), "-o".into(), site.out.clone().into()]);
    arguments.push(site.input.clone().into());
    let start = if path.is_file() {
        Ok(Invocation { program: path, arguments, variables: Vec::new() })
    } else {
        Err(format!("there is no {}", path.display()))
    };
    Program { name: words.join(" "), ours: true, start, wants_folder: false }
}
