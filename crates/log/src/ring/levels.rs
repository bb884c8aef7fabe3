//! A ring's place for the levels that its process is to apply from now on.
//!
//! The listener's process writes it and the worker reads it, so no message is needed. What the text means is not
//! known here.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::fence;

use super::{LEVELS, LEVELS_LEN, LEVELS_TEXT, LEVELS_WORDS, Ring};

/// The longest text that can be told to running processes.
pub(crate) const LONGEST_LEVELS: usize = LEVELS_WORDS * 8;

impl Ring {
    /// Leaves `text` for the worker. The caller sees to it that nobody else does so at the same time, and that it is
    /// not longer than [`LONGEST_LEVELS`].
    ///
    /// The generation is odd while the text is being written. Should this process be killed then, it stays odd, and
    /// the worker stays with the levels that it has.
    pub(crate) fn set_levels(&self, text: &str) {
        let generation = self.word(LEVELS);
        let before = generation.load(Relaxed);
        generation.store(before | 1, Relaxed);
        fence(Release);
        self.word(LEVELS_LEN).store(text.len() as u64, Relaxed);
        self.memory.store_bytes(LEVELS_TEXT, text.as_bytes());
        generation.store((before | 1).wrapping_add(1), Release);
    }

    /// Changes whenever the levels do. 0: they have never been set.
    pub(crate) fn levels_generation(&self) -> u64 {
        self.word(LEVELS).load(Acquire)
    }

    /// The text and its generation; nothing while it is being written.
    pub(crate) fn levels(&self) -> Option<(u64, String)> {
        let generation = self.levels_generation();
        let len = usize::try_from(self.word(LEVELS_LEN).load(Relaxed)).ok()?;
        let mut text = Vec::new();
        self.memory.load_bytes(LEVELS_TEXT, len.min(LONGEST_LEVELS), &mut text);
        fence(Acquire);
        let whole = generation.is_multiple_of(2) && self.word(LEVELS).load(Relaxed) == generation;
        if whole { Some((generation, String::from_utf8(text).ok()?)) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_reads_what_was_left_last() {
        let ring = Ring::new(4096).expect("shared memory");
        assert_eq!(ring.levels_generation(), 0);
        for (n, text) in ["debug", "info,noisy=off", "", &"x".repeat(LONGEST_LEVELS)].into_iter().enumerate()
        {
            ring.set_levels(text);
            assert_eq!(ring.levels(), Some((2 * (n as u64 + 1), text.to_owned())));
        }
    }

    #[test]
    fn a_text_in_the_making_is_not_read() {
        let ring = Ring::new(4096).expect("shared memory");
        ring.set_levels("debug");
        ring.word(LEVELS).store(3, Relaxed);
        assert_eq!(ring.levels(), None);
        ring.set_levels("info");
        assert_eq!(ring.levels(), Some((4, "info".to_owned())));
    }

    #[test]
    fn a_reader_at_work_sees_whole_texts_only() {
        let ring = Ring::new(4096).expect("shared memory");
        let texts = ["a".repeat(1000), "b".repeat(900)];
        let writer = {
            let (ring, texts) = (ring.clone(), texts.clone());
            std::thread::spawn(move || (0..20_000).for_each(|n| ring.set_levels(&texts[n % 2])))
        };
        while !writer.is_finished() {
            if let Some((_, text)) = ring.levels().filter(|(generation, _)| *generation > 0) {
                assert!(texts.contains(&text), "{text}");
            }
        }
        writer.join().expect("no panic");
    }
}
