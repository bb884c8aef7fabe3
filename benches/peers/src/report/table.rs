//! The table as Markdown, losses included.

use std::fmt::Write;

use super::{Report, Section, seconds};
use crate::figures::{Figures, Outcome, Row, median};

/// The whole file; `plot` is the name of the picture beside it.
pub(super) fn table(report: &Report, plot: &str) -> String {
    let machine = &report.machine;
    let mut text = format!(
        "# Gristmill and its peers, {date}\n\n\
         - Machine: {cpu}, {cores} cores, {memory} MiB of memory, Linux {kernel}\n\
         - Gristmill: {commit}\n",
        date = report.date,
        cpu = machine.processor,
        cores = machine.cores,
        memory = machine.memory_mib,
        kernel = machine.kernel,
        commit = report.commit,
    );
    if !report.versions.is_empty() {
        lines(&mut text, &format!("- Opponents: {}", report.versions.join(", ")));
    }
    lines(&mut text, &format!("- Data: scale {} of the full sizes", report.scale));
    lines(&mut text, &method(report));
    lines(&mut text, &format!("\n![Wall times]({plot})"));
    for part in &report.sections {
        lines(&mut text, &format!("\n{}", section(part).trim_end()));
    }
    text
}

fn method(report: &Report) -> String {
    format!(
        "- Method: {workers} workers or threads each; one run that does not count, its output compared with that of a \
         plain program, then {runs} timed {times}, each right after a run of the first program in the table. Wall time \
         of the whole process, start to exit; files in the page cache. *Times* is the median of the ratios, pair by \
         pair; what is below 1 is faster than the first program, and bold. Memory is the peak of the proportional set \
         sizes of all processes together, sampled every 20 ms in the run that does not count; memory files that no \
         process maps are not seen.{touched}",
        workers = report.workers,
        runs = report.runs,
        times = if report.runs == 1 { "run" } else { "runs" },
        touched = touched(report.touch),
    )
}

fn touched(mib: u32) -> String {
    if mib == 0 {
        return String::new();
    }
    format!(
        " Right before each timed run {mib} MiB of memory are touched and given back, so that no program pays for pages \
         that the machine's host had taken."
    )
}

/// The heading and the table of one workload.
pub(crate) fn section(section: &Section) -> String {
    let mut text = format!(
        "## {}\n\nInput: {}\n\n| program | seconds | least – most | times | peak MiB |\n|---|---:|---:|---:|---:|\n",
        section.workload.title(),
        section.input,
    );
    section.rows.iter().for_each(|row| lines(&mut text, &line(row)));
    text
}

fn line(row: &Row) -> String {
    let name = if row.ours { format!("`{}`", row.name) } else { row.name.clone() };
    match (&row.outcome, row.outcome.words()) {
        (Outcome::Measured(figures), _) => format!("| {name} | {} |", cells(figures).join(" | ")),
        (_, said) => format!("| {name} | {} | | | |", cell(&said.unwrap_or_default())),
    }
}

fn cells(figures: &Figures) -> [String; 4] {
    let (least, most) = figures
        .walls
        .iter()
        .fold((f64::MAX, 0.0_f64), |(least, most), &wall| (least.min(wall), most.max(wall)));
    let times = match median(&figures.ratios) {
        None => "1".to_owned(),
        Some(ratio) if ratio < 1.0 => format!("**{ratio:.2}**"),
        Some(ratio) if ratio < 10.0 => format!("{ratio:.2}"),
        Some(ratio) => format!("{ratio:.1}"),
    };
    let wall = median(&figures.walls).unwrap_or_default();
    [seconds(wall), format!("{} – {}", seconds(least), seconds(most)), times, memory(figures.peak_kib)]
}

/// In MiB; what ended before the first look was not seen.
fn memory(kibibytes: u64) -> String {
    if kibibytes == 0 { "not seen".to_owned() } else { kibibytes.div_ceil(1024).to_string() }
}

/// Text that cannot end a cell or a line early.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

fn lines(text: &mut String, more: &str) {
    writeln!(text, "{more}").expect("a string takes all that is written");
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;
    use super::*;

    #[test]
    fn every_row_has_five_cells() {
        let text = table(&example(), "x.svg");
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(rows.len(), 2 + example().sections[0].rows.len());
        for row in rows {
            assert_eq!(row.replace("\\|", "").matches('|').count(), 6, "{row}");
        }
    }

    #[test]
    fn wins_and_losses_and_absences_are_told() {
        let text = table(&example(), "x.svg");
        for line in [
            "| `ours & <sons>` | 1.10 | 1.00 – 1.20 | 1 | 2 |",
            "| slower | 13.0 | 12.0 – 14.0 | 11.0 | 2 |",
            "| faster | 0.500 | 0.500 – 0.500 | **0.50** | 2 |",
            "| slowest | over 600 s | | | |",
            "| broken | failed: exit status 1: a \\| b | | | |",
            "| absent | skipped: it is not here | | | |",
            "![Wall times](x.svg)",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
