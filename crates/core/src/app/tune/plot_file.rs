//! The file for the plot: refused early when it cannot be written, there only when it is whole.
//!
//! It does not know what is in it.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::error::Error;
use crate::result::AtPath;

/// Where a plot will be written.
#[derive(Debug)]
pub(super) struct PlotFile {
    path: PathBuf,
    overwrite: bool,
}

impl PlotFile {
    /// Checks that the file can be written, and leaves nothing of it.
    pub(super) fn new(path: &Path, overwrite: bool) -> Result<Self, Error> {
        let named = path.display();
        let found = path.symlink_metadata().ok();
        if found.as_ref().is_some_and(|found| !found.is_file()) {
            return Err(Error::usage(format!("--tune-plot {named}: exists and is no file")));
        }
        if found.is_some() && !overwrite {
            return Err(Error::usage(format!(
                "--tune-plot {named}: exists already (--overwrite replaces it)"
            )));
        }
        let plot = Self { path: path.to_owned(), overwrite };
        match plot.new_file() {
            Ok(_) if path.file_name().is_some() => Ok(plot),
            Ok(_) => Err(Error::usage(format!("--tune-plot {named}: not a name for a file"))),
            Err(error) => Err(Error::usage(format!("--tune-plot {named}: cannot be written: {error}"))),
        }
    }

    /// Writes the whole file at once.
    pub(super) fn write(&self, content: &str) -> Result<(), Error> {
        let mut file = self.new_file().at("write", &self.path)?;
        file.write_all(content.as_bytes()).at("write", &self.path)?;
        let persisted =
            if self.overwrite { file.persist(&self.path) } else { file.persist_noclobber(&self.path) };
        persisted.map_err(|error| error.error).at("write", &self.path)?;
        Ok(())
    }

    /// A file of another name beside it.
    fn new_file(&self) -> io::Result<NamedTempFile> {
        let parent = self.path.parent().filter(|parent| *parent != Path::new(""));
        let mut builder = Builder::new();
        // What a program usually asks for: the user's mask takes away from it.
        let usual = Permissions::from_mode(0o666);
        builder.prefix(".tune-plot-").permissions(usual).tempfile_in(parent.unwrap_or(Path::new(".")))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_is_there_is_replaced_only_when_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plot.svg");
        let plot = PlotFile::new(&path, false).expect("it can be written");
        assert!(!path.exists());
        plot.write("one").expect("written");
        assert!(plot.write("two").is_err() && PlotFile::new(&path, false).is_err());
        PlotFile::new(&path, true).expect("asked for").write("three").expect("replaced");
        assert_eq!(fs::read_to_string(&path).expect("the plot"), "three");
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1);
        let error = PlotFile::new(&folder.path().join("no/plot.svg"), false).expect_err("no such folder");
        assert!(error.is_usage() && error.to_string().contains("--tune-plot"), "{error}");
    }
}
