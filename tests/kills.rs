//! `kill -9` of a worker at random moments: never a hang, never an orphan, always the message or the right output.
//!
//! The moments are random, the outcome is not: `GRISTMILL_TEST_SEED` repeats them.

use std::time::{Duration, Instant};

use gristmill_testkit::command::{Finished, Running};
use gristmill_testkit::process_tree::ProcessTree;
use gristmill_testkit::text::SplitMix64;
use gristmill_tests::boom;
use gristmill_tests::case::Case;
use rustix::process::{Pid, Signal, kill_process};

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture");
const MOMENTS: u32 = 50;
/// A hang is a run longer than this.
const LIMIT: Duration = Duration::from_secs(20);

/// Makes each record take a while, so that there is something to be killed in.
const OPTIONS: [&str; 4] = ["-w", "2", "--slow", "3"];

fn seed() -> u64 {
    let given = std::env::var("GRISTMILL_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(1, |now| now.as_nanos() as u64)
    })
}

/// Kills one of the job's workers at a moment of its own choice; tells whether there was one to kill.
fn kill_one(running: &Running, moment: Duration, random: &mut SplitMix64) -> bool {
    if running.exits_within(moment) {
        return false;
    }
    let workers = ProcessTree::children_of(running.pid());
    if workers.is_empty() {
        return false;
    }
    let victim = &workers.processes()[random.below(workers.processes().len() as u64) as usize];
    // It may have ended by itself since.
    kill_process(Pid::from_raw(victim.pid.cast_signed()).expect("a process id"), Signal::KILL).is_ok()
}

fn check(case: &Case, output: &str, attempts: &str, finished: &Finished, about: &str) {
    match finished.code() {
        Some(0) => {
            assert!(case.parts(output) == case.parts("undisturbed"), "{about}: another output: {finished}");
        }
        Some(1) if attempts == "1" => {
            let story = finished.stderr_text();
            let told = story.contains("was killed by SIGKILL, which the coordinator did not send");
            assert!(told && story.contains("job: words, attempt 1 of 1"), "{about}: {finished}");
            assert!(!case.path(output).exists(), "{about}: {finished}");
        }
        _ => panic!("{about}: {finished}"),
    }
}

#[test]
fn a_worker_killed_at_any_moment_costs_an_attempt_and_nothing_else() {
    let seed = seed();
    println!("GRISTMILL_TEST_SEED={seed}");
    let mut random = SplitMix64::new(seed);
    let case = Case::limited(Duration::from_secs(180));
    case.file("in.txt", boom::text());
    let began = Instant::now();
    boom::words(&case, FIXTURE, "in.txt", "undisturbed").args(OPTIONS).run().assert_code(0);
    let mut whole = began.elapsed();
    let (mut killed, mut failed, mut runs) = (0, 0, 0);
    while killed < MOMENTS {
        runs += 1;
        assert!(runs <= 4 * MOMENTS, "seed {seed}: only {killed} kills in {runs} runs");
        let moment = whole.mul_f64(random.below(1000) as f64 / 1000.0);
        let attempts = if runs % 2 == 0 { "1" } else { "100" };
        let (output, about) =
            (format!("out-{runs}"), format!("seed {seed}, run {runs}, kill after {moment:?}"));
        let command = boom::words(&case, FIXTURE, "in.txt", &output).args(OPTIONS);
        let running = command.args(["--max-attempts", attempts]).limit(LIMIT).spawn();
        let hit = kill_one(&running, moment, &mut random);
        let finished = running.wait();
        if hit {
            killed += 1;
        } else {
            // The machine has become faster: later moments would all be too late.
            whole = whole.min(finished.elapsed);
        }
        failed += u32::from(finished.code() == Some(1));
        check(&case, &output, attempts, &finished, &about);
        boom::assert_nothing_left(
            &case,
            if finished.code() == Some(0) { "none" } else { &output },
            &finished,
        );
    }
    assert!(failed > 0, "seed {seed}: no kill hit a task");
    case.finish();
}
