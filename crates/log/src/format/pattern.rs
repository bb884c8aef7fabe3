//! Lines by a pattern such as `{time} {level} {process}: {message}`.
//!
//! A pattern is taken apart once, when it is read, and cannot fail afterwards.

use std::fmt;
use std::str::FromStr;

use super::text::{append_elapsed, append_level, append_message, append_name, append_number};
use crate::Record;

/// What each record's line is made of.
///
/// A part of a record stands in braces and may have a least width, `{process:>10}` at the right or `{process:<10}` at
/// the left; `{{` is a brace. The parts: `time`, `elapsed`, `level`, `target`, `message`, `process`, `pid`, `thread`,
/// `job`, `task`, `attempt`, `spans`, `file`, `line` and `sequence`. What a record does not have is left empty.
///
/// ```
/// use gristmill_log::{Console, Format, Pattern};
///
/// let pattern: Pattern = "{time} {process:<10} {level} {message}".parse()?;
/// let console = Console::stderr().format(Format::Pattern(pattern));
/// # Ok::<(), gristmill_log::PatternError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    pieces: Vec<Piece>,
}

/// A pattern that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log pattern `{pattern}` {fault}")]
pub struct PatternError {
    pattern: String,
    fault: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Part { part: Part, width: usize, right: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Time,
    Elapsed,
    Level,
    Target,
    Message,
    Process,
    Pid,
    Thread,
    Job,
    Task,
    Attempt,
    Spans,
    File,
    Line,
    Sequence,
}

impl Part {
    const NAMES: [(&'static str, Self); 15] = [
        ("time", Self::Time),
        ("elapsed", Self::Elapsed),
        ("level", Self::Level),
        ("target", Self::Target),
        ("message", Self::Message),
        ("process", Self::Process),
        ("pid", Self::Pid),
        ("thread", Self::Thread),
        ("job", Self::Job),
        ("task", Self::Task),
        ("attempt", Self::Attempt),
        ("spans", Self::Spans),
        ("file", Self::File),
        ("line", Self::Line),
        ("sequence", Self::Sequence),
    ];
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let failed = |fault| PatternError { pattern: text.to_owned(), fault };
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
                continue;
            }
            let (part, after) = rest
                .split_once('}')
                .filter(|_| brace == "{")
                .ok_or_else(|| failed("has a brace without its partner".to_owned()))?;
            pieces.extend([Piece::Literal(std::mem::take(&mut literal)), piece(part).map_err(failed)?]);
            rest = after;
        }
        if pieces.is_empty() {
            // A misspelt `json` would make all records alike.
            return Err(failed("has no part in braces".to_owned()));
        }
        literal.push_str(rest);
        pieces.push(Piece::Literal(literal));
        Ok(Self { text: text.to_owned(), pieces })
    }
}

/// Reads what stands between braces.
fn piece(text: &str) -> Result<Piece, String> {
    let (name, width) = text.split_once(':').unwrap_or((text, "0"));
    let part = Part::NAMES.iter().find(|(known, _)| *known == name).map(|(_, part)| *part);
    let part = part.ok_or_else(|| format!("names an unknown part `{name}`"))?;
    let digits = width.trim_start_matches(['<', '>']);
    let width_error = |_| format!("has a width `{width}` that is no number");
    Ok(Piece::Part { part, width: digits.parse().map_err(width_error)?, right: width.starts_with('>') })
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Pattern {
    /// Appends one record with its line end.
    pub(super) fn append(&self, record: &Record, stamp: &str, millis: i64, colors: bool, out: &mut Vec<u8>) {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Part { part, width, right } => {
                    let start = out.len();
                    append_part(*part, record, stamp, millis, colors, out);
                    pad(start, *width, *right, out);
                }
            }
        }
        out.push(b'\n');
    }
}

fn append_part(part: Part, record: &Record, stamp: &str, millis: i64, colors: bool, out: &mut Vec<u8>) {
    let name =
        |name: &Option<String>, out: &mut Vec<u8>| append_name("", name.as_deref().unwrap_or_default(), out);
    match part {
        Part::Time => append_name("", stamp, out),
        Part::Elapsed => append_elapsed(millis, out),
        Part::Level => append_level(record.level, colors, out),
        Part::Target => append_name("", &record.target, out),
        Part::Message => append_message(&record.message, out),
        Part::Process => append_name("", &record.process, out),
        Part::Pid => append_number(u64::from(record.pid), out),
        Part::Thread => name(&record.thread, out),
        Part::Job => name(&record.job, out),
        Part::Task => name(&record.task, out),
        Part::Attempt => record.attempt.into_iter().for_each(|number| append_number(u64::from(number), out)),
        Part::Spans => name(&record.spans, out),
        Part::File => name(&record.file, out),
        Part::Line => record.line.into_iter().for_each(|number| append_number(u64::from(number), out)),
        Part::Sequence => append_number(record.sequence, out),
    }
}

/// Fills what has been appended since `start` up with spaces.
fn pad(start: usize, width: usize, right: bool, out: &mut Vec<u8>) {
    let characters = out[start..].iter().filter(|byte| !matches!(byte, 0x80..=0xBF)).count();
    let missing = width.saturating_sub(characters);
    out.extend(std::iter::repeat_n(b' ', missing));
    if right {
        out[start..].rotate_right(missing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    fn line(pattern: &str) -> String {
        let record = Record {
            process: "Größe".into(),
            pid: 7,
            thread: Some("main".into()),
            line: Some(12),
            ..Record::new(Level::WARN, "here", "one\ntwo\n")
        };
        let mut out = Vec::new();
        let pattern: Pattern = pattern.parse().expect("a pattern");
        pattern.append(&record, "STAMP", 1500, false, &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn parts_stand_where_the_pattern_says() {
        assert_eq!(
            line("{time} {elapsed} {process}[{pid}] {target}:{line}"),
            "STAMP +1.500s Größe[7] here:12\n"
        );
        assert_eq!(line("{{{thread}}} {job}|{message}"), "{main} |one\n    two\n");
    }

    #[test]
    fn widths_count_characters() {
        assert_eq!(
            line("{process:7}|{process:<7}|{process:>7}|{level:3}|"),
            "Größe  |Größe  |  Größe| WARN|\n"
        );
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (pattern, fault) in [
            ("{when}", "names an unknown part `when`"),
            ("{time", "has a brace without its partner"),
            ("time}", "has a brace without its partner"),
            ("jsn", "has no part in braces"),
            ("{level:x}", "has a width `x` that is no number"),
        ] {
            let error = pattern.parse::<Pattern>().expect_err("no pattern").to_string();
            assert_eq!(error, format!("the log pattern `{pattern}` {fault}"));
        }
    }
}
