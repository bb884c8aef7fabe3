//! Catches panics of user code together with their message, place and backtrace.
//!
//! It does not decide what a panic means for a task.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

use super::backtrace;
use crate::flight::Flight;
use crate::task::FailureKind;

/// A panic that was caught.
#[derive(Debug, Clone)]
pub(crate) struct Panic {
    message: String,
    location: String,
    backtrace: String,
}

impl From<Panic> for FailureKind {
    fn from(panic: Panic) -> Self {
        let Panic { message, location, backtrace } = panic;
        Self::Panicked { message, location, backtrace }
    }
}

thread_local! {
    /// The page of the attempt that this thread runs, if it runs one.
    static FLIGHT: RefCell<Option<Flight>> = const { RefCell::new(None) };
    static CAUGHT: Cell<Option<Panic>> = const { Cell::new(None) };
}

/// Installs the hook that notes a panic of an attempt; every other panic goes to the hook that was there before.
pub(super) fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let flight = FLIGHT.with(|flight| flight.borrow().clone());
            match flight {
                Some(flight) => note(&flight, info),
                None => before(info),
            }
        }));
    });
}

fn note(flight: &Flight, info: &PanicHookInfo<'_>) {
    let panic = Panic {
        message: message(info.payload()),
        location: info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string),
        backtrace: backtrace::capture(),
    };
    // With `panic = "abort"`, or in a panic while unwinding, these are all that the coordinator will ever see.
    flight.last_words(&format!("panicked at {}: {}\n{}", panic.location, panic.message, panic.backtrace));
    CAUGHT.set(Some(panic));
}

fn message(payload: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}

/// Runs what comes before the first attempt; a panic ends the worker, and the page keeps its message and backtrace.
pub(crate) fn note_panics<T>(flight: &Flight, start: impl FnOnce() -> T) -> T {
    install_hook();
    FLIGHT.set(Some(flight.clone()));
    let done = start();
    FLIGHT.set(None);
    done
}

/// Runs `attempt`; a panic becomes an error.
///
/// Attempts nest where a thread that waits in user code's rayon calls takes up another worker's order.
pub(crate) fn catch<T>(flight: &Flight, attempt: impl FnOnce() -> T) -> Result<T, Panic> {
    install_hook();
    let around = FLIGHT.replace(Some(flight.clone()));
    let done = catch_part(flight, attempt);
    FLIGHT.set(around);
    // Either it is told in another way, or user code has caught it.
    flight.last_words("");
    done
}

/// As [`catch`], for a part of an attempt: a single record or group, so it has to be cheap.
pub(crate) fn catch_part<T>(flight: &Flight, part: impl FnOnce() -> T) -> Result<T, Panic> {
    // User code may have caught a panic of its own before.
    CAUGHT.set(None);
    panic::catch_unwind(AssertUnwindSafe(part)).map_err(|payload| {
        flight.last_words("");
        CAUGHT.take().unwrap_or_else(|| Panic {
            message: message(&*payload),
            location: "an unknown place".to_owned(),
            backtrace: String::new(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_that_user_code_caught_leaves_nothing_behind() {
        install_hook();
        let flight = crate::flight::new_page().expect("a page");
        let handled = || panic::catch_unwind(|| panic!("handled")).is_err();
        assert!(catch(&flight, handled).expect("it was caught before"));
        assert_eq!(flight.sight().last_words, "");
        let panic = catch(&flight, || panic::resume_unwind(Box::new("another"))).expect_err("a panic");
        assert_eq!(panic.message, "another");
    }
}
