//! A program that has been entered: a worker serves orders, every other process gets the means to run jobs.
//!
//! It prints nothing.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use gristmill_ipc::codec;
use gristmill_pool::signals::Cancel;
use gristmill_pool::{Identity, worker};
use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;

use super::logging::Logging;
use super::registry::Registry;
use crate::coordinate::{self, Finished, Launch};
use crate::error::Error;
use crate::exec::{self, LogTail};
use crate::options::RunOptions;
use crate::quarantine;
use crate::result::{BoxError, Result};

/// Raised whenever coordinator and workers would no longer understand each other.
const PROTOCOL: u32 = 1;

/// The means to run jobs, in a process that is no worker.
pub struct Entered {
    pub(super) registry: Arc<Registry>,
    pub(super) cancel: Cancel,
}

impl Entered {
    /// In a worker this serves orders and never returns.
    pub(super) fn new(registry: Registry) -> Self {
        let registry = Arc::new(registry);
        // User code in a worker may come here again: what it gets refuses to run jobs.
        if !worker::is_worker()
            && let Some(link) = worker::enter(&identity(&registry))
        {
            exec::worker::serve(link, |name, params| registry.rebuild(name, params));
        }
        Self { registry, cancel: Cancel::new() }
    }

    /// Runs the job called `name` and returns its results. No signal handler is installed and nothing is printed.
    ///
    /// # Errors
    /// When the job is refused, fails or is cancelled.
    pub fn run<P: Serialize>(&self, name: &str, params: &P, options: RunOptions) -> Result<Finished, Error> {
        self.check_params::<P>(name)?;
        let params = codec::encode(params).map_err(BoxError::from)?;
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        self.launch(name, params, options, None, &bars)
    }

    /// Other parameters may have the same bytes: the types tell.
    fn check_params<P>(&self, name: &str) -> Result<(), Error> {
        let given = std::any::type_name::<P>();
        match self.registry.jobs.get(name) {
            Some(job) if job.params != given => {
                let wanted = job.params;
                Err(Error::usage(format!("the job {name:?} takes parameters of type {wanted}, not {given}")))
            }
            // An unknown name is refused when the job is built.
            _ => Ok(()),
        }
    }

    /// A token that stops the jobs of this program when it is raised.
    #[must_use]
    pub fn cancel_token(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Runs what was set aside when the job called `name` wrote to `output`, alone and in this thread.
    pub(super) fn replay(&self, name: &str, params: &[u8], output: &Path, id: &str) -> Result<(), Error> {
        let stages = self.registry.rebuild(name, params).map_err(|error| Error::usage(error.to_string()))?;
        quarantine::replay(&*stages, name, output, id)
    }

    pub(super) fn launch(
        &self,
        name: &str,
        params: Vec<u8>,
        options: RunOptions,
        logging: Option<&Logging>,
        bars: &MultiProgress,
    ) -> Result<Finished, Error> {
        let stages = self.registry.rebuild(name, &params).map_err(|error| Error::usage(error.to_string()))?;
        coordinate::run(Launch {
            job: name,
            stages,
            params,
            options,
            identity: identity(&self.registry),
            log: logging.map(|logging| (logging.listener.handle(), logging.filter.clone())),
            tail: logging.map_or_else(LogTail::default, |logging| logging.tail.clone()),
            cancel: &self.cancel,
            bars,
        })
    }
}

/// Coordinator and workers must agree on the jobs that there are.
fn identity(registry: &Registry) -> Identity {
    let jobs: Vec<&str> = registry.jobs.keys().map(String::as_str).collect();
    Identity {
        app: format!("gristmill with the jobs {}", jobs.join(", ")),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: PROTOCOL,
    }
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").field("jobs", &self.registry.jobs.keys()).finish_non_exhaustive()
    }
}
