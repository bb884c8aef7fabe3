//! The program `etl`; all of it is in the library.
//!
//! That is because the tests have a program of their own, in which workers die at chosen steps.

use std::process::ExitCode;

fn main() -> ExitCode {
    gristmill_etl::main(|_| {})
}
