//! What becomes of a quarantine after its job: a job that is resumed keeps it, a later one refuses or replaces it, and
//! what is in it can be tried alone.

use std::fs;

use gristmill_testkit::command::TestCommand;
use gristmill_tests::case::Case;
use gristmill_tests::quarantined::{self, check, keyed, mixed, quarantine};
use serde_json::Value;

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture");

fn poison(case: &Case, input: &str, output: &str) -> TestCommand {
    quarantined::poison(case, FIXTURE, "3", input, output)
}

#[test]
fn more_than_allowed_fail_the_job_and_resuming_keeps_what_was_set_aside() {
    let case = Case::new();
    let mixed = mixed(&[b"!err", b"!segfault", b"!panic"], 60, "\n");
    case.file("in.txt", &mixed.text);
    case.file("clean.txt", &mixed.clean);
    poison(&case, "clean.txt", "clean").run().assert_code(0);
    let run = |most: &str, more: &[&str]| {
        poison(&case, "in.txt", "out")
            .args(["--at", "map", "-c", "200", "-w", "1", "--max-bad-records", most])
            .args(more)
            .run()
    };
    let finished = run("2", &[]).assert_code(1);
    let (offset, _) = mixed.bad[2];
    let story = finished.stderr_text();
    for wanted in
        ["--max-bad-records 2", &format!("the last is at byte {offset} of in.txt, 6 bytes long"), "--resume"]
    {
        assert!(story.contains(wanted), "{wanted:?} is missing: {finished}");
    }
    assert!(!case.path("out").exists() && !case.path("out.quarantine").exists());
    let finished = run("3", &["--resume", "--json"]).assert_code(3);
    check(&case, "out", "clean", &mixed, &finished);
    let summary: Value = serde_json::from_slice(&finished.stdout).expect("a summary");
    // What was set aside before is not tried again.
    assert!(summary["lost_attempts"].as_u64().expect("a number") <= 2, "{summary}");
    case.finish();
}

#[test]
fn an_older_quarantine_is_refused_or_replaced_as_the_output_is() {
    let case = Case::new();
    let mixed = mixed(&[b"!err", b"!panic"], 10, "\n");
    case.file("in.txt", &mixed.text);
    case.file("clean.txt", &mixed.clean);
    let run = |input: &str, more: &[&str]| poison(&case, input, "out").args(["--at", "map"]).args(more).run();
    let refused = poison(&case, "in.txt", "out").args(["--max-bad-records", "2"]).run();
    assert_eq!(refused.code(), Some(0), "nothing fails: {refused}");
    assert!(!case.path("out.quarantine").exists());
    fs::remove_dir_all(case.path("out")).expect("it can be removed");
    run("in.txt", &["--max-bad-records", "2"]).assert_code(3);
    fs::remove_dir_all(case.path("out")).expect("it can be removed");
    let finished = run("in.txt", &["--max-bad-records", "2"]).assert_code(2);
    assert!(finished.stderr_text().contains("out.quarantine: exists already (--overwrite"), "{finished}");
    let before = quarantine(&case, "out");
    run("in.txt", &["--max-bad-records", "2", "--overwrite"]).assert_code(3);
    let after = quarantine(&case, "out");
    assert!(before.keys().eq(after.keys()));
    run("clean.txt", &["--max-bad-records", "2", "--overwrite"]).assert_code(0);
    assert!(!case.path("out.quarantine").exists(), "nothing was set aside this time");
    fs::create_dir(case.path("out.quarantine")).expect("a folder");
    case.file("out.quarantine/notes.txt", "dear to somebody");
    let finished = run("in.txt", &["--max-bad-records", "2", "--overwrite"]).assert_code(2);
    assert!(finished.stderr_text().contains("notes.txt"), "{finished}");
    run("clean.txt", &["--overwrite"]).assert_code(0);
    let finished =
        case.command(FIXTURE).args(["poison", "in.txt", "--max-bad-records", "2"]).run().assert_code(2);
    assert!(finished.stderr_text().contains("--max-bad-records: needs an output folder"), "{finished}");
    case.finish();
}

#[test]
fn replay_runs_what_was_set_aside_alone() {
    let case = Case::new();
    let (text, _) = keyed(&["!err", "!panic", "!segfault"]);
    case.file(
        "in.txt",
        "good word\n!err in map\nmore !panic words\n!segfault\n".to_owned() + &text.replace('!', "?"),
    );
    case.file("keys.txt", &text);
    let run = |input: &str, output: &str, at: &str, more: &[&str]| {
        poison(&case, input, output).args(["--at", at, "--max-bad-records", "9"]).args(more).run()
    };
    run("in.txt", "out", "map", &[]).assert_code(3);
    let replay = |output: &str, at: &str, id: &str| run("in.txt", output, at, &["--replay", id]);
    let finished = replay("out", "map", "map-0-10").assert_code(1);
    assert!(finished.stderr_text().contains("map-0-10 failed: returned an error: poison !err"), "{finished}");
    assert_eq!(finished.stdout_text(), "!err\t11\n", "what it emitted before");
    let finished = replay("out", "map", "map-0-22").assert_code(1);
    assert!(
        finished.stderr_text().contains("map-0-22 failed: panicked at tests/fixture/fault.rs"),
        "{finished}"
    );
    assert_eq!(replay("out", "map", "map-0-40").signal(), Some(11));
    let finished = replay("out", "never", "map-0-22").assert_code(0);
    assert_eq!(finished.stdout_text(), "more\t17\n!panic\t17\nwords\t17\n");
    let finished = replay("out", "map", "map-0-11").assert_code(2);
    assert!(finished.stderr_text().contains("only map-0-10, map-0-22, map-0-40"), "{finished}");
    quarantined::poison(&case, FIXTURE, "1", "keys.txt", "groups")
        .args(["--at", "reduce", "--max-bad-records", "9"])
        .run()
        .assert_code(3);
    let ids: Vec<_> =
        case.names("groups.quarantine").into_iter().filter(|name| name.ends_with("run")).collect();
    assert_eq!(ids, ["reduce-0-0.run", "reduce-0-1.run", "reduce-0-2.run"]);
    let finished = replay("groups", "reduce", "reduce-0-0").assert_code(1);
    assert!(
        finished.stderr_text().contains("reduce-0-0 failed: returned an error: poison !err"),
        "{finished}"
    );
    assert_eq!(replay("groups", "reduce", "reduce-0-2").signal(), Some(11));
    let finished = replay("groups", "never", "reduce-0-0").assert_code(0);
    assert_eq!(finished.stdout_text(), format!("!err\t{}\n", "4,".repeat(10)));
    for (more, said) in [
        (&["--replay", "map-0-1", "--json"][..], "--json"),
        (&["--replay", "map-0-1", "--resume"], "--resume"),
    ] {
        let finished = run("in.txt", "out", "map", more).assert_code(2);
        assert!(finished.stderr_text().contains(said), "{finished}");
    }
    let finished = run("in.txt", "nothing", "map", &["--replay", "map-0-1"]).assert_code(2);
    assert!(finished.stderr_text().contains("nothing was set aside in nothing.quarantine"), "{finished}");
    case.finish();
}
