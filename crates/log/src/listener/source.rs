//! One process as the listener sees it: its ring, and which of its records have come.
//!
//! It finds gaps and damage and says so; delivering and reporting is done by others.

use tracing::Level;

use crate::record::{Record, Wire};
use crate::ring::{Corrupt, Ring, RingConsumer};

/// What came out of a ring.
#[derive(Debug)]
pub(super) enum Taken {
    /// A record, and how many are missing before it.
    Record { missing: u64 },
    /// A frame that is not a record.
    Undecodable(String),
    /// The ring is empty.
    Nothing,
}

/// The ring of one process.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) id: u64,
    pub(super) name: String,
    /// The process has ended: when the ring is empty, it stays so.
    pub(super) closed: bool,
    ring: RingConsumer,
    /// The number of the last record that came or is known to be missing.
    last: u64,
    /// Records that have been reported as missing.
    missing: u64,
    bytes: Vec<u8>,
    /// The last record that came.
    record: Record,
}

impl Source {
    pub(super) fn new(id: u64, name: String, ring: Ring) -> Self {
        let ring = RingConsumer::new(ring);
        Self {
            id,
            name,
            closed: false,
            ring,
            last: 0,
            missing: 0,
            bytes: Vec::new(),
            record: Record::new(Level::INFO, "", ""),
        }
    }

    pub(super) fn ring(&self) -> &RingConsumer {
        &self.ring
    }

    /// The record that came last.
    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    /// Takes the oldest record.
    pub(super) fn take(&mut self) -> Result<Taken, Corrupt> {
        if !self.ring.pop(&mut self.bytes)? {
            return Ok(Taken::Nothing);
        }
        Ok(match Wire::decode(&self.bytes) {
            Ok(wire) => {
                self.record.assign(&wire);
                Taken::Record { missing: self.count_missing(self.record.sequence) }
            }
            Err(error) => {
                self.last = self.last.saturating_add(1);
                Taken::Undecodable(error)
            }
        })
    }

    fn count_missing(&mut self, sequence: u64) -> u64 {
        let missing = sequence.saturating_sub(self.last.saturating_add(1));
        self.last = sequence;
        self.missing = self.missing.saturating_add(missing);
        missing
    }

    /// Records that were dropped after the last one that came. To be asked once, when nothing more will come.
    pub(super) fn missing_at_end(&self) -> u64 {
        self.ring.ring().dropped().saturating_sub(self.missing)
    }

    /// The process id, 0 if none ever attached.
    pub(super) fn pid(&self) -> u32 {
        self.ring.ring().owner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::RingProducer;

    fn push(producer: &mut RingProducer, sequence: u64) {
        let record = Record { sequence, ..Record::new(Level::INFO, "t", "m") };
        let mut bytes = Vec::new();
        Wire::from(&record).encode(&mut bytes).expect("encode");
        producer.push(&bytes);
    }

    #[test]
    fn gaps_are_counted_once() {
        let ring = Ring::new(4096).expect("shared memory");
        let mut producer = RingProducer::new(ring.clone(), u64::MAX);
        let mut source = Source::new(1, "Worker-1".into(), ring.clone());
        push(&mut producer, 1);
        (0..3).for_each(|_| ring.count_dropped());
        push(&mut producer, 5);
        ring.count_dropped();
        let gaps: Vec<_> = std::iter::from_fn(|| match source.take() {
            Ok(Taken::Record { missing, .. }) => Some(missing),
            _ => None,
        })
        .collect();
        assert_eq!(gaps, [0, 3]);
        assert_eq!(source.missing_at_end(), 1);
    }

    #[test]
    fn a_frame_that_is_no_record_is_passed_over() {
        let ring = Ring::new(4096).expect("shared memory");
        let mut producer = RingProducer::new(ring.clone(), u64::MAX);
        let mut source = Source::new(1, "Worker-1".into(), ring);
        producer.push(b"\xffnonsense");
        push(&mut producer, 2);
        assert!(matches!(source.take(), Ok(Taken::Undecodable(_))));
        assert!(matches!(source.take(), Ok(Taken::Record { missing: 0, .. })));
    }
}
