//! The memory budget: how much the buffers of all processes may hold, and each worker's share.
//!
//! It measures nothing while a job runs.

use crate::error::Error;
use crate::os::total_memory;

/// What the coordinator keeps for itself: log rings, plans, channels.
const RESERVE: u64 = 16 << 20;
/// With less than this a worker would spill all the time.
const FLOOR: u64 = 4 << 20;
/// The default budget is this part of the memory there is.
const SHARE: u64 = 4;
/// Taken for the machine's memory where the system does not tell.
const UNKNOWN: u64 = 2 << 30;

/// Bytes of buffers for each of `workers`.
///
/// # Errors
/// When the budget is too small for so many workers.
pub(super) fn per_worker(budget: Option<u64>, workers: usize) -> Result<usize, Error> {
    let total = budget.unwrap_or_else(|| total_memory().unwrap_or(UNKNOWN) / SHARE);
    let share = total.saturating_sub(RESERVE) / workers as u64;
    if share < FLOOR && budget.is_some() {
        let least = (RESERVE + FLOOR * workers as u64) >> 20;
        return Err(Error::usage(format!("--memory: {workers} workers need at least {least} MiB")));
    }
    Ok(usize::try_from(share.max(FLOOR)).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_divided_after_the_reserve() {
        assert_eq!(per_worker(Some(64 << 20), 2).ok(), Some(24 << 20));
        let error = per_worker(Some(20 << 20), 2).expect_err("too little for two");
        assert!(error.to_string().contains("24 MiB"), "{error}");
    }
}
