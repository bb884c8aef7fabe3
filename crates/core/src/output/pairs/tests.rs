//! Pairs with encoded keys against the same pairs, written from the keys themselves.

use std::sync::{Arc, Mutex};

use bstr::ByteSlice;
use proptest::prelude::*;
use serde::{Deserializer, Serializer, ser};

use super::*;
use crate::key::{Image, encode_to_vec};

/// Stores what it is given, while it has room.
#[derive(Clone)]
struct Memory {
    bytes: Arc<Mutex<Vec<u8>>>,
    room: usize,
}

impl ByteSink for Memory {
    fn write(&mut self, bytes: &[u8], _pairs: u64) -> Result {
        let mut stored = self.bytes.lock().expect("nobody panics");
        if stored.len() + bytes.len() > self.room {
            return Err("no room is left".into());
        }
        stored.extend_from_slice(bytes);
        Ok(())
    }
}

/// A value that cannot be written.
#[derive(Debug)]
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom("ground to dust"))
    }
}

impl<'de> Deserialize<'de> for Unwritable {
    fn deserialize<D: Deserializer<'de>>(_deserializer: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

/// What `write` writes, with what it says and how many pairs that are.
fn written(
    format: Format,
    room: usize,
    write: impl FnOnce(&mut PairWriter) -> Result,
) -> (Result<u64, String>, Vec<u8>) {
    let sink = Memory { bytes: Arc::default(), room };
    let mut writer = PairWriter::new(format, Box::new(sink.clone()));
    let said = write(&mut writer);
    let pairs = writer.finish();
    assert!(said.is_ok() || pairs.is_err(), "an error is not forgotten");
    (pairs.map_err(|error| error.to_string()), sink.bytes.lock().expect("nobody panics").clone())
}

fn agree<K: Datum, V: Datum>(key: &K, value: &V) {
    let encoded = encode_to_vec(key).expect("a key");
    let short = Image::new(&encoded).map(AnyKey::Short);
    for format in [Format::Text, Format::Raw, Format::Pairs] {
        for room in [usize::MAX, 0] {
            let wanted = written(format, room, |writer| (0..3).try_for_each(|_| writer.write(key, value)));
            for encoded in short.into_iter().chain([AnyKey::Long(&encoded)]) {
                let mut place = Place::<K>::default();
                let found = written(format, room, |writer| {
                    (0..3).try_for_each(|_| writer.write_encoded(encoded, value, &mut place))
                });
                assert_eq!(found.0, wanted.0, "{format:?}, {encoded:?}");
                assert_eq!(found.1.as_bstr(), wanted.1.as_bstr(), "{format:?}, {encoded:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn encoded_keys_are_written_as_the_keys_are(
        text in prop_oneof![4 => "[a-z]{0,30}", 1 => "[\"\\\\\t\n\u{0}\u{1f}aß]{0,9}"],
        number: u64,
    ) {
        agree(&text, &number);
        agree(&text, &number.cast_signed());
        agree(&text, &text);
        agree(&BString::from(text.clone()), &number);
        agree(&(text.clone(), number as u32), &number);
        agree(&(number as i16, text.clone()), &text);
        agree(&(text.clone(), 1.5, true), &number);
        agree(&number, &number);
        agree(&text, &Unwritable);
        agree(&(text, number), &Unwritable);
    }
}
