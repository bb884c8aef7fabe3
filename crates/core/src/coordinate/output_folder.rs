//! The output folder: refused when it exists, published by one rename when everything in it is committed.
//!
//! It does not write part files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::disk;
use crate::error::Error;
use crate::result::{AtPath, Result};
use crate::workdir::WorkPaths;

/// Name of the empty file that says the output is whole.
pub(crate) const SUCCESS: &str = "_SUCCESS";

/// Where a job's results go, checked before the job starts.
#[derive(Debug, Clone)]
pub(crate) struct OutputFolder {
    path: PathBuf,
    overwrite: bool,
    /// The list of inputs, which is the job's as the parts are.
    input_list: Option<String>,
}

impl OutputFolder {
    /// Checks that `path` can become the output folder of a job that may put a list of its inputs there.
    ///
    /// # Errors
    /// When it exists (with `overwrite`: when it holds anything but an earlier output), or its parent does not.
    pub(crate) fn new(path: &Path, overwrite: bool, input_list: Option<&str>) -> Result<Self, Error> {
        if path.file_name().is_none() {
            return Err(Error::usage(format!("output {}: not a name for a new folder", path.display())));
        }
        if path.symlink_metadata().is_ok() {
            if !overwrite {
                let path = path.display();
                return Err(Error::usage(format!("output {path}: exists already (--overwrite replaces it)")));
            }
            check_replaceable(path, input_list)?;
        }
        // Without what may follow the name: a folder cannot be renamed to `out/.`.
        let input_list = input_list.map(str::to_owned);
        Ok(Self { path: path.components().collect(), overwrite, input_list })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder of parts beside the output and moves it to where the work is, to find out what would otherwise
    /// fail only when all is done: a mount between the two, a folder that cannot be written, a file system without this
    /// kind of rename. Where there are parts already, another empty folder takes this way.
    pub(crate) fn prepare(&self, work: &WorkPaths) -> Result<(), Error> {
        let mut name = std::ffi::OsString::from(".");
        name.push(work.root().file_name().unwrap_or_default());
        name.push(".try");
        let beside = self.path.with_file_name(name);
        // One may be left of a job that was killed right here; otherwise there is nothing to remove.
        drop(disk::remove_dir(&beside));
        let (parts, trial) = (work.parts(), work.trial());
        let resumed = parts.symlink_metadata().is_ok();
        let into = if resumed { &trial } else { &parts };
        disk::create_dir(&beside)
            .and_then(|()| disk::rename_new(&beside, into))
            .and_then(|()| if resumed { disk::remove_dir(into) } else { Ok(()) })
            .map_err(|error| {
                drop(disk::remove_dir(&beside));
                let (path, from) = (self.path.display(), work.root().display());
                Error::usage(format!("output {path}: cannot be renamed from the work folder {from}: {error}"))
            })
    }

    /// Makes the folder of committed parts the output folder, at once.
    pub(crate) fn publish(&self, parts: &Path, durable: bool) -> Result {
        remove_strays(parts)?;
        let success = parts.join(SUCCESS);
        disk::create(&success).at("create", &success)?;
        if durable {
            disk::sync_parent(&success)?;
        }
        if self.overwrite && self.path.symlink_metadata().is_ok() {
            // What was there takes the place of the parts and is removed with the work folder.
            check_replaceable(&self.path, self.input_list.as_deref())?;
            disk::exchange(parts, &self.path).at("replace", &self.path)?;
        } else {
            disk::rename_new(parts, &self.path).at("publish", &self.path)?;
        }
        if durable {
            disk::sync_parent(&self.path)?;
        }
        Ok(())
    }
}

/// Replacing deletes: only what looks like an earlier output may go.
fn check_replaceable(path: &Path, input_list: Option<&str>) -> Result<(), Error> {
    let entries = fs::read_dir(path)
        .map_err(|error| Error::usage(format!("output {}: cannot be replaced: {error}", path.display())))?;
    for entry in entries {
        let entry = entry.at("read", path)?;
        let (name, kind) = (entry.file_name(), entry.file_type().at("examine", &entry.path())?);
        let text = name.to_string_lossy();
        if !(kind.is_file() && (text == SUCCESS || is_part_name(&text) || input_list == Some(&*text))) {
            return Err(Error::usage(format!(
                "output {}: not replaced, because it holds {text}, which is no job's output",
                path.display()
            )));
        }
    }
    Ok(())
}

/// Whether [`part_name`](crate::output::part::part_name) may have made this name.
fn is_part_name(name: &str) -> bool {
    let number = name.strip_prefix("part-r-").or_else(|| name.strip_prefix("part-m-"));
    number.is_some_and(|number| number.len() >= 5 && number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// Removes what attempts that were killed have left beside the committed parts.
fn remove_strays(parts: &Path) -> Result {
    for entry in fs::read_dir(parts).at("read", parts)? {
        let entry = entry.at("read", parts)?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            disk::remove_file(&entry.path()).at("remove", &entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_that_cannot_be_reached_is_found_out_before_the_work() {
        let parent = tempfile::tempdir().expect("a folder");
        let work = WorkPaths::at(parent.path().join("work"));
        fs::create_dir(work.root()).expect("the work folder");
        let prepare = |output: &Path| {
            OutputFolder::new(&parent.path().join(output), false, None).expect("a new folder").prepare(&work)
        };
        let names = |folder: &Path| -> Vec<_> {
            let entries = fs::read_dir(folder).expect("the folder");
            entries.map(|entry| entry.expect("an entry").file_name()).collect()
        };
        prepare("out/.".as_ref()).expect("it can");
        assert_eq!((names(parent.path()), names(work.root())), (vec!["work".into()], vec!["parts".into()]));
        fs::write(work.parts().join("part-00000"), "of the job that is resumed").expect("a part");
        prepare("out".as_ref()).expect("it can");
        assert_eq!((names(parent.path()), names(work.root())), (vec!["work".into()], vec!["parts".into()]));
        assert_eq!(names(&work.parts()), ["part-00000"]);
        let error = prepare("missing/out".as_ref()).expect_err("no such parent");
        assert!(error.is_usage() && error.to_string().contains("missing/out"), "{error}");
    }
}
