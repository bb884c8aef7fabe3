//! One attempt at a map task: reads the records of an input split and calls the mapper.
//!
//! It does not commit: the session does.

use crate::api::{Emitter, Mapper, Target};
use crate::counters::Counters;
use crate::flight::{Flight, Stage};
use crate::input::{Buffers, Input, InputFile, Origin, RecordSink, Source, Span};
use crate::result::{BoxError, Result};
use crate::task::{Stopped, TaskEnv};

/// Runs a clone of `mapper` over every record of split `task`.
pub(super) fn run<M: Mapper>(
    env: &TaskEnv,
    input: &M::Input,
    mapper: &M,
    (task, attempt): (u32, u32),
    buffers: &mut Buffers,
    target: Target<'_, M::Value>,
) -> Result<Counters> {
    let mut counters = Counters::default();
    let mut mapper = mapper.clone();
    let split = env.plan.splits.get(task as usize).ok_or("there is no such input split")?;
    let out = Emitter::new(target, &mut counters);
    let mut feed = Feed { mapper: &mut mapper, out, flight: &env.flight, blocks: attempt == 1 };
    feed.mapper.setup()?;
    env.flight.stage(Stage::Map);
    for piece in &split.pieces {
        let file = env.plan.files.get(piece.file as usize).ok_or("there is no such input file")?;
        read_piece(env, input, file, piece, buffers, &mut feed)?;
    }
    env.flight.stage(Stage::Cleanup);
    feed.mapper.cleanup(&mut feed.out)?;
    Ok(counters)
}

pub(super) fn read_piece<'p, M: Mapper>(
    env: &'p TaskEnv,
    input: &M::Input,
    file: &'p InputFile,
    piece: &crate::input::Piece,
    buffers: &mut Buffers,
    feed: &mut Feed<'p, '_, M>,
) -> Result {
    if let Some(path) = file.user_path() {
        tracing::info!(target: "gristmill", "{} reading {}", env.worker, path.display());
    }
    if file.origin != Origin::Items {
        feed.out.set_input(file.user_path(), piece.file);
    }
    env.flight.file(piece.file);
    let mut source = Source::open(file, piece.file, *piece, buffers)?;
    input.read(&mut source, feed)?;
    feed.out.settle()?;
    source.finish()
}

/// Feeds records to a mapper, noting each one first.
pub(super) struct Feed<'p, 'a, M: Mapper> {
    pub(super) mapper: &'a mut M,
    pub(super) out: Emitter<'p, M::Key, M::Value>,
    pub(super) flight: &'a Flight,
    /// Whether the mapper is offered blocks.
    pub(super) blocks: bool,
}

impl<M: Mapper> Feed<'_, '_, M> {
    #[inline]
    fn note(&mut self, at: Span) -> Result {
        self.flight.record(at);
        self.out.mark(at);
        if self.flight.stop_requested() { Err(Stopped.into()) } else { Ok(()) }
    }
}

impl<M: Mapper> RecordSink<M::Input> for Feed<'_, '_, M> {
    #[inline]
    fn block(&mut self, at: Span, block: &[u8]) -> Result<bool> {
        if !self.blocks {
            return Ok(false);
        }
        self.note(at)?;
        let taken = self.mapper.map_block(block, &mut self.out)?;
        if !taken {
            self.flight.untake(at);
        }
        Ok(taken)
    }

    #[inline]
    fn record(&mut self, at: Span, record: <M::Input as Input>::Record<'_>) -> Result {
        self.note(at)?;
        self.mapper.map(record, &mut self.out)
    }

    fn undecodable(&mut self, at: Span, error: BoxError) -> Result {
        self.flight.record(at);
        Err(error)
    }
}
