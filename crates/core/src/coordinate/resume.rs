//! Goes on with the work of a job whose coordinator died: checks that it is the same job, and what is left of its work.
//!
//! It runs nothing.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use gristmill_ipc::codec;
use gristmill_pool::signals::Cancel;
use indexmap::IndexMap;
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use super::planning;
use crate::collect::Committed;
use crate::counters::Counters;
use crate::disk;
use crate::error::Error;
use crate::input::{InputFile, Plan};
use crate::job::Stages;
use crate::journal::{Entry, JobEntry, Journal, Past, ProgramFile, Publication, program_hash};
use crate::options::RunOptions;
use crate::output::part::{is_whole, part_name};
use crate::reduce::Reduced;
use crate::result::{AtPath, Result};
use crate::run::RunFile;
use crate::schedule::Commits;
use crate::workdir::WorkPaths;

/// At most so many changed inputs are named.
const NAMED: usize = 5;

/// The plan that the dead job worked by.
///
/// # Errors
/// When it is not what it was: without it nobody knows what the runs are of.
pub(super) fn plan_of(past: &Past, paths: &WorkPaths) -> Result<Plan, Error> {
    let path = paths.plan();
    let useless = |why: String| {
        Error::usage(format!("{why}, so that nothing of the work can be used: --restart starts afresh"))
    };
    let bytes = disk::read(&path).at("read the plan", &path).map_err(|error| useless(error.to_string()))?;
    if xxh3_64(&bytes) != past.job.plan {
        return Err(useless(format!("the plan {} is damaged", path.display())));
    }
    Ok(codec::decode(&bytes).map_err(crate::result::BoxError::from)?)
}

/// Refuses a job whose output would be another.
///
/// # Errors
/// When inputs, program, parameters or partitions are not the same; the message says what has changed.
pub(super) fn check_same_job(
    past: &Past,
    plan: &Plan,
    now: &JobEntry,
    options: &mut RunOptions,
    stages: &dyn Stages,
    (paths, cancel): (&WorkPaths, &Cancel),
) -> Result<(), Error> {
    let then = &past.job;
    let mut changed = Vec::new();
    if then.job != now.job {
        changed.push(format!("the job was {:?}, now it is {:?}", then.job, now.job));
    }
    if then.params != now.params {
        let (then, now) = (then.command.join(" "), now.command.join(" "));
        changed.push(format!("the job's parameters: the command was `{then}`, now it is `{now}`"));
    }
    if now.format != then.format {
        changed.push("the form of the output".to_owned());
    }
    if let Some(asked) = options.partitions.or(stages.partitions())
        && asked != then.partitions
    {
        changed.push(format!("partitions (-r): there were {}, now {asked} are asked for", then.partitions));
    }
    if !options.from_reduce && !same_program(past, &now.program)? {
        changed.push(format!("the program {} was built anew", now.program.path.display()));
    }
    if changed.is_empty() {
        changed = changed_inputs(&plan.files, &planning::inputs_again(options, stages, paths, cancel)?);
    }
    if changed.is_empty() {
        return Ok(());
    }
    let (root, changed) = (paths.root().display(), changed.join("\n  "));
    Err(Error::usage(format!(
        "{root}: the unfinished job cannot be resumed, because something has changed (--restart starts afresh):\n  {changed}"
    )))
}

/// The content tells, if there was time to note what it was; otherwise metadata that are the same.
fn same_program(past: &Past, now: &ProgramFile) -> Result<bool> {
    let then = &past.job.program;
    match past.program {
        Some(hash) => Ok(hash == program_hash()?),
        None => Ok((then.size, then.modified) == (now.size, now.modified)),
    }
}

fn changed_inputs(then: &[InputFile], now: &[InputFile]) -> Vec<String> {
    let by_path = |files: &[InputFile]| -> IndexMap<_, _> {
        files.iter().map(|file| (file.path.clone(), file.clone())).collect()
    };
    let (before, after) = (by_path(then), by_path(now));
    let mut changed = Vec::new();
    for (path, file) in &before {
        match after.get(path) {
            None => changed.push(format!("input {file}: was read and is not there now")),
            Some(found) if found.size != file.size => {
                changed.push(format!("input {file}: had {} bytes and has {}", file.size, found.size));
            }
            Some(found) if found.modified != file.modified => {
                changed.push(format!("input {file}: was modified since"));
            }
            Some(_) => {}
        }
    }
    let new = after.iter().filter(|(path, _)| !before.contains_key(*path));
    changed.extend(new.map(|(_, file)| format!("input {file}: is new")));
    if changed.is_empty() && then != now {
        changed.push("the inputs come in another order, or another number of times".to_owned());
    }
    if changed.len() > NAMED {
        let more = changed.len() - NAMED;
        changed.truncate(NAMED);
        changed.push(format!("and {more} more inputs"));
    }
    changed
}

/// What can still be used of the work, and the journal, which goes on.
pub(super) fn restore(
    mut past: Past,
    plan: &Plan,
    paths: &WorkPaths,
    map_only: bool,
    options: &RunOptions,
) -> Result<(Commits, u32), Error> {
    let session = past.sessions + 1;
    let mut journal = Journal::go_on(&paths.journal(), past.len, options.durable)?;
    let mut note = |past: &mut Past, entry: Entry| -> Result {
        journal.append(&entry)?;
        past.take(entry);
        Ok(())
    };
    note(&mut past, Entry::Session(session))?;
    for name in past.runs.keys().cloned().collect::<Vec<_>>() {
        if let Err(error) = RunFile::open(&paths.runs().join(&name)) {
            tracing::warn!(target: "gristmill", "{error}: {} run again", list(&past.runs[&name]));
            note(&mut past, Entry::LostRun(name))?;
        }
    }
    if options.from_reduce {
        check_mapped(&past, plan)?;
        note(&mut past, Entry::PartsDropped)?;
        // It may be another one now: its parts are not to be mixed with those of the one before.
        note(&mut past, Entry::Program(program_hash()?))?;
    }
    drop_damaged_parts(&mut past.parts, paths, map_only);
    let part_names: HashSet<_> = past.parts.keys().map(|&task| part_name(map_only, task)).collect();
    remove_all_but(&paths.runs(), |name| past.runs.contains_key(name))?;
    remove_all_but(&paths.parts(), |name| part_names.contains(name))?;
    report(&past, plan);
    let Past { runs, empty, parts, aside, .. } = past;
    Ok((Commits::restored(Some(journal), runs, empty, parts).with_aside(aside), session))
}

/// `--from reduce` is for a job whose map output is whole.
fn check_mapped(past: &Past, plan: &Plan) -> Result<(), Error> {
    let (mapped, tasks) = (past.mapped(), plan.splits.len());
    if mapped == tasks {
        return Ok(());
    }
    Err(Error::usage(format!(
        "--from reduce: only {mapped} of {tasks} map tasks are done: finish them with --resume first"
    )))
}

/// Forgets the parts that are not as they were committed, and says so.
fn drop_damaged_parts(parts: &mut IndexMap<u32, (Reduced, Counters)>, paths: &WorkPaths, map_only: bool) {
    let check = |(task, part): (u32, Reduced)| {
        let path = paths.parts().join(part_name(map_only, task));
        match is_whole(&path, part.bytes, part.checksum) {
            Ok(true) => None,
            Ok(false) => Some((task, format!("the part file {} is damaged", path.display()))),
            Err(error) => Some((task, format!("the part file {}: {error}", path.display()))),
        }
    };
    let committed: Vec<_> = parts.iter().map(|(&task, (part, _))| (task, *part)).collect();
    let damaged: HashMap<_, _> = committed.into_par_iter().filter_map(check).collect();
    parts.retain(|task, _| match damaged.get(task) {
        Some(why) => {
            tracing::warn!(target: "gristmill", "{why}: reduce-{task} runs again");
            false
        }
        None => true,
    });
}

/// Removes what the dead job was writing, and what it had written and not accepted.
fn remove_all_but(folder: &Path, keep: impl Fn(&str) -> bool) -> Result {
    for entry in fs::read_dir(folder).at("read", folder)? {
        let entry = entry.at("read", folder)?;
        if !keep(&entry.file_name().to_string_lossy()) {
            let path = entry.path();
            disk::remove_file(&path).at("remove", &path)?;
        }
    }
    Ok(())
}

fn report(past: &Past, plan: &Plan) {
    for (name, committed) in &past.runs {
        tracing::info!(target: "gristmill", "the run {name} covers {}", list(committed));
    }
    let (mapped, tasks, runs) = (past.mapped(), plan.splits.len(), past.runs.len());
    let (parts, partitions) = (past.parts.len(), past.job.partitions);
    tracing::warn!(target: "gristmill", "resumed: {mapped} of {tasks} map tasks, in {runs} runs, and {parts} of {partitions} parts are done already");
}

/// The tasks of a run, as ranges.
fn list(committed: &Committed) -> String {
    let mut tasks: Vec<_> = committed.tasks.iter().map(|&(task, _)| task).collect();
    tasks.sort_unstable();
    let ranges = tasks.chunk_by(|one, next| one + 1 == *next).map(|range| match range {
        [first, .., last] => format!("{first}-{last}"),
        single => single[0].to_string(),
    });
    format!("map tasks {}", ranges.collect::<Vec<_>>().join(", "))
}

/// What is to be said of the job if the parts became the output `path` before it died, so that only its scratch is left.
pub(super) fn published(past: &Past, output: &Path) -> Option<Publication> {
    let found = output.metadata().ok()?;
    past.publishing.filter(|publication| publication.folder == (found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Origin;

    fn file(path: &str, size: u64, modified: i64) -> InputFile {
        InputFile { path: path.into(), size, modified: (modified, 0), origin: Origin::File }
    }

    #[test]
    fn every_kind_of_change_is_named() {
        let then = [file("a", 1, 1), file("b", 1, 1), file("c", 1, 1), file("d", 1, 1)];
        assert!(changed_inputs(&then, &then).is_empty());
        let now = [file("a", 1, 1), file("b", 2, 1), file("c", 1, 2), file("e", 1, 1)];
        let changed = changed_inputs(&then, &now);
        let expected = [
            "input b: had 1 bytes and has 2",
            "input c: was modified since",
            "input d: was read and is not there now",
            "input e: is new",
        ];
        assert_eq!(changed, expected);
        let turned = [then[1].clone(), then[0].clone(), then[2].clone(), then[3].clone()];
        assert_eq!(changed_inputs(&then, &turned).len(), 1);
    }

    #[test]
    fn tasks_are_listed_as_ranges() {
        let tasks = [7, 1, 2, 3, 9, 10].map(|task| (task, 1)).to_vec();
        let committed = Committed { run: None, tasks, counters: Default::default(), partitions: Vec::new() };
        assert_eq!(list(&committed), "map tasks 1-3, 7, 9-10");
    }
}
