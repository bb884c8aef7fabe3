//! Feeds records to a mapper one by one: leaves out those that were set aside, and goes on after those that it fails at.
//!
//! It is for attempts after a failure. It decides nothing about records: it notes which are to blame.

use super::attempt::{Feed, MapperSink};
use crate::api::{Emitter, Mapper};
use crate::flight::Stage;
use crate::input::{Input, RecordSink, Span};
use crate::result::{BoxError, Result, chain};
use crate::runner::catch_part;
use crate::task::{BadRecords, Care, FailureKind};

/// A feed that is watched record by record.
pub(super) struct Careful<'p, 'a, M: Mapper> {
    feed: Feed<'p, 'a, M>,
    /// What the mapper is a clone of.
    original: &'a M,
    care: &'a Care,
}

impl<'p, 'a, M: Mapper> Careful<'p, 'a, M> {
    pub(super) fn new(feed: Feed<'p, 'a, M>, original: &'a M, care: &'a Care) -> Self {
        Self { feed, original, care }
    }

    /// Ends the feeding.
    ///
    /// # Errors
    /// When the mapper has failed at a record: nothing that it has emitted may be used.
    pub(super) fn end(self) -> Result<Feed<'p, 'a, M>> {
        self.feed.env.blames.verdict()?;
        Ok(self.feed)
    }

    fn leaves_out(&self, at: Span) -> bool {
        let file = self.feed.env.flight.sight_file();
        file.is_some_and(|file| self.care.leaves_out_record(file, at.offset))
    }

    /// The mapper has failed: goes on with a fresh clone of it, unless that was once too often.
    #[cold]
    fn failed(&mut self, kind: FailureKind) -> Result {
        let env = self.feed.env;
        if !env.blames.add(&env.flight, kind.clone()) {
            return Err(kind.to_string().into());
        }
        if env.blames.len() >= self.care.probe {
            return Err(BadRecords.into());
        }
        self.feed.out.discard();
        self.feed.mapper.clone_from(self.original);
        env.flight.stage(Stage::Setup);
        env.flight.no_record();
        self.feed.mapper.setup()?;
        env.flight.stage(Stage::Map);
        Ok(())
    }
}

impl<'p, M: Mapper> MapperSink<'p, M> for Careful<'p, '_, M> {
    fn feed(&mut self) -> (&mut M, &mut Emitter<'p, M::Key, M::Value>) {
        self.feed.feed()
    }
}

impl<M: Mapper> RecordSink<M::Input> for Careful<'_, '_, M> {
    fn record(&mut self, at: Span, record: <M::Input as Input>::Record<'_>) -> Result {
        if self.leaves_out(at) {
            return Ok(());
        }
        self.feed.note(at)?;
        let Feed { mapper, out, env, .. } = &mut self.feed;
        // What it has emitted is folded and placed at once: a failure there is this record's too.
        let mapped = catch_part(&env.flight, || mapper.map(record, out).and_then(|()| out.check()));
        let kind = match mapped {
            Ok(Ok(())) => {
                env.flight.no_record();
                return Ok(());
            }
            // The framework itself has failed, for which no record is to blame.
            Ok(Err(error)) if env.flight.sight().spot().is_none() => return Err(error),
            Ok(Err(error)) => FailureKind::Returned { message: chain(&*error) },
            Err(panic) => panic.into(),
        };
        self.failed(kind)
    }

    fn undecodable(&mut self, at: Span, error: BoxError) -> Result {
        if self.leaves_out(at) {
            return Ok(());
        }
        self.feed.env.flight.record(at);
        self.failed(FailureKind::Returned { message: chain(&*error) })
    }
}
