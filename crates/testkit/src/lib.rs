//! What the tests share: a plain reference to compare with, and checks that nothing is left behind or hangs.
//!
//! It depends on none of the crates under test, so a mistake there cannot hide here. It panics with an explanation
//! where a test should fail; it is a dev-dependency and nothing else.
//!
//! | module | answers |
//! |---|---|
//! | [`mod@reference`] | what should the result have been? |
//! | [`text`] | where do reproducible inputs come from? |
//! | [`command`] | how does a program behave when it is run, signalled and timed? |
//! | [`leaks`] | did the test leave children, descriptors or files behind? |
//! | [`process_tree`] | which processes descend from this one, and when are they gone? |
//! | [`watchdog`] | where does a test hang? |

#[cfg(not(target_os = "linux"))]
compile_error!("the test kit reads /proc: it needs Linux");

pub mod command;
pub mod leaks;
mod poll;
pub mod process_tree;
mod procfs;
pub mod reference;
pub mod text;
pub mod watchdog;
