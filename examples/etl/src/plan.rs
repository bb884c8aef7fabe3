//! What every worker knows about the run, and how it travels there.
//!
//! The parent makes a `Plan`; a worker makes a `Context` of it, once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gristmill_pool::sync::Semaphore;
use serde::{Deserialize, Serialize};

use crate::convert::{Kind, Value};
use crate::database::Target;
use crate::schema::Schema;

/// The run as it is sent to workers. It has no `Debug`: there may be a password in the URL.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) url: String,
    /// The text of the schema.
    pub(crate) schema: String,
    pub(crate) export: PathBuf,
    /// The column that `since` compares.
    pub(crate) key: String,
    pub(crate) since: Option<Since>,
    pub(crate) batch: usize,
    pub(crate) existing: Existing,
    /// A row that is not taken is set aside, instead of ending everything.
    pub(crate) quarantine: bool,
    /// For connections and locks.
    pub(crate) timeout: Duration,
    /// For a task as a whole.
    pub(crate) task_timeout: Duration,
    /// Whoever has a permit may have a connection.
    pub(crate) writers: Semaphore,
}

/// Which documents are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Since {
    pub(crate) key: String,
    /// Those with that very key as well.
    pub(crate) inclusive: bool,
}

/// What becomes of a document that is in the table already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub(crate) enum Existing {
    /// It is an error, as any other row that the database does not take.
    Error,
    /// It is left as it is in the table, and counted.
    Skip,
}

/// The same, read and ready for use.
pub(crate) struct Context {
    pub(crate) plan: Plan,
    pub(crate) schema: Schema,
    pub(crate) target: Target,
    /// The column that `since` compares.
    pub(crate) key: usize,
    since: Option<(Value, bool)>,
}

impl Context {
    /// Reads a plan. The error says which of its parts makes no sense.
    pub(crate) fn new(plan: Plan) -> Result<Self, String> {
        let schema = Schema::parse(&plan.schema)?;
        let target = Target::parse(&plan.url)?;
        let table = schema.documents();
        let unknown = || format!("`{}` is no column of `{}`", plan.key, table.name);
        let key = table.column(&plan.key).ok_or_else(unknown)?;
        let kind = table.columns[key].kind;
        let read = |since: &Since| -> Result<_, String> {
            let value = kind.parse(&since.key).map_err(|error| format!("column `{}`: {error}", plan.key))?;
            Ok((value, since.inclusive))
        };
        if !matches!(kind, Kind::Text | Kind::Integer | Kind::Real | Kind::Timestamp) {
            return Err(format!("column `{}`: {kind} has no order to go on in", plan.key));
        }
        let since = plan.since.as_ref().map(read).transpose()?;
        Ok(Self { plan, schema, target, key, since })
    }

    /// Whether a document with this key is wanted. One without a key is not, if any are left out at all.
    pub(crate) fn wants(&self, key: &Value) -> bool {
        self.since.as_ref().is_none_or(|(since, inclusive)| match order(key, since) {
            Some(std::cmp::Ordering::Equal) => *inclusive,
            order => order == Some(std::cmp::Ordering::Greater),
        })
    }

    /// The later one of two keys, in their textual form.
    pub(crate) fn later(&self, a: Option<String>, b: Option<String>) -> Option<String> {
        let (Some(a), Some(b)) = (&a, &b) else { return a.or(b) };
        let kind = self.schema.documents().columns[self.key].kind;
        let parse = |text: &str| kind.parse(text).unwrap_or(Value::Null);
        let is_later = order(&parse(b), &parse(a)) == Some(std::cmp::Ordering::Greater);
        Some(if is_later { b.clone() } else { a.clone() })
    }

    /// The name of the export in messages.
    pub(crate) fn source(&self) -> String {
        name_of(&self.plan.export)
    }
}

/// The last part of a path.
pub(crate) fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// How two values of one column compare.
pub(crate) fn order(a: &Value, b: &Value) -> Option<std::cmp::Ordering> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) | (Value::Timestamp(a), Value::Timestamp(b)) => Some(a.cmp(b)),
        (Value::Integer(a), Value::Integer(b)) => Some(a.cmp(b)),
        (Value::Real(a), Value::Real(b)) => a.partial_cmp(b),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;

    #[test]
    fn values_of_one_type_have_an_order_and_others_none() {
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(order(&Value::Integer(10), &Value::Integer(9)), Some(Ordering::Greater));
        assert_eq!(order(&text("10"), &text("9")), Some(Ordering::Less));
        assert_eq!(order(&Value::Null, &text("9")), None);
        assert_eq!(order(&Value::Real(0.5), &Value::Integer(0)), None);
    }
}
