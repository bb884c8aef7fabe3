//! A sample of the keys that a job will emit, for a partitioner by range.
//!
//! Every worker takes it for itself: it depends on the input files alone, so all come to the same. It does not choose
//! ranges.

use super::attempt::{Feed, read};
use super::careful::Careful;
use crate::api::{Emitter, Mapper, Target};
use crate::collect::KeySample;
use crate::counters::Counters;
use crate::input::{Buffers, Cut, Input, Piece};
use crate::result::Result;
use crate::task::{Care, TaskEnv};

/// Places that are sampled, evenly spread over all bytes.
const PLACES: u64 = 128;
/// Bytes of input that are looked at in each place.
const PLACE_BYTES: u64 = 16 << 10;

/// The encoded keys that `mapper` emits for a sample of the records, in no particular order.
pub(crate) fn sample_keys<M: Mapper>(
    env: &TaskEnv,
    input: &M::Input,
    original: &M,
    care: &Care,
) -> Result<Vec<Vec<u8>>> {
    let (mut sample, mut counters, mut buffers) =
        (KeySample::default(), Counters::default(), Buffers::default());
    let mut mapper = original.clone();
    let out = Emitter::new(Target::Sample(&mut sample), &mut counters);
    let mut feed = Feed { mapper: &mut mapper, out, env, blocks: false };
    let pieces = places(env, input.cut()).into_iter();
    if care.is_careful() {
        let mut feed = Careful::new(feed, original, care);
        read(env, input, pieces, &mut buffers, &mut feed)?;
        feed.end()?;
    } else {
        read(env, input, pieces, &mut buffers, &mut feed)?;
    }
    Ok(sample.into_keys())
}

/// Where to look: at [`PLACES`] places, or in as many whole files where files cannot be cut.
fn places(env: &TaskEnv, cut: Cut) -> Vec<Piece> {
    let files = &env.plan.files;
    let multiple = match cut {
        Cut::Anywhere => 1,
        Cut::Multiple(len) => len.max(1),
        Cut::Never => {
            let step = files.len().div_ceil(PLACES as usize).max(1);
            let whole = |(file, size): (u32, u64)| Piece { file, offset: 0, len: size };
            return (0..).zip(files.iter().map(|file| file.size)).step_by(step).map(whole).collect();
        }
    };
    let total: u64 = files.iter().map(|file| file.size).sum();
    let mut pieces = Vec::new();
    let (mut file, mut begin) = (0, 0);
    for place in 0..PLACES {
        let at = (u128::from(total) * u128::from(place) / u128::from(PLACES)) as u64;
        while files.get(file).is_some_and(|found| begin + found.size <= at) {
            begin += files[file].size;
            file += 1;
        }
        let Some(found) = files.get(file) else { break };
        let offset = (at - begin) / multiple * multiple;
        let len = PLACE_BYTES.next_multiple_of(multiple).min(found.size - offset);
        let piece = Piece { file: file as u32, offset, len };
        if pieces
            .last()
            .is_none_or(|last: &Piece| (last.file, last.offset + last.len) <= (piece.file, offset))
        {
            pieces.push(piece);
        } else if let Some(last) = pieces.last_mut() {
            // A small input is read once, not place by place.
            last.len = last.len.max(offset + len - last.offset);
        }
    }
    pieces
}
