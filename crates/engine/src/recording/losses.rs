//! What of a recording was not played, in words.

use std::collections::BTreeMap;
use std::fmt;

use super::container::McapFault;

/// Where and why the reading of a file ended before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadStop {
    /// The byte, from 0.
    pub at: usize,
    /// The reason.
    pub fault: McapFault,
}

impl fmt::Display for ReadStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReadStop { at, fault } = self;
        match fault {
            McapFault::Cut => write!(f, "cut short at byte {at}"),
            McapFault::Compression(_) => write!(f, "not readable from byte {at} on: {fault}"),
            McapFault::DataCrc { .. } => write!(f, "damaged somewhere before byte {at}: {fault}"),
            McapFault::Trailing(_) => write!(f, "over at byte {at}, but {fault}"),
            _ => write!(f, "damaged at byte {at}: {fault}"),
        }
    }
}

/// What of a recording was not played. Its `Display` is a line for each reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordingLosses {
    /// Why not all of the file was read.
    pub stop: Option<ReadStop>,
    /// What is odd about the file and took nothing away.
    pub notes: Vec<String>,
    /// How many messages were passed over for each reason, and what was the matter with the first.
    passed_over: BTreeMap<String, (u64, String)>,
}

impl RecordingLosses {
    /// What the reading of a file came to.
    pub(super) fn new(stop: Option<ReadStop>, notes: Vec<String>) -> RecordingLosses {
        RecordingLosses { stop, notes, passed_over: BTreeMap::new() }
    }

    /// Counts a message that was passed over. `first` says more than the reason.
    pub fn count(&mut self, reason: impl Into<String>, first: impl fmt::Display) {
        let counted = self.passed_over.entry(reason.into());
        counted.or_insert_with(|| (0, first.to_string())).0 += 1;
    }

    /// Whether anything was not played.
    #[must_use]
    pub fn any(&self) -> bool {
        self.stop.is_some() || !self.passed_over.is_empty()
    }

    /// Whether any message that was read could not be used.
    #[must_use]
    pub fn passed_over(&self) -> bool {
        !self.passed_over.is_empty()
    }

    /// Adds what was passed over elsewhere.
    pub fn extend(&mut self, other: RecordingLosses) {
        self.passed_over.extend(other.passed_over);
    }
}

impl fmt::Display for RecordingLosses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let notes = self.notes.iter().cloned();
        let counted = self.passed_over.iter().map(|(reason, (n, first))| match first.as_str() {
            "" => format!("{n} passed over: {reason}"),
            first => format!("{n} passed over: {reason} (the first: {first})"),
        });
        let stop = self.stop.iter().map(|stop| match stop.fault {
            McapFault::Trailing(_) | McapFault::SummaryCrc { .. } => {
                format!("{stop}; everything was read")
            }
            McapFault::DataCrc { .. } | McapFault::Messages { .. } => {
                format!("{stop}; what was read may be wrong")
            }
            _ => format!("{stop}; everything before it was read"),
        });
        let lines: Vec<String> = notes.chain(counted).chain(stop).collect();
        f.write_str(&lines.join("\n"))
    }
}
