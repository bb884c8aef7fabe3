//! The states of map and reduce tasks.
//!
//! It knows no workers; only the scheduler calls it.

use std::collections::VecDeque;

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Waiting for a worker.
    Pending,
    /// An attempt was given to a worker.
    Running,
    /// A map attempt ended well, and its output is in its worker's memory.
    Mapped,
    /// An attempt is committed.
    Done,
}

/// The tasks of one phase.
#[derive(Debug)]
pub(super) struct Tasks {
    states: Vec<State>,
    /// Attempts at each task, charged or not.
    tries: Vec<u32>,
    /// Attempts that were charged to each task.
    charged: Vec<u32>,
    /// Whether a finished attempt at each task was lost before its commit.
    lost: Vec<bool>,
    queue: VecDeque<u32>,
    done: usize,
    mapped: usize,
}

impl Tasks {
    /// `count` pending tasks, to be handed out in the given order.
    pub(super) fn new(count: usize, order: impl Iterator<Item = u32>) -> Self {
        Self {
            states: vec![State::Pending; count],
            tries: vec![0; count],
            charged: vec![0; count],
            lost: vec![false; count],
            queue: order.collect(),
            done: 0,
            mapped: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// Tasks whose map attempt ended well, committed or not.
    pub(super) fn mapped_or_done(&self) -> usize {
        self.done + self.mapped
    }

    pub(super) fn pending(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn is_finished(&self) -> bool {
        self.done == self.states.len()
    }

    pub(super) fn state(&self, task: u32) -> State {
        self.states[task as usize]
    }

    /// Takes this pending task, which does not wait in the queue; the number of its attempt comes with it.
    pub(super) fn take_one(&mut self, task: u32) -> u32 {
        self.states[task as usize] = State::Running;
        self.tries[task as usize] += 1;
        self.tries[task as usize]
    }

    /// Takes the next pending task; the number of its attempt comes with it, from 1. No two attempts have the same,
    /// so that what one of them has logged can be told from the rest.
    pub(super) fn take(&mut self) -> Option<(u32, u32)> {
        let task = self.queue.pop_front()?;
        Some((task, self.take_one(task)))
    }

    /// Takes the pending task that would come last.
    pub(super) fn take_last(&mut self) -> Option<(u32, u32)> {
        let task = self.queue.pop_back()?;
        Some((task, self.take_one(task)))
    }

    /// The number of the attempt that began last.
    pub(super) fn tries(&self, task: u32) -> u32 {
        self.tries[task as usize]
    }

    /// Failed attempts that count.
    pub(super) fn charged(&self, task: u32) -> u32 {
        self.charged[task as usize]
    }

    /// Whether a finished attempt was lost before its commit.
    pub(super) fn was_lost(&self, task: u32) -> bool {
        self.lost[task as usize]
    }

    pub(super) fn mapped(&mut self, task: u32) {
        self.change(task, State::Mapped);
    }

    pub(super) fn commit(&mut self, task: u32) {
        self.change(task, State::Done);
    }

    /// Takes a task back that was given out, and says whether it had been mapped; `None` if it was not given out or is
    /// committed.
    pub(super) fn take_back(&mut self, task: u32) -> Option<bool> {
        let before = self.state(task);
        if matches!(before, State::Done | State::Pending) {
            return None;
        }
        self.change(task, State::Pending);
        self.lost[task as usize] |= before == State::Mapped;
        Some(before == State::Mapped)
    }

    /// Hands a task that was taken back out before all others.
    pub(super) fn enqueue(&mut self, task: u32) {
        self.queue.push_front(task);
    }

    /// Takes note of what an earlier session has committed.
    pub(super) fn restore(&mut self, tasks: impl Iterator<Item = u32>) {
        tasks.for_each(|task| self.change(task, State::Done));
        let states = &self.states;
        self.queue.retain(|&task| states[task as usize] != State::Done);
    }

    /// What was committed is lost: the task has to run again.
    pub(super) fn lose(&mut self, task: u32) {
        self.change(task, State::Pending);
        self.queue.push_front(task);
    }

    fn change(&mut self, task: u32, state: State) {
        let before = std::mem::replace(&mut self.states[task as usize], state);
        self.mapped =
            self.mapped + usize::from(state == State::Mapped) - usize::from(before == State::Mapped);
        self.done = self.done + usize::from(state == State::Done) - usize::from(before == State::Done);
    }

    /// Charges a failed attempt; returns how many that makes.
    pub(super) fn charge(&mut self, task: u32) -> u32 {
        self.charged[task as usize] += 1;
        self.charged[task as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(tasks: &mut Tasks) {
        if tasks.take_back(0).is_some() {
            tasks.enqueue(0);
        }
    }

    #[test]
    fn only_charged_attempts_count() {
        let mut tasks = Tasks::new(2, 0..2);
        assert_eq!(tasks.take(), Some((0, 1)));
        back(&mut tasks);
        assert_eq!(tasks.take(), Some((0, 2)), "attempts are told apart");
        assert_eq!(tasks.charge(0), 1);
        back(&mut tasks);
        assert_eq!((tasks.take(), tasks.charged(0)), (Some((0, 3)), 1));
    }

    #[test]
    fn a_task_is_done_once_and_never_requeued_then() {
        let mut tasks = Tasks::new(1, 0..1);
        tasks.take();
        tasks.mapped(0);
        tasks.commit(0);
        tasks.commit(0);
        back(&mut tasks);
        assert_eq!((tasks.done(), tasks.pending(), tasks.is_finished()), (1, 0, true));
    }
}
