//! How much memory processes use together, pages that they share counted once; and memory that the system has at hand.
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

/// Writes to so many MiB of memory and gives them back, so that whoever is next finds pages that the system has.
///
/// The host of a virtual machine may take free memory back (free page reporting). To touch a page that it has taken can
/// take twenty times as long as to fill it.
pub(crate) fn touch(mib: u32) {
    const PAGE: usize = 4096;
    let mut memory = vec![0_u8; (mib as usize) << 20];
    memory.chunks_mut(PAGE).for_each(|page| page[0] = 1);
    // Nobody reads what was written, so that it might not be.
    std::hint::black_box(&memory);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_touched_is_there() {
        let peak = || {
            let status = fs::read_to_string("/proc/self/status").expect("it is there");
            let row = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak");
            row.split_ascii_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number")
        };
        touch(64);
        assert!(peak() > 64 << 10, "{} KiB", peak());
    }

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
