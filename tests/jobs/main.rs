//! The jobs that the integration tests run: one for each thing that the public API can express.
//!
//! It checks nothing; what a job should have done is known to the tests.

use std::process::ExitCode;

use gristmill::{App, NoArgs};

mod counting;
mod fickle;
mod items;
mod meddling;
mod ordered;
mod parallel;
mod shapes;
mod talking;

fn main() -> ExitCode {
    let app = parallel::register(talking::register(meddling::register(shapes::register(ordered::register(
        counting::register(App::new().about("Jobs for tests")),
    )))))
    .job("fickle", fickle::build)
    .internal_job("pairs-of-items", |_: NoArgs| items::job());
    match std::env::args().nth(1).as_deref() {
        Some(items::COMMAND) => items::main(&app.enter()),
        _ => app.main(),
    }
}
