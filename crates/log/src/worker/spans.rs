//! The spans around an event, as text: `request{id=7}:query`.
//!
//! A span's fields are formatted once, when they are known, and kept with the span. Events are not handled here.

use tracing::Subscriber;
use tracing::field::Visit;
use tracing::span::{Attributes, Id, Record as Values};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Scope};

use super::fields::Fields;

/// The fields of a span.
#[derive(Debug, Default)]
struct SpanFields {
    text: String,
}

impl SpanFields {
    fn add(&mut self, more: &str) {
        if !self.text.is_empty() && !more.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(more);
    }
}

/// What `record` tells of the fields. No span may be locked meanwhile: formatting a value may log, and an event looks
/// at all spans around it.
fn format(record: impl FnOnce(&mut dyn Visit)) -> String {
    let mut fields = Fields::default();
    record(&mut fields);
    fields.finish().to_owned()
}

/// Keeps the fields that a span begins with.
pub(super) fn begin<S: Subscriber + for<'a> LookupSpan<'a>>(
    attributes: &Attributes<'_>,
    id: &Id,
    context: &Context<'_, S>,
) {
    let Some(span) = context.span(id) else { return };
    let text = format(|visitor| attributes.record(visitor));
    span.extensions_mut().replace(SpanFields { text });
}

/// Adds those that are recorded later.
pub(super) fn add<S: Subscriber + for<'a> LookupSpan<'a>>(
    id: &Id,
    values: &Values<'_>,
    context: &Context<'_, S>,
) {
    let Some(span) = context.span(id) else { return };
    let more = format(|visitor| values.record(visitor));
    if let Some(fields) = span.extensions_mut().get_mut::<SpanFields>() {
        fields.add(&more);
    }
}

/// Replaces the content of `out` with the spans of `scope`, the outermost first.
pub(super) fn describe<'a, S: LookupSpan<'a>>(scope: Scope<'a, S>, out: &mut String) {
    out.clear();
    for span in scope.from_root() {
        if !out.is_empty() {
            out.push(':');
        }
        out.push_str(span.name());
        let extensions = span.extensions();
        let text = extensions.get::<SpanFields>().map_or("", |fields| fields.text.as_str());
        if !text.is_empty() {
            out.push('{');
            out.push_str(text);
            out.push('}');
        }
    }
}
