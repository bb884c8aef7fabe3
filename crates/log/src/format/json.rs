//! The JSON format: one object in one line, absent parts left out.
//!
//! Field names are part of the interface: programs read them.

use std::io;

use serde::Serialize;

use crate::Record;

#[derive(Serialize)]
struct Line<'a> {
    time: &'a str,
    /// Seconds since the listener's start.
    elapsed: f64,
    level: &'a str,
    target: &'a str,
    process: &'a str,
    pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spans: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    sequence: u64,
    message: &'a str,
}

/// Appends one record; `millis` is the time since the listener's start.
pub(super) fn append(record: &Record, stamp: &str, millis: i64, out: &mut Vec<u8>) -> io::Result<()> {
    let line = Line {
        time: stamp,
        elapsed: millis as f64 / 1000.0,
        level: record.level.as_str(),
        target: &record.target,
        process: &record.process,
        pid: record.pid,
        thread: record.thread.as_deref(),
        job: record.job.as_deref(),
        task: record.task.as_deref(),
        attempt: record.attempt,
        spans: record.spans.as_deref(),
        file: record.file.as_deref(),
        line: record.line,
        sequence: record.sequence,
        message: &record.message,
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn a_record_is_one_line() {
        let record = Record {
            process: "Worker-1".into(),
            pid: 7,
            task: Some("map-3".into()),
            sequence: 2,
            ..Record::new(Level::WARN, "here", "two\nlines")
        };
        let mut out = Vec::new();
        append(&record, "STAMP", 1500, &mut out).expect("a vector takes all");
        let expected = r#"{"time":"STAMP","elapsed":1.5,"level":"WARN","target":"here","process":"Worker-1","pid":7,"task":"map-3","sequence":2,"message":"two\nlines"}"#;
        assert_eq!(String::from_utf8(out).expect("text"), format!("{expected}\n"));
    }
}
