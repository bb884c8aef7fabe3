//! The instruction sets of x86-64: the proof that this machine has one, and the kernel that uses it.
//!
//! The instructions themselves are in [`avx2`] and [`avx512`].

mod avx2;
mod avx512;

use crate::text::kernel::{CHUNK, Kernel, Task, in_groups};

/// Every white space byte at the place of its low four bits, where a shuffle by the byte itself finds it.
const BLANKS: [i8; 16] = [32, -1, -1, -1, -1, -1, -1, -1, -1, 9, 10, -1, 12, 13, -1, -1];

/// Declares the proof that the machine has some features, and the function that is compiled for them.
macro_rules! instruction_set {
    ($(#[$doc:meta])* $name:ident: $($feature:tt),*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub(in crate::text) struct $name(());

        impl $name {
            /// The proof, if this machine has all of them.
            #[inline]
            pub(in crate::text) fn find() -> Option<Self> {
                ($(is_x86_feature_detected!($feature))&&*).then_some(Self(()))
            }

            /// Runs a task that is compiled for them.
            #[inline]
            pub(in crate::text) fn run<T: Task>(self, task: T) -> T::Output {
                $(#[target_feature(enable = $feature)])*
                fn compiled<T: Task>(kernel: $name, task: T) -> T::Output {
                    task.run(kernel)
                }
                // SAFETY: a value of this type exists only where `find` saw the same features.
                unsafe { compiled(self, task) }
            }
        }
    };
}

instruction_set! {
    /// Skylake servers have some of AVX-512 without VBMI2, and slow down when it is used: they take AVX2.
    Avx512: "avx512f", "avx512bw", "avx512vl", "avx512vbmi2", "bmi1", "bmi2", "lzcnt", "popcnt"
}
instruction_set! {
    /// Haswell, Zen and later.
    Avx2: "avx2", "bmi1", "bmi2", "lzcnt", "popcnt"
}

impl Kernel for Avx512 {
    #[inline(always)]
    fn blanks(self, chunk: &[u8; CHUNK]) -> u64 {
        // SAFETY: `self` proves that the machine has the instructions.
        unsafe { avx512::blanks(chunk) }
    }

    #[inline(always)]
    fn lower(self, chunk: &[u8; CHUNK], lowered: &mut [u8; CHUNK]) -> u64 {
        // SAFETY: as above.
        unsafe { avx512::lower(chunk, lowered) }
    }

    #[inline(always)]
    fn equal(self, chunk: &[u8; CHUNK], byte: u8) -> u64 {
        // SAFETY: as above.
        unsafe { avx512::equal(chunk, byte) }
    }

    #[inline(always)]
    fn positions(self, mask: u64, at: u16, out: &mut [u16; CHUNK]) {
        // SAFETY: as above.
        unsafe { avx512::positions(mask, at, out) }
    }

    #[inline(always)]
    fn few_positions(self, mask: u64, at: u16, out: &mut [u16; CHUNK]) {
        // SAFETY: as above.
        unsafe { avx512::few_positions(mask, at, out) }
    }
}

impl Kernel for Avx2 {
    #[inline(always)]
    fn blanks(self, chunk: &[u8; CHUNK]) -> u64 {
        // SAFETY: `self` proves that the machine has the instructions.
        unsafe { avx2::blanks(chunk) }
    }

    #[inline(always)]
    fn lower(self, chunk: &[u8; CHUNK], lowered: &mut [u8; CHUNK]) -> u64 {
        // SAFETY: as above.
        unsafe { avx2::lower(chunk, lowered) }
    }

    #[inline(always)]
    fn equal(self, chunk: &[u8; CHUNK], byte: u8) -> u64 {
        // SAFETY: as above.
        unsafe { avx2::equal(chunk, byte) }
    }

    #[inline(always)]
    fn positions(self, mask: u64, at: u16, out: &mut [u16; CHUNK]) {
        in_groups::<8>(mask, at, out);
    }

    #[inline(always)]
    fn few_positions(self, mask: u64, at: u16, out: &mut [u16; CHUNK]) {
        in_groups::<4>(mask, at, out);
    }
}
