//! Everything that an MCAP file holds, as far as it is whole, and what is not.
//!
//! Chunks are checked before anything of them is used. Reading ends at the first damage: what a
//! stream would be after a hole in it is not what it was.

use std::borrow::Cow;
use std::collections::HashMap;

use mcap::records::{self, Channel, op};

use super::channel::{LANDMARKS, is_ours};
use super::container::{McapChunk, McapFault, McapRecord, McapRecords, is_known};
use super::losses::ReadStop;

/// Most bytes that the compressed chunks of a file may hold: a small file may claim to hold very much.
const MAX_UNPACKED: usize = 2_000_000_000;
/// Most notes about a file.
const MAX_NOTES: usize = 20;

/// A message and where its channel stands in [`McapContents::channels`].
pub(super) struct McapMessage<'a> {
    pub channel: usize,
    pub log_time: u64,
    pub data: Cow<'a, [u8]>,
}

/// A file, read.
#[derive(Default)]
pub(super) struct McapContents<'a> {
    pub channels: Vec<Channel>,
    /// Those of signd's topics, in the order in which they are to be played.
    pub messages: Vec<McapMessage<'a>>,
    /// What is odd about the file and takes nothing away.
    pub notes: Vec<String>,
    /// Why not all of the file was read.
    pub stop: Option<ReadStop>,
    library: String,
    /// Bytes of compressed chunks, unpacked.
    unpacked: usize,
    /// Messages of all topics.
    count: u64,
    by_id: HashMap<u16, usize>,
    schemas: HashMap<u16, (String, String, Vec<u8>)>,
}

impl<'a> McapContents<'a> {
    /// Reads what begins with MCAP's magic bytes.
    pub fn read(bytes: &'a [u8]) -> Self {
        let mut contents = McapContents::default();
        contents.stop = contents.walk(bytes).err();
        // signd decided in the order in which it wrote, also where the wall clock stepped back.
        if !contents.library.starts_with("signd ") {
            contents.messages.sort_by_key(|message| message.log_time);
        }
        contents
    }

    fn walk(&mut self, bytes: &'a [u8]) -> Result<(), ReadStop> {
        let mut records = McapRecords::new(bytes, mcap::MAGIC.len());
        while let Some(record) = records.next() {
            let stop = |fault| ReadStop { at: record.at, fault };
            if !record.is_whole() {
                self.cut(&record, bytes).map_err(stop)?;
                return Err(stop(McapFault::Cut));
            }
            match record.op {
                op::CHUNK => {
                    let chunk = McapChunk::parse(&record);
                    let chunk = chunk.ok_or_else(|| stop(McapFault::Chunk("its head".into())))?;
                    match chunk.unpack().map_err(stop)? {
                        Cow::Borrowed(inside) => self.inside(inside, Cow::Borrowed),
                        Cow::Owned(inside) => {
                            self.unpacked += inside.len();
                            if self.unpacked > MAX_UNPACKED {
                                let most = "with it more than 2 GB are unpacked";
                                return Err(stop(McapFault::Chunk(most.into())));
                            }
                            self.inside(&inside, |b| Cow::Owned(b.to_vec()))
                        }
                    }
                    .map_err(stop)?;
                }
                op::DATA_END => {
                    check(&record, bytes.get(..record.at), |expected, found| McapFault::DataCrc {
                        expected,
                        found,
                    })?;
                    return end(bytes, records.at, self.count);
                }
                op::FOOTER => return Err(stop(McapFault::Record("the data has no end".into()))),
                _ => self.take(&record, Cow::Borrowed).map_err(stop)?,
            }
        }
        Err(ReadStop { at: bytes.len(), fault: McapFault::Cut })
    }

    /// The record that the file ends in: a chunk's messages, where they are whole. A file that is
    /// finished does not end in a record, and a chunk is as long as its head says.
    fn cut(&mut self, record: &McapRecord<'a>, bytes: &[u8]) -> Result<(), McapFault> {
        if bytes.ends_with(mcap::MAGIC) {
            return Err(McapFault::Record(format!("{} bytes, more than the file", record.length)));
        }
        if record.op != op::CHUNK {
            return if is_known(record.op) { Ok(()) } else { Err(unknown(record.op)) };
        }
        let Some(chunk) = McapChunk::parse(record) else { return Ok(()) };
        if !chunk.fits(record.length) {
            return Err(McapFault::Chunk(format!(
                "its record is said to have {} bytes",
                record.length
            )));
        }
        // Without its CRC, the last thing read before the end may be anything.
        for record in McapRecords::new(chunk.beginning(), 0).take_while(McapRecord::is_whole) {
            if self.take(&record, Cow::Borrowed).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn inside<'b>(
        &mut self,
        chunk: &'b [u8],
        own: impl Fn(&'b [u8]) -> Cow<'a, [u8]>,
    ) -> Result<(), McapFault> {
        for record in McapRecords::new(chunk, 0) {
            match record.op {
                _ if !record.is_whole() => {
                    return Err(McapFault::Chunk("ends in the middle of a record".into()));
                }
                op::SCHEMA | op::CHANNEL | op::MESSAGE => self.take(&record, &own)?,
                other => return Err(unknown(other)),
            }
        }
        Ok(())
    }

    fn take<'b>(
        &mut self,
        record: &McapRecord<'b>,
        own: impl Fn(&'b [u8]) -> Cow<'a, [u8]>,
    ) -> Result<(), McapFault> {
        match record.op {
            op::HEADER | op::SCHEMA | op::CHANNEL | op::MESSAGE => {}
            kind if is_known(kind) => return Ok(()), // nothing of ours
            kind => return Err(unknown(kind)),
        }
        let parsed = mcap::parse_record(record.op, record.body);
        match parsed.map_err(|error| McapFault::Record(error.to_string()))? {
            records::Record::Header(header) => self.library = header.library,
            records::Record::Schema { header, data } => {
                let schema = (header.name, header.encoding, data.into_owned());
                let known = self.schemas.entry(header.id).or_insert_with(|| schema.clone());
                if *known != schema && self.notes.len() < MAX_NOTES {
                    let note = format!("schema {} is there twice and not the same", header.id);
                    self.notes.push(note);
                }
            }
            records::Record::Channel(channel) => self.channel(channel)?,
            records::Record::Message { header, data } => {
                let records::MessageHeader { channel_id, log_time, .. } = header;
                let Some(&channel) = self.by_id.get(&channel_id) else {
                    let what = format!("message of channel {channel_id}, which is not described");
                    return Err(McapFault::Record(what));
                };
                self.count += 1;
                if !self.channels.get(channel).is_some_and(|channel| is_ours(&channel.topic)) {
                    return Ok(());
                }
                let data = own(record.body.get(record.body.len() - data.len()..).unwrap_or(&[]));
                self.messages.push(McapMessage { channel, log_time, data });
            }
            _ => {}
        }
        Ok(())
    }

    fn channel(&mut self, channel: Channel) -> Result<(), McapFault> {
        if let Some(known) = self.by_id.get(&channel.id).and_then(|at| self.channels.get(*at)) {
            return match *known == channel {
                true => Ok(()),
                false => Err(McapFault::Record(format!(
                    "channel {} is `{}` and again `{}`",
                    channel.id, known.topic, channel.topic
                ))),
            };
        }
        if channel.topic.starts_with(LANDMARKS)
            && channel.schema_id != 0
            && self.notes.len() < MAX_NOTES
        {
            let of = match self.schemas.get(&channel.schema_id) {
                Some((name, ..)) => format!("the schema `{}`", name.escape_debug()),
                None => format!("schema {}, which is not in the file", channel.schema_id),
            };
            let topic = channel.topic.escape_debug();
            let note = format!("`{topic}` names {of}: its messages are read as landmark frames");
            self.notes.push(note);
        }
        self.by_id.insert(channel.id, self.channels.len());
        self.channels.push(channel);
        Ok(())
    }
}

fn unknown(kind: u8) -> McapFault {
    McapFault::Record(format!("no record begins with {kind:02X}"))
}

/// Compares the CRC at the end of a record with that of some bytes. A writer that computes none
/// leaves 0.
fn check(
    record: &McapRecord<'_>,
    bytes: Option<&[u8]>,
    fault: impl Fn(u32, u32) -> McapFault,
) -> Result<(), ReadStop> {
    let stop = |fault| ReadStop { at: record.at, fault };
    let saved = record.body.last_chunk::<4>();
    let saved = saved.ok_or_else(|| stop(McapFault::Record("too short for its CRC".into())))?;
    let (expected, found) = (u32::from_le_bytes(*saved), crc32fast::hash(bytes.unwrap_or(&[])));
    match expected == 0 || expected == found {
        true => Ok(()),
        false => Err(stop(fault(expected, found))),
    }
}

/// What follows the data: an index, of which only its CRC and the number of messages are asked, and the
/// end.
fn end(bytes: &[u8], summary: usize, found: u64) -> Result<(), ReadStop> {
    let mut records = McapRecords::new(bytes, summary);
    while let Some(record) = records.next() {
        let stop = |fault| ReadStop { at: record.at, fault };
        if !record.is_whole() {
            return Err(match bytes.ends_with(mcap::MAGIC) {
                true => stop(McapFault::Record("longer than the file".into())),
                false => stop(McapFault::Cut),
            });
        }
        if !is_known(record.op) {
            return Err(stop(unknown(record.op)));
        }
        if record.op == op::STATISTICS
            && let Some((expected, _)) = record.body.split_first_chunk::<8>()
            && u64::from_le_bytes(*expected) != found
        {
            let expected = u64::from_le_bytes(*expected);
            return Err(stop(McapFault::Messages { expected, found }));
        }
        if record.op != op::FOOTER {
            continue;
        }
        let covered = bytes.get(summary..(records.at).saturating_sub(4));
        check(&record, covered, |expected, found| McapFault::SummaryCrc { expected, found })?;
        let rest = bytes.get(records.at..).unwrap_or(&[]);
        let stop = |fault| ReadStop { at: records.at, fault };
        return match rest.strip_prefix(mcap::MAGIC) {
            Some([]) => Ok(()),
            Some(more) => Err(ReadStop {
                at: bytes.len() - more.len(),
                fault: McapFault::Trailing(more.len()),
            }),
            None if mcap::MAGIC.starts_with(rest) => Err(stop(McapFault::Cut)),
            None => Err(stop(McapFault::Record("the end is not MCAP's".into()))),
        };
    }
    Err(ReadStop { at: bytes.len(), fault: McapFault::Cut })
}
