//! The workloads: their names and what their outputs have to agree in.
//!
//! How a program is told to do one is in `programs`; how the input is made is in `data`.

use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// Word count of one large text
    W1,
    /// Word count of a small text in 48 files, for opponents that a large one would keep busy for hours
    W1Small,
    /// Sum of values by key, with many keys
    W2,
    /// Inverted index of many small files
    W3,
    /// Sort of records by key
    W4,
}

/// Which lines make two outputs equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The same lines, however they are spread over part files.
    Any,
    /// The same lines in the same order, part files taken in the order of their names.
    Kept,
}

impl Workload {
    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::W1 => "w1",
            Self::W1Small => "w1-small",
            Self::W2 => "w2",
            Self::W3 => "w3",
            Self::W4 => "w4",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::W1 => "W1 word count",
            Self::W1Small => "W1 word count, small",
            Self::W2 => "W2 sum by key",
            Self::W3 => "W3 inverted index",
            Self::W4 => "W4 sort records",
        }
    }

    pub(crate) fn order(self) -> Order {
        if self == Self::W4 { Order::Kept } else { Order::Any }
    }

    /// What a program that knows no sizes calls it: the small word count is a word count.
    pub(crate) fn job(self) -> &'static str {
        if self == Self::W1Small { Self::W1.name() } else { self.name() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_the_command_line_takes() {
        for workload in Workload::value_variants() {
            assert_eq!(Workload::from_str(workload.name(), false), Ok(*workload));
        }
    }
}
