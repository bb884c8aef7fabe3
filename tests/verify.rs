//! `--verify`: a job that does not always come to the same is found out, and one that does is not suspected.

use gristmill_testkit::command::Finished;
use gristmill_tests::case::Case;

const JOBS: &str = env!("CARGO_BIN_EXE_jobs");

fn run(case: &Case, what: &str, executor: &str) -> Finished {
    let arguments = ["fickle", "in.txt", "--what", what, "-c", "500", "--verify", "--executor", executor];
    case.command(JOBS)
        .args(arguments)
        .args(["-o", "out", "--overwrite", "--restart", "--progress", "never"])
        .run()
}

fn case() -> Case {
    let case = Case::new();
    case.file("in.txt", "some words and some more words\n".repeat(200));
    case
}

#[test]
fn what_is_not_deterministic_is_named() {
    let case = case();
    for executor in ["inline", "threads", "processes"] {
        for (what, named) in [
            ("mapper", ["(in.txt, from byte ", "mapper"]),
            ("counter", ["(in.txt, from byte ", "mapper"]),
            ("order", ["map-", "mapper"]),
            ("reducer", ["reduce-0", "reducer or combiner"]),
        ] {
            let finished = run(&case, what, executor).assert_code(1);
            let story = finished.stderr_text();
            for named in named.into_iter().chain(["--verify", "not deterministic"]) {
                assert!(story.contains(named), "{executor}, {what}: {named:?} is missing: {finished}");
            }
            assert!(!case.path("out").exists(), "{finished}");
        }
    }
    std::fs::remove_dir_all(case.path("out.gristmill")).expect("the work is kept");
    case.finish();
}

#[test]
fn an_order_that_does_not_show_is_not_suspected() {
    let case = case();
    for executor in ["inline", "threads", "processes"] {
        for what in ["nothing", "folded-order"] {
            run(&case, what, executor).assert_code(0);
            assert_eq!(case.lines("out").len(), 4, "{executor}, {what}");
            assert_eq!(case.lines("out")[0], "and\t600", "{executor}, {what}");
        }
    }
    case.finish();
}
