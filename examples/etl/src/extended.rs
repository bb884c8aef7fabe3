//! MongoDB's Extended JSON: what an object with a `$` field stands for, in versions 1 and 2 of the notation.
//!
//! It reads such values; which column takes which of them is `convert`'s part.

use jiff::Timestamp;

use crate::json::Json;

/// A value as the document database knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Extended<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Real(f64),
    /// The digits of a decimal.
    Decimal(&'a str),
    Text(&'a str),
    /// An identifier in its textual form.
    Id(&'a str),
    Date(Timestamp),
    Array(&'a [Json]),
    /// An object of the document's own.
    Object(&'a [(String, Json)]),
    /// A type that only JSON can hold, by its `$` name.
    Other(&'a str),
}

impl<'a> Extended<'a> {
    /// Reads a value; the error says what is wrong with it.
    pub(crate) fn read(json: &'a Json) -> Result<Self, String> {
        match json {
            Json::Null => Ok(Self::Null),
            Json::Boolean(value) => Ok(Self::Boolean(*value)),
            Json::Integer(value) => Ok(Self::Integer(*value)),
            Json::Real(value) => Ok(Self::Real(*value)),
            Json::Text(text) => Ok(Self::Text(text)),
            Json::Array(items) => Ok(Self::Array(items)),
            Json::Object(fields) => match &fields[..] {
                [(name, inner), ..] if name.starts_with('$') => {
                    special(name, inner).ok_or_else(|| format!("{json} is no valid {name}"))
                }
                fields => Ok(Self::Object(fields)),
            },
        }
    }

    /// What it is, for messages.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Integer(_) => "integer",
            Self::Real(_) => "real",
            Self::Decimal(_) => "decimal",
            Self::Text(_) => "text",
            Self::Id(_) => "id",
            Self::Date(_) => "date",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
            Self::Other(name) => name,
        }
    }
}

fn special<'a>(name: &'a str, inner: &'a Json) -> Option<Extended<'a>> {
    let text = || if let Json::Text(text) = inner { Some(text.as_str()) } else { None };
    match name {
        "$oid" | "$uuid" => text().map(Extended::Id),
        "$symbol" => text().map(Extended::Text),
        "$numberInt" | "$numberLong" => text()?.parse().ok().map(Extended::Integer),
        "$numberDouble" => text()?.parse().ok().map(Extended::Real),
        "$numberDecimal" => text().map(Extended::Decimal),
        "$date" => date(inner).map(Extended::Date),
        "$undefined" => Some(Extended::Null),
        _ => Some(Extended::Other(name)),
    }
}

/// Dates are text, or milliseconds since 1970 in one form or the other.
fn date(inner: &Json) -> Option<Timestamp> {
    match Extended::read(inner).ok()? {
        Extended::Text(text) => text.parse().ok(),
        Extended::Integer(millis) => Timestamp::from_millisecond(millis).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let json: Json = serde_json::from_str(text).expect("valid");
        Extended::read(&json).map(|value| format!("{value:?}"))
    }

    #[test]
    fn both_notations_are_read() {
        let date = "Ok(\"Date(2024-05-01T12:00:00.25Z)\")";
        for text in [
            r#"{"$date":"2024-05-01T12:00:00.25Z"}"#,
            r#"{"$date":{"$numberLong":"1714564800250"}}"#,
            r#"{"$date":1714564800250}"#,
        ] {
            assert_eq!(format!("{:?}", read(text)), date, "{text}");
        }
        assert_eq!(read(r#"{"$numberLong":"-7"}"#), Ok("Integer(-7)".into()));
        assert_eq!(read(r#"{"$numberInt":"7"}"#), Ok("Integer(7)".into()));
        assert_eq!(read(r#"{"$numberDecimal":"1.50"}"#), Ok("Decimal(\"1.50\")".into()));
        assert_eq!(read(r#"{"$oid":"66f0"}"#), Ok("Id(\"66f0\")".into()));
        assert_eq!(read(r#"{"$minKey":1}"#), Ok("Other(\"$minKey\")".into()));
        assert_eq!(read(r#"{"$undefined":true}"#), Ok("Null".into()));
    }

    #[test]
    fn what_is_no_such_value_is_named() {
        let text = r#"{"$numberLong":"seven"}"#;
        assert_eq!(read(text), Err(format!("{text} is no valid $numberLong")));
        read(r#"{"$date":"yesterday"}"#).expect_err("no date");
        assert!(read(r#"{"a":1}"#).is_ok_and(|value| value.starts_with("Object")));
    }
}
