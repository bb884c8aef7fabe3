//! Turns pairs into the bytes of a part file.
//!
//! It does not open, commit or name files: it fills a buffer and hands full ones to a [`ByteSink`].

use std::any::{Any, TypeId};
use std::fmt;

use bstr::{BStr, BString};
use gristmill_ipc::codec;
use serde::{Deserialize, Serialize};

use super::text::{Line, is_plain_image, write_field, write_parts, write_raw, write_short};
use crate::datum::Datum;
use crate::key::{AnyKey, Parts, as_text, decode_into};
use crate::result::{BoxError, Result};

/// How pairs become bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Format {
    /// `key<TAB>value` lines.
    Text,
    /// The bytes of key and value, with nothing between or behind them.
    Raw,
    /// Encoded pairs, each after its length, for results that a program reads back.
    Pairs,
}

/// Takes full buffers.
pub(crate) trait ByteSink: Send {
    /// Stores all of `bytes`, which hold `pairs` pairs.
    fn write(&mut self, bytes: &[u8], pairs: u64) -> Result;
}

/// A buffer is handed on when it holds this many bytes.
const BUFFER: usize = 512 << 10;

/// What keys of type `K` are written by way of, one after the other.
pub(crate) struct Place<K> {
    /// Their parts, if those can be written as they are encoded.
    parts: Option<Parts>,
    /// The key that was decoded last.
    key: Option<K>,
}

impl<K: 'static> Default for Place<K> {
    fn default() -> Self {
        Self { parts: Parts::of::<K>(), key: None }
    }
}

/// Writes pairs in a [`Format`].
pub(crate) struct PairWriter {
    format: Format,
    buffer: Vec<u8>,
    sink: Box<dyn ByteSink>,
    pairs: u64,
    handed_on: u64,
    /// Writes that were begun and not ended. A panic in `Serialize` that user code catches leaves one open.
    depth: u32,
    failed: Option<String>,
}

impl PairWriter {
    pub(crate) fn new(format: Format, sink: Box<dyn ByteSink>) -> Self {
        Self { format, buffer: Vec::new(), sink, pairs: 0, handed_on: 0, depth: 0, failed: None }
    }

    /// Writes one pair.
    pub(crate) fn write<K, V>(&mut self, key: &K, value: &V) -> Result
    where
        K: Serialize + ?Sized,
        V: Serialize + ?Sized,
    {
        self.depth += 1;
        let written = self.append(key, value).and_then(|()| self.hand_on(BUFFER));
        self.depth -= 1;
        written.inspect_err(|error| self.fail(error))
    }

    /// As [`PairWriter::write`], for an encoded key of type `K`, which is decoded if it has to be: into `place`.
    #[inline(always)]
    pub(crate) fn write_encoded<K: Datum, V: Datum>(
        &mut self,
        key: AnyKey<'_>,
        value: &V,
        place: &mut Place<K>,
    ) -> Result {
        if self.format == Format::Text
            && let AnyKey::Short(image) = key
        {
            let (bytes, text) = is_string::<K>();
            let written = match place.parts {
                _ if (bytes || text && image.is_ascii()) && is_plain_image(image) => {
                    self.write_short(value, |line| line.key(image))
                }
                Some(parts) => self.write_short(value, |line| line.parts(parts, image)),
                None => None,
            };
            if let Some(written) = written {
                return written;
            }
        }
        key.with_bytes(|key| self.write_decoded(key, value, place))
    }

    /// The same, by way of the key's bytes.
    #[inline(never)]
    fn write_decoded<K: Datum, V: Datum>(&mut self, key: &[u8], value: &V, place: &mut Place<K>) -> Result {
        let (bytes, text) = is_string::<K>();
        if self.format != Format::Pairs && (bytes || text) {
            if text && let Err(error) = as_text(key) {
                return Err(error.into()).inspect_err(|error| self.fail(error));
            }
            return self.write(BStr::new(key), value);
        }
        if let Some(parts) = place.parts
            && self.format == Format::Text
            && write_parts(parts, key, &mut self.buffer)
        {
            return self.write_behind_key(value);
        }
        match decode_into(key, &mut place.key).map_err(BoxError::from) {
            Ok(key) => self.write(key, value),
            Err(error) => {
                self.fail(&error);
                Err(error)
            }
        }
    }

    /// Writes a line with a short key, if `key` can write that.
    #[inline(always)]
    fn write_short<V: Datum>(
        &mut self,
        value: &V,
        key: impl FnOnce(&mut Line<'_>) -> bool,
    ) -> Option<Result> {
        let number = (value as &dyn Any).downcast_ref();
        let written = write_short(&mut self.buffer, |line| match number {
            Some(number) => key(line) && line.value(*number),
            None => key(line),
        });
        match number {
            _ if !written => None,
            Some(_) => Some(self.end_line()),
            None => Some(self.write_behind_key(value)),
        }
    }

    /// Ends a line that has its key.
    #[inline(always)]
    fn write_behind_key<V: Serialize>(&mut self, value: &V) -> Result {
        self.buffer.push(b'\t');
        self.depth += 1;
        let written = write_field(value, &mut self.buffer);
        self.depth -= 1;
        self.buffer.push(b'\n');
        written.inspect_err(|error| self.fail(error))?;
        self.end_line()
    }

    /// Counts a line that is whole.
    #[inline(always)]
    fn end_line(&mut self) -> Result {
        self.pairs += 1;
        self.hand_on(BUFFER).inspect_err(|error| self.fail(error))
    }

    #[cold]
    fn fail(&mut self, error: &BoxError) {
        self.failed.get_or_insert_with(|| error.to_string());
    }

    /// Says whether all that was written has gone well.
    pub(crate) fn check(&mut self) -> Result {
        match self.failed.take() {
            _ if self.depth > 0 => Err("a result was only half written: its encoding panicked".into()),
            Some(error) => Err(format!("a result was not written: {error}").into()),
            None => Ok(()),
        }
    }

    /// Drops what waits, in whatever state a failure has left it.
    pub(crate) fn discard(&mut self) {
        (self.depth, self.failed) = (0, None);
        self.buffer.clear();
    }

    /// Hands on what waits.
    pub(crate) fn flush(&mut self) -> Result {
        self.hand_on(1)
    }

    /// Hands on what is left and returns the number of pairs.
    pub(crate) fn finish(mut self) -> Result<u64> {
        // User code may have dropped an error; the pair is lost all the same.
        self.check()?;
        self.hand_on(1).map(|()| self.pairs)
    }

    fn append<K, V>(&mut self, key: &K, value: &V) -> Result
    where
        K: Serialize + ?Sized,
        V: Serialize + ?Sized,
    {
        match self.format {
            Format::Text => {
                write_field(key, &mut self.buffer)?;
                self.buffer.push(b'\t');
                write_field(value, &mut self.buffer)?;
                self.buffer.push(b'\n');
            }
            Format::Raw => {
                write_raw(key, &mut self.buffer)?;
                write_raw(value, &mut self.buffer)?;
            }
            Format::Pairs => {
                let start = self.buffer.len();
                self.buffer.extend_from_slice(&[0; 4]);
                codec::encode_into(key, &mut self.buffer)?;
                codec::encode_into(value, &mut self.buffer)?;
                let len = u32::try_from(self.buffer.len() - start - 4)
                    .map_err(|_| "a result is larger than 4 GiB".to_owned())?;
                self.buffer[start..start + 4].copy_from_slice(&len.to_le_bytes());
            }
        }
        self.pairs += 1;
        Ok(())
    }

    fn hand_on(&mut self, at_least: usize) -> Result {
        if self.buffer.len() >= at_least {
            self.sink.write(&self.buffer, self.pairs - self.handed_on)?;
            self.handed_on = self.pairs;
            self.buffer.clear();
        }
        Ok(())
    }
}

/// Whether keys of type `K` are byte strings, and whether they are text: the encoding of either is the string.
#[inline(always)]
fn is_string<K: 'static>() -> (bool, bool) {
    let kind = TypeId::of::<K>();
    (kind == TypeId::of::<BString>(), kind == TypeId::of::<String>())
}

impl fmt::Debug for PairWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairWriter")
            .field("format", &self.format)
            .field("pairs", &self.pairs)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
