//! Writes what stays where it is until the file has it: many pieces with one call, and none is copied before.
//!
//! A file system takes long writes in less time than short ones: ext4 needs half of it for a MiB at once, not 32 KiB.

use super::index::Label;
use super::writer::RunWriter;
use crate::result::Result;

/// Bytes that are written with one call.
const TOGETHER: usize = 1 << 20;

/// A run file that is written from borrowed memory. What was not [passed on](Self::finish) is lost.
pub(crate) struct Pieces<'r, 'b> {
    run: &'r mut RunWriter,
    /// Counted in the run's index, and not in the file yet.
    borrowed: Vec<&'b [u8]>,
    len: usize,
}

impl<'r, 'b> Pieces<'r, 'b> {
    pub(crate) fn of(run: &'r mut RunWriter) -> Self {
        Self { run, borrowed: Vec::new(), len: 0 }
    }

    /// Starts the next segment.
    pub(crate) fn begin(&mut self, label: Label) -> Result {
        self.run.begin(label)
    }

    /// Appends bytes that hold `count` rows to the segment that was begun last.
    pub(crate) fn write(&mut self, bytes: &'b [u8], count: u64) -> Result {
        if !self.run.note_as_is(bytes, count)? {
            // They will be compressed, and be written from a buffer.
            self.pass_on()?;
            return self.run.write(bytes, count);
        }
        self.borrowed.push(bytes);
        self.len += bytes.len();
        if self.len >= TOGETHER { self.pass_on() } else { Ok(()) }
    }

    /// Writes what is left.
    pub(crate) fn finish(mut self) -> Result {
        self.pass_on()
    }

    fn pass_on(&mut self) -> Result {
        self.run.append_pieces(&self.borrowed)?;
        self.borrowed.clear();
        self.len = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::{CommitRecord, Kind, Spilling};
    use super::*;
    use crate::options::SpillCompression;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        /// Segments that are compressed stand between others that are not.
        #[test]
        fn a_run_is_the_same_however_it_is_written(
            compression in prop::sample::select(vec![SpillCompression::None, SpillCompression::Lz4]),
            segments in prop::collection::vec((any::<bool>(), prop::collection::vec(0_usize..400_000, 0..5)), 0..8),
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let bytes: Vec<_> = (0..400_000_u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
            let write = |name: &str, by_piece: bool| {
                let path = folder.path().join(name);
                let spilling = Arc::new(Spilling::fixed(compression, 1000));
                let mut run = RunWriter::create(&path, &spilling).expect("a run");
                let mut pieces = Pieces::of(&mut run);
                for (as_is, lens) in &segments {
                    let kind = if *as_is { Kind::Output } else { Kind::default() };
                    pieces.begin(Label { kind, ..Label::default() }).expect("a segment");
                    for len in lens {
                        let piece = &bytes[..*len];
                        if by_piece { pieces.write(piece, 1) } else { pieces.run.write(piece, 1) }.expect("a piece");
                    }
                }
                pieces.finish().expect("the last pieces");
                run.commit(&path, CommitRecord::default(), false).expect("a commit");
                fs::read(path).expect("the run")
            };
            prop_assert!(write("pieces", true) == write("whole", false));
        }
    }
}
