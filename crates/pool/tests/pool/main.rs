//! Real worker processes that fail in every way, and a pool that must always tell the truth and clean up.
//!
//! Cutting lines, cancel levels and the like are tested beside their code.

mod faults;
mod floods;
mod memory;
mod orphans;
mod restarts;
mod shortages;
mod shutdown;
mod stopped;
mod support;
