//! What is read of files that are damaged, foreign or odd, and what is said of the rest.

use std::io::{Cursor, Write};

use mcap::records::op;

use super::*;
use signd_core::frame::{ArrivalTime, BodyPart, Frame, SourceTime};
use signd_core::stream_id;
use signd_core::wire::landmarks;

/// A frame's message.
fn wire(seq: u64) -> Vec<u8> {
    let mut frame = Frame::new(seq, SourceTime(1_000 + seq), 640, 480);
    frame.detect(BodyPart::RightHand).fill([0.5, 0.25, 0.0]);
    let mut out = Vec::new();
    landmarks::encode(&frame, &mut out);
    out
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u64).to_le_bytes(), body].concat()
}

fn channel(id: u16, schema: u16, topic: &str, encoding: &str) -> Vec<u8> {
    let ids = [id.to_le_bytes(), schema.to_le_bytes()].concat();
    record(op::CHANNEL, &[ids, text(topic), text(encoding), vec![0; 4]].concat())
}

fn message(channel: u16, log_time: u64, data: &[u8]) -> Vec<u8> {
    let head = [&channel.to_le_bytes()[..], &[0; 4], &log_time.to_le_bytes(), &[0; 8]].concat();
    record(op::MESSAGE, &[&head, data].concat())
}

fn schema(id: u16, name: &str) -> Vec<u8> {
    let body = [id.to_le_bytes().to_vec(), text(name), text("jsonschema"), text("{}")].concat();
    record(op::SCHEMA, &body)
}

fn chunk(compression: &str, records: &[u8]) -> Vec<u8> {
    let packed = match compression {
        "zstd" => zstd::encode_all(records, 0).expect("packs"),
        "lz4" => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
            encoder.write_all(records).expect("packs");
            encoder.finish().expect("packs")
        }
        _ => records.to_vec(),
    };
    let sizes = [
        &[0; 16][..],
        &(records.len() as u64).to_le_bytes(),
        &crc32fast::hash(records).to_le_bytes(),
    ];
    let packed = [&(packed.len() as u64).to_le_bytes()[..], &packed].concat();
    record(op::CHUNK, &[sizes.concat(), text(compression), packed].concat())
}

/// Bytes that end a file: the end of the data, the footer, the magic.
const END: usize = 13 + 29 + 8;

/// A finished file with these records, and CRCs as a writer computes them.
fn file(library: &str, records: &[Vec<u8>]) -> Vec<u8> {
    let header = record(op::HEADER, &[text(""), text(library)].concat());
    let data = [mcap::MAGIC, &header, &records.concat()].concat();
    let end = record(op::DATA_END, &crc32fast::hash(&data).to_le_bytes());
    let mut footer = record(op::FOOTER, &[0; 20]);
    footer.truncate(25);
    let crc = crc32fast::hash(&footer).to_le_bytes();
    [&data[..], &end, &footer, &crc, mcap::MAGIC].concat()
}

/// Three frames of cam1, as another's file with these chunks.
fn clip(compression: &str) -> Vec<u8> {
    let messages = (0..3).flat_map(|seq| message(1, 10 + seq, &wire(seq)));
    let records: Vec<u8> =
        channel(1, 0, "landmarks/cam1", "msgpack").into_iter().chain(messages).collect();
    file("robot", &[chunk(compression, &records)])
}

/// Log times and number of bytes of all frames, and what is said of the rest.
fn seen(bytes: &[u8]) -> Result<(Vec<(u64, usize)>, RecordingLosses), RecordingError> {
    let mut seen = Vec::new();
    let losses = read(bytes, |ArrivalTime(at), item| {
        if let RecordingItem::Frame(_, wire) = item {
            seen.push((at, wire.len()));
        }
        Ok::<_, RecordingError>(())
    })?;
    Ok((seen, losses))
}

fn said(bytes: &[u8]) -> String {
    match seen(bytes) {
        Ok((_, losses)) => losses.to_string(),
        Err(error) => error.to_string(),
    }
}

fn recorded() -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let mut recorder = RecordingWriter::new(&mut out).expect("begins");
    let cam = stream_id::parse(b"cam1").expect("valid");
    for seq in 0..3 {
        recorder.frame(&cam, ArrivalTime(seq), SourceTime(seq), &wire(seq)).expect("written");
    }
    recorder.finish().expect("finished");
    out.into_inner()
}

// mcap#577, #1390
#[test]
fn a_flipped_bit_anywhere_in_a_recording_is_told() {
    for good in [recorded(), clip(""), clip("zstd"), clip("lz4")] {
        assert_eq!(seen(&good).expect("reads").1, RecordingLosses::default());
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << (at % 8);
            let told = seen(&bytes).map_or(true, |(_, losses)| losses.any());
            assert!(told, "byte {at} of {}", good.len());
        }
    }
}

#[test]
fn what_lies_before_damage_is_read_and_nothing_after_it() {
    let channel = channel(1, 0, "landmarks/cam1", "msgpack");
    let chunks: Vec<_> = (0..3).map(|seq| chunk("", &message(1, seq, &wire(seq)))).collect();
    let mut parts = vec![chunk("", &channel)];
    parts.extend(chunks.clone());
    let mut bytes = file("robot", &parts);
    let at = bytes.len() - END - 2 * chunks[2].len() + 100; // in the second frame's chunk
    bytes[at] ^= 4;
    let (frames, losses) = seen(&bytes).expect("reads");
    assert_eq!(frames.len(), 1);
    let told = losses.to_string();
    assert!(told.starts_with("damaged at byte ") && told.contains("expected CRC"), "{told}");
}

// mcap#389, #697
#[test]
fn compressed_chunks_are_read_and_other_errors_are_not_taken_for_a_cut() {
    let plain = seen(&clip("")).expect("reads").0;
    assert_eq!(plain.len(), 3);
    for compression in ["zstd", "lz4"] {
        let bytes = clip(compression);
        assert_eq!(seen(&bytes).expect("reads").0, plain, "{compression}");
        let unfinished = &bytes[..bytes.len() - END];
        let (frames, losses) = seen(unfinished).expect("reads");
        assert_eq!(frames, plain, "{compression}");
        assert_eq!(losses.stop.expect("cut").fault, McapFault::Cut);
    }
    let bytes = clip("brotli");
    for bytes in [&bytes[..], &bytes[..bytes.len() - END]] {
        let told = said(bytes);
        assert!(told.contains("`brotli` is not supported (expected zstd, lz4 or none)"), "{told}");
    }
}

#[test]
fn a_chunk_or_record_that_claims_to_be_huge_takes_no_memory() {
    for (found, claim) in [("unpacks to", u64::MAX), ("does not unpack to", 1 << 20)] {
        let mut chunk = chunk("zstd", &message(1, 0, &wire(0)));
        chunk[25..33].copy_from_slice(&claim.to_le_bytes());
        let told = said(&file("robot", &[chunk]));
        assert!(told.contains(found), "{told}");
    }
    let mut long = message(1, 0, &wire(0));
    long[1..9].copy_from_slice(&(u64::MAX - 8).to_le_bytes());
    assert!(said(&file("robot", &[long.clone()])).contains("damaged"));
    assert!(said(&file("robot", &[chunk("", &long)])).contains("in the middle of a record"));
}

#[test]
fn another_programs_file_is_read_by_log_time_and_signds_as_it_was_written() {
    let times = [30, 10, 20];
    let messages: Vec<u8> = times.iter().flat_map(|t| message(1, *t, &wire(*t))).collect();
    let parts = [channel(1, 0, "landmarks/cam1", "msgpack"), messages];
    let order = |library: &str| {
        let frames = seen(&file(library, &parts)).expect("reads").0;
        frames.into_iter().map(|(at, _)| at).collect::<Vec<_>>()
    };
    assert_eq!(order("robot"), [10, 20, 30]);
    assert_eq!(order("signd 0.1.0"), times);
}

#[test]
fn a_file_without_landmarks_names_the_topics_there_are() {
    let foreign = file("robot", &[channel(1, 0, "/camera/landmarks", "cdr"), message(1, 0, b"x")]);
    assert_eq!(
        said(&foreign),
        "no landmarks in it: expected topics `landmarks/STREAM`, found `/camera/landmarks`"
    );
    assert!(said(&file("robot", &[])).ends_with("found no topic"));
    let silent = file("robot", &[channel(1, 0, "landmarks/cam1", "msgpack")]);
    assert_eq!(said(&silent), "no frame in it: its `landmarks/` topics hold no message");
    let cut = &recorded()[..60];
    assert_eq!(said(cut), format!("no frame can be read: cut short at byte {}", cut_at(cut)));
}

/// Where the record begins in which these bytes end.
fn cut_at(bytes: &[u8]) -> usize {
    8 + 9 + usize::from(bytes[9])
}

#[test]
fn what_is_no_recording_is_told_by_how_it_begins() {
    assert_eq!(
        said(b"[record]\npath = 3"),
        "expected a recording (MCAP), found text that begins with `[record]`"
    );
    assert!(said(b"").ends_with("found an empty file"));
}

#[test]
fn messages_that_cannot_be_used_are_counted_by_reason() {
    let good = || message(1, 0, &wire(0));
    let with = |id: u16, topic: &str, encoding: &str, data: &[u8]| {
        let parts =
            [channel(1, 0, "landmarks/cam1", "msgpack"), good(), channel(id, 0, topic, encoding)];
        file("robot", &[&parts[..], &[message(id, 1, data), message(id, 2, data)]].concat())
    };
    for (topic, encoding, data, expected) in [
        (
            "landmarks/cam2",
            "cdr",
            &b"x"[..],
            "2 passed over: messages of `landmarks/cam2` in `cdr`",
        ),
        ("landmarks/a b", "msgpack", b"x", "2 passed over: messages of `landmarks/a b`, which"),
        ("ticks/cam1", "json", b"{", "2 passed over: messages of `ticks/cam1` that cannot be read"),
        ("events/cam1", "msgpack", &[0xc1], "2 passed over: messages of `events/cam1` that"),
        ("run", "json", b"[]", "2 passed over: messages of `run` that cannot be read"),
    ] {
        let (frames, losses) = seen(&with(2, topic, encoding, data)).expect("reads");
        assert_eq!(frames.len(), 1);
        assert!(losses.any() && losses.to_string().starts_with(expected), "{losses}");
    }
    let refused = with(2, "landmarks/cam2", "msgpack", b"\x80");
    let (kept, losses) = frames(&refused).expect("reads");
    assert_eq!(kept.len(), 1);
    let expected = "2 passed over: frames of stream cam2 refused as `malformed` (the first: ";
    assert!(losses.to_string().starts_with(expected), "{losses}");
}

#[test]
fn odd_schemas_are_told_and_take_nothing_away() {
    let with = |schemas: Vec<u8>| {
        let parts = [schemas, channel(1, 7, "landmarks/cam1", "msgpack"), message(1, 0, &wire(0))];
        let (frames, losses) = seen(&file("robot", &parts)).expect("reads");
        assert!(frames.len() == 1 && !losses.any());
        losses.to_string()
    };
    assert!(with(schema(7, "pose")).contains("names the schema `pose`"));
    assert!(with(Vec::new()).contains("names schema 7, which is not in the file"));
    assert!(!with([schema(7, "pose"), schema(7, "pose")].concat()).contains("twice"));
    assert!(with([schema(7, "pose"), schema(7, "hand")].concat()).contains("twice"));
}

#[test]
fn a_recording_out_of_which_messages_were_taken_is_told() {
    let statistics = record(op::STATISTICS, &[&3u64.to_le_bytes()[..], &[0; 34]].concat());
    let parts = [channel(1, 0, "landmarks/cam1", "msgpack"), message(1, 0, &wire(0))];
    let mut bytes = file("robot", &parts);
    bytes.truncate(bytes.len() - 29 - 8);
    let footer = record(op::FOOTER, &[0; 20]);
    let told = said(&[&bytes[..], &statistics, &footer, mcap::MAGIC].concat());
    assert!(told.contains("counts 3 messages, and there are 1"), "{told}");
}

#[test]
fn two_files_in_one_and_contradicting_channels_are_told() {
    let two = [recorded(), recorded()].concat();
    let (frames, losses) = seen(&two).expect("reads");
    assert_eq!(frames.len(), 3);
    assert!(
        losses.to_string().contains(&format!("but {} bytes follow", two.len() / 2)),
        "{losses}"
    );
    let parts = [
        channel(1, 0, "landmarks/cam1", "msgpack"),
        message(1, 0, &wire(0)),
        channel(1, 0, "landmarks/cam2", "msgpack"),
    ];
    assert!(said(&file("robot", &parts)).contains("channel 1 is `landmarks/cam1` and again"));
}

/// What a daemon that starts may replace must not depend on one flipped bit.
#[test]
fn a_damaged_recording_with_frames_is_never_taken_for_an_empty_run() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("run.mcap");
    let mut out = std::io::Cursor::new(Vec::new());
    let mut recorder = RecordingWriter::new(&mut out).expect("begins");
    let digests = RunDigests { model: "m".into(), settings: "s".into() };
    let begin = RunMark::Begin { run: 1, part: 0, digests };
    recorder.json(RecordingChannel::Run, ArrivalTime(1), &begin).expect("written");
    let cam = stream_id::parse(b"cam1").expect("valid");
    for i in 0..3u64 {
        recorder.frame(&cam, ArrivalTime(i), SourceTime(i), &[i as u8; 100]).expect("written");
    }
    recorder.finish().expect("finished");
    let whole = out.into_inner();
    std::fs::write(&path, &whole).expect("writes");
    assert_eq!(kind_of(&path).expect("reads"), RecordingKind::Run);
    for i in 0..whole.len() {
        for bit in [1, 0x80] {
            let mut bytes = whole.clone();
            bytes[i] ^= bit;
            std::fs::write(&path, &bytes).expect("writes");
            let held = kind_of(&path).expect("reads");
            assert!(
                !matches!(held, RecordingKind::EmptyRun | RecordingKind::Nothing),
                "byte {i}, bit {bit}"
            );
        }
    }
}
