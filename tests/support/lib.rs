//! Helpers shared by the integration tests.

pub mod boom;
pub mod case;
pub mod expected;
pub mod pairs;
pub mod spilled;
pub mod wait;
