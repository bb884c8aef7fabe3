//! Steps with 32 bytes at a time: AVX2.
//!
//! Whoever calls them knows that the machine has the instructions.

use std::arch::x86_64::*;

use super::BLANKS;
use crate::text::kernel::CHUNK;

const HALF: usize = CHUNK / 2;

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn blanks(chunk: &[u8; CHUNK]) -> u64 {
    let (first, second) = load(chunk);
    both(blank_bytes(first), blank_bytes(second))
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn lower(chunk: &[u8; CHUNK], lowered: &mut [u8; CHUNK]) -> u64 {
    let (first, second) = load(chunk);
    let (low, high) = lowered.split_at_mut(HALF);
    store(small(first), low);
    store(small(second), high);
    both(blank_bytes(first), blank_bytes(second))
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn equal(chunk: &[u8; CHUNK], byte: u8) -> u64 {
    let (first, second) = load(chunk);
    let wanted = _mm256_set1_epi8(byte as i8);
    both(_mm256_cmpeq_epi8(first, wanted), _mm256_cmpeq_epi8(second, wanted))
}

// Signed comparison is all there is: the capitals are moved to the greatest numbers.
#[inline]
#[target_feature(enable = "avx2")]
fn small(bytes: __m256i) -> __m256i {
    let moved = _mm256_add_epi8(bytes, _mm256_set1_epi8(i8::MAX - b'Z' as i8));
    let capitals = _mm256_cmpgt_epi8(moved, _mm256_set1_epi8(i8::MAX - 26));
    _mm256_add_epi8(bytes, _mm256_and_si256(capitals, _mm256_set1_epi8(32)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn blank_bytes(bytes: __m256i) -> __m256i {
    // SAFETY: the array has 16 bytes, and the load asks for no alignment.
    let table = unsafe { _mm_loadu_si128(BLANKS.as_ptr().cast()) };
    let blank = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), bytes);
    _mm256_cmpeq_epi8(blank, bytes)
}

#[inline]
#[target_feature(enable = "avx2")]
fn both(first: __m256i, second: __m256i) -> u64 {
    let mask = |half| u64::from(_mm256_movemask_epi8(half) as u32);
    mask(first) | mask(second) << HALF
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(chunk: &[u8; CHUNK]) -> (__m256i, __m256i) {
    let (first, second) = chunk.split_at(HALF);
    (load_half(first), load_half(second))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_half(half: &[u8]) -> __m256i {
    let half: &[u8; HALF] = half.try_into().expect("half of a chunk");
    // SAFETY: the array has 32 bytes, and the load asks for no alignment.
    unsafe { _mm256_loadu_si256(half.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(bytes: __m256i, out: &mut [u8]) {
    let out: &mut [u8; HALF] = out.try_into().expect("half of a chunk");
    // SAFETY: the array has room for 32 bytes, and the store asks for no alignment.
    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), bytes) };
}
