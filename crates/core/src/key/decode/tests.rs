//! What is borrowed, and what is refused with which message, when keys are read and written.

use std::collections::{BTreeMap, HashMap};

use bstr::BStr;
use proptest::prelude::*;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserializer, Serialize};

use super::*;
use crate::key::encode_to_vec;

fn refused<'de, T: Deserialize<'de>>(encoded: &'de [u8]) -> String {
    match decode::<T>(encoded) {
        Ok(_) => panic!("{encoded:02x?} was read"),
        Err(error) => error.to_string(),
    }
}

fn not_encoded<T: Serialize>(key: &T) -> String {
    encode_to_vec(key).expect_err("the key has no encoding").to_string()
}

#[test]
fn strings_are_borrowed_from_the_encoding() {
    assert_eq!(decode::<&str>(b"a\0b").expect("a string"), "a\0b");
    assert_eq!(decode::<&BStr>(b"\xff").expect("a byte string"), BStr::new(b"\xff"));
    assert_eq!(decode::<&[u8]>(b"\xff").expect("a byte string"), b"\xff");
    assert_eq!(decode::<(&str, &BStr)>(b"ab\0\0c\0\0").expect("a pair"), ("ab", BStr::new("c")));
}

#[test]
fn a_string_with_a_zero_inside_needs_an_owner() {
    let encoded = b"a\0\xffb\0\0\x07";
    assert_eq!(decode::<(String, u8)>(encoded).expect("a pair"), ("a\0b".to_owned(), 7));
    assert!(refused::<(&str, u8)>(encoded).contains("expected a borrowed string"));
}

type Parts = (String, u32, Vec<(String, bool)>, Option<String>);

proptest! {
    #[test]
    fn a_key_is_the_same_wherever_it_is_read_to(keys: Vec<(Parts, Option<usize>)>) {
        let mut place = None;
        for (key, end) in keys {
            let encoded = encode_to_vec(&key).expect("all parts can be encoded");
            // Now and then one that ends too early, to leave half a key behind.
            let encoded = &encoded[..end.map_or(encoded.len(), |end| end % encoded.len())];
            let read = decode_into::<Parts>(encoded, &mut place).map_err(|error| error.to_string());
            let apart = decode(encoded).map_err(|error| error.to_string());
            prop_assert_eq!(read, apart.as_ref().map_err(String::clone));
        }
    }
}

#[test]
fn the_memory_of_the_key_before_is_used_again() {
    let mut place = Some(("of some length".to_owned(), 1_u8));
    let memory = place.as_ref().map(|(string, _)| string.as_ptr());
    let read = decode_into(b"shorter\0\0\x02", &mut place).expect("a pair");
    assert_eq!((read, Some(read.0.as_ptr())), (&("shorter".to_owned(), 2), memory));
}

#[test]
fn malformed_bytes_are_named_with_their_offset() {
    assert_eq!(refused::<u32>(b"\0\0\0"), "key of type `u32`: ends too early, at byte 3");
    assert_eq!(refused::<u8>(b"\0\0"), "key of type `u8`: bytes left over at byte 1");
    assert_eq!(refused::<bool>(b"\x02"), "key of type `bool`: neither 00 nor 01 at byte 0");
    assert_eq!(refused::<&str>(b"a\xff"), "key of type `&str`: string at byte 0 is not UTF-8");
    assert!(refused::<(u8, char)>(b"\0\0\0\xd8\0").ends_with("no character at byte 1"));
    assert!(refused::<(String,)>(b"ab\0").ends_with("ends too early, at byte 3"));
    assert!(refused::<(String,)>(b"ab").ends_with("ends too early, at byte 2"));
    assert!(
        refused::<(String,)>(b"ab\0\x01").ends_with("neither 00 nor FF after a zero in a string at byte 3")
    );
    assert!(refused::<(String,)>(b"a\0\xff\xff\0\0").ends_with("string at byte 0 is not UTF-8"));
}

#[test]
fn only_the_canonical_form_is_read() {
    assert!(refused::<Result<u8, u8>>(b"\xff\0\0\0\x01\x05").ends_with("short variant index at byte 0"));
    assert!(refused::<Result<u8, u8>>(b"\x02\x05").contains("invalid value: integer `2`"));
    let unordered = b"\x01\x02\0\x01\x01\0\0";
    assert!(refused::<BTreeMap<u8, bool>>(unordered).ends_with("map key out of order at byte 4"));
    let twice = b"\x01\x02\0\x01\x02\0\0";
    assert!(refused::<BTreeMap<u8, bool>>(twice).ends_with("map key out of order at byte 4"));
}

#[test]
fn types_that_ask_the_data_what_it_is_are_refused() {
    assert_eq!(
        refused::<serde_json::Value>(b"x"),
        "key of type `serde_json::value::Value`: cannot read any valid JSON value: \
         an encoded key does not say what it holds"
    );
    assert!(refused::<IgnoredAny>(b"x").contains("does not say what it holds"));
}

#[test]
fn a_map_without_order_is_refused() {
    let descending = ["b", "a"];
    struct Map<'a>(&'a [&'a str]);
    impl Serialize for Map<'_> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|key| (key, 1u8)))
        }
    }
    assert!(not_encoded(&Map(&descending)).ends_with("the entries of a map do not ascend; use a BTreeMap"));
    assert!(not_encoded(&(Map(&["a", "a"]), 1u8)).ends_with("use a BTreeMap"));
    let large: HashMap<u32, u32> = (0..100).map(|number| (number, number)).collect();
    assert!(not_encoded(&large).contains("HashMap<u32, u32>"));
}

#[test]
fn a_field_left_out_is_refused() {
    #[derive(Serialize)]
    struct Gap {
        #[serde(skip_serializing_if = "Option::is_none")]
        inner: Option<u8>,
    }
    assert!(encode_to_vec(&Gap { inner: Some(1) }).is_ok());
    assert!(not_encoded(&Gap { inner: None }).contains("field `inner` is left out"));
    assert!(not_encoded(&(1u8, Gap { inner: None })).contains("field `inner` is left out"));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Chain {
    End,
    Link(Box<Chain>),
}

fn chain(links: usize) -> Chain {
    (0..links).fold(Chain::End, |chain, _| Chain::Link(Box::new(chain)))
}

#[test]
fn nesting_ends_at_the_same_depth_for_writing_and_reading() {
    let deepest = encode_to_vec(&chain(128)).expect("as deep as a key may be");
    assert_eq!(decode::<Chain>(&deepest).expect("as deep as a key may be"), chain(128));
    assert!(not_encoded(&chain(129)).ends_with("nested more than 128 levels deep"));
    let deeper = [&[1], &deepest[..]].concat();
    assert!(refused::<Chain>(&deeper).ends_with("nested more than 128 levels deep"));
    assert!(refused::<Chain>(&[1; 1 << 20]).ends_with("nested more than 128 levels deep"));
}

#[test]
fn a_visitor_that_stops_early_is_an_error() {
    #[derive(Debug)]
    struct First;
    impl<'de> Visitor<'de> for First {
        type Value = First;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a sequence")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<First, A::Error> {
            parts.next_element::<u8>().map(|_| First)
        }
    }
    impl<'de> Deserialize<'de> for First {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<First, D::Error> {
            deserializer.deserialize_seq(First)
        }
    }
    assert!(decode::<First>(b"\0").is_ok());
    assert!(decode::<First>(b"\x01\x07\0").is_ok());
    assert!(refused::<First>(b"\x01\x07\x01\x08\0").ends_with("more parts than the type takes at byte 3"));
    assert!(refused::<First>(b"\x01\x07").ends_with("ends too early, at byte 2"));
}
