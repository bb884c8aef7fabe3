//! Which program it is: its file's metadata, which cost nothing, and a hash of what it holds, which takes a while.
//!
//! It compares nothing.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::ProgramFile;
use crate::disk::Checksum;
use crate::input::modified;
use crate::result::{AtPath, Result};

/// The running image, wherever its file is by now.
const IMAGE: &str = "/proc/self/exe";

impl ProgramFile {
    /// The file of the running program.
    pub(crate) fn this() -> Result<Self> {
        let image = Path::new(IMAGE);
        let metadata = fs::metadata(image).at("examine", image)?;
        let path = fs::read_link(image).at("examine", image)?;
        Ok(Self { path, size: metadata.len(), modified: modified(&metadata) })
    }
}

/// XXH3-64 of the running program's file.
pub(crate) fn program_hash() -> Result<u64> {
    let image = Path::new(IMAGE);
    let mut file = File::open(image).at("open", image)?;
    let (mut hasher, mut buffer) = (Checksum::new(), vec![0; 256 << 10]);
    loop {
        match file.read(&mut buffer).at("read", image)? {
            0 => return Ok(hasher.digest()),
            read => hasher.update(&buffer[..read]),
        }
    }
}
