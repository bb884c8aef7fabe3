//! Records and groups that user code fails at are set aside, and the job is done without them: its output is that of an
//! input that never had them, and the quarantine is the same whatever the schedule.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use gristmill_testkit::command::{Finished, TestCommand};
use gristmill_tests::boom;
use gristmill_tests::case::Case;
use serde_json::Value;

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture");

/// All that kills a worker, and what is returned or panics.
const FAULTS: [&str; 7] = ["err", "panic", "segfault", "abort", "exit", "oom", "hang"];

/// A text of which every so-manieth line is one of `poison`, the first and the last among them; and the same without them.
struct Mixed {
    text: Vec<u8>,
    clean: Vec<u8>,
    /// Offset and bytes of each line that is poison.
    bad: Vec<(usize, Vec<u8>)>,
}

fn mixed(poison: &[&[u8]], between: usize, line_end: &str) -> Mixed {
    let mut mixed = Mixed { text: Vec::new(), clean: Vec::new(), bad: Vec::new() };
    for (n, line) in poison.iter().enumerate() {
        let last = n + 1 == poison.len();
        for i in 0..if n == 0 { 0 } else { between } {
            let good = format!("alpha w-{:02} x-{:03}{line_end}", (n + i) % 10, i % 17);
            mixed.text.extend_from_slice(good.as_bytes());
            mixed.clean.extend_from_slice(good.as_bytes());
        }
        let mut bytes = line.to_vec();
        if !last {
            bytes.extend_from_slice(line_end.as_bytes());
        }
        mixed.bad.push((mixed.text.len(), bytes.clone()));
        mixed.text.extend_from_slice(&bytes);
    }
    mixed
}

fn poison(case: &Case, input: &str, output: &str) -> TestCommand {
    poison_into(case, "3", input, output)
}

fn poison_into(case: &Case, partitions: &str, input: &str, output: &str) -> TestCommand {
    let quiet = ["--progress", "never", "--log-level", "off"];
    case.command(FIXTURE).args(["poison", "-r", partitions]).args(quiet).args(["-o", output, input])
}

fn quarantine(case: &Case, output: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = format!("{output}.quarantine");
    let read = |name: String| {
        let bytes = fs::read(case.path(&folder).join(&name)).expect("it can be read");
        (name, bytes)
    };
    case.names(&folder).into_iter().map(read).collect()
}

fn certificate(case: &Case, output: &str, id: &str) -> Value {
    let text = fs::read(case.path(format!("{output}.quarantine/{id}.json"))).expect("a certificate");
    serde_json::from_slice(&text).expect("JSON")
}

/// The quarantine holds exactly the lines that are poison, and the output is that of `clean`.
#[track_caller]
fn check(case: &Case, output: &str, clean: &str, mixed: &Mixed, finished: &Finished) {
    assert!(case.parts(output) == case.parts(clean), "another output than without the poison: {finished}");
    let mut found = quarantine(case, output);
    for (offset, bytes) in &mixed.bad {
        let id = format!("map-0-{offset}");
        let record = found.remove(&format!("{id}.record"));
        assert!(record.as_ref() == Some(bytes), "{id}: {record:?} {finished}");
        assert!(found.remove(&format!("{id}.json")).is_some(), "{id}: {finished}");
        let told = certificate(case, output, &id);
        assert_eq!(
            (&told["id"], &told["place"]["record"]["offset"]),
            (&id.into(), &(*offset).into()),
            "{told}"
        );
    }
    assert!(found.is_empty(), "{:?} {finished}", found.keys());
    let said = format!("{} record", mixed.bad.len());
    assert!(finished.stderr_text().contains(&said), "{finished}");
}

#[test]
fn every_way_to_fail_in_map_is_survived_in_every_cut() {
    let case = Case::limited(std::time::Duration::from_secs(240));
    let lines: Vec<String> =
        FAULTS.iter().chain(["err", "panic"].iter()).map(|fault| format!("!{fault}")).collect();
    let mut lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    lines.insert(2, b"word \xff\xfe word");
    let mixed = mixed(&lines, 40, "\n");
    case.file("in.txt", &mixed.text);
    case.file("clean.txt", &mixed.clean);
    poison(&case, "clean.txt", "clean").run().assert_code(0);
    for (chunk, workers) in [("20", "4"), ("4KiB", "2"), ("1GiB", "1")] {
        let output = format!("out-{chunk}");
        let finished = poison(&case, "in.txt", &output)
            .args([
                "--at",
                "map",
                "--max-bad-records",
                "10",
                "-c",
                chunk,
                "-w",
                workers,
                "--task-timeout",
                "1s",
            ])
            .args(["--json", "--max-attempts", "1"])
            .run()
            .assert_code(3);
        check(&case, &output, "clean", &mixed, &finished);
        let summary: Value = serde_json::from_slice(&finished.stdout).expect("a summary");
        assert_eq!(summary["set_aside"], 10, "{summary}");
        assert_eq!(summary["counters"]["records"], 40 * 9, "{summary}");
        let lost = summary["certificates"].as_array().expect("certificates");
        assert_eq!(Some(lost.len() as u64), summary["lost_attempts"].as_u64());
    }
    let kinds = [
        ("error", Value::Null),
        ("panic", Value::Null),
        ("error", Value::Null),
        ("death", 11.into()),
        ("death", 6.into()),
        ("death", Value::Null),
        ("death", 6.into()),
        ("timeout", 9.into()),
    ];
    for ((kind, signal), (offset, _)) in kinds.iter().zip(&mixed.bad) {
        let told = certificate(&case, "out-4KiB", &format!("map-0-{offset}"));
        assert_eq!((&told["kind"], &told["signal"]), (&(*kind).into(), signal), "{told}");
        assert_eq!(told["attempts"], 2, "{told}");
    }
    case.finish();
}

#[test]
fn errors_and_panics_are_survived_in_threads_and_inline() {
    let case = Case::new();
    let mixed = mixed(&[b"!err", b"!panic", b"\xff", b"!panic again", b"!err"], 30, "\r\n");
    case.file("in.txt", &mixed.text);
    case.file("clean.txt", &mixed.clean);
    for shape in ["map-only", "fold", "combine", "group", "any-order", "range"] {
        let clean = format!("clean-{shape}");
        poison(&case, "clean.txt", &clean).args(["--shape", shape]).run().assert_code(0);
        for executor in ["threads", "inline", "processes"] {
            let output = format!("{executor}-{shape}");
            let finished = poison(&case, "in.txt", &output)
                .args(["--at", "map", "--shape", shape, "--executor", executor, "-c", "500"])
                .args(["--max-bad-records", "5"])
                .run()
                .assert_code(3);
            if shape == "map-only" {
                // Which part a record is in depends on the size of the input.
                assert_eq!(case.lines(&output), case.lines(&clean), "{finished}");
            } else {
                check(&case, &output, &clean, &mixed, &finished);
            }
        }
    }
    case.finish();
}

#[test]
fn many_bad_records_of_one_task_take_a_few_attempts() {
    let case = Case::new();
    let lines: Vec<&[u8]> = (0..200).map(|n| if n % 2 == 0 { &b"!err"[..] } else { b"!panic" }).collect();
    let mixed = mixed(&lines, 3, "\n");
    case.file("in.txt", &mixed.text);
    case.file("clean.txt", &mixed.clean);
    poison(&case, "clean.txt", "clean").run().assert_code(0);
    let finished = poison(&case, "in.txt", "out")
        .args(["--at", "map", "--max-bad-records", "200", "-c", "1GiB", "--json"])
        .run()
        .assert_code(3);
    check(&case, "out", "clean", &mixed, &finished);
    let summary: Value = serde_json::from_slice(&finished.stdout).expect("a summary");
    assert!(summary["lost_attempts"].as_u64().expect("a number") <= 3, "{summary}");
    case.finish();
}

#[test]
fn the_record_whose_value_a_combiner_fails_at_is_set_aside() {
    let case = Case::new();
    // The combiner fails when it sees the second of them, and each that follows.
    let mixed = mixed(&[b"!x", b"!x", b"!x"], 20, "\n");
    case.file("in.txt", &mixed.text);
    for (shape, at) in [("fold", "combine"), ("combine", "combine"), ("fold", "combine-borrowed")] {
        let output = format!("{shape}-{at}");
        let finished = poison(&case, "in.txt", &output)
            .args(["--at", at, "--shape", shape, "--max-bad-records", "5", "-w", "1", "-c", "1GiB"])
            .run()
            .assert_code(3);
        let names = case.names(format!("{output}.quarantine"));
        let wanted: Vec<_> =
            mixed.bad[1..].iter().map(|(offset, _)| format!("map-0-{offset}.record")).collect();
        assert!(names.len() == 4 && wanted.iter().all(|name| names.contains(name)), "{names:?} {finished}");
    }
    case.finish();
}

/// Words, each on several lines, and keys that are poison for a reducer.
fn keyed(keys: &[&str]) -> (String, String) {
    let (mut text, mut clean) = (String::new(), String::new());
    for n in 0..300 {
        writeln!(text, "key-{:02} and-{:03}", n % 13, n % 60).expect("a string");
        writeln!(clean, "key-{:02} and-{:03}", n % 13, n % 60).expect("a string");
        if n % 30 == 0 {
            keys.iter().for_each(|key| writeln!(text, "{key}").expect("a string"));
        }
    }
    (text, clean)
}

#[test]
fn groups_that_a_reducer_fails_at_are_left_out() {
    let case = Case::limited(std::time::Duration::from_secs(240));
    let keys = ["!err", "!panic", "!segfault", "!hang", "!err-2", "!panic-2", "!exit", "!oom"];
    let (text, clean) = keyed(&keys);
    case.file("in.txt", text);
    case.file("clean.txt", clean);
    for shape in ["group", "any-order", "range", "combine"] {
        let clean = format!("clean-{shape}");
        // Ranges come from a sample of the input: that of the same input, but for what is left out in the end.
        let range = if shape == "range" { "in.txt" } else { "clean.txt" };
        let at = if shape == "range" { "never" } else { "reduce" };
        poison(&case, range, &clean).args(["--shape", shape, "--at", at, "-w", "2"]).run().assert_code(0);
        let mut before = None;
        for (chunk, workers) in [("100", "1"), ("2KiB", "3")] {
            let output = format!("{shape}-{chunk}");
            let finished = poison(&case, "in.txt", &output)
                .args(["--at", "reduce", "--shape", shape, "-c", chunk, "-w", workers])
                .args(["--max-bad-records", "8", "--task-timeout", "1s", "--max-attempts", "1"])
                .run()
                .assert_code(3);
            let mut found = quarantine(&case, &output);
            assert_eq!(found.len(), 16, "{:?} {finished}", found.keys());
            let told = |name: &String| certificate(&case, &output, name.strip_suffix(".json").expect("JSON"));
            let mut named: Vec<_> = found
                .keys()
                .filter(|name| name.ends_with(".json"))
                .map(|name| told(name)["place"]["group"]["key"].as_str().expect("a key").to_owned())
                .collect();
            named.sort();
            let mut wanted = keys;
            wanted.sort_unstable();
            assert_eq!(named, wanted, "{finished}");
            if shape == "range" {
                let lines = |output: &str| {
                    let mut lines = case.lines(output);
                    lines.retain(|line| !line.starts_with('!'));
                    lines
                };
                // The results of a group come value by value where poison works.
                let keys = |lines: Vec<String>| -> Vec<String> {
                    let mut keys: Vec<_> =
                        lines.iter().filter_map(|line| Some(line.split_once('\t')?.0.to_owned())).collect();
                    keys.dedup();
                    keys
                };
                assert_eq!(keys(lines(&output)), keys(lines(&clean)), "{finished}");
            } else {
                assert!(case.parts(&output) == case.parts(&clean), "another output: {finished}");
            }
            // Certificates tell of processes and times. With a combiner rows are folded as the schedule has it.
            found.retain(|name, _| name.ends_with(".run") && shape != "combine");
            assert!(
                before.replace(found.clone()).is_none_or(|before| before == found),
                "other runs: {finished}"
            );
        }
    }
    case.finish();
}

#[test]
fn more_than_allowed_fail_the_job_and_resuming_keeps_what_was_set_aside() {
    let case = Case::new();
    let mixed = mixed(&[b"!err", b"!segfault", b"!panic"], 60, "\n");
    case.file("in.txt", &mixed.text);
    case.file("clean.txt", &mixed.clean);
    poison(&case, "clean.txt", "clean").run().assert_code(0);
    let run = |most: &str, more: &[&str]| {
        poison(&case, "in.txt", "out")
            .args(["--at", "map", "-c", "200", "-w", "1", "--max-bad-records", most])
            .args(more)
            .run()
    };
    let finished = run("2", &[]).assert_code(1);
    let (offset, _) = mixed.bad[2];
    let story = finished.stderr_text();
    for wanted in
        ["--max-bad-records 2", &format!("the last is at byte {offset} of in.txt, 6 bytes long"), "--resume"]
    {
        assert!(story.contains(wanted), "{wanted:?} is missing: {finished}");
    }
    assert!(!case.path("out").exists() && !case.path("out.quarantine").exists());
    let finished = run("3", &["--resume", "--json"]).assert_code(3);
    check(&case, "out", "clean", &mixed, &finished);
    let summary: Value = serde_json::from_slice(&finished.stdout).expect("a summary");
    // What was set aside before is not tried again.
    assert!(summary["lost_attempts"].as_u64().expect("a number") <= 2, "{summary}");
    case.finish();
}

#[test]
fn an_older_quarantine_is_refused_or_replaced_as_the_output_is() {
    let case = Case::new();
    let mixed = mixed(&[b"!err", b"!panic"], 10, "\n");
    case.file("in.txt", &mixed.text);
    case.file("clean.txt", &mixed.clean);
    let run = |input: &str, more: &[&str]| poison(&case, input, "out").args(["--at", "map"]).args(more).run();
    let refused = poison(&case, "in.txt", "out").args(["--max-bad-records", "2"]).run();
    assert_eq!(refused.code(), Some(0), "nothing fails: {refused}");
    assert!(!case.path("out.quarantine").exists());
    fs::remove_dir_all(case.path("out")).expect("it can be removed");
    run("in.txt", &["--max-bad-records", "2"]).assert_code(3);
    fs::remove_dir_all(case.path("out")).expect("it can be removed");
    let finished = run("in.txt", &["--max-bad-records", "2"]).assert_code(2);
    assert!(finished.stderr_text().contains("out.quarantine: exists already (--overwrite"), "{finished}");
    let before = quarantine(&case, "out");
    run("in.txt", &["--max-bad-records", "2", "--overwrite"]).assert_code(3);
    let after = quarantine(&case, "out");
    assert!(before.keys().eq(after.keys()));
    run("clean.txt", &["--max-bad-records", "2", "--overwrite"]).assert_code(0);
    assert!(!case.path("out.quarantine").exists(), "nothing was set aside this time");
    fs::create_dir(case.path("out.quarantine")).expect("a folder");
    case.file("out.quarantine/notes.txt", "dear to somebody");
    let finished = run("in.txt", &["--max-bad-records", "2", "--overwrite"]).assert_code(2);
    assert!(finished.stderr_text().contains("notes.txt"), "{finished}");
    run("clean.txt", &["--overwrite"]).assert_code(0);
    let finished =
        case.command(FIXTURE).args(["poison", "in.txt", "--max-bad-records", "2"]).run().assert_code(2);
    assert!(finished.stderr_text().contains("--max-bad-records: needs an output folder"), "{finished}");
    case.finish();
}

#[test]
fn replay_runs_what_was_set_aside_alone() {
    let case = Case::new();
    let (text, _) = keyed(&["!err", "!panic", "!segfault"]);
    case.file(
        "in.txt",
        "good word\n!err in map\nmore !panic words\n!segfault\n".to_owned() + &text.replace('!', "?"),
    );
    case.file("keys.txt", &text);
    let run = |input: &str, output: &str, at: &str, more: &[&str]| {
        poison(&case, input, output).args(["--at", at, "--max-bad-records", "9"]).args(more).run()
    };
    run("in.txt", "out", "map", &[]).assert_code(3);
    let replay = |output: &str, at: &str, id: &str| run("in.txt", output, at, &["--replay", id]);
    let finished = replay("out", "map", "map-0-10").assert_code(1);
    assert!(finished.stderr_text().contains("map-0-10 failed: returned an error: poison !err"), "{finished}");
    assert_eq!(finished.stdout_text(), "!err\t11\n", "what it emitted before");
    let finished = replay("out", "map", "map-0-22").assert_code(1);
    assert!(
        finished.stderr_text().contains("map-0-22 failed: panicked at tests/fixture/fault.rs"),
        "{finished}"
    );
    assert_eq!(replay("out", "map", "map-0-40").signal(), Some(11));
    let finished = replay("out", "never", "map-0-22").assert_code(0);
    assert_eq!(finished.stdout_text(), "more\t17\n!panic\t17\nwords\t17\n");
    let finished = replay("out", "map", "map-0-11").assert_code(2);
    assert!(finished.stderr_text().contains("only map-0-10, map-0-22, map-0-40"), "{finished}");
    poison_into(&case, "1", "keys.txt", "groups")
        .args(["--at", "reduce", "--max-bad-records", "9"])
        .run()
        .assert_code(3);
    let ids: Vec<_> =
        case.names("groups.quarantine").into_iter().filter(|name| name.ends_with("run")).collect();
    assert_eq!(ids, ["reduce-0-0.run", "reduce-0-1.run", "reduce-0-2.run"]);
    let finished = replay("groups", "reduce", "reduce-0-0").assert_code(1);
    assert!(
        finished.stderr_text().contains("reduce-0-0 failed: returned an error: poison !err"),
        "{finished}"
    );
    assert_eq!(replay("groups", "reduce", "reduce-0-2").signal(), Some(11));
    let finished = replay("groups", "never", "reduce-0-0").assert_code(0);
    assert_eq!(finished.stdout_text(), format!("!err\t{}\n", "4,".repeat(10)));
    for (more, said) in [
        (&["--replay", "map-0-1", "--json"][..], "--json"),
        (&["--replay", "map-0-1", "--resume"], "--resume"),
    ] {
        let finished = run("in.txt", "out", "map", more).assert_code(2);
        assert!(finished.stderr_text().contains(said), "{finished}");
    }
    let finished = run("in.txt", "nothing", "map", &["--replay", "map-0-1"]).assert_code(2);
    assert!(finished.stderr_text().contains("nothing was set aside in nothing.quarantine"), "{finished}");
    case.finish();
}

#[test]
fn records_of_every_kind_are_set_aside() {
    let case = Case::new();
    let fixed = |line: &str| format!("{line:<16}");
    let lines = ["!segfault", "alpha beta", "!err", "gamma", "!panic", "delta", "!segfault"];
    let good = |line: &&&str| !line.starts_with('!');
    case.file("fixed", lines.map(fixed).concat());
    case.file("fixed-clean", lines.iter().filter(good).map(|line| fixed(line)).collect::<String>());
    for (n, line) in lines.iter().chain(&[""]).enumerate() {
        case.file(format!("whole/{n}"), line);
        if good(&line) {
            case.file(format!("whole-clean/{n}"), line);
        }
    }
    for (records, ids) in [
        ("fixed", ["map-0-0", "map-0-32", "map-0-64", "map-0-96"]),
        ("whole", ["map-0-0", "map-2-0", "map-4-0", "map-6-0"]),
    ] {
        let (clean, input) = (format!("{records}-clean"), records);
        poison(&case, &clean, &format!("clean-{records}")).args(["--records", records]).run().assert_code(0);
        for chunk in ["16", "1MiB"] {
            let output = format!("{records}-{chunk}");
            let finished = poison(&case, input, &output)
                .args(["--records", records, "--at", "map", "-c", chunk, "--max-bad-records", "4"])
                .run()
                .assert_code(3);
            assert!(case.parts(&output) == case.parts(format!("clean-{records}")), "{finished}");
            let names: Vec<_> = quarantine(&case, &output).into_keys().collect();
            let wanted: Vec<_> =
                ids.iter().flat_map(|id| [format!("{id}.json"), format!("{id}.record")]).collect();
            assert_eq!(names, wanted, "{finished}");
            let replayed = poison(&case, input, &output)
                .args(["--records", records, "--at", "map", "--replay", ids[1]])
                .run()
                .assert_code(1);
            assert!(replayed.stderr_text().contains("returned an error: poison !err"), "{replayed}");
        }
    }
    case.finish();
}

#[test]
fn in_memory_items_and_standard_input_are_set_aside() {
    let case = Case::new();
    let items = |output: &str, chunk: &str, most: &str| {
        case.command(FIXTURE).args(["poison-items", output, chunk, most]).run().assert_code(0)
    };
    items("clean", "10", "0");
    for chunk in ["1", "10", "1000"] {
        let output = format!("items-{chunk}");
        let finished = items(&output, chunk, "4");
        assert!(finished.stdout_text().starts_with("4 set aside: map-0-0 "), "{finished}");
        assert!(case.parts(&output) == case.parts("clean"), "{finished}");
        assert_eq!(quarantine(&case, &output).len(), 8, "{finished}");
    }
    let finished = case
        .command(FIXTURE)
        .args(["poison", "-o", "stdin", "--at", "map", "--max-bad-records", "1", "-"])
        .stdin("one\n!err\ntwo")
        .run()
        .assert_code(3);
    assert_eq!(quarantine(&case, "stdin")["map-0-4.record"], b"!err\n", "{finished}");
    assert_eq!(case.lines("stdin"), ["one\t3,", "two\t3,"]);
    case.finish();
}

#[test]
fn without_the_option_nothing_is_set_aside() {
    let case = Case::new();
    case.file("in.txt", "one\n!err\ntwo\n!panic\n");
    let finished = poison(&case, "in.txt", "out").args(["--at", "map", "-w", "1"]).run().assert_code(1);
    assert!(finished.stderr_text().contains("attempt 4 of 4"), "{finished}");
    assert!(finished.stderr_text().contains("poison !err"), "{finished}");
    boom::assert_nothing_left(&case, "out", &finished);
    assert!(!case.path("out.quarantine").exists());
    case.finish();
}
