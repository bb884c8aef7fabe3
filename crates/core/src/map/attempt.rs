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
    task: u32,
    buffers: &mut Buffers,
    target: Target<'_, M::Value>,
) -> Result<Counters> {
    let mut counters = Counters::default();
    let mut mapper = mapper.clone();
    let split = env.plan.splits.get(task as usize).ok_or("there is no such input split")?;
    let mut feed =
        Feed { mapper: &mut mapper, out: Emitter::new(target, &mut counters), flight: &env.flight };
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

fn read_piece<'p, M: Mapper>(
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
    source.finish()
}

/// Feeds records to a mapper, noting each one first.
struct Feed<'p, 'a, M: Mapper> {
    mapper: &'a mut M,
    out: Emitter<'p, M::Key, M::Value>,
    flight: &'a Flight,
}

impl<M: Mapper> RecordSink<M::Input> for Feed<'_, '_, M> {
    #[inline]
    fn record(&mut self, at: Span, record: <M::Input as Input>::Record<'_>) -> Result {
        self.flight.record(at);
        if self.flight.stop_requested() {
            return Err(Stopped.into());
        }
        self.mapper.map(record, &mut self.out)
    }

    fn undecodable(&mut self, at: Span, error: BoxError) -> Result {
        self.flight.record(at);
        Err(error)
    }
}
