//! The borders of ranges that all workers of a job go by: whoever has them first writes them down for the others.
//!
//! Each worker could find them for itself, from a sample that depends on the input alone. But a record at which user code
//! fails may be in the sample of one and not in that of another. It does not choose borders.

use std::io;

use gristmill_ipc::codec;
use xxhash_rust::xxh3::xxh3_64;

use super::ByRange;
use crate::disk;
use crate::result::{AtPath, Result};
use crate::task::TaskEnv;

/// Bytes of the checksum in front.
const HEAD: usize = 8;

/// The ranges that were written down; if there are none yet, those that `find` returns.
pub(crate) fn agreed(env: &TaskEnv, find: impl FnOnce() -> Result<ByRange>) -> Result<ByRange> {
    if let Some(found) = read(env)? {
        return Ok(found);
    }
    let found = find()?;
    let encoded = codec::encode(found.splitters())?;
    let temporary = env.runs.join(format!("{}-borders.tmp", env.run_prefix));
    let file = disk::create(&temporary).at("create", &temporary)?;
    disk::write_all(&file, &xxh3_64(&encoded).to_le_bytes()).at("write", &temporary)?;
    disk::write_all(&file, &encoded).at("write", &temporary)?;
    if env.durable {
        disk::sync(&file).at("sync", &temporary)?;
    }
    match disk::rename_new(&temporary, &env.borders) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            disk::remove_file(&temporary).at("remove", &temporary)?;
        }
        renamed => renamed.at("name the borders", &env.borders)?,
    }
    if env.durable {
        disk::sync_parent(&env.borders)?;
    }
    read(env)?.ok_or_else(|| format!("the borders {} are gone", env.borders.display()).into())
}

fn read(env: &TaskEnv) -> Result<Option<ByRange>> {
    let path = &env.borders;
    let bytes = match disk::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.at("read the borders", path)?,
    };
    match bytes.split_first_chunk::<HEAD>() {
        Some((head, encoded)) if u64::from_le_bytes(*head) == xxh3_64(encoded) => {
            Ok(Some(ByRange::between(codec::decode(encoded)?)))
        }
        _ => Err(format!("the borders {} are damaged: --restart starts afresh", path.display()).into()),
    }
}
