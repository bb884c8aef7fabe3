//! The log record: what a process says about one event, ready to be formatted without its help.
//!
//! Encoding for the ring is here too. It does not say how a record looks to a reader: that is `format`.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tracing::Level;

/// One log record.
///
/// [`Record::new`] fills in the time and the process id; everything that is not known stays empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Wall time in nanoseconds since the Unix epoch.
    pub time: i64,
    /// How important it is.
    #[serde(with = "level")]
    pub level: Level,
    /// The part of the program that speaks, usually a module path.
    pub target: String,
    /// The message, with the event's fields behind it as `key=value`. It may have several lines.
    pub message: String,
    /// The name of the process, such as `Worker-1`.
    pub process: String,
    /// The id of the process.
    pub pid: u32,
    /// The name of the thread, if it has one.
    pub thread: Option<String>,
    /// The job that the thread was working on.
    pub job: Option<String>,
    /// The task that the thread was working on.
    pub task: Option<String>,
    /// Which attempt at the task it was, counted from 1.
    pub attempt: Option<u32>,
    /// The spans around the event, the outermost first, such as `request{id=7}:query`.
    pub spans: Option<String>,
    /// The source file of the event.
    pub file: Option<String>,
    /// The line in that file.
    pub line: Option<u32>,
    /// The record's number within its process, counted from 1. The endpoint sets it when the record is queued.
    pub sequence: u64,
}

impl Record {
    /// A record of this process and this moment.
    #[must_use]
    pub fn new(level: Level, target: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            time: now(),
            level,
            target: target.into(),
            message: message.into(),
            process: String::new(),
            pid: std::process::id(),
            thread: None,
            job: None,
            task: None,
            attempt: None,
            spans: None,
            file: None,
            line: None,
            sequence: 0,
        }
    }
}

/// The wall clock in nanoseconds since the Unix epoch.
pub(crate) fn now() -> i64 {
    unix_nanos(SystemTime::now())
}

pub(crate) fn unix_nanos(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
    }
}

/// A record on its way into or out of a ring: the same fields, borrowed, so that nothing is allocated.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Wire<'a> {
    pub(crate) time: i64,
    #[serde(with = "level")]
    pub(crate) level: Level,
    pub(crate) target: &'a str,
    pub(crate) message: &'a str,
    pub(crate) process: &'a str,
    pub(crate) pid: u32,
    pub(crate) thread: Option<&'a str>,
    pub(crate) job: Option<&'a str>,
    pub(crate) task: Option<&'a str>,
    pub(crate) attempt: Option<u32>,
    pub(crate) spans: Option<&'a str>,
    pub(crate) file: Option<&'a str>,
    pub(crate) line: Option<u32>,
    pub(crate) sequence: u64,
}

impl Wire<'_> {
    /// Replaces the content of `out` with the encoded record.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), bincode::error::EncodeError> {
        out.clear();
        bincode::serde::encode_into_std_write(self, out, bincode::config::standard()).map(drop)
    }
}

impl<'a> Wire<'a> {
    /// Reads a record that fills `bytes` exactly. The bytes may be anything.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, String> {
        let config = bincode::config::standard().with_limit::<MAX_DECODED>();
        match bincode::serde::borrow_decode_from_slice::<Self, _>(bytes, config) {
            Ok((wire, used)) if used == bytes.len() => Ok(wire),
            Ok((_, used)) => Err(format!("{} bytes behind the record", bytes.len() - used)),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// No record may claim more than this, whatever the size of the ring it came through.
const MAX_DECODED: usize = 64 << 20;

impl<'a> From<&'a Record> for Wire<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            time: record.time,
            level: record.level,
            target: &record.target,
            message: &record.message,
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
        }
    }
}

impl From<Wire<'_>> for Record {
    fn from(wire: Wire<'_>) -> Self {
        let mut record = Self::new(wire.level, "", "");
        record.assign(&wire);
        record
    }
}

impl Record {
    /// Takes everything over from `wire`. The texts' memory is used again: a listener does this for every record.
    pub(crate) fn assign(&mut self, wire: &Wire<'_>) {
        self.time = wire.time;
        self.level = wire.level;
        wire.target.clone_into(&mut self.target);
        wire.message.clone_into(&mut self.message);
        wire.process.clone_into(&mut self.process);
        self.pid = wire.pid;
        replace(&mut self.thread, wire.thread);
        replace(&mut self.job, wire.job);
        replace(&mut self.task, wire.task);
        self.attempt = wire.attempt;
        replace(&mut self.spans, wire.spans);
        replace(&mut self.file, wire.file);
        self.line = wire.line;
        self.sequence = wire.sequence;
    }
}

fn replace(place: &mut Option<String>, text: Option<&str>) {
    match (place.as_mut(), text) {
        (Some(place), Some(text)) => text.clone_into(place),
        (_, text) => *place = text.map(str::to_owned),
    }
}

/// A level is a digit on the wire, 1 for an error and 5 for a trace.
mod level {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use tracing::Level;

    const LEVELS: [Level; 5] = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];

    pub(super) fn serialize<S: Serializer>(level: &Level, serializer: S) -> Result<S::Ok, S::Error> {
        let digit = match *level {
            Level::ERROR => 1,
            Level::WARN => 2,
            Level::INFO => 3,
            Level::DEBUG => 4,
            Level::TRACE => 5,
        };
        serializer.serialize_u8(digit)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Level, D::Error> {
        let digit = u8::deserialize(deserializer)?;
        let index = usize::from(digit).checked_sub(1);
        let level = index.and_then(|index| LEVELS.get(index));
        level.copied().ok_or_else(|| de::Error::custom(format_args!("level {digit} is not between 1 and 5")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn full() -> Record {
        Record {
            thread: Some("main".into()),
            job: Some("wordcount".into()),
            task: Some("map-3".into()),
            attempt: Some(1),
            spans: Some("request{id=7}".into()),
            file: Some("src/main.rs".into()),
            line: Some(7),
            sequence: 9,
            ..Record::new(Level::DEBUG, "here", "two\nlines")
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        for record in [full(), Record::new(Level::ERROR, "", "")] {
            let mut bytes = Vec::new();
            Wire::from(&record).encode(&mut bytes).expect("encode");
            assert_eq!(Record::from(Wire::decode(&bytes).expect("decode")), record);
        }
    }

    #[test]
    fn bytes_behind_a_record_are_an_error() {
        let mut bytes = Vec::new();
        Wire::from(&full()).encode(&mut bytes).expect("encode");
        bytes.push(0);
        assert_eq!(Wire::decode(&bytes).expect_err("too long"), "1 bytes behind the record");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(Wire::decode(&bytes));
        }
    }
}
