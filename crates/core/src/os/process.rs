//! What the system tells of another process.
//!
//! It does nothing to it.

use std::fs;
use std::io;

use rustix::io::Errno;

/// A process at one moment. Its number alone may be another process's by now; with its start it is unmistakable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) parent: u32,
    /// When it was started, in clock ticks since the machine was.
    pub(crate) started: u64,
}

/// The process of this number; `None` if it is dead, collected or not.
pub(crate) fn living_process(pid: u32) -> io::Result<Option<Process>> {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => Ok(parse(&stat)),
        // The second one tells of a process that ends while it is looked at.
        Err(error)
            if error.kind() == io::ErrorKind::NotFound
                || error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn parse(stat: &str) -> Option<Process> {
    // The name of the program, in brackets, may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    Some(Process { parent: fields.next()?.parse().ok()?, started: fields.nth(17)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn the_dead_are_not_there() {
        let own = std::process::id();
        let this = living_process(own).expect("/proc is there").expect("it is alive");
        assert_eq!(this.parent, std::os::unix::process::parent_id());
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("a child");
        let found = living_process(child.id()).expect("/proc is there").expect("it is alive");
        assert!(found.parent == own && found.started >= this.started && this.started > 0);
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        assert_eq!(living_process(child.id()).expect("/proc is there"), None);
    }

    #[test]
    fn a_name_may_hold_anything() {
        let zeros = "0 ".repeat(17);
        assert_eq!(parse(&format!("7 (a) Z 1 ) S 5 {zeros}9 0")), Some(Process { parent: 5, started: 9 }));
        assert_eq!(parse(&format!("7 (cat) Z 5 {zeros}9 0")), None);
    }
}
