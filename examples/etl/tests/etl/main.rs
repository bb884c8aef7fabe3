//! The ETL pipeline as its users run it: what it prints, what is in the database, and what happens when things go wrong.
//!
//! Databases are read here with statements of the tests' own, and compared with what a plain program makes of the export.

mod errors;
mod faults;
mod loads;
mod plain;
mod servers;
mod support;
