//! Lines as bytes, without their line ends.
//!
//! It takes blocks of whole lines apart; reading blocks is the business of `blocks`.

use memchr::memchr_iter;

use super::blocks::each_block;
use super::{Cut, Input, RecordSink, Source, Span};
use crate::result::Result;

/// Lines as bytes, any bytes: the record of [`Text`](super::Text) without its demand for UTF-8.
///
/// A line ends with `\n` or `\r\n`, and the record is without it: exactly one `\r` goes, and only before a `\n`. The
/// last line of a file counts whether it ends so or not; after a line end at the end of a file there is no empty line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lines;

impl Input for Lines {
    type Record<'a> = &'a [u8];

    fn cut(&self) -> Cut {
        Cut::Anywhere
    }

    fn read<S: RecordSink<Self>>(&self, source: &mut Source<'_>, sink: &mut S) -> Result {
        each_block(source, |offset, block| {
            if sink.block(Span { offset, len: block.len() as u64 }, block)? {
                return Ok(());
            }
            each_line(offset, block, |at, line| sink.record(at, line))
        })
    }
}

/// Gives every line of a block to `visit`, without its line end.
pub(super) fn each_line(offset: u64, block: &[u8], mut visit: impl FnMut(Span, &[u8]) -> Result) -> Result {
    let mut start = 0;
    for newline in memchr_iter(b'\n', block) {
        let span = Span { offset: offset + start as u64, len: (newline + 1 - start) as u64 };
        let line = &block[start..newline];
        visit(span, line.strip_suffix(b"\r").unwrap_or(line))?;
        start = newline + 1;
    }
    let rest = &block[start..];
    if rest.is_empty() {
        return Ok(());
    }
    visit(Span { offset: offset + start as u64, len: rest.len() as u64 }, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_carriage_return_belongs_to_the_line_end() {
        let mut lines = Vec::new();
        let block = b"a\r\nb\r\r\n\rc\n\n\r\nd\r";
        each_line(0, block, |_, line| {
            lines.push(line.to_vec());
            Ok(())
        })
        .unwrap();
        assert_eq!(lines, [&b"a"[..], b"b\r", b"\rc", b"", b"", b"d\r"]);
    }
}
