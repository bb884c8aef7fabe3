//! The jobs of a program, by name: how each is built from its parameters, on the command line and in a worker.
//!
//! Closures never travel: the same program registers the same jobs in every process.

use std::sync::Arc;

use clap::{ArgMatches, Command};
use gristmill_ipc::codec;
use indexmap::IndexMap;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::coordinate::Finished;
use crate::job::{AnyJob, Stages};
use crate::options::Sample;
use crate::result::Result;

type Rebuild = Box<dyn Fn(&[u8]) -> Result<Arc<dyn Stages>> + Send + Sync>;
type Parse = Box<dyn Fn(&ArgMatches) -> std::result::Result<Vec<u8>, clap::Error> + Send + Sync>;
type Present = Box<dyn Fn(&[u8], &Finished) -> Result + Send + Sync>;

/// One job.
pub(super) struct Registered {
    /// Builds the job from its encoded parameters.
    pub(super) rebuild: Rebuild,
    /// Name of the parameters' type.
    pub(super) params: &'static str,
    /// The job's own options; `None` for a job that only the program itself runs.
    pub(super) options: Option<OwnOptions>,
    pub(super) present: Option<Present>,
    pub(super) sample: Sample,
}

/// The options that a job has beside the common ones.
pub(super) struct OwnOptions {
    /// Adds them to a command.
    pub(super) augment: fn(Command) -> Command,
    /// Encodes their values.
    pub(super) parse: Parse,
}

/// All jobs, in the order of their registration.
#[derive(Default)]
pub(super) struct Registry {
    pub(super) jobs: IndexMap<String, Registered>,
}

impl Registry {
    /// The job called `name`, built from its encoded parameters.
    pub(super) fn rebuild(&self, name: &str, params: &[u8]) -> Result<Arc<dyn Stages>> {
        let job = self.jobs.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.jobs.keys().map(String::as_str).collect();
            format!("there is no job called {name:?} in this program, only {}", known.join(", "))
        })?;
        (job.rebuild)(params)
    }
}

impl Registered {
    /// A job with parameters of type `P`.
    pub(super) fn new<P, J>(build: impl Fn(P) -> J + Send + Sync + 'static) -> Self
    where
        P: DeserializeOwned,
        J: AnyJob,
    {
        let rebuild: Rebuild = Box::new(move |params| Ok(build(codec::decode(params)?).erase()));
        Self { rebuild, params: std::any::type_name::<P>(), options: None, present: None, sample: &[] }
    }

    /// Gives it a command line.
    pub(super) fn with_command<P: clap::Args + Serialize>(mut self) -> Self {
        let parse: Parse = Box::new(|matches| {
            let args = P::from_arg_matches(matches)?;
            codec::encode(&args)
                .map_err(|error| clap::Error::raw(clap::error::ErrorKind::Io, format!("{error}\n")))
        });
        self.options = Some(OwnOptions { augment: P::augment_args, parse });
        self
    }

    /// Shows its results in a way of its own.
    pub(super) fn with_present<P: DeserializeOwned>(
        mut self,
        present: impl Fn(P, &Finished) -> Result + Send + Sync + 'static,
    ) -> Self {
        self.present = Some(Box::new(move |params, finished| present(codec::decode(params)?, finished)));
        self
    }
}
