//! The rotating file when the process is out of descriptors. It is alone in its program, since the limit is everybody's.
//!
//! Other things that go wrong are tested in `rotation` and `rotation_hazards`.

mod support;

use std::fs::File;

use gristmill_log::{Format, Handler, Level, Record, RotatingFile, Schedule, When};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use support::text;

/// Takes all descriptors that are left below a low limit, for as long as it lives.
struct NoDescriptors {
    before: Rlimit,
    _files: Vec<File>,
}

impl NoDescriptors {
    fn new() -> Self {
        let before = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(64), ..before }).expect("a limit");
        let files = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
        Self { before, _files: files }
    }
}

impl Drop for NoDescriptors {
    fn drop(&mut self) {
        setrlimit(Resource::Nofile, self.before).expect("a limit");
    }
}

#[test]
fn a_file_that_cannot_be_begun_anew_goes_on() {
    for timed in [false, true] {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.log");
        let builder = RotatingFile::builder(&path).max_bytes(1).backups(3);
        let builder = if timed { builder.schedule(Schedule::new(When::Midnight)) } else { builder };
        let pattern = Format::Pattern("{message}".parse().expect("pattern"));
        let mut file = builder.open().expect("log file").format(pattern);
        let mut log = |message: &str| {
            let handled = file.handle(&Record::new(Level::INFO, "t", message));
            file.flush().expect("written");
            handled
        };
        log("one").expect("logged");
        let out = NoDescriptors::new();
        // Dated files are looked for in the folder first, which takes a descriptor as well.
        let told = log("two").expect_err("no descriptor").to_string();
        assert!(told.contains("Too many open files"), "{told}");
        drop(out);
        assert_eq!(text(&path), "one\ntwo\n");
        log("three").expect("it is not tried again at once");
        log("four").expect("logged");
        let files = file.files().expect("files");
        let texts: String = files.iter().map(|path| text(path)).collect();
        assert!(files.len() > 1 && texts == "one\ntwo\nthree\nfour\n", "{files:?}: {texts}");
    }
}
