//! The vector instructions of x86-64, found at run time: the one place of this module with unsafe code.
//!
//! What they are used for is decided in [words](mod@super::words) and [key_values](mod@super::key_values).
#![allow(unsafe_code, reason = "a function for an instruction set may run only where it was found")]

use super::kernel::{Portable, Task};

/// Runs the task with the best instructions of this machine.
#[inline]
pub(super) fn dispatch<T: Task>(task: T) -> T::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(found) = x86::Avx512::find() {
            return found.run(task);
        }
        if let Some(found) = x86::Avx2::find() {
            return found.run(task);
        }
    }
    task.run(Portable)
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86;
