//! The functions that workers can run, by name, each with a typed handle.
//!
//! Closures cannot travel to another process, so parent and worker build the same registry at the start of `main`, and
//! only the name travels. Running the functions is `serve`'s part.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use gristmill_ipc::{decode, encode_into};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::handshake::Identity;
use crate::toolkit::Toolkit;
use crate::toolkit::error::StartError;
use crate::toolkit::failure::{ErrorReport, Failure};
use crate::toolkit::parcel::checked_len;
use crate::toolkit::serve;
use crate::worker;

/// The handle of a function that workers can run: its name and its types.
///
/// It is a constant, usable in parent and worker alike; [`Registry::function`] gives it a body of the same types.
///
/// ```
/// use gristmill_pool::Function;
/// const SQUARE: Function<u64, u64> = Function::new("square");
/// ```
pub struct Function<A, R> {
    name: &'static str,
    types: PhantomData<fn(A) -> R>,
}

impl<A, R> Function<A, R> {
    /// The function called `name`, which must be unique in the program.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, types: PhantomData }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<A, R> Clone for Function<A, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, R> Copy for Function<A, R> {}

impl<A, R> fmt::Debug for Function<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function").field(&self.name).finish()
    }
}

/// What can be an argument of a worker function.
pub trait Argument: Serialize + DeserializeOwned + 'static {}
impl<T: Serialize + DeserializeOwned + 'static> Argument for T {}

/// What can be its result.
pub trait Output: Serialize + DeserializeOwned + 'static {}
impl<T: Serialize + DeserializeOwned + 'static> Output for T {}

/// Takes an encoded argument and appends the encoded result.
pub(crate) type Body = Box<dyn Fn(&[u8], &mut Vec<u8>) -> Result<(), ErrorReport> + Send + Sync>;

pub(crate) struct Entered {
    types: TypeId,
    body: Body,
}

/// All functions of a program, by name.
pub(crate) struct Functions {
    by_name: BTreeMap<&'static str, Entered>,
}

impl Functions {
    pub(crate) fn body(&self, name: &str) -> Result<&Body, ErrorReport> {
        let found = self.by_name.get(name).map(|function| &function.body);
        found.ok_or_else(|| ErrorReport::codec(format_args!("function `{name}` is not registered")))
    }

    /// Whether the handle has a body of its types.
    pub(crate) fn check<A: 'static, R: 'static>(&self, function: Function<A, R>) -> Result<(), StartError> {
        match self.by_name.get(function.name) {
            None => Err(StartError::NotRegistered(function.name.into())),
            Some(found) if found.types != types_of::<A, R>() => {
                Err(StartError::OtherTypes(function.name.into()))
            }
            Some(_) => Ok(()),
        }
    }
}

fn types_of<A: 'static, R: 'static>() -> TypeId {
    TypeId::of::<fn(A) -> R>()
}

/// Collects the functions that workers can run, and enters them; to be built first thing in `main`.
///
/// ```no_run
/// use gristmill_pool::{Function, Registry};
///
/// const SQUARE: Function<u64, u64> = Function::new("square");
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let toolkit = Registry::new().function(SQUARE, |x| x * x).enter()?;
///     let pool = toolkit.pool(4).start()?;
///     println!("{:?}", pool.map(SQUARE, 0..10)?);
///     Ok(())
/// }
/// ```
pub struct Registry {
    app: String,
    functions: BTreeMap<&'static str, Entered>,
    twice: Option<&'static str>,
}

impl Registry {
    /// A registry without functions.
    #[must_use]
    pub fn new() -> Self {
        Self { app: "worker".into(), functions: BTreeMap::new(), twice: None }
    }

    /// What process lists show before the workers' names; `worker` unless set.
    #[must_use]
    pub fn app(mut self, name: impl Into<String>) -> Self {
        self.app = name.into();
        self
    }

    /// Adds a function that cannot fail, other than by a panic.
    #[must_use]
    pub fn function<A: Argument, R: Output>(
        self,
        function: Function<A, R>,
        body: impl Fn(A) -> R + Send + Sync + 'static,
    ) -> Self {
        self.try_function(function, move |argument| Ok(body(argument)))
    }

    /// Adds a function that can fail. Whatever error it returns by `?` is raised in the parent.
    #[must_use]
    pub fn try_function<A: Argument, R: Output>(
        mut self,
        function: Function<A, R>,
        body: impl Fn(A) -> Result<R, Failure> + Send + Sync + 'static,
    ) -> Self {
        let name = function.name;
        let whole = move |bytes: &[u8], out: &mut Vec<u8>| {
            let unable = |what: &str, error| ErrorReport::codec(format_args!("{what} of `{name}`: {error}"));
            let argument = decode(bytes).map_err(|error| unable("argument", error))?;
            let result = body(argument).map_err(|failure| failure.report())?;
            encode_into(&result, out).map_err(|error| unable("result", error))?;
            checked_len(out.len()).map_err(|error| unable("result", error))?;
            Ok(())
        };
        match self.functions.entry(name) {
            Entry::Occupied(_) => self.twice = Some(name),
            Entry::Vacant(place) => {
                place.insert(Entered { types: types_of::<A, R>(), body: Box::new(whole) });
            }
        }
        self
    }

    /// In a worker, works until its parent has no more work and never returns; elsewhere returns the toolkit.
    ///
    /// # Errors
    /// When two functions have one name, or when a function in a worker calls this: workers start no workers.
    pub fn enter(self) -> Result<Toolkit, StartError> {
        if worker::is_worker() {
            return Err(StartError::InWorker);
        }
        if let Some(name) = self.twice {
            return Err(StartError::RegisteredTwice(name.into()));
        }
        let identity = self.identity();
        let functions = Functions { by_name: self.functions };
        match worker::enter(&identity) {
            Some(link) => serve::run(link, &functions),
            None => Ok(Toolkit::new(identity, Arc::new(functions))),
        }
    }

    /// Two programs that know different functions must not be parent and worker.
    fn identity(&self) -> Identity {
        let names: Vec<_> = self.functions.keys().copied().collect();
        Identity { app: self.app.clone(), version: names.join(" "), protocol: serve::PROTOCOL }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("app", &self.app).field("functions", &self.functions.keys()).finish()
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use gristmill_ipc::encode;

    use super::*;

    const SQUARE: Function<u64, u64> = Function::new("square");

    fn functions(registry: Registry) -> Functions {
        Functions { by_name: registry.functions }
    }

    fn run(functions: &Functions, name: &str, argument: &[u8]) -> Result<Vec<u8>, ErrorReport> {
        let mut out = Vec::new();
        functions.body(name)?(argument, &mut out).map(|()| out)
    }

    #[test]
    fn a_function_is_found_by_name_and_types() {
        let functions = functions(Registry::new().function(SQUARE, |x| x * x));
        let argument = encode(&12u64).expect("encode");
        let result = run(&functions, "square", &argument).expect("it runs");
        assert_eq!(decode::<u64>(&result).expect("decode"), 144);
        functions.check(SQUARE).expect("registered");
        let other = functions.check(Function::<u8, u64>::new("square")).expect_err("other types");
        assert!(matches!(other, StartError::OtherTypes(_)), "{other}");
        let unknown = functions.check(Function::<u64, u64>::new("cube")).expect_err("unknown");
        assert_eq!(unknown.to_string(), "function `cube` is not registered");
    }

    #[test]
    fn one_name_cannot_mean_two_functions() {
        let registry = Registry::new().function(SQUARE, |x| x * x).function(SQUARE, |x| x);
        assert!(matches!(registry.enter(), Err(StartError::RegisteredTwice(name)) if name == "square"));
    }

    #[test]
    fn a_wrong_argument_is_named() {
        let functions = functions(Registry::new().function(SQUARE, |x| x * x));
        let report = run(&functions, "square", &[]).expect_err("nothing to read");
        assert!(report.to_string().starts_with("argument of `square`: "), "{report}");
    }
}
