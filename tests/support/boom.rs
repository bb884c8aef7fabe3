//! The input that sets off the fixture program's traps: where they are in it and what its words come to.
//!
//! It runs nothing.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;
use std::time::SystemTime;

use gristmill_testkit::command::{Finished, TestCommand};
use gristmill_testkit::process_tree::ProcessTree;
use gristmill_testkit::reference::map_fold;
use rustix::process::{WaitOptions, wait};

use crate::case::Case;

/// The record that is a trap.
const BOOM: &str = "boom\n";
/// Lines in the text, and the first of two traps, which are neighbours so that a combiner sees both.
const LINES: usize = 60;
const FIRST: usize = 33;

/// Input bytes for each map task: six of them.
pub const CHUNK: u64 = 200;

/// A text of 20 bytes a line with two traps behind its middle, in one input split.
#[must_use]
pub fn text() -> String {
    let line = |n: usize| match n {
        _ if n == FIRST || n == FIRST + 1 => BOOM.to_owned(),
        _ => format!("alpha beta-{:02} ga-{:02}\n", n % 10, n % 7),
    };
    (0..LINES).map(line).collect()
}

/// Where the first trap is.
#[must_use]
pub fn offset() -> u64 {
    text().find(BOOM).expect("the trap is there") as u64
}

/// All output lines, in order of the words: the result of the job whatever happens on the way.
#[must_use]
pub fn counts(text: &str) -> Vec<String> {
    let emit_words = |line: &str, emit: &mut dyn FnMut(String, u64)| {
        line.split_whitespace().for_each(|word| emit(word.to_owned(), 1));
    };
    let counts = map_fold(text.lines(), emit_words, |a, b| a + b);
    counts.into_iter().map(|(word, count)| format!("{word}\t{count}")).collect()
}

/// A run of the fixture's job on `input` into `output`, in the folder of the case.
pub fn words(case: &Case, program: &str, input: &str, output: &str) -> TestCommand {
    let chunk = CHUNK.to_string();
    let options = ["words", "-r", "3", "-c", &chunk, "-o", output, "--progress", "never", input];
    case.command(program).args(options)
}

/// Fails unless `output` holds the counts of `text`.
#[track_caller]
pub fn assert_counted(case: &Case, output: &str, text: &str, about: &str) {
    let mut lines = case.lines(output);
    lines.sort();
    let mut want = counts(text);
    want.sort();
    assert!(
        lines == want,
        "{about}: the output is not that of an undisturbed run: {lines:?}, wanted {want:?}"
    );
}

/// When the file at `path` was made.
#[track_caller]
pub fn marked_at(path: &Path) -> SystemTime {
    let made = File::open(path).and_then(|mark| mark.metadata()?.modified());
    made.unwrap_or_else(|error| panic!("the program never came to its trap: {}: {error}", path.display()))
}

/// Fails unless the job has left nothing but what it may: no process, no work folder, no part of `output`.
#[track_caller]
pub fn assert_nothing_left(case: &Case, output: &str, finished: &Finished) {
    assert_no_family(finished);
    let left = fs::read_dir(case.path("tmp")).expect("the folder for temporary files").count();
    assert!(left == 0, "{left} temporary files are left: {:?}\n{finished}", case.names("tmp"));
    assert_no_output(case, output, finished);
}

/// Fails if a process is left.
#[track_caller]
pub fn assert_no_family(finished: &Finished) {
    let alone = reap_adopted();
    let family = ProcessTree::children_of(std::process::id());
    assert!(alone && family.is_empty(), "processes are left:\n{family}{finished}");
}

/// Fails if a part of `output` is left, or its work folder.
#[track_caller]
pub fn assert_no_output(case: &Case, output: &str, finished: &Finished) {
    for path in [output.to_owned(), format!("{output}.gristmill")] {
        let gone =
            case.path(&path).symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
        assert!(gone, "{path} is left: {finished}");
    }
}

/// Collects the dead whose parents have died before them: this process has inherited them. Tells whether no child is
/// left, dead or alive.
pub fn reap_adopted() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(_) => return true,
        }
    }
}
