//! Inverted index: for each word, the ordinals of the files that hold it.
//!
//! `documents.tsv` beside the part files says which file has which ordinal. A large file is read by several map tasks, so
//! that no task needs memory for all its words; the reducer leaves out what comes twice.

use std::process::ExitCode;

use gristmill::bstr::{BStr, BString};
use gristmill::text::{Scratch, WordSet, lower_words, push_u64};
use gristmill::{App, Emitter, Group, Job, Lines, Mapper, NoArgs, Out, Reducer, Result, Values};

/// Emits the words of a file with the file's ordinal, nearly each of them once.
#[derive(Clone, Default)]
struct Words {
    /// The words that this task has emitted for `file`, or the last of them.
    seen: WordSet,
    file: Option<u32>,
    scratch: Scratch,
}

/// After so many words a mapper forgets them and begins again: more do not fit the cache.
const REMEMBERED: usize = 32 << 10;

impl Mapper for Words {
    type Input = Lines;
    type Key = BString;
    type Value = u32;

    /// What another task has seen must not count: its attempt may fail and be made again elsewhere.
    fn setup(&mut self) -> Result {
        self.file = None;
        Ok(())
    }

    fn map(&mut self, text: &[u8], out: &mut Emitter<'_, BString, u32>) -> Result {
        let file = out.ordinal().ok_or("an index needs files")?;
        if self.file != Some(file) || self.seen.len() > REMEMBERED {
            self.seen.clear();
            self.file = Some(file);
        }
        lower_words(text, &mut self.scratch, |word| {
            if self.seen.insert(word) { out.emit_word(word, file) } else { Ok(()) }
        })
    }

    fn map_block(&mut self, lines: &[u8], out: &mut Emitter<'_, BString, u32>) -> Result<bool> {
        self.map(lines, out)?;
        Ok(true)
    }
}

/// Joins the ordinals, which come in ascending order.
#[derive(Clone, Default)]
struct Join {
    list: Vec<u8>,
}

impl Reducer for Join {
    type Key = BString;
    type Value = u32;
    type OutKey = BString;
    type OutValue = BString;

    fn reduce(
        &mut self,
        word: Group<'_, BString>,
        mut files: Values<'_, u32>,
        out: &mut Out<'_, BString, BString>,
    ) -> Result {
        self.list.clear();
        let mut last = None;
        while let Some(file) = files.next()? {
            if last.replace(file) != Some(file) {
                if !self.list.is_empty() {
                    self.list.push(b',');
                }
                push_u64(&mut self.list, file.into());
            }
        }
        out.emit(BStr::new(word.bytes()), BStr::new(&self.list))
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
