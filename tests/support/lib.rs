//! Helpers shared by the integration tests.

pub mod boom;
pub mod case;
pub mod expected;
pub mod faulty;
pub mod pairs;
pub mod quarantined;
pub mod seed;
pub mod spilled;
pub mod wait;
