//! From a document's value to that of a column: the types a schema can declare, and what each of them takes.
//!
//! It is strict: what would lose digits, or would have to be guessed, is an error. Where values come from is `flatten`'s
//! part, how a database stores them its own.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::extended::Extended;
use crate::json::Json;

/// The declared type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Takes everything but objects and arrays, each in its usual textual form.
    Text,
    /// 64 bits with a sign. Takes reals, too, if they are whole numbers.
    Integer,
    Real,
    /// So many digits, so many of them behind the point.
    Decimal(u8, u8),
    Boolean,
    /// UTC, to the millisecond. Takes text as in RFC 3339, too.
    Timestamp,
    /// Takes everything.
    Json,
}

/// A value as it goes into a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Text(String),
    Integer(i64),
    Real(f64),
    Boolean(bool),
    Decimal(String),
    /// As `2024-05-01T12:00:00.000Z`.
    Timestamp(String),
    Json(String),
}

/// Up to here every whole number is a real of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Kind {
    /// The value of a column of this type. The error says what is wrong with it.
    pub(crate) fn convert(self, json: &Json) -> Result<Value, String> {
        if self == Self::Json && *json != Json::Null {
            return Ok(Value::Json(json.to_string()));
        }
        let value = Extended::read(json)?;
        let converted = match (self, value) {
            (_, Extended::Null) => Some(Value::Null),
            (Self::Text, value) => text(value).map(Value::Text),
            (Self::Integer, Extended::Integer(value)) => Some(Value::Integer(value)),
            (Self::Integer, Extended::Real(value)) if value.fract() == 0.0 && value.abs() <= EXACT => {
                Some(Value::Integer(value as i64))
            }
            (Self::Real, Extended::Integer(value)) if (value as f64).abs() <= EXACT => {
                Some(Value::Real(value as f64))
            }
            (Self::Real, Extended::Real(value)) if value.is_finite() => Some(Value::Real(value)),
            (Self::Decimal(digits, scale), value) => decimal(value, digits, scale).map(Value::Decimal),
            (Self::Boolean, Extended::Boolean(value)) => Some(Value::Boolean(value)),
            (Self::Timestamp, Extended::Date(at)) => Some(timestamp(at)),
            (Self::Timestamp, Extended::Text(text)) => text.parse().ok().map(timestamp),
            _ => None,
        };
        converted.ok_or_else(|| format!("expected {self}, found {} {}", value.name(), shortened(json)))
    }

    /// The value that a text on the command line stands for.
    pub(crate) fn parse(self, text: &str) -> Result<Value, String> {
        let json = match self {
            Self::Integer => text.parse().map(Json::Integer).ok(),
            Self::Real => text.parse().map(Json::Real).ok(),
            _ => Some(Json::Text(text.to_owned())),
        };
        self.convert(&json.ok_or_else(|| format!("expected {self}, found {text:?}"))?)
    }
}

fn timestamp(at: Timestamp) -> Value {
    Value::Timestamp(format!("{at:.3}"))
}

fn text(value: Extended<'_>) -> Option<String> {
    match value {
        Extended::Text(text) | Extended::Id(text) | Extended::Decimal(text) => Some(text.to_owned()),
        Extended::Integer(value) => Some(value.to_string()),
        Extended::Real(value) => Some(value.to_string()),
        Extended::Boolean(value) => Some(value.to_string()),
        Extended::Date(at) => Some(format!("{at:.3}")),
        Extended::Null | Extended::Array(_) | Extended::Object(_) | Extended::Other(_) => None,
    }
}

/// The digits, if they are a plain number and fit. Databases would round silently.
fn decimal(value: Extended<'_>, digits: u8, scale: u8) -> Option<String> {
    let text = match value {
        Extended::Decimal(text) => text.to_owned(),
        Extended::Integer(value) => value.to_string(),
        Extended::Real(value) if value.is_finite() => value.to_string(),
        _ => return None,
    };
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(&text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_plain = !whole.is_empty() && (whole.to_owned() + fraction).bytes().all(|b| b.is_ascii_digit());
    let needed = (whole.trim_start_matches('0').len(), fraction.trim_end_matches('0').len());
    let fits = needed.0 <= usize::from(digits - scale) && needed.1 <= usize::from(scale);
    (is_plain && fits).then_some(text)
}

fn shortened(json: &Json) -> String {
    let mut text = json.to_string();
    if text.len() > 60 {
        text.truncate(text.floor_char_boundary(60));
        text.push('…');
    }
    text
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Integer => f.write_str("integer"),
            Self::Real => f.write_str("real"),
            Self::Decimal(digits, scale) => write!(f, "decimal({digits},{scale})"),
            Self::Boolean => f.write_str("boolean"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Json => f.write_str("json"),
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let decimal = || {
            let (digits, scale) = text.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
            let (digits, scale) = (digits.trim().parse().ok()?, scale.trim().parse().ok()?);
            // What MariaDB can hold.
            ((1..=65).contains(&digits) && scale <= 30 && scale <= digits)
                .then_some(Self::Decimal(digits, scale))
        };
        match text {
            "text" => Ok(Self::Text),
            "integer" => Ok(Self::Integer),
            "real" => Ok(Self::Real),
            "boolean" => Ok(Self::Boolean),
            "timestamp" => Ok(Self::Timestamp),
            "json" => Ok(Self::Json),
            _ => decimal().ok_or_else(|| {
                format!(
                    "unknown type `{text}`: text, integer, real, decimal(DIGITS,SCALE), boolean, timestamp or json"
                )
            }),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Text(text) | Self::Decimal(text) | Self::Timestamp(text) | Self::Json(text) => {
                f.write_str(text)
            }
            Self::Integer(value) => value.fmt(f),
            Self::Real(value) => value.fmt(f),
            Self::Boolean(value) => value.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(kind: &str, text: &str) -> Result<String, String> {
        let json: Json = serde_json::from_str(text).expect("valid");
        kind.parse::<Kind>()?.convert(&json).map(|value| value.to_string())
    }

    #[test]
    fn each_type_takes_what_fits() {
        for (kind, json, stored) in [
            ("text", r#"{"$oid":"66f0"}"#, "66f0"),
            ("text", "1.5", "1.5"),
            ("text", "true", "true"),
            ("integer", r#"{"$numberLong":"9223372036854775807"}"#, "9223372036854775807"),
            ("integer", "3.0", "3"),
            ("integer", "null", "null"),
            ("real", "3", "3"),
            ("decimal(6,2)", r#"{"$numberDecimal":"1234.50"}"#, "1234.50"),
            ("decimal(6,2)", "-0.25", "-0.25"),
            ("boolean", "false", "false"),
            ("timestamp", r#"{"$date":0}"#, "1970-01-01T00:00:00.000Z"),
            ("timestamp", r#""2024-05-01T14:00:00+02:00""#, "2024-05-01T12:00:00.000Z"),
            ("json", r#"{"b":[1],"a":{"$oid":"66"}}"#, r#"{"b":[1],"a":{"$oid":"66"}}"#),
        ] {
            assert_eq!(convert(kind, json), Ok(stored.to_owned()), "{kind} {json}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (kind, json) in [
            ("text", "[1]"),
            ("integer", r#""7""#),
            ("integer", "3.5"),
            ("integer", "1e300"),
            ("real", r#"{"$numberDouble":"NaN"}"#),
            ("real", "9223372036854775807"),
            ("decimal(6,2)", "12345"),
            ("decimal(6,2)", "0.125"),
            ("decimal(6,2)", r#"{"$numberDecimal":"1E+3"}"#),
            ("boolean", "1"),
            ("timestamp", r#""2024-05-01""#),
        ] {
            let error = convert(kind, json).expect_err(json);
            assert!(error.starts_with(&format!("expected {kind}, found ")), "{error}");
        }
        assert_eq!(convert("integer", r#""7""#), Err("expected integer, found text \"7\"".into()));
    }

    #[test]
    fn types_are_spelt_out() {
        assert_eq!("decimal(12, 2)".parse(), Ok(Kind::Decimal(12, 2)));
        for wrong in ["int", "decimal", "decimal(2,3)", "decimal(0,0)"] {
            assert!(wrong.parse::<Kind>().is_err(), "{wrong}");
        }
    }
}
