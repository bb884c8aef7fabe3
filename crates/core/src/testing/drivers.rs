//! Runs mappers and reducers as plain calls: no files, no processes.
//!
//! What they emit comes back as values.

use std::sync::{Arc, Mutex, PoisonError};

use crate::api::{Emitter, Lent, Mapper, Out, Reducer, Target, ValueStream, Values};
use crate::counters::Counters;
use crate::datum::Datum;
use crate::fold::value;
use crate::input::{Lines, Text};
use crate::key::{self, KeyRef};
use crate::output::{ByteSink, Format, PairWriter};
use crate::result::Result;
use gristmill_ipc::codec;

/// Runs a mapper over the lines of `text`, from `setup` to `cleanup`, and returns what it emitted, in order.
///
/// # Errors
/// What the mapper returns.
pub fn map_text<M: Mapper<Input = Text>>(mut mapper: M, text: &str) -> Result<Vec<(M::Key, M::Value)>> {
    drive(&mut mapper, |mapper, out| text.lines().try_for_each(|line| mapper.map(line, out)))
}

/// As [`map_text`], for a mapper over lines of bytes.
///
/// # Errors
/// What the mapper returns.
pub fn map_lines<M: Mapper<Input = Lines>>(mut mapper: M, bytes: &[u8]) -> Result<Vec<(M::Key, M::Value)>> {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let lines = body.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    drive(&mut mapper, |mapper, out| {
        if bytes.is_empty() { Ok(()) } else { lines.into_iter().try_for_each(|line| mapper.map(line, out)) }
    })
}

fn drive<M: Mapper>(
    mapper: &mut M,
    records: impl FnOnce(&mut M, &mut Emitter<'_, M::Key, M::Value>) -> Result,
) -> Result<Vec<(M::Key, M::Value)>> {
    let (mut writer, bytes) = memory_writer();
    let mut counters = Counters::default();
    let mut out = Emitter::new(Target::Direct(&mut writer), &mut counters);
    mapper.setup()?;
    records(mapper, &mut out)?;
    mapper.cleanup(&mut out)?;
    writer.finish()?;
    read_pairs(&bytes)
}

/// Runs a reducer over pairs as the framework would: grouped by key, keys in order, the values of each in the order in
/// which they are given. Returns what it emitted.
///
/// # Errors
/// What the reducer returns.
pub fn reduce<R: Reducer>(
    mut reducer: R,
    pairs: impl IntoIterator<Item = (R::Key, R::Value)>,
) -> Result<Vec<(R::OutKey, R::OutValue)>> {
    let mut groups = std::collections::BTreeMap::<Vec<u8>, Vec<Vec<u8>>>::new();
    for (key, value) in pairs {
        let mut code = Vec::new();
        value::encode_into(&value, &mut code)?;
        groups.entry(key::encode_to_vec(&key)?).or_default().push(code);
    }
    let (mut writer, bytes) = memory_writer();
    let mut counters = Counters::default();
    let mut out = Out::new(&mut writer, &mut counters);
    reducer.setup()?;
    for (key, values) in &groups {
        let mut values = Given { values: values.iter() };
        reducer.reduce(KeyRef::new(key), Values::stream(&mut values), &mut out)?;
    }
    reducer.cleanup(&mut out)?;
    writer.finish()?;
    read_pairs(&bytes)
}

struct Given<'a> {
    values: std::slice::Iter<'a, Vec<u8>>,
}

impl ValueStream for Given<'_> {
    fn next_value(&mut self) -> Result<Option<Lent<'_>>> {
        Ok(self.values.next().map(|code| Lent { code, last: false }))
    }

    fn lost(&mut self, _why: String) {
        // The caller of a driver sees what its reducer returns.
    }
}

type Shared = Arc<Mutex<Vec<u8>>>;

struct MemorySink(Shared);

impl ByteSink for MemorySink {
    fn write(&mut self, bytes: &[u8], _pairs: u64) -> Result {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(())
    }
}

fn memory_writer() -> (PairWriter, Shared) {
    let bytes = Shared::default();
    (PairWriter::new(Format::Pairs, Box::new(MemorySink(Arc::clone(&bytes)))), bytes)
}

fn read_pairs<K: Datum, V: Datum>(bytes: &Shared) -> Result<Vec<(K, V)>> {
    let bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
    let mut rest = bytes.as_slice();
    let mut pairs = Vec::new();
    while let Some((len, tail)) = rest.split_first_chunk::<4>() {
        let (pair, tail) = tail.split_at(u32::from_le_bytes(*len) as usize);
        pairs.push(codec::decode(pair)?);
        rest = tail;
    }
    Ok(pairs)
}
