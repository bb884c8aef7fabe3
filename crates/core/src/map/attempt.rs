//! One attempt at a map task: reads the records of an input split and calls the mapper.
//!
//! It does not commit: the session does.

use super::careful::Careful;
use crate::api::{Emitter, Mapper, Target};
use crate::counters::Counters;
use crate::flight::{Flight, Stage};
use crate::input::{Buffers, Input, InputFile, Origin, Piece, RecordSink, Source, Span};
use crate::result::{BoxError, Result};
use crate::task::{Care, Stopped, TaskEnv};

/// Runs a clone of `mapper` over every record of split `task`.
pub(super) fn run<M: Mapper>(
    env: &TaskEnv,
    input: &M::Input,
    mapper: &M,
    (task, care): (u32, &Care),
    buffers: &mut Buffers,
    target: Target<'_, M::Value>,
) -> Result<Counters> {
    let mut counters = Counters::default();
    let (original, mut mapper) = (mapper, mapper.clone());
    let split = env.plan.splits.get(task as usize).ok_or("there is no such input split")?;
    let out = Emitter::new(target, &mut counters);
    let feed = Feed { mapper: &mut mapper, out, env, blocks: !care.closely };
    let pieces = split.pieces.iter().copied();
    let feed = if care.is_careful() {
        let mut feed = Careful::new(feed, original, care);
        read(env, input, pieces, buffers, &mut feed)?;
        feed.end()?
    } else {
        let mut feed = feed;
        read(env, input, pieces, buffers, &mut feed)?;
        feed
    };
    env.flight.stage(Stage::Cleanup);
    let Feed { mapper, mut out, .. } = feed;
    mapper.cleanup(&mut out)?;
    Ok(counters)
}

/// As [`run`], for an attempt that is not to be committed.
pub(crate) fn run_attempt<M: Mapper>(
    env: &TaskEnv,
    input: &M::Input,
    mapper: &M,
    task: (u32, &Care),
    target: Target<'_, M::Value>,
) -> Result<Counters> {
    run(env, input, mapper, task, &mut Buffers::default(), target)
}

/// Takes the records of pieces and gives them to a mapper.
pub(super) trait MapperSink<'p, M: Mapper>: RecordSink<M::Input> {
    fn feed(&mut self) -> (&mut M, &mut Emitter<'p, M::Key, M::Value>);
}

/// Feeds every record of `pieces` to a mapper that is set up first.
pub(super) fn read<'p, M: Mapper>(
    env: &'p TaskEnv,
    input: &M::Input,
    pieces: impl Iterator<Item = Piece>,
    buffers: &mut Buffers,
    sink: &mut impl MapperSink<'p, M>,
) -> Result {
    sink.feed().0.setup()?;
    env.flight.stage(Stage::Map);
    for piece in pieces {
        let file = env.plan.files.get(piece.file as usize).ok_or("there is no such input file")?;
        read_piece(env, input, file, piece, buffers, sink)?;
    }
    Ok(())
}

fn read_piece<'p, M: Mapper>(
    env: &'p TaskEnv,
    input: &M::Input,
    file: &'p InputFile,
    piece: Piece,
    buffers: &mut Buffers,
    sink: &mut impl MapperSink<'p, M>,
) -> Result {
    if let Some(path) = file.user_path() {
        tracing::info!(target: "gristmill", "{} reading {}", env.worker, path.display());
    }
    if file.origin != Origin::Items {
        sink.feed().1.set_input(file.user_path(), piece.file);
    }
    env.flight.file(piece.file);
    let mut source = Source::open(file, piece.file, piece, buffers)?;
    input.read(&mut source, sink)?;
    // What waited is of records of this piece, and noted as such.
    sink.feed().1.settle().inspect_err(|error| env.blames.add_error(&env.flight, error))?;
    env.flight.no_record();
    source.finish()
}

/// Feeds records to a mapper, noting each one first.
pub(super) struct Feed<'p, 'a, M: Mapper> {
    pub(super) mapper: &'a mut M,
    pub(super) out: Emitter<'p, M::Key, M::Value>,
    pub(super) env: &'a TaskEnv,
    /// Whether the mapper is offered blocks.
    pub(super) blocks: bool,
}

impl<M: Mapper> Feed<'_, '_, M> {
    #[inline]
    pub(super) fn note(&mut self, at: Span) -> Result {
        self.env.flight.record(at);
        self.out.mark(at);
        if self.env.flight.stop_requested() { Err(Stopped.into()) } else { Ok(()) }
    }

    /// The mapper has failed, or a combiner at what it emitted before: the page tells at which record.
    #[cold]
    fn blame(&self, error: &BoxError) {
        self.env.blames.add_error(&self.env.flight, error);
    }
}

impl<'p, M: Mapper> MapperSink<'p, M> for Feed<'p, '_, M> {
    fn feed(&mut self) -> (&mut M, &mut Emitter<'p, M::Key, M::Value>) {
        (self.mapper, &mut self.out)
    }
}

impl<M: Mapper> RecordSink<M::Input> for Feed<'_, '_, M> {
    #[inline]
    fn block(&mut self, at: Span, block: &[u8]) -> Result<bool> {
        if !self.blocks {
            return Ok(false);
        }
        let flight = &self.env.flight;
        flight.block(at);
        self.out.mark(Flight::block_mark(at));
        if flight.stop_requested() {
            return Err(Stopped.into());
        }
        let taken = self.mapper.map_block(block, &mut self.out)?;
        if !taken {
            flight.untake(at);
        }
        Ok(taken)
    }

    #[inline]
    fn record(&mut self, at: Span, record: <M::Input as Input>::Record<'_>) -> Result {
        self.note(at)?;
        self.mapper.map(record, &mut self.out).inspect_err(|error| self.blame(error))
    }

    fn undecodable(&mut self, at: Span, error: BoxError) -> Result {
        self.env.flight.record(at);
        self.blame(&error);
        Err(error)
    }
}
