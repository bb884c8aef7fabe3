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
    /// Attempts that were charged to each task.
    charged: Vec<u32>,
    queue: VecDeque<u32>,
    done: usize,
    mapped: usize,
}

impl Tasks {
    /// `count` pending tasks, to be handed out in the given order.
    pub(super) fn new(count: usize, order: impl Iterator<Item = u32>) -> Self {
        Self {
            states: vec![State::Pending; count],
            charged: vec![0; count],
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

    /// Takes the next pending task; the number of its attempt comes with it, from 1.
    pub(super) fn take(&mut self) -> Option<(u32, u32)> {
        let task = self.queue.pop_front()?;
        self.states[task as usize] = State::Running;
        Some((task, self.charged[task as usize] + 1))
    }

    pub(super) fn mapped(&mut self, task: u32) {
        self.change(task, State::Mapped);
    }

    pub(super) fn commit(&mut self, task: u32) {
        self.change(task, State::Done);
    }

    /// Puts a task that was given out back to the front; returns whether it had been mapped.
    pub(super) fn requeue(&mut self, task: u32) -> bool {
        let before = self.state(task);
        if !matches!(before, State::Done | State::Pending) {
            self.change(task, State::Pending);
            self.queue.push_front(task);
        }
        before == State::Mapped
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

    #[test]
    fn only_charged_attempts_count() {
        let mut tasks = Tasks::new(2, 0..2);
        assert_eq!(tasks.take(), Some((0, 1)));
        tasks.requeue(0);
        assert_eq!(tasks.take(), Some((0, 1)));
        assert_eq!(tasks.charge(0), 1);
        tasks.requeue(0);
        assert_eq!(tasks.take(), Some((0, 2)));
    }

    #[test]
    fn a_task_is_done_once_and_never_requeued_then() {
        let mut tasks = Tasks::new(1, 0..1);
        tasks.take();
        tasks.mapped(0);
        tasks.commit(0);
        tasks.commit(0);
        tasks.requeue(0);
        assert_eq!((tasks.done(), tasks.pending(), tasks.is_finished()), (1, 0, true));
    }
}
