//! Runs a mapper on one record that was set aside, as it was stored.
//!
//! It catches nothing: a crash is what whoever asks for this wants to see.

use std::path::Path;

use super::attempt::Feed;
use crate::api::{Emitter, Mapper, Target};
use crate::counters::Counters;
use crate::flight::Stage;
use crate::input::{Buffers, Input, InputFile, Origin, Piece, Source};
use crate::output::PairWriter;
use crate::result::Result;
use crate::task::TaskEnv;

/// Maps the one record in `file`; the mapper is told that it is of the input `of` (path and ordinal).
pub(crate) fn replay_record<M: Mapper>(
    env: &TaskEnv,
    input: &M::Input,
    mapper: &M,
    file: &InputFile,
    of: (Option<&Path>, u32),
    writer: &mut PairWriter,
) -> Result {
    let (mut counters, mut buffers, mut mapper) = (Counters::default(), Buffers::default(), mapper.clone());
    let mut out = Emitter::new(Target::Direct(writer), &mut counters);
    let piece = Piece { file: 0, offset: 0, len: file.size };
    let mut source = Source::open(file, 0, piece, &mut buffers)?;
    if file.origin != Origin::Items {
        out.set_input(of.0, of.1);
    }
    mapper.setup()?;
    env.flight.stage(Stage::Map);
    let mut feed = Feed { mapper: &mut mapper, out, env, blocks: false };
    input.read(&mut source, &mut feed)?;
    env.flight.stage(Stage::Cleanup);
    let Feed { mapper, mut out, .. } = feed;
    mapper.cleanup(&mut out)
}
