//! Death certificates: how an attempt ended, or what a record was set aside for, as JSON.
//!
//! It does not write them to files.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::SystemTime;

use bstr::BStr;
use serde::{Deserialize, Serialize};

use crate::input::{InputFile, Origin, Plan};
use crate::task::{Blame, DeathFacts, Failure, FailureKind, Spot};

/// Everything that is known of a failure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Certificate {
    /// That of the record or group, if it is about one that was set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    pub(crate) job: String,
    task: String,
    /// Failures that count, of the task or of what was set aside.
    attempts: u32,
    worker: String,
    pid: Option<u32>,
    #[serde(flatten)]
    what: What,
    #[serde(flatten)]
    death: Death,
    /// Where user code was, in words.
    input: Option<String>,
    record: Option<String>,
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<Place>,
    /// All records and groups that were to blame.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    blamed: Vec<String>,
    last_words: String,
    log_tail: Vec<String>,
    stderr_tail: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    program: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<String>,
}

/// How the attempt ended.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct What {
    kind: String,
    message: String,
    location: Option<String>,
    backtrace: Option<String>,
}

/// What the system says of the end of the worker, if it ended.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Death {
    signal: Option<i32>,
    status: Option<i32>,
    sent_by_us: Option<String>,
    peak_rss: Option<u64>,
    oom_kills: Option<u64>,
}

/// What was set aside.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
    Record {
        /// The input's path; `None` for standard input and items.
        path: Option<String>,
        /// The bytes of the path in hexadecimal digits, if it is not UTF-8.
        path_hex: Option<String>,
        /// The input's ordinal.
        file: u32,
        origin: String,
        offset: u64,
        len: u64,
    },
    Group {
        partition: u32,
        ordinal: u64,
        /// The first bytes of the encoded key, escaped, and in hexadecimal digits.
        key: String,
        key_hex: String,
        /// How many bytes it has.
        key_len: usize,
    },
}

impl Certificate {
    /// That of an attempt that failed.
    pub(crate) fn of(failure: &Failure) -> Self {
        Self {
            id: None,
            job: failure.job.clone(),
            task: failure.task.clone(),
            attempts: failure.attempt,
            worker: failure.worker.clone(),
            pid: failure.pid,
            what: What::of(&failure.kind),
            death: failure.death.as_ref().map(Death::of).unwrap_or_default(),
            input: failure.input.clone(),
            record: failure.record.clone(),
            key: failure.key.clone(),
            place: None,
            blamed: failure.spots.iter().map(|blame| blame.spot.to_string()).collect(),
            last_words: failure.last_words.clone(),
            log_tail: failure.log_tail.clone(),
            stderr_tail: failure.stderr_tail.clone(),
            program: None,
            time: None,
        }
    }

    /// That of a record or group that is set aside after so many failures, of which this is the last.
    pub(super) fn set_aside(blame: &Blame, failure: &Failure, strikes: u32, plan: &Plan) -> Self {
        let program = std::env::current_exe().ok().map(|path| path.display().to_string());
        let mut one = failure.clone();
        one.blame(plan, failure.task_id(blame.spot), vec![blame.clone()]);
        Self {
            id: Some(blame.spot.to_string()),
            attempts: strikes,
            what: What::of(&blame.kind),
            place: Some(Place::of(blame, plan)),
            blamed: Vec::new(),
            program,
            time: Some(humantime::format_rfc3339_seconds(SystemTime::now()).to_string()),
            ..Self::of(&one)
        }
    }
}

impl What {
    fn of(kind: &FailureKind) -> Self {
        let (name, message) = match kind {
            FailureKind::Returned { message } => ("error", message),
            FailureKind::Panicked { message, location, backtrace } => {
                let (message, location) = (message.clone(), Some(location.clone()));
                let backtrace = (!backtrace.is_empty()).then(|| backtrace.clone());
                return Self { kind: "panic".to_owned(), message, location, backtrace };
            }
            FailureKind::WorkerDied { cause } => ("death", cause),
            FailureKind::TimedOut { limit } => ("timeout", limit),
        };
        Self { kind: name.to_owned(), message: message.clone(), ..Self::default() }
    }
}

impl Death {
    fn of(facts: &DeathFacts) -> Self {
        Self {
            signal: facts.signal,
            status: facts.status,
            sent_by_us: facts.sent_by_us.clone(),
            peak_rss: facts.peak_rss,
            oom_kills: facts.oom_kills,
        }
    }
}

impl Place {
    fn of(blame: &Blame, plan: &Plan) -> Self {
        match blame.spot {
            Spot::Record { file, offset, len } => {
                let input = plan.files.get(file as usize);
                let path = input.and_then(InputFile::user_path).map(Path::as_os_str);
                Self::Record {
                    path: path.map(|path| path.to_string_lossy().into_owned()),
                    path_hex: path.filter(|path| path.to_str().is_none()).map(|path| hex(path.as_bytes())),
                    file,
                    origin: input.map_or("file", |input| origin_name(input.origin)).to_owned(),
                    offset,
                    len,
                }
            }
            Spot::Group { partition, ordinal } => {
                let key = blame.key.as_deref().unwrap_or_default();
                let (escaped, key_len) = (BStr::new(key).escape_ascii().to_string(), blame.key_len);
                Self::Group { partition, ordinal, key: escaped, key_hex: hex(key), key_len }
            }
        }
    }
}

const ORIGINS: [(Origin, &str); 3] =
    [(Origin::File, "file"), (Origin::Stdin, "stdin"), (Origin::Items, "items")];

fn origin_name(origin: Origin) -> &'static str {
    ORIGINS.iter().find(|(known, _)| *known == origin).map_or("file", |(_, name)| name)
}

/// The origin that a certificate names.
pub(super) fn origin(name: &str) -> Origin {
    ORIGINS.iter().find(|(_, known)| *known == name).map_or(Origin::File, |(origin, _)| *origin)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that hexadecimal digits stand for; `None` if they are none.
pub(super) fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_come_back_as_bytes() {
        let bytes = [0, 0xff, 0x0a, b'x'];
        assert_eq!((hex(&bytes).as_str(), from_hex("00ff0a78")), ("00ff0a78", Some(bytes.to_vec())));
        assert_eq!(from_hex("0g"), None);
    }
}
