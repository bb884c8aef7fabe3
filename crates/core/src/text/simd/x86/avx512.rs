//! Steps with 64 bytes at a time: AVX-512 with byte instructions, and VBMI2 to gather positions.
//!
//! Whoever calls them knows that the machine has the instructions.

use std::arch::x86_64::*;

use super::BLANKS;
use crate::text::kernel::CHUNK;

const EVERY_BYTE: [u8; CHUNK] = {
    let mut all = [0; CHUNK];
    let mut i = 0;
    while i < CHUNK {
        all[i] = i as u8;
        i += 1;
    }
    all
};

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn blanks(chunk: &[u8; CHUNK]) -> u64 {
    blank_bytes(load(chunk))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn lower(chunk: &[u8; CHUNK], lowered: &mut [u8; CHUNK]) -> u64 {
    let bytes = load(chunk);
    let from_a = _mm512_sub_epi8(bytes, _mm512_set1_epi8(b'A' as i8));
    let capitals = _mm512_cmplt_epu8_mask(from_a, _mm512_set1_epi8(26));
    let small = _mm512_mask_add_epi8(bytes, capitals, bytes, _mm512_set1_epi8(32));
    // SAFETY: the array has room for 64 bytes, and the store asks for no alignment.
    unsafe { _mm512_storeu_epi8(lowered.as_mut_ptr().cast(), small) };
    blank_bytes(bytes)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn equal(chunk: &[u8; CHUNK], byte: u8) -> u64 {
    _mm512_cmpeq_epi8_mask(load(chunk), _mm512_set1_epi8(byte as i8))
}

// Most chunks have fewer than 32 positions.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
pub(super) fn positions(mask: u64, at: u16, out: &mut [u16; CHUNK]) {
    let places = _mm512_maskz_compress_epi8(mask, load(&EVERY_BYTE));
    let (first, second) = out.split_at_mut(CHUNK / 2);
    store(add(at, _mm512_castsi512_si256(places)), first);
    if mask.count_ones() as usize > first.len() {
        store(add(at, _mm512_extracti64x4_epi64::<1>(places)), second);
    }
}

// A store of 32 bytes costs half as much as one of 64, and that is what a chunk with few positions is about.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")]
pub(super) fn few_positions(mask: u64, at: u16, out: &mut [u16; CHUNK]) {
    const FEW: usize = CHUNK / 4;
    if mask.count_ones() as usize > FEW {
        return positions(mask, at, out);
    }
    let places = _mm512_castsi512_si128(_mm512_maskz_compress_epi8(mask, load(&EVERY_BYTE)));
    let positions = _mm256_add_epi16(_mm256_cvtepu8_epi16(places), _mm256_set1_epi16(at as i16));
    let out: &mut [u16; FEW] = out.first_chunk_mut().expect("a quarter of a chunk");
    // SAFETY: the array has room for 16 positions, and the store asks for no alignment.
    unsafe { _mm256_storeu_epi16(out.as_mut_ptr().cast(), positions) };
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn add(at: u16, places: __m256i) -> __m512i {
    _mm512_add_epi16(_mm512_cvtepu8_epi16(places), _mm512_set1_epi16(at as i16))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn blank_bytes(bytes: __m512i) -> u64 {
    // SAFETY: the array has 16 bytes, and the load asks for no alignment.
    let table = unsafe { _mm_loadu_si128(BLANKS.as_ptr().cast()) };
    let blank = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), bytes);
    _mm512_cmpeq_epi8_mask(blank, bytes)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load(chunk: &[u8; CHUNK]) -> __m512i {
    // SAFETY: the array has 64 bytes, and the load asks for no alignment.
    unsafe { _mm512_loadu_epi8(chunk.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn store(positions: __m512i, out: &mut [u16]) {
    let out: &mut [u16; CHUNK / 2] = out.try_into().expect("half of a chunk");
    // SAFETY: the array has room for 32 positions, and the store asks for no alignment.
    unsafe { _mm512_storeu_epi16(out.as_mut_ptr().cast(), positions) };
}
