//! Lines as text, without their line ends.
//!
//! It checks that lines are UTF-8; where they begin and end is the business of `blocks` and `lines`.

use std::str;

use super::blocks::each_block;
use super::error::ReadError;
use super::file::InputFile;
use super::lines::each_line;
use super::{Cut, Input, RecordSink, Source, Span};
use crate::result::Result;

/// Lines of UTF-8 text.
///
/// A line ends with `\n` or `\r\n`, and the record is without it: exactly one `\r` goes, and only before a `\n`. The
/// last line of a file counts whether it ends so or not; after a line end at the end of a file there is no empty line.
/// A line that is not UTF-8 is an undecodable record; [`Lines`](super::Lines) takes it as bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Text;

impl Input for Text {
    type Record<'a> = &'a str;

    fn cut(&self) -> Cut {
        Cut::Anywhere
    }

    fn read<S: RecordSink<Self>>(&self, source: &mut Source<'_>, sink: &mut S) -> Result {
        let file = source.planned();
        // A block is checked as a whole, which is far cheaper than line by line: a newline is never inside a character,
        // so that the block is UTF-8 exactly if every line is.
        each_block(source, |offset, block| match str::from_utf8(block) {
            Ok(text) => {
                let taken = sink.block(Span { offset, len: block.len() as u64 }, block)?;
                if taken { Ok(()) } else { each_text_line(offset, text, sink) }
            }
            Err(_) => each_line(offset, block, |at, line| match str::from_utf8(line) {
                Ok(line) => sink.record(at, line),
                Err(error) => sink.undecodable(at, not_utf8(file, at, error).into()),
            }),
        })
    }
}

/// As `each_line`, on text: slicing it checks no more than the borders of the slice.
fn each_text_line<S: RecordSink<Text>>(offset: u64, text: &str, sink: &mut S) -> Result {
    let mut start = 0;
    each_line(offset, text.as_bytes(), |at, line| {
        let text_line = &text[start..start + line.len()];
        start += at.len as usize;
        sink.record(at, text_line)
    })
}

fn not_utf8(file: &InputFile, at: Span, error: str::Utf8Error) -> ReadError {
    ReadError::NotUtf8 { name: file.to_string(), offset: at.offset, byte: error.valid_up_to() }
}
