//! The folder beside the output: refused when it is there before, and given its name just before the output.
//!
//! It does not fill it.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::disk;
use crate::error::Error;
use crate::result::{AtPath, Result};
use crate::task::Spot;

/// `OUTPUT.quarantine`.
#[derive(Debug, Clone)]
pub(crate) struct QuarantineFolder {
    path: PathBuf,
    overwrite: bool,
}

impl QuarantineFolder {
    /// That of the output folder `output`.
    pub(crate) fn beside(output: &Path, overwrite: bool) -> Self {
        let output: PathBuf = output.components().collect();
        let mut name: OsString = output.file_name().unwrap_or_default().to_owned();
        name.push(".quarantine");
        Self { path: output.with_file_name(name), overwrite }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A job that died between giving names to this folder and to the output goes on as if it had given none.
    pub(crate) fn take_back(&self, published: Option<(u64, u64)>, work: &Path) -> Result {
        let found = self.path.metadata().ok().map(|found| (found.dev(), found.ino()));
        if found.is_none() || found != published {
            return Ok(());
        }
        if work.exists() {
            disk::exchange(work, &self.path).at("take back", &self.path)?;
        } else {
            disk::rename_new(&self.path, work).at("take back", &self.path)?;
        }
        Ok(())
    }

    /// Refuses a folder that is there already. A job that may set nothing aside minds only those of earlier jobs, which
    /// would be taken for its own.
    ///
    /// # Errors
    /// When there is one, unless it is to be replaced and can be.
    pub(crate) fn check(&self, may_set_aside: bool) -> Result<(), Error> {
        let strange = self.path.symlink_metadata().is_ok().then(|| stranger(&self.path));
        let path = self.path.display();
        match strange {
            None => Ok(()),
            Some(Some(_)) if !may_set_aside => Ok(()),
            Some(_) if !self.overwrite => {
                Err(Error::usage(format!("quarantine {path}: exists already (--overwrite replaces it)")))
            }
            Some(Some(why)) => Err(Error::usage(format!("quarantine {path}: not replaced, because {why}"))),
            Some(None) => Ok(()),
        }
    }

    /// Gives the folder `work`, with everything that was set aside, its name beside the output. `tell` is told its device
    /// and inode number before.
    pub(crate) fn publish(
        &self,
        work: &Path,
        aside: &[Spot],
        durable: bool,
        tell: impl FnOnce(u64, u64) -> Result,
    ) -> Result<(), Error> {
        let before = self.path.symlink_metadata().is_ok() && stranger(&self.path).is_none();
        tidy(work, aside)?;
        if aside.is_empty() {
            // It goes with the work folder.
            if before && self.overwrite {
                disk::rename_new(&self.path, work).at("remove", &self.path)?;
            }
            return Ok(());
        }
        let folder = work.metadata().at("examine", work)?;
        tell(folder.dev(), folder.ino())?;
        if before && self.overwrite {
            disk::exchange(work, &self.path).at("replace", &self.path)?;
        } else {
            disk::rename_new(work, &self.path).at("publish", &self.path)?;
        }
        if durable {
            disk::sync_parent(&self.path)?;
        }
        Ok(())
    }
}

/// Removes from the folder what attempts and coordinators have left that were killed, and all of it if nothing was set
/// aside.
///
/// # Errors
/// When something is missing.
fn tidy(work: &Path, aside: &[Spot]) -> Result {
    let mut missing: HashSet<String> = aside.iter().flat_map(files_of).collect();
    if work.exists() {
        for entry in fs::read_dir(work).at("read", work)? {
            let entry = entry.at("read", work)?;
            if !missing.remove(&*entry.file_name().to_string_lossy()) {
                disk::remove_file(&entry.path()).at("remove", &entry.path())?;
            }
        }
        if aside.is_empty() {
            disk::remove_dir(work).at("remove", work)?;
        }
    }
    match missing.into_iter().next() {
        Some(name) => Err(format!("{name} is missing in {}", work.display()).into()),
        None => Ok(()),
    }
}

/// The names of the files that belong to a record or group.
fn files_of(spot: &Spot) -> [String; 2] {
    let content = if spot.is_record() { "record" } else { "run" };
    [format!("{spot}.json"), format!("{spot}.{content}")]
}

/// Why the folder at `path` is no job's quarantine, if it is not: replacing deletes.
fn stranger(path: &Path) -> Option<String> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => return Some(error.to_string()),
    };
    entries.flatten().find_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let known = entry.file_type().is_ok_and(|kind| kind.is_file()) && is_name(&name);
        (!known).then(|| format!("it holds {name}, which no job has set aside"))
    })
}

/// Whether [`files_of`] may have made this name.
fn is_name(name: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let Some((id, kind)) = name.split_once('.') else { return false };
    let (phase, place) = id.split_once('-').unwrap_or_default();
    let (first, second) = place.split_once('-').unwrap_or_default();
    let kinds = match phase {
        "map" => ["json", "record"],
        "reduce" => ["json", "run"],
        _ => return false,
    };
    number(first) && number(second) && kinds.contains(&kind)
}

/// The names of all that was set aside in the folder at `path`, in order.
pub(super) fn ids(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut ids: Vec<_> = names
        .filter(|name| is_name(name))
        .filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()))
        .collect();
    ids.sort();
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_spots() {
        let spots = [
            Spot::Record { file: 3, offset: 120, len: 7 },
            Spot::Group { partition: 0, ordinal: u64::MAX - 1 },
        ];
        for name in spots.iter().flat_map(files_of) {
            assert!(is_name(&name), "{name}");
        }
        for name in ["map-1.json", "map-1-2.run", "reduce-1-2.record", "map-1-2.json.tmp", "x", "map--.json"]
        {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn a_job_that_died_before_its_output_was_there_publishes_once_more() {
        let parent = tempfile::tempdir().expect("a folder");
        let (output, work) = (parent.path().join("out"), parent.path().join("work"));
        let aside = [Spot::Record { file: 0, offset: 5, len: 1 }];
        let fill = |folder: &Path, strays: &[&str]| {
            fs::create_dir(folder).expect("a folder");
            let files = files_of(&aside[0]);
            for name in files.iter().map(String::as_str).chain(strays.iter().copied()) {
                fs::write(folder.join(name), "").expect("a file");
            }
        };
        for overwrite in [false, true] {
            let folder = QuarantineFolder::beside(&output, overwrite);
            fill(&work, &["map-0-5.json.tmp", "map-0-9.record"]);
            let mut told = None;
            let mut publish = |folder: &QuarantineFolder| {
                folder.publish(&work, &aside, false, |device, inode| {
                    told = Some((device, inode));
                    Ok(())
                })
            };
            publish(&folder).expect("it is published");
            assert_eq!(ids(folder.path()), ["map-0-5"]);
            assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 2, "no strays");
            // What is replaced, if anything, is in the work folder now.
            assert_eq!(work.exists(), overwrite);
            folder.take_back(told, &work).expect("it is taken back");
            assert_eq!((ids(&work).len(), folder.path().exists()), (1, overwrite));
            folder.take_back(told, &work).expect("it was taken back");
            folder.publish(&work, &aside, false, |_, _| Ok(())).expect("it is published again");
            assert!(fs::remove_dir_all(&work).is_ok() == overwrite);
        }
        fill(&work, &[]);
        fs::remove_file(work.join("map-0-5.record")).expect("it is there");
        let error = tidy(&work, &aside).expect_err("a file is missing").to_string();
        assert!(error.contains("map-0-5.record is missing"), "{error}");
    }

    #[test]
    fn a_folder_of_something_else_is_never_replaced() {
        let parent = tempfile::tempdir().expect("a folder");
        let output = parent.path().join("out");
        let of = |overwrite| QuarantineFolder::beside(&output, overwrite);
        assert!(of(false).check(true).is_ok());
        fs::create_dir(of(false).path()).expect("a folder");
        let refused = |overwrite, may| of(overwrite).check(may).is_err_and(|error| error.is_usage());
        assert!(refused(false, true) && refused(false, false) && !refused(true, true));
        fs::write(of(false).path().join("notes"), "").expect("a file");
        assert!(refused(false, true) && refused(true, true) && !refused(false, false));
    }
}
