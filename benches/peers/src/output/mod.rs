//! Tells whether two output folders hold the same result, and what differs if not.
//!
//! It knows how a result is written, and nothing about who wrote it.

mod difference;
mod form;
mod lines;

use std::path::Path;

use xxhash_rust::xxh3::xxh3_128;

use crate::failure::Result;
use crate::workload::Order;
pub(crate) use difference::difference;
pub(crate) use form::Form;
use lines::Lines;

/// Stands for all lines of an output: equal ones have equal digests, and different ones different digests but for an
/// accident of 2^-128.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) lines: u64,
    sum: u128,
}

/// Reads an output folder, each line brought into the common form.
pub(crate) fn digest(folder: &Path, order: Order, form: &Form) -> Result<Digest> {
    let mut lines = Lines::of(folder, form)?;
    let mut digest = Digest::default();
    while let Some(line) = lines.next()? {
        let hash = xxh3_128(line);
        // A sum does not depend on the order of its terms; one that is turned at each step does.
        let before =
            if order == Order::Kept { digest.sum.rotate_left(5).wrapping_mul(3) } else { digest.sum };
        digest = Digest { lines: digest.lines + 1, sum: before.wrapping_add(hash) };
    }
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder(parts: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (number, part) in parts.iter().enumerate() {
            fs::write(folder.path().join(format!("part-r-{number:05}")), part).expect("it can be written");
        }
        folder
    }

    fn equal(order: Order, a: &[&str], b: &[&str]) -> bool {
        let (a, b) = (folder(a), folder(b));
        let digest =
            |folder: &tempfile::TempDir| digest(folder.path(), order, &Form::Plain).expect("it is there");
        let equal = digest(&a) == digest(&b);
        let difference =
            difference(a.path(), &Form::Plain, b.path(), &Form::Plain, order).expect("both are there");
        assert_eq!(equal, difference.is_none(), "{difference:?}");
        equal
    }

    #[test]
    fn parts_do_not_matter() {
        assert!(equal(Order::Any, &["b\t1\na\t2\n", "c\t3\n"], &["c\t3", "a\t2\n", "b\t1\n"]));
        assert!(equal(Order::Kept, &["1\n2\n", "3\n"], &["1\n", "", "2\n3\n"]));
    }

    #[test]
    fn a_missing_an_extra_and_a_changed_line_are_seen() {
        for order in [Order::Any, Order::Kept] {
            assert!(!equal(order, &["a\t1\nb\t2\n"], &["a\t1\n"]), "{order:?}: missing");
            assert!(!equal(order, &["a\t1\n"], &["a\t1\nb\t2\n"]), "{order:?}: extra");
            assert!(!equal(order, &["a\t1\nb\t2\n"], &["a\t1\nb\t3\n"]), "{order:?}: changed");
            assert!(!equal(order, &["a\na\nb\n"], &["a\nb\nb\n"]), "{order:?}: as often");
        }
    }

    #[test]
    fn order_matters_where_it_is_promised() {
        assert!(equal(Order::Any, &["1\n2\n"], &["2\n1\n"]));
        assert!(!equal(Order::Kept, &["1\n2\n"], &["2\n1\n"]));
    }
}
