//! Arrays against what `serde_json` makes of them.

use bstr::ByteSlice;
use proptest::prelude::*;

use super::*;
use crate::datum::Datum;
use crate::key::encode_to_vec;
use crate::output::text::write_field;

/// Values that are known here, and some that are not.
#[derive(Debug, Clone)]
enum Value {
    Text(String),
    Char(char),
    Signed(i64),
    Unsigned(u128),
    Flag(bool),
    Absent,
    Float(f64),
    Bytes(Vec<u8>),
    Pair(Box<(Value, Value)>),
    Several(Vec<Value>),
    /// An element whose failure its own `Serialize` does not pass on.
    Swallowed(Box<Value>),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::Char(char) => char.serialize(serializer),
            Self::Signed(number) => number.serialize(serializer),
            Self::Unsigned(number) => number.serialize(serializer),
            Self::Flag(flag) => Some(flag).serialize(serializer),
            Self::Absent => None::<()>.serialize(serializer),
            Self::Float(number) => number.serialize(serializer),
            Self::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Self::Pair(pair) => pair.serialize(serializer),
            Self::Several(values) => values.serialize(serializer),
            Self::Swallowed(value) => {
                let mut array = serializer.serialize_seq(None)?;
                array.serialize_element(value).unwrap_or_default();
                array.end()
            }
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        4 => "[a-z]{0,30}",
        1 => prop::collection::vec(prop::sample::select(vec!['"', '\\', '\n', '\u{1f}', ' ', '\u{7f}', 'ß']), 0..12)
            .prop_map(String::from_iter),
    ];
    let leaf = prop_oneof![
        8 => text.prop_map(Value::Text),
        1 => any::<char>().prop_map(Value::Char),
        4 => any::<i64>().prop_map(Value::Signed),
        1 => any::<u128>().prop_map(Value::Unsigned),
        1 => any::<bool>().prop_map(Value::Flag),
        1 => Just(Value::Absent),
        1 => any::<f64>().prop_map(Value::Float),
        1 => prop::collection::vec(any::<u8>(), 0..3).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|pair| Value::Pair(Box::new(pair))),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Several),
            inner.prop_map(|value| Value::Swallowed(Box::new(value))),
        ]
    })
}

proptest! {
    #[test]
    fn an_array_is_what_serde_json_makes_of_it(values in prop::collection::vec(value(), 0..4)) {
        let mut out = b"before\t".to_vec();
        write_field(&values, &mut out).expect("JSON can hold it");
        let wanted = serde_json::to_string(&values).expect("JSON can hold it");
        prop_assert_eq!(String::from_utf8_lossy(&out), format!("before\t{wanted}"));
    }
}

#[test]
fn strings_and_numbers_are_written_without_help() {
    let mut out = Vec::new();
    let array = &(("key", 7_u32), ["a".to_owned()], 'b', Some(-1_i8), true, ());
    array.serialize(Element { out: &mut out }).expect("all of it is known");
    assert_eq!(String::from_utf8_lossy(&out), r#"[["key",7],["a"],"b",-1,true,null]"#);
    assert!(("quo\"te", 1).serialize(Element { out: &mut out }).is_err());
}

/// A key that is written as it is encoded looks as if it had been decoded.
fn agree<K: Datum>(key: &K) {
    let (parts, encoded) = (Parts::of::<K>().expect("a pair"), encode_to_vec(key).expect("a key"));
    let (mut wanted, mut out) = (b"before".to_vec(), b"before".to_vec());
    if write_parts(parts, &encoded, &mut out) {
        write_field(key, &mut wanted).expect("a field");
    }
    assert_eq!(out.as_bstr(), wanted.as_bstr(), "what was not written leaves nothing");
}

proptest! {
    #[test]
    fn pairs_are_written_from_their_encoding_as_they_are_from_themselves(
        text in prop_oneof![4 => "[a-z]{0,30}", 1 => "[\"\\\\\n\u{0}\u{1f}aß]{0,9}"],
        other in "[a-z]{0,9}",
        number: i64,
    ) {
        agree(&(text.clone(), number as u32));
        agree(&(number, text.clone()));
        agree(&(other, text));
        agree(&(number as u16, number as i8));
    }
}

#[test]
fn pairs_are_written_from_their_encoding_at_all() {
    let encoded = encode_to_vec(&("rye", -3_i16)).expect("a key");
    let mut out = Vec::new();
    assert!(write_parts(Parts::of::<(String, i16)>().expect("a pair"), &encoded, &mut out));
    assert_eq!(out.as_bstr(), r#"["rye",-3]"#);
}
