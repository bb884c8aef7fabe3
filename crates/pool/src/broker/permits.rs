//! Locks, semaphores and conditions: a number of permits, who has them, who waits, and who sleeps.
//!
//! A permit in the hands of a process that ends is free again, and whoever gets it next is told.

use std::collections::VecDeque;

use super::Outbox;
use super::message::{Abandonment, Client, Op, Reply, Ticket};
use super::object::unknown;

#[derive(Debug)]
pub(crate) struct Permits {
    limit: usize,
    /// A thread that has the only permit and asks for it again would wait for itself.
    exclusive: bool,
    holders: Vec<Ticket>,
    waiters: VecDeque<Waiter>,
    /// Those who let go of their permit until somebody notifies them.
    sleepers: VecDeque<Ticket>,
    abandoned: VecDeque<Abandonment>,
}

#[derive(Debug)]
struct Waiter {
    ticket: Ticket,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Waits for a permit and may give up.
    New,
    /// Was notified and must have its permit back before it can go on.
    Woken,
    /// Gave up sleeping, and must have its permit back too.
    Late,
}

impl Permits {
    pub(super) fn lock() -> Self {
        Self { exclusive: true, ..Self::semaphore(1) }
    }

    pub(super) fn semaphore(limit: usize) -> Self {
        Self {
            limit,
            exclusive: false,
            holders: Vec::new(),
            waiters: VecDeque::new(),
            sleepers: VecDeque::new(),
            abandoned: VecDeque::new(),
        }
    }

    pub(super) fn request(&mut self, ticket: Ticket, op: &Op, outbox: &mut Outbox) {
        let client = ticket.caller.client;
        let reply = match op {
            Op::Acquire => return self.acquire(ticket, outbox),
            Op::Release(permit) => self.release(client, *permit),
            Op::Sleep(permit) => return self.sleep(ticket, *permit, outbox),
            Op::Notify(count) => self.notify(*count),
            Op::Available => Reply::Count((self.limit - self.holders.len()) as u64),
            other => unknown(other),
        };
        outbox.push((ticket, reply));
        self.serve(outbox);
    }

    fn acquire(&mut self, ticket: Ticket, outbox: &mut Outbox) {
        if self.exclusive && self.holders.iter().any(|holder| holder.caller == ticket.caller) {
            return outbox.push((ticket, Reply::Reentrant));
        }
        self.waiters.push_back(Waiter { ticket, kind: Kind::New });
        self.serve(outbox);
    }

    fn release(&mut self, client: Client, permit: u64) -> Reply {
        match self.take_permit(client, permit) {
            true => Reply::Done,
            false => Reply::Failed("the permit is not the caller's".into()),
        }
    }

    fn take_permit(&mut self, client: Client, permit: u64) -> bool {
        let is_it = |holder: &Ticket| holder.number == permit && holder.caller.client == client;
        let found = self.holders.iter().position(is_it);
        found.map(|at| self.holders.swap_remove(at)).is_some()
    }

    fn sleep(&mut self, ticket: Ticket, permit: u64, outbox: &mut Outbox) {
        if !self.take_permit(ticket.caller.client, permit) {
            let text = "who waits at a condition must have its lock";
            return outbox.push((ticket, Reply::Failed(text.into())));
        }
        self.sleepers.push_back(ticket);
        self.serve(outbox);
    }

    fn notify(&mut self, count: u64) -> Reply {
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(self.sleepers.len());
        let woken = self.sleepers.drain(..count).map(|ticket| Waiter { ticket, kind: Kind::Woken });
        self.waiters.extend(woken);
        Reply::Count(count as u64)
    }

    fn serve(&mut self, outbox: &mut Outbox) {
        while self.holders.len() < self.limit {
            let Some(Waiter { ticket, kind }) = self.waiters.pop_front() else { return };
            self.holders.push(ticket);
            let abandoned = self.abandoned.pop_front();
            let (permit, late) = (ticket.number, kind == Kind::Late);
            outbox.push((ticket, Reply::Granted { permit, abandoned, late }));
        }
    }

    /// A sleeper that gives up still needs its permit; who was woken gets it anyway.
    pub(super) fn cancel(&mut self, ticket: Ticket, outbox: &mut Outbox) {
        if let Some(at) = self.sleepers.iter().position(|sleeper| *sleeper == ticket) {
            self.sleepers.remove(at);
            self.waiters.push_back(Waiter { ticket, kind: Kind::Late });
            return self.serve(outbox);
        }
        let is_it = |waiter: &Waiter| waiter.ticket == ticket && waiter.kind == Kind::New;
        if let Some(at) = self.waiters.iter().position(is_it) {
            self.waiters.remove(at);
            outbox.push((ticket, Reply::TimedOut));
        }
    }

    pub(super) fn ended(&mut self, client: Client, end: &Abandonment, outbox: &mut Outbox) {
        self.sleepers.retain(|ticket| ticket.caller.client != client);
        let is_theirs = |waiter: &Waiter| waiter.ticket.caller.client == client;
        let woken = |waiter: &&Waiter| is_theirs(waiter) && waiter.kind == Kind::Woken;
        let wasted = self.waiters.iter().filter(woken).count();
        self.waiters.retain(|waiter| !is_theirs(waiter));
        // Others that sleep are woken in their place.
        self.notify(wasted as u64);
        let held = self.holders.len();
        self.holders.retain(|ticket| ticket.caller.client != client);
        let released = held - self.holders.len();
        if released > 0 {
            tracing::warn!("{} {}, and what it had locked is free again", end.worker, end.cause);
        }
        self.abandoned.extend(std::iter::repeat_n(end.clone(), released));
        self.serve(outbox);
    }

    pub(super) fn into_waiting(self) -> Vec<Ticket> {
        self.waiters.into_iter().map(|waiter| waiter.ticket).chain(self.sleepers).collect()
    }
}
