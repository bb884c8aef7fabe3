//! The laws of the encoding, tried on many types: keys read back, and order and equality are those of the bytes.
//!
//! Pinned bytes are in [`super::vectors`].

use std::collections::BTreeMap;
use std::fmt::Debug;

use bstr::BString;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{decode, encode_to_vec};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Word(String);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Visit {
    host: String,
    path: Option<String>,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Tree {
    Nothing,
    Leaf(String),
    Pair(i8, char),
    Labelled { label: String, size: i64 },
    Node(Vec<Tree>),
}

/// Runs `law` on pairs of keys; the cases are the same in every run.
fn for_pairs<S: Strategy>(keys: S, law: impl Fn(S::Value, S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases: 2000, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, rng).run(&(&keys, &keys), |(a, b)| law(a, b));
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Keys read back as they were, and compare as their encodings do.
fn check<T>(keys: impl Strategy<Value = T>)
where
    T: Debug + Ord + Serialize + DeserializeOwned,
{
    for_pairs(keys, |a, b| {
        let [x, y] = [encode_to_vec(&a)?, encode_to_vec(&b)?];
        prop_assert_eq!(&decode::<T>(&x)?, &a);
        prop_assert_eq!(x.cmp(&y), a.cmp(&b), "{:02x?} and {:02x?}", x, y);
        Ok(())
    });
}

/// Bytes that matter to the encoding more often than others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![3 => prop::sample::select(vec![0, 1, 0xFE, 0xFF]), 1 => any::<u8>()], 0..6)
}

/// Strings that often share a beginning, with zeros in them.
fn string() -> impl Strategy<Value = String> {
    let char = prop_oneof![4 => prop::sample::select(vec!['\0', '\u{1}', 'a', 'ÿ', '\u{10ffff}']), 1 => any::<char>()];
    vec(char, 0..5).prop_map(|chars| chars.into_iter().collect())
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Nothing),
        string().prop_map(Tree::Leaf),
        any::<(i8, char)>().prop_map(|(number, char)| Tree::Pair(number, char)),
        (string(), any::<i64>()).prop_map(|(label, size)| Tree::Labelled { label, size }),
    ];
    leaf.prop_recursive(4, 20, 4, |inner| vec(inner, 0..4).prop_map(Tree::Node))
}

#[test]
fn integers() {
    check(any::<u8>());
    check(any::<u16>());
    check(any::<u32>());
    check(any::<u64>());
    check(any::<u128>());
    check(any::<usize>());
    check(any::<i8>());
    check(any::<i16>());
    check(any::<i32>());
    check(any::<i64>());
    check(any::<i128>());
    check(any::<isize>());
    check(-2i32..3);
}

#[test]
fn other_scalars() {
    check(any::<bool>());
    check(any::<char>());
    check(any::<()>());
    check(option::of(any::<i16>()));
}

#[test]
fn strings() {
    check(string());
    check(string().prop_map(Word));
    check(bytes().prop_map(BString::from));
}

#[test]
fn tuples_and_structs() {
    check((string(), any::<u32>()));
    check((string(), string()));
    check((bytes().prop_map(BString::from), bytes().prop_map(BString::from)));
    check((string().prop_map(Word), any::<(bool, i8, char)>()));
    check(prop::array::uniform3(string()));
    let visit = (string(), option::of(string()), any::<u16>());
    check(visit.prop_map(|(host, path, port)| Visit { host, path, port }));
}

#[test]
fn options_and_sequences() {
    check(option::of(string()));
    check((option::of(option::of(string())), any::<u8>()));
    check(bytes());
    check(vec(string(), 0..4));
    check(vec(any::<()>(), 0..4));
    check((vec(vec(option::of(0u8..3), 0..3), 0..3), 0u8..3));
    check(btree_set(string(), 0..4));
}

#[test]
fn maps() {
    check(btree_map(string(), 0i8..2, 0..4));
    check((btree_map(0u8..4, string(), 0..4), any::<u8>()));
    check(btree_map(vec(0u8..2, 0..3), btree_map(any::<bool>(), string(), 0..3), 0..3));
}

#[test]
fn enums() {
    check(tree());
    check((tree(), 0u8..3));
    check(prop_oneof![string().prop_map(Ok), any::<i8>().prop_map(Err)]);
}

/// Whatever the bytes, reading them ends, and a key that comes of it has just these bytes as its encoding.
fn check_any_bytes<T: Serialize + DeserializeOwned>() {
    let likely = vec(prop::sample::select(vec![0u8, 0, 1, 1, 2, 3, 4, b'a', 0x80, 0xFF]), 0..24);
    for_pairs(prop_oneof![3 => likely, 1 => vec(any::<u8>(), 0..40)], |a, b| {
        for bytes in [a, b] {
            if let Ok(key) = decode::<T>(&bytes) {
                prop_assert_eq!(encode_to_vec(&key)?, bytes);
            }
        }
        Ok(())
    });
}

#[test]
fn any_bytes_are_an_error_or_the_one_encoding_of_a_key() {
    check_any_bytes::<String>();
    check_any_bytes::<(bool, char)>();
    check_any_bytes::<(f32, BString)>();
    check_any_bytes::<Vec<String>>();
    check_any_bytes::<Vec<()>>();
    check_any_bytes::<Option<Visit>>();
    check_any_bytes::<Tree>();
    check_any_bytes::<(Tree, Tree)>();
    check_any_bytes::<BTreeMap<String, u8>>();
    check_any_bytes::<BTreeMap<Option<u8>, Vec<BString>>>();
}
