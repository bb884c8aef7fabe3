//! Turns the fields of an event into the text of a record: `message key=value …`, backtraces in lines below.
//!
//! Everything is formatted here, in the worker, error chains and backtraces included: what a value refers to does
//! not cross to the listener. Metadata such as level and target is not looked at.

use std::error::Error;
use std::fmt::{self, Debug, Write};

use tracing::field::{Field, Visit};

/// The text of an event in the making.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    message: String,
    others: String,
    /// What stands in lines of its own.
    below: String,
}

impl Fields {
    /// The whole text. To be called once, when all fields are recorded.
    pub(crate) fn finish(&mut self) -> &str {
        if !self.message.is_empty() && !self.others.is_empty() {
            self.message.push(' ');
        }
        self.message.push_str(&self.others);
        self.message.push_str(&self.below);
        &self.message
    }

    pub(crate) fn clear(&mut self) {
        /// One huge message does not bind its memory for the rest of the thread's life.
        const KEPT: usize = 16 << 10;
        for text in [&mut self.message, &mut self.others, &mut self.below] {
            text.clear();
            text.shrink_to(KEPT);
        }
    }

    fn put(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let text = match field.name() {
            // `log` records carry their metadata as fields.
            "log.target" | "log.module_path" | "log.file" | "log.line" => return,
            "message" => &mut self.message,
            name @ ("backtrace" | "stack") => {
                self.below.push('\n');
                self.below.push_str(name);
                self.below.push_str(":\n");
                &mut self.below
            }
            name => {
                if !self.others.is_empty() {
                    self.others.push(' ');
                }
                self.others.push_str(name.strip_prefix("r#").unwrap_or(name));
                self.others.push('=');
                &mut self.others
            }
        };
        if text.write_fmt(value).is_err() {
            text.push_str("<its formatting failed>");
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() != "message" && needs_quotes(value) {
            self.put(field, format_args!("{value:?}"));
        } else {
            self.put(field, format_args!("{value}"));
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, format_args!("{}", Chain(value)));
    }
}

/// Whether a reader could not tell where the value ends. A text of several lines stays as it is.
fn needs_quotes(value: &str) -> bool {
    value.is_empty() || (value.contains([' ', '"', '\t']) && !value.contains('\n'))
}

/// An error with all its sources, as text: `cannot read the input: no such disk`.
///
/// Fields of events that are errors are shown so without it. It is for messages.
#[derive(Debug)]
pub struct Chain<'a>(&'a (dyn Error + 'static));

/// Shows `error` with all its sources.
///
/// ```
/// # let error = std::io::Error::other("no such disk");
/// tracing::error!("cannot go on: {}", gristmill_log::chain(&error));
/// ```
#[must_use]
pub fn chain<'a>(error: &'a (dyn Error + 'static)) -> Chain<'a> {
    Chain(error)
}

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// An error that is its own source must not fill the memory.
        const DEEPEST: usize = 64;
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        for _ in 0..DEEPEST {
            let Some(source) = next else { break };
            write!(f, ": {source}")?;
            next = source.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    struct Collect(Arc<Mutex<Vec<String>>>);

    impl<S: tracing::Subscriber> Layer<S> for Collect {
        fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
            let mut fields = Fields::default();
            event.record(&mut fields);
            self.0.lock().expect("no panic").push(fields.finish().to_owned());
        }
    }

    fn text(log: impl FnOnce()) -> String {
        let texts = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::registry().with(Collect(Arc::clone(&texts)));
        tracing::subscriber::with_default(subscriber, log);
        texts.lock().expect("no panic").concat()
    }

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the input")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn fields_follow_the_message() {
        let got = text(|| tracing::info!(n = 3, name = "two words", plain = "one", ok = true, "hello {}", 1));
        assert_eq!(got, "hello 1 n=3 name=\"two words\" plain=one ok=true");
    }

    #[test]
    fn fields_alone_need_no_message() {
        assert_eq!(text(|| tracing::info!(empty = "", shown = %"as it is")), "empty=\"\" shown=as it is");
    }

    #[test]
    fn a_field_may_be_called_as_those_of_the_log_crate() {
        assert_eq!(text(|| tracing::info!(log.size = 3, "x")), "x log.size=3");
    }

    #[test]
    fn an_error_comes_with_its_chain() {
        let error = Outer(std::io::Error::other("no such disk"));
        let got = text(|| tracing::error!(error = &error as &dyn Error, "failed"));
        assert_eq!(got, "failed error=cannot read the input: no such disk");
    }

    #[test]
    fn a_backtrace_stands_below() {
        let backtrace = "0: main\n1: start";
        let got = text(|| tracing::error!(%backtrace, code = 3, "failed"));
        assert_eq!(got, "failed code=3\nbacktrace:\n0: main\n1: start");
    }

    #[test]
    fn a_value_that_cannot_be_formatted_costs_nothing_else() {
        struct Broken;
        impl Debug for Broken {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                Err(fmt::Error)
            }
        }
        assert_eq!(text(|| tracing::info!(a = ?Broken, b = 1, "x")), "x a=<its formatting failed> b=1");
    }
}
