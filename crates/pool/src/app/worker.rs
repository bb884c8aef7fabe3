//! The workers of an application: what users implement, and the loops around it.
//!
//! It runs in worker processes; starting and stopping them is the main process's part.

use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::message::AppEvent;
use crate::config::LONGEST_LIMIT;
use crate::queue::Queue;
use crate::signals::{Cancel, Level, install_handlers};
use crate::sync::Event;
use crate::toolkit::failure::Failure;
use crate::toolkit::registry::{Argument, Function, Registry};

/// A worker of an application. Besides this it implements one of [`PlainWorker`], [`TimerWorker`] and [`QueueWorker`].
///
/// One value of the type lives in one process. An error from any method ends the worker, and with it the application.
pub trait Worker: Sized + 'static {
    /// The name under which it is registered.
    const NAME: &'static str;
    /// What it is started with.
    type Settings: Argument;
    /// What it sends to the main process: the application's event type.
    type Event: Argument;

    /// Makes it ready, within the application's deadline.
    ///
    /// # Errors
    /// When it cannot work. The application does not start then.
    fn start(settings: Self::Settings, context: &Context<Self::Event>) -> Result<Self, Failure>;

    /// Cleans up, after the last work.
    ///
    /// # Errors
    /// When that fails.
    fn stop(&mut self, _context: &Context<Self::Event>) -> Result<(), Failure> {
        Ok(())
    }
}

/// A worker with a loop of its own.
pub trait PlainWorker: Worker {
    /// Works until it is through, or until [`Context::is_ending`]. It must not wait for anything for ever.
    ///
    /// # Errors
    /// When the work fails.
    fn run(&mut self, context: &Context<Self::Event>) -> Result<(), Failure>;
}

/// A worker that does something again and again.
pub trait TimerWorker: Worker {
    /// How long from the beginning of one round to that of the next.
    fn interval(&self) -> Duration;

    /// One round.
    ///
    /// # Errors
    /// When it fails.
    fn tick(&mut self, context: &Context<Self::Event>) -> Result<(), Failure>;
}

/// A worker that does something with each item of a queue.
pub trait QueueWorker: Worker {
    /// What is in the queue.
    type Item: Argument;

    /// Deals with one item.
    ///
    /// # Errors
    /// When it fails.
    fn item(&mut self, item: Self::Item, context: &Context<Self::Event>) -> Result<(), Failure>;
}

/// What a worker gets when it starts.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Order<S: Argument, E: Argument, I: Argument> {
    pub(super) settings: S,
    pub(super) events: Queue<AppEvent<E>>,
    pub(super) shutdown: Event,
    pub(super) ready: Event,
    pub(super) begun: SystemTime,
    pub(super) items: Option<Queue<I>>,
}

pub(super) type OrderOf<W, I = ()> = Order<<W as Worker>::Settings, <W as Worker>::Event, I>;

pub(super) const fn plain<W: Worker>() -> Function<OrderOf<W>, ()> {
    Function::new(W::NAME)
}

pub(super) const fn queued<W: QueueWorker>() -> Function<OrderOf<W, W::Item>, ()> {
    Function::new(W::NAME)
}

impl Registry {
    /// Adds a worker of an application that has a loop of its own.
    #[must_use]
    pub fn plain_worker<W: PlainWorker>(self) -> Self {
        self.try_function(plain::<W>(), |order| live(order, |worker: &mut W, _, context| worker.run(context)))
    }

    /// Adds a worker of an application that does something again and again.
    #[must_use]
    pub fn timer_worker<W: TimerWorker>(self) -> Self {
        self.try_function(plain::<W>(), |order| {
            live(order, |worker: &mut W, _, context| tick(worker, context))
        })
    }

    /// Adds a worker of an application that does something with each item of a queue.
    #[must_use]
    pub fn queue_worker<W: QueueWorker>(self) -> Self {
        self.try_function(queued::<W>(), |order| {
            live(order, |worker: &mut W, items, context| match items {
                Some(items) => items.iter().try_for_each(|item| worker.item(item?, context)),
                None => Ok(()),
            })
        })
    }
}

/// A worker's life: start, work, stop, each told in the log.
fn live<W: Worker, I: Argument>(
    order: OrderOf<W, I>,
    work: impl FnOnce(&mut W, Option<Queue<I>>, &Context<W::Event>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Order { settings, events, shutdown, ready, begun, items } = order;
    let _handlers = obey(&shutdown)?;
    let context = Context::new(events, shutdown, begun);
    tracing::debug!("{} starting", context.name());
    let mut worker = W::start(settings, &context)?;
    ready.set()?;
    tracing::debug!("{} ready", context.name());
    let outcome = work(&mut worker, items, &context);
    // It cleans up after a failure as well, and the first error is the one that counts.
    let stopped = worker.stop(&context);
    outcome.and(stopped)?;
    tracing::info!("{} stopped in good order", context.name());
    Ok(context.stopped()?)
}

/// A signal to a worker asks the whole application to end; the third ends this worker at once.
fn obey(shutdown: &Event) -> Result<crate::signals::Handlers, Failure> {
    let (cancel, shutdown) = (Cancel::new(), shutdown.clone());
    cancel.on_change(move |level| match level {
        Level::Immediate(signal) => std::process::exit(128 + signal),
        Level::Graceful(signal) => {
            if let Err(error) = shutdown.set() {
                tracing::error!("signal {signal} cannot be passed on: {error}");
            }
        }
        Level::None => {}
    });
    Ok(install_handlers(&cancel)?)
}

fn tick<W: TimerWorker>(worker: &mut W, context: &Context<W::Event>) -> Result<(), Failure> {
    let mut due = Instant::now();
    while !context.wait(due.saturating_duration_since(Instant::now())) {
        worker.tick(context)?;
        // Rounds that were missed are not made up for.
        due = (due + worker.interval().min(LONGEST_LIMIT)).max(Instant::now());
    }
    Ok(())
}
