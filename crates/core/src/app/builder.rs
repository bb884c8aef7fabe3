//! `App`: what a program's `main` builds.
//!
//! It runs nothing itself: `session` and `command` do.

use std::fmt;
use std::process::ExitCode;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::command;
use super::registry::{Registered, Registry};
use super::session::Entered;
use crate::coordinate::Finished;
use crate::job::AnyJob;
use crate::result::Result;

/// The jobs of a program.
///
/// Workers are the same program, executed again, so `main` must come to [`App::main`] or [`App::enter`] before it does
/// anything else that should happen only once. In a worker neither of them returns.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use gristmill::{App, Emitter, Job, NoArgs, Result, Sum, map_text};
///
/// fn words(line: &str, out: &mut Emitter<'_, String, u64>) -> Result {
///     line.split_whitespace().try_for_each(|word| out.emit(word, 1))
/// }
///
/// fn main() -> ExitCode {
///     App::new().job("wordcount", |_: NoArgs| Job::new(map_text(words)).fold_with(Sum)).main()
/// }
/// ```
#[derive(Default)]
#[must_use]
pub struct App {
    pub(super) registry: Registry,
    pub(super) about: Option<&'static str>,
    pub(super) last: Option<String>,
}

/// The parameters of a job that has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
pub struct NoArgs {}

impl App {
    /// A program without jobs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says what the program is for, in its help.
    pub fn about(mut self, about: &'static str) -> Self {
        self.about = Some(about);
        self
    }

    /// Registers a job with options of its own on the command line. With several jobs each is a subcommand.
    ///
    /// `build` makes the job from the options. It runs in the coordinator and again in every worker, where the options
    /// arrive encoded, so it must do the same in both.
    ///
    /// # Panics
    /// When the name is taken.
    pub fn job<P, J>(self, name: &str, build: impl Fn(P) -> J + Send + Sync + 'static) -> Self
    where
        P: clap::Args + Serialize + DeserializeOwned,
        J: AnyJob,
    {
        self.insert(name, Registered::new(build).with_command::<P>())
    }

    /// Registers a job that only the program itself runs, by [`Entered::run`].
    ///
    /// # Panics
    /// When the name is taken.
    pub fn internal_job<P, J>(self, name: &str, build: impl Fn(P) -> J + Send + Sync + 'static) -> Self
    where
        P: DeserializeOwned,
        J: AnyJob,
    {
        self.insert(name, Registered::new(build))
    }

    /// Shows the results of the job registered last in a way of its own, where they would be printed as they are.
    ///
    /// # Panics
    /// When no job was registered yet.
    pub fn present<P: DeserializeOwned>(
        mut self,
        present: impl Fn(P, &Finished) -> Result + Send + Sync + 'static,
    ) -> Self {
        self.change_last(|job| job.with_present(present));
        self
    }

    /// Files that ship inside the program, read by the job registered last when no input is named.
    ///
    /// # Panics
    /// When no job was registered yet.
    pub fn sample(mut self, files: &'static [(&'static str, &'static [u8])]) -> Self {
        self.change_last(|mut job| {
            job.sample = files;
            job
        });
        self
    }

    /// Runs the program: a job as the command line says, or a worker. Returns the exit status: 0 done, 1 failed, 2 usage,
    /// 3 done with records set aside, 130 or 143 stopped by a signal.
    pub fn main(self) -> ExitCode {
        let about = self.about;
        command::main(&self.enter(), about)
    }

    /// For programs with a command line of their own: in a worker this does not return; elsewhere it gives the means to
    /// run jobs.
    ///
    /// It has to come before the program reads its arguments: those of a worker are not its own.
    ///
    /// ```no_run
    /// use gristmill::{App, Emitter, Error, Items, Job, NoArgs, Result, RunOptions, map_fn};
    ///
    /// fn square(n: u64, out: &mut Emitter<'_, u64, u64>) -> Result {
    ///     out.emit(&n, n * n)
    /// }
    ///
    /// fn main() -> Result<(), Error> {
    ///     let jobs = App::new()
    ///         .internal_job("square", |_: NoArgs| Job::new(map_fn::<Items<u64>, _, _, _>(square)))
    ///         .enter();
    ///     // From here on the program is no worker: it may read its command line.
    ///     let done = jobs.run("square", &NoArgs {}, RunOptions::new().items(0..100u64).chunk_size(10))?;
    ///     for pair in done.pairs::<u64, u64>()? {
    ///         let (n, squared) = pair?;
    ///         println!("{n} {squared}");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn enter(self) -> Entered {
        Entered::new(self.registry)
    }

    fn insert(mut self, name: &str, job: Registered) -> Self {
        let before = self.registry.jobs.insert(name.to_owned(), job);
        assert!(before.is_none(), "a job called {name:?} is registered already");
        self.last = Some(name.to_owned());
        self
    }

    fn change_last(&mut self, change: impl FnOnce(Registered) -> Registered) {
        let name = self.last.clone().expect("a job is registered first");
        let (position, _, job) = self.registry.jobs.swap_remove_full(&name).expect("the last job is there");
        let last = self.registry.jobs.len();
        self.registry.jobs.insert(name, change(job));
        self.registry.jobs.swap_indices(position, last);
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("jobs", &self.registry.jobs.keys()).finish_non_exhaustive()
    }
}
