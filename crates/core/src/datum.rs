//! What keys and values are: anything that serde can write and read.
//!
//! How they are written is decided in `key` and in the value codec.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What may travel between processes as a key or value: any owned serde type.
pub trait Datum: Serialize + DeserializeOwned + Send + 'static {}

impl<T: Serialize + DeserializeOwned + Send + 'static> Datum for T {}
