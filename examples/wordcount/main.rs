//! Word count: how often each word occurs in text files.
//!
//! The tokenisers are in `tokenize`, the table of the most frequent words in `top`; everything else is the library's.

use std::io;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use gristmill::bstr::{BStr, BString};
use gristmill::{App, Emitter, Job, Lines, Mapper, Result, Sum};
use serde::{Deserialize, Serialize};

mod tokenize;
mod top;

/// Options of word count beside those of every job.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
struct WordCount {
    /// What a word is
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    tokenizer: Tokenizer,
    /// How many words to print when no output folder is given
    #[arg(long, default_value_t = 20, value_name = "N")]
    top: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
enum Tokenizer {
    /// Letters only, without punctuation, comment lines and stop words, in lower case
    #[default]
    Article,
    /// Whatever stands between white space, in lower case
    Whitespace,
}

#[derive(Clone)]
struct Words {
    tokenizer: Tokenizer,
    scratch: Vec<u8>,
}

impl Mapper for Words {
    type Input = Lines;
    type Key = BString;
    type Value = u64;

    fn map(&mut self, line: &[u8], out: &mut Emitter<'_, BString, u64>) -> Result {
        let count = |word: &[u8]| out.emit(BStr::new(word), 1);
        match self.tokenizer {
            Tokenizer::Article => tokenize::article_words(line, &mut self.scratch, count),
            Tokenizer::Whitespace => tokenize::whitespace_words(line, &mut self.scratch, count),
        }
    }
}

/// The text that is counted when none is given.
const SAMPLE: &[(&str, &[u8])] = &[
    ("1-history.rst", include_bytes!("sample/1-history.rst")),
    ("2-phases.rst", include_bytes!("sample/2-phases.rst")),
    ("3-partitioning.rst", include_bytes!("sample/3-partitioning.rst")),
    ("4-processes.rst", include_bytes!("sample/4-processes.rst")),
    ("5-failures.rst", include_bytes!("sample/5-failures.rst")),
];

fn main() -> ExitCode {
    App::new()
        .about("Counts the words of text files")
        .job("wordcount", |args: WordCount| {
            Job::new(Words { tokenizer: args.tokenizer, scratch: Vec::new() }).fold_with(Sum)
        })
        .sample(SAMPLE)
        .present(|args: WordCount, finished| {
            let rows = finished.pairs::<BString, u64>()?.collect::<Result<Vec<_>, _>>()?;
            Ok(top::print_top(rows, args.top, &mut io::stdout().lock())?)
        })
        .main()
}
