//! Disks that are full, limited or in the wrong place: the error names the path, and nothing half-written is left.
//!
//! Outputs that cannot be written from the start are tested in `output`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use gristmill_testkit::command::TestCommand;
use gristmill_testkit::text::ZipfText;
use gristmill_tests::case::{Case, skip};

const JOBS: &str = env!("CARGO_BIN_EXE_jobs");
const EXECUTORS: [&str; 3] = ["inline", "threads", "processes"];

fn words(case: &Case, arguments: &[&str]) -> TestCommand {
    case.command(JOBS).args(["words", "in.txt", "--progress", "never"]).args(arguments)
}

/// A small file system that is unmounted in the end.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir(&folder).expect("a folder");
        let options = format!("size={size}");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&folder).output();
        mount.is_ok_and(|mount| mount.status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status().is_ok_and(|status| status.success());
        assert!(unmounted || std::thread::panicking(), "{} cannot be unmounted", self.0.display());
    }
}

#[test]
fn a_full_disk_is_named_and_nothing_half_written_is_left() {
    let case = Case::limited(Duration::from_secs(120));
    case.file("in.txt", ZipfText::new(5, 300_000).lines(60_000));
    let Some(disk) = SmallDisk::mount(case.path("disk"), "1m") else {
        skip("a full disk: no file system can be mounted here");
        return case.finish();
    };
    for executor in EXECUTORS {
        let finished = words(&case, &["-o", "disk/out", "--executor", executor]).run().assert_code(1);
        let error = finished.stderr_text();
        assert!(
            error.contains("disk/out.gristmill") && error.contains("No space left on device"),
            "{executor}: {error}"
        );
        assert!(case.names("disk").is_empty(), "{executor}: {:?} are left", case.names("disk"));
    }
    drop(disk);
    case.finish();
}

/// `ulimit -f` makes a write beyond the limit fail; SIGXFSZ, which would kill the program, is ignored by the shell.
#[test]
fn a_file_size_limit_fails_the_job_like_a_full_disk() {
    let case = Case::new();
    case.file("in.txt", "ab\n");
    // Units of 512 or of 1024 bytes, as the shell has it. The lower limit hits the first memory that is shared.
    for (limit, named) in [("8192", "out.gristmill"), ("16", "shared memory")] {
        for executor in EXECUTORS {
            let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$@\"");
            let command = case.command("sh").args(["-c", &script, "sh", JOBS, "huge", "in.txt", "-o", "out"]);
            let arguments = ["--bytes", "20000000", "--executor", executor, "-w", "1", "--progress", "never"];
            let finished = command.args(arguments).run().assert_code(1);
            let error = finished.stderr_text();
            assert!(error.contains("File too large") && error.contains(named), "{executor}: {error}");
            assert!(!error.contains("panicked"), "{executor}: {error}");
            assert!(!case.path("out").exists());
        }
    }
    case.finish();
}

/// Publishing is a rename: scratch on another file system could not keep that promise.
#[test]
fn scratch_on_another_file_system_than_the_output_is_refused() {
    let case = Case::new();
    case.file("in.txt", "a b\n");
    let Some(disk) = SmallDisk::mount(case.path("disk"), "4m") else {
        skip("scratch on another file system: no file system can be mounted here");
        return case.finish();
    };
    let refused = words(&case, &["-o", "out", "--work-dir", "disk"]).run().assert_code(2);
    assert!(refused.stderr_text().contains("--work-dir disk"), "{refused}");
    assert_eq!(words(&case, &["--work-dir", "disk"]).run().assert_code(0).stdout_text(), "a\t1\nb\t1\n");
    assert!(case.names("disk").is_empty() && !case.path("out").exists());
    drop(disk);
    case.finish();
}
