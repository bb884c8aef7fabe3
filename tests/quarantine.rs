//! Records and groups that user code fails at are set aside, and the job is done without them: its output is that of an
//! input that never had them, and the quarantine is the same whatever the schedule.

use gristmill_testkit::command::TestCommand;
use gristmill_tests::boom;
use gristmill_tests::case::Case;
use gristmill_tests::quarantined::{self, certificate, check, keyed, mixed, quarantine};
use serde_json::Value;

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture");

/// All that kills a worker, and what is returned or panics.
const FAULTS: [&str; 7] = ["err", "panic", "segfault", "abort", "exit", "oom", "hang"];

fn poison(case: &Case, input: &str, output: &str) -> TestCommand {
    quarantined::poison(case, FIXTURE, "3", input, output)
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
