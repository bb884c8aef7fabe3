//! Lines of a key, a separator and a value.
//!
//! Reading blocks, and what is done with a pair, belong to the caller; [`super::number`] reads numbers.

use super::edges::{Edges, PIECE, Writer};
use super::kernel::{CHUNK, Kernel, Task};
use super::scratch::{Parts, Scratch};
use super::simd::Machine;
use super::word::Word;
use super::words::padded;

/// Calls `each` with key and value of every line of a block, in order.
///
/// A line ends with `\n` or `\r\n`, which the last one may lack; a `\r` elsewhere is a byte like any other. The key is
/// what stands before the first separator, the value what stands behind it. A line without separator is a key with an
/// empty value, and an empty line is nothing. An error of `each` ends the call at once.
///
/// The search is compiled for several instruction sets, of which the best that this machine has is used.
///
/// ```
/// use gristmill::text::{Scratch, key_values, parse_u64};
///
/// let mut sum = 0;
/// key_values(b"rye\t3\nwheat\t39\n", b'\t', &mut Scratch::default(), |grain, sacks| {
///     sum += parse_u64(sacks).ok_or_else(|| format!("{grain:?}: not a number"))?;
///     Ok::<_, String>(())
/// })?;
/// assert_eq!(sum, 42);
/// # Ok::<_, String>(())
/// ```
///
/// # Errors
/// Those of `each`.
#[inline]
pub fn key_values<E>(
    block: &[u8],
    separator: u8,
    scratch: &mut Scratch,
    each: impl FnMut(Word<'_>, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    key_values_by(Machine::best(), block, separator, scratch.parts(), each)
}

/// The pairs of a block.
#[inline(always)]
pub(super) fn key_values_by<E>(
    machine: Machine,
    block: &[u8],
    separator: u8,
    Parts { edges: key_ends, line_ends, text }: &mut Parts,
    mut each: impl FnMut(Word<'_>, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut begun = Begun { separator, start: 1, ran_on: 0 };
    let mut line = Line { start: 0, key_end: None };
    for (i, piece) in block.chunks(PIECE).enumerate() {
        let at = i * PIECE;
        let last = at + piece.len() == block.len();
        begun = machine.run(Find { piece, begun, last, key_ends, line_ends });
        line = hand_out(key_ends, line_ends, at, line, |start, key_end, end| {
            let line = without_return(block, start, end);
            let (key_len, value) = match line.get(key_end - start..) {
                Some([_, value @ ..]) => (key_end - start, value),
                _ => (line.len(), &line[line.len()..]),
            };
            if line.is_empty() { Ok(()) } else { each(padded(block, start, key_len, text), value) }
        })?;
    }
    Ok(())
}

/// The line without the `\r` of a `\r\n`.
#[inline(always)]
fn without_return(block: &[u8], start: usize, end: usize) -> &[u8] {
    match &block[start..end] {
        [line @ .., b'\r'] if end < block.len() => line,
        line => line,
    }
}

/// What is known of the line that the next piece continues.
struct Line {
    start: usize,
    key_end: Option<usize>,
}

/// What the search remembers between two chunks.
#[derive(Clone, Copy)]
struct Begun {
    separator: u8,
    /// 1 if a line begins with the next chunk.
    start: u64,
    /// 1 if the key of a line goes on in the next chunk.
    ran_on: u64,
}

impl Begun {
    /// Added to the bytes that end no key, the start of a line is carried to the first byte that does.
    #[inline(always)]
    fn ends_of_keys(&mut self, newlines: u64, separators: u64) -> u64 {
        let within = !(newlines | separators);
        // Never both: a line begins after a newline, which no key goes on over.
        let starts = newlines << 1 | self.start | self.ran_on;
        let (carried, ran_on) = within.overflowing_add(starts);
        self.start = newlines >> (CHUNK - 1);
        self.ran_on = u64::from(ran_on);
        carried & !within
    }
}

/// Finds the ends of lines in a piece, and one end of a key for each: its first separator, or else its own end.
struct Find<'a> {
    piece: &'a [u8],
    begun: Begun,
    last: bool,
    key_ends: &'a mut Edges,
    line_ends: &'a mut Edges,
}

impl Task for Find<'_> {
    type Output = Begun;

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> Begun {
        let Self { piece, begun, last, key_ends, line_ends } = self;
        let mut search = Search { begun, key_ends: key_ends.rewrite(), line_ends: line_ends.rewrite() };
        let (chunks, rest) = piece.as_chunks();
        for (i, chunk) in chunks.iter().enumerate() {
            search.add(kernel, chunk, i * CHUNK);
        }
        if !rest.is_empty() {
            // Zeros end no line. Where they are separators, a key ends just where the block does, as it must.
            let mut chunk = [0; CHUNK];
            chunk[..rest.len()].copy_from_slice(rest);
            search.add(kernel, &chunk, chunks.len() * CHUNK);
        }
        search.finish(piece, last)
    }
}

/// The search for the ends of keys and lines.
struct Search<'a> {
    begun: Begun,
    key_ends: Writer<'a>,
    line_ends: Writer<'a>,
}

impl Search<'_> {
    /// Adds the ends in a chunk.
    #[inline(always)]
    fn add<K: Kernel>(&mut self, kernel: K, chunk: &[u8; CHUNK], at: usize) {
        let newlines = kernel.equal(chunk, b'\n');
        let separators = kernel.equal(chunk, self.begun.separator);
        self.key_ends.add_few(kernel, self.begun.ends_of_keys(newlines, separators), at);
        self.line_ends.add_few(kernel, newlines, at);
    }

    /// Ends the last line of a block where the block ends, unless it has an end.
    #[inline(always)]
    fn finish(mut self, piece: &[u8], last: bool) -> Begun {
        if last && !piece.ends_with(b"\n") {
            // An end of a key that is not needed is never looked at.
            self.key_ends.push(piece.len());
            self.line_ends.push(piece.len());
        }
        self.key_ends.done();
        self.line_ends.done();
        self.begun
    }
}

/// Calls `each` with the start of every line that ends, the end of its key and its own end. Positions count from `at`.
#[inline(always)]
fn hand_out<E>(
    key_ends: &Edges,
    line_ends: &Edges,
    at: usize,
    line: Line,
    mut each: impl FnMut(usize, usize, usize) -> Result<(), E>,
) -> Result<Line, E> {
    let known = key_ends.len() + usize::from(line.key_end.is_some());
    // The last line's successor may be unknown: then one more position stands for the end of its key.
    let (first, next_keys) = match (line.key_end, key_ends.and_one_more()) {
        (None, [first, next @ ..]) => (at + usize::from(*first), next),
        (known, all) => (known.unwrap_or_default(), all),
    };
    let (mut start, mut key_end) = (line.start, first);
    for (end, next_key) in line_ends.get().iter().zip(next_keys) {
        let end = at + usize::from(*end);
        each(start, key_end, end)?;
        start = end + 1;
        key_end = at + usize::from(*next_key);
    }
    Ok(Line { start, key_end: (known > line_ends.len()).then_some(key_end) })
}
