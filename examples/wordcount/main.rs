//! Word count: how often each word occurs in text files.
//!
//! The tokenisers are in `tokenize`, the table of the most frequent words in `top`; everything else is the library's.

use std::io;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use gristmill::bstr::{BStr, BString};
use gristmill::text::{Scratch, lower_words};
use gristmill::{App, Emitter, Job, Lines, Mapper, Result, Sum, Text};
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
    /// The same in text that must be UTF-8, line by line, by the standard library
    Plain,
}

/// Words of bytes, whatever their encoding.
#[derive(Clone, Default)]
struct Words {
    article: bool,
    line: Vec<u8>,
    scratch: Scratch,
}

impl Mapper for Words {
    type Input = Lines;
    type Key = BString;
    type Value = u64;

    fn map(&mut self, line: &[u8], out: &mut Emitter<'_, BString, u64>) -> Result {
        if self.article {
            return tokenize::article_words(line, &mut self.line, |word| out.emit(BStr::new(word), 1));
        }
        lower_words(line, &mut self.scratch, |word| out.emit_word(word, 1))
    }

    fn map_block(&mut self, block: &[u8], out: &mut Emitter<'_, BString, u64>) -> Result<bool> {
        if self.article {
            return Ok(false);
        }
        lower_words(block, &mut self.scratch, |word| out.emit_word(word, 1))?;
        Ok(true)
    }
}

/// Words of text, without any of the library's helpers.
#[derive(Clone, Default)]
struct PlainWords {
    line: String,
}

impl Mapper for PlainWords {
    type Input = Text;
    type Key = String;
    type Value = u64;

    fn map(&mut self, line: &str, out: &mut Emitter<'_, String, u64>) -> Result {
        self.line.clear();
        self.line.push_str(line);
        self.line.make_ascii_lowercase();
        self.line.split_ascii_whitespace().try_for_each(|word| out.emit(word, 1))
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
        .job("wordcount", |args: WordCount| match args.tokenizer {
            Tokenizer::Plain => Job::new(PlainWords::default()).fold_with(Sum).into_dyn(),
            other => {
                let article = other == Tokenizer::Article;
                Job::new(Words { article, ..Words::default() }).fold_with(Sum).into_dyn()
            }
        })
        .sample(SAMPLE)
        .present(|args: WordCount, finished| {
            let rows = match args.tokenizer {
                Tokenizer::Plain => {
                    let pairs = finished.pairs::<String, u64>()?;
                    pairs.map(|pair| pair.map(|(word, n)| (word.into(), n))).collect::<Result<Vec<_>, _>>()?
                }
                _ => finished.pairs::<BString, u64>()?.collect::<Result<Vec<_>, _>>()?,
            };
            Ok(top::print_top(rows, args.top, &mut io::stdout().lock())?)
        })
        .main()
}
