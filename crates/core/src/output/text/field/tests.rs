//! What each kind of value looks like as a field.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::output::text::unescape;

fn field<T: Serialize + ?Sized>(value: &T) -> String {
    let mut out = Vec::new();
    write_field(value, &mut out).expect("the value can be written");
    String::from_utf8(out).expect("the value is text")
}

fn refusal<T: Serialize + ?Sized>(value: &T) -> String {
    let mut out = b"before\t".to_vec();
    let error = write_field(value, &mut out).expect_err("the value cannot be written");
    assert_eq!(out, b"before\t", "what was there stays as it was");
    error.to_string()
}

#[derive(Serialize)]
struct Word(String);

#[derive(Serialize)]
struct Nothing;

#[derive(Serialize)]
struct Point {
    x: i32,
    label: &'static str,
}

#[derive(Serialize)]
enum Shape {
    Empty,
    #[serde(rename = "odd\tname")]
    Odd,
    Circle(u8),
    Square {
        side: u8,
    },
}

#[test]
fn scalars() {
    assert_eq!(field(&u64::MAX), "18446744073709551615");
    assert_eq!(field(&i128::MIN), "-170141183460469231731687303715884105728");
    assert_eq!(field(&[true, false].map(|flag| field(&flag))), r#"["true","false"]"#);
    assert_eq!([field(&1.0f64), field(&0.1f32), field(&-0.0f64)], ["1", "0.1", "-0"]);
    assert_eq!([field(&f64::NAN), field(&f64::NEG_INFINITY)], ["NaN", "-inf"]);
    assert_eq!([field(&'ß'), field(&'\n')], ["ß", r"\n"]);
}

#[test]
fn strings_and_byte_strings_are_escaped() {
    assert_eq!(field("a\tb\\"), r"a\tb\\");
    assert_eq!(field(bstr::BStr::new(b"line\r\n")), r"line\r\n");
    let mut out = Vec::new();
    write_field(bstr::BStr::new(b"\xff\n"), &mut out).expect("any byte can be written");
    assert_eq!(out, b"\xff\\n");
}

#[test]
fn what_is_empty_and_what_is_transparent() {
    assert_eq!([field(&()), field(&Nothing), field(&None::<u8>)], ["", "", ""]);
    assert_eq!([field(&Some(5)), field(&Word("a\tb".into())), field(&Some(Some("x")))], ["5", r"a\tb", "x"]);
}

#[test]
fn formatted_values_are_escaped() {
    struct Formatted;
    impl Serialize for Formatted {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&format_args!("{}\t{}", 1, 2))
        }
    }
    assert_eq!(field(&Formatted), r"1\t2");
    assert_eq!(field(&Ipv4Addr::LOCALHOST), "127.0.0.1");
}

#[test]
fn enums() {
    assert_eq!([field(&Shape::Empty), field(&Shape::Odd)], ["Empty", r"odd\tname"]);
    assert_eq!(field(&Shape::Circle(3)), r#"{"Circle":3}"#);
    assert_eq!(field(&Shape::Square { side: 3 }), r#"{"Square":{"side":3}}"#);
}

#[test]
fn compound_values_are_json() {
    assert_eq!(field(&Point { x: -1, label: "a\tb\n" }), r#"{"x":-1,"label":"a\tb\n"}"#);
    assert_eq!(field(&("a", 1u8)), r#"["a",1]"#);
    assert_eq!(field(&Some(vec![Some(1), None])), "[1,null]");
    assert_eq!(field(&BTreeMap::from([(2, "b"), (10, "c")])), r#"{"2":"b","10":"c"}"#);
    assert_eq!(field(&Vec::<u8>::new()), "[]");
}

#[test]
fn raw_line_ends_between_json_tokens_become_blanks() {
    let mut json = b"{\n\t\"a\": \"\\n\"\r\n}".to_vec();
    blank_line_ends(&mut json);
    assert_eq!(json, br#"{  "a": "\n"  }"#);
}

#[test]
fn json_that_cannot_be_is_refused() {
    let message = refusal(&HashMap::from([((1, 2), 3)]));
    assert!(
        message.starts_with("cannot write `std::collections::hash::map::HashMap<(i32, i32), i32>` as text: ")
    );
    assert!(message.ends_with("key must be a string"), "{message}");
}

#[test]
fn an_error_of_the_value_itself_is_passed_on() {
    struct Refuses;
    impl Serialize for Refuses {
        fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
            Err(ser::Error::custom("not today"))
        }
    }
    assert!(refusal(&Refuses).ends_with("as text: not today"));
    assert!(refusal(&("some of it", Refuses)).ends_with("as text: not today"));
}

proptest! {
    #[test]
    fn a_string_reads_back(text: String) {
        let field = field(text.as_str());
        prop_assert_eq!(unescape(field.as_bytes()).expect("written just now"), text.as_bytes());
    }

    #[test]
    fn a_float_reads_back(bits: u64) {
        let value = f64::from_bits(bits);
        let read: f64 = field(&value).parse().expect("written just now");
        prop_assert!(read.to_bits() == bits || (read.is_nan() && value.is_nan()));
    }

    #[test]
    fn json_has_no_tab_or_line_end_and_reads_back(value: (String, u32, Vec<char>)) {
        let field = field(&value);
        prop_assert!(!field.contains(['\t', '\n', '\r']));
        let read: (String, u32, Vec<char>) = serde_json::from_str(&field).expect("written just now");
        prop_assert_eq!(read, value);
    }
}
