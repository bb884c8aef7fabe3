//! Disks that are full, limited or in the wrong place: the error names the path, and nothing half-written is left.
//!
//! Outputs that cannot be written from the start are tested in `output`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gristmill_testkit::command::TestCommand;
use gristmill_testkit::text::ZipfText;
use gristmill_tests::case::{Case, skip};
use gristmill_tests::faulty;

const JOBS: &str = env!("CARGO_BIN_EXE_jobs");
const SHUFFLE: &str = env!("CARGO_BIN_EXE_shuffle");
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
        assert!(!case.path("disk/out").exists(), "{executor}: {error}");
        // What was committed is kept, and said to be.
        if !case.names("disk").is_empty() {
            assert!(
                case.names("disk") == ["out.gristmill"] && error.contains("--resume"),
                "{executor}: {error}"
            );
            fs::remove_dir_all(case.path("disk/out.gristmill")).expect("it is there");
        }
    }
    drop(disk);
    case.finish();
}

/// The job needs about 13 MB on the disk at a time: with less it fails in map, in a commit, in reduce or when it publishes.
#[test]
fn a_job_that_ran_out_of_room_is_finished_when_there_is_some() {
    let case = Case::limited(Duration::from_secs(240));
    let job = faulty::JOBS[1];
    job.input(&case);
    let Some(disk) = SmallDisk::mount(case.path("disk"), "32m") else {
        skip("a disk that becomes full: no file system can be mounted here");
        return case.finish();
    };
    job.command(&case, SHUFFLE, "disk/undisturbed").run().assert_code(0);
    let wanted = case.parts("disk/undisturbed");
    let (mut failed, mut resumed) = (0, 0);
    for room in
        [0, 8, 100, 700, 3000, 5000, 5400, 5500, 6500, 7500, 8000, 8500, 9500, 10500, 11500, 12500, 14000]
    {
        fill(&case.path("disk"), room << 10);
        let finished = job.command(&case, SHUFFLE, "disk/out").run();
        let (error, about) = (finished.stderr_text(), format!("{room} KiB"));
        if finished.code() != Some(0) {
            failed += 1;
            let refused = error.contains("output disk/out: cannot be written");
            assert_eq!(finished.code(), Some(if refused { 2 } else { 1 }), "{about}: {finished}");
            let wanted = ["No space left on device", "make room for the folder ", "disk/out.gristmill"];
            assert!(wanted.iter().all(|words| error.contains(words)), "{about}: {finished}");
            assert!(!error.contains("attempt 2 of"), "{about}: it was tried again: {finished}");
            assert!(!case.path("disk/out").exists(), "{about}: {finished}");
        }
        fs::remove_file(case.path("disk/ballast")).expect("it is there");
        if finished.code() != Some(0) {
            resumed += u32::from(case.path("disk/out.gristmill").exists());
            job.command(&case, SHUFFLE, "disk/out").arg("--resume").run().assert_code(0);
        }
        assert!(case.parts("disk/out") == wanted, "{about}: another output");
        fs::remove_dir_all(case.path("disk/out")).expect("it is there");
        assert_eq!(case.names("disk"), ["undisturbed"], "{about}");
    }
    println!("{failed} runs ran out of room, {resumed} of them left work to go on with");
    assert!(failed >= 10 && resumed >= 5, "{failed} failed, {resumed} were resumed");
    drop(disk);
    case.finish();
}

/// Leaves `room` bytes of a file system.
fn fill(disk: &Path, room: u64) {
    let found = rustix::fs::statvfs(disk).expect("it is mounted");
    let free = found.f_bavail * found.f_frsize;
    let ballast = usize::try_from(free.saturating_sub(room)).expect("it is small");
    fs::write(disk.join("ballast"), vec![1; ballast]).expect("there is room for it");
}

#[test]
fn too_few_descriptors_are_named_or_enough() {
    let case = Case::limited(Duration::from_secs(120));
    let job = faulty::JOBS[1];
    job.input(&case);
    // Each task's run is a file of its own, and a reduce task opens all of them.
    let command = |limit: u32, output: &str| {
        let mut command =
            case.command("sh").args(["-c", "ulimit -n $0 && exec \"$@\"", &limit.to_string(), SHUFFLE]);
        command = command.args(job.arguments).args([
            "grouped.txt",
            "-o",
            output,
            "-c",
            "200",
            "-r",
            "2",
            "-w",
            "1",
        ]);
        command.args(["-m", "20MiB", "--max-tasks-per-worker", "1", "--progress", "never"])
    };
    command(1024, "undisturbed").run().assert_code(0);
    let wanted = case.parts("undisturbed");
    let (mut failed, mut worked) = (0, 0);
    for limit in [5, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 34, 38, 44, 60, 80] {
        let output = format!("out-{limit}");
        let finished = command(limit, &output).run();
        let error = finished.stderr_text();
        if finished.code() == Some(0) {
            worked += 1;
            assert!(case.parts(&output) == wanted, "{limit}: another output");
            continue;
        }
        failed += 1;
        assert!(matches!(finished.code(), Some(1 | 2)), "{limit}: {finished}");
        let named =
            error.contains("Too many open files") || error.contains("open files are allowed (ulimit -n)");
        assert!(named && !error.contains("panicked"), "{limit}: {finished}");
        assert!(!case.path(&output).exists(), "{limit}: {finished}");
        // Where not even a folder can be read any more, an empty work folder may be left: the next job takes it.
        if case.path(format!("{output}.gristmill")).exists() {
            command(1024, &output).arg("--resume").run().assert_code(0);
            assert!(case.parts(&output) == wanted, "{limit}: another output");
        }
    }
    println!("{failed} failed, {worked} worked");
    assert!(failed > 0 && worked > 0);
    case.finish();
}

/// Memory that processes share is in memory files, which need no mount.
#[test]
fn dev_shm_is_not_used() {
    let case = Case::new();
    case.file("in.txt", "a b\n");
    let script = "mount -t tmpfs -o size=4k,ro tmpfs /dev/shm && exec \"$@\"";
    let probe = Command::new("unshare").args(["-m", "sh", "-c", script, "sh", "true"]).status();
    if !probe.is_ok_and(|probe| probe.success()) {
        skip("a /dev/shm without room: no file system can be mounted here");
        return case.finish();
    }
    let job = case.command("unshare").args(["-m", "sh", "-c", script, "sh", JOBS, "words", "in.txt"]);
    assert_eq!(job.args(["--progress", "never"]).run().assert_code(0).stdout_text(), "a\t1\nb\t1\n");
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
