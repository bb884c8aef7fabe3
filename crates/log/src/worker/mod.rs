//! The worker's side: from an event of the program to a record on the queue.
//!
//! `gate` filters, `layer` with `fields` and `spans` formats, `producer` enqueues; `install` puts it all in place.
//! Nothing here opens a file or knows what becomes of a record.

mod endpoint;
mod fields;
mod gate;
mod install;
mod layer;
mod offer;
mod patience;
mod producer;
mod spans;

pub use endpoint::{AttachError, Endpoint};
pub use fields::{Chain, chain};
pub(crate) use install::install_producer;
pub use install::{InstallError, install};
pub use offer::{Offer, OfferError, receive};
pub use patience::Patience;
pub(crate) use patience::Wait;
pub use producer::Producer;
