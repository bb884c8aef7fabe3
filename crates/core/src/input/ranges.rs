//! Divides the concatenated bytes of all files into ranges of equal size, for jobs without a shuffle.
//!
//! It knows numbers only: which byte belongs to which range. Cutting files is the business of `plan`.

/// The borders between `count` ranges over `total` bytes: range k begins at byte k · total / count.
///
/// It is walked from front to back, so that many files and many ranges cost one pass.
#[derive(Debug)]
pub(super) struct Ranges {
    total: u64,
    count: u32,
    current: u32,
}

impl Ranges {
    pub(super) fn new(total: u64, count: u32) -> Self {
        Ranges { total, count: count.max(1), current: 0 }
    }

    /// The range to which the byte at `position` in the file that begins at `base` belongs.
    ///
    /// A border in the middle of a record of `unit` bytes moves back to the record's first byte.
    pub(super) fn at(&mut self, base: u64, position: u64, unit: u64) -> u32 {
        while self.next_border(base, unit).is_some_and(|border| border <= position) {
            self.current += 1;
        }
        self.current
    }

    /// Where the next range begins, as an offset in the file that begins at `base`; 0 where that lies behind already.
    pub(super) fn next_border(&self, base: u64, unit: u64) -> Option<u64> {
        let next = self.current + 1;
        if next >= self.count || self.total == 0 {
            return None;
        }
        let border = u128::from(next) * u128::from(self.total) / u128::from(self.count);
        let border = u64::try_from(border).expect("a border is at most the total");
        Some(border.saturating_sub(base) / unit * unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_equal_to_within_a_byte() {
        let mut ranges = Ranges::new(10, 3);
        let of: Vec<u32> = (0..10).map(|byte| ranges.at(0, byte, 1)).collect();
        assert_eq!(of, [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]);
    }

    #[test]
    fn a_border_inside_a_record_moves_to_its_start() {
        let mut ranges = Ranges::new(40, 3);
        let of: Vec<u32> = (0..10).map(|record| ranges.at(0, record * 4, 4)).collect();
        assert_eq!(of, [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]);
    }

    #[test]
    fn more_ranges_than_bytes_and_no_bytes_at_all() {
        let mut ranges = Ranges::new(2, 5);
        assert_eq!((ranges.at(0, 0, 1), ranges.at(0, 1, 1)), (2, 4));
        assert_eq!(Ranges::new(0, 5).at(0, 0, 1), 0);
    }
}
