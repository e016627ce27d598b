//! What a file holds, told from its first bytes, in words for an error message.

/// Bytes that [`describe`] looks at.
pub const HEAD: usize = 4096;

/// A kind of file that `signd import` reads, by its first bytes.
#[must_use]
pub fn import_kind(head: &[u8]) -> Option<&'static str> {
    let begins = |magic: &[u8]| head.starts_with(magic);
    // A `.pose` file begins with its version, 0.1 or 0.2, as a little-endian f32.
    Some(match () {
        () if begins(b"\x93NUMPY") => ".npy",
        () if begins(b"PAR1") => ".parquet",
        () if begins(&0.1f32.to_le_bytes()) || begins(&0.2f32.to_le_bytes()) => ".pose",
        () => return None,
    })
}

/// What begins like this; reads as "found ...".
#[must_use]
pub fn describe(head: &[u8]) -> String {
    if let Some(kind) = import_kind(head) {
        return format!("a {kind} file");
    }
    if let Some(library) = mcap_library(head) {
        return format!("an MCAP file written by `{}`", library.escape_debug());
    }
    match head {
        [] => "an empty file".into(),
        _ if head.starts_with(mcap::MAGIC) => "an MCAP file without a header".into(),
        _ if head.starts_with(b"PK\x03\x04") => "a zip archive, as .npz files are".into(),
        _ => match text(head) {
            Some(line) => format!("text that begins with `{line}`"),
            None => {
                let bytes: Vec<_> = head.iter().take(8).map(|b| format!("{b:02x}")).collect();
                format!("data that begins with the bytes {}", bytes.join(" "))
            }
        },
    }
}

/// The library that wrote an MCAP file, as its header says; none where it is no MCAP file.
#[must_use]
pub fn mcap_library(head: &[u8]) -> Option<String> {
    let record = head.strip_prefix(mcap::MAGIC)?.strip_prefix(&[mcap::records::op::HEADER])?;
    let (length, body) = record.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    match mcap::parse_record(mcap::records::op::HEADER, body.get(..length)?) {
        Ok(mcap::records::Record::Header(header)) => Some(header.library),
        _ => None,
    }
}

/// The beginning of the first line, where there is nothing but text.
fn text(head: &[u8]) -> Option<String> {
    let whole = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The last character may be cut in two.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let plain = |c: char| !c.is_control() || c.is_whitespace();
    let line = whole.trim_start().lines().next()?;
    whole.chars().all(plain).then(|| line.chars().take(40).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_how_they_begin() {
        assert_eq!(describe(b""), "an empty file");
        assert_eq!(describe(b"\n[record]\nx = 1"), "text that begins with `[record]`");
        assert_eq!(
            describe("grüße".as_bytes().get(..4).unwrap_or_default()),
            "text that begins with `grü`"
        );
        assert_eq!(describe(&[0, 1, 0xfe]), "data that begins with the bytes 00 01 fe");
        assert_eq!(describe(b"PAR1 and more"), "a .parquet file");
        assert_eq!(describe(&[0xcd, 0xcc, 0x4c, 0x3e, 7]), "a .pose file");
        let mut file = std::io::Cursor::new(Vec::new());
        let options = mcap::WriteOptions::new().library("robot 1");
        drop(options.create(&mut file).expect("begins"));
        assert_eq!(describe(&file.into_inner()), "an MCAP file written by `robot 1`");
    }
}
