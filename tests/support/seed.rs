//! The seed of a test's random choices: `GRISTMILL_TEST_SEED` repeats them.
//!
//! It makes no choice.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// The seed of this run of the tests; it is printed, so that a failure tells it.
pub fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    let seed = *SEED.get_or_init(|| {
        let given = std::env::var("GRISTMILL_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        given.unwrap_or_else(|| {
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_nanos() as u64)
        })
    });
    println!("GRISTMILL_TEST_SEED={seed}");
    seed
}
