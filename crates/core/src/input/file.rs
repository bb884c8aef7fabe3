//! One input file as the plan fixes it: path, size and modification time.
//!
//! It is a plain value that travels to workers; opening and reading are the business of `source`.

use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// An input file, fixed before the first task starts. Its ordinal is its index in the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InputFile {
    /// Where to open it: as the user gave it, so a relative path stays relative.
    #[serde(with = "path_bytes")]
    pub(crate) path: PathBuf,
    /// Size in bytes.
    pub(crate) size: u64,
    /// Modification time: seconds since the epoch and nanoseconds.
    pub(crate) modified: (i64, u32),
    /// What the user knows it as.
    pub(crate) origin: Origin,
}

/// What an input file was before it became a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// A file of the user.
    File,
    /// Standard input, spooled into the scratch folder.
    Stdin,
    /// In-memory items, spooled into the scratch folder.
    Items,
}

impl InputFile {
    /// The file at `path` as its metadata describes it now.
    pub(crate) fn new(path: PathBuf, metadata: &Metadata, origin: Origin) -> Self {
        InputFile { path, size: metadata.len(), modified: modified(metadata), origin }
    }

    /// The path, unless the file is a spooled copy that the user has never heard of.
    pub(crate) fn user_path(&self) -> Option<&Path> {
        (self.origin == Origin::File).then_some(self.path.as_path())
    }
}

/// The name for messages: the path, or what was spooled.
impl fmt::Display for InputFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin {
            Origin::File => self.path.display().fmt(f),
            Origin::Stdin => f.write_str("standard input"),
            Origin::Items => f.write_str("in-memory items"),
        }
    }
}

/// The modification time as the plan keeps it.
pub(crate) fn modified(metadata: &Metadata) -> (i64, u32) {
    let nanos = u32::try_from(metadata.mtime_nsec()).expect("the kernel keeps nanoseconds below a second");
    (metadata.mtime(), nanos)
}

/// Serialises a path as its bytes: a path need not be UTF-8.
pub(crate) mod path_bytes {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serializer};
    use serde_bytes::ByteBuf;

    pub(crate) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(path.as_os_str().as_bytes())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        let bytes = ByteBuf::deserialize(deserializer)?.into_vec();
        Ok(OsString::from_vec(bytes).into())
    }
}
