//! How much memory processes use together, pages that they share counted once.
//!
//! Pages of memory files that no process maps belong to nobody and are not seen.

use std::fs;

/// The sum of the proportional set sizes, in KiB; a process that is gone uses none.
pub(super) fn pss_kib(pids: &[u32]) -> u64 {
    let rollup = |pid| fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
    pids.iter().filter_map(|pid| parse(&rollup(pid).ok()?)).sum()
}

fn parse(rollup: &str) -> Option<u64> {
    let row = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    row.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_a_missing_one_does_not() {
        assert!(pss_kib(&[std::process::id()]) > 100);
        assert_eq!(pss_kib(&[u32::MAX]), 0);
    }

    #[test]
    fn the_whole_is_read_and_not_a_part() {
        assert_eq!(
            parse("55d0-7ffc ---p 0 00:00 0 [rollup]\nRss: 9 kB\nPss:    42 kB\nPss_Anon: 7 kB\n"),
            Some(42)
        );
        assert_eq!(parse("Rss: 9 kB\n"), None);
    }
}
