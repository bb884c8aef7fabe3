//! What a run does about records and groups that are set aside: their folder is checked before, and published after.
//!
//! It decides nothing about them; the scheduler does.

use std::path::PathBuf;

use super::output_folder::OutputFolder;
use super::run::Launch;
use crate::error::Error;
use crate::journal::Past;
use crate::options::RunOptions;
use crate::quarantine::QuarantineFolder;
use crate::schedule::Commits;
use crate::workdir::WorkFolder;

/// The folder of what is set aside, checked before the job starts.
pub(super) fn folder(
    options: &RunOptions,
    output: Option<&OutputFolder>,
    past: Option<&Past>,
    work: &WorkFolder,
) -> Result<Option<QuarantineFolder>, Error> {
    let Some(output) = output else { return Ok(None) };
    let folder = QuarantineFolder::beside(output.path(), options.overwrite);
    folder.take_back(past.and_then(|past| past.quarantine), &work.paths.quarantine())?;
    folder.check(options.max_bad_records > 0)?;
    Ok(Some(folder))
}

/// Gives the folder of what was set aside its name, or removes an old one.
pub(super) fn publish(
    launch: &Launch<'_>,
    folder: &QuarantineFolder,
    work: &WorkFolder,
    commits: &mut Commits,
) -> Result<(), Error> {
    let aside = commits.aside().to_vec();
    let tell = |device, inode| commits.publishing_quarantine(device, inode);
    folder.publish(&work.paths.quarantine(), &aside, launch.options.durable, tell)
}

/// Names of what was set aside, in order, and where it is.
pub(super) fn told(commits: &Commits, folder: &QuarantineFolder) -> (Vec<String>, Option<PathBuf>) {
    let mut aside = commits.aside().to_vec();
    aside.sort_unstable();
    let folder = (!aside.is_empty()).then(|| folder.path().to_owned());
    (aside.iter().map(ToString::to_string).collect(), folder)
}
