//! Encodings, hashes and partitions that must never change: committed runs and partition counts rely on them.
//!
//! The bytes were spelled out by hand from the table in [`super`], the hashes come from another implementation of
//! XXH3. Laws that hold for all keys are in [`super::order`].

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::time::Duration;

use bstr::BStr;
use serde::{Serialize, Serializer};

use super::{Code, encode, encode_to_vec, hash, partition_of};

#[derive(Debug, Serialize)]
struct Word(String);

#[derive(Debug, Serialize)]
struct Nothing;

#[derive(Debug, Serialize)]
struct Place {
    town: String,
    number: i32,
}

#[derive(Debug, Serialize)]
enum Shape {
    Empty,
    Circle(u8),
    Box(u8, bool),
    Named { name: String },
}

/// An enum variant of any index.
#[derive(Debug)]
struct Variant(u32);

impl Serialize for Variant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit_variant("Variant", self.0, "")
    }
}

/// Checks the encoding in hexadecimal, its hash, and its partition of 7 and of 1000.
#[track_caller]
fn check<T: Serialize + Debug + ?Sized>(key: &T, hex: &str, expected: u64, partitions: [u32; 2]) {
    let in_hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    let encoded = encode_to_vec(key).expect("the key can be encoded");
    assert_eq!(in_hex(&encoded), hex, "encoding of {key:?}");
    let hash = hash(&encoded);
    assert_eq!(hash, expected, "hash of {key:?}");
    assert_eq!([7, 1000].map(|count| partition_of(hash, count)), partitions, "partitions of {key:?}");
    let mut scratch = Code::default();
    for left_over in [("left over", 7_u8), ("left over, and too long for an image", 7)] {
        encode(&left_over, &mut scratch, |_| ()).expect("the key can be encoded");
        let again = encode(key, &mut scratch, |encoded| encoded.with_bytes(in_hex));
        assert_eq!(again.expect("the key can be encoded"), hex, "encoding of {key:?} in a used scratch");
    }
}

#[test]
fn strings() {
    check(&"", "", 0x2d06_8005_38d3_94c2, [1, 175]);
    check(&"the", "74 68 65", 0xcb12_8363_1cf3_3d7d, [5, 793]);
    check(&"na\u{ef}ve\0", "6e 61 c3 af 76 65 00", 0x6f71_aafb_12b5_0e50, [3, 435]);
    check(
        &"more than sixteen bytes",
        "6d 6f 72 65 20 74 68 61 6e 20 73 69 78 74 65 65 6e 20 62 79 74 65 73",
        0x8b19_e078_60a8_4e93,
        [3, 543],
    );
    check(&Word("the".into()), "74 68 65", 0xcb12_8363_1cf3_3d7d, [5, 793]);
    check(&BStr::new(b"\x00\xff"), "00 ff", 0xa99b_043a_346c_8bf3, [4, 662]);
}

#[test]
fn scalars() {
    check(&(), "", 0x2d06_8005_38d3_94c2, [1, 175]);
    check(&Nothing, "", 0x2d06_8005_38d3_94c2, [1, 175]);
    check(&false, "00", 0xc44b_dff4_074e_ecdb, [5, 766]);
    check(&true, "01", 0xe12e_f9d2_eb86_ceeb, [6, 879]);
    check(&0x12u8, "12", 0x32fa_b814_2e1b_3006, [1, 199]);
    check(&0x1234u16, "12 34", 0x193e_7467_4739_aeac, [0, 98]);
    check(&0x1234_5678u32, "12 34 56 78", 0x018a_af9f_8e57_9a48, [0, 6]);
    check(&7u64, "00 00 00 00 00 00 00 07", 0xf8c0_126b_89b4_fafc, [6, 971]);
    check(&7usize, "00 00 00 00 00 00 00 07", 0xf8c0_126b_89b4_fafc, [6, 971]);
    check(&1u128, "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01", 0x4152_418f_75dd_93bb, [1, 255]);
    check(&-1i8, "7f", 0x2a14_0471_f45f_f181, [1, 164]);
    check(&i16::MIN, "00 00", 0x3325_230e_1f28_5505, [1, 199]);
    check(&-1i32, "7f ff ff ff", 0xa813_7115_c71a_da49, [4, 656]);
    check(&5i64, "80 00 00 00 00 00 00 05", 0xd52d_a18b_6aaa_2a9c, [5, 832]);
    check(&-2isize, "7f ff ff ff ff ff ff fe", 0xb2b4_e6a4_cc41_dc83, [4, 698]);
    check(&-1i128, "7f ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff", 0xff4b_1c39_ee50_e969, [6, 997]);
    check(&'\u{10ffff}', "00 10 ff ff", 0xddeb_5aa9_6de0_25a2, [6, 866]);
    check(&1.5f32, "bf c0 00 00", 0xda07_691b_734c_f9b3, [5, 851]);
    check(&-1.5f64, "40 07 ff ff ff ff ff ff", 0x7eb9_a28a_b737_abc4, [3, 495]);
    check(&0.0f64, "80 00 00 00 00 00 00 00", 0xb7aa_1c28_d234_f8d6, [5, 717]);
    check(&-0.0f64, "7f ff ff ff ff ff ff ff", 0xf832_fc1d_899f_e591, [6, 969]);
}

#[test]
fn options() {
    check(&None::<u8>, "00", 0xc44b_dff4_074e_ecdb, [5, 766]);
    check(&Some(7u8), "01 07", 0x869e_23d5_8dc6_2d16, [3, 525]);
    check(&Some("a"), "01 61 00 00", 0x8961_e9b7_0595_97d7, [3, 536]);
    check(&Some(None::<u8>), "01 00", 0xab94_ac0a_ce72_76c0, [4, 670]);
}

#[test]
fn tuples_structs_and_arrays() {
    check(&("the", 3u32), "74 68 65 00 00 00 00 00 03", 0x2a7e_ba8a_590d_a14c, [1, 165]);
    check(&("a\0b", "\0"), "61 00 ff 62 00 00 00 ff 00 00", 0x7635_62d8_2ac6_b00a, [3, 461]);
    check(&("no", 7u16, Some(-1i8)), "6e 6f 00 00 00 07 01 7f", 0x587b_3bbf_fe00_62a0, [2, 345]);
    check(&(BStr::new(b"\xff\x00"), ()), "ff 00 ff 00 00", 0xe16b_3c71_144e_78da, [6, 880]);
    check(&[1u16, 2], "00 01 00 02", 0xf10e_bf73_2802_7806, [6, 941]);
    check(
        &Place { town: "Ulm".into(), number: -3 },
        "55 6c 6d 00 00 7f ff ff fd",
        0x811b_7372_a4b8_b8c0,
        [3, 504],
    );
}

#[test]
fn sequences_and_maps() {
    check(&vec![1u16, 2], "01 00 01 01 00 02 00", 0x9fc6_e149_ee72_c653, [4, 624]);
    check(&Vec::<u8>::new(), "00", 0xc44b_dff4_074e_ecdb, [5, 766]);
    check(&vec!["a", ""], "01 61 00 00 01 00 00 00", 0xfd36_d02a_6e0f_88cd, [6, 989]);
    check(
        &BTreeMap::from([(1u8, "x"), (2, "y")]),
        "01 01 78 00 00 01 02 79 00 00 00",
        0xdd45_8113_4ebe_b519,
        [6, 864],
    );
}

#[test]
fn enum_variants() {
    check(&Shape::Empty, "00", 0xc44b_dff4_074e_ecdb, [5, 766]);
    check(&Shape::Circle(9), "01 09", 0x3481_3bca_c9eb_3c09, [1, 205]);
    check(&Shape::Box(1, true), "02 01 01", 0xaac2_c931_6ef2_ae35, [4, 667]);
    check(&Shape::Named { name: "n".into() }, "03 6e 00 00", 0xda4c_1ee6_6b10_c359, [5, 852]);
    check(&Variant(254), "fe", 0x6c19_7e51_b936_4ce3, [2, 422]);
    check(&Variant(255), "ff 00 00 00 ff", 0x1853_2b66_39ee_4bc9, [0, 95]);
    check(&Variant(70_000), "ff 00 01 11 70", 0x55b7_bd1d_0c04_25e0, [2, 334]);
    check(&Ok::<u8, ()>(4), "00 04", 0x2f5c_aa5e_11a5_ab7e, [1, 185]);
}

#[test]
fn library_types() {
    check(&Ipv4Addr::LOCALHOST, "7f 00 00 01", 0xab57_9567_62b0_28c1, [4, 669]);
    check(
        &Duration::from_millis(1500),
        "00 00 00 00 00 00 00 01 1d cd 65 00",
        0xf8eb_5ffd_23e6_2c31,
        [6, 972],
    );
}
