//! The reduce task of a map-only job: puts the mappers' finished output together in the order of the splits.
//!
//! It looks at no pair.

use super::Shuffle;
use crate::disk::Checksum;
use crate::flight::Flight;
use crate::output::part::PartFile;
use crate::result::Result;
use crate::run::{Kind, RunFile, Segment};
use crate::task::Stopped;

const BUFFER: usize = 256 << 10;

/// Appends the output of all map tasks of `partition` to `part`; returns how many results it holds.
pub(crate) fn concatenate(
    shuffle: &Shuffle,
    partition: u32,
    flight: &Flight,
    part: &mut PartFile,
) -> Result<u64> {
    let mut segments = shuffle.segments(partition, 0, Kind::Output).to_vec();
    segments.sort_by_key(|(run, i)| {
        let label = run.index.segments[*i].label;
        (label.task, label.spill)
    });
    let mut buffer = vec![0; BUFFER];
    let mut records = 0;
    for (run, i) in &segments {
        let segment = &run.index.segments[*i];
        copy(run, segment, flight, &mut buffer, part)?;
        records += segment.count;
    }
    Ok(records)
}

fn copy(run: &RunFile, segment: &Segment, flight: &Flight, buffer: &mut [u8], part: &mut PartFile) -> Result {
    let mut hasher = Checksum::new();
    let mut done = 0;
    while done < segment.len {
        if flight.stop_requested() {
            return Err(Stopped.into());
        }
        let len = buffer.len().min(usize::try_from(segment.len - done).unwrap_or(usize::MAX));
        run.read(&mut buffer[..len], segment.offset + done)?;
        hasher.update(&buffer[..len]);
        part.write(&buffer[..len])?;
        done += len as u64;
        flight.beat();
    }
    if hasher.digest() != segment.checksum {
        return Err(crate::run::damaged(&run.path, "the checksum of a segment is wrong"));
    }
    Ok(())
}
