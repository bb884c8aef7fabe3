//! The objects' rules, without any process: whoever dies or gives up, the others go on.

use super::Outbox;
use super::message::{Abandonment, Caller, Client, Op, Reply, Ticket};
use super::object::Object;
use crate::toolkit::wire::Bytes;

fn worker(slot: usize) -> Client {
    Client::Worker { crew: 1, slot, incarnation: 1 }
}

fn ticket(slot: usize, number: u64) -> Ticket {
    Ticket { caller: Caller { client: worker(slot), thread: 1 }, number }
}

fn killed(slot: usize) -> Abandonment {
    let (worker, cause) = (format!("Worker-{}", slot + 1), "killed by SIGKILL".into());
    Abandonment { worker, cause, clean: false, unanswered: Vec::new() }
}

fn item(text: &str) -> Bytes {
    Bytes::from(text.as_bytes().to_vec())
}

fn ask(object: &mut Object, slot: usize, number: u64, op: Op) -> Vec<(u64, Reply)> {
    let mut outbox = Outbox::new();
    object.request(ticket(slot, number), op, &mut outbox);
    numbered(outbox)
}

fn end(object: &mut Object, slot: usize, end: &Abandonment) -> Vec<(u64, Reply)> {
    let mut outbox = Outbox::new();
    object.ended(worker(slot), end, &mut outbox);
    numbered(outbox)
}

fn cancel(object: &mut Object, slot: usize, number: u64) -> Vec<(u64, Reply)> {
    let mut outbox = Outbox::new();
    object.cancel(ticket(slot, number), &mut outbox);
    numbered(outbox)
}

fn numbered(outbox: Outbox) -> Vec<(u64, Reply)> {
    outbox.into_iter().map(|(ticket, reply)| (ticket.number, reply)).collect()
}

fn handed(replies: &[(u64, Reply)]) -> Vec<(u64, String, u32)> {
    let text = |item: &Bytes| String::from_utf8_lossy(item).into_owned();
    let of = |(number, reply): &(u64, Reply)| match reply {
        Reply::Item { item, earlier, .. } => Some((*number, text(item), *earlier)),
        _ => None,
    };
    replies.iter().filter_map(of).collect()
}

#[test]
fn a_full_queue_lets_a_putter_in_for_each_item_that_leaves() {
    let mut queue = Object::queue(Some(1));
    assert_eq!(ask(&mut queue, 0, 1, Op::Put(item("a"))), [(1, Reply::Done)]);
    assert_eq!(ask(&mut queue, 0, 2, Op::Put(item("b"))), []);
    assert_eq!(ask(&mut queue, 0, 3, Op::Put(item("c"))), []);
    assert_eq!(cancel(&mut queue, 0, 3), [(3, Reply::TimedOut)]);
    let replies = ask(&mut queue, 1, 4, Op::Get);
    assert_eq!(handed(&replies), [(4, "a".into(), 0)]);
    assert!(replies.contains(&(2, Reply::Done)));
    assert_eq!(handed(&ask(&mut queue, 1, 5, Op::Get)), [(5, "b".into(), 0)]);
    assert_eq!(ask(&mut queue, 1, 6, Op::Get), []);
    assert_eq!(ask(&mut queue, 1, 7, Op::Close), [(6, Reply::End), (7, Reply::Done)]);
    assert_eq!(ask(&mut queue, 0, 8, Op::Put(item("d"))), [(8, Reply::Closed)]);
}

#[test]
fn a_killed_consumer_loses_what_it_took_and_gives_back_what_it_borrowed() {
    let mut queue = Object::queue(None);
    for (number, text) in (1..).zip(["a", "b", "c", "d"]) {
        ask(&mut queue, 0, number, Op::Put(item(text)));
    }
    ask(&mut queue, 1, 5, Op::Lease);
    ask(&mut queue, 1, 6, Op::Lease);
    // This one is settled by the next, and only that is in its hands.
    ask(&mut queue, 1, 7, Op::Get);
    ask(&mut queue, 1, 8, Op::Get);
    assert_eq!(ask(&mut queue, 2, 9, Op::Get), []);
    let replies = end(&mut queue, 1, &killed(1));
    assert_eq!(handed(&replies), [(9, "a".into(), 1)]);
    assert_eq!(handed(&ask(&mut queue, 2, 10, Op::Get)), [(10, "b".into(), 1)]);
    let losses = ask(&mut queue, 2, 11, Op::Losses);
    let [(11, Reply::Losses(losses))] = &losses[..] else { panic!("{losses:?}") };
    assert_eq!(losses.len(), 1);
    assert_eq!((&losses[0].item, losses[0].worker.as_str()), (&item("d"), "Worker-2"));
}

#[test]
fn what_was_on_its_way_to_the_dead_goes_to_the_next() {
    let mut queue = Object::queue(None);
    ask(&mut queue, 1, 1, Op::Get);
    ask(&mut queue, 0, 2, Op::Put(item("a")));
    ask(&mut queue, 0, 3, Op::Put(item("b")));
    end(&mut queue, 1, &Abandonment { unanswered: vec![1], ..killed(1) });
    assert_eq!(handed(&ask(&mut queue, 2, 4, Op::Get)), [(4, "a".into(), 0)]);
    assert_eq!(ask(&mut queue, 2, 5, Op::Losses), [(5, Reply::Losses(Vec::new()))]);
}

#[test]
fn a_killed_producer_takes_nobody_along() {
    let mut queue = Object::queue(Some(1));
    ask(&mut queue, 0, 1, Op::Put(item("a")));
    ask(&mut queue, 0, 2, Op::Put(item("never accepted")));
    ask(&mut queue, 1, 3, Op::Put(item("b")));
    assert_eq!(end(&mut queue, 0, &killed(0)), []);
    let replies = ask(&mut queue, 2, 4, Op::Get);
    assert!(replies.contains(&(3, Reply::Done)));
    assert_eq!(handed(&ask(&mut queue, 2, 5, Op::Get)), [(5, "b".into(), 0)]);
}

#[test]
fn what_a_task_took_is_settled_with_it() {
    let mut queue = Object::queue(None);
    ask(&mut queue, 0, 1, Op::Put(item("a")));
    ask(&mut queue, 1, 2, Op::Get);
    if let Object::Queue(queue) = &mut queue {
        queue.settle_taken(worker(1));
    }
    end(&mut queue, 1, &killed(1));
    assert_eq!(ask(&mut queue, 2, 3, Op::Losses), [(3, Reply::Losses(Vec::new()))]);
}

#[test]
fn the_next_holder_of_a_lock_is_told_of_the_death_of_the_last() {
    let mut lock = Object::lock();
    let free = |permit| Reply::Granted { permit, abandoned: None, late: false };
    assert_eq!(ask(&mut lock, 0, 1, Op::Acquire), [(1, free(1))]);
    assert_eq!(ask(&mut lock, 0, 2, Op::Acquire), [(2, Reply::Reentrant)]);
    assert_eq!(ask(&mut lock, 1, 3, Op::Acquire), []);
    assert_eq!(ask(&mut lock, 2, 4, Op::Acquire), []);
    assert!(matches!(ask(&mut lock, 1, 5, Op::Release(1))[..], [(5, Reply::Failed(_))]));
    let told = Reply::Granted { permit: 3, abandoned: Some(killed(0)), late: false };
    assert_eq!(end(&mut lock, 0, &killed(0)), [(3, told)]);
    assert_eq!(ask(&mut lock, 1, 6, Op::Release(3)), [(6, Reply::Done), (4, free(4))]);
}

#[test]
fn a_semaphore_caps_its_holders() {
    let mut semaphore = Object::semaphore(2);
    for number in 1..=3 {
        ask(&mut semaphore, 0, number, Op::Acquire);
    }
    assert_eq!(ask(&mut semaphore, 1, 4, Op::Available), [(4, Reply::Count(0))]);
    assert_eq!(cancel(&mut semaphore, 0, 3), [(3, Reply::TimedOut)]);
    ask(&mut semaphore, 0, 5, Op::Release(1));
    assert_eq!(ask(&mut semaphore, 1, 6, Op::Available), [(6, Reply::Count(1))]);
}

#[test]
fn sleepers_wake_in_order_and_have_the_lock_again() {
    let mut condition = Object::lock();
    let granted = |permit, late| Reply::Granted { permit, abandoned: None, late };
    for slot in 0..2 {
        assert_eq!(ask(&mut condition, slot, 1, Op::Acquire), [(1, granted(1, false))]);
        assert_eq!(ask(&mut condition, slot, 2, Op::Sleep(1)), []);
    }
    ask(&mut condition, 2, 10, Op::Acquire);
    assert_eq!(ask(&mut condition, 2, 11, Op::Notify(1)), [(11, Reply::Count(1))]);
    // The other one gives up, but nobody goes on before the lock is free.
    assert_eq!(cancel(&mut condition, 1, 2), []);
    assert_eq!(ask(&mut condition, 2, 12, Op::Release(10)), [(12, Reply::Done), (2, granted(2, false))]);
    assert_eq!(ask(&mut condition, 0, 13, Op::Release(2)), [(13, Reply::Done), (2, granted(2, true))]);
}

#[test]
fn an_event_wakes_all_who_wait_and_stays_set() {
    let mut event = Object::signal();
    assert_eq!(ask(&mut event, 0, 1, Op::Wait), []);
    assert_eq!(ask(&mut event, 1, 2, Op::Wait), []);
    assert_eq!(cancel(&mut event, 1, 2), [(2, Reply::TimedOut)]);
    assert_eq!(ask(&mut event, 2, 3, Op::Set), [(1, Reply::Flag(true)), (3, Reply::Done)]);
    assert_eq!(ask(&mut event, 1, 4, Op::Wait), [(4, Reply::Flag(true))]);
    ask(&mut event, 1, 5, Op::Clear);
    assert_eq!(ask(&mut event, 1, 6, Op::IsSet), [(6, Reply::Flag(false))]);
}

#[test]
fn who_waits_at_an_object_that_goes_is_told() {
    let mut queue = Object::queue(None);
    ask(&mut queue, 0, 1, Op::Get);
    let mut outbox = Outbox::new();
    queue.dismiss(&mut outbox);
    assert_eq!(numbered(outbox), [(1, Reply::Gone)]);
}

#[test]
fn a_foreign_operation_is_refused() {
    assert!(matches!(ask(&mut Object::list(), 0, 1, Op::Get)[..], [(1, Reply::Failed(_))]));
}
