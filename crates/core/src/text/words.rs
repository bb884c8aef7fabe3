//! Words: what stands between ASCII white space.
//!
//! Reading blocks, and what is done with a word, belong to the caller.

use super::edges::{Edges, PIECE, Writer};
use super::kernel::{CHUNK, Kernel, Task};
use super::scratch::{PADDING, Parts, Room, Scratch};
use super::simd::Machine;
use super::word::Word;

/// Calls `each` for every word of a block, in order.
///
/// A word is a longest stretch without [ASCII white space](u8::is_ascii_whitespace). A block is looked at by itself:
/// what continues a word in another block is another word there. An error of `each` ends the call at once.
///
/// The search is compiled for several instruction sets, of which the best that this machine has is used.
///
/// ```
/// use gristmill::text::{Scratch, words};
///
/// let mut seen = Vec::new();
/// words(b"The mill  grinds\nslowly\r\n", &mut Scratch::default(), |word| {
///     seen.push(String::from_utf8(word.to_vec())?);
///     Ok::<_, std::string::FromUtf8Error>(())
/// })?;
/// assert_eq!(seen, ["The", "mill", "grinds", "slowly"]);
/// # Ok::<_, std::string::FromUtf8Error>(())
/// ```
///
/// # Errors
/// Those of `each`.
#[inline]
pub fn words<E>(
    block: &[u8],
    scratch: &mut Scratch,
    each: impl FnMut(Word<'_>) -> Result<(), E>,
) -> Result<(), E> {
    words_by(Machine::best(), block, scratch.parts(), each)
}

/// Calls `each` for every word of a block, in order, with the letters `A`–`Z` in lower case.
///
/// All other bytes stay as they are, in words of any encoding. For the rest, this is [`words`].
///
/// ```
/// use gristmill::text::{Scratch, lower_words};
///
/// let (mut mills, mut scratch) = (0, Scratch::default());
/// lower_words("Mill mill MILL Mühle".as_bytes(), &mut scratch, |word| {
///     mills += usize::from(word.bytes() == b"mill");
///     Ok::<_, std::convert::Infallible>(())
/// })?;
/// assert_eq!(mills, 3);
/// # Ok::<_, std::convert::Infallible>(())
/// ```
///
/// # Errors
/// Those of `each`.
#[inline]
pub fn lower_words<E>(
    block: &[u8],
    scratch: &mut Scratch,
    each: impl FnMut(Word<'_>) -> Result<(), E>,
) -> Result<(), E> {
    lower_words_by(Machine::best(), block, scratch.parts(), each)
}

/// The words as they are, borrowed from the block.
#[inline(always)]
pub(super) fn words_by<E>(
    machine: Machine,
    block: &[u8],
    Parts { edges, text, .. }: &mut Parts,
    mut each: impl FnMut(Word<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut open = None;
    for (i, piece) in block.chunks(PIECE).enumerate() {
        let at = i * PIECE;
        let last = at + piece.len() == block.len();
        machine.run(Find { piece, inside: open.is_some(), last, edges });
        open = hand_out(edges, at, open, |start, end| each(padded(block, start, end - start, text)))?;
    }
    Ok(())
}

/// The words in lower case, which they are only in a copy.
#[inline(always)]
pub(super) fn lower_words_by<E>(
    machine: Machine,
    block: &[u8],
    Parts { edges, text, .. }: &mut Parts,
    mut each: impl FnMut(Word<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let (mut done, mut held) = (0, 0);
    for piece in block.chunks(PIECE) {
        done += piece.len();
        let room = text.for_piece(held);
        let (lowered, inside, last) = (&mut room[held..], held > 0, done == block.len());
        machine.run(Lower { piece, lowered, inside, last, edges });
        let open = (held > 0).then_some(0);
        let open = hand_out(edges, held, open, |start, end| each(Word::within(&room[start..], end - start)))?;
        // A word that goes on in the next piece goes on behind its beginning, too.
        let filled = held + piece.len();
        held = open.map_or(0, |start| filled - start);
        if let Some(start @ 1..) = open {
            room.copy_within(start..filled, 0);
        }
    }
    Ok(())
}

/// The word of a block that begins at `start`: borrowed from the block, unless that ends too near behind it.
#[inline(always)]
pub(super) fn padded<'w>(block: &'w [u8], start: usize, len: usize, room: &'w mut Room) -> Word<'w> {
    let tail = &block[start..];
    if tail.len() >= len + PADDING { Word::within(tail, len) } else { room.padded(&tail[..len]) }
}

/// Finds where words of a piece begin and end, one after the other.
struct Find<'a> {
    piece: &'a [u8],
    /// Whether the piece begins within a word.
    inside: bool,
    last: bool,
    edges: &'a mut Edges,
}

impl Task for Find<'_> {
    type Output = ();

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) {
        let Self { piece, inside, last, edges } = self;
        let mut search = Search { edges: edges.rewrite(), inside: u64::from(inside) };
        let (chunks, rest) = piece.as_chunks();
        for (i, chunk) in chunks.iter().enumerate() {
            search.add(kernel, kernel.blanks(chunk), i * CHUNK);
        }
        if !rest.is_empty() {
            search.add(kernel, kernel.blanks(&with_blanks(rest)), chunks.len() * CHUNK);
        }
        search.finish(piece, last);
    }
}

/// The same, and writes the piece to `lowered` in lower case.
struct Lower<'a> {
    piece: &'a [u8],
    lowered: &'a mut [u8],
    inside: bool,
    last: bool,
    edges: &'a mut Edges,
}

impl Task for Lower<'_> {
    type Output = ();

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) {
        let Self { piece, lowered, inside, last, edges } = self;
        let mut search = Search { edges: edges.rewrite(), inside: u64::from(inside) };
        let (chunks, rest) = piece.as_chunks();
        let (lowered, _) = lowered.as_chunks_mut();
        for (i, (chunk, lowered)) in chunks.iter().zip(&mut *lowered).enumerate() {
            search.add(kernel, kernel.lower(chunk, lowered), i * CHUNK);
        }
        if !rest.is_empty() {
            let lowered = &mut lowered[chunks.len()];
            search.add(kernel, kernel.lower(&with_blanks(rest), lowered), chunks.len() * CHUNK);
        }
        search.finish(piece, last);
    }
}

/// The rest of a block as a whole chunk.
#[inline(always)]
fn with_blanks(rest: &[u8]) -> [u8; CHUNK] {
    let mut chunk = [b' '; CHUNK];
    chunk[..rest.len()].copy_from_slice(rest);
    chunk
}

/// The search for the edges of words.
struct Search<'a> {
    edges: Writer<'a>,
    /// 1 if the last byte before the next chunk belongs to a word.
    inside: u64,
}

impl Search<'_> {
    /// Adds the places of a chunk where words begin or end.
    #[inline(always)]
    fn add<K: Kernel>(&mut self, kernel: K, blanks: u64, at: usize) {
        let words = !blanks;
        self.edges.add(kernel, words ^ (words << 1 | self.inside), at);
        self.inside = words >> (CHUNK - 1);
    }

    /// Ends the word at the end of the last piece of a block, if that fills its last chunk.
    #[inline(always)]
    fn finish(mut self, piece: &[u8], last: bool) {
        if last && self.inside == 1 {
            self.edges.push(piece.len());
        }
        self.edges.done();
    }
}

/// Calls `each` with start and end of every word that ends at one of the edges, which count from `at`.
///
/// `open` is where a word began before the first edge; the result is where one begins that has not ended. There is one
/// call of `each`, so that even a long one is inlined: that is why a word's end is paired with the next one's start.
#[inline(always)]
fn hand_out<E>(
    edges: &Edges,
    at: usize,
    open: Option<usize>,
    mut each: impl FnMut(usize, usize) -> Result<(), E>,
) -> Result<Option<usize>, E> {
    let (mut start, skipped) = match (open, edges.get()) {
        (Some(start), _) => (start, 0),
        (None, [first, ..]) => (at + usize::from(*first), 1),
        (None, []) => return Ok(None),
    };
    let (pairs, complete) = edges.pairs(skipped);
    for [end, next] in pairs {
        each(start, at + usize::from(*end))?;
        start = at + usize::from(*next);
    }
    Ok(complete.then_some(start))
}
