//! Why a frame or a client is refused, most likely, and what its author does about it.

use super::pointers::DocPointer;
use signd_core::frame::BodyPart;
use signd_core::wire::VERSION;

/// What to do about frames that are dropped for this reason. `why` is the last one's, in words, and
/// `accepted` how many frames of the same stream got through beside them.
pub fn of_drop(reason: &str, why: &str, accepted: u64) -> String {
    let known = match reason {
        "parts" => "a message has two parts, the stream id and the frame: \
                    `socket.send_multipart([b\"cam1\", frame])`"
            .into(),
        "stream_id" => stream_id(why),
        "not_allowed" => "list the stream in `publish` of that client in the configuration".into(),
        "too_many_streams" => "keep one stream id for each camera, or raise `max_streams`".into(),
        "oversized" => "send landmarks and no picture: a frame has some 6.6 kB".into(),
        "version" => format!("set `v` to {VERSION}"),
        "malformed" => malformed(why),
        "trailing" => "send one map in a message, and nothing after it".into(),
        "length" => length(why),
        "infinite" => "write NaN for what is missing, never infinity".into(),
        "image_size" => "`w` and `h` are the picture's size in pixels, 1 to 65536".into(),
        "ring_full" => "the machine is too slow: send fewer streams or frames a second".into(),
        "time_not_rising" => {
            "`t` must rise with every frame: stamp each when it is captured, and send none \
                              twice"
                .into()
        }
        "two_producers" => producers(accepted),
        _ => String::new(),
    };
    let (page, client) = (DocPointer::WireFormat.path(), DocPointer::Client.path());
    match known.is_empty() {
        true => format!("{page} says what a frame is, and {client} sends some"),
        false => format!("{known} (see {page} and {client})"),
    }
}

/// What to do about clients that are refused for this reason.
pub fn of_client(reason: &str) -> &'static str {
    match reason {
        "unknown_key" => "list its public key under [keys.clients.NAME], and reload",
        "not_allowed" => "its key has another right: see `publish` and `subscribe` of that client",
        _ => "give that client a key of its own and the daemon's public key (`signd keygen`)",
    }
}

fn stream_id(why: &str) -> String {
    // Only a short text is quoted: a frame in the place of the id is not.
    if why.starts_with("part 1 of") {
        return "part 1 is the stream id and part 2 the frame: are they the wrong way round?"
            .into();
    }
    let space = if why.split('"').nth(1).is_some_and(|id| id.contains(' ')) {
        ", without spaces"
    } else {
        ""
    };
    format!("a stream id is 1 to 64 of A-Za-z0-9._-{space}")
}

/// By the words of the decoder.
fn malformed(why: &str) -> String {
    let quoted = why.split('`').nth(1).unwrap_or_default();
    if why.contains("missing field") {
        return format!(
            "the map lacks `{quoted}`: every frame has `v` (1), `seq`, `t`, `w` and `h`"
        );
    }
    if why.contains("duplicate field") {
        return format!("`{quoted}` is in the map twice");
    }
    let table = [
        (
            "no MessagePack map",
            "part 2 is a MessagePack map with string keys, and no JSON, array or picture",
        ),
        (
            "floating point",
            "`v`, `seq`, `t`, `w` and `h` are whole numbers: `t` is `int(seconds * 1e9)`",
        ),
        (
            "invalid type: sequence",
            "a part is bytes and no list: `points.astype(\"<f4\").tobytes()`",
        ),
        ("invalid type: map", "a part is bytes and no map: `points.astype(\"<f4\").tobytes()`"),
        (
            "wrong msgpack marker",
            "`v`, `seq`, `t`, `w` and `h` are whole numbers, and no text, list or nil",
        ),
        ("integer `-", "`seq` and `t` are never negative"),
        ("expected u32", "`w` and `h` are the picture's size in pixels, 1 to 65536"),
    ];
    let found = table.iter().find(|(words, _)| why.contains(words));
    found.map_or_else(
        || "part 2 is a MessagePack map: was it sent whole?".into(),
        |(_, remedy)| (*remedy).into(),
    )
}

/// By the number of bytes: other numbers, or more or fewer of them, than a point has.
fn length(why: &str) -> String {
    let exact = "send x, y and z of each point as little-endian float32: \
                 `points[:, :3].astype(\"<f4\").tobytes()`";
    let (name, rest) = why.split_once(": ").unwrap_or_default();
    let found: usize = rest.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let counts = match BodyPart::ALL.iter().find(|part| part.name() == name) {
        Some(BodyPart::Face) => vec![468, 478],
        Some(part) => vec![part.range().len()],
        None => return exact.into(),
    };
    if found == 0 {
        return "send nil for a part that was not detected, and no empty bytes".into();
    }
    // The likeliest first: float64, then a visibility beside each point, then no depth.
    for (bytes, numbers) in [(8, 3), (4, 4), (4, 2), (8, 4), (8, 2), (4, 5), (2, 3)] {
        if let Some(points) = counts.iter().find(|points| *points * bytes * numbers == found) {
            let bits = 8 * bytes;
            // Base64 makes four bytes of three, and so do four numbers of three.
            let text = if (bytes, numbers) == (4, 4) { " or of base64 text" } else { "" };
            return format!(
                "this looks like {points} points of {numbers} float{bits}{text}: {exact}"
            );
        }
    }
    let points = counts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    format!("`{name}` has {points} points, those of MediaPipe Holistic: {exact}")
}

fn producers(accepted: u64) -> String {
    match accepted < 10 {
        true => "does `seq` rise? It is the number of the frame, +1 for each captured. If it does, two programs \
                 send on this stream id: stop one"
            .into(),
        false => "two programs send on this stream id: stop one, or give each an id of its own".into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use signd::ingest;
    use signd_core::wire::landmarks;

    /// The remedy for a frame with these changes; null takes a key away.
    fn remedy(changes: serde_json::Value) -> String {
        let mut frame = json!({"v": 1, "seq": 1, "t": 1, "w": 640, "h": 480});
        for (key, value) in changes.as_object().expect("a map") {
            match value.is_null() {
                true => drop(frame.as_object_mut().expect("a map").remove(key)),
                false => frame[key] = value.clone(),
            }
        }
        refused(&rmp_serde::to_vec(&frame).expect("packs"))
    }

    fn refused(message: &[u8]) -> String {
        let why = landmarks::decode(message).expect_err("refused").to_string();
        let reason = if why.contains("bytes (") { "length" } else { "malformed" };
        let reason = if why.starts_with("version") { "version" } else { reason };
        of_drop(reason, &why, 0)
    }

    /// A frame whose part has so many bytes.
    fn sized(part: &str, bytes: usize) -> String {
        let mut frame = rmp_serde::to_vec(&json!({"v": 1, "seq": 1, "t": 1, "w": 640, "h": 480}))
            .expect("packs");
        frame[0] += 1;
        frame.extend(rmp_serde::to_vec(part).expect("packs"));
        frame
            .extend(rmp_serde::to_vec(&serde_bytes::ByteBuf::from(vec![0; bytes])).expect("packs"));
        refused(&frame)
    }

    // Six of six bad clients got "no frame arrived, start the camera client".
    #[test]
    fn a_client_that_packs_a_frame_wrongly_is_told_what_is_wrong() {
        assert!(remedy(json!({"v": null})).contains("lacks `v`"));
        assert!(remedy(json!({"h": null})).contains("lacks `h`"));
        assert!(remedy(json!({"v": 2})).contains("set `v` to 1"));
        assert!(remedy(json!({"t": 1764.5})).contains("int(seconds * 1e9)"));
        assert!(remedy(json!({"t": "1764"})).contains("no text, list or nil"));
        assert!(remedy(json!({"t": -1})).contains("never negative"));
        assert!(remedy(json!({"seq": [1]})).contains("no text, list or nil"));
        assert!(remedy(json!({"pose": [0.5, 0.5, 0.0]})).contains("bytes and no list"));
        assert!(remedy(json!({"pose": {"nd": true}})).contains("bytes and no map"));
        assert!(remedy(json!({"pose": "A".repeat(528)})).contains("base64 text"));
        assert!(refused(br#"{"v":1}"#).contains("no JSON"));
        assert!(refused(&[0x93, 1, 2, 3]).contains("MessagePack map"));
        assert!(refused(&[0x85, 0xa1]).contains("sent whole?"));
    }

    #[test]
    fn a_part_of_another_length_is_told_by_its_length() {
        assert!(sized("face", 11_232).contains("points of 3 float64"));
        assert!(sized("face", 478 * 24).contains("points of 3 float64"));
        assert!(sized("pose", 33 * 16).contains("points of 4 float32"));
        assert!(sized("pose", 33 * 32).contains("points of 4 float64"));
        assert!(sized("left_hand", 21 * 8).contains("points of 2 float32"));
        assert!(sized("right_hand", 21 * 6).contains("points of 3 float16"));
        assert!(sized("right_hand", 0).contains("nil for a part"));
        assert!(sized("pose", 25 * 12).contains("`pose` has 33 points"));
    }

    #[test]
    fn ids_and_producers_are_told_apart() {
        let id = |part: &[u8]| of_drop("stream_id", &ingest::no_stream_id(part), 0);
        assert!(id(b"living room").contains("without spaces"));
        assert!(!id(b"").contains("spaces"));
        assert!(id(&[0x85; 6000]).contains("wrong way round"));
        assert!(of_drop("two_producers", "", 1).starts_with("does `seq` rise?"));
        assert!(of_drop("two_producers", "", 90).starts_with("two programs send"));
        assert!(of_drop("a later reason", "", 0).contains("says what a frame is"));
    }
}
