//! Everything the API can express beside lines and strings: records, keys, values, partitioners, counters, items.
//!
//! Each job is small and its output is written out here; each executor must print the same. Properties over many
//! inputs are in `equivalence`.

use std::collections::BTreeMap;
use std::time::Duration;

use gristmill_testkit::text::ZipfText;
use gristmill_tests::case::Case;

const JOBS: &str = env!("CARGO_BIN_EXE_jobs");

#[test]
fn other_records_keys_and_values_agree() {
    let case = Case::new();
    case.file("text/a.txt", "Tree tea ten\n\n-7 41 tea\n");
    case.file("text/b.txt", "tee Oh -7 ten\n");
    case.file("bytes/a.bin", [1, 2, 3, 4, 1, 0, 0, 0, 255, 1, 0, 0]);
    case.file("bytes/b.bin", [128, 0, 0, 9, 2, 2, 2, 2]);
    case.file("bytes/empty.bin", []);
    let enums = "Blank\t1\n{\"Number\":-7}\t2\n{\"Number\":41}\t1\n{\"Pair\":[false,\"O\"]}\t1\n{\"Pair\":[true,\"T\"]}\t1\n\
                 {\"Word\":{\"len\":3,\"text\":\"tea\"}}\t2\n{\"Word\":{\"len\":3,\"text\":\"tee\"}}\t1\n\
                 {\"Word\":{\"len\":3,\"text\":\"ten\"}}\t2\n";
    let tuples = "[\"-7\",-1]\t2\n[\"41\",-1]\t1\n[\"Oh\",-1]\t1\n[\"Tree\",1]\t1\n[\"tea\",0]\t2\n[\"tee\",0]\t1\n[\"ten\",0]\t2\n";
    let seen = |first, len, words, longest, file| {
        format!(
            "{{\"first\":\"{first}\",\"len\":{len}}}\t\
             {{\"words\":{words},\"longest\":\"{longest}\",\"last_seen_in\":\"{file}.txt\"}}\n"
        )
    };
    let structs = [
        seen('-', 2, 2, "-7", 'b'),
        seen('4', 2, 1, "41", 'a'),
        seen('O', 2, 1, "Oh", 'b'),
        seen('T', 4, 1, "Tree", 'a'),
        seen('t', 3, 5, "ten", 'b'),
    ]
    .concat();
    let whole = "a.bin\t[12,267]\nb.bin\t[8,145]\nempty.bin\t[0,0]\n";
    let averages = "-\t4/2\n4\t2/1\nO\t2/1\nT\t4/1\nt\t15/5\n";
    let sums = "bytes\t34\nlines\t4\n";
    let cases: [(&[&str], &str, &str); 7] = [
        (&["enums"], "text", enums),
        (&["tuples"], "text", tuples),
        (&["structs"], "text", &structs),
        (&["averages"], "text", averages),
        (&["in-cleanup"], "text", sums),
        (&["fixed", "--bytes", "4"], "bytes", "-128\t137\n-1\t256\n1\t11\n2\t8\n"),
        (&["whole"], "bytes", whole),
    ];
    for (job, input, want) in cases {
        for executor in ["inline", "threads", "processes"] {
            let command =
                case.command(JOBS).args(job).args([input, "-r", "1", "-c", "4", "--progress", "never"]);
            let finished = command.args(["--executor", executor]).run().assert_code(0);
            assert_eq!(finished.stdout_text(), want, "{job:?}, {executor}");
        }
    }
    case.finish();
}

/// Counters are those of committed attempts, whoever ran them.
#[test]
fn counters_agree() {
    let case = Case::new();
    case.file("in/a.txt", ZipfText::new(3, 50).lines(300));
    case.file("in/b.txt", ZipfText::new(4, 50).lines(200));
    let words = std::fs::read_to_string(case.path("in/a.txt")).expect("text").split_whitespace().count()
        + std::fs::read_to_string(case.path("in/b.txt")).expect("text").split_whitespace().count();
    for (executor, workers, chunk) in
        [("inline", "1", "1M"), ("threads", "3", "100"), ("processes", "2", "300")]
    {
        let arguments =
            ["words", "in", "-c", chunk, "-w", workers, "--executor", executor, "--json", "-o", executor];
        let finished = case.command(JOBS).args(arguments).args(["--progress", "never"]).run().assert_code(0);
        let summary: serde_json::Value = serde_json::from_slice(&finished.stdout).expect("it is JSON");
        assert_eq!(summary["counters"], serde_json::json!({"lines": 500, "words": words}), "{executor}");
    }
    // Counters of reducers count too: each key is reduced once.
    let arguments = ["averages", "in", "-c", "100", "-w", "2", "-r", "3", "--json", "-o", "averages"];
    let finished = case.command(JOBS).args(arguments).args(["--progress", "never"]).run().assert_code(0);
    let summary: serde_json::Value = serde_json::from_slice(&finished.stdout).expect("it is JSON");
    assert_eq!(summary["counters"]["keys"], summary["records"]);
    assert_eq!(summary["records"], case.lines("averages").len());
    case.finish();
}

#[test]
fn a_partitioner_of_ones_own_chooses_the_part() {
    let case = Case::new();
    case.file("in.txt", "zebra ant Émile bee 0 zoo ant\n");
    for executor in ["inline", "threads", "processes"] {
        let run = |output: &str, shift: &str| {
            let command = case.command(JOBS).args(["ranges", "in.txt", "-o", output, "--shift", shift]);
            command.args(["--executor", executor, "--progress", "never"]).run()
        };
        run(executor, "0").assert_code(0);
        let parts: Vec<_> =
            case.parts(executor).into_values().map(|part| String::from_utf8(part).expect("text")).collect();
        assert_eq!(parts, ["0\t1\n", "ant\t2\nbee\t1\nzebra\t1\nzoo\t1\n", "", "Émile\t1\n"], "{executor}");
        let failed = run("beyond", "1").assert_code(1);
        assert!(failed.stderr_text().contains("partition 4, but the last is 3"), "{executor}: {failed}");
        assert!(!case.path("beyond").exists());
    }
    case.finish();
}

/// Values and keys of more bytes than fit into a message or a gathering buffer.
#[test]
fn huge_keys_and_values_arrive_whole() {
    let case = Case::new();
    case.file("in/a.txt", "ab\ncde\n");
    case.file("in/b.txt", "ab\n");
    let huge = |word: &str| word.repeat(300_000_usize.div_ceil(word.len()));
    let mut want = vec![
        format!("ab\t{0}{0}", huge("ab")),
        format!("{}\tabab", huge("ab")),
        format!("cde\t{}", huge("cde")),
        format!("{}\tcde", huge("cde")),
    ];
    want.sort();
    for executor in ["inline", "threads", "processes"] {
        let command = case.command(JOBS).args(["huge", "in", "--bytes", "300000", "-o", executor, "-r", "3"]);
        command
            .args(["--executor", executor, "-c", "1", "-w", "1", "--progress", "never"])
            .run()
            .assert_code(0);
        let mut lines = case.lines(executor);
        lines.sort();
        assert!(lines == want, "{executor}: the lines differ");
    }
    case.finish();
}

#[test]
fn items_in_memory_agree_for_every_chunk_size() {
    let case = Case::new();
    for (count, chunk) in [(0, 1), (1, 1), (10, 3), (1000, 1000), (1000, 7), (20_000, 999)] {
        let tasks = u64::div_ceil(count, chunk);
        let mut sums = BTreeMap::<u64, u64>::new();
        (0..count).for_each(|n| *sums.entry(n % 7).or_default() += n);
        for (executor, workers) in [("inline", "1"), ("threads", "3"), ("processes", "2")] {
            let arguments = ["run-items", executor, workers, &chunk.to_string(), &count.to_string()];
            let printed = case.command(JOBS).args(arguments).run().assert_code(0).stdout_text();
            let mut lines: Vec<&str> = printed.lines().collect();
            assert!(
                lines.pop().is_some_and(|last| last.contains("the results are (usize, u64), not")),
                "{printed}"
            );
            let context = format!("{executor}, {count} items by {chunk}");
            assert_eq!(lines.pop(), Some(format!("{count} items in {tasks} tasks").as_str()), "{context}");
            let mut want: Vec<_> = sums.iter().map(|(len, sum)| format!("{len} {sum}")).collect();
            lines.sort_unstable();
            want.sort_unstable();
            assert_eq!(lines, want, "{context}");
        }
    }
    case.finish();
}

/// A thread that waits for its part of a record's work may take up another worker's task: it has to come back.
#[test]
fn a_mapper_may_use_rayon_itself() {
    let case = Case::limited(Duration::from_secs(120));
    let lines: String = (0..400).map(|n| format!("{}\n", "abcdeabcdd".repeat(20 + n % 7))).collect();
    case.file("in.txt", lines);
    let parts = |name: &str, options: &[&str]| {
        let arguments = ["parallel", "in.txt", "-o", name, "-c", "300", "-r", "3"];
        case.command(JOBS).args(arguments).args(options).limit(Duration::from_secs(60)).run().assert_code(0);
        case.parts(name)
    };
    let wanted = parts("inline", &["--executor", "inline"]);
    for round in 0..10 {
        for workers in ["2", "8"] {
            let name = format!("threads-{workers}-{round}");
            let found = parts(&name, &["--executor", "threads", "-w", workers]);
            assert!(found == wanted, "{name} differs");
        }
    }
    assert!(parts("processes", &["-w", "2"]) == wanted, "processes differ");
    case.finish();
}
