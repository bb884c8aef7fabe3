//! Where the three databases use different words for the same thing.
//!
//! It composes statements; nobody is asked anything.

use crate::convert::Kind;
use crate::schema::Table;

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Mysql,
    Postgres,
}

impl Dialect {
    /// A name in quotes. Schemas allow no quotes in names.
    pub(crate) fn quoted(self, name: &str) -> String {
        if self == Self::Mysql { format!("`{name}`") } else { format!("\"{name}\"") }
    }

    /// How a transaction begins. SQLite must know at once that it will write, or two could be in each other's way.
    pub(crate) fn begin(self) -> &'static str {
        if self == Self::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" }
    }

    /// How many values a statement may have.
    fn most_values(self) -> usize {
        if self == Self::Sqlite { 32_766 } else { 65_535 }
    }

    /// How many rows of so many columns a statement may insert.
    pub(crate) fn most_rows(self, columns: usize) -> usize {
        (self.most_values() / columns).max(1)
    }

    /// The type of a column that takes the values of `kind`.
    fn type_of(self, kind: Kind, is_key: bool) -> String {
        let name = match (self, kind) {
            // It would make a float of a decimal.
            (Self::Sqlite, Kind::Text | Kind::Decimal(..) | Kind::Timestamp | Kind::Json) => "TEXT",
            (Self::Sqlite, Kind::Integer | Kind::Boolean) => "INTEGER",
            (Self::Sqlite, Kind::Real) => "REAL",
            (_, Kind::Decimal(digits, scale)) => return format!("DECIMAL({digits},{scale})"),
            (_, Kind::Integer) => "BIGINT",
            (_, Kind::Boolean) => "BOOLEAN",
            // It cannot index text of any length.
            (Self::Mysql, Kind::Text) if is_key => "VARCHAR(255)",
            (Self::Mysql, Kind::Text) => "LONGTEXT",
            (Self::Mysql, Kind::Real) => "DOUBLE",
            (Self::Mysql, Kind::Timestamp) => "DATETIME(3)",
            (Self::Mysql, Kind::Json) => "JSON",
            (Self::Postgres, Kind::Text) => "TEXT",
            (Self::Postgres, Kind::Real) => "DOUBLE PRECISION",
            (Self::Postgres, Kind::Timestamp) => "TIMESTAMPTZ",
            (Self::Postgres, Kind::Json) => "JSONB",
        };
        name.to_owned()
    }

    /// The statement that makes a table unless there is one.
    pub(crate) fn create(self, table: &Table) -> String {
        let column = |(at, column): (usize, &crate::schema::Column)| {
            let kind = self.type_of(column.kind, table.key.contains(&at));
            let null = if column.required { " NOT NULL" } else { "" };
            format!("{} {kind}{null}", self.quoted(&column.name))
        };
        let columns: Vec<_> = table.columns.iter().enumerate().map(column).collect();
        let key: Vec<_> = table.key.iter().map(|at| self.quoted(&table.columns[*at].name)).collect();
        // Keys that differ in case must stay different, and a table without transactions is of no use.
        let rest =
            if self == Self::Mysql { " ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" } else { "" };
        let (name, columns, key) = (self.quoted(&table.name), columns.join(", "), key.join(", "));
        format!("CREATE TABLE IF NOT EXISTS {name} ({columns}, PRIMARY KEY ({key})){rest}")
    }

    /// The query for a table's columns, with the table's name as its value. No columns, no table.
    pub(crate) fn columns(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT name FROM pragma_table_info(?)",
            Self::Mysql => {
                "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?"
            }
            Self::Postgres => {
                "SELECT column_name::text FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND table_name = $1::text"
            }
        }
    }

    /// The query for the kind of storage that a table has, if there are kinds without transactions.
    pub(crate) fn engine(self) -> Option<&'static str> {
        let query =
            "SELECT engine FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?";
        (self == Self::Mysql).then_some(query)
    }

    /// The statement that inserts so many rows.
    pub(crate) fn insert(self, table: &Table, rows: usize) -> String {
        let columns: Vec<_> = table.names().map(|name| self.quoted(name)).collect();
        let mut sql = format!("INSERT INTO {} ({}) VALUES ", self.quoted(&table.name), columns.join(", "));
        for row in 0..rows {
            let first = row * columns.len();
            let values = (first..).zip(&table.columns).map(|(at, column)| self.placeholder(at, column.kind));
            sql.push_str(if row == 0 { "(" } else { ", (" });
            sql.push_str(&values.collect::<Vec<_>>().join(", "));
            sql.push(')');
        }
        sql
    }

    /// The statement that inserts one row unless there is one with its key; the rows changed tell which.
    pub(crate) fn claim(self, table: &Table) -> String {
        let insert = self.insert(table, 1);
        match self {
            // Its own table, and short values: nothing else can be ignored here.
            Self::Mysql => insert.replacen("INSERT", "INSERT IGNORE", 1),
            Self::Sqlite | Self::Postgres => insert + " ON CONFLICT DO NOTHING",
        }
    }

    /// The place of a value. PostgreSQL wants to know what is in it.
    pub(crate) fn placeholder(self, at: usize, kind: Kind) -> String {
        if self != Self::Postgres {
            return "?".to_owned();
        }
        let cast = match kind {
            Kind::Text => "text".to_owned(),
            Kind::Integer => "bigint".to_owned(),
            Kind::Real => "float8".to_owned(),
            Kind::Boolean => "boolean".to_owned(),
            // These travel as text.
            other => format!("text::{}", self.type_of(other, false)),
        };
        format!("${}::{cast}", at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    #[test]
    fn statements_are_in_each_ones_words() {
        let text = r#"table = "t"
            key = "id"
            columns = [{ from = "id", type = "text" }, { from = "at", type = "timestamp" }]"#;
        let schema = Schema::parse(text).expect("a schema");
        let table = schema.documents();
        assert_eq!(
            Dialect::Postgres.insert(table, 2),
            r#"INSERT INTO "t" ("id", "at") VALUES ($1::text, $2::text::TIMESTAMPTZ), ($3::text, $4::text::TIMESTAMPTZ)"#
        );
        assert_eq!(Dialect::Mysql.claim(table), "INSERT IGNORE INTO `t` (`id`, `at`) VALUES (?, ?)");
        assert_eq!(
            Dialect::Sqlite.create(table),
            r#"CREATE TABLE IF NOT EXISTS "t" ("id" TEXT NOT NULL, "at" TEXT, PRIMARY KEY ("id"))"#
        );
        let mysql = Dialect::Mysql.create(table);
        assert!(
            mysql.contains("`id` VARCHAR(255) NOT NULL, `at` DATETIME(3), PRIMARY KEY (`id`)"),
            "{mysql}"
        );
    }
}
