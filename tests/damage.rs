//! Damage to the files of a job: a byte is another, the end is missing, the file is gone.
//!
//! Wherever it is, it is found and named, what the file stood for is done again, and the output is that of a job that
//! nothing has happened to. Between a killed coordinator and `--resume` runs, the journal and parts are damaged, and runs
//! also while the job runs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use gristmill_testkit::command::{Finished, TestCommand};
use gristmill_tests::boom;
use gristmill_tests::case::Case;
use gristmill_tests::faulty::{self, Role, two_at_a_time};

const SHUFFLE: &str = env!("CARGO_BIN_EXE_shuffle");
const LIMIT: Duration = Duration::from_secs(60);
/// Several tasks, runs and partitions; a worker commits after each task or two.
const OPTIONS: [&str; 12] =
    ["-w", "1", "-r", "4", "-c", "2K", "-m", "20MiB", "--max-tasks-per-worker", "2", "--progress", "never"];

/// One way to damage a file.
#[derive(Debug, Clone, Copy)]
enum Harm {
    Flip(u64),
    Cut(u64),
    Remove,
}

impl Harm {
    fn apply(self, path: &Path) {
        let open = || File::options().read(true).write(true).open(path).expect("the file is there");
        match self {
            Self::Flip(at) => {
                let (file, mut byte) = (open(), [0]);
                file.read_exact_at(&mut byte, at).expect("it is so long");
                file.write_all_at(&[byte[0] ^ 0x20], at).expect("it can be written");
            }
            Self::Cut(len) => open().set_len(len).expect("it can be cut"),
            Self::Remove => fs::remove_file(path).expect("it can be removed"),
        }
    }
}

/// A job whose coordinator was killed, and what it would have come to.
struct Killed {
    case: Case,
    codec: &'static str,
    wanted: BTreeMap<String, Vec<u8>>,
}

impl Killed {
    /// Kills the coordinator when it has made the call of its undisturbed run that `moment` chooses.
    fn at(codec: &'static str, moment: impl Fn(&[String]) -> usize) -> Self {
        let case = Case::limited(Duration::from_secs(240));
        let line = |n: u32| format!("key-{:03} {}\n", n * 7919 % 180, n % 1000);
        case.file("in.txt", (0..700).map(line).collect::<String>());
        let mut killed = Self { case, codec, wanted: BTreeMap::new() };
        let steps = faulty::steps(&killed.case, killed.command("undisturbed"));
        killed.wanted = killed.case.parts("undisturbed");
        let at = moment(&steps[&Role::Coordinator]);
        let fault = format!("coordinator:{at}:die-after");
        let died = killed.command("killed").args(["--inject", &fault]).run();
        assert_eq!(died.signal(), Some(9), "{died}");
        killed
    }

    fn command(&self, output: &str) -> TestCommand {
        self.case
            .command(SHUFFLE)
            .args(["shuffle", "--what", "group-text", "--width", "300", "in.txt", "-o", output])
            .args(["--spill-compression", self.codec])
            .args(OPTIONS)
            .limit(LIMIT)
    }

    /// A file of the killed job.
    fn file(&self, name: &str) -> PathBuf {
        self.case.path("killed.gristmill").join(name)
    }

    fn names(&self, folder: &str) -> Vec<String> {
        self.case.names(format!("killed.gristmill/{folder}"))
    }

    /// Damages a copy of the work, and goes on with it by `how`.
    fn go_on(&self, output: &str, name: &str, harm: Harm, how: &[&str]) -> Finished {
        let (from, to) = (self.case.path("killed.gristmill"), self.case.path(format!("{output}.gristmill")));
        let copied = Command::new("cp").arg("-a").arg(from).arg(&to).status().expect("there is `cp`");
        assert!(copied.success());
        harm.apply(&to.join(name));
        self.command(output).args(how).run()
    }

    /// Each harm to each file is found, told in these words, and repaired.
    fn repairs(&self, harms: &[(String, Harm)], told: impl Fn(&str, Harm) -> Vec<String> + Sync) {
        let numbered: Vec<_> = harms.iter().enumerate().collect();
        two_at_a_time(&numbered, |(n, (name, harm))| {
            let output = format!("out-{n}.x");
            let finished = self.go_on(&output, name, *harm, &["--resume"]);
            assert_eq!(finished.code(), Some(0), "{name}, {harm:?}: {finished}");
            assert!(self.case.parts(&output) == self.wanted, "{name}, {harm:?}: another output: {finished}");
            let story = finished.stderr_text();
            for words in told(name, *harm) {
                assert!(story.contains(&words), "{name}, {harm:?}: {words:?} is not told: {finished}");
            }
            fs::remove_dir_all(self.case.path(&output)).expect("the output is there");
        });
        println!("{} harms", harms.len());
    }

    fn finish(self) {
        fs::remove_dir_all(self.case.path("killed.gristmill")).expect("the work is there");
        // Workers outlive a coordinator by a moment.
        boom::reap_adopted();
        self.case.finish();
    }
}

/// The call by which the list of runs gets its name: all is mapped then, and nothing reduced. It is the last but one of
/// the renames.
fn all_is_mapped(steps: &[String]) -> usize {
    let renames: Vec<_> = (1..=steps.len()).filter(|&at| steps[at - 1] == "Rename").collect();
    renames[renames.len() - 2]
}

/// The journal says that the first two of the parts are committed.
fn two_parts_are_reduced(steps: &[String]) -> usize {
    all_is_mapped(steps) + 2
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

fn len(path: &Path) -> u64 {
    path.metadata().expect("it is there").len()
}

/// Every part of the run format: header, first, middle and last byte of the segments, index and footer.
fn harms_to_run(path: &Path) -> Vec<Harm> {
    const HEADER: u64 = 16;
    const FOOTER: u64 = 32;
    let bytes = fs::read(path).expect("it can be read");
    let end = bytes.len() as u64;
    let index = word(&bytes, bytes.len() - FOOTER as usize);
    let header = [0, 7, 8, 12];
    // With compression a segment begins with the head of a block: two lengths.
    let segments = [HEADER, HEADER + 4, HEADER + 8, u64::midpoint(HEADER, index), index - 1];
    let behind = [index, u64::midpoint(index, end - FOOTER), end - FOOTER - 1];
    let footer = [end - 32, end - 24, end - 16, end - 8, end - 1];
    let flips = header.into_iter().chain(segments).chain(behind).chain(footer).map(Harm::Flip);
    let cuts = [0, 8, HEADER, 40, u64::midpoint(HEADER, index), index, end - FOOTER, end - 1].map(Harm::Cut);
    flips.chain(cuts).chain([Harm::Remove]).collect()
}

fn damaged_runs_are_mapped_again(codec: &'static str) {
    let killed = Killed::at(codec, all_is_mapped);
    let runs = killed.names("runs");
    let some = [&runs[0], &runs[runs.len() / 2], &runs[runs.len() - 1]];
    let mut harms = Vec::new();
    for run in some {
        let name = format!("runs/{run}");
        harms.extend(harms_to_run(&killed.file(&name)).into_iter().map(|harm| (name.clone(), harm)));
    }
    killed.repairs(&harms, |name, harm| {
        let mut told = vec![format!("{name} is damaged: "), "map tasks ".to_owned(), " run again".to_owned()];
        told.extend(matches!(harm, Harm::Remove).then(|| "it is not there".to_owned()));
        told
    });
    killed.finish();
}

#[test]
fn a_damaged_run_is_named_and_its_tasks_run_again() {
    damaged_runs_are_mapped_again("none");
}

#[test]
fn a_damaged_run_with_compressed_blocks_is_named_and_its_tasks_run_again() {
    damaged_runs_are_mapped_again("lz4");
}

/// Where the entries of a journal begin.
fn entries(journal: &[u8]) -> Vec<usize> {
    const HEADER: usize = 16;
    const HEAD: usize = 12;
    let mut starts = vec![HEADER];
    loop {
        let at = starts[starts.len() - 1];
        let Some(len) = journal.get(at..at + 4) else { break };
        let len = u32::from_le_bytes(len.try_into().expect("four bytes")) as usize;
        starts.push(at + HEAD + len);
    }
    assert_eq!(starts.pop(), Some(journal.len()), "it ends with a whole entry");
    starts
}

#[test]
fn a_damaged_journal_is_believed_as_far_as_it_is_whole() {
    let killed = Killed::at("none", two_parts_are_reduced);
    let journal = fs::read(killed.file("journal")).expect("it can be read");
    let entries = entries(&journal);
    assert!(entries.len() > 5, "{entries:?}");
    let some = [entries[0], entries[1], entries[entries.len() / 2], entries[entries.len() - 1]];
    let mut harms = [0, 8, 12].map(Harm::Flip).to_vec();
    harms.extend([0, 4, 16].map(Harm::Cut));
    for at in some.map(|at| at as u64) {
        // Its length, its checksum, its beginning and what comes then.
        harms.extend([at, at + 3, at + 4, at + 11, at + 12, at + 16].map(Harm::Flip));
        harms.extend([at + 2, at + 12, at + 14].map(Harm::Cut));
    }
    harms.push(Harm::Flip(journal.len() as u64 - 1));
    let harms: Vec<_> = harms.into_iter().map(|harm| ("journal".to_owned(), harm)).collect();
    let second = entries[1] as u64;
    killed.repairs(&harms, |_, harm| {
        let (Harm::Flip(at) | Harm::Cut(at)) = harm else { return Vec::new() };
        let told =
            if at < second { "is damaged at its beginning" } else { "was cut off or damaged at byte " };
        vec!["/journal".to_owned(), told.to_owned()]
    });
    // Whoever says nothing of the work is asked, as long as there is any.
    let refused = killed.go_on("asked", "journal", Harm::Flip(journal.len() as u64 - 1), &[]);
    assert_eq!(refused.code(), Some(2), "{refused}");
    fs::remove_dir_all(killed.case.path("asked.gristmill")).expect("it is there");
    killed.finish();
}

#[test]
fn a_damaged_part_is_named_and_reduced_again() {
    let killed = Killed::at("none", two_parts_are_reduced);
    let mut harms = Vec::new();
    for part in killed.names("parts").iter().filter(|name| name.starts_with("part-")) {
        let name = format!("parts/{part}");
        let end = len(&killed.file(&name));
        let some = [
            Harm::Flip(0),
            Harm::Flip(end / 2),
            Harm::Flip(end - 1),
            Harm::Cut(0),
            Harm::Cut(end - 1),
            Harm::Remove,
        ];
        harms.extend(some.map(|harm| (name.clone(), harm)));
    }
    assert_eq!(harms.len(), 12, "two parts are committed");
    killed.repairs(&harms, |name, _| {
        let partition: u32 = name[name.len() - 5..].parse().expect("a number");
        vec!["the part file ".to_owned(), name.to_owned(), format!("reduce-{partition} runs again")]
    });
    killed.finish();
}

/// Without it nobody knows what the runs are of, so there is nothing to repair with.
#[test]
fn a_damaged_plan_is_named_and_the_job_can_start_afresh() {
    let killed = Killed::at("none", all_is_mapped);
    let end = len(&killed.file("plan"));
    let harms = [Harm::Flip(0), Harm::Flip(end / 2), Harm::Flip(end - 1), Harm::Cut(end - 1), Harm::Remove];
    for (n, harm) in harms.into_iter().enumerate() {
        let output = format!("out-{n}");
        let refused = killed.go_on(&output, "plan", harm, &["--resume"]);
        let told = refused.stderr_text();
        assert!(refused.code() == Some(2) && told.contains("gristmill/plan"), "{harm:?}: {refused}");
        assert!(told.contains("--restart starts afresh"), "{harm:?}: {refused}");
        killed.command(&output).arg("--restart").run().assert_code(0);
        assert!(killed.case.parts(&output) == killed.wanted, "{harm:?}");
    }
    killed.finish();
}

/// The mapper does it when other runs are committed, the reducer when all runs are open.
#[test]
fn a_run_that_is_damaged_while_the_job_runs_is_named_and_its_tasks_run_again() {
    let case = Case::limited(Duration::from_secs(120));
    let line = |n: u32| if n == 4990 { "boom\n".to_owned() } else { format!("kind-{:04}\n", n * 7919 % 900) };
    case.file("in.txt", (0..5000).map(line).collect::<String>());
    let command = |at: &str, how: &str, place: u32, output: &str, executor: &str| {
        let mut command = case
            .command(SHUFFLE)
            .args(["damage", "in.txt", "-o", output, "-r", "4", "-c", "4K", "-w", "1", "--progress", "never"])
            .args(["--runs", &format!("{output}.gristmill/runs"), "--mark", &format!("mark-{output}")])
            .args(["--at", at, "--how", how, "--place", &place.to_string(), "--executor", executor])
            .limit(LIMIT);
        if executor == "processes" {
            command = command.args(["--max-tasks-per-worker", "3"]);
        }
        command
    };
    case.file("mark-undisturbed", "");
    command("map", "flip", 0, "undisturbed", "processes").run().assert_code(0);
    let wanted = case.parts("undisturbed");
    let mut harms = Vec::new();
    for place in [0, 20, 40, 60, 80, 99] {
        harms.extend([("map", "flip", place), ("reduce", "flip", place), ("map", "cut", place)]);
    }
    harms.extend([("reduce", "cut", 30), ("map", "remove", 0), ("reduce", "remove", 0)]);
    let found_in_reduce = AtomicU32::new(0);
    two_at_a_time(&harms, |&(at, how, place)| {
        let output = format!("{at}-{how}-{place}");
        let finished = command(at, how, place, &output, "processes").run();
        let told = finished.stderr_text();
        assert_eq!(finished.code(), Some(0), "{output}: {finished}");
        assert!(case.parts(&output) == wanted, "{output}: another output: {finished}");
        let again = told.contains(" run again");
        assert!(again || at == "reduce", "{output}: {finished}");
        found_in_reduce.fetch_add(u32::from(again && at == "reduce"), Relaxed);
        assert!(told.is_empty() || told.contains(" is damaged: "), "{output}: {finished}");
    });
    // What was read before, or is open, is not missed.
    assert!(found_in_reduce.into_inner() >= 3);
    case.finish();
}
