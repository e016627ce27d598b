//! The header of one array in numpy's own format: element type, order and shape as a short text.
//!
//! It is read here and not by a library because the shape is only a claim. Multiplied out without care
//! it overflows. Taken on trust it reserves memory that the file does not fill.

use std::io::{self, Read};

use crate::import::error::{ImportError, unexpected};

/// Longest header text in bytes. Numpy writes 118 for a plain array.
const MAX_HEADER: u32 = 1 << 16;

/// An element type that numpy writes for numbers, always little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberType {
    F32,
    F64,
    I16,
    I32,
    I64,
}

impl NumberType {
    fn of(descr: &str) -> Option<NumberType> {
        match descr {
            "<f4" => Some(NumberType::F32),
            "<f8" => Some(NumberType::F64),
            "<i2" => Some(NumberType::I16),
            "<i4" => Some(NumberType::I32),
            "<i8" => Some(NumberType::I64),
            _ => None,
        }
    }

    /// Bytes of one element.
    pub(super) fn bytes(self) -> usize {
        match self {
            NumberType::I16 => 2,
            NumberType::F32 | NumberType::I32 => 4,
            NumberType::F64 | NumberType::I64 => 8,
        }
    }
}

/// What stands before the elements.
#[derive(Debug)]
pub(super) struct ArrayHeader {
    /// The element type in numpy's words, as `<f4`.
    pub(super) descr: String,
    /// The same where it is a number that can be read here.
    pub(super) kind: Option<NumberType>,
    /// Whether the first index runs fastest.
    pub(super) fortran: bool,
    /// Claimed, not yet backed by bytes.
    pub(super) shape: Vec<u64>,
}

impl ArrayHeader {
    /// Reads up to the first element.
    pub(super) fn read(from: &mut (impl Read + ?Sized)) -> Result<ArrayHeader, ImportError> {
        let mut magic = [0; 8];
        fill(from, &mut magic, "the array's header")?;
        let [start @ .., major, minor] = magic;
        if start != *b"\x93NUMPY" {
            let found = String::from_utf8_lossy(&start).escape_debug().to_string();
            return Err(unexpected("array", "numpy's mark", found));
        }
        let length = match major {
            1 => {
                let mut length = [0; 2];
                fill(from, &mut length, "the array's header")?;
                u32::from(u16::from_le_bytes(length))
            }
            2 | 3 => {
                let mut length = [0; 4];
                fill(from, &mut length, "the array's header")?;
                u32::from_le_bytes(length)
            }
            _ => {
                let found = format!("{major}.{minor}");
                return Err(unexpected("array format version", "1.0 to 3.0", found));
            }
        };
        if length > MAX_HEADER {
            let most = format!("at most {MAX_HEADER} bytes");
            return Err(unexpected("array header", most, length));
        }
        let mut text = vec![0; length as usize];
        fill(from, &mut text, "the array's header")?;
        let text = String::from_utf8_lossy(&text);
        ArrayHeader::parse(&text).ok_or_else(|| {
            let expected = "'descr' (one plain type), 'fortran_order' and 'shape'";
            unexpected("array header", expected, text.trim_end().escape_debug())
        })
    }

    /// The three entries that numpy always writes. Not a Python parser.
    fn parse(text: &str) -> Option<ArrayHeader> {
        let entry = |key: &str| Some(text.split_once(key)?.1.trim_start());
        let descr = entry("'descr':")?.strip_prefix('\'')?.split_once('\'')?.0;
        let order = entry("'fortran_order':")?;
        let fortran = order.starts_with("True");
        if !fortran && !order.starts_with("False") {
            return None;
        }
        let shape = entry("'shape':")?.strip_prefix('(')?.split_once(')')?.0;
        let lengths = shape.split(',').map(str::trim).filter(|length| !length.is_empty());
        Some(ArrayHeader {
            descr: descr.to_owned(),
            kind: NumberType::of(descr),
            fortran,
            shape: lengths.map(|length| length.parse().ok()).collect::<Option<_>>()?,
        })
    }
}

/// Reads exactly as many bytes as `into` has room for.
pub(super) fn fill(
    from: &mut (impl Read + ?Sized),
    into: &mut [u8],
    what: &'static str,
) -> Result<(), ImportError> {
    let mut found = 0;
    while let Some(rest) = into.get_mut(found..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => {
                let expected = into.len() as u64;
                return Err(ImportError::Truncated { what, expected, found: found as u64 });
            }
            Ok(bytes) => found += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Checks that nothing follows. In an archive this also makes the checksum be compared.
pub(super) fn end(from: &mut (impl Read + ?Sized)) -> Result<(), ImportError> {
    match fill(from, &mut [0], "") {
        Err(ImportError::Truncated { .. }) => Ok(()),
        Ok(()) => Err(unexpected("after the array's last element", "nothing", "more bytes")),
        Err(error) => Err(error),
    }
}

/// A whole small array of exactly `count` numbers, whatever its shape and number type.
pub(super) fn numbers(
    from: &mut (impl Read + ?Sized),
    name: &str,
    count: usize,
) -> Result<Vec<f64>, ImportError> {
    let ArrayHeader { descr, kind, shape, .. } = ArrayHeader::read(from)?;
    let length = shape.iter().try_fold(1u64, |length, n| length.checked_mul(*n));
    if length != Some(count as u64) {
        let expected = format!("{count} element(s)");
        return Err(unexpected(format!("array {name:?}"), expected, format!("shape {shape:?}")));
    }
    let Some(kind) = kind else {
        let expected = "<f4, <f8, <i2, <i4 or <i8";
        return Err(unexpected(format!("type of array {name:?}"), expected, descr));
    };
    let mut bytes = vec![0; count * kind.bytes()];
    fill(from, &mut bytes, "a small array")?;
    end(from)?;
    Ok(match kind {
        NumberType::F32 => each(&bytes, |b| f64::from(f32::from_le_bytes(b))),
        NumberType::F64 => each(&bytes, f64::from_le_bytes),
        NumberType::I16 => each(&bytes, |b| f64::from(i16::from_le_bytes(b))),
        NumberType::I32 => each(&bytes, |b| f64::from(i32::from_le_bytes(b))),
        NumberType::I64 => each(&bytes, |b| i64::from_le_bytes(b) as f64),
    })
}

/// Decodes elements of `N` bytes each.
pub(super) fn each<const N: usize, T>(bytes: &[u8], decode: impl FnMut([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().copied().map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        match version {
            1 => bytes.extend((header.len() as u16).to_le_bytes()),
            _ => bytes.extend((header.len() as u32).to_le_bytes()),
        }
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn message(bytes: &[u8]) -> String {
        numbers(&mut &bytes[..], "fps", 1).unwrap_err().to_string()
    }

    #[test]
    fn headers_of_all_versions_and_number_types_are_read() {
        let thirty: [(&str, &[u8]); 5] = [
            ("<f4", &30f32.to_le_bytes()),
            ("<f8", &30f64.to_le_bytes()),
            ("<i2", &30i16.to_le_bytes()),
            ("<i4", &30i32.to_le_bytes()),
            ("<i8", &30i64.to_le_bytes()),
        ];
        for (descr, data) in thirty {
            for (version, shape) in [(1, "()"), (2, "(1,)"), (3, "(1, 1)")] {
                let header =
                    format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
                let bytes = array(version, &header, data);
                assert_eq!(numbers(&mut &bytes[..], "fps", 1).unwrap(), [30.0]);
            }
        }
    }

    #[test]
    fn an_array_cut_anywhere_is_an_error() {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (), }\n";
        let bytes = array(1, header, &30f32.to_le_bytes());
        for length in 0..bytes.len() {
            let cut = numbers(&mut &bytes[..length], "fps", 1);
            assert!(matches!(cut, Err(ImportError::Truncated { .. })), "{length}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let header = "{'descr': '>f4', 'fortran_order': False, 'shape': (), }";
        let expected = "type of array \"fps\": expected <f4, <f8, <i2, <i4 or <i8, found >f4";
        assert_eq!(message(&array(1, header, &[0; 4])), expected);

        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
        let expected = "array \"fps\": expected 1 element(s), found shape [2, 3]";
        assert_eq!(message(&array(1, header, &[0; 24])), expected);

        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (), }";
        let expected = "after the array's last element: expected nothing, found more bytes";
        assert_eq!(message(&array(1, header, &[0; 5])), expected);

        assert!(message(&array(9, header, &[0; 4])).ends_with("expected 1.0 to 3.0, found 9.0"));
    }

    #[test]
    fn absurd_claims_cost_no_memory() {
        let shape = "(18446744073709551615, 18446744073709551615)";
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}");
        assert!(message(&array(1, &header, &[])).contains("expected 1 element(s)"));
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}";
        assert!(message(&array(1, header, &[])).contains("array header"));
        let header = "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}";
        assert!(message(&array(1, header, &[])).contains("one plain type"));

        let mut bytes = array(2, "", &[]);
        bytes[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(message(&bytes), "array header: expected at most 65536 bytes, found 4294967295");
    }
}
