//! A worker process from its first order to its last.
//!
//! It carries orders to the task runner and notes back; what they mean is not its business.

use std::sync::Arc;

use gristmill_ipc::codec;
use gristmill_pool::WorkerLink;

use super::setup::{Setup, read_plan};
use crate::disk::{self, Role};
use crate::flight::Flight;
use crate::job::Stages;
use crate::os;
use crate::reduce::SharedShuffle;
use crate::result::{BoxError, Result};
use crate::runner::{Note, TaskRunner, note_panics};
use crate::task::Order;

/// Runs a worker until its parent has no more orders; the process ends with it.
///
/// `rebuild` makes the job again from its name and encoded parameters.
pub(crate) fn serve(link: WorkerLink, rebuild: impl FnOnce(&str, &[u8]) -> Result<Arc<dyn Stages>>) -> ! {
    let served = carry_out_orders(&link, rebuild).and_then(|()| Ok(disk::report()?));
    let status = match served {
        Ok(()) => 0,
        Err(error) => {
            // Standard error is captured: the coordinator shows it with the worker's end.
            os::tell(format_args!("{error}"));
            1
        }
    };
    link.exit(status)
}

fn carry_out_orders(
    link: &WorkerLink,
    rebuild: impl FnOnce(&str, &[u8]) -> Result<Arc<dyn Stages>>,
) -> Result<(), BoxError> {
    let setup: Setup = codec::decode(link.welcome())?;
    disk::arm(setup.inject.as_ref(), Role::Worker(link.incarnation()));
    let _attending = setup.paths.attend()?;
    let flight = Flight::new(link.page().clone());
    let stages = note_panics(&flight, || rebuild(&setup.job, &setup.params))?;
    let plan = Arc::new(read_plan(&setup.paths.plan())?);
    let env = setup.env(link.name(), link.incarnation(), plan, flight.clone());
    let mut runner = TaskRunner::new(stages, env, SharedShuffle::default());
    tell(link, &[Note::Ready])?;
    while let Some(bytes) = link.recv() {
        let order: Order = codec::decode(&bytes)?;
        let notes = runner.run(order);
        if flight.stop_requested() {
            return Ok(());
        }
        tell(link, &notes)?;
    }
    Ok(())
}

/// Notes travel as a sequence: an array would be encoded as a tuple, without its length.
fn tell(link: &WorkerLink, notes: &[Note]) -> Result {
    Ok(link.send(&codec::encode(notes)?)?)
}
