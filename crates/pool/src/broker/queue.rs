//! A queue's state: its items, who waits for what, and which item is in whose hands.
//!
//! An item leaves the queue for good only when its consumer has dealt with it. It knows nothing of channels.

use std::collections::VecDeque;
use std::mem;

use super::Outbox;
use super::message::{Abandonment, Caller, Client, Loss, Op, Reply, Ticket};
use super::object::unknown;
use crate::toolkit::wire::Bytes;

#[derive(Debug, Default)]
pub(crate) struct QueueState {
    capacity: Option<usize>,
    closed: bool,
    entries: VecDeque<Entry>,
    getters: VecDeque<(Ticket, Mode)>,
    putters: VecDeque<(Ticket, Entry)>,
    hands: Vec<Hand>,
    next_hand: u64,
    losses: Vec<Loss>,
    refused: u64,
}

#[derive(Debug)]
enum Entry {
    Item { item: Bytes, earlier: u32 },
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Take,
    Lease,
}

/// An item in somebody's hands.
#[derive(Debug)]
struct Hand {
    number: u64,
    /// The request that it was the answer to.
    request: u64,
    caller: Caller,
    mode: Mode,
    item: Bytes,
    earlier: u32,
}

impl QueueState {
    pub(super) fn new(capacity: Option<usize>) -> Self {
        let capacity = capacity.map(|capacity| capacity.max(1));
        Self { capacity, ..Self::default() }
    }

    pub(super) fn request(&mut self, ticket: Ticket, op: Op, outbox: &mut Outbox) {
        let reply = match op {
            Op::Put(item) => return self.put(ticket, Entry::Item { item, earlier: 0 }, outbox),
            Op::PutEnd => return self.put(ticket, Entry::End, outbox),
            Op::Get => return self.get(ticket, Mode::Take, outbox),
            Op::Lease => return self.get(ticket, Mode::Lease, outbox),
            Op::Settle(number, back) => self.settle(ticket.caller.client, number, back, outbox),
            Op::Close => self.close(outbox),
            Op::Len => Reply::Count(self.entries.len() as u64),
            Op::Drain => self.drain(outbox),
            Op::Losses => Reply::Losses(mem::take(&mut self.losses)),
            other => unknown(&other),
        };
        outbox.push((ticket, reply));
    }

    fn put(&mut self, ticket: Ticket, entry: Entry, outbox: &mut Outbox) {
        if self.closed {
            self.refused += 1;
            if ticket.number == 0 {
                tracing::warn!(
                    "an item was put into a closed queue and is dropped ({} so far)",
                    self.refused
                );
            }
            return outbox.push((ticket, Reply::Closed));
        }
        // An end marker takes no room: nobody should have to wait to say that nothing comes any more.
        let full = self.capacity.is_some_and(|capacity| self.entries.len() >= capacity);
        if full && self.getters.is_empty() && matches!(entry, Entry::Item { .. }) {
            return self.putters.push_back((ticket, entry));
        }
        self.entries.push_back(entry);
        outbox.push((ticket, Reply::Done));
        self.serve(outbox);
    }

    fn get(&mut self, ticket: Ticket, mode: Mode, outbox: &mut Outbox) {
        self.hands.retain(|hand| hand.caller != ticket.caller || hand.mode != Mode::Take);
        self.getters.push_back((ticket, mode));
        self.serve(outbox);
    }

    /// Brings getters and entries together, and lets putters in where there is room now.
    fn serve(&mut self, outbox: &mut Outbox) {
        while let Some((ticket, mode)) = self.getters.pop_front() {
            match self.entries.pop_front() {
                Some(entry) => outbox.push((ticket, self.hand_out(ticket, mode, entry))),
                None if self.closed => outbox.push((ticket, Reply::End)),
                None => {
                    self.getters.push_front((ticket, mode));
                    break;
                }
            }
            self.admit(outbox);
        }
        self.admit(outbox);
    }

    fn admit(&mut self, outbox: &mut Outbox) {
        while self.capacity.is_some_and(|capacity| self.entries.len() < capacity) {
            let Some((ticket, entry)) = self.putters.pop_front() else { return };
            self.entries.push_back(entry);
            outbox.push((ticket, Reply::Done));
        }
    }

    fn hand_out(&mut self, ticket: Ticket, mode: Mode, entry: Entry) -> Reply {
        let Entry::Item { item, earlier } = entry else { return Reply::End };
        self.next_hand += 1;
        let number = self.next_hand;
        // What the parent takes is safe: with it, the queue ends as well.
        if mode == Mode::Lease || ticket.caller.client != Client::Parent {
            let (request, caller, item) = (ticket.number, ticket.caller, item.clone());
            self.hands.push(Hand { number, request, caller, mode, item, earlier });
        }
        Reply::Item { hand: number, item, earlier }
    }

    fn settle(&mut self, client: Client, number: u64, back: bool, outbox: &mut Outbox) -> Reply {
        let found = self.hands.iter().position(|hand| hand.number == number && hand.caller.client == client);
        if let Some(hand) = found.map(|at| self.hands.swap_remove(at)).filter(|_| back) {
            self.give_back(hand);
            self.serve(outbox);
        }
        Reply::Done
    }

    fn give_back(&mut self, hand: Hand) {
        self.entries.push_front(Entry::Item { item: hand.item, earlier: hand.earlier + 1 });
    }

    /// All that a process took without a lease is dealt with.
    pub(super) fn settle_taken(&mut self, client: Client) {
        self.hands.retain(|hand| hand.caller.client != client || hand.mode != Mode::Take);
    }

    fn close(&mut self, outbox: &mut Outbox) -> Reply {
        self.closed = true;
        outbox.extend(self.putters.drain(..).map(|(ticket, _)| (ticket, Reply::Closed)));
        self.serve(outbox);
        Reply::Done
    }

    /// Takes all items, those of waiting putters included, and all end markers.
    fn drain(&mut self, outbox: &mut Outbox) -> Reply {
        let mut items = Vec::new();
        while !self.entries.is_empty() {
            let entries = self.entries.drain(..);
            items.extend(entries.filter_map(|entry| match entry {
                Entry::Item { item, .. } => Some(item),
                Entry::End => None,
            }));
            self.admit(outbox);
        }
        Reply::Items(items)
    }

    pub(super) fn cancel(&mut self, ticket: Ticket, outbox: &mut Outbox) {
        let before = self.getters.len() + self.putters.len();
        self.getters.retain(|(waiting, _)| *waiting != ticket);
        self.putters.retain(|(waiting, _)| *waiting != ticket);
        if self.getters.len() + self.putters.len() < before {
            outbox.push((ticket, Reply::TimedOut));
        }
    }

    /// The worker's leases are given back, in the order in which they were taken, and what had not reached it yet; what it
    /// merely took is lost, unless it ended of its own accord. What it was about to put was never accepted.
    pub(super) fn ended(&mut self, client: Client, end: &Abandonment, outbox: &mut Outbox) {
        self.getters.retain(|(ticket, _)| ticket.caller.client != client);
        self.putters.retain(|(ticket, _)| ticket.caller.client != client);
        let mut theirs: Vec<_> = self.hands.extract_if(.., |hand| hand.caller.client == client).collect();
        theirs.sort_by_key(|hand| std::cmp::Reverse(hand.number));
        for hand in theirs {
            match hand.mode {
                // It was on its way, and nobody has seen it.
                _ if end.unanswered.contains(&hand.request) => {
                    self.entries.push_front(Entry::Item { item: hand.item, earlier: hand.earlier });
                }
                Mode::Lease => self.give_back(hand),
                Mode::Take if end.clean => {}
                Mode::Take => self.lose(hand, end),
            }
        }
        self.serve(outbox);
    }

    fn lose(&mut self, hand: Hand, end: &Abandonment) {
        let (worker, cause) = (end.worker.clone(), end.cause.clone());
        tracing::warn!("{worker} {cause}, and with it an item that it had taken from a queue");
        self.losses.push(Loss { item: hand.item, worker, cause });
    }

    pub(super) fn into_waiting(self) -> Vec<Ticket> {
        let getters = self.getters.into_iter().map(|(ticket, _)| ticket);
        getters.chain(self.putters.into_iter().map(|(ticket, _)| ticket)).collect()
    }
}
