//! The coordinator: one run of one job, from checked options to published output.
//!
//! ```text
//! options ─► inputs ─► plan ─► work folder ─► executor + scheduler ─► output folder | collected results
//! ```
//!
//! It decides nothing about tasks (the scheduler does) and installs no handlers (the application does).

mod aside;
mod finished;
mod input_list;
mod memory;
mod output_folder;
mod planning;
mod results;
mod resume;
mod run;

pub use finished::{Finished, Summary};
pub use results::Pairs;
pub(crate) use run::{Launch, refuse_in_worker, run};
