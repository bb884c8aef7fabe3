//! One test of a job program: a folder of its own, a time limit, and the check that nothing is left behind.
//!
//! It does not know the programs: a test names the one it runs.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gristmill_testkit::command::TestCommand;
use gristmill_testkit::leaks::LeakCheck;
use gristmill_testkit::watchdog::Watchdog;
use tempfile::TempDir;

/// The surroundings of one test.
#[derive(Debug)]
pub struct Case {
    folder: TempDir,
    leaks: LeakCheck,
    _watchdog: Watchdog,
}

impl Case {
    /// Surroundings for a test that takes a minute at most.
    #[track_caller]
    pub fn new() -> Self {
        Self::limited(Duration::from_secs(60))
    }

    /// Surroundings for a test that takes `limit` at most, from the moment when it is its turn.
    #[track_caller]
    pub fn limited(limit: Duration) -> Self {
        // What a program leaves behind becomes our child, and the leak check sees it.
        rustix::process::set_child_subreaper(Some(rustix::process::getpid())).expect("Linux has subreapers");
        let leaks = LeakCheck::start();
        let watchdog = Watchdog::new(limit);
        let folder = tempfile::Builder::new().prefix("case-").tempdir().expect("a folder for the test");
        fs::create_dir(folder.path().join("tmp")).expect("a folder for temporary files");
        let leaks = leaks.folder(folder.path().join("tmp"));
        Self { folder, leaks, _watchdog: watchdog }
    }

    /// The path of `name` in the test's folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the test's folder, with the folders above it.
    #[track_caller]
    pub fn file(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it lies in the test's folder")).expect("a folder");
        fs::write(&path, content).expect("a file in the test's folder");
        path
    }

    /// A run of `program` in the test's folder, with a folder for temporary files of its own. Records below a warning
    /// and progress are off, so that standard error says something only when something is wrong.
    pub fn command(&self, program: &str) -> TestCommand {
        TestCommand::new(program).current_dir(self.folder.path()).env("TMPDIR", self.path("tmp"))
    }

    /// A run of `program` by somebody who is not root and may write in the test's folder; `None` where that cannot be.
    pub fn command_as_nobody(&self, program: &str) -> Option<TestCommand> {
        if !rustix::process::getuid().is_root() {
            return Some(self.command(program));
        }
        for folder in [self.path("."), self.path("tmp")] {
            fs::set_permissions(folder, Permissions::from_mode(0o777)).expect("its mode can be set");
        }
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let probe = Command::new("setpriv").args(nobody).args([program, "--version"]).output();
        let possible = probe.is_ok_and(|probe| probe.status.success());
        possible.then(|| self.command("setpriv").args(nobody).arg(program))
    }

    /// The names in a folder, in order.
    #[track_caller]
    pub fn names(&self, folder: impl AsRef<Path>) -> Vec<String> {
        let folder = self.path(folder);
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<_> = entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The part files of an output folder by name, which must hold nothing else than them and `_SUCCESS`.
    #[track_caller]
    pub fn parts(&self, output: impl AsRef<Path>) -> BTreeMap<String, Vec<u8>> {
        let mut names = self.names(&output);
        let success =
            names.iter().position(|name| name == "_SUCCESS").expect("_SUCCESS stands in the output");
        names.remove(success);
        let read = |name: String| {
            assert!(name.starts_with("part-"), "{name} is in the output");
            let bytes = fs::read(self.path(&output).join(&name)).expect("a part file can be read");
            (name, bytes)
        };
        names.into_iter().map(read).collect()
    }

    /// All lines of an output, part after part.
    #[track_caller]
    pub fn lines(&self, output: impl AsRef<Path>) -> Vec<String> {
        let all: Vec<u8> = self.parts(output).into_values().flatten().collect();
        String::from_utf8(all).expect("this output is text").lines().map(str::to_owned).collect()
    }

    /// Removes the work that a job with this output has left to be gone on with, if it has.
    pub fn remove_work(&self, output: &str) {
        match fs::remove_dir_all(self.path(format!("{output}.gristmill"))) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{output}: {error}"),
            _ => {}
        }
    }

    /// Fails the test if a process, a descriptor, a temporary file or a work folder is left.
    #[track_caller]
    pub fn finish(self) {
        let work: Vec<_> = self.names(".").into_iter().filter(|name| name.contains("gristmill")).collect();
        assert!(work.is_empty(), "work folders are left: {work:?}");
        self.leaks.finish();
    }
}

impl Default for Case {
    fn default() -> Self {
        Self::new()
    }
}

/// Says visibly that a test could not be made here.
pub fn skip(why: &str) {
    // Not `eprint!`: the test runner would capture it.
    std::io::stderr().write_all(format!("\nSKIPPED: {why}\n").as_bytes()).expect("standard error is open");
}
