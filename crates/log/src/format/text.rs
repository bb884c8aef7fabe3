//! The text format.
//!
//! ```text
//! 2026-11-21 08:00:00.123+00:00 +0.456s  INFO Worker-1[4711] wordcount map-3.1 gristmill::worker: message key=value
//! ```
//! Parts that are absent are left out. Nothing but a record starts at the margin.

use std::io::{self, Write};

use tracing::Level;

use crate::Record;

/// What stands before the second and every further line of a message.
const INDENT: &[u8] = b"    ";

/// Appends one record; `millis` is the time since the listener's start.
pub(super) fn append(
    record: &Record,
    stamp: &str,
    millis: i64,
    colors: bool,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let sign = if millis < 0 { '-' } else { '+' };
    let (seconds, rest) = (millis.unsigned_abs() / 1000, millis.unsigned_abs() % 1000);
    write!(out, "{stamp} {sign}{seconds}.{rest:03}s ")?;
    append_level(record.level, colors, out)?;
    append_name(" ", &record.process, out);
    write!(out, "[{}]", record.pid)?;
    append_task(record, out)?;
    append_name(" ", &record.target, out);
    out.push(b':');
    append_message(record.message.trim_end_matches(['\n', '\r']), out);
    out.push(b'\n');
    Ok(())
}

fn append_level(level: Level, colors: bool, out: &mut Vec<u8>) -> io::Result<()> {
    let color = match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    };
    if colors { write!(out, "\x1b[{color}m{level:>5}\x1b[0m") } else { write!(out, "{level:>5}") }
}

fn append_task(record: &Record, out: &mut Vec<u8>) -> io::Result<()> {
    append_name(" ", record.job.as_deref().unwrap_or_default(), out);
    let Some(task) = &record.task else { return Ok(()) };
    append_name(" ", task, out);
    record.attempt.map_or(Ok(()), |attempt| write!(out, ".{attempt}"))
}

/// Names come from programs and files: a control character in one must not begin a line of its own.
fn append_name(before: &str, name: &str, out: &mut Vec<u8>) {
    if name.is_empty() {
        return;
    }
    out.extend_from_slice(before.as_bytes());
    out.extend(name.bytes().map(|byte| if byte.is_ascii_control() { b'?' } else { byte }));
}

fn append_message(message: &str, out: &mut Vec<u8>) {
    for (number, line) in message.split('\n').enumerate() {
        match number {
            0 if line.is_empty() => {}
            0 => out.push(b' '),
            _ => {
                out.push(b'\n');
                out.extend_from_slice(INDENT);
            }
        }
        out.extend_from_slice(line.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(record: &Record, millis: i64) -> String {
        let mut out = Vec::new();
        append(record, "STAMP", millis, false, &mut out).expect("a vector takes all");
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
    fn job_task_and_attempt_are_shown() {
        let record = Record {
            job: Some("wordcount".into()),
            task: Some("map-3".into()),
            attempt: Some(1),
            ..record("hello")
        };
        let expected = "STAMP -1.002s  INFO Worker-1[4711] wordcount map-3.1 here: hello\n";
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
        append(&record("x"), "STAMP", 0, true, &mut out).expect("a vector takes all");
        assert!(out.starts_with(b"STAMP +0.000s \x1b[32m INFO\x1b[0m Worker-1"));
    }
}
