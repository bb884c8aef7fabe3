//! Whether compressing makes a worker's spills faster: what writing costs it, and what lz4 costs and saves.
//!
//! It measures nothing itself: it is told.

use std::time::Duration;

use super::pack::Packed;

/// What a raw byte costs in seconds, and what lz4 leaves of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Costs {
    /// Seconds to write one byte.
    pub(super) write: f64,
    /// Seconds to pack and unpack one byte.
    pub(super) pack: f64,
    /// Stored bytes for each raw one.
    pub(super) left: f64,
}

/// Whether packing first is faster than writing all bytes, by more than the measurements are off.
pub(super) fn pays(costs: Costs) -> bool {
    const MARGIN: f64 = 0.9;
    costs.pack + costs.left * costs.write < MARGIN * costs.write
}

/// A mean in which the last bytes count most.
#[derive(Debug, Clone, Copy, Default)]
struct Smooth {
    mean: f64,
    seen: f64,
}

impl Smooth {
    /// Bytes after which what was before counts little.
    const MEMORY: f64 = (8 << 20) as f64;

    fn add(&mut self, per_byte: f64, bytes: f64) {
        self.seen = (self.seen + bytes).min(Self::MEMORY.max(bytes));
        self.mean += (per_byte - self.mean) * (bytes / self.seen);
    }
}

/// What a worker has seen of its writes.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    write: Smooth,
    pack: Smooth,
    left: Smooth,
    /// Bytes written since a sample was packed.
    unsampled: u64,
    sampled: bool,
}

impl Gauge {
    /// Bytes that are written before the first sample, and between samples.
    const FIRST: u64 = 4 << 20;
    const NEXT: u64 = 64 << 20;

    /// Notes a write. True if a sample is due.
    pub(super) fn wrote(&mut self, bytes: usize, took: Duration) -> bool {
        if bytes > 0 {
            self.write.add(took.as_secs_f64() / bytes as f64, bytes as f64);
        }
        self.unsampled += bytes as u64;
        self.unsampled >= if self.sampled { Self::NEXT } else { Self::FIRST }
    }

    /// Notes what packing came to: of a sample with unpacking, of blocks without.
    pub(super) fn packed(&mut self, packed: Packed, sample: bool) {
        if packed.raw == 0 {
            return;
        }
        let raw = packed.raw as f64;
        // Of what was packed little is known of unpacking it: it is a good deal faster.
        let took = packed.took.as_secs_f64() * if sample { 1.0 } else { 1.25 };
        if sample {
            (self.pack, self.left) = (Smooth::default(), Smooth::default());
        }
        self.pack.add(took / raw, raw);
        self.left.add(packed.stored as f64 / raw, raw);
        (self.unsampled, self.sampled) = (0, true);
    }

    /// Whether to compress what comes next.
    pub(super) fn pays(&self) -> bool {
        let costs = Costs { write: self.write.mean, pack: self.pack.mean, left: self.left.mean };
        self.sampled && pays(costs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NANO: f64 = 1e-9;

    #[test]
    fn compression_pays_where_writing_is_slow_and_bytes_shrink() {
        let costs = |write, pack, left| Costs { write: write * NANO, pack: pack * NANO, left };
        assert!(!pays(costs(0.25, 2.0, 0.4)), "a page cache is faster than any codec");
        assert!(pays(costs(10.0, 2.0, 0.4)), "a disk of 100 MB/s is not");
        assert!(!pays(costs(10.0, 2.0, 1.0)), "nothing is saved");
        assert!(!pays(costs(2.1, 1.0, 0.5)), "nothing is gained");
        assert!(!pays(costs(0.0, 0.0, 0.0)), "nothing is known");
    }

    #[test]
    fn a_disk_that_becomes_slow_is_noticed_and_so_is_one_that_recovers() {
        const PIECE: usize = 1 << 20;
        let mut gauge = Gauge::default();
        let write = |gauge: &mut Gauge, nanos: u64, pieces: u32| {
            let mut due = false;
            (0..pieces).for_each(|_| due |= gauge.wrote(PIECE, Duration::from_nanos(nanos * PIECE as u64)));
            due
        };
        assert!(!write(&mut gauge, 100, 3) && !gauge.pays(), "too little is known");
        assert!(write(&mut gauge, 1, 60), "a sample is due");
        let took = Duration::from_nanos(2 * PIECE as u64);
        gauge.packed(Packed { raw: PIECE, stored: PIECE / 2, took }, true);
        assert!(!gauge.pays());
        assert!(!write(&mut gauge, 20, 30), "no other sample is due so soon");
        assert!(gauge.pays());
        write(&mut gauge, 1, 60);
        assert!(!gauge.pays());
    }
}
