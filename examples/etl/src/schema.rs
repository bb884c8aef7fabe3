//! What goes where: the tables, their columns and types, and where in a document each value is found.
//!
//! A schema is a small TOML file; it is checked when it is read. Nothing here touches documents or databases.
//!
//! ```toml
//! table = "orders"
//! key = "id"                # the column that identifies a document: the primary key
//! columns = [
//!     { name = "id", from = "_id", type = "text" },
//!     { from = "customer.email", type = "text", required = true },  # its column is customer_email
//! ]
//!
//! [[children]]              # one row for each element of an array, with columns orders_id and position before the others
//! table = "order_items"
//! from = "items"
//! columns = [{ from = "sku", type = "text" }]
//! ```
//!
//! `from = "."` is the element itself, for arrays of plain values.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::convert::Kind;

/// A column, and where its values come from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The fields on the way; none is the element itself.
    pub(crate) from: Vec<String>,
    pub(crate) kind: Kind,
    /// A missing value is an error, and not NULL.
    pub(crate) required: bool,
}

/// A table with its columns, those that the pipeline adds included.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// The array whose elements are the rows; none for the documents themselves.
    pub(crate) from: Vec<String>,
    pub(crate) columns: Vec<Column>,
    /// The columns of the primary key.
    pub(crate) key: Vec<usize>,
}

/// Columns of a child table before its own: the key of its document, and the place in the array.
pub(crate) const ADDED: usize = 2;

/// The tables; the first is that of the documents, the others have the elements of their arrays.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) tables: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSchema {
    table: String,
    key: String,
    columns: Vec<RawColumn>,
    #[serde(default)]
    children: Vec<RawChild>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChild {
    table: String,
    from: String,
    columns: Vec<RawColumn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawColumn {
    name: Option<String>,
    from: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    required: bool,
}

impl Schema {
    /// Reads a schema. The error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let raw: RawSchema = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let mut columns = read_columns(raw.columns)?;
        let key = columns.iter().position(|column| column.name == raw.key);
        let key = key.ok_or_else(|| format!("key `{}` is no column", raw.key))?;
        columns[key].required = true;
        let key_kind = columns[key].kind;
        if !matches!(key_kind, Kind::Text | Kind::Integer) {
            return Err(format!("key `{}` has to be text or integer, not {key_kind}", raw.key));
        }
        let mut tables = vec![Table { name: raw.table.clone(), from: Vec::new(), columns, key: vec![key] }];
        for child in raw.children {
            let added = |name: String, kind| Column { name, from: Vec::new(), kind, required: true };
            let mut columns = vec![
                added(format!("{}_{}", raw.table, raw.key), key_kind),
                added("position".into(), Kind::Integer),
            ];
            columns.extend(read_columns(child.columns)?);
            tables.push(Table { name: child.table, from: path(&child.from), columns, key: vec![0, 1] });
        }
        let schema = Self { tables };
        schema.check()?;
        Ok(schema)
    }

    /// The table of the documents.
    pub(crate) fn documents(&self) -> &Table {
        &self.tables[0]
    }

    /// Names that differ in case only are one to some databases.
    fn check(&self) -> Result<(), String> {
        let mut tables = BTreeSet::from(crate::ledger::TABLES.map(str::to_owned));
        for table in &self.tables {
            check_name(&table.name)?;
            if !tables.insert(table.name.to_ascii_lowercase()) {
                return Err(format!("table `{}` occurs twice, or is the pipeline's own", table.name));
            }
            let mut columns = BTreeSet::new();
            for column in &table.columns {
                check_name(&column.name)?;
                if !columns.insert(column.name.to_ascii_lowercase()) {
                    return Err(format!("column `{}` of `{}` occurs twice", column.name, table.name));
                }
            }
        }
        match self.tables[1..].iter().find(|table| table.from.is_empty()) {
            Some(table) => Err(format!("child `{}` needs an array in `from`", table.name)),
            None => Ok(()),
        }
    }
}

impl Table {
    /// The column of that name.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The columns' names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }
}

fn read_columns(raw: Vec<RawColumn>) -> Result<Vec<Column>, String> {
    let read = |RawColumn { name, from, kind, required }: RawColumn| {
        let name = name.unwrap_or_else(|| from.replace('.', "_"));
        let kind = kind.parse().map_err(|error| format!("column `{name}`: {error}"))?;
        Ok(Column { name, from: path(&from), kind, required })
    };
    raw.into_iter().map(read).collect()
}

fn path(from: &str) -> Vec<String> {
    from.split('.').filter(|field| !field.is_empty()).map(str::to_owned).collect()
}

fn check_name(name: &str) -> Result<(), String> {
    let mut bytes = name.bytes();
    let begins = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let goes_on = bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    // PostgreSQL would cut longer ones.
    if begins && goes_on && name.len() <= 63 {
        return Ok(());
    }
    Err(format!("`{name}` is no name for a table or column: give it one of up to 63 letters, digits and `_`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        table = "t"
        key = "id"
        columns = [{ name = "id", from = "_id", type = "text" }, { from = "a.b", type = "integer" }]
        [[children]]
        table = "c"
        from = "items"
        columns = [{ name = "tag", from = ".", type = "text" }]
    "#;

    #[test]
    fn names_come_from_paths_and_children_are_tied_to_their_documents() {
        let schema = Schema::parse(GOOD).expect("good");
        let names = |at: usize| schema.tables[at].names().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(names(0), ["id", "a_b"]);
        assert_eq!(names(1), ["t_id", "position", "tag"]);
        assert!(schema.documents().columns[0].required);
        assert_eq!(schema.tables[1].columns[2].from, Vec::<String>::new());
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (old, new, error) in [
            ("key = \"id\"", "key = \"no\"", "key `no` is no column"),
            ("\"integer\"", "\"int\"", "column `a_b`: unknown type `int`"),
            ("\"a.b\"", "\"a-b\"", "`a-b` is no name"),
            ("\"a.b\"", "\"ID\"", "column `ID` of `t` occurs twice"),
            ("table = \"c\"", "table = \"T\"", "table `T` occurs twice"),
            (
                "table = \"c\"",
                "table = \"etl_tasks\"",
                "table `etl_tasks` occurs twice, or is the pipeline's",
            ),
            ("\"items\"", "\".\"", "child `c` needs an array"),
            ("type = \"text\" },", "type = \"real\" },", "key `id` has to be text or integer"),
        ] {
            let found = Schema::parse(&GOOD.replace(old, new)).expect_err(new);
            assert!(found.starts_with(error), "{found}");
        }
        Schema::parse("tabel = 1").expect_err("an unknown field");
    }
}
