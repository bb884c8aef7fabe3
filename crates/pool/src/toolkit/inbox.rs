//! What the parent has said to a worker: who of its threads reads, and who gets what.
//!
//! There is no thread for reading. Of those who wait for something one reads for all, so that a message wakes the thread
//! that needs it and no other on the way. It does not send.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use gristmill_ipc::decode;

use crate::broker::Reply;
use crate::lock;
use crate::toolkit::wire::{Chunk, ToWorker};
use crate::worker::{Word, WorkerLink};

/// Messages that nobody has taken yet.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inside {
    /// Somebody reads.
    reading: bool,
    /// So many others wait until he has read something.
    waiting: usize,
    orders: VecDeque<Chunk>,
    /// No more orders will come.
    finished: bool,
    /// Nothing at all will come.
    closed: bool,
    /// The requests that somebody waits for, with the answers that are there.
    replies: HashMap<u64, Option<Reply>>,
}

/// How a wait ended.
#[derive(Debug)]
pub(crate) enum Wait<T> {
    Came(T),
    Late,
    /// It will never come.
    Over,
}

impl Inbox {
    /// Somebody is about to ask the question of that number.
    pub(crate) fn expect(&self, number: u64) {
        lock(&self.inside).replies.insert(number, None);
    }

    /// Waits for the answer, until `deadline` if there is one.
    pub(crate) fn reply(&self, link: &WorkerLink, number: u64, deadline: Option<Instant>) -> Wait<Reply> {
        let wait = self.wait(link, deadline, |inside| {
            match inside.replies.get_mut(&number).and_then(Option::take) {
                Some(reply) => Wait::Came(reply),
                None if inside.closed => Wait::Over,
                None => Wait::Late,
            }
        });
        if !matches!(wait, Wait::Late) {
            lock(&self.inside).replies.remove(&number);
        }
        wait
    }

    /// Waits for the next order; `None` when no more come.
    pub(crate) fn order(&self, link: &WorkerLink) -> Option<Chunk> {
        let wait = self.wait(link, None, |inside| match inside.orders.pop_front() {
            Some(chunk) => Wait::Came(chunk),
            None if inside.finished || inside.closed => Wait::Over,
            None => Wait::Late,
        });
        if let Wait::Came(chunk) = wait { Some(chunk) } else { None }
    }

    fn wait<T>(
        &self,
        link: &WorkerLink,
        deadline: Option<Instant>,
        mut take: impl FnMut(&mut Inside) -> Wait<T>,
    ) -> Wait<T> {
        let mut inside = lock(&self.inside);
        loop {
            let taken = take(&mut inside);
            let is_late = || deadline.is_some_and(|deadline| deadline <= Instant::now());
            if !matches!(taken, Wait::Late) || is_late() {
                // Whoever waits may have to read from now on.
                if !inside.reading && inside.waiting > 0 {
                    self.changed.notify_all();
                }
                return taken;
            }
            inside =
                if inside.reading { self.sleep(inside, deadline) } else { self.read(inside, link, deadline) };
        }
    }

    /// Waits until the one who reads has read something.
    fn sleep<'a>(
        &self,
        mut inside: MutexGuard<'a, Inside>,
        deadline: Option<Instant>,
    ) -> MutexGuard<'a, Inside> {
        inside.waiting += 1;
        let mut inside = match deadline {
            None => self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                self.changed.wait_timeout(inside, left).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        inside.waiting -= 1;
        inside
    }

    /// Reads one message for all.
    fn read<'a>(
        &'a self,
        mut inside: MutexGuard<'a, Inside>,
        link: &WorkerLink,
        deadline: Option<Instant>,
    ) -> MutexGuard<'a, Inside> {
        inside.reading = true;
        drop(inside);
        let word = link.recv_until(deadline);
        let mut inside = lock(&self.inside);
        inside.reading = false;
        match word {
            Word::Message(bytes) => inside.keep(&bytes),
            Word::Farewell => inside.closed = true,
            Word::Late => {}
        }
        if inside.waiting > 0 {
            self.changed.notify_all();
        }
        inside
    }
}

impl Inside {
    fn keep(&mut self, bytes: &[u8]) {
        match decode(bytes) {
            Ok(ToWorker::Run(chunk)) => self.orders.push_back(chunk),
            Ok(ToWorker::Finish) => self.finished = true,
            Ok(ToWorker::Reply(number, reply)) => {
                // Those of a slot's worker before are not expected.
                if let Some(place) = self.replies.get_mut(&number) {
                    *place = Some(reply);
                }
            }
            Err(error) => {
                eprintln!("a message from the parent is not understood: {error}");
                std::process::exit(2);
            }
        }
    }
}
