//! What a thread is working on, so that its records can say so.
//!
//! It is kept per thread and set by whoever runs tasks; it does not follow work that moves to another thread.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The job, the task and the attempt that a thread works on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Current {
    pub(crate) job: Option<String>,
    pub(crate) task: Option<String>,
    pub(crate) attempt: Option<u32>,
}

impl Current {
    fn task(job: &str, task: &str, attempt: u32) -> Self {
        Self { job: Some(job.to_owned()), task: Some(task.to_owned()), attempt: Some(attempt) }
    }
}

thread_local! {
    static CURRENT: RefCell<Rc<Current>> = RefCell::default();
    static MUTED: Cell<bool> = const { Cell::new(false) };
}

/// Says that this thread now works on an attempt at a task; its records carry that until the next call.
pub fn set_task(job: &str, task: &str, attempt: u32) {
    replace(Rc::new(Current::task(job, task, attempt)));
}

/// Says that this thread works on no task.
pub fn clear_task() {
    replace(Rc::default());
}

fn replace(next: Rc<Current>) -> Rc<Current> {
    // A thread that is being torn down has no context any more, and needs none.
    CURRENT.try_with(|current| current.replace(next)).unwrap_or_default()
}

/// What this thread works on.
pub(crate) fn current() -> Rc<Current> {
    CURRENT.try_with(|current| Rc::clone(&current.borrow())).unwrap_or_default()
}

/// Sets the task of this thread and restores what was set before when it is dropped.
///
/// ```
/// use gristmill_log::context::TaskContext;
///
/// let _outer = TaskContext::enter("wordcount", "map-3", 1);
/// {
///     let _inner = TaskContext::enter("wordcount", "map-4", 1);
/// }
/// // Records carry `map-3` again.
/// ```
#[derive(Debug)]
#[must_use = "the context ends when the guard is dropped"]
pub struct TaskContext {
    before: Rc<Current>,
}

impl TaskContext {
    /// Does what [`set_task`] does, until the guard is dropped.
    pub fn enter(job: &str, task: &str, attempt: u32) -> Self {
        Self { before: replace(Rc::new(Current::task(job, task, attempt))) }
    }
}

impl Drop for TaskContext {
    fn drop(&mut self) {
        replace(std::mem::take(&mut self.before));
    }
}

/// While it lives, this thread's events are ignored: what delivers records must not make new ones.
#[derive(Debug)]
pub(crate) struct Muted {
    before: bool,
}

impl Muted {
    pub(crate) fn enter() -> Self {
        Self { before: MUTED.try_with(|muted| muted.replace(true)).unwrap_or(true) }
    }
}

impl Drop for Muted {
    fn drop(&mut self) {
        // Without the thread's storage there is nothing to restore.
        let _restored = MUTED.try_with(|muted| muted.set(self.before));
    }
}

pub(crate) fn is_muted() -> bool {
    MUTED.try_with(Cell::get).unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> Option<String> {
        current().task.clone()
    }

    #[test]
    fn a_guard_restores_what_was_set_before() {
        set_task("job", "map-1", 1);
        {
            let _guard = TaskContext::enter("job", "map-2", 2);
            assert_eq!(task().as_deref(), Some("map-2"));
        }
        assert_eq!(task().as_deref(), Some("map-1"));
        clear_task();
        assert_eq!(task(), None);
    }

    #[test]
    fn a_thread_starts_without_a_task() {
        set_task("job", "map-1", 1);
        assert_eq!(std::thread::spawn(task).join().expect("thread"), None);
        clear_task();
    }

    #[test]
    fn muting_nests() {
        let outer = Muted::enter();
        drop(Muted::enter());
        assert!(is_muted());
        drop(outer);
        assert!(!is_muted());
    }
}
