//! The torture of sound jobs of every kind, which ends well, and of flawed ones, each of which it finds.
//!
//! What makes a trial is tested in the library.

use std::time::Duration;

use gristmill::testing::{Torture, TortureError};
use gristmill_testkit::text::SplitMix64;
use gristmill_tests::case::Case;
use gristmill_tests::seed::seed;

const WORDCOUNT: &str = env!("CARGO_BIN_EXE_wordcount");
const SHUFFLE: &str = env!("CARGO_BIN_EXE_shuffle");
const JOBS: &str = env!("CARGO_BIN_EXE_jobs");
const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture");
const FLAWED: &str = env!("CARGO_BIN_EXE_flawed");

/// Lines of a word, a space and a number.
fn text(lines: u32) -> String {
    let mut random = SplitMix64::new(11);
    (0..lines).map(|n| format!("{}-{} {n}\n", ["ab", "b", "cd"][n as usize % 3], random.below(40))).collect()
}

/// A case with a text, where nothing may be left.
fn case() -> Case {
    let case = Case::limited(Duration::from_secs(180));
    case.file("in.txt", text(300));
    case
}

/// Few random trials: those that are always made are many.
fn torture(case: &Case, program: &str, args: &[&str]) -> Torture {
    Torture::new(program).args(args).args(["in.txt"]).current_dir(case.path(".")).seed(seed()).rounds(4)
}

#[track_caller]
fn ends_well(case: &Case, program: &str, args: &[&str]) {
    let report = torture(case, program, args).partitions(3).run();
    let report = report.unwrap_or_else(|error| panic!("{args:?}: {error}"));
    println!("{args:?}: {report}");
    assert!(report.runs >= 20, "{report}");
    gristmill_tests::boom::reap_adopted();
}

#[test]
fn a_word_count_stands_it() {
    let case = case();
    ends_well(&case, WORDCOUNT, &[]);
    case.finish();
}

#[test]
fn every_kind_of_reduce_stands_it() {
    let case = case();
    ends_well(&case, SHUFFLE, &["shuffle", "--what", "fold-u64", "--any-order"]);
    ends_well(&case, SHUFFLE, &["shuffle", "--what", "combine-reduce"]);
    ends_well(&case, SHUFFLE, &["shuffle", "--what", "group-text"]);
    ends_well(&case, SHUFFLE, &["shuffle", "--what", "group-text", "--by", "range"]);
    case.finish();
}

#[test]
fn a_job_without_a_reduce_stands_it() {
    let case = case();
    ends_well(&case, JOBS, &["upper"]);
    case.finish();
}

/// The torture finds that a job's output is not a function of its input, and says where.
#[track_caller]
fn finds(job: &str) -> TortureError {
    let case = case();
    let error = torture(&case, FLAWED, &[job]).run().expect_err("it is flawed");
    println!("{error}");
    let TortureError::Failed(failure) = &error else { panic!("{error}") };
    assert!(failure.commands.len() >= 2, "{error}");
    assert!(failure.commands.iter().all(|line| line.contains(FLAWED) || line.starts_with('#')), "{error}");
    assert!(error.to_string().contains(&format!("(seed {})", seed())), "{error}");
    gristmill_tests::boom::reap_adopted();
    case.finish();
    error
}

#[track_caller]
fn finds_difference(job: &str) {
    let error = finds(job);
    let difference = error.difference().unwrap_or_else(|| panic!("{job}: {error}"));
    assert!(difference.file.starts_with("part-r-") && difference.line > 0, "{error}");
    assert!(difference.expected != difference.found, "{error}");
}

#[test]
fn a_combiner_that_is_not_associative_is_found() {
    finds_difference("subtracts");
}

#[test]
fn a_mapper_that_sees_where_its_input_was_cut_is_found() {
    finds_difference("counts-on");
}

#[test]
fn a_reducer_that_tells_the_time_is_found() {
    finds_difference("tells-the-time");
}

#[test]
fn a_reducer_that_has_no_order_is_found() {
    finds_difference("hashes");
}

#[test]
fn a_counter_of_tasks_is_found_unless_it_is_left_out() {
    let error = finds("counts-setups");
    assert!(error.difference().is_none() && error.to_string().contains("other counters"), "{error}");
    let case = case();
    let sound = torture(&case, FLAWED, &["counts-setups"]).ignore_counter("cleanups").rounds(0).run();
    // Its mapper and reducer are sound.
    sound.unwrap_or_else(|error| panic!("{error}"));
    gristmill_tests::boom::reap_adopted();
    case.finish();
}

#[test]
fn what_cannot_be_tortured_is_refused() {
    let case = case();
    for args in [&["-w", "3"][..], &["--output=here"], &["-r4"]] {
        let refused = torture(&case, WORDCOUNT, args).run();
        assert!(matches!(refused, Err(TortureError::Refused(_))), "{refused:?}");
    }
    let missing = Torture::new(WORDCOUNT).args([case.path("missing.txt")]).run();
    let Err(TortureError::Undisturbed(failure)) = missing else { panic!("{missing:?}") };
    assert!(failure.log.contains("missing.txt"), "{failure}");
    let nowhere = Torture::new(case.path("nowhere")).run();
    assert!(matches!(nowhere, Err(TortureError::System { .. })), "{nowhere:?}");
    case.finish();
}

/// The fixture logs a record in each attempt at a map task.
#[test]
fn attempts_are_doubled_and_count_once() {
    let case = case();
    let run = |output: &str, torture: &[&str]| {
        let log = format!("{output}.txt");
        let options = ["-w", "2", "-c", "200", "--json", "--log", "1", "--log-file", &log, "-o", output];
        let command = case.command(FIXTURE).args(["words", "in.txt", "--progress", "never"]).args(options);
        let finished = command.args(torture).run().assert_code(0);
        let counters = serde_json::from_str::<serde_json::Value>(&finished.stdout_text()).expect("a summary");
        let log = std::fs::read_to_string(case.path(log)).expect("the log");
        (counters["counters"].clone(), log.matches("event 0").count(), case.parts(output))
    };
    let (counters, attempts, parts) = run("once", &[]);
    let (doubled, twice, same) = run("twice", &["--torture", "double,memory=64K,fan-in=2"]);
    assert_eq!((&doubled, twice), (&counters, 2 * attempts));
    assert!(attempts > 10 && same == parts, "{attempts} attempts");
    case.finish();
}

#[test]
fn a_malformed_torture_is_refused_and_not_offered() {
    let case = case();
    for (keys, wanted) in
        [("duble", "none of no-combine"), ("memory=1", "memory=1"), ("fan-in=1", "fan-in=1")]
    {
        let refused = case.command(WORDCOUNT).args(["in.txt", "--torture", keys]).run().assert_code(2);
        assert!(refused.stderr_text().contains(wanted), "{refused}");
    }
    let help = case.command(WORDCOUNT).arg("--help").run().assert_code(0);
    assert!(!help.stdout_text().contains("torture"), "{help}");
    case.finish();
}
