//! A parent that runs out of something says what it is and which limit to raise, and never hangs.
//!
//! The texts themselves are tested beside the code that makes them.

use std::path::Path;

use crate::support::{LIMIT, skip};
use gristmill_testkit::command::TestCommand;
use gristmill_testkit::leaks::LeakCheck;

const FIXTURE: &str = env!("CARGO_BIN_EXE_pool-fixture");

/// Nobody else runs under it, and unlike root it is bound by the limit on processes.
const NOBODY: &str = "65534";

/// Every line that is not the expected end of a worker must name the limit; returns how many did.
fn assert_all_named(output: &str, limit: &str) -> usize {
    assert!(!output.is_empty());
    let short: Vec<_> = output.lines().filter(|line| !line.ends_with("exited with status 5")).collect();
    for line in &short {
        assert!(line.contains(limit), "{line}");
    }
    short.len()
}

fn scarce(resource: &str, number: u64, spool: &Path) -> String {
    let spool = spool.to_str().expect("text");
    let command = TestCommand::new(FIXTURE).args(["scarce", resource, &number.to_string(), spool]);
    command.limit(LIMIT).run().assert_code(0).stdout_text()
}

#[test]
fn a_lack_of_descriptors_is_named_wherever_it_is_felt() {
    let check = LeakCheck::start();
    let spool = tempfile::tempdir().expect("temporary folder");
    let mut named = 0;
    for number in 4..40 {
        let output = scarce("descriptors", number, spool.path());
        println!("{number}: {output}");
        named += assert_all_named(&output, "RLIMIT_NOFILE");
    }
    assert!(named >= 20, "{named}");
    assert!(spool.path().read_dir().expect("read").next().is_none());
    check.finish();
}

#[test]
fn a_lack_of_address_space_is_named() {
    let check = LeakCheck::start();
    let spool = tempfile::tempdir().expect("temporary folder");
    let output = scarce("memory", 1 << 20, spool.path());
    assert_eq!(assert_all_named(&output, "RLIMIT_AS"), 1, "{output}");
    check.finish();
}

#[test]
fn a_lack_of_processes_is_named_wherever_it_is_felt() {
    let check = LeakCheck::start();
    let folder = tempfile::tempdir().expect("temporary folder");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(folder.path(), open).expect("let others in");
    let as_nobody = |arguments: &[&str]| {
        let privileges = ["--reuid", NOBODY, "--clear-groups", FIXTURE];
        let command = TestCommand::new("setpriv").args(privileges).args(arguments);
        command.env("TMPDIR", folder.path()).limit(LIMIT).run()
    };
    let spool = folder.path().join("spool");
    let spool = spool.to_str().expect("text");
    if as_nobody(&["scarce", "processes", "1000", spool]).code() != Some(0) {
        return skip("a lack of processes: setpriv cannot run the fixture as somebody else");
    }
    let mut named = 0;
    for number in 1..12 {
        let output =
            as_nobody(&["scarce", "processes", &number.to_string(), spool]).assert_code(0).stdout_text();
        println!("{number}: {output}");
        named += assert_all_named(&output, "RLIMIT_NPROC");
    }
    assert!(named >= 5, "{named}");
    check.finish();
}
