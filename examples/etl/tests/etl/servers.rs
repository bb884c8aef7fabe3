//! The same on a real MariaDB and a real PostgreSQL, which `server.sh` starts for the test.
//!
//! Where a server is not installed its test says SKIPPED. `GRISTMILL_TEST_DATABASE` names a database of yours instead, by
//! a URL; its tables `orders`, `order_items`, `order_tags`, `etl_tasks` and `etl_rejects` are dropped.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gristmill_testkit::command::{Running, TestCommand};
use gristmill_testkit::leaks::LeakCheck;

use crate::faults::survives_a_kill;
use crate::loads::{set_aside, spoil};
use crate::plain::{computed, found};
use crate::support::{Bench, LIMIT, assert_says, lines};

const START: Duration = Duration::from_secs(90);

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("server.sh")
}

/// A server for the time of a test, if there is one, and the URL of its database.
struct Server {
    /// Ends with its standard input.
    process: Option<Running>,
    url: String,
    check: LeakCheck,
}

impl Server {
    fn start(kind: &str, schemes: &[&str]) -> Option<Self> {
        let check = LeakCheck::start();
        if let Ok(url) = std::env::var("GRISTMILL_TEST_DATABASE") {
            if schemes.iter().any(|scheme| url.starts_with(&format!("{scheme}:"))) {
                return Some(Self { process: None, url, check });
            }
            return skipped(&format!("GRISTMILL_TEST_DATABASE is no {kind}"));
        }
        let available = TestCommand::new(script()).args(["available", kind]).limit(LIMIT).run();
        if !available.status.success() {
            return skipped(&format!(
                "no {kind} can be started here (examples/etl/server.sh install {kind})"
            ));
        }
        let command = TestCommand::new(script()).args(["run", kind]).hold_stdin().limit(10 * LIMIT);
        let mut process = command.spawn();
        let url = process.wait_for_stdout("://", START);
        Some(Self { process: Some(process), url, check })
    }

    fn stop(self) {
        if let Some(process) = self.process {
            process.wait().assert_code(0);
        }
        self.check.finish();
    }
}

fn skipped(why: &str) -> Option<Server> {
    // Not `eprintln!`, which the test runner would keep to itself.
    std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes()).expect("standard error");
    None
}

/// All that depends on whose SQL it is.
fn everything(url: &str) {
    contents(url);
    dropped_tables(url);
    bounded_writers(url);
    for step in ["before", "after"] {
        let bench = Bench::on(url);
        survives_a_kill(&bench, step);
        bench.finish();
    }
    quarantine(url);
    other_columns(url);
}

fn contents(url: &str) {
    let bench = Bench::on(url);
    let finished = bench.etl(&["--batch", "7"]).run().assert_code(0);
    assert_eq!(lines(&finished)[2], "table orders: 400 rows inserted");
    assert_eq!(found(&bench), computed(&bench.export()));
    let finished = bench.etl(&[]).run().assert_code(0);
    assert_eq!(lines(&finished)[0], "tasks: 0 loaded, 20 loaded before");
    let since = ["--key", "number", "--since", "100391"];
    let finished = bench.etl(&since).run().assert_code(1);
    assert_says(&finished, "orders.jsonl:391: its key is in the table already");
    let finished = bench.etl(&[&since[..], &["--existing", "skip"]].concat()).run().assert_code(0);
    assert!(lines(&finished)[1].contains("10 in the table before"), "{finished}");
    assert_eq!(found(&bench), computed(&bench.export()));
    bench.finish();
}

/// Who drops them wants them loaded again.
fn dropped_tables(url: &str) {
    let bench = Bench::on(url);
    bench.etl(&[]).run().assert_code(0);
    for table in ["orders", "order_items", "order_tags"] {
        bench.rows(&format!("DROP TABLE {table}"));
    }
    bench.etl(&[]).run().assert_code(0);
    assert_eq!(found(&bench), computed(&bench.export()));
    bench.finish();
}

/// More workers than writers. SQLite would keep them apart itself.
fn bounded_writers(url: &str) {
    let bench = Bench::on(url);
    let crowd = ["--workers", "4", "--writers", "1", "--task-size", "10"];
    bench.faulty("crowd:0", &crowd).run().assert_code(0);
    assert!(!bench.path("mark").exists(), "two writers at a time");
    assert_eq!(found(&bench), computed(&bench.export()));
    bench.finish();
}

fn quarantine(url: &str) {
    let bench = Bench::on(url);
    let all = bench.export();
    let bad = spoil(&bench);
    let good: Vec<_> = (0..400).filter(|at| !bad.contains(at)).map(|at| all[at].clone()).collect();
    for _ in 0..2 {
        bench.etl(&["--quarantine", "bad.jsonl"]).run().assert_code(3);
        assert_eq!(found(&bench), computed(&good));
        assert_eq!(set_aside(&bench).iter().map(|(line, _)| *line).collect::<Vec<_>>(), [17, 101, 206, 301]);
    }
    bench.finish();
}

fn other_columns(url: &str) {
    let bench = Bench::on(url);
    bench.rows("CREATE TABLE order_tags (orders_id INTEGER, position INTEGER, label INTEGER)");
    let finished = bench.etl(&[]).run().assert_code(1);
    assert_says(&finished, "missing [tag], not in the schema [label]");
    bench.finish();
}

#[test]
fn mariadb() {
    if let Some(server) = Server::start("mariadb", &["mysql", "mariadb"]) {
        everything(&server.url);
        server.stop();
    }
}

#[test]
fn postgres() {
    if let Some(server) = Server::start("postgres", &["postgres", "postgresql"]) {
        everything(&server.url);
        server.stop();
    }
}
