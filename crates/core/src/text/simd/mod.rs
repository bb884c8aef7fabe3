//! The vector instructions of x86-64, found at run time: the one place of this module with unsafe code.
//!
//! What they are used for is decided in [words](mod@super::words) and [key_values](mod@super::key_values).
#![allow(unsafe_code, reason = "a function for an instruction set may run only where it was found")]

use super::kernel::{Portable, Task};

#[cfg(target_arch = "x86_64")]
mod x86;

/// The instructions that tasks are run with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Machine {
    /// Those of any machine.
    Any,
    #[cfg(target_arch = "x86_64")]
    Avx2(x86::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(x86::Avx512),
}

impl Machine {
    /// The best of this machine.
    #[inline]
    pub(super) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(found) = x86::Avx512::find() {
                return Self::Avx512(found);
            }
            if let Some(found) = x86::Avx2::find() {
                return Self::Avx2(found);
            }
        }
        Self::Any
    }

    /// All that this machine has.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        let mut all = vec![Self::Any];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(x86::Avx2::find().map(Self::Avx2));
            all.extend(x86::Avx512::find().map(Self::Avx512));
        }
        all
    }

    /// Runs a task with them. It is worth a call: nothing of it becomes part of the caller.
    #[inline]
    pub(super) fn run<T: Task>(self, task: T) -> T::Output {
        match self {
            Self::Any => task.run(Portable),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(found) => found.run(task),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(found) => found.run(task),
        }
    }
}
