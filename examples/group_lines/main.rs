//! Group lines: brings together all lines with the same first word, each group in the order of the input.
//!
//! No value is folded: one key may have any number of them.

use std::process::ExitCode;

use gristmill::bstr::{BStr, BString, ByteSlice};
use gristmill::{App, Emitter, Group, Job, Lines, Mapper, NoArgs, Out, Reducer, Result, Values};

/// Emits what stands before the first space of a line, and the rest.
#[derive(Clone)]
struct FirstWord;

impl Mapper for FirstWord {
    type Input = Lines;
    type Key = BString;
    type Value = BString;

    fn map(&mut self, line: &[u8], out: &mut Emitter<'_, BString, BString>) -> Result {
        let (word, rest) = line.split_once_str(" ").unwrap_or((line, b""));
        out.emit_ref(BStr::new(word), BStr::new(rest))
    }
}

/// Gives out every line of a group.
#[derive(Clone)]
struct EachLine;

impl Reducer for EachLine {
    type Key = BString;
    type Value = BString;
    type OutKey = BString;
    type OutValue = BString;

    fn reduce(
        &mut self,
        word: Group<'_, BString>,
        mut rests: Values<'_, BString>,
        out: &mut Out<'_, BString, BString>,
    ) -> Result {
        while let Some(rest) = rests.next_as::<&BStr>()? {
            out.emit(BStr::new(word.bytes()), rest)?;
        }
        out.count("groups", 1);
        Ok(())
    }
}

fn main() -> ExitCode {
    App::new()
        .about("Brings together all lines with the same first word")
        .job("group_lines", |_: NoArgs| Job::new(FirstWord).reduce_with(EachLine))
        .main()
}
