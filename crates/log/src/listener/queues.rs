//! The queues of all processes as the program sees them: counted, and told which levels hold.
//!
//! Their content is the business of the listener's thread.

use crate::ring::Ring;

/// All queues that are listened to, or are about to be.
#[derive(Debug)]
pub(super) struct Queues {
    /// The levels of processes that are told no others.
    pub(super) default: String,
    /// The levels that were set at run time for all processes.
    everyone: Option<String>,
    /// Each with the name of its process.
    rings: Vec<(String, Ring)>,
}

impl Queues {
    pub(super) fn new(default: String) -> Self {
        Self { default, everyone: None, rings: Vec::new() }
    }

    pub(super) fn add(&mut self, name: &str, ring: Ring) {
        self.rings.push((name.to_owned(), ring));
    }

    pub(super) fn remove(&mut self, ring: &Ring) {
        self.rings.retain(|(_, other)| !other.is(ring));
    }

    /// The levels of a process that is about to start and is meant to have `wanted`.
    pub(super) fn levels(&self, wanted: &str) -> String {
        self.everyone.as_deref().unwrap_or(wanted).to_owned()
    }

    /// Tells all processes, and those that are still to come.
    pub(super) fn tell_everyone(&mut self, directives: &str) {
        self.everyone = Some(directives.to_owned());
        self.rings.iter().for_each(|(_, ring)| ring.set_levels(directives));
    }

    /// Tells the processes with this name and returns how many there are.
    pub(super) fn tell(&self, name: &str, directives: &str) -> usize {
        let named = self.rings.iter().filter(|(other, _)| other == name);
        named.map(|(_, ring)| ring.set_levels(directives)).count()
    }

    pub(super) fn rings(&self) -> impl Iterator<Item = &Ring> {
        self.rings.iter().map(|(_, ring)| ring)
    }

    /// Processes with a queue, this one included.
    pub(super) fn len(&self) -> usize {
        self.rings.len()
    }
}
