//! Reads back results that were written as encoded pairs.
//!
//! It does not know which job wrote them: the caller has checked the types.

use std::fs::File;
use std::io::{BufReader, Read};
use std::marker::PhantomData;
use std::path::PathBuf;

use gristmill_ipc::codec;

use crate::datum::Datum;
use crate::error::Error;
use crate::result::{AtPath, Result};

/// The results of a job, one pair at a time: partition by partition, in the order of each.
#[derive(Debug)]
pub struct Pairs<K, V> {
    parts: std::vec::IntoIter<PathBuf>,
    current: Option<(PathBuf, BufReader<File>)>,
    bytes: Vec<u8>,
    types: PhantomData<fn() -> (K, V)>,
}

impl<K: Datum, V: Datum> Pairs<K, V> {
    pub(crate) fn new(parts: Vec<PathBuf>) -> Self {
        Self { parts: parts.into_iter(), current: None, bytes: Vec::new(), types: PhantomData }
    }

    fn read(&mut self) -> Result<Option<(K, V)>> {
        loop {
            if let Some((path, reader)) = &mut self.current {
                let mut len = [0; 4];
                if reader.read(&mut len[..1]).at("read", path)? == 1 {
                    reader.read_exact(&mut len[1..]).at("read", path)?;
                    self.bytes.resize(u32::from_le_bytes(len) as usize, 0);
                    reader.read_exact(&mut self.bytes).at("read", path)?;
                    return Ok(Some(codec::decode(&self.bytes)?));
                }
            }
            let Some(path) = self.parts.next() else { return Ok(None) };
            let file = File::open(&path).at("open", &path)?;
            self.current = Some((path, BufReader::with_capacity(256 << 10, file)));
        }
    }
}

impl<K: Datum, V: Datum> Iterator for Pairs<K, V> {
    type Item = Result<(K, V), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().map_err(Error::from).transpose()
    }
}
