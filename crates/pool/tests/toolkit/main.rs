//! The toolkit with real worker processes: this program is the parent of its own copies.
//!
//! It has no harness, because workers must enter first thing in `main`. `cargo test -p gristmill-pool --test toolkit NAME`
//! runs the tests whose names contain NAME.

mod apps;
mod functions;
mod odd_functions;
mod odd_pools;
mod odd_shared;
mod pool_ends;
mod pools;
mod processes;
mod queues;
mod shared;

use std::io::Write;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use gristmill_pool::Toolkit;
use gristmill_testkit::leaks::LeakCheck;
use gristmill_testkit::watchdog::Watchdog;

/// A test, by name.
pub(crate) type Test = (&'static str, fn(&Toolkit));

fn main() -> ExitCode {
    let toolkit = functions::registry().enter().expect("each function is registered once");
    if std::env::args().nth(1).as_deref() == Some(apps::STUBBORN) {
        return apps::be_stubborn(&toolkit);
    }
    let wanted: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let tests = [
        pools::TESTS,
        odd_pools::TESTS,
        pool_ends::TESTS,
        processes::TESTS,
        queues::TESTS,
        shared::TESTS,
        odd_shared::TESTS,
        apps::TESTS,
    ]
    .concat();
    if std::env::args().any(|argument| argument == "--list") {
        tests.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let chosen = tests
        .into_iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|want| name.contains(want.as_str())));
    let failed = chosen.filter(|(name, test)| !passes(name, *test, &toolkit)).count();
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How the names of the folders begin in which process `pid` keeps long messages.
pub(crate) fn spool_prefix(pid: u32) -> String {
    format!("gristmill-pool.{pid}.")
}

/// Each test has a toolkit, and so processes, of its own, and must leave nothing behind.
fn passes(name: &str, test: fn(&Toolkit), toolkit: &Toolkit) -> bool {
    let _watchdog = Watchdog::new(Duration::from_secs(60));
    let begun = Instant::now();
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        let check = LeakCheck::start().entries(std::env::temp_dir(), &spool_prefix(std::process::id()));
        test(&toolkit.with_start_deadline(Duration::from_secs(20)));
        check.finish();
    }));
    let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
    let line = format!("test {name} ... {verdict} ({:.2?})\n", begun.elapsed());
    std::io::stdout().write_all(line.as_bytes()).expect("standard output is open");
    outcome.is_ok()
}
