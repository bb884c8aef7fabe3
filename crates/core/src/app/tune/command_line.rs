//! The command line that was typed, with the settings found in the place of `--tune`.
//!
//! It does not know which settings are good.

use super::measured::Setting;
use super::words::option_size;

/// Options that only make sense together with `--tune`, and whether a value follows.
const OURS: [(&str, bool); 5] = [
    ("--tune", false),
    ("--tune-time", true),
    ("--tune-plot", true),
    ("--json", false),
    ("--overwrite", false),
];

/// `arguments` with the program first, to be typed into a shell. `found` holds only what differs from `arguments`.
pub(super) fn with_settings(arguments: impl IntoIterator<Item = String>, found: &Setting) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            words.push(argument);
            break;
        }
        let name = argument.split_once('=').map_or(argument.as_str(), |(name, _)| name);
        match OURS.iter().find(|(ours, _)| *ours == name) {
            None => words.push(quoted(&argument)),
            Some(("--tune", _)) => words.extend(options(found)),
            Some((_, true)) if name == argument => drop(arguments.next()),
            Some(_) => {}
        }
    }
    words.extend(arguments.map(|argument| quoted(&argument)));
    words.join(" ")
}

fn options(found: &Setting) -> Vec<String> {
    let chunk = found.chunk.map(|chunk| format!("--chunk-size {}", option_size(chunk)));
    let workers = found.workers.map(|workers| format!("--workers {workers}"));
    let partitions = found.partitions.map(|partitions| format!("--partitions {partitions}"));
    [chunk, workers, partitions].into_iter().flatten().collect()
}

fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &[&str], found: &Setting) -> String {
        with_settings(line.iter().map(|&word| word.to_owned()), found)
    }

    #[test]
    fn what_was_found_takes_the_place_of_the_option() {
        let found = Setting { chunk: Some(4 << 20), workers: None, partitions: Some(16) };
        let line =
            ["./wc", "words", "--tune-time", "3s", "--tune", "--tune-plot=a.svg", "--json", "-w", "2", "in"];
        assert_eq!(typed(&line, &found), "./wc words --chunk-size 4MiB --partitions 16 -w 2 in");
        assert_eq!(typed(&line, &Setting::default()), "./wc words -w 2 in");
    }

    #[test]
    fn a_shell_reads_what_was_typed() {
        let line = ["wc", "--tune", "my file", "it's", "*.txt", "--", "--tune"];
        assert_eq!(typed(&line, &Setting::default()), r"wc 'my file' 'it'\''s' '*.txt' -- --tune");
    }
}
