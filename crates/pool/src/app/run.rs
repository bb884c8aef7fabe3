//! The main process at work: events to the handler, an eye on the workers, and in the end an orderly stop.
//!
//! Starting is in `start`.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use super::App;
use super::message::{AppEvent, Body, Handled};
use super::report::{AppError, AppReport, WorkerEnd};
use crate::broker::CallError;
use crate::process::Process;
use crate::signals::Level;
use crate::toolkit::error::TaskError;
use crate::toolkit::registry::Argument;

/// How long a wait for an event goes on before the workers are looked at.
const TICK: Duration = Duration::from_millis(100);

/// How long a worker has to follow SIGTERM.
const TERMINATE_GRACE: Duration = Duration::from_secs(1);

impl<E: Argument + Debug> App<E> {
    /// Gives each event to `handler` until it says stop, somebody sets the shutdown event, a signal comes, or all
    /// workers are through; then stops everything and reports.
    ///
    /// While the workers stop, their last events are still handled.
    ///
    /// # Errors
    /// The failure of the first worker that failed. The others are stopped in good order before this returns.
    pub fn run(mut self, mut handler: impl FnMut(AppEvent<E>) -> Handled) -> Result<AppReport, AppError> {
        let mut report = AppReport::default();
        let outcome = self.main_loop(&mut handler, &mut report);
        let stopped = self.stop(&mut handler, &mut report);
        // The first error is what ended it.
        outcome.and(stopped)?;
        if let Level::Graceful(signal) | Level::Immediate(signal) = self.cancel.level() {
            report.signal = Some(signal);
        }
        drop(self.handlers.take());
        Ok(report)
    }

    fn main_loop(
        &self,
        handler: &mut impl FnMut(AppEvent<E>) -> Handled,
        report: &mut AppReport,
    ) -> Result<(), AppError> {
        while !self.shutdown.is_set()? {
            if self.next_event(TICK, handler, report)? == Some(Handled::Stop) {
                return Ok(());
            }
            if let Some(error) = self.failure() {
                return Err(error.into());
            }
            if self.workers.iter().all(|worker| !worker.is_alive()) && self.events.is_empty()? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn failure(&self) -> Option<TaskError> {
        self.workers.iter().find_map(|worker| worker.error())
    }

    fn next_event(
        &self,
        limit: Duration,
        handler: &mut impl FnMut(AppEvent<E>) -> Handled,
        report: &mut AppReport,
    ) -> Result<Option<Handled>, AppError> {
        let event = match self.events.get_timeout(limit) {
            Ok(Some(event)) => event,
            Ok(None) | Err(CallError::TimedOut) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let text = event.to_string();
        let own = matches!(event.body, Body::Event(_));
        let handled = handler(event);
        match handled {
            Handled::No if own => {
                report.unhandled += 1;
                tracing::error!("unknown event from {text}");
            }
            _ => tracing::debug!("event from {text}"),
        }
        Ok(Some(handled))
    }

    /// Asks, waits, terminates, waits, kills; whatever happens, no worker is left.
    fn stop(
        &self,
        handler: &mut impl FnMut(AppEvent<E>) -> Handled,
        report: &mut AppReport,
    ) -> Result<(), AppError> {
        tracing::debug!("stopping");
        self.shutdown.set()?;
        self.queues.iter().try_for_each(|queue| queue.close())?;
        self.stop_until(Instant::now() + self.stop_deadline, handler, report)?;
        let forced: Vec<_> = self.workers.iter().filter(|worker| worker.is_alive()).collect();
        forced.iter().for_each(|worker| force(worker));
        for worker in &self.workers {
            let (name, exit_code) = (worker.name(), worker.exit_code());
            let forced = forced.iter().any(|other| std::ptr::eq(*other, worker));
            tracing::debug!("{name} ended with exit code {exit_code:?}");
            report.workers.push(WorkerEnd { name, exit_code, forced });
        }
        // A last word may have come meanwhile.
        while self.next_event(Duration::ZERO, handler, report)?.is_some() {}
        self.clean_up(report)?;
        let by_itself = |worker: &&Process<()>| !forced.iter().any(|other| std::ptr::eq(*other, *worker));
        let failed = self.workers.iter().filter(by_itself).find_map(|worker| worker.error());
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    fn stop_until(
        &self,
        deadline: Instant,
        handler: &mut impl FnMut(AppEvent<E>) -> Handled,
        report: &mut AppReport,
    ) -> Result<(), AppError> {
        while self.workers.iter().any(|worker| worker.is_alive()) && Instant::now() < deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            self.next_event(left.min(TICK), handler, report)?;
        }
        Ok(())
    }

    fn clean_up(&self, report: &mut AppReport) -> Result<(), AppError> {
        for queue in &self.queues {
            report.items_left += queue.left()?;
        }
        self.events.close()?;
        report.events_left = self.events.drain()?.len();
        if report.items_left > 0 {
            tracing::warn!("{} items were left in the queues", report.items_left);
        }
        Ok(())
    }
}

fn force(worker: &Process<()>) {
    tracing::warn!("{} does not stop and is terminated", worker.name());
    worker.terminate();
    if !worker.wait(Some(TERMINATE_GRACE)) {
        tracing::warn!("{} is killed", worker.name());
        worker.kill();
        worker.wait(Some(TERMINATE_GRACE));
    }
}
