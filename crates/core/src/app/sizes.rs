//! Sizes and durations as people write them on a command line.
//!
//! It knows no option.

use std::time::Duration;

/// A number of bytes: `4096`, `64K`, `16MiB`, `1.5G`. Units are powers of 1024; `kB`, `MB`, `GB`, `TB` powers of 1000.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_bytes = unit_bytes(unit.trim()).ok_or_else(|| bad(text))?;
    let bytes = match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(unit_bytes),
        Err(_) => {
            let number: f64 = number.parse().map_err(|_| bad(text))?;
            let bytes = number * unit_bytes as f64;
            (bytes < u64::MAX as f64).then_some(bytes as u64)
        }
    };
    match bytes {
        Some(0) => Err("must be at least 1".to_owned()),
        Some(bytes) => Ok(bytes),
        None => Err(format!("{text} is more than there are bytes")),
    }
}

fn unit_bytes(unit: &str) -> Option<u64> {
    let power = |base: u64, exponent| Some(base.pow(exponent));
    match unit.to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "k" | "kib" => power(1024, 1),
        "m" | "mib" => power(1024, 2),
        "g" | "gib" => power(1024, 3),
        "t" | "tib" => power(1024, 4),
        "kb" => power(1000, 1),
        "mb" => power(1000, 2),
        "gb" => power(1000, 3),
        "tb" => power(1000, 4),
        _ => None,
    }
}

fn bad(text: &str) -> String {
    format!("{text:?} is not a size, such as 4096, 64K, 16MiB or 1.5G")
}

/// A duration: `30s`, `10min`, `1h 30min`, or a number of seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    humantime::parse_duration(text)
        .map_err(|_| format!("{text:?} is not a duration, such as 30s, 10min or 1h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let read = ["4096", "64K", "16MiB", "1.5g", "2 GB", "7b"].map(|text| size(text).ok());
        let bytes = [4096, 64 << 10, 16 << 20, 3 << 29, 2_000_000_000, 7];
        assert_eq!(read, bytes.map(Some));
    }

    #[test]
    fn nonsense_is_refused_with_an_example() {
        for text in ["", "x", "-5", "5X", "1e3", "99999999999T", "0", "."] {
            assert!(size(text).is_err(), "{text}");
        }
        assert!(size("lots").expect_err("no size").contains("16MiB"));
    }

    #[test]
    fn durations_may_be_bare_seconds() {
        assert_eq!(duration("90").ok(), Some(Duration::from_secs(90)));
        assert_eq!(duration("2min").ok(), Some(Duration::from_secs(120)));
        assert!(duration("soon").is_err());
    }
}
