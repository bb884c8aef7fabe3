//! The lines of a task become rows, or are refused with a reason.
//!
//! No database is needed for that, so workers do it before they ask for one.

use crate::convert::Value;
use crate::extract::Task;
use crate::flatten::{Flattener, Rows};
use crate::json::Json;
use crate::ledger::Outcome;
use crate::plan::{Context, order};

/// Where a document stands in the export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Counted from 1.
    pub(crate) line: u64,
    pub(crate) offset: u64,
    pub(crate) len: usize,
}

/// A document that is ready to be inserted.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) place: Place,
    pub(crate) rows: Rows,
}

/// A line that is not taken, and why.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) place: Place,
    pub(crate) error: String,
}

/// What has become of a task's lines.
#[derive(Debug, Default)]
pub(crate) struct Transformed {
    pub(crate) documents: Vec<Document>,
    pub(crate) refusals: Vec<Refusal>,
    /// Begun with what is known before anything is inserted.
    pub(crate) outcome: Outcome,
}

/// Reads, selects and flattens. It goes on after a line that is not taken.
pub(crate) fn transform(context: &Context, task: &Task, bytes: &[u8]) -> Transformed {
    let mut flattener = Flattener::new(&context.schema);
    let mut done = Transformed::default();
    let mut last: Option<Value> = None;
    let mut offset = task.start;
    for (line, text) in (task.first_line..).zip(bytes.split_inclusive(|&byte| byte == b'\n')) {
        let place = Place { line, offset, len: text.len() };
        offset += text.len() as u64;
        if text.trim_ascii().is_empty() {
            continue;
        }
        done.outcome.read += 1;
        match document(context, &mut flattener, text) {
            Ok(None) => done.outcome.left_out += 1,
            Ok(Some((key, rows))) => {
                if last.as_ref().is_none_or(|last| order(&key, last).is_some_and(|order| order.is_gt())) {
                    last = Some(key);
                }
                done.documents.push(Document { place, rows });
            }
            Err(error) => done.refusals.push(Refusal { place, error }),
        }
    }
    done.outcome.last_key = last.filter(|key| *key != Value::Null).map(|key| key.to_string());
    done.outcome.unknown = flattener.unknown;
    done
}

/// The key and the rows of a document, if it is wanted.
fn document(
    context: &Context,
    flattener: &mut Flattener<'_>,
    line: &[u8],
) -> Result<Option<(Value, Rows)>, String> {
    let text = std::str::from_utf8(line.trim_ascii_end())
        .map_err(|error| format!("no UTF-8 from byte {} of the line on", error.valid_up_to() + 1))?;
    let json: Json =
        serde_json::from_str(text).map_err(|error| format!("no JSON: {}", without_line(&error)))?;
    let column = &context.schema.documents().columns[context.key];
    let key = crate::flatten::value(&json, column)?;
    if !context.wants(&key) {
        return Ok(None);
    }
    flattener.flatten(&json).map(|rows| Some((key, rows)))
}

/// To the parser each document is line 1.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}
