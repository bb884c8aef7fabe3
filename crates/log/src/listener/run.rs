//! The listener's thread: empties the rings, feeds the handlers, and waits when there is nothing to do.
//!
//! Every ring gets its turn, so a process that floods its own holds up no other. How a ring is read and how handlers
//! are called is not decided here.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use tracing::Level;

use super::dispatch::Dispatch;
use super::handle::{Command, Inlet, Shared};
use super::report::StopReport;
use super::source::{Source, Taken};
use super::wait::{Waiter, Wake};
use crate::context::Muted;
use crate::record::Record;

/// Records that one ring may deliver before the next has its turn.
const TURN: usize = 256;
/// After some work the thread looks again this much later before it falls asleep for good: otherwise a process that
/// logs now and then would have to ring the bell, a system call, for each record.
const LINGER: Duration = Duration::from_millis(1);

/// The state of the thread.
pub(super) struct Run {
    shared: Arc<Shared>,
    waiter: Waiter,
    commands: Receiver<Command>,
    dispatch: Dispatch,
    sources: Vec<Source>,
    report: StopReport,
    /// Who wants to know when the queues are empty.
    syncs: Vec<Sender<()>>,
    /// Who wants to know when the files have been opened anew. That is done when the queues are empty.
    reopens: Vec<Sender<()>>,
    /// When to end, once that has been asked for.
    until: Option<Instant>,
    wait_error: Option<String>,
}

/// What one turn of a ring came to.
enum Turn {
    /// It may have more.
    Worked,
    /// It is empty.
    Idle,
    /// It is finished for good.
    Over,
}

impl Run {
    pub(super) fn new(shared: Arc<Shared>, Inlet { waiter, commands }: Inlet, dispatch: Dispatch) -> Self {
        Self {
            shared,
            waiter,
            commands,
            dispatch,
            sources: Vec::new(),
            report: StopReport::default(),
            syncs: Vec::new(),
            reopens: Vec::new(),
            until: None,
            wait_error: None,
        }
    }

    /// The whole life of the thread.
    pub(super) fn run(mut self) -> StopReport {
        let _muted = Muted::enter();
        let mut lingers = false;
        loop {
            self.obey();
            if self.until.is_some() {
                return self.finish();
            }
            if self.pass() {
                lingers = true;
                continue;
            }
            self.dispatch.flush();
            self.answer();
            if std::mem::take(&mut lingers) {
                thread::park_timeout(LINGER);
            } else {
                self.sleep();
            }
        }
    }

    /// Tells those who wait that all queues were empty. Who has stopped waiting does not hear it.
    fn answer(&mut self) {
        self.syncs.drain(..).for_each(|done| done.send(()).unwrap_or_default());
        if !self.reopens.is_empty() {
            self.dispatch.reopen();
            self.reopens.drain(..).for_each(|done| done.send(()).unwrap_or_default());
        }
    }

    fn obey(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Sync(done) => self.syncs.push(done),
                Command::Reopen(done) => self.reopens.push(done),
                Command::Stop(until) => self.until = Some(until),
                Command::Add { name, ring, bell } => match self.waiter.add(bell) {
                    Ok(id) => self.sources.push(Source::new(id, name, ring)),
                    Err(error) => {
                        self.shared.queues().remove(&ring);
                        self.tell(Level::ERROR, format!("cannot listen to {name}: {error}"));
                    }
                },
            }
        }
    }

    /// Gives every ring its turn and returns whether any had work.
    fn pass(&mut self) -> bool {
        let mut worked = false;
        let mut at = 0;
        while at < self.sources.len() {
            match self.turn(at) {
                Turn::Worked => worked = true,
                Turn::Idle => {}
                Turn::Over => {
                    worked = true;
                    self.remove(at);
                    continue;
                }
            }
            at += 1;
        }
        worked
    }

    fn turn(&mut self, at: usize) -> Turn {
        // Read before the ring is: what the process wrote before it ended is then seen.
        let closed = self.sources[at].closed;
        for count in 0..TURN {
            if self.is_late() {
                return Turn::Idle;
            }
            // A stop does not wait until a slow handler has had a whole turn.
            if self.until.is_none() && self.shared.stopped.load(SeqCst) {
                return Turn::Worked;
            }
            match self.sources[at].take() {
                Ok(Taken::Record { missing }) => self.deliver(at, missing),
                Ok(Taken::Undecodable(error)) => {
                    self.damaged(at, &format!("a record cannot be read: {error}"))
                }
                Ok(Taken::Nothing) if closed => return Turn::Over,
                Ok(Taken::Nothing) if count == 0 => return Turn::Idle,
                Ok(Taken::Nothing) => return Turn::Worked,
                Err(corrupt) => {
                    self.damaged(at, &format!("the log queue is damaged and dropped: {corrupt}"));
                    return Turn::Over;
                }
            }
        }
        Turn::Worked
    }

    fn deliver(&mut self, at: usize, missing: u64) {
        if missing > 0 {
            let Record { process, pid, .. } = self.sources[at].record();
            let (process, pid) = (process.clone(), *pid);
            self.gap(&process, pid, missing);
        }
        self.dispatch.deliver(self.sources[at].record());
        self.report.delivered += 1;
    }

    /// A record in the place of those that are missing.
    fn gap(&mut self, process: &str, pid: u32, missing: u64) {
        let text = format!("{missing} records are missing here: the log queue was full");
        let note = Record { process: process.to_owned(), pid, ..self.dispatch.note(Level::WARN, text) };
        self.dispatch.deliver(&note);
    }

    fn damaged(&mut self, at: usize, what: &str) {
        self.report.damaged += 1;
        let source = &self.sources[at];
        let note = self.dispatch.note(Level::ERROR, what.to_owned());
        let note = Record { process: source.name.clone(), pid: source.pid(), ..note };
        self.dispatch.deliver(&note);
    }

    fn tell(&mut self, level: Level, message: String) {
        let note = self.dispatch.note(level, message);
        self.dispatch.deliver(&note);
    }

    /// Parts with a ring from which nothing more will come.
    fn remove(&mut self, at: usize) {
        self.settle(at);
        let source = self.sources.swap_remove(at);
        self.shared.queues().remove(source.ring().ring());
    }

    /// Closes a ring and accounts for what was dropped on its way into it.
    fn settle(&mut self, at: usize) {
        let source = &self.sources[at];
        source.ring().close();
        let dropped = source.ring().ring().dropped();
        let missing = source.missing_at_end();
        self.report.dropped = self.report.dropped.saturating_add(dropped);
        if missing > 0 {
            let (name, pid) = (source.name.clone(), source.pid());
            self.gap(&name, pid, missing);
        }
    }

    fn is_late(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    fn sleep(&mut self) {
        self.sources.iter().for_each(|source| source.ring().fall_asleep());
        // What was written before the announcement was seen comes without a bell.
        if self.sources.iter().all(|source| source.ring().is_empty()) {
            self.wait();
        }
        self.sources.iter().for_each(|source| source.ring().wake_up());
    }

    fn wait(&mut self) {
        match self.waiter.wait() {
            Ok(wakes) => wakes.into_iter().for_each(|wake| self.woken(&wake)),
            Err(error) => self.wait_failed(error.to_string()),
        }
    }

    fn woken(&mut self, wake: &Wake) {
        match wake {
            // Commands are looked at after this, so none is overlooked.
            Wake::Command => self.shared.rung.store(false, SeqCst),
            Wake::Bell(id) => {
                self.sources.iter().filter(|source| source.id == *id).for_each(|source| {
                    source.ring().bell_received();
                });
            }
            Wake::Closed(id) => {
                self.sources.iter_mut().filter(|source| source.id == *id).for_each(|source| {
                    source.closed = true;
                });
            }
        }
    }

    /// Bells may have been lost with the error: all of them may ring again.
    fn wait_failed(&mut self, error: String) {
        self.shared.rung.store(false, SeqCst);
        self.sources.iter().for_each(|source| source.ring().bell_received());
        if self.wait_error.as_ref() != Some(&error) {
            self.tell(Level::ERROR, format!("cannot wait for log records: {error}"));
            self.wait_error = Some(error);
        }
    }

    /// Delivers what is queued until the time is up. Nothing more is taken in, so it ends even if processes go on.
    fn finish(mut self) -> StopReport {
        self.sources.iter().for_each(|source| source.ring().close());
        while self.pass() && !self.is_late() {}
        for at in 0..self.sources.len() {
            self.report.left += self.sources[at].ring().ring().left();
            self.settle(at);
        }
        self.dispatch.finish();
        self.report.handlers = self.dispatch.failures();
        self.report.finished = true;
        self.report
    }
}

#[cfg(test)]
mod tests;
