//! An event's state: set or not, and who waits for it.
//!
//! It is called so because the crate has other events.

use super::Outbox;
use super::message::{Client, Op, Reply, Ticket};
use super::object::unknown;

#[derive(Debug, Default)]
pub(crate) struct Signal {
    set: bool,
    waiters: Vec<Ticket>,
}

impl Signal {
    pub(super) fn request(&mut self, ticket: Ticket, op: &Op, outbox: &mut Outbox) {
        let reply = match op {
            Op::Set => {
                self.set = true;
                outbox.extend(self.waiters.drain(..).map(|waiter| (waiter, Reply::Flag(true))));
                Reply::Done
            }
            Op::Clear => {
                self.set = false;
                Reply::Done
            }
            Op::IsSet => Reply::Flag(self.set),
            Op::Wait if self.set => Reply::Flag(true),
            Op::Wait => return self.waiters.push(ticket),
            other => unknown(other),
        };
        outbox.push((ticket, reply));
    }

    pub(super) fn cancel(&mut self, ticket: Ticket, outbox: &mut Outbox) {
        if let Some(at) = self.waiters.iter().position(|waiter| *waiter == ticket) {
            self.waiters.swap_remove(at);
            outbox.push((ticket, Reply::TimedOut));
        }
    }

    pub(super) fn ended(&mut self, client: Client) {
        self.waiters.retain(|ticket| ticket.caller.client != client);
    }

    pub(super) fn into_waiting(self) -> Vec<Ticket> {
        self.waiters
    }
}
