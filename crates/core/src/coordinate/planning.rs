//! Everything about a run that is fixed before its first task: files, splits, partitions.
//!
//! It reads no record.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;
use gristmill_pool::signals::{Cancel, Level};
use memchr::memmem::Finder;

use crate::disk;
use crate::error::Error;
use crate::input::{Chunks, Given, InputFile, Origin, Plan, find, stdin};
use crate::job::Stages;
use crate::options::{GivenItems, RunOptions};
use crate::result::{AtPath, BoxError};
use crate::workdir::WorkPaths;

/// Map tasks that each worker should get, and some more, so that a slow one at the end does not keep the others waiting
/// for long.
const TASKS_PER_WORKER: u64 = 8;
/// No map task should be longer than a worker's share of what is left, divided by this.
const TASKS_AT_THE_END: u64 = 4;
const LEAST_CHUNK_BYTES: u64 = 256 << 10;
const MOST_CHUNK_BYTES: u64 = 16 << 20;
const DEFAULT_CHUNK_ITEMS: u64 = 1000;
const DEFAULT_ITEM_PARTITIONS: u32 = 4;

/// The splits, and how many partitions there will be.
pub(super) fn plan(
    options: &mut RunOptions,
    stages: &dyn Stages,
    workers: usize,
    paths: &WorkPaths,
    cancel: &Cancel,
) -> Result<(Plan, u32), Error> {
    let asked = options.partitions.or(stages.partitions());
    if let Some(items) = options.items.take() {
        check_items(&items, stages)?;
        let partitions = asked.unwrap_or(DEFAULT_ITEM_PARTITIONS);
        let ranges = stages.map_only().then_some(partitions);
        let chunk = options.chunk_size.unwrap_or(DEFAULT_CHUNK_ITEMS);
        let plan = (items.spool)(&paths.spooled_input(), chunk, ranges).map_err(usage)?;
        return Ok((plan, partitions));
    }
    let files = find_files(options, paths, cancel)?;
    for file in &files {
        stages.check(&file.path, file.size).map_err(usage)?;
    }
    let total = files.iter().map(|file| file.size).sum();
    let partitions = asked.unwrap_or_else(|| default_partitions(total));
    let ranges = stages.map_only().then_some(partitions);
    let chunks = options.chunk_size.map_or_else(|| default_chunks(total, workers), Chunks::of);
    Ok((Plan::cut(files, stages.cut(), chunks, ranges).map_err(usage)?, partitions))
}

/// Bytes of input per map task: enough tasks to balance the load, not so many that starting them costs, and short ones at
/// the end, when a worker with nothing to do has to wait for the others.
///
/// It may depend on the workers, as no output depends on it.
fn default_chunks(total_bytes: u64, workers: usize) -> Chunks {
    let workers = workers as u64;
    let size = (total_bytes / (workers * TASKS_PER_WORKER)).clamp(LEAST_CHUNK_BYTES, MOST_CHUNK_BYTES);
    Chunks::of(size).shorter_at_the_end(workers * TASKS_AT_THE_END, LEAST_CHUNK_BYTES)
}

/// One partition up to 1 MiB of input, four up to 128 MiB, then one for each 32 MiB, at most 64: a power of two always, so
/// that they can be dealt out evenly.
///
/// It depends on the input alone: the same input gives the same part files on every machine.
pub(super) fn default_partitions(total_bytes: u64) -> u32 {
    const MIB: u64 = 1 << 20;
    if total_bytes <= MIB {
        1
    } else {
        total_bytes.div_ceil(32 * MIB).clamp(4, 64).next_power_of_two() as u32
    }
}

/// Buckets in each partition: for all of them one for each MiB of input but at most 512, or one for each 8 MiB but at most
/// 4096, whichever is more; at least one for each partition.
///
/// What a reducer folds of one then fits the cache, or at least its memory. No output depends on it.
pub(super) fn buckets(total_bytes: u64, partitions: u32) -> u32 {
    let (in_cache, in_memory) = ((total_bytes >> 20).min(512), (total_bytes >> 23).min(4096));
    let wanted = in_cache.max(in_memory).next_power_of_two();
    (wanted / u64::from(partitions)).max(1) as u32
}

/// The inputs of a job that goes on, as they are now. What was copied into the work folder is not read a second time.
pub(super) fn inputs_again(
    options: &mut RunOptions,
    stages: &dyn Stages,
    paths: &WorkPaths,
    cancel: &Cancel,
) -> Result<Vec<InputFile>, Error> {
    let Some(items) = options.items.take() else { return find_files(options, paths, cancel) };
    check_items(&items, stages)?;
    let (old, new) = (paths.spooled_input(), paths.trial());
    (items.spool)(&new, 1, None).map_err(usage)?;
    let same = fs::read(&old).at("read", &old)? == fs::read(&new).at("read", &new)?;
    disk::remove_file(&new).at("remove", &new)?;
    if !same {
        return Err(Error::usage(
            "the items given are not those of the unfinished job (--restart starts afresh)",
        ));
    }
    let metadata = fs::metadata(&old).at("examine", &old)?;
    Ok(vec![InputFile::new(old, &metadata, Origin::Items)])
}

fn check_items(items: &GivenItems, stages: &dyn Stages) -> Result<(), Error> {
    let (given, read) = (items.type_name, stages.types().input);
    if given == read {
        return Ok(());
    }
    Err(Error::usage(format!("the items given are {given}, but the mapper reads {read}")))
}

fn find_files(options: &RunOptions, paths: &WorkPaths, cancel: &Cancel) -> Result<Vec<InputFile>, Error> {
    let dash = Path::new("-");
    let mut given = Vec::new();
    for input in &options.inputs {
        if input != dash {
            given.push(Given::Path(input.clone()));
        } else if given.iter().any(|given| matches!(given, Given::Stdin(_))) {
            return Err(Error::usage("input -: standard input can be read once only"));
        } else {
            given.push(Given::Stdin(spool_stdin(paths, cancel)?));
        }
    }
    if given.is_empty() {
        given = unpack_sample(options, paths)?;
        return if given.is_empty() {
            Err(Error::usage("no input is given"))
        } else {
            find(&given).map_err(usage)
        };
    }
    let mut files = find(&given).map_err(usage)?;
    leave_out(&mut files, paths.root());
    if files.is_empty() {
        Err(Error::usage("the input holds no files but the work folder"))
    } else {
        Ok(files)
    }
}

/// An output folder may be asked for inside an input folder: the work folder beside it is no input.
fn leave_out(files: &mut Vec<InputFile>, work: &Path) {
    let name = work.file_name().expect("a work folder has the name of its output");
    // Taking a path apart costs much more than to see that the name is not in it, and there may be a million paths.
    let in_bytes = Finder::new(name.as_bytes());
    let identity = |folder: &Path| folder.metadata().map(|found| (found.dev(), found.ino())).ok();
    let ours = identity(work);
    let is_work = |folder: &Path| folder.file_name() == Some(name) && identity(folder) == ours;
    let lies_in_work = |path: &Path| {
        in_bytes.find(path.as_os_str().as_bytes()).is_some() && path.ancestors().skip(1).any(is_work)
    };
    files.retain(|file| !file.user_path().is_some_and(lies_in_work));
}

/// Copies standard input into the work folder.
///
/// Whoever feeds it may take for ever, so another thread waits for that, and this one for the end or a signal.
fn spool_stdin(paths: &WorkPaths, cancel: &Cancel) -> Result<PathBuf, Error> {
    const TICK: Duration = Duration::from_millis(50);
    let path = paths.spooled_input();
    // A job that is resumed has read it before.
    if path.exists() {
        return Ok(path);
    }
    let (done, spooled) = crossbeam_channel::bounded(1);
    let copy = path.clone();
    let spool = move || done.send(stdin::spool(io::stdin().lock(), &copy)).unwrap_or_default();
    std::thread::Builder::new().name("stdin".to_owned()).spawn(spool).map_err(BoxError::from)?;
    tracing::info!(target: "gristmill", "reading standard input");
    loop {
        match spooled.recv_timeout(TICK) {
            Ok(spooled) => return Ok(spooled.map(|_| path).map_err(BoxError::from)?),
            Err(RecvTimeoutError::Timeout) => refuse_cancelled(cancel)?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(BoxError::from("reading standard input panicked").into());
            }
        }
    }
}

fn refuse_cancelled(cancel: &Cancel) -> Result<(), Error> {
    match cancel.level() {
        Level::None => Ok(()),
        Level::Graceful(signal) | Level::Immediate(signal) => Err(Error::cancelled(signal)),
    }
}

fn unpack_sample(options: &RunOptions, paths: &WorkPaths) -> Result<Vec<Given>, Error> {
    let folder = paths.sample();
    if options.sample.is_empty() {
        return Ok(Vec::new());
    }
    if folder.exists() {
        return Ok(vec![Given::Path(folder)]);
    }
    disk::create_dir(&folder).at("make the folder", &folder)?;
    for (name, content) in options.sample {
        let path = folder.join(name);
        let file = disk::create(&path).at("write", &path)?;
        disk::write_all(&file, content).at("write", &path)?;
    }
    Ok(vec![Given::Path(folder)])
}

fn usage(error: impl Into<BoxError>) -> Error {
    Error::usage(crate::result::chain(&*error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_partitions_is_a_fixed_function_of_the_input() {
        let mib = |n: u64| n << 20;
        let sizes = [0, mib(1), mib(1) + 1, mib(128), mib(1024), mib(1 << 20)];
        assert_eq!(sizes.map(default_partitions), [1, 1, 4, 4, 32, 64]);
    }

    #[test]
    fn buckets_grow_with_the_input() {
        let of = |gib: u64, partitions| buckets(gib << 30, partitions) * partitions;
        assert_eq!([of(0, 8), of(1, 8), of(4, 8), of(10, 8), of(1000, 64)], [8, 512, 512, 2048, 4096]);
        assert_eq!(buckets(1 << 30, 3000), 1);
    }

    #[test]
    fn a_work_folder_inside_an_input_folder_is_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["work", "sub"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
            fs::write(folder.path().join(name).join("lock"), "").expect("a file");
        }
        fs::write(folder.path().join("sub/work"), "").expect("a file");
        let mut files = find(&[Given::Path(folder.path().to_owned())]).expect("three files");
        leave_out(&mut files, &folder.path().join("sub/../work"));
        let left: Vec<_> = files.iter().map(|file| file.path.as_path()).collect();
        assert_eq!(left, ["sub/lock", "sub/work"].map(|name| folder.path().join(name)));
    }

    #[test]
    fn chunks_balance_the_load_within_bounds() {
        let ends = |total| {
            let chunks = default_chunks(total, 2);
            [total, total / 2 - 1, 1].map(|left| chunks.with_left(left))
        };
        assert_eq!(ends(2), [256 << 10; 3]);
        assert_eq!(ends(24 << 20), [3 << 19, 3 << 18, 3 << 17]);
        assert_eq!(ends(1 << 40), [16 << 20, 16 << 20, 2 << 20]);
    }
}
