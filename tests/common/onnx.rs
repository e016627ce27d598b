//! Changes to the bytes of a model file.
//!
//! ONNX is a protobuf message. Of fields that are given twice the later one wins, and lists and
//! messages are joined, so a change is mostly what is written behind the end of the file.

/// Another value for a key of the metadata.
pub fn metadata(key: &str, value: &str) -> Vec<u8> {
    field(14, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat())
}

/// One more input `[B, width]`, of which nothing is made.
pub fn input(name: &str, width: u8) -> Vec<u8> {
    field(7, &field(11, &value(name, width)))
}

/// One more output `[B, width]`.
pub fn output(name: &str, width: u8) -> Vec<u8> {
    field(7, &field(12, &value(name, width)))
}

/// One more node behind all others.
pub fn node(op: &str, of: &[&str], gives: &str) -> Vec<u8> {
    let inputs: Vec<u8> = of.iter().flat_map(|name| field(1, name.as_bytes())).collect();
    let node = [inputs, field(2, gives.as_bytes()), field(4, op.as_bytes())].concat();
    field(7, &field(1, &node))
}

/// The file with these bytes in place of those, of the same length.
pub fn renamed(file: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut file = file.to_vec();
    let found: Vec<usize> = (0..file.len()).filter(|i| file[*i..].starts_with(from)).collect();
    assert!(!found.is_empty());
    found.iter().for_each(|i| file[*i..][..to.len()].copy_from_slice(to));
    file
}

/// A tensor of 32-bit floats.
fn value(name: &str, width: u8) -> Vec<u8> {
    let shape = [field(1, &field(2, b"B")), field(1, &[8, width])].concat();
    let tensor = [vec![8, 1], field(2, &shape)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

/// A field with a length: tag, length, content.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let (mut head, mut length) = (vec![number << 3 | 2], content.len());
    while length > 0x7f {
        head.push(length as u8 | 0x80);
        length >>= 7;
    }
    head.push(length as u8);
    [&head, content].concat()
}
