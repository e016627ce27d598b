//! The records of an MCAP file, one after the other, and the bytes that a chunk packs.
//!
//! The walk is our own, over `mcap`'s parser of single records, because damage must be told by its
//! place and must never be taken for the end of the file.

use std::borrow::Cow;
use std::io::Read;

use mcap::records::op;

/// Most bytes that a compressed chunk may unpack to. Writers make chunks of about a megabyte.
const MAX_CHUNK: u64 = 256 << 20;

/// What ends the reading of a file before its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum McapFault {
    /// The file ends where it should go on.
    #[error("the file ends")]
    Cut,
    /// A chunk is not what it was when it was written.
    #[error("chunk: expected CRC {expected:08X}, found {found:08X}")]
    ChunkCrc {
        /// As recorded.
        expected: u32,
        /// As computed.
        found: u32,
    },
    /// Something before the end of the data is not what it was; chunks that were checked are good.
    #[error("data section: expected CRC {expected:08X}, found {found:08X}")]
    DataCrc {
        /// As recorded.
        expected: u32,
        /// As computed.
        found: u32,
    },
    /// The index at the end is not what it was.
    #[error("summary: expected CRC {expected:08X}, found {found:08X}")]
    SummaryCrc {
        /// As recorded.
        expected: u32,
        /// As computed.
        found: u32,
    },
    /// Some of it was taken out.
    #[error("its index counts {expected} messages, and there are {found}")]
    Messages {
        /// As recorded.
        expected: u64,
        /// As read.
        found: u64,
    },
    /// A chunk packed in a way that this build does not know.
    #[error("compression `{0}` is not supported (expected zstd, lz4 or none)")]
    Compression(String),
    /// A chunk that does not unpack.
    #[error("chunk: {0}")]
    Chunk(String),
    /// A record that is none.
    #[error("record: {0}")]
    Record(String),
    /// The recording is over, but the file is not.
    #[error("{0} bytes follow")]
    Trailing(usize),
}

/// A record, as it lies in its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct McapRecord<'a> {
    /// Where it begins.
    pub at: usize,
    pub op: u8,
    /// As long as it says it is; cut off where the bytes end.
    pub length: u64,
    pub body: &'a [u8],
}

impl McapRecord<'_> {
    pub fn is_whole(&self) -> bool {
        self.body.len() as u64 == self.length
    }
}

/// Walks from record to record. The last one may be cut off.
pub(super) struct McapRecords<'a> {
    bytes: &'a [u8],
    /// Where the next record begins.
    pub at: usize,
}

impl<'a> McapRecords<'a> {
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        McapRecords { bytes, at }
    }
}

impl<'a> Iterator for McapRecords<'a> {
    type Item = McapRecord<'a>;

    fn next(&mut self) -> Option<McapRecord<'a>> {
        let (at, rest) = (self.at, self.bytes.get(self.at..)?);
        let (&op, rest) = rest.split_first()?;
        let Some((length, rest)) = rest.split_first_chunk::<8>() else {
            self.at = self.bytes.len();
            return Some(McapRecord { at, op, length: u64::MAX, body: &[] });
        };
        let length = u64::from_le_bytes(*length);
        let here = usize::try_from(length).map_or(rest.len(), |length| length.min(rest.len()));
        let body = rest.get(..here)?;
        self.at = at + 9 + here;
        Some(McapRecord { at, op, length, body })
    }
}

/// A chunk's head, and its packed bytes as far as they are there.
pub(super) struct McapChunk<'a> {
    unpacked: u64,
    crc: u32,
    compression: &'a str,
    packed: u64,
    data: &'a [u8],
}

impl<'a> McapChunk<'a> {
    /// Of a chunk record; none where its head is not whole.
    pub fn parse(record: &McapRecord<'a>) -> Option<McapChunk<'a>> {
        let (_times, rest) = record.body.split_first_chunk::<16>()?;
        let (unpacked, rest) = rest.split_first_chunk::<8>()?;
        let (crc, rest) = rest.split_first_chunk::<4>()?;
        let (name, rest) = rest.split_first_chunk::<4>()?;
        let (name, rest) = rest.split_at_checked(u32::from_le_bytes(*name) as usize)?;
        let (packed, data) = rest.split_first_chunk::<8>()?;
        Some(McapChunk {
            unpacked: u64::from_le_bytes(*unpacked),
            crc: u32::from_le_bytes(*crc),
            compression: std::str::from_utf8(name).ok()?,
            packed: u64::from_le_bytes(*packed),
            data,
        })
    }

    /// The records of a whole chunk, unpacked and checked.
    pub fn unpack(&self) -> Result<Cow<'a, [u8]>, McapFault> {
        let packed = usize::try_from(self.packed).ok().and_then(|packed| self.data.get(..packed));
        let packed = packed.ok_or_else(|| McapFault::Chunk("longer than its record".into()))?;
        let records = match self.compression {
            "" => Cow::Borrowed(packed),
            "zstd" => {
                let reader = zstd::Decoder::with_buffer(packed);
                Cow::Owned(self.inflate(reader.map_err(|e| McapFault::Chunk(e.to_string()))?)?)
            }
            "lz4" => Cow::Owned(self.inflate(lz4_flex::frame::FrameDecoder::new(packed))?),
            other => return Err(McapFault::Compression(other.escape_debug().to_string())),
        };
        // A writer that computes none leaves 0.
        let (expected, found) = (self.crc, crc32fast::hash(&records));
        if expected != 0 && expected != found {
            return Err(McapFault::ChunkCrc { expected, found });
        }
        Ok(records)
    }

    fn inflate(&self, reader: impl Read) -> Result<Vec<u8>, McapFault> {
        let most = self.unpacked;
        if most > MAX_CHUNK {
            return Err(McapFault::Chunk(format!("unpacks to {most} bytes (at most {MAX_CHUNK})")));
        }
        let mut records = Vec::new();
        let read = reader.take(most + 1).read_to_end(&mut records);
        read.map_err(|error| McapFault::Chunk(error.to_string()))?;
        match records.len() as u64 == most {
            true => Ok(records),
            false => Err(McapFault::Chunk(format!("does not unpack to its {most} bytes"))),
        }
    }

    /// Whether a record of this length holds it. One that is still being written says neither.
    pub fn fits(&self, length: u64) -> bool {
        let head = 40 + self.compression.len() as u64;
        length == u64::MAX || length.checked_sub(head) == Some(self.packed)
    }

    /// What is there of a chunk in which the file ends: readable only where nothing is packed.
    pub fn beginning(&self) -> &'a [u8] {
        if self.compression.is_empty() { self.data } else { &[] }
    }
}

/// Whether a record of this kind can be in an MCAP file. Those from 0x80 on are a writer's own.
pub(super) fn is_known(kind: u8) -> bool {
    (op::HEADER..=op::DATA_END).contains(&kind) || kind >= 0x80
}
