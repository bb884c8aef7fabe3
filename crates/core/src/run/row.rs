//! The row format: one key and one value, as they stand in a segment.
//!
//! It knows bytes only; keys and values are encoded elsewhere.

/// Whether rows carry the ordinal of the input split that they come from.
///
/// They need it where the order of a key's values is promised, that is without a combiner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum RowShape {
    Plain,
    WithSplit,
}

/// Where the parts of a row stand in the bytes it was read from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RowLayout {
    pub(crate) split: u32,
    pub(crate) key_at: usize,
    pub(crate) key_len: usize,
    pub(crate) value_len: usize,
}

impl RowLayout {
    /// One past the row's last byte.
    pub(crate) fn end(&self) -> usize {
        self.key_at.saturating_add(self.key_len).saturating_add(self.value_len)
    }
}

/// What stands before key and value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    /// Zeros behind the first `len`: whoever has the room copies all of them, which needs no call.
    pub(crate) bytes: [u8; HEAD_ROOM],
    pub(crate) len: usize,
}

impl Head {
    #[inline(always)]
    pub(crate) fn new(shape: RowShape, key_len: usize, split: u32, value_len: usize) -> Self {
        let mut head = Self { bytes: [0; HEAD_ROOM], len: 0 };
        head.put_varint(key_len as u64);
        head.put_varint(value_len as u64);
        if shape == RowShape::WithSplit {
            head.put_varint(u64::from(split));
        }
        head
    }

    /// LEB128: seven bits a byte, lowest first.
    #[inline(always)]
    fn put_varint(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.bytes[self.len] = n as u8 | 0x80;
            self.len += 1;
            n >>= 7;
        }
        self.bytes[self.len] = n as u8;
        self.len += 1;
    }
}

/// A split's number as the heads of rows hold it, for many rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SplitCode {
    pub(crate) split: u32,
    /// Zeros behind the first `len`.
    pub(crate) bytes: [u8; 8],
    pub(crate) len: usize,
}

impl SplitCode {
    /// That of rows without splits is empty.
    pub(crate) fn new(shape: RowShape, split: u32) -> Self {
        // Empty key and value: a byte for each length.
        let head = Head::new(shape, 0, split, 0);
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&head.bytes[2..10]);
        Self { split, bytes, len: head.len - 2 }
    }
}

/// Appends a row to `out`.
pub(crate) fn put_row(out: &mut Vec<u8>, shape: RowShape, key: &[u8], split: u32, value: &[u8]) {
    let head = Head::new(shape, key.len(), split, value.len());
    out.extend_from_slice(&head.bytes[..head.len]);
    out.extend_from_slice(key);
    out.extend_from_slice(value);
}

/// The layout of the row that begins at `bytes[at..]`; `None` if its head is cut off or malformed.
///
/// The row's own end may lie beyond the bytes at hand.
#[inline(always)]
pub(crate) fn parse_row(bytes: &[u8], at: usize, shape: RowShape) -> Option<RowLayout> {
    match (shape, bytes.get(at..at + 2)) {
        (RowShape::Plain, Some(&[key_len @ 0..0x80, value_len @ 0..0x80])) => Some(RowLayout {
            split: 0,
            key_at: at + 2,
            key_len: usize::from(key_len),
            value_len: usize::from(value_len),
        }),
        (RowShape::WithSplit, Some(&[key_len @ 0..0x80, value_len @ 0..0x80])) => {
            let mut key_at = at + 2;
            let split = u32::try_from(take_varint(bytes, &mut key_at)?).ok()?;
            Some(RowLayout {
                split,
                key_at,
                key_len: usize::from(key_len),
                value_len: usize::from(value_len),
            })
        }
        _ => parse_long_row(bytes, at, shape),
    }
}

fn parse_long_row(bytes: &[u8], at: usize, shape: RowShape) -> Option<RowLayout> {
    let mut at = at;
    let key_len = usize::try_from(take_varint(bytes, &mut at)?).ok()?;
    let value_len = usize::try_from(take_varint(bytes, &mut at)?).ok()?;
    let split = match shape {
        RowShape::Plain => 0,
        RowShape::WithSplit => u32::try_from(take_varint(bytes, &mut at)?).ok()?,
    };
    Some(RowLayout { split, key_at: at, key_len, value_len })
}

/// The longest head of a row: three varints of ten bytes.
pub(crate) const MAX_HEAD: usize = 30;

/// The longest head and a little more, for whole registers.
pub(crate) const HEAD_ROOM: usize = 32;

#[inline(always)]
fn take_varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut n = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        n |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(n);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were_put() {
        let mut bytes = Vec::new();
        put_row(&mut bytes, RowShape::WithSplit, &[7; 300], 70_000, b"value");
        put_row(&mut bytes, RowShape::WithSplit, b"", 0, b"");
        let first = parse_row(&bytes, 0, RowShape::WithSplit).expect("a row");
        assert_eq!((first.split, first.key_len, first.value_len), (70_000, 300, 5));
        assert_eq!(&bytes[first.key_at + first.key_len..first.end()], b"value");
        let second = parse_row(&bytes, first.end(), RowShape::WithSplit).expect("a row");
        assert_eq!(second.end(), bytes.len());
    }

    #[test]
    fn a_head_that_is_cut_off_or_endless_is_no_row() {
        assert_eq!(parse_row(&[0x80], 0, RowShape::Plain), None);
        assert_eq!(parse_row(&[0xff; 40], 0, RowShape::Plain), None);
        assert_eq!(parse_row(&[], 3, RowShape::Plain), None);
    }
}
