//! The command lines of a torture's runs, to be run and to be shown.
//!
//! It starts nothing.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use super::Torture;
use super::trial::Trial;

impl Torture {
    /// All arguments of a run into `output`.
    fn arguments(&self, trial: &Trial, output: &Path, resume: bool) -> Vec<OsString> {
        let mut ours: Vec<OsString> =
            trial.options(self.partitions).into_iter().map(OsString::from).collect();
        ours.extend(resume.then(|| "--resume".into()));
        ours.extend(["--progress".into(), "never".into(), "--json".into(), "-o".into(), output.into()]);
        // What comes after it is no option any more.
        let end = self.args.iter().position(|arg| arg == "--").unwrap_or(self.args.len());
        let (before, after) = self.args.split_at(end);
        [before, &ours, after].concat()
    }

    /// A run into `output`.
    pub(super) fn command(&self, trial: &Trial, output: &Path, resume: bool) -> Command {
        let mut command = Command::new(&self.program);
        command.args(self.arguments(trial, output, resume));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }

    /// The same for a shell, with an output in the current folder.
    pub(super) fn line(&self, trial: &Trial, output: &str, resume: bool) -> String {
        let arguments = self.arguments(trial, Path::new(output), resume);
        let words =
            std::iter::once(self.program.as_os_str()).chain(arguments.iter().map(OsString::as_os_str));
        words.map(quoted).collect::<Vec<_>>().join(" ")
    }
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_=+./:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_before_the_end_of_options() {
        let torture = Torture::new("a job").args(["count", "--", "-x", "it's"]);
        let trial = Trial { workers: Some(3), double: true, ..Trial::default() };
        let line = torture.line(&trial, "found", true);
        let ours = "-w 3 --torture double --resume --progress never --json -o found";
        assert_eq!(line, format!(r"'a job' count {ours} -- -x 'it'\''s'"));
    }
}
