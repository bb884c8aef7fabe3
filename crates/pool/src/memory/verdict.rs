//! What a process says on standard error when its memory runs out.
//!
//! It judges text alone; how the process ended is looked at elsewhere.

/// What C++, C libraries and programs say, in lower case.
const PHRASES: [&str; 5] =
    ["std::bad_alloc", "out of memory", "cannot allocate memory", "memory exhausted", "not enough memory"];

/// Whether the end of standard error speaks of memory that could not be had.
pub(crate) fn says_out_of_memory(stderr: &str) -> bool {
    let lower = stderr.to_ascii_lowercase();
    PHRASES.iter().any(|phrase| lower.contains(phrase)) || lower.lines().any(is_failed_allocation)
}

/// Whether standard error ends with Rust's announcement that it will abort.
pub(crate) fn announces_abort(stderr: &[u8]) -> bool {
    let text = stderr.trim_ascii_end();
    let line = text.rsplit(|byte| *byte == b'\n').next().unwrap_or(text);
    is_failed_allocation(&String::from_utf8_lossy(line))
}

/// Rust's own `memory allocation of 1024 bytes failed`; another text may precede it on the line.
fn is_failed_allocation(line: &str) -> bool {
    let Some((_, size)) = line.split_once("memory allocation of ") else { return false };
    size.split_once(" bytes failed").is_some_and(|(size, _)| size.parse::<u64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_several_languages_are_known() {
        for text in [
            "memory allocation of 1048576 bytes failed\n",
            "progress 17memory allocation of 5 bytes failed\nnote: run with RUST_BACKTRACE=1\n",
            "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n",
            "libfoo: Out of memory!\n",
            "Os { code: 12, kind: OutOfMemory, message: \"Cannot allocate memory\" }",
        ] {
            assert!(says_out_of_memory(text), "{text}");
        }
    }

    #[test]
    fn an_abort_is_announced_by_the_last_line() {
        assert!(announces_abort(b"one\n  3: main memory allocation of 64 bytes failed\n"));
        assert!(announces_abort(b"memory allocation of 64 bytes failed"));
        assert!(!announces_abort(b"memory allocation of 64 bytes failed\nstack backtrace:\n"));
        assert!(!announces_abort(b"") && !announces_abort(b"\n\n"));
    }

    #[test]
    fn other_texts_are_not() {
        for text in
            ["", "memory allocation of many bytes failed", "memory allocation of 5 bytes", "assertion failed"]
        {
            assert!(!says_out_of_memory(text), "{text}");
        }
    }
}
