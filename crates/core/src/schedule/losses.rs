//! What becomes of attempts that failed, of workers that are gone, and of runs that cannot be read.
//!
//! It gives no orders.

use super::scheduler::Scheduler;
use crate::error::Error;
use crate::exec::Loss;
use crate::result::Result;
use crate::task::{Failure, FailureKind, Order, TaskId};

/// Deaths without an order to blame, one after the other at one place, that a job does not put up with.
const IDLE_DEATHS: u32 = 3;
/// The same for workers that somebody else has killed: that says nothing about their ability to start.
const IDLE_KILLS: u32 = 8;
/// More lost attempts than this are counted and not remembered.
const REMEMBERED: usize = 1000;

impl Scheduler<'_> {
    /// An attempt failed and its worker lives; all that it had in memory is gone.
    pub(super) fn attempt_failed(
        &mut self,
        slot: usize,
        task: TaskId,
        failure: Failure,
    ) -> Result<(), Error> {
        let resident = std::mem::take(&mut self.slots[slot].resident);
        self.log_lost(&failure.worker, &resident, task);
        self.requeue(resident, task);
        if let Some(run) = &failure.damaged_run
            && self.lose_run(run, &failure)?
        {
            self.requeue_one(task);
            return Ok(());
        }
        self.failed(task, failure, false)
    }

    /// A worker is gone: whoever ran is charged, everything else that it held is somebody else's to do.
    pub(super) fn lost(&mut self, slot: usize, loss: Loss) -> Result<(), Error> {
        let retired = std::mem::take(&mut self.slots[slot].retiring) && loss.is_clean;
        let (mut orders, resident) = self.slots[slot].clear();
        let running = orders.pop_front();
        let charged = match running {
            Some(Order::Run { task, .. }) => Some(task),
            // Its last flush was the death of it: the task that was mapped last is as good as any to charge.
            Some(Order::Flush) => resident.last().copied().map(TaskId::Map),
            Some(Order::Verify { task, .. }) => {
                self.verify.iter_mut().for_each(|verify| verify.requeue(task));
                Some(task)
            }
            Some(Order::Reopen) | None => None,
        };
        for order in orders {
            if let Order::Run { task, .. } = order {
                self.requeue_one(task);
            }
        }
        let task = charged.unwrap_or(TaskId::Map(u32::MAX));
        self.log_lost(&loss.worker, &resident, task);
        self.requeue(resident, task);
        match charged {
            Some(task) => self.died_with(slot, task, loss)?,
            None if retired => {}
            None => self.died_without_task(slot, loss)?,
        }
        self.slots[slot].timed_out = false;
        self.executor.start(slot);
        Ok(())
    }

    fn died_with(&mut self, slot: usize, task: TaskId, loss: Loss) -> Result<(), Error> {
        let was_alone = self.alone.take_if(|alone| *alone == task).is_some() || self.limits.workers == 1;
        let starved = loss.out_of_memory && !was_alone;
        let from_outside = loss.from_outside;
        let failure = self.failure_of(slot, Some(task), loss);
        if starved {
            // Its neighbours may have used up the memory: it is not blamed before it had all of it.
            tracing::warn!(target: "gristmill", "{task} ran out of memory and is run again alone\n{failure}");
            self.remember(failure);
            self.strikes.suspect(task);
            if self.take_back(task) {
                self.lonely.push_back(task);
            }
            return Ok(());
        }
        self.failed(task, failure, from_outside)
    }

    /// Nobody is charged. A start that took too long is not tried more often than a task that does.
    fn died_without_task(&mut self, slot: usize, loss: Loss) -> Result<(), Error> {
        self.slots[slot].idle_deaths += 1;
        let deaths = self.slots[slot].idle_deaths;
        let limit = match () {
            () if self.slots[slot].timed_out => self.limits.max_attempts.min(IDLE_DEATHS),
            () if loss.from_outside => IDLE_KILLS,
            () => IDLE_DEATHS,
        };
        let last = deaths >= limit || loss.pid.is_none();
        let what = if loss.was_ready { "ended again and again without a task" } else { "could not start" };
        let mut failure = self.failure_of(slot, None, loss);
        // Whoever complains about a worker's argument has read the command line before the library did.
        if failure.stderr_tail.contains(gristmill_pool::worker::MARKER) {
            failure.stderr_tail += "\nhint: App::main or App::enter has to come before anything else in main";
        }
        failure.happened(what, deaths, limit);
        if last {
            return Err(Error::task(failure));
        }
        tracing::warn!(target: "gristmill", "{failure}");
        self.remember(failure);
        Ok(())
    }

    fn failure_of(&mut self, slot: usize, task: Option<TaskId>, loss: Loss) -> Failure {
        let kind = match (self.slots[slot].timed_out, self.limits.task_timeout) {
            (true, Some(limit)) => {
                FailureKind::TimedOut { limit: humantime::format_duration(limit).to_string() }
            }
            _ => FailureKind::WorkerDied { cause: loss.cause },
        };
        let flight = loss.flight.or_else(|| self.executor.flight(slot));
        let mut failure = match task {
            Some(task) => Failure::new(&self.job, &self.plan, task, 0, kind, flight.as_ref()),
            None => Failure::of_worker(&self.job, &loss.worker, kind, flight.as_ref()),
        };
        failure.worker = loss.worker;
        failure.pid = loss.pid;
        failure.log_tail = loss.log_tail;
        failure.stderr_tail = loss.stderr_tail;
        failure.death = Some(loss.death);
        if let Some(task) = task {
            failure.blame_page(task, flight.as_ref());
        }
        failure
    }

    /// Charges an attempt to `task`, or to what is to blame in it, and tries again, unless that was the last.
    fn failed(&mut self, task: TaskId, mut failure: Failure, from_outside: bool) -> Result<(), Error> {
        if self.charge_spots(task, &mut failure, from_outside)? {
            tracing::warn!(target: "gristmill", "{failure}");
            self.remember(failure);
            self.requeue_one(task);
            return Ok(());
        }
        let attempts = match task {
            TaskId::Map(task) => self.map.charge(task),
            TaskId::Reduce(task) => self.reduce.as_mut().map_or(1, |reduce| reduce.charge(task)),
        };
        failure.attempt = attempts;
        failure.max_attempts = self.limits.max_attempts;
        if attempts >= self.limits.max_attempts || failure.is_final {
            return Err(Error::task(failure));
        }
        tracing::warn!(target: "gristmill", "{failure}");
        self.remember(failure);
        self.requeue_one(task);
        Ok(())
    }

    /// A committed run cannot be read: its tasks have to run again, and are charged for it, as a disk that damages
    /// everything would otherwise keep the job busy for ever.
    ///
    /// False if it is no committed run.
    fn lose_run(&mut self, run: &str, failure: &Failure) -> Result<bool, Error> {
        let Some(committed) = self.commits.lose_run(run)? else {
            // Another attempt may have found it first.
            return Ok(self.lost_runs.contains(run));
        };
        self.lost_runs.insert(run.to_owned());
        self.stale = true;
        let tasks: Vec<_> = committed.tasks.iter().map(|&(task, _)| task).collect();
        tracing::warn!(target: "gristmill", "{}: map tasks {tasks:?} run again", failure.kind());
        for task in tasks {
            if self.map.charge(task) >= self.limits.max_attempts {
                return Err(Error::task(failure.clone()));
            }
            self.map.lose(task);
            self.mapped_bytes -= self.plan.splits[task as usize].len();
        }
        Ok(true)
    }

    /// Says in the log whose records do not count, besides those of the task that failed.
    fn log_lost(&self, worker: &str, resident: &[u32], except: TaskId) {
        let lost: Vec<_> = resident
            .iter()
            .filter(|&&task| TaskId::Map(task) != except)
            .map(|&task| format!("map-{task} (attempt {})", self.map.tries(task)))
            .collect();
        if !lost.is_empty() {
            let lost = lost.join(", ");
            tracing::warn!(target: "gristmill", "{worker} lost what it had mapped and not committed: {lost} run again, and their records in the log do not count");
        }
    }

    fn remember(&mut self, failure: Failure) {
        if self.lost.len() < REMEMBERED {
            self.lost.push(failure);
        }
    }

    fn requeue(&mut self, resident: Vec<u32>, except: TaskId) {
        for task in resident.into_iter().rev().map(TaskId::Map) {
            if task != except {
                self.requeue_one(task);
            }
        }
    }

    /// Puts a task back that was given out.
    fn requeue_one(&mut self, task: TaskId) {
        if !self.take_back(task) {
            return;
        }
        match task {
            TaskId::Map(task) => self.map.enqueue(task),
            TaskId::Reduce(task) => self.reduce.iter_mut().for_each(|reduce| reduce.enqueue(task)),
        }
    }

    /// Takes a task back that was given out, without having it wait for a worker yet; false if it was not given out or
    /// is committed.
    fn take_back(&mut self, task: TaskId) -> bool {
        match task {
            TaskId::Map(task) => {
                let taken = self.map.take_back(task);
                if taken == Some(true) {
                    self.mapped_bytes -= self.plan.splits[task as usize].len();
                }
                taken.is_some()
            }
            TaskId::Reduce(task) => {
                self.reduce.as_mut().is_some_and(|reduce| reduce.take_back(task).is_some())
            }
        }
    }
}
