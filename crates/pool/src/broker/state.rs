//! The table of all shared objects.
//!
//! It finds the object that is meant; what happens then is up to the object.

use std::collections::HashMap;

use super::Outbox;
use super::message::{Abandonment, Client, Op, Reply, Ticket};
use super::object::Object;

#[derive(Debug, Default)]
pub(super) struct State {
    objects: HashMap<u64, Object>,
}

impl State {
    pub(super) fn add(&mut self, id: u64, object: Object) {
        self.objects.insert(id, object);
    }

    pub(super) fn remove(&mut self, id: u64, outbox: &mut Outbox) {
        if let Some(object) = self.objects.remove(&id) {
            object.dismiss(outbox);
        }
    }

    pub(super) fn request(&mut self, ticket: Ticket, id: u64, op: Op, outbox: &mut Outbox) {
        if op == Op::SettleAll {
            return self.settle_all(ticket.caller.client);
        }
        match self.objects.get_mut(&id) {
            Some(object) => object.request(ticket, op, outbox),
            None => {
                if let (Op::Put(_), 0) = (&op, ticket.number) {
                    tracing::warn!("an item was put into a queue that is gone and is dropped");
                }
                outbox.push((ticket, Reply::Gone));
            }
        }
    }

    fn settle_all(&mut self, client: Client) {
        for object in self.objects.values_mut() {
            if let Object::Queue(queue) = object {
                queue.settle_taken(client);
            }
        }
    }

    pub(super) fn cancel(&mut self, ticket: Ticket, id: u64, outbox: &mut Outbox) {
        if let Some(object) = self.objects.get_mut(&id) {
            object.cancel(ticket, outbox);
        }
    }

    pub(super) fn ended(&mut self, client: Client, end: &Abandonment, outbox: &mut Outbox) {
        for object in self.objects.values_mut() {
            object.ended(client, end, outbox);
        }
    }
}
