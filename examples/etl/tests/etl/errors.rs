//! Commands that cannot work: each says why, in time, and with the status that belongs to it.
//!
//! Rows that are not taken are in `loads`.

use std::fs;
use std::net::TcpListener;

use crate::support::{Bench, assert_says};

#[test]
fn wrong_usage_is_told_before_anything_starts() {
    let bench = Bench::new();
    let cases: &[(&[&str], &str)] = &[
        (&["--schema", "no.toml"], "error: cannot read no.toml: No such file"),
        (&["--schema", "orders.jsonl"], "error: orders.jsonl: TOML parse error"),
        (&["--database", "oracle://db"], "error: the database's URL has the unknown scheme `oracle`"),
        (&["--database", "mysql://me@:x/db"], "error: the database's URL: "),
        (&["--key", "nothing"], "error: `nothing` is no column of `orders`"),
        (&["--key", "number", "--since", "x"], "error: column `number`: expected integer, found \"x\""),
        (&["--key", "total", "--since", "1"], "error: column `total`: decimal(12,2) has no order"),
        (&["--quarantine", "no/such"], "error: cannot use no/such as quarantine: No such file"),
        (&["--batch", "0"], "invalid value '0' for '--batch <N>'"),
    ];
    for (arguments, error) in cases {
        assert_says(&bench.etl(arguments).run().assert_code(2), error);
    }
    fs::remove_file(bench.path("orders.jsonl")).expect("removed");
    assert_says(&bench.etl(&[]).run().assert_code(2), "error: cannot read orders.jsonl: No such file");
    fs::create_dir(bench.path("orders.jsonl")).expect("a folder");
    assert_says(&bench.etl(&[]).run().assert_code(2), "error: orders.jsonl is no regular file");
    assert!(!bench.path("etl.db").exists());
    bench.finish();
}

#[test]
fn a_server_that_is_not_there_or_says_nothing_is_not_waited_for() {
    for scheme in ["mysql", "postgres"] {
        let mut bench = Bench::new();
        // Nobody listens on a port that was just given back.
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        bench.url = format!("{scheme}://me:secret@127.0.0.1:{port}/shop");
        let finished = bench.etl(&["--timeout", "1s"]).run().assert_code(1);
        assert_says(&finished, &format!("error: cannot connect to me@127.0.0.1:{port}/shop: "));
        assert!(!finished.stderr_text().contains("secret"), "{finished}");

        let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = silent.local_addr().expect("an address").port();
        bench.url = format!("{scheme}://me@127.0.0.1:{port}/shop");
        let finished = bench.etl(&["--timeout", "1s"]).run().assert_code(1);
        assert_says(&finished, "answered");
        assert!(finished.elapsed.as_secs() < 15, "{finished}");
        drop(silent);
        bench.finish();
    }
}

#[test]
fn a_database_that_is_locked_is_not_waited_for_beyond_the_limit() {
    let bench = Bench::new();
    bench.etl(&[]).run().assert_code(0);
    let other = rusqlite::Connection::open(bench.path("etl.db")).expect("SQLite");
    other.execute_batch("BEGIN EXCLUSIVE").expect("a lock");
    let finished = bench.etl(&["--timeout", "100ms", "--key", "number"]).run().assert_code(1);
    assert_says(&finished, "database is locked");
    drop(other);
    bench.finish();
}

#[test]
fn a_table_with_other_columns_is_refused() {
    let bench = Bench::new();
    bench.rows("CREATE TABLE order_tags (orders_id TEXT, position INTEGER, label TEXT)");
    let finished = bench.etl(&[]).run().assert_code(1);
    assert_says(
        &finished,
        "error: table `order_tags` has other columns than the schema: missing [tag], not in the schema [label]",
    );
    assert_eq!(bench.count("etl_tasks"), 0);
    bench.finish();
}
