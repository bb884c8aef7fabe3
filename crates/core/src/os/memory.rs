//! What large tables ask of the memory they lie in: huge pages, and lines fetched ahead of their use.
//!
//! Both are hints: without them everything works, only slower.

use std::ops::{Deref, DerefMut};

use rustix::mm::Advice;

/// Smaller blocks do not gain from huge pages.
const LEAST_HUGE: usize = 4 << 20;
const HUGE_PAGE: usize = 2 << 20;

/// A kind of element of which all-zero bits are a value that `vec!` asks the allocator for.
pub(crate) trait Zero: Copy {
    const ZERO: Self;
}

impl Zero for u8 {
    const ZERO: Self = 0;
}

impl Zero for u64 {
    const ZERO: Self = 0;
}

impl Zero for [u64; 4] {
    const ZERO: Self = [0; 4];
}

/// `len` zeros. Memory is taken when it is touched, in huge pages if the system has them.
pub(crate) fn zeroed<T: Zero>(len: usize) -> Vec<T> {
    let mut zeros = vec![T::ZERO; len];
    if size_of_val(&zeros[..]) >= LEAST_HUGE {
        advise_huge_pages(&mut zeros);
    }
    zeros
}

/// Makes room for so many elements more, in huge pages if the system has them: a vector that grows bit by bit is copied
/// into fresh memory again and again.
pub(crate) fn reserve<T>(elements: &mut Vec<T>, more: usize) {
    // Where there is no room for all at once, it is taken as it is needed.
    elements.try_reserve_exact(more).unwrap_or_default();
    let room = elements.spare_capacity_mut();
    if size_of_val(room) >= LEAST_HUGE {
        advise_huge_pages(room);
    }
}

/// Slots of four words that never lie across two cache lines, all zero at first.
///
/// An allocator aligns large blocks to sixteen bytes: every other slot would cost two misses. And it writes its own words
/// in front of them, into what would have been the first huge page: that one stays in small pages, each of which is
/// faulted in twice if it is read before it is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slots {
    words: Vec<u64>,
    /// The words before the first slot.
    skipped: usize,
}

impl Slots {
    pub(crate) fn zeroed(len: usize) -> Self {
        const LINE: usize = 64;
        const WORD: usize = size_of::<u64>();
        // What is skipped is not touched by us; the allocator does so at most where it uses a block again.
        let alignment = if 4 * len * WORD < LEAST_HUGE { LINE } else { HUGE_PAGE };
        let mut words = zeroed::<u64>(4 * len + alignment / WORD);
        let skipped = words.as_ptr().align_offset(alignment).min(alignment / WORD);
        words.truncate(skipped + 4 * len);
        Self { words, skipped }
    }
}

impl Deref for Slots {
    type Target = [[u64; 4]];

    #[inline(always)]
    fn deref(&self) -> &[[u64; 4]] {
        self.words[self.skipped..].as_chunks().0
    }
}

impl DerefMut for Slots {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [[u64; 4]] {
        self.words[self.skipped..].as_chunks_mut().0
    }
}

#[allow(unsafe_code)]
fn advise_huge_pages<T>(block: &mut [T]) {
    let (start, len) = (block.as_mut_ptr().cast::<u8>(), size_of_val(block));
    let skip = start.align_offset(HUGE_PAGE);
    if skip >= len {
        return;
    }
    let start = start.wrapping_add(skip).cast();
    // SAFETY: the range lies within `block`, which is borrowed for the call; the advice changes no contents.
    let advised = unsafe { rustix::mm::madvise(start, len - skip, Advice::LinuxHugepage) };
    // Where huge pages are not to be had, small ones do.
    advised.unwrap_or_default();
}

/// Asks for the cache line at an address, which need not be anyone's.
#[inline(always)]
#[allow(unsafe_code)]
pub(crate) fn prefetch_at(address: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let address = std::ptr::without_provenance::<i8>(address);
        // SAFETY: a prefetch has no effect but on the cache, and faults at no address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Asks for the cache line of an element that is about to be used.
#[inline(always)]
pub(crate) fn prefetch<T>(slice: &[T], at: usize) {
    if let Some(element) = slice.get(at) {
        prefetch_at(std::ptr::from_ref(element).addr());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_made_once_or_as_it_is_needed() {
        let mut bytes = vec![7_u8];
        reserve(&mut bytes, LEAST_HUGE);
        let place = bytes.as_ptr();
        bytes.resize(1 + LEAST_HUGE, 8);
        assert_eq!((bytes.as_ptr(), bytes[0]), (place, 7));
        reserve(&mut bytes, usize::MAX);
        bytes.push(9);
        assert_eq!((bytes.len(), bytes[1 + LEAST_HUGE]), (2 + LEAST_HUGE, 9));
    }
}
