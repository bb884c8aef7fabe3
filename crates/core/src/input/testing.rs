//! What the tests of the inputs share: files in a scratch folder and a sink that keeps every record.
//!
//! It holds no test and no reference; those stand with what they test.

use std::fs;
use std::path::Path;

use super::{Buffers, Chunks, Cut, Given, Input, InputFile, Plan, RecordSink, Source, Span, find};
use crate::result::{BoxError, Result};

/// A record as it was read: ordinal of its file, where it stood, and its bytes or the error in its place.
pub(super) type Seen = (u32, Span, std::result::Result<Vec<u8>, String>);

/// Keeps what it is given.
#[derive(Debug, Default)]
pub(super) struct Collect {
    pub(super) ordinal: u32,
    pub(super) seen: Vec<Seen>,
}

impl<I: Input> RecordSink<I> for Collect
where
    for<'a> I::Record<'a>: AsRef<[u8]>,
{
    fn record(&mut self, at: Span, record: I::Record<'_>) -> Result {
        self.seen.push((self.ordinal, at, Ok(record.as_ref().to_vec())));
        Ok(())
    }

    fn undecodable(&mut self, at: Span, error: BoxError) -> Result {
        self.seen.push((self.ordinal, at, Err(error.to_string())));
        Ok(())
    }
}

/// Writes `contents` into files named by their ordinal and finds them again.
pub(super) fn files(folder: &Path, contents: &[Vec<u8>]) -> Vec<InputFile> {
    let path = |ordinal| folder.join(format!("{ordinal:05}"));
    for (ordinal, content) in contents.iter().enumerate() {
        fs::write(path(ordinal), content).unwrap();
    }
    let given: Vec<Given> = (0..contents.len()).map(|ordinal| Given::Path(path(ordinal))).collect();
    find(&given).unwrap()
}

/// One file, cut for `cut` into chunks of `chunk_size`.
pub(super) fn plan_one(path: &Path, cut: Cut, chunk_size: u64) -> Plan {
    let files = find(&[Given::Path(path.into())]).unwrap();
    Plan::cut(files, cut, Chunks::of(chunk_size), None).unwrap()
}

/// Reads one split with `sink`.
pub(super) fn read_split<I, S>(
    input: &I,
    plan: &Plan,
    split: usize,
    buffers: &mut Buffers,
    sink: &mut S,
) -> Result
where
    I: Input,
    S: RecordSink<I>,
{
    for piece in &plan.splits[split].pieces {
        let file = &plan.files[piece.file as usize];
        let mut source = Source::open(file, piece.file, *piece, buffers)?;
        input.read(&mut source, sink)?;
        source.finish()?;
    }
    Ok(())
}

/// Every record of a plan with the partition of its split, in the order of the splits.
pub(super) fn read_all<I: Input>(input: &I, plan: &Plan, buffer: usize) -> Result<Vec<(u32, Seen)>>
where
    Collect: RecordSink<I>,
{
    let mut buffers = Buffers::with_size(buffer);
    let mut all = Vec::new();
    for split in &plan.splits {
        for piece in &split.pieces {
            let mut sink = Collect { ordinal: piece.file, ..Collect::default() };
            let file = &plan.files[piece.file as usize];
            let mut source = Source::open(file, piece.file, *piece, &mut buffers)?;
            input.read(&mut source, &mut sink)?;
            source.finish()?;
            all.extend(sink.seen.into_iter().map(|seen| (split.partition, seen)));
        }
    }
    Ok(all)
}
