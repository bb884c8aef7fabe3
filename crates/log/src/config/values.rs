//! Values as people write them: `5s`, `256KiB`, `12:30`, levels as a table.
//!
//! Each module reads and writes one kind for serde. What a value is for is not known here.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};

/// Directives, or a table of targets with levels.
pub(super) fn levels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(
        untagged,
        expecting = "levels are a text such as \"info,noisy=warn\" or a table of targets with levels"
    )]
    enum Levels {
        Directives(String),
        Table(BTreeMap<String, String>),
    }
    Ok(match Levels::deserialize(deserializer)? {
        Levels::Directives(directives) => directives,
        Levels::Table(table) => {
            let directive = |(target, level): (&String, &String)| match target.as_str() {
                "default" => level.clone(),
                target => format!("{target}={level}"),
            };
            table.iter().map(directive).collect::<Vec<_>>().join(",")
        }
    })
}

/// `12:30` or `12:30:05`.
pub(super) fn time_of_day(text: &str) -> Option<(u8, u8, u8)> {
    let mut parts = text.split(':').map(|part| part.parse::<u8>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    (hour < 24 && minute < 60 && second < 60 && parts.next().is_none()).then_some((hour, minute, second))
}

/// A number of bytes, or one with a unit.
pub(super) mod size {
    use super::*;
    use serde::Serializer;

    const UNITS: [(&str, u64); 8] = [
        ("", 1),
        ("B", 1),
        ("KB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("KIB", 1 << 10),
        ("MIB", 1 << 20),
        ("GIB", 1 << 30),
    ];

    pub(in super::super) fn serialize<S: Serializer>(size: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(*size)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a size is a number of bytes or a text such as \"10MiB\"")]
        enum Size {
            Bytes(u64),
            Text(String),
        }
        match Size::deserialize(deserializer)? {
            Size::Bytes(bytes) => Ok(bytes),
            Size::Text(text) => parse(&text)
                .ok_or_else(|| de::Error::custom(format_args!("`{text}` is no size such as 10MiB or 500KB"))),
        }
    }

    pub(in super::super) fn parse(text: &str) -> Option<u64> {
        let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
        let unit = text[end..].trim().to_ascii_uppercase();
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        text[..end].parse::<u64>().ok()?.checked_mul(*factor)
    }
}

/// A time such as `5s` or `250ms`.
pub(super) mod duration {
    use super::*;
    use serde::Serializer;
    use std::time::Duration;

    pub(in super::super) fn serialize<S: Serializer>(
        time: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(*time))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        parse(&String::deserialize(deserializer)?)
    }

    pub(super) fn parse<E: de::Error>(text: &str) -> Result<Duration, E> {
        humantime::parse_duration(text)
            .map_err(|error| E::custom(format_args!("`{text}` is no time: {error}")))
    }
}

/// Several such times by name.
pub(super) mod durations {
    use super::*;
    use serde::Serializer;
    use std::time::Duration;

    type Times = BTreeMap<String, Duration>;

    pub(in super::super) fn serialize<S: Serializer>(
        times: &Times,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            times.iter().map(|(name, time)| (name, humantime::format_duration(*time).to_string())),
        )
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Times, D::Error> {
        let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
        texts.into_iter().map(|(name, text)| Ok((name, duration::parse(&text)?))).collect()
    }
}

/// `text`, `json` or a pattern.
pub(super) mod format {
    use super::*;
    use crate::Format;
    use serde::Serializer;

    pub(in super::super) fn serialize<S: Serializer>(
        format: &Format,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(format)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Format, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
