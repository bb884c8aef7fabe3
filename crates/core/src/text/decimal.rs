//! Numbers as decimal digits, eight at a time.
//!
//! It does not read them.

/// Eight digits are one word.
const GROUP: u64 = 100_000_000;

/// The character `0`, eight times.
const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);

/// Appends `number` in decimal: what `write!` does, without its machinery.
///
/// ```
/// let mut line = b"files: ".to_vec();
/// gristmill::text::push_u64(&mut line, 3183);
/// assert_eq!(line, b"files: 3183");
/// ```
#[inline]
pub fn push_u64(out: &mut Vec<u8>, number: u64) {
    if number < GROUP { push_first(out, number) } else { push_large(out, number) }
}

/// Appends a number below [`GROUP`], without the zeros in front.
#[inline(always)]
fn push_first(out: &mut Vec<u8>, number: u64) {
    let (digits, len) = first_digits(number);
    let end = out.len() + len;
    out.extend_from_slice(&digits);
    out.truncate(end);
}

#[inline(never)]
fn push_large(out: &mut Vec<u8>, number: u64) {
    // At most once more: 20 digits are three groups.
    push_u64(out, number / GROUP);
    out.extend_from_slice(&(eight_digits(number % GROUP) | ZEROS).to_le_bytes());
}

/// [`push_u64`] to `room`, at `at`, over whatever is there. Returns where the number ends; something else may be written
/// up to seven bytes behind it.
#[inline(always)]
pub(crate) fn put_u64(room: &mut [u8], at: usize, number: u64) -> usize {
    if number >= GROUP {
        return put_large(room, at, number);
    }
    let (digits, len) = first_digits(number);
    room[at..at + 8].copy_from_slice(&digits);
    at + len
}

#[inline(never)]
fn put_large(room: &mut [u8], at: usize, number: u64) -> usize {
    let at = put_u64(room, at, number / GROUP);
    room[at..at + 8].copy_from_slice(&(eight_digits(number % GROUP) | ZEROS).to_le_bytes());
    at + 8
}

/// The digits of a number below [`GROUP`] without the zeros in front, something else behind them, and how many there are.
#[inline(always)]
fn first_digits(number: u64) -> ([u8; 8], usize) {
    let digits = eight_digits(number);
    // The first digit is the lowest byte. The last one stays, even if it is a zero.
    let zeros = (digits.trailing_zeros() / 8).min(7);
    (((digits | ZEROS) >> (8 * zeros)).to_le_bytes(), 8 - zeros as usize)
}

/// The digits of a number below [`GROUP`], each in a byte, the first in the lowest: halves of four, of two, and of one
/// digit, all of a step in one multiplication by a reciprocal (P. Khuong, "How to print integers really fast", 2017).
#[inline(always)]
fn eight_digits(number: u64) -> u64 {
    let fours = (number / 10_000) + ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds + ((fours - 100 * hundreds) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens + ((twos - 10 * tens) << 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pushed(number: u64) -> String {
        let mut out = b"<".to_vec();
        push_u64(&mut out, number);
        let mut room = [b'<'; 32];
        let end = put_u64(&mut room, 1, number);
        assert_eq!(room[..end], out, "{number}");
        String::from_utf8(out).expect("digits are text")
    }

    #[test]
    fn all_groups_of_four_and_all_lengths() {
        for number in 0..10_000 {
            assert_eq!(pushed(number), format!("<{number}"));
            let high = number * 10_000 + 1;
            assert_eq!(pushed(high), format!("<{high}"));
        }
        for power in (0..20).map(|digits| 10_u64.pow(digits)) {
            for number in [power - 1, power, power + 1, u64::MAX - power] {
                assert_eq!(pushed(number), format!("<{number}"));
            }
        }
    }

    proptest! {
        #[test]
        fn digits_are_those_of_the_standard_library(number: u64, shift in 0_u32..64) {
            let number = number >> shift;
            prop_assert_eq!(pushed(number), format!("<{number}"));
        }
    }
}
