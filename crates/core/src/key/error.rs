//! Why a key could not be encoded or decoded.
//!
//! It does not say in which task or at which record that was: the task runner adds it.

use std::fmt::{self, Display};
use std::str::Utf8Error;

use serde::{de, ser};

use super::form::MAX_DEPTH;

/// A key that cannot be encoded, or bytes that are not the encoding of a key.
#[derive(Debug)]
pub struct KeyError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    key_type: Option<&'static str>,
}

/// What went wrong; offsets count bytes of the encoded key.
#[derive(Debug)]
pub(super) enum Kind {
    /// The key type's own `Serialize` or `Deserialize` said so.
    Custom(String),
    /// Entries of a map that do not ascend, when writing.
    UnorderedMap,
    /// A field left out by `skip_serializing_if`.
    SkippedField(&'static str),
    /// More nesting than [`MAX_DEPTH`], when writing or reading.
    TooDeep,
    /// A type that wants to be told what comes next.
    SelfDescribing(String),
    /// The bytes end inside an element.
    EndsAt(usize),
    /// A byte that no key of this type can have here.
    Malformed { offset: usize, what: &'static str },
    /// A string that is not text.
    Utf8 { offset: usize, source: Utf8Error },
}

impl KeyError {
    /// Names the type of the whole key, once.
    #[cold]
    pub(super) fn of_type(mut self, key_type: &'static str) -> Self {
        self.0.key_type.get_or_insert(key_type);
        self
    }
}

impl From<Kind> for KeyError {
    #[cold]
    fn from(kind: Kind) -> Self {
        Self(Box::new(Inner { kind, key_type: None }))
    }
}

impl Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.key_type {
            Some(key_type) => write!(f, "key of type `{key_type}`: {}", self.0.kind),
            None => self.0.kind.fmt(f),
        }
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Custom(message) => f.write_str(message),
            Self::UnorderedMap => f.write_str("the entries of a map do not ascend; use a BTreeMap"),
            Self::SkippedField(name) => {
                write!(f, "field `{name}` is left out by skip_serializing_if, which a key cannot have")
            }
            Self::TooDeep => write!(f, "nested more than {MAX_DEPTH} levels deep"),
            Self::SelfDescribing(expected) => {
                write!(f, "cannot read {expected}: an encoded key does not say what it holds")
            }
            Self::EndsAt(offset) => write!(f, "ends too early, at byte {offset}"),
            Self::Malformed { offset, what } => write!(f, "{what} at byte {offset}"),
            Self::Utf8 { offset, .. } => write!(f, "string at byte {offset} is not UTF-8"),
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            Kind::Utf8 { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl ser::Error for KeyError {
    #[cold]
    fn custom<T: Display>(message: T) -> Self {
        Kind::Custom(message.to_string()).into()
    }
}

impl de::Error for KeyError {
    #[cold]
    fn custom<T: Display>(message: T) -> Self {
        Kind::Custom(message.to_string()).into()
    }
}
