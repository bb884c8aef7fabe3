//! Encodes a record so that it fits into a frame, cutting what is too long.
//!
//! It decides what is cut and leaves a mark; it does not decide what a frame may hold.

use crate::record::Wire;

/// Encodes `wire` into `out`, which it replaces, in at most `limit` bytes. `false` when that is not possible.
pub(crate) fn encode(wire: &Wire<'_>, limit: usize, out: &mut Vec<u8>) -> bool {
    if wire.encode(out).is_err() {
        return false;
    }
    if out.len() <= limit {
        return true;
    }
    shorten(wire, limit, out)
}

#[cold]
fn shorten(wire: &Wire<'_>, limit: usize, out: &mut Vec<u8>) -> bool {
    let clipped = clip_names(wire, limit / 16);
    let bare = Wire { message: "", ..clipped.clone() };
    if bare.encode(out).is_err() {
        return false;
    }
    // The length of the message takes up to eight bytes more than that of an empty one.
    let Some(room) = limit.checked_sub(out.len() + 8) else { return false };
    let message = cut(wire.message, room);
    Wire { message: &message, ..clipped }.encode(out).is_ok() && out.len() <= limit
}

/// Job, task, target and so on are short unless something is wrong; then they must not push out the message.
fn clip_names<'a>(wire: &Wire<'a>, most: usize) -> Wire<'a> {
    Wire {
        target: clip(wire.target, most),
        process: clip(wire.process, most),
        thread: wire.thread.map(|thread| clip(thread, most)),
        job: wire.job.map(|job| clip(job, most)),
        task: wire.task.map(|task| clip(task, most)),
        spans: wire.spans.map(|spans| clip(spans, most)),
        file: wire.file.map(|file| clip(file, most)),
        ..wire.clone()
    }
}

fn clip(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// As much of `message` as fits into `room` bytes together with a mark.
fn cut(message: &str, room: usize) -> String {
    if message.len() <= room {
        return message.to_owned();
    }
    let mark = format!(" … [truncated from {} bytes]", message.len());
    format!("{}{mark}", clip(message, room.saturating_sub(mark.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;
    use tracing::Level;

    fn shortened(record: &Record, limit: usize) -> Record {
        let mut bytes = Vec::new();
        assert!(encode(&Wire::from(record), limit, &mut bytes));
        assert!(bytes.len() <= limit);
        Wire::decode(&bytes).expect("still a record").into()
    }

    #[test]
    fn a_record_that_fits_is_left_alone() {
        let record = Record::new(Level::INFO, "t", "short");
        assert_eq!(shortened(&record, 1000), record);
    }

    #[test]
    fn a_long_message_is_cut_at_a_character_and_marked() {
        for limit in 200..220 {
            let got = shortened(&Record::new(Level::INFO, "t", "ä".repeat(500)), limit);
            assert!(got.message.ends_with("ä … [truncated from 1000 bytes]"), "{}", got.message);
        }
    }

    #[test]
    fn long_names_leave_room_for_the_message() {
        let long = "x".repeat(5000);
        let record = Record {
            process: long.clone(),
            thread: Some(long.clone()),
            job: Some(long.clone()),
            task: Some(long.clone()),
            spans: Some(long.clone()),
            file: Some(long.clone()),
            ..Record::new(Level::INFO, long, "kept")
        };
        assert_eq!(shortened(&record, 1000).message, "kept");
    }
}
