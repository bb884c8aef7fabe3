//! A journal gives back what was put in, as far as it is whole.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::collect::Committed;
use crate::counters::Counters;
use crate::output::Format;
use crate::reduce::Reduced;

fn job() -> JobEntry {
    JobEntry {
        job: "count".to_owned(),
        params: vec![1, 2, 3],
        command: vec!["count".to_owned(), "in".to_owned()],
        partitions: 4,
        format: Format::Text,
        program: ProgramFile { path: PathBuf::from("/bin/count"), size: 10, modified: (1, 2) },
        plan: 7,
    }
}

fn mapped(run: Option<&str>, tasks: &[u32]) -> Entry {
    Entry::Mapped(Committed {
        run: run.map(str::to_owned),
        tasks: tasks.iter().map(|&task| (task, 1)).collect(),
        counters: Counters::default(),
        partitions: vec![(0, 5)],
    })
}

fn reduced(task: u32) -> Entry {
    let part = Reduced { records: 1, bytes: 2, checksum: 3 };
    Entry::Reduced { task, part, counters: Counters::default() }
}

const PUBLICATION: Publication =
    Publication { folder: (1, 2), input: InputFigures { files: 3, bytes: 4, map_tasks: 5 } };

fn write(path: &std::path::Path) -> Vec<u64> {
    let mut journal = Journal::create(path, job(), false).expect("a journal");
    let mut ends = vec![fs::metadata(path).expect("it is there").len()];
    let entries = [
        mapped(Some("a"), &[0, 1]),
        mapped(None, &[2]),
        mapped(Some("b"), &[3]),
        Entry::LostRun("a".to_owned()),
    ];
    for entry in entries.into_iter().chain([reduced(1), Entry::Publishing(PUBLICATION)]) {
        journal.append(&entry).expect("it can be written");
        ends.push(fs::metadata(path).expect("it is there").len());
    }
    ends
}

#[test]
fn what_is_appended_is_read_and_what_is_lost_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let ends = write(&path);
    let past = read(&path).expect("it can be read").expect("it is whole");
    assert_eq!(past.job, job());
    assert_eq!(past.runs.keys().collect::<Vec<_>>(), ["b"]);
    assert_eq!((past.mapped(), past.parts.len(), past.publishing), (2, 1, Some(PUBLICATION)));
    assert_eq!((past.len, past.cut), (*ends.last().expect("some"), 0));
    Journal::go_on(&path, past.len, false).expect("it goes on").append(&reduced(2)).expect("one more");
    assert_eq!(read(&path).expect("it can be read").expect("it is whole").parts.len(), 2);
}

#[test]
fn a_journal_that_was_cut_anywhere_is_believed_up_to_its_last_whole_entry() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let ends = write(&path);
    let whole = fs::read(&path).expect("it is there");
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).expect("it can be written");
        let expected = ends.iter().rev().find(|&&end| end <= len as u64);
        let past = read(&path).expect("it can be read");
        assert_eq!(past.as_ref().map(|past| past.len), expected.copied(), "cut at {len}");
        if let Some(past) = past {
            assert_eq!(past.len + past.cut, len as u64);
            Journal::go_on(&path, past.len, false)
                .expect("it goes on")
                .append(&reduced(3))
                .expect("one more");
            let more = read(&path).expect("it can be read").expect("it is whole");
            assert!(more.parts.contains_key(&3) && more.cut == 0, "cut at {len}");
        }
    }
}

#[test]
fn no_changed_byte_goes_unnoticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let ends = write(&path);
    let whole = fs::read(&path).expect("it is there");
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x20;
        fs::write(&path, &changed).expect("it can be written");
        let expected = ends.iter().rev().find(|&&end| end <= at as u64);
        let past = read(&path).expect("it can be read");
        assert_eq!(past.map(|past| past.len), expected.copied(), "changed at {at}");
    }
}
