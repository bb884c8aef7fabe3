//! Inverted index: for each word, the ordinals of the files that hold it.
//!
//! `documents.tsv` beside the part files says which file has which ordinal.

use std::fmt::Write as _;
use std::process::ExitCode;

use gristmill::bstr::{BStr, BString};
use gristmill::text::{Scratch, WordSet, lower_words};
use gristmill::{App, Emitter, Group, Job, Mapper, NoArgs, Out, Reducer, Result, Values, WholeFile};

/// Emits each word of a file once, with the file's ordinal.
#[derive(Clone, Default)]
struct Words {
    seen: WordSet,
    scratch: Scratch,
}

impl Mapper for Words {
    type Input = WholeFile;
    type Key = BString;
    type Value = u32;

    fn map(&mut self, file: &[u8], out: &mut Emitter<'_, BString, u32>) -> Result {
        let ordinal = out.ordinal().ok_or("an index needs files")?;
        self.seen.clear();
        lower_words(file, &mut self.scratch, |word| {
            if self.seen.insert(word) { out.emit_word(word, ordinal) } else { Ok(()) }
        })
    }
}

/// Joins the ordinals, which come in ascending order.
#[derive(Clone, Default)]
struct Join {
    list: String,
}

impl Reducer for Join {
    type Key = BString;
    type Value = u32;
    type OutKey = BString;
    type OutValue = String;

    fn reduce(
        &mut self,
        word: Group<'_, BString>,
        mut files: Values<'_, u32>,
        out: &mut Out<'_, BString, String>,
    ) -> Result {
        self.list.clear();
        while let Some(file) = files.next()? {
            let comma = if self.list.is_empty() { "" } else { "," };
            write!(self.list, "{comma}{file}")?;
        }
        out.emit(BStr::new(word.bytes()), &*self.list)
    }
}

fn main() -> ExitCode {
    App::new()
        .about("Lists, for each word, the files that hold it")
        .job("inverted_index", |_: NoArgs| {
            Job::new(Words::default()).reduce_with(Join::default()).list_inputs("documents.tsv")
        })
        .main()
}
