//! What keys and values are: anything that serde can write and read.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What may travel between processes as a key or value: any owned serde type.
pub trait Datum: Serialize + DeserializeOwned + Send + 'static {}

impl<T: Serialize + DeserializeOwned + Send + 'static> Datum for T {}
