//! The worker's one handler: a `tracing` layer that turns events into records and enqueues them.
//!
//! It filters before it formats and formats before it enqueues. It opens nothing, prints nothing and makes no
//! events of its own.

use std::cell::Cell;
use std::sync::Arc;

use tracing::span::{Attributes, Id, Record as Values};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::fields::Fields;
use super::gate::Gate;
use super::producer::Producer;
use super::spans;
use crate::context;
use crate::record::{Wire, now};

pub(super) struct QueueLayer {
    pub(super) producer: Arc<Producer>,
    pub(super) gate: Arc<Gate>,
}

/// Memory for the texts of an event.
#[derive(Default)]
struct Scratch {
    fields: Fields,
    spans: String,
}

thread_local! {
    /// That of the last event, for its capacity. It is taken out while an event is formatted, since a value's
    /// formatting may log as well.
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for QueueLayer {
    /// The answer may change while the program runs: `tracing` must ask each time.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.gate.passes(metadata)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        spans::begin(attributes, id, &context);
    }

    fn on_record(&self, id: &Id, values: &Values<'_>, context: Context<'_, S>) {
        spans::add(id, values, &context);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if context::is_muted() {
            return;
        }
        let kept = SCRATCH.try_with(Cell::take).unwrap_or_default();
        let mut scratch = kept.unwrap_or_default();
        event.record(&mut scratch.fields);
        let scope = context.event_scope(event);
        let inside = scope.map(|scope| spans::describe(scope, &mut scratch.spans)).is_some();
        let Scratch { fields, spans } = &mut *scratch;
        self.enqueue(event, fields.finish(), inside.then_some(spans.as_str()));
        fields.clear();
        // Only a thread that is ending has no place for it.
        let _kept = SCRATCH.try_with(|place| place.set(Some(scratch)));
    }
}

impl QueueLayer {
    fn enqueue(&self, event: &Event<'_>, message: &str, spans: Option<&str>) {
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        let thread = std::thread::current();
        let current = context::current();
        self.producer.enqueue(Wire {
            time: now(),
            level: *metadata.level(),
            target: metadata.target(),
            message,
            process: self.producer.name(),
            pid: self.producer.pid(),
            thread: thread.name(),
            job: current.job.as_deref(),
            task: current.task.as_deref(),
            attempt: current.attempt,
            spans,
            file: metadata.file(),
            line: metadata.line(),
            sequence: 0,
        });
    }
}
