//! The filter in the worker: whether an event is let through, decided before anything is formatted.
//!
//! The levels may be changed by the listener while the program runs: each decision looks at the generation in the
//! shared memory first, which costs one load. What the levels are is the business of others.

use std::cell::Cell;
use std::sync::atomic::{
    AtomicU8, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{PoisonError, RwLock};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::LevelFilter;

use crate::directives::Directives;
use crate::ring::Ring;

/// The levels of one process.
#[derive(Debug)]
pub(super) struct Gate {
    ring: Ring,
    /// The generation of `directives`.
    seen: AtomicU64,
    /// The most verbose level that any target lets through: 0 for none, 5 for traces.
    most: AtomicU8,
    /// The least verbose level that every target lets through.
    all: AtomicU8,
    directives: RwLock<Directives>,
}

thread_local! {
    /// Decisions on static metadata, by its address. Each is its generation and, as the lowest bit, the answer.
    static DECIDED: [Cell<(usize, u64)>; DECISIONS] = const { [const { Cell::new((0, 0)) }; DECISIONS] };
}

const DECISIONS: usize = 64;

impl Gate {
    pub(super) fn new(ring: Ring, directives: Directives) -> Self {
        let gate = Self {
            ring,
            seen: AtomicU64::new(0),
            most: AtomicU8::new(0),
            all: AtomicU8::new(0),
            directives: RwLock::new(directives.clone()),
        };
        gate.summarize(&directives);
        gate
    }

    /// Whether an event or span passes.
    pub(super) fn passes(&self, metadata: &Metadata<'_>) -> bool {
        self.quick(*metadata.level()).unwrap_or_else(|| {
            // The metadata of `log` records is made for each of them: its address means nothing.
            if metadata.name() == "log record" {
                self.decide(metadata.target(), *metadata.level())
            } else {
                self.remembered(metadata)
            }
        })
    }

    /// Whether a record of the `log` crate passes.
    pub(super) fn passes_log(&self, target: &str, level: Level) -> bool {
        self.quick(level).unwrap_or_else(|| self.decide(target, level))
    }

    /// The answer, if it does not depend on the target.
    fn quick(&self, level: Level) -> Option<bool> {
        if self.ring.levels_generation() != self.seen.load(Acquire) {
            self.renew();
        }
        let level = rank(level);
        if level > self.most.load(Relaxed) {
            Some(false)
        } else if level <= self.all.load(Relaxed) {
            Some(true)
        } else {
            None
        }
    }

    fn remembered(&self, metadata: &Metadata<'_>) -> bool {
        // Two gates in one process, as in tests, must not take each other's answers.
        let address = std::ptr::from_ref(metadata).addr() ^ std::ptr::from_ref(self).addr().rotate_left(32);
        let generation = self.seen.load(Acquire) << 1;
        let answer = DECIDED.try_with(|decided| {
            let place = &decided[(address >> 4) % DECISIONS];
            let (whose, decision) = place.get();
            if whose == address && decision & !1 == generation {
                return decision & 1 == 1;
            }
            let passes = self.decide(metadata.target(), *metadata.level());
            place.set((address, generation | u64::from(passes)));
            passes
        });
        // A thread that is ending remembers nothing.
        answer.unwrap_or_else(|_| self.decide(metadata.target(), *metadata.level()))
    }

    fn decide(&self, target: &str, level: Level) -> bool {
        self.directives.read().unwrap_or_else(PoisonError::into_inner).pass(target, level)
    }

    /// Takes over what the listener has left. What makes no sense, or is just being written, changes nothing.
    #[cold]
    fn renew(&self) {
        // Locked before it is read: of two threads the later one must not leave what the earlier one has read.
        let mut directives = self.directives.write().unwrap_or_else(PoisonError::into_inner);
        let Some((generation, text)) = self.ring.levels() else { return };
        if let Ok(new) = text.parse() {
            *directives = new;
            self.summarize(&directives);
        }
        self.seen.store(generation, Release);
    }

    /// Remembers what can be said without looking at the target.
    fn summarize(&self, directives: &Directives) {
        let ranks = || directives.levels().map(filter_rank);
        let (most, all) = (ranks().max(), ranks().min());
        self.most.store(most.unwrap_or(0), Relaxed);
        self.all.store(all.unwrap_or(0), Relaxed);
    }
}

fn rank(level: Level) -> u8 {
    match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

fn filter_rank(filter: LevelFilter) -> u8 {
    filter.into_level().map_or(0, rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(directives: &str) -> Gate {
        let ring = Ring::new(4096).expect("shared memory");
        Gate::new(ring, directives.parse().expect("directives"))
    }

    /// Checks each question twice: the second answer may be a remembered one.
    fn passes(gate: &Gate, target: &str, level: Level) -> bool {
        let answers = [gate.passes_log(target, level), gate.passes_log(target, level)];
        assert_eq!(answers[0], answers[1]);
        answers[0]
    }

    #[test]
    fn directives_decide_by_target() {
        let gate = gate("info,noisy=off,chatty=debug");
        assert!(passes(&gate, "here", Level::INFO) && !passes(&gate, "here", Level::DEBUG));
        assert!(!passes(&gate, "noisy", Level::ERROR));
        assert!(passes(&gate, "chatty::part", Level::DEBUG) && !passes(&gate, "chatty", Level::TRACE));
    }

    #[test]
    fn a_target_below_the_default_is_not_overlooked() {
        let gate = gate("warn,quiet=error");
        assert!(!passes(&gate, "quiet", Level::WARN) && passes(&gate, "quiet", Level::ERROR));
    }

    #[test]
    fn the_levels_that_the_listener_leaves_hold_from_the_next_event_on() {
        let gate = gate("info");
        assert!(!passes(&gate, "here", Level::DEBUG));
        gate.ring.set_levels("warn,here=trace");
        assert!(passes(&gate, "here", Level::TRACE) && !passes(&gate, "there", Level::INFO));
        gate.ring.set_levels("a=b=c");
        assert!(passes(&gate, "here", Level::TRACE), "nonsense changes nothing");
        gate.ring.set_levels("off");
        assert!(!passes(&gate, "here", Level::ERROR));
    }
}
