//! Asserts that a test leaves no child process, no descriptor and no file behind.
//!
//! It cleans nothing up: what it finds is the test's failure.

mod descriptors;
mod folders;
mod turn;

use std::fmt::Write;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::poll;
use crate::process_tree::ProcessTree;
use descriptors::Descriptors;
use folders::Watched;
use turn::Turn;

/// How long after the test's end a worker may take to exit and a descriptor to close, unless told otherwise.
const GRACE: Duration = Duration::from_secs(2);

/// A test that must leave the process as it found it.
///
/// Children (zombies too) and descriptors belong to the process, and with `cargo test` many tests share one: therefore
/// tests that hold a `LeakCheck` run one after the other. Tests beside them that start processes or open files
/// without one can be blamed here; put them into another test binary.
///
/// ```
/// use gristmill_testkit::leaks::LeakCheck;
///
/// let check = LeakCheck::start();
/// std::process::Command::new("true").status().unwrap();
/// check.finish();
/// ```
#[derive(Debug)]
pub struct LeakCheck {
    children: ProcessTree,
    descriptors: Descriptors,
    watched: Vec<Watched>,
    grace: Duration,
    finished: bool,
    /// Declared last: the next test may begin when everything else is dropped.
    _turn: Turn,
}

impl LeakCheck {
    /// Waits for its turn and remembers the children and descriptors that exist already.
    #[track_caller]
    pub fn start() -> Self {
        let turn = Turn::take();
        Self {
            children: own_children(),
            descriptors: Descriptors::open_now(),
            watched: Vec::new(),
            grace: GRACE,
            finished: false,
            _turn: turn,
        }
    }

    /// Adds a folder of the test's own: nothing new may be left anywhere below it.
    pub fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.watched.push(Watched::tree(folder.as_ref()));
        self
    }

    /// Adds a shared folder such as `/tmp` or `/dev/shm`: no new entry may be left whose name starts with `prefix`.
    pub fn entries(mut self, folder: impl AsRef<Path>, prefix: &str) -> Self {
        self.watched.push(Watched::entries(folder.as_ref(), prefix));
        self
    }

    /// Sets how long after the test's end things may take to go away; two seconds without it.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Fails the test if something is left when the grace time is over.
    #[track_caller]
    pub fn finish(mut self) {
        self.assert_clean();
    }

    #[track_caller]
    fn assert_clean(&mut self) {
        self.finished = true;
        if let Err(left) = poll::until(self.grace, || self.left_behind()) {
            panic!("the test left behind, {:?} after its end:\n{left}", self.grace);
        }
    }

    fn left_behind(&self) -> Result<(), String> {
        let mut left = String::new();
        for child in own_children().without(&self.children).processes() {
            writeln!(left, "  child {child}").expect("writing to a string does not fail");
        }
        for descriptor in self.descriptors.opened_since() {
            writeln!(left, "  descriptor {descriptor}").expect("writing to a string does not fail");
        }
        for path in self.watched.iter().flat_map(Watched::added) {
            writeln!(left, "  file {}", path.display()).expect("writing to a string does not fail");
        }
        if left.is_empty() { Ok(()) } else { Err(left) }
    }
}

impl Drop for LeakCheck {
    /// Fails a test that forgot to call [`finish`](Self::finish); a test that fails anyway keeps its own message.
    fn drop(&mut self) {
        if !self.finished && !thread::panicking() {
            self.assert_clean();
        }
    }
}

fn own_children() -> ProcessTree {
    ProcessTree::children_of(std::process::id())
}
