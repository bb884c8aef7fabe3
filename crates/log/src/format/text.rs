//! The text format.
//!
//! ```text
//! 2026-11-21 08:00:00.123+00:00 +0.456s  INFO Worker-1[4711] wordcount map-3.1 span{n=1} gristmill::worker: message key=value
//! ```
//! Parts that are absent are left out. Nothing but a record starts at the margin.

use tracing::Level;

use crate::Record;

/// What stands before the second and every further line of a message.
const INDENT: &[u8] = b"    ";

/// Appends one record; `millis` is the time since the listener's start.
pub(super) fn append(record: &Record, stamp: &str, millis: i64, colors: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(stamp.as_bytes());
    out.push(b' ');
    append_elapsed(millis, out);
    out.push(b' ');
    append_level(record.level, colors, out);
    append_name(" ", &record.process, out);
    out.push(b'[');
    append_number(u64::from(record.pid), out);
    out.push(b']');
    append_task(record, out);
    append_name(" ", record.spans.as_deref().unwrap_or_default(), out);
    append_name(" ", &record.target, out);
    out.push(b':');
    if !record.message.is_empty() {
        out.push(b' ');
    }
    append_message(&record.message, out);
    out.push(b'\n');
}

/// A number without the machinery of `write!`, which takes most of the time of a line otherwise.
pub(super) fn append_number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// `+0.456s`
pub(super) fn append_elapsed(millis: i64, out: &mut Vec<u8>) {
    out.push(if millis < 0 { b'-' } else { b'+' });
    append_number(millis.unsigned_abs() / 1000, out);
    let rest = millis.unsigned_abs() % 1000;
    // Three digits of a number below a thousand.
    out.extend([
        b'.',
        b'0' + (rest / 100) as u8,
        b'0' + (rest / 10 % 10) as u8,
        b'0' + (rest % 10) as u8,
        b's',
    ]);
}

/// The level, five characters wide.
pub(super) fn append_level(level: Level, colors: bool, out: &mut Vec<u8>) {
    let (name, color) = match level {
        Level::ERROR => ("ERROR", "\x1b[31m"),
        Level::WARN => (" WARN", "\x1b[33m"),
        Level::INFO => (" INFO", "\x1b[32m"),
        Level::DEBUG => ("DEBUG", "\x1b[34m"),
        Level::TRACE => ("TRACE", "\x1b[35m"),
    };
    let parts = if colors { [color, name, "\x1b[0m"] } else { ["", name, ""] };
    parts.into_iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
}

fn append_task(record: &Record, out: &mut Vec<u8>) {
    append_name(" ", record.job.as_deref().unwrap_or_default(), out);
    let Some(task) = &record.task else { return };
    append_name(" ", task, out);
    if let Some(attempt) = record.attempt {
        out.push(b'.');
        append_number(u64::from(attempt), out);
    }
}

/// Names come from programs and files: a control character in one must not begin a line of its own.
pub(super) fn append_name(before: &str, name: &str, out: &mut Vec<u8>) {
    if name.is_empty() {
        return;
    }
    out.extend_from_slice(before.as_bytes());
    let start = out.len();
    out.extend_from_slice(name.as_bytes());
    for byte in &mut out[start..] {
        if byte.is_ascii_control() {
            *byte = b'?';
        }
    }
}

/// A message without its trailing line ends; its further lines are indented.
pub(super) fn append_message(message: &str, out: &mut Vec<u8>) {
    let message = message.trim_end_matches(['\n', '\r']).as_bytes();
    let mut lines = message.split(|byte| *byte == b'\n');
    out.extend_from_slice(lines.next().unwrap_or_default());
    for line in lines {
        out.push(b'\n');
        out.extend_from_slice(INDENT);
        out.extend_from_slice(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(record: &Record, millis: i64) -> String {
        let mut out = Vec::new();
        append(record, "STAMP", millis, false, &mut out);
        String::from_utf8(out).expect("text")
    }

    fn record(message: &str) -> Record {
        Record { process: "Worker-1".into(), pid: 4711, ..Record::new(Level::INFO, "here", message) }
    }

    #[test]
    fn absent_parts_are_left_out() {
        assert_eq!(text(&record("hello"), 456), "STAMP +0.456s  INFO Worker-1[4711] here: hello\n");
    }

    #[test]
    fn job_task_attempt_and_spans_are_shown() {
        let record = Record {
            job: Some("wordcount".into()),
            task: Some("map-3".into()),
            attempt: Some(1),
            spans: Some("outer{n=1}:inner".into()),
            ..record("hello")
        };
        let expected = "STAMP -1.002s  INFO Worker-1[4711] wordcount map-3.1 outer{n=1}:inner here: hello\n";
        assert_eq!(text(&record, -1002), expected);
    }

    #[test]
    fn only_a_record_starts_at_the_margin() {
        let record = Record { task: Some("a\nb".into()), ..record("one\ntwo\n\nthree\n\n") };
        let expected = "STAMP +0.000s  INFO Worker-1[4711] a?b here: one\n    two\n    \n    three\n";
        assert_eq!(text(&record, 0), expected);
    }

    #[test]
    fn a_level_is_coloured_when_asked_for() {
        let mut out = Vec::new();
        append(&record("x"), "STAMP", 0, true, &mut out);
        assert!(out.starts_with(b"STAMP +0.000s \x1b[32m INFO\x1b[0m Worker-1"));
    }
}
