//! Shortens a backtrace to what user code did: neither the panic's own machinery nor the framework's is of interest.
//!
//! It works on the printed form, the only one that the standard library offers.

use std::backtrace::Backtrace;

/// The present stack, from the panic out to where the framework called user code; all of it with
/// `RUST_BACKTRACE=full`, or when no such part can be found.
pub(super) fn capture() -> String {
    let text = Backtrace::force_capture().to_string();
    if std::env::var_os("RUST_BACKTRACE").is_some_and(|wanted| wanted == "full") {
        return text;
    }
    let short = shorten(&text);
    if short.is_empty() { text } else { short }
}

fn shorten(text: &str) -> String {
    let frames = frames(text);
    let is_panic =
        |frame: &String| ["rust_begin_unwind", "core::panicking::"].iter().any(|part| frame.contains(part));
    let is_framework = |frame: &String| {
        ["gristmill::map::", "gristmill::reduce::", "gristmill::runner::"]
            .iter()
            .any(|part| frame.contains(part))
    };
    let begin = frames.iter().rposition(is_panic).map_or(0, |last| last + 1);
    let own = frames[begin..].iter().take_while(|frame| !is_framework(frame));
    own.map(String::as_str).collect()
}

/// The frames, each with the line that says where it is.
fn frames(text: &str) -> Vec<String> {
    let mut frames: Vec<String> = Vec::new();
    for line in text.lines() {
        let starts = line.trim_start().split_once(": ").is_some_and(|(n, _)| n.parse::<u32>().is_ok());
        match frames.last_mut() {
            Some(frame) if !starts => {
                frame.push_str(line);
                frame.push('\n');
            }
            _ => frames.push(format!("{line}\n")),
        }
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_users_frames_are_left() {
        let text = "   0: std::backtrace::Backtrace::force_capture\n\
             \x20  1: rust_begin_unwind\n             at library/std/src/panicking.rs:1:2\n\
             \x20  2: core::panicking::panic_fmt\n             at library/core/src/panicking.rs:3:4\n\
             \x20  3: job::parse\n             at src/main.rs:5:6\n\
             \x20  4: <job::Words as gristmill::api::mapper::Mapper>::map\n             at src/main.rs:7:8\n\
             \x20  5: gristmill::map::task::run\n             at task.rs:9:9\n\
             \x20  6: main\n";
        let wanted = "   3: job::parse\n             at src/main.rs:5:6\n   4: <job::Words as \
             gristmill::api::mapper::Mapper>::map\n             at src/main.rs:7:8\n";
        assert_eq!(shorten(text), wanted);
    }

    #[test]
    fn what_is_not_understood_is_left_whole() {
        assert_eq!(shorten("   0: gristmill::runner::x\n"), "");
        assert!(!capture().is_empty());
    }
}
