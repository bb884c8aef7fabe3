//! Every call that writes, names, reads back or removes a file of a job's own goes wrong once: it fails, is short, or the
//! process dies there.
//!
//! Whatever it was, the command ends well with the same output, or fails and says what failed why; then there is the
//! whole output or none, and the same command with `--resume` ends well with the same bytes and leaves nothing else.
//!
//! `GRISTMILL_TEST_ALL=1` tries every kind of fault at every point, which takes many minutes; otherwise of many equal
//! calls in a row the first, one within and the last misbehave, by turns in the ways there are.

use std::fmt;
use std::fs;
use std::process::Command;
use std::time::Duration;

use gristmill_testkit::command::TestCommand;
use gristmill_tests::boom;
use gristmill_tests::case::Case;
use gristmill_tests::faulty::{self, Fault, JOBS, Job, Role, Steps, Trial, two_at_a_time};

const SHUFFLE: &str = env!("CARGO_BIN_EXE_shuffle");

fn all() -> bool {
    std::env::var_os("GRISTMILL_TEST_ALL").is_some()
}

fn case() -> Case {
    Case::limited(Duration::from_secs(if all() { 3600 } else { 300 }))
}

/// A job, and the faults that it is to survive.
struct Survey<'a> {
    job: Job,
    more: &'a [&'a str],
    /// Kinds of faults at each point of the coordinator, and of the worker.
    kinds: (usize, usize),
    only: fn(&Fault) -> bool,
}

impl Survey<'_> {
    fn command(&self, case: &Case, output: &str) -> TestCommand {
        self.job.command(case, SHUFFLE, output).args(self.more)
    }

    fn faults(&self, steps: &Steps) -> Vec<Fault> {
        let most = if all() { usize::MAX } else { 0 };
        let kinds = |role| if role == Role::Worker { self.kinds.1 } else { self.kinds.0 };
        let faults = faulty::faults(steps, |role| most.max(kinds(role)), all());
        let points: Vec<_> = steps.iter().map(|(role, steps)| format!("{role:?} {}", steps.len())).collect();
        let faults: Vec<_> = faults.into_iter().filter(self.only).collect();
        println!("{self}: points: {}; {} faults", points.join(", "), faults.len());
        faults
    }

    /// A run for each fault. `before` prepares its folder.
    fn run(&self, before: impl Fn(&Case, &str) + Sync) {
        let case = case();
        self.job.input(&case);
        self.command(&case, "undisturbed").run().assert_code(0);
        let wanted = case.parts("undisturbed");
        before(&case, "counted");
        let old = case.path("counted").exists().then(|| case.parts("counted"));
        let steps = faulty::steps(&case, self.command(&case, "counted"));
        assert!(case.parts("counted") == wanted, "{self}");
        two_at_a_time(&self.faults(&steps), |fault| {
            let output = format!("out-{}", fault.spec().replace(':', "-"));
            let trial = Trial {
                case: &case,
                output: &output,
                wanted: &wanted,
                old: old.as_ref(),
                about: self.to_string(),
            };
            before(&case, &output);
            let finished = self.command(&case, &output).args(["--inject", &fault.spec()]).run();
            let more = self.more.iter().filter(|option| **option != "--resume");
            trial.check(fault, &finished, || self.job.command(&case, SHUFFLE, &output).args(more.clone()));
        });
        for left in case.names(".").into_iter().filter(|name| name.starts_with("template")) {
            fs::remove_dir_all(case.path(left)).expect("it is there");
        }
        // Workers outlive a coordinator by a moment.
        boom::reap_adopted();
        case.finish();
    }
}

impl fmt::Display for Survey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.job.name, self.more)
    }
}

fn nothing(_: &Case, _: &str) {}

fn any(_: &Fault) -> bool {
    true
}

#[test]
fn a_combined_job_survives_a_fault_at_every_point() {
    Survey { job: JOBS[0], more: &[], kinds: (9, 2), only: any }.run(nothing);
}

#[test]
fn a_grouped_job_survives_a_fault_at_every_point() {
    Survey { job: JOBS[1], more: &[], kinds: (2, 1), only: any }.run(nothing);
}

#[test]
fn an_ordered_job_survives_a_fault_at_every_point() {
    Survey { job: JOBS[2], more: &[], kinds: (1, 1), only: any }.run(nothing);
}

#[test]
fn a_map_only_job_survives_a_fault_at_every_point() {
    Survey { job: JOBS[3], more: &[], kinds: (2, 3), only: any }.run(nothing);
}

/// Two workers misbehave at the same time.
#[test]
fn two_workers_survive_faults() {
    let job = Job { workers: 2, ..JOBS[0] };
    Survey { job, more: &[], kinds: (0, 1), only: any }.run(nothing);
}

/// Whoever dies takes everything along, and an error is one attempt's.
#[test]
fn a_job_in_threads_survives_faults() {
    Survey { job: JOBS[1], more: &["--executor", "threads"], kinds: (1, 0), only: any }.run(nothing);
}

#[test]
fn faults_of_syncing_are_survived() {
    let sync = |fault: &Fault| fault.step.starts_with("Sync");
    Survey { job: JOBS[0], more: &["--durable"], kinds: (9, 9), only: sync }.run(nothing);
}

#[test]
fn faults_of_the_ledger_are_survived() {
    Survey { job: JOBS[3], more: &["--max-spill", "100MiB"], kinds: (0, 9), only: any }.run(nothing);
}

/// What was there before is there until it is replaced.
#[test]
fn an_output_that_is_replaced_is_the_old_or_the_new_one() {
    let late = |fault: &Fault| fault.role == Role::Coordinator && fault.at > 18;
    Survey { job: JOBS[3], more: &["--overwrite"], kinds: (9, 0), only: late }.run(|case, output| {
        let part = |n: u32| case.file(format!("{output}/part-r-{n:05}"), format!("old {n}\n"));
        (0..3).for_each(|n| drop(part(n)));
        case.file(format!("{output}/_SUCCESS"), "");
    });
}

/// The coordinator has been killed, and the next one has bad luck too.
fn recovery(moment: &str) {
    let survey = Survey { job: JOBS[0], more: &["--resume"], kinds: (9, 1), only: any };
    survey.run(|case, output| {
        let template = case.path("template.gristmill");
        if !template.exists() {
            let fault = format!("coordinator:{moment}");
            let died = survey.job.command(case, SHUFFLE, "template").args(["--inject", &fault]).run();
            assert_eq!(died.signal(), Some(9), "{died}");
            assert!(template.exists(), "{died}");
        }
        let work = case.path(format!("{output}.gristmill"));
        let copied = Command::new("cp").arg("-a").arg(template).arg(work).status();
        assert!(copied.expect("there is `cp`").success());
    });
}

/// All is mapped; the last entry of the journal is not whole.
#[test]
fn faults_of_a_coordinator_that_goes_on_with_map_output_are_survived() {
    recovery("18:die-half");
}

/// The parts are about to be published.
#[test]
fn faults_of_a_coordinator_that_goes_on_with_parts_are_survived() {
    recovery("21:die-after");
}

/// A disk that stays broken: the job fails, soon and with the reason, whatever comes of it later.
#[test]
fn a_fault_that_stays_fails_the_job_and_its_work_is_kept() {
    let case = case();
    JOBS[0].input(&case);
    let command = |output: &str| JOBS[0].command(&case, SHUFFLE, output);
    command("undisturbed").run().assert_code(0);
    let wanted = case.parts("undisturbed");
    let points = faulty::steps(&case, command("counted"))[&Role::Worker].len();
    assert!(points > 20, "{points}");
    let mut cases = [1, 2].map(|at| (at, "die-before", "was killed by SIGKILL")).to_vec();
    // From the first map task to the parts.
    for at in [1, 2, points / 3, points / 2, points * 2 / 3, points * 5 / 6] {
        cases.push((at, "eio", "Input/output error"));
        cases.extend(["enospc", "full"].map(|kind| (at, kind, "No space left on device")));
    }
    two_at_a_time(&cases, |&(at, kind, told)| {
        let (output, fault) = (format!("out-{at}-{kind}"), format!("worker:{at}:{kind}:always"));
        let failed = command(&output).args(["--inject", &fault]).run();
        assert!(failed.code() == Some(1) && failed.stderr_text().contains(told), "{fault}: {failed}");
        assert!(!case.path(&output).exists(), "{fault}: {failed}");
        command(&output).arg("--resume").run().assert_code(0);
        assert!(case.parts(&output) == wanted, "{fault}");
    });
    case.finish();
}
