//! Levels by target, as people write them: `info,noisy=warn`.
//!
//! What is filtered by them, a worker's events or a handler's records, is decided elsewhere.

use std::fmt;
use std::str::FromStr;

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};

/// What is logged: a level for all targets, and others for those whose names begin in a certain way; what names none
/// of them is not logged.
///
/// As text these are levels (`off`, `error`, `warn`, `info`, `debug`, `trace`, in any case) and `TARGET=LEVEL`, with
/// commas between them. The longest target that fits decides.
///
/// ```
/// use gristmill_log::{Directives, Level};
///
/// let console: Directives = "warn,my_crate=info".parse()?;
/// let file: Directives = "error,my_crate::part=debug".parse()?;
/// assert!(console.pass("my_crate::part", Level::INFO) && !console.pass("other", Level::INFO));
/// assert_eq!(console.union(&file).to_string(), "my_crate::part=debug,my_crate=info,warn");
/// # Ok::<(), gristmill_log::DirectivesError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Directives {
    targets: Targets,
}

/// A text that makes no sense as [`Directives`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{directive}` {fault}")]
pub struct DirectivesError {
    directive: String,
    fault: &'static str,
}

impl FromStr for Directives {
    type Err = DirectivesError;

    fn from_str(text: &str) -> Result<Self, DirectivesError> {
        let directives = text.split(',').map(str::trim).filter(|directive| !directive.is_empty());
        let targets = directives.map(|directive| (directive, directive.split_once('='))).try_fold(
            Targets::new(),
            |targets, (directive, parts)| match parts {
                None => Ok(targets.with_default(bare(directive)?)),
                Some((target, level)) => with_target(targets, directive, target.trim(), level.trim()),
            },
        )?;
        Ok(Self { targets })
    }
}

const NO_LEVEL: &str = "has no level of off, error, warn, info, debug and trace";

/// A word that is no level would be a target in other programs; here it is rather a level that is misspelt.
fn bare(word: &str) -> Result<LevelFilter, DirectivesError> {
    level(word).ok_or_else(|| refuse(word, "is no level of off, error, warn, info, debug and trace"))
}

fn with_target(
    targets: Targets,
    directive: &str,
    target: &str,
    name: &str,
) -> Result<Targets, DirectivesError> {
    if target.is_empty() || target.contains(['[', '{']) || name.contains('=') {
        return Err(refuse(directive, "is not TARGET=LEVEL"));
    }
    Ok(targets.with_target(target, level(name).ok_or_else(|| refuse(directive, NO_LEVEL))?))
}

fn level(name: &str) -> Option<LevelFilter> {
    name.parse().ok().filter(|_| !name.is_empty())
}

fn refuse(directive: &str, fault: &'static str) -> DirectivesError {
    DirectivesError { directive: directive.to_owned(), fault }
}

impl Directives {
    /// Whether a record of this target and level is wanted.
    #[must_use]
    pub fn pass(&self, target: &str, level: Level) -> bool {
        self.targets.would_enable(target, &level)
    }

    /// What lets through whatever one of both does, and nothing else: the levels of a process whose records go to
    /// two handlers.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.combine(other, Ord::max)
    }

    /// What lets through only what both do.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.combine(other, Ord::min)
    }

    fn combine(&self, other: &Self, choose: impl Fn(LevelFilter, LevelFilter) -> LevelFilter) -> Self {
        let named = self.targets.iter().chain(other.targets.iter()).map(|(target, _)| target);
        let level = |target: &str| choose(self.level_of(target), other.level_of(target));
        let targets: Targets = named.map(|target| (target.to_owned(), level(target))).collect();
        Self { targets: targets.with_default(level("")) }
    }

    /// The most verbose level that a target has.
    fn level_of(&self, target: &str) -> LevelFilter {
        let levels = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];
        let most = levels.into_iter().find(|level| self.pass(target, *level));
        most.map_or(LevelFilter::OFF, LevelFilter::from_level)
    }

    /// The levels of all targets, that of those with no level of their own included.
    pub(crate) fn levels(&self) -> impl Iterator<Item = LevelFilter> {
        let default = self.targets.default_level().unwrap_or(LevelFilter::OFF);
        self.targets.iter().map(|(_, level)| level).chain([default])
    }
}

impl From<LevelFilter> for Directives {
    /// The same for all targets.
    fn from(level: LevelFilter) -> Self {
        Self { targets: Targets::new().with_default(level) }
    }
}

impl fmt::Display for Directives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.targets.iter().try_for_each(|(target, level)| write!(f, "{target}={level},"))?;
        write!(f, "{}", self.targets.default_level().unwrap_or(LevelFilter::OFF))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Directives {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn levels_are_read_in_any_case() {
        for text in ["info,noisy=warn", "INFO,noisy=WARN", " Info , noisy = Warn ,"] {
            let directives = read(text);
            assert!(directives.pass("here", Level::INFO) && !directives.pass("here", Level::DEBUG), "{text}");
            assert!(directives.pass("noisy::part", Level::WARN), "{text}");
            assert!(!directives.pass("noisy::part", Level::INFO), "{text}");
        }
        assert!(!read("").pass("here", Level::ERROR) && !read("off").pass("here", Level::ERROR));
    }

    #[test]
    fn a_misspelt_level_is_not_taken_for_a_target() {
        for (text, told) in [
            ("warning", "`warning` is no level of off, error, warn, info, debug and trace"),
            ("info,noisy=loud", "`noisy=loud` has no level of off, error, warn, info, debug and trace"),
            ("noisy=", "`noisy=` has no level of off, error, warn, info, debug and trace"),
            ("a=b=c", "`a=b=c` is not TARGET=LEVEL"),
            ("=info", "`=info` is not TARGET=LEVEL"),
            ("a[{b}]=info", "`a[{b}]=info` is not TARGET=LEVEL"),
        ] {
            assert_eq!(text.parse::<Directives>().expect_err(text).to_string(), told);
        }
    }

    fn some_directives() -> impl Strategy<Value = String> {
        let target = prop::sample::select(vec!["", "a=", "ab=", "abc=", "b="]);
        let level = prop::sample::select(vec!["off", "error", "warn", "info", "debug", "trace"]);
        let directive = (target, level).prop_map(|(target, level)| format!("{target}{level}"));
        prop::collection::vec(directive, 0..5).prop_map(|directives| directives.join(","))
    }

    proptest! {
        #[test]
        fn a_union_passes_what_one_of_both_does_and_an_intersection_what_both_do(one in some_directives(), other in some_directives()) {
            let (one, other) = (read(&one), read(&other));
            // By way of the text, as it goes to a worker.
            let union = read(&one.union(&other).to_string());
            let intersection = one.intersection(&other);
            for target in ["", "a", "ab", "abc", "abcd", "ac", "b", "c"] {
                for level in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
                    let either = one.pass(target, level) || other.pass(target, level);
                    let both = one.pass(target, level) && other.pass(target, level);
                    prop_assert_eq!(union.pass(target, level), either, "{} {}", target, level);
                    prop_assert_eq!(intersection.pass(target, level), both, "{} {}", target, level);
                }
            }
        }
    }
}
