//! Items that go to one worker together: which they are, and their encoded arguments.
//!
//! It says nothing about who runs them and what becomes of them.

use std::ops::Range;
use std::sync::Arc;

use crate::toolkit::parcel::{Parcels, split_first};
use crate::toolkit::wire::Bytes;

/// A piece has no more bytes of arguments, unless it is a single item: a message must not be longer than what can be
/// decoded, and a worker need not hold it all at once.
const MOST_BYTES: usize = 16 << 20;

/// Items of one batch that follow one another.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) batch: u64,
    /// How many workers have received it and died without beginning its first item.
    pub(super) deaths: u32,
    items: Range<u64>,
    parcels: Arc<Parcels>,
    /// Where their arguments are.
    bytes: Range<usize>,
}

impl Piece {
    /// All arguments in one piece, the first of which belongs to item `first`.
    pub(super) fn whole(batch: u64, first: u64, count: usize, parcels: Parcels) -> Self {
        let bytes = 0..parcels.bytes().len();
        Self { batch, deaths: 0, items: first..first + count as u64, parcels: Arc::new(parcels), bytes }
    }

    pub(super) fn len(&self) -> usize {
        usize::try_from(self.items.end - self.items.start).unwrap_or(usize::MAX)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The index of the first item.
    pub(super) fn first(&self) -> u64 {
        self.items.start
    }

    /// The indices of all items.
    pub(super) fn indices(&self) -> Range<u64> {
        self.items.clone()
    }

    /// The arguments as they travel.
    pub(super) fn arguments(&self) -> Bytes {
        Bytes::from(self.parcels.bytes()[self.bytes.clone()].to_vec())
    }

    /// Takes `count` items off the front, fewer if they are very long or there are no more.
    pub(super) fn split_front(&mut self, count: usize) -> Self {
        let (mut taken, mut end) = (0, self.bytes.start);
        while taken < count.min(self.len()) {
            let Some((argument, rest)) = split_first(&self.parcels.bytes()[end..self.bytes.end]) else {
                break;
            };
            if taken > 0 && end + argument.len() - self.bytes.start > MOST_BYTES {
                break;
            }
            end = self.bytes.end - rest.len();
            taken += 1;
        }
        let middle = self.items.start + taken as u64;
        let front = Self {
            batch: self.batch,
            deaths: self.deaths,
            items: self.items.start..middle,
            parcels: Arc::clone(&self.parcels),
            bytes: self.bytes.start..end,
        };
        (self.items.start, self.bytes.start) = (middle, end);
        front
    }

    /// Forgets the first `count` items. Their arguments are passed over when what is left is needed.
    pub(super) fn pass(&mut self, count: usize) {
        let count = count.min(self.len());
        let mut rest = &self.parcels.bytes()[self.bytes.clone()];
        for _ in 0..count {
            rest = split_first(rest).map_or(&[], |(_, rest)| rest);
        }
        self.bytes.start = self.bytes.end - rest.len();
        self.items.start += count as u64;
    }

    /// Takes all items but the first off; their indices.
    pub(super) fn keep_first(&mut self) -> Range<u64> {
        let first = self.split_front(1);
        let rest = std::mem::replace(self, first);
        rest.items
    }
}

#[cfg(test)]
mod tests {
    use gristmill_ipc::decode;

    use super::*;
    use crate::toolkit::parcel::each;

    fn piece(items: &[Vec<u8>]) -> Piece {
        let mut parcels = Parcels::default();
        items.iter().for_each(|item| parcels.push(item).expect("push"));
        Piece::whole(1, 10, items.len(), parcels)
    }

    fn lengths(piece: &Piece) -> Vec<usize> {
        each(&piece.arguments()).map(|item| decode::<Vec<u8>>(item).expect("decode").len()).collect()
    }

    #[test]
    fn every_item_keeps_its_index_and_argument() {
        let mut rest = piece(&[1, 2, 3, 4, 5].map(|len| vec![0; len]));
        let front = rest.split_front(2);
        assert_eq!((front.indices(), lengths(&front)), (10..12, vec![1, 2]));
        rest.pass(1);
        assert_eq!((rest.indices(), lengths(&rest)), (13..15, vec![4, 5]));
        assert_eq!((rest.keep_first(), lengths(&rest)), (14..15, vec![4]));
        assert_eq!((rest.split_front(9).len(), rest.len()), (1, 0));
        assert!(rest.is_empty() && lengths(&rest).is_empty());
    }

    #[test]
    fn long_items_are_not_sent_together() {
        let mut rest = piece(&[MOST_BYTES, 10, MOST_BYTES / 2, MOST_BYTES / 2 - 100].map(|len| vec![0; len]));
        let pieces: Vec<_> =
            std::iter::from_fn(|| (!rest.is_empty()).then(|| rest.split_front(9).len())).collect();
        assert_eq!(pieces, [1, 3]);
    }
}
