//! The byte forms of scalars and the marker bytes between them, shared by encoder and decoder.
//!
//! Neither serde nor any input or output is known here.

/// Before the value of a `Some`, an element of a sequence or an entry of a map.
pub(super) const PRESENT: u8 = 1;
/// In place of a `None`, and after the last element or entry.
pub(super) const ABSENT: u8 = 0;
/// A zero byte inside a nested string is followed by this; it sorts after the zero of the terminator.
pub(super) const ZERO_INSIDE: u8 = 0xFF;
/// Zero bytes at the end of a nested string: smaller than anything that can follow in a longer one.
pub(super) const STRING_END: usize = 2;
/// Variant indices from this one on do not fit in a byte: it stands before them.
pub(super) const LONG_VARIANT: u8 = 0xFF;
/// How deep a key may nest. It bounds the stack that reading arbitrary bytes as a recursive type can use.
pub(super) const MAX_DEPTH: u8 = 128;

/// A scalar with a form of `N` bytes that compares as the scalar does.
pub(super) trait Scalar<const N: usize>: Copy {
    /// The ordered bytes of this value.
    fn to_form(self) -> [u8; N];
    /// The value with these ordered bytes: every combination of bytes is one.
    fn from_form(form: [u8; N]) -> Self;
}

macro_rules! unsigned {
    ($($type:ty)*) => {$(
        impl Scalar<{ size_of::<$type>() }> for $type {
            #[inline]
            fn to_form(self) -> [u8; size_of::<$type>()] {
                self.to_be_bytes()
            }

            #[inline]
            fn from_form(form: [u8; size_of::<$type>()]) -> Self {
                Self::from_be_bytes(form)
            }
        }
    )*};
}

macro_rules! signed {
    ($($type:ty)*) => {$(
        impl Scalar<{ size_of::<$type>() }> for $type {
            #[inline]
            fn to_form(self) -> [u8; size_of::<$type>()] {
                (self ^ Self::MIN).to_be_bytes()
            }

            #[inline]
            fn from_form(form: [u8; size_of::<$type>()]) -> Self {
                Self::from_be_bytes(form) ^ Self::MIN
            }
        }
    )*};
}

macro_rules! float {
    ($($type:ty, $bits:ty;)*) => {$(
        impl Scalar<{ size_of::<$type>() }> for $type {
            #[inline]
            fn to_form(self) -> [u8; size_of::<$type>()] {
                const SIGN: $bits = !(<$bits>::MAX >> 1);
                let bits = self.to_bits();
                if bits & SIGN == 0 { bits ^ SIGN } else { !bits }.to_be_bytes()
            }

            #[inline]
            fn from_form(form: [u8; size_of::<$type>()]) -> Self {
                const SIGN: $bits = !(<$bits>::MAX >> 1);
                let ordered = <$bits>::from_be_bytes(form);
                Self::from_bits(if ordered & SIGN == 0 { !ordered } else { ordered ^ SIGN })
            }
        }
    )*};
}

unsigned!(u8 u16 u32 u64 u128);
signed!(i8 i16 i32 i64 i128);
float!(f32, u32; f64, u64;);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn floats_order_as_total_cmp(a: u64, b: u64) {
            let (x, y) = (f64::from_bits(a), f64::from_bits(b));
            prop_assert_eq!(x.to_form().cmp(&y.to_form()), x.total_cmp(&y));
            prop_assert_eq!(f64::from_form(x.to_form()).to_bits(), a);
            let (x, y) = (f32::from_bits(a as u32), f32::from_bits(b as u32));
            prop_assert_eq!(x.to_form().cmp(&y.to_form()), x.total_cmp(&y));
            prop_assert_eq!(f32::from_form(x.to_form()).to_bits(), a as u32);
        }
    }

    #[test]
    fn special_floats_stand_in_their_order() {
        let ascending = [-f64::NAN, f64::NEG_INFINITY, -1.0, -0.0, 0.0, 1.0, f64::INFINITY, f64::NAN];
        assert!(ascending.windows(2).all(|pair| pair[0].to_form() < pair[1].to_form()));
    }
}
