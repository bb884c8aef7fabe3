//! `kill -9` of workers and of the coordinator at random moments: never a hang, never an orphan, always the same output.
//!
//! The moments are random, the outcome is not: `GRISTMILL_TEST_SEED` repeats them as well as the machine's speed
//! allows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gristmill_pool::worker::MARKER;
use gristmill_testkit::command::{Finished, Running, TestCommand};
use gristmill_testkit::process_tree::{Process, ProcessTree};
use gristmill_testkit::text::SplitMix64;
use gristmill_tests::boom;
use gristmill_tests::case::Case;
use gristmill_tests::seed::seed;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture");
/// Kills of workers, and of coordinators, over all jobs.
const WORKERS: u32 = 201;
const COORDINATORS: u32 = 51;
/// So many in one run, so that it comes to an end.
const IN_A_RUN: u32 = 12;
const IN_A_ROW: u32 = 4;
/// A hang is a run longer than this.
const LIMIT: Duration = Duration::from_secs(20);
/// Nothing outlives a coordinator for longer.
const ORPHANS: Duration = Duration::from_secs(2);

/// A job, and how often it is disturbed.
struct Plan {
    name: &'static str,
    arguments: &'static [&'static str],
    /// Its exit status when all is well.
    code: i32,
    /// Workers that are killed, over all runs and in one.
    workers: u32,
    in_a_run: u32,
    coordinators: u32,
}

impl Plan {
    const fn new(name: &'static str, arguments: &'static [&'static str]) -> Self {
        let (workers, coordinators) = (WORKERS / 3, COORDINATORS / 3);
        Self { name, arguments, code: 0, workers, in_a_run: IN_A_RUN, coordinators }
    }
}

/// A job of each kind of reduce: combined, grouped, and ordered over all parts. Records, values and keys take a while, so
/// that there is something to be killed in.
const JOBS: [Plan; 4] = [
    Plan::new("words", &["--slow", "3", "--slow-commit", "1"]),
    Plan::new("lines", &["--slow", "3", "--slow-reduce", "3"]),
    Plan::new("sorted", &["--slow", "3", "--slow-reduce", "3"]),
    WITH_BAD_RECORDS,
];

/// Two of its records are set aside. A third kill at one record would have that one set aside, too, so there are two.
const WITH_BAD_RECORDS: Plan = Plan {
    name: "words",
    arguments: &["--slow", "3", "--fault", "err", "--at", "map", "--max-bad-records", "5"],
    code: 3,
    workers: 12,
    in_a_run: 2,
    coordinators: 8,
};

/// A job, what it comes to when nobody disturbs it, and how long that takes.
struct Job<'a> {
    case: &'a Case,
    plan: Plan,
    parts: BTreeMap<String, Vec<u8>>,
    counters: Value,
    /// What is set aside: names and bytes.
    aside: BTreeMap<String, Vec<u8>>,
    whole: Duration,
}

impl<'a> Job<'a> {
    fn new(case: &'a Case, plan: Plan) -> Self {
        let (parts, aside, whole) = (BTreeMap::new(), BTreeMap::new(), Duration::ZERO);
        let mut job = Self { case, plan, parts, counters: Value::Null, aside, whole };
        let finished = job.command("undisturbed").run().assert_code(job.plan.code);
        (job.parts, job.counters) = (case.parts("undisturbed"), counters(&finished));
        (job.aside, job.whole) = (job.take_aside("undisturbed"), finished.elapsed);
        std::fs::remove_dir_all(case.path("undisturbed")).expect("the output can be removed");
        let bad = job.aside.len() as u64;
        assert_eq!(bad, if job.plan.code == 3 { 2 } else { 0 }, "{finished}");
        assert_eq!(job.counters["lines"].as_u64(), Some(60 - bad), "{finished}");
        job
    }

    /// The records that were set aside, whose folder is removed.
    fn take_aside(&self, output: &str) -> BTreeMap<String, Vec<u8>> {
        let folder = format!("{output}.quarantine");
        if self.plan.code != 3 {
            assert!(!self.case.path(&folder).exists(), "nothing should be set aside");
            return BTreeMap::new();
        }
        let names = self.case.names(&folder).into_iter().filter(|name| name.ends_with(".record"));
        let read = |name: String| {
            let bytes = std::fs::read(self.case.path(&folder).join(&name)).expect("a record");
            (name, bytes)
        };
        let aside = names.map(read).collect();
        std::fs::remove_dir_all(self.case.path(&folder)).expect("it can be removed");
        aside
    }

    fn command(&self, output: &str) -> TestCommand {
        let chunk = boom::CHUNK.to_string();
        let options = ["-w", "2", "-r", "3", "-c", &chunk, "--json", "--progress", "never", "-o", output];
        let command = self.case.command(FIXTURE).arg(self.plan.name).args(options).args(self.plan.arguments);
        command.args(["--max-attempts", "1000", "in.txt"]).limit(LIMIT)
    }

    /// The output is that of the undisturbed run, the counters are, and nothing else is there.
    #[track_caller]
    fn check(&self, output: &str, finished: &Finished, about: &str) {
        assert!(self.case.parts(output) == self.parts, "{about}: another output: {finished}");
        // One that is killed when all is done does not come to its summary.
        if finished.code().is_some() {
            assert_eq!(counters(finished), self.counters, "{about}: {finished}");
        }
        assert_eq!(self.take_aside(output), self.aside, "{about}: {finished}");
        std::fs::remove_dir_all(self.case.path(output)).expect("the output can be removed");
        boom::assert_no_family(finished);
        boom::assert_no_output(self.case, output, finished);
    }

    /// A moment within the job, as often at its start and at its end as in between.
    fn moment(&self, random: &mut SplitMix64) -> Duration {
        let share = random.below(1000) as f64 / 1000.0;
        self.whole.mul_f64(match random.below(3) {
            0 => share * 0.2,
            1 => 0.8 + share * 0.25,
            _ => share,
        })
    }
}

fn counters(finished: &Finished) -> Value {
    let summary: Value = serde_json::from_str(&finished.stdout_text()).expect("a summary");
    summary["counters"].clone()
}

fn workers(running: &Running) -> Vec<Process> {
    let is_worker =
        |process: &Process| !process.is_zombie() && process.arguments.iter().any(|arg| arg == MARKER);
    let children = ProcessTree::children_of(running.pid());
    children.processes().iter().filter(|process| is_worker(process)).cloned().collect()
}

/// Kills one of the job's workers; tells whether there was one to kill.
fn kill_one(running: &Running, random: &mut SplitMix64) -> bool {
    let workers = workers(running);
    if workers.is_empty() {
        return false;
    }
    let victim = &workers[random.below(workers.len() as u64) as usize];
    // It may have ended by itself since.
    kill_process(Pid::from_raw(victim.pid.cast_signed()).expect("a process id"), Signal::KILL).is_ok()
}

fn case() -> Case {
    let case = Case::limited(Duration::from_secs(180));
    case.file("in.txt", boom::text());
    case
}

#[test]
fn workers_killed_at_any_moment_cost_attempts_and_nothing_else() {
    let seed = seed();
    let mut random = SplitMix64::new(seed);
    let case = case();
    for job in JOBS {
        let job = Job::new(&case, job);
        let (mut killed, mut runs, began) = (0, 0, Instant::now());
        while killed < job.plan.workers {
            runs += 1;
            assert!(runs <= WORKERS, "seed {seed}, {}: only {killed} kills in {runs} runs", job.plan.name);
            let running = job.command("out").spawn();
            let (mut here, gap) = (0, job.whole / 3);
            while here < job.plan.in_a_run
                && !running.exits_within(gap.mul_f64(random.below(1000) as f64 / 1000.0))
            {
                here += u32::from(kill_one(&running, &mut random));
            }
            let about = format!("seed {seed}, {} run {runs}, {here} kills", job.plan.name);
            let finished = running.wait();
            assert_eq!(finished.code(), Some(job.plan.code), "{about}: {finished}");
            job.check("out", &finished, &about);
            killed += here;
        }
        println!("{}: {killed} workers killed in {runs} runs, {:?}", job.plan.name, began.elapsed());
    }
    case.finish();
}

#[test]
fn a_coordinator_killed_at_any_moment_goes_on_where_it_was() {
    let seed = seed();
    let mut random = SplitMix64::new(!seed);
    let case = case();
    for job in JOBS {
        let job = Job::new(&case, job);
        let (mut killed, mut runs, began) = (0, 0, Instant::now());
        while killed < job.plan.coordinators {
            runs += 1;
            assert!(
                runs <= 2 * COORDINATORS,
                "seed {seed}, {}: {killed} kills in {runs} runs",
                job.plan.name
            );
            killed +=
                killed_and_resumed(&job, &mut random, &format!("seed {seed}, {} run {runs}", job.plan.name));
        }
        println!("{}: {killed} coordinators killed in {runs} runs, {:?}", job.plan.name, began.elapsed());
    }
    let unvisited = remove_unvisited(&case);
    println!("{unvisited} sockets were never visited");
    // On a busy machine that moment is longer: a process that is starting another waits for it.
    assert!(unvisited <= COORDINATORS / 3, "seed {seed}: {unvisited} sockets are left");
    case.finish();
}

/// A coordinator that dies after it has made a socket for a worker, and before it has started the worker, leaves it
/// behind: that is a moment of a tenth of a millisecond.
fn remove_unvisited(case: &Case) -> u32 {
    let sockets = case.names("tmp").into_iter().filter(|name| name.starts_with(".tmp"));
    sockets.map(|name| u32::from(std::fs::remove_dir_all(case.path("tmp").join(name)).is_ok())).sum()
}

/// Kills the coordinator again and again until it is done; returns how often.
fn killed_and_resumed(job: &Job<'_>, random: &mut SplitMix64, about: &str) -> u32 {
    let mut story = about.to_owned();
    for killed in 0.. {
        let command = job.command("out");
        let running = if killed > 0 { command.arg("--resume").spawn() } else { command.spawn() };
        let moment = job.moment(random);
        if killed == IN_A_ROW || running.exits_within(moment) {
            let finished = running.wait();
            assert_eq!(finished.code(), Some(job.plan.code), "{story}: {finished}");
            job.check("out", &finished, &story);
            return killed;
        }
        let family = ProcessTree::descendants_of(running.pid());
        running.signal(Signal::KILL);
        // Its workers may still be at work when the next one begins.
        let at_once = random.below(2) == 0;
        if !at_once {
            family.assert_gone_within(ORPHANS);
        }
        let finished = running.wait();
        family.assert_gone_within(ORPHANS);
        story += &format!(", killed after {moment:?}{}", if at_once { ", resumed at once" } else { "" });
        // One killed when all was done leaves nothing to resume, and may leave its work folder, without the journal.
        let work = job.case.path("out.gristmill");
        if job.case.path("out/_SUCCESS").exists() && !work.join("journal").exists() {
            std::fs::remove_dir_all(work).unwrap_or_default();
            job.check("out", &finished, &story);
            return killed + 1;
        }
    }
    unreachable!("the loop has no end of its own")
}

/// Faster than finished work is committed: what was lost once is committed as soon as it is there again.
#[test]
fn a_job_whose_workers_are_killed_for_ever_ends() {
    let mut random = SplitMix64::new(seed());
    let case = case();
    let text: String = boom::text().repeat(16);
    case.file("in.txt", &text);
    let options = ["-w", "2", "--slow", "5", "--max-attempts", "1000"];
    let running = boom::words(&case, FIXTURE, "in.txt", "out").args(options).limit(LIMIT).spawn();
    let mut killed = 0;
    while !running.exits_within(Duration::from_millis(150)) {
        killed += u32::from(kill_one(&running, &mut random));
    }
    let finished = running.wait().assert_code(0);
    println!("{killed} kills in {:?}", finished.elapsed);
    assert!(killed >= 4, "{finished}");
    boom::assert_counted(&case, "out", &text, "after all those kills");
    case.finish();
}

#[test]
fn with_one_attempt_a_kill_is_told_and_the_job_can_be_resumed() {
    let seed = seed();
    let mut random = SplitMix64::new(seed);
    let case = case();
    let [words, ..] = JOBS;
    let job = Job::new(&case, words);
    let mut failed = 0;
    for run in 1.. {
        assert!(run <= 50, "seed {seed}: only {failed} kills hit a task");
        let command =
            || boom::words(&case, FIXTURE, "in.txt", "out").args(["-w", "2"]).args(job.plan.arguments);
        let running = command().args(["--max-attempts", "1"]).limit(LIMIT).spawn();
        if !running.exits_within(job.moment(&mut random)) {
            kill_one(&running, &mut random);
        }
        let finished = running.wait();
        if finished.code() == Some(1) {
            failed += 1;
            let story = finished.stderr_text();
            let told = story.contains("was killed by SIGKILL, which the coordinator did not send");
            assert!(told && story.contains("job: words, attempt 1 of 1"), "seed {seed}: {finished}");
            assert!(!case.path("out").exists(), "{finished}");
            command().args(["--max-attempts", "1", "--resume", "--json"]).run().assert_code(0);
        } else {
            assert_eq!(finished.code(), Some(0), "seed {seed}: {finished}");
        }
        assert!(case.parts("out") == job.parts, "seed {seed}: another output: {finished}");
        std::fs::remove_dir_all(case.path("out")).expect("the output can be removed");
        if failed >= 5 {
            break;
        }
    }
    case.finish();
}
