//! Puts into words what this process's threads and descendants are doing.
//!
//! It reads `/proc` and stops nothing, so the picture may be blurred.

use std::fs;
use std::path::{Path, PathBuf};

use crate::process_tree::ProcessTree;
use crate::procfs;

/// All threads and all descendants, with what each of them waits for.
pub(super) fn state() -> String {
    let own = std::process::id();
    let mut report = format!("threads of pid {own}:\n");
    for task in tasks() {
        report.push_str(&thread(&task));
    }
    report.push_str("descendants:\n");
    for process in ProcessTree::descendants_of(own).processes() {
        report.push_str(&format!("  {process}\n"));
        report.push_str(&status(process.pid));
    }
    report
}

fn tasks() -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc/self/task").into_iter().flatten();
    let mut tasks: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    tasks.sort();
    tasks
}

fn thread(task: &Path) -> String {
    let id = task.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let field = |name: &str| procfs::text(&task.join(name));
    // Only root may read the kernel's stack; without it there is still the place where the thread waits.
    let stack = field("stack").replace('\n', "\n      ");
    format!(
        "  {id} {}: waits in {}, system call {}\n      {stack}\n",
        field("comm"),
        field("wchan"),
        field("syscall")
    )
}

fn status(pid: u32) -> String {
    let wanted = ["State:", "Threads:", "VmRSS:", "SigBlk:", "SigIgn:"];
    let status = procfs::text(Path::new(&format!("/proc/{pid}/status")));
    let lines = status.lines().filter(|line| wanted.iter().any(|name| line.starts_with(name)));
    let mut report: String = lines.map(|line| format!("      {}\n", line.replace('\t', " "))).collect();
    let waits = procfs::text(Path::new(&format!("/proc/{pid}/wchan")));
    report.push_str(&format!("      waits in {waits}\n"));
    report
}
