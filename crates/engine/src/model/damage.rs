//! What is wrong with a file that ONNX Runtime cannot read, in plain words.

/// Says what a file of these bytes is, if it is no whole ONNX model.
pub(super) fn of(bytes: &[u8]) -> Option<String> {
    let again = "copy or download it again";
    if bytes.is_empty() {
        return Some(format!("the file is empty: {again}"));
    }
    if bytes.get(4..8) == Some(b"TFL3") {
        return Some(
            "a TensorFlow Lite model: models/signd_models/convert makes an ONNX model of it".into(),
        );
    }
    // An ONNX model begins with the number of its version.
    if bytes.first() != Some(&0x08) {
        return Some("not an ONNX model: name a file that is one".into());
    }
    match missing(bytes) {
        Some(0) => None,
        Some(missing) => Some(format!(
            "the file ends early or is damaged, its last field lacks {missing} bytes: {again}"
        )),
        None => Some("not an ONNX model: name a file that is one".into()),
    }
}

/// How many bytes the last field lacks; nothing if these are no fields of a protobuf message, as an
/// ONNX model is one. Its fields have the numbers 1 to 25, and the first is a small number: the
/// version.
fn missing(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(tag) = varint(&mut rest) else { return Some(1) };
        if !(1..=25).contains(&(tag >> 3)) {
            return None;
        }
        let length = match tag & 7 {
            0 => match varint(&mut rest) {
                Some(_) => 0,
                None => return Some(1),
            },
            2 => match varint(&mut rest) {
                Some(length) => usize::try_from(length).ok()?,
                None => return Some(1),
            },
            _ => return None,
        };
        match rest.get(length..) {
            Some(after) => rest = after,
            None => return Some(length - rest.len()),
        }
    }
    Some(0)
}

/// The next number of protobuf's variable length, at most ten bytes of seven bits.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let end = bytes.iter().take(10).position(|byte| byte & 0x80 == 0)?;
    let (number, rest) = bytes.split_at(end + 1);
    *bytes = rest;
    Some(number.iter().rev().fold(0, |all, byte| (all << 7) | u64::from(byte & 0x7f)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_an_empty_and_another_file_are_told_apart() {
        let whole = std::fs::read("../../tests/models/place.onnx").expect("reads");
        assert_eq!(of(&whole), None);
        let half = of(&whole[..whole.len() / 2]).expect("cut");
        assert!(half.contains("ends early"), "{half}");
        for (bytes, words) in [
            (&b""[..], "is empty"),
            (b"hello world", "not an ONNX model"),
            (b"version https://git-lfs.github.com/spec/v1", "not an ONNX model"),
            (b"<!DOCTYPE html>", "not an ONNX model"),
            (b"PK\x03\x04", "not an ONNX model"),
            (b"\x1c\0\0\0TFL3\x14\0", "models/signd_models/convert"),
        ] {
            let said = of(bytes).expect("damaged");
            assert!(said.contains(words), "{said}");
        }
        for length in 0..whole.len() {
            of(&whole[..length]); // never panics
        }
    }
}
