//! A document becomes rows: nested objects become columns, the elements of arrays rows of child tables.
//!
//! A missing field is NULL. What no column takes is counted, not lost in silence. Types are `convert`'s part.

use std::collections::{BTreeMap, BTreeSet};

use crate::convert::Value;
use crate::extended::Extended;
use crate::json::{Fields, Json};
use crate::schema::{ADDED, Column, Schema, Table};

/// The values of one row, in the order of the table's columns.
pub(crate) type Row = Vec<Value>;

/// The rows of one document, for each table of the schema.
pub(crate) type Rows = Vec<Vec<Row>>;

/// So many fields that no column takes are told apart.
const MOST_UNKNOWN: usize = 50;

/// Flattens documents after a schema.
#[derive(Debug)]
pub(crate) struct Flattener<'a> {
    schema: &'a Schema,
    /// The paths that a column or child takes, whole.
    taken: BTreeSet<String>,
    /// Fields that no column takes, and in how many documents.
    pub(crate) unknown: BTreeMap<String, u64>,
}

impl<'a> Flattener<'a> {
    pub(crate) fn new(schema: &'a Schema) -> Self {
        let mut taken = BTreeSet::new();
        for table in &schema.tables {
            let own = table.columns.iter().skip(if table.from.is_empty() { 0 } else { ADDED });
            taken.extend(own.map(|column| dotted(&table.from, &column.from)));
        }
        Self { schema, taken, unknown: BTreeMap::new() }
    }

    /// The rows of one document. The error names field and value.
    pub(crate) fn flatten(&mut self, document: &Json) -> Result<Rows, String> {
        let Extended::Object(fields) = Extended::read(document)? else {
            return Err(
                "the line is no JSON object (an array is what `mongoexport --jsonArray` writes)".into()
            );
        };
        let (documents, children) = (self.schema.documents(), &self.schema.tables[1..]);
        let row = documents.columns.iter().map(|column| value(document, column));
        let row = row.collect::<Result<Row, _>>()?;
        let key = row[documents.key[0]].clone();
        let mut rows = vec![vec![row]];
        for child in children {
            rows.push(elements(document, child, &key)?);
        }
        let mut unknown = BTreeSet::new();
        self.note_unknown(fields, "", &mut unknown);
        for path in unknown {
            if self.unknown.len() < MOST_UNKNOWN || self.unknown.contains_key(&path) {
                *self.unknown.entry(path).or_default() += 1;
            }
        }
        Ok(rows)
    }

    fn note_unknown(&self, fields: &[(String, Json)], before: &str, unknown: &mut BTreeSet<String>) {
        for (name, json) in fields {
            let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
            if self.taken.contains(&path) {
                continue;
            }
            let below = format!("{path}.");
            let has_below = self.taken.range(below.clone()..).next().is_some_and(|p| p.starts_with(&below));
            match json {
                Json::Object(fields) if has_below => self.note_unknown(fields, &path, unknown),
                Json::Array(items) if has_below => {
                    let objects = items.iter().filter_map(as_fields);
                    objects.for_each(|fields| self.note_unknown(fields, &path, unknown));
                }
                _ if has_below => {}
                _ => drop(unknown.insert(path)),
            }
        }
    }
}

fn as_fields(json: &Json) -> Option<&Fields> {
    if let Json::Object(fields) = json { Some(fields) } else { None }
}

fn dotted(table: &[String], column: &[String]) -> String {
    [table, column].concat().join(".")
}

/// The value of one column.
pub(crate) fn value(json: &Json, column: &Column) -> Result<Value, String> {
    let found = find(json, &column.from)?;
    let value = found.map_or(Ok(Value::Null), |json| column.kind.convert(json));
    match value.map_err(|error| format!("field `{}`: {error}", column.from.join(".")))? {
        Value::Null if column.required => Err(format!("field `{}` is required", column.from.join("."))),
        value => Ok(value),
    }
}

/// What is there, if anything is. A null on the way is nothing; another plain value there is an error.
fn find<'a>(json: &'a Json, path: &[String]) -> Result<Option<&'a Json>, String> {
    let mut here = json;
    for (depth, field) in path.iter().enumerate() {
        let fields = match Extended::read(here)? {
            Extended::Object(fields) => fields,
            Extended::Null => return Ok(None),
            other => {
                return Err(format!(
                    "field `{}`: expected an object, found {} {here}",
                    path[..depth].join("."),
                    other.name()
                ));
            }
        };
        match fields.iter().find(|(name, _)| name == field) {
            Some((_, inner)) => here = inner,
            None => return Ok(None),
        }
    }
    Ok(Some(here))
}

/// The rows of a child table.
fn elements(document: &Json, child: &Table, key: &Value) -> Result<Vec<Row>, String> {
    let items = match find(document, &child.from)?.map(Extended::read).transpose()? {
        None | Some(Extended::Null) => return Ok(Vec::new()),
        Some(Extended::Array(items)) => items,
        Some(other) => {
            let found = other.name();
            return Err(format!("field `{}`: expected an array, found {found}", child.from.join(".")));
        }
    };
    let row = |(position, item): (usize, &Json)| {
        let mut row = vec![key.clone(), Value::Integer(position as i64)];
        for column in &child.columns[ADDED..] {
            let within = |error| format!("element {position} of `{}`: {error}", child.from.join("."));
            row.push(value(item, column).map_err(within)?);
        }
        Ok(row)
    };
    items.iter().enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"
        table = "t"
        key = "id"
        columns = [
            { name = "id", from = "_id", type = "text" },
            { from = "a.b", type = "integer" },
            { from = "c", type = "json" },
        ]
        [[children]]
        table = "items"
        from = "x.items"
        columns = [{ from = "sku", type = "text", required = true }]
        [[children]]
        table = "tags"
        from = "tags"
        columns = [{ name = "tag", from = ".", type = "text" }]
    "#;

    fn flatten(text: &str) -> (Result<String, String>, Vec<(String, u64)>) {
        let schema = Schema::parse(SCHEMA).expect("a schema");
        let mut flattener = Flattener::new(&schema);
        let json: Json = serde_json::from_str(text).expect("valid");
        let print = |row: &Row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let printed = flattener.flatten(&json).map(|rows| {
            rows.iter().map(|rows| rows.iter().map(print).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        });
        (printed.map(|tables| tables.join("|")), flattener.unknown.into_iter().collect())
    }

    #[test]
    fn objects_become_columns_and_arrays_rows() {
        let text = r#"{"_id":"k","a":{"b":1,"z":0},"c":[1],"x":{"items":[{"sku":"s","q":1},{"sku":"t"}]},"tags":["u","v"],"n":1}"#;
        let (rows, unknown) = flatten(text);
        assert_eq!(rows, Ok("k,1,[1]|k,0,s k,1,t|k,0,u k,1,v".into()));
        assert_eq!(unknown, [("a.z".into(), 1), ("n".into(), 1), ("x.items.q".into(), 1)]);
    }

    #[test]
    fn what_is_missing_is_null_and_what_is_wrong_is_named() {
        assert_eq!(flatten(r#"{"_id":"k"}"#), (Ok("k,null,null||".into()), vec![]));
        assert_eq!(flatten(r#"{"_id":"k","a":null,"tags":null}"#).0, Ok("k,null,null||".into()));
        for (text, error) in [
            ("{}", "field `_id` is required"),
            (r#"{"_id":"k","a":5}"#, "field `a`: expected an object, found integer 5"),
            (r#"{"_id":"k","a":{"b":"5"}}"#, r#"field `a.b`: expected integer, found text "5""#),
            (r#"{"_id":"k","x":{"items":[{}]}}"#, "element 0 of `x.items`: field `sku` is required"),
            (r#"{"_id":"k","tags":"u"}"#, "field `tags`: expected an array, found text"),
            ("[1]", "the line is no JSON object"),
        ] {
            let found = flatten(text).0.expect_err(text);
            assert!(found.starts_with(error), "{found}");
        }
    }
}
