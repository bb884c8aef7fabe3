//! Decimal numbers, eight digits at a time.
//!
//! No white space is skipped and no other notation is known.

/// How many digits are computed with at once.
const EIGHT: usize = 8;
/// The longest numbers have this many digits.
const MOST: usize = 20;

/// The number that these ASCII digits write.
///
/// `None` for nothing, for more than 20 digits, for a number beyond [`u64::MAX`] and for any other byte, be it a sign or
/// white space. Leading zeros are allowed.
///
/// ```
/// use gristmill::text::parse_u64;
///
/// assert_eq!(parse_u64(b"007"), Some(7));
/// assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
/// assert_eq!(parse_u64(b"18446744073709551616"), None);
/// assert_eq!(parse_u64(b"+1"), None);
/// ```
#[inline]
#[must_use]
pub fn parse_u64(digits: &[u8]) -> Option<u64> {
    match digits.len() {
        0 => None,
        1..4 => short(digits),
        4..EIGHT => number(overlapping(digits)),
        EIGHT..=MOST => long(digits),
        _ => None,
    }
}

/// The number that these ASCII digits write, with a sign before them or not.
///
/// `None` for what [`parse_u64`] says, and beyond [`i64::MIN`] and [`i64::MAX`].
///
/// ```
/// use gristmill::text::parse_i64;
///
/// assert_eq!(parse_i64(b"-42"), Some(-42));
/// assert_eq!(parse_i64(b"+42"), Some(42));
/// assert_eq!(parse_i64(b"9223372036854775808"), None);
/// assert_eq!(parse_i64(b"--1"), None);
/// ```
#[inline]
#[must_use]
pub fn parse_i64(number: &[u8]) -> Option<i64> {
    match number {
        [b'-', digits @ ..] => 0_i64.checked_sub_unsigned(parse_u64(digits)?),
        [b'+', digits @ ..] | digits => parse_u64(digits)?.try_into().ok(),
    }
}

/// More than seven digits: the last eight, those before them, and the up to four before those.
// A call of its own, so that the short way is short enough to be inlined.
#[inline(never)]
fn long(digits: &[u8]) -> Option<u64> {
    let (before, last) = digits.split_last_chunk::<EIGHT>()?;
    let last = number(u64::from_le_bytes(*last) ^ ZEROS)?;
    let higher = match before.len() {
        0 => return Some(last),
        1..EIGHT => number(first_of(digits, before.len()))?,
        _ => {
            let (before, middle) = before.split_last_chunk::<EIGHT>()?;
            let middle = number(u64::from_le_bytes(*middle) ^ ZEROS)?;
            match before.len() {
                0 => middle,
                // Four digits at most: 20 in all.
                n => number(first_of(digits, n))? * SHIFT + middle,
            }
        }
    };
    higher.checked_mul(SHIFT)?.checked_add(last)
}

/// What eight digits more multiply a number by.
const SHIFT: u64 = 100_000_000;
const ZEROS: u64 = u64::from_ne_bytes([b'0'; EIGHT]);
/// Lifts a byte above nine to [`HIGH`].
const ABOVE_NINE: u64 = u64::from_ne_bytes([0x80 - 10; EIGHT]);
const HIGH: u64 = u64::from_ne_bytes([0x80; EIGHT]);

/// The first 1 to 7 of at least eight digits, as [`number`] wants them.
#[inline(always)]
fn first_of(digits: &[u8], count: usize) -> u64 {
    let eight = digits.first_chunk().expect("longer numbers only");
    flush_right(u64::from_le_bytes(*eight), count)
}

/// 4 to 7 digits, as [`number`] wants them, from two overlapping parts.
#[inline(always)]
fn overlapping(digits: &[u8]) -> u64 {
    const HALF: &str = "four digits or more";
    let first = u32::from_le_bytes(*digits.first_chunk().expect(HALF));
    let last = u32::from_le_bytes(*digits.last_chunk().expect(HALF));
    let bytes = u64::from(first) | u64::from(last) << (8 * (digits.len() - 4));
    flush_right(bytes, digits.len())
}

/// 1 to 3 digits: the way of [`number`] is long for them.
#[inline(always)]
fn short(digits: &[u8]) -> Option<u64> {
    let count = digits.len();
    let at = |i: usize| u32::from(digits[i]) << (8 * i);
    let bytes = at(0) | at(count / 2) | at(count - 1);
    let digits = (bytes ^ ZEROS as u32) << (8 * (4 - count));
    if (digits.wrapping_add(ABOVE_NINE as u32) | digits) & HIGH as u32 != 0 {
        return None;
    }
    // The first of four digits is zero: the tens and ones end up in the third byte.
    let pairs = digits * 10 + (digits >> 8);
    Some(u64::from((pairs & 0xFF) * 100 + (pairs >> 16 & 0xFF)))
}

/// Drops all but the first `count` bytes, puts zeros before them and takes `b'0'` from each.
#[inline(always)]
const fn flush_right(bytes: u64, count: usize) -> u64 {
    (bytes ^ ZEROS) << (8 * (EIGHT - count))
}

/// The number of eight digits whose values are the bytes, the first one lowest; none if a byte is above nine.
#[inline(always)]
const fn number(digits: u64) -> Option<u64> {
    // Bytes of 0x80 and more are out by themselves, whatever they carry into their neighbours.
    if (digits.wrapping_add(ABOVE_NINE) | digits) & HIGH != 0 {
        return None;
    }
    // Each step joins neighbours: ten times the first one plus the second.
    let pairs = (digits.wrapping_mul(10 << 8 | 1) >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_FFFF_0000_FFFF;
    Some(fours.wrapping_mul(10_000 << 32 | 1) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    // The standard library takes a plus sign for unsigned numbers and any number of leading zeros.
    fn plain_u64(text: &[u8]) -> Option<u64> {
        let digits = (1..=20).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
        digits.then(|| std::str::from_utf8(text).ok()?.parse().ok())?
    }

    fn plain_i64(text: &[u8]) -> Option<i64> {
        let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
        let digits = (1..=20).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
        digits.then(|| std::str::from_utf8(text).ok()?.parse().ok())?
    }

    fn check(text: &[u8]) {
        assert_eq!(parse_u64(text), plain_u64(text), "{:?}", bstr::BStr::new(text));
        assert_eq!(parse_i64(text), plain_i64(text), "{:?}", bstr::BStr::new(text));
    }

    #[test]
    fn the_ends_of_the_range() {
        for number in [i128::from(u64::MAX), i128::from(i64::MAX), i128::from(i64::MIN), 0, 10_i128.pow(19)] {
            for near in number - 2..=number + 2 {
                check(near.to_string().as_bytes());
                check(format!("+{near}").as_bytes());
                check(format!("-{near}").as_bytes());
                check(format!("{near:022}").as_bytes());
                check(format!("{near:020}").as_bytes());
            }
        }
        check(b"99999999999999999999");
        check(b"");
        check(b"+");
        check(b"-");
    }

    #[test]
    fn any_byte_at_any_place() {
        for len in 1..=22 {
            for place in 0..len {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'1'; len];
                    text[place] = byte;
                    check(&text);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_number(number: u64, shift in 0_u32..64, width in 0_usize..22) {
            let number = number >> shift;
            check(format!("{number:0width$}").as_bytes());
            check(format!("-{number:0width$}").as_bytes());
            check((number as i64).to_string().as_bytes());
        }

        #[test]
        fn nearly_digits(text in proptest::collection::vec(select(&b"0123456789+-:/ \xB0"[..]), 0..24)) {
            check(&text);
        }
    }
}
