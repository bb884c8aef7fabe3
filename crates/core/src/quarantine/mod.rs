//! What was set aside: records and groups that user code fails at, with all that is known of how it failed.
//!
//! ```text
//! OUTPUT.quarantine/map-FILE-OFFSET.record         the record's bytes as they stand in the input
//!                   map-FILE-OFFSET.json           its certificate
//!                   reduce-PARTITION-ORDINAL.run   the group's rows, as a run file
//!                   reduce-PARTITION-ORDINAL.json  its certificate
//! ```
//!
//! FILE is the ordinal of the input, ORDINAL that of the group in its partition. The folder is filled inside the work
//! folder while the job runs, and gets its name just before the output does. Nothing here decides what is set aside; the
//! scheduler does.

mod certificate;
mod folder;
mod keeper;
mod replay;

pub(crate) use certificate::Certificate;
pub(crate) use folder::QuarantineFolder;
pub(crate) use keeper::Keeper;
pub(crate) use replay::{Stored, replay};
