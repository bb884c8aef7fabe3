//! The hidden option `--torture`: what a run is to suffer, as a command line says it.
//!
//! It makes nobody suffer.

use super::sizes::size;
use crate::hardships::{Hardships, LEAST_FAN_IN, LEAST_MEMORY};

/// Keys with commas between them: `no-combine`, `double`, `memory=SIZE`, `fan-in=N`.
pub(super) fn hardships(text: &str) -> Result<Hardships, String> {
    text.split(',').try_fold(Hardships::default(), |hardships, key| add(hardships, key.trim()))
}

fn add(hardships: Hardships, key: &str) -> Result<Hardships, String> {
    match key.split_once('=') {
        None if key == "no-combine" => Ok(Hardships { no_combine: true, ..hardships }),
        None if key == "double" => Ok(Hardships { double: true, ..hardships }),
        Some(("memory", bytes)) => Ok(Hardships { memory: Some(memory(bytes)?), ..hardships }),
        Some(("fan-in", most)) => Ok(Hardships { fan_in: Some(fan_in(most)?), ..hardships }),
        _ => Err(format!("{key:?} is none of no-combine, double, memory=SIZE, fan-in=N")),
    }
}

fn memory(text: &str) -> Result<u64, String> {
    match size(text)? {
        bytes if bytes < LEAST_MEMORY => Err(format!("memory={text}: must be at least {LEAST_MEMORY} bytes")),
        bytes => Ok(bytes),
    }
}

fn fan_in(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(most) if most >= LEAST_FAN_IN => Ok(most),
        _ => Err(format!("fan-in={text}: must be a number, at least {LEAST_FAN_IN}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_add_up() {
        let both = hardships("no-combine, memory=64K,fan-in=3").expect("three keys");
        let (memory, fan_in) = (Some(64 << 10), Some(3));
        assert_eq!(both, Hardships { no_combine: true, double: false, memory, fan_in });
        assert_eq!((both.memory(1 << 20), both.fan_in(64), both.fan_in(2)), (64 << 10, 3, 2));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "double,", "doubled", "no-combine=1", "memory=1K", "memory", "fan-in=1", "fan-in=x"]
        {
            assert!(hardships(text).is_err(), "{text:?}");
        }
        assert!(hardships("duble").expect_err("no key").contains("double, memory=SIZE"));
    }
}
