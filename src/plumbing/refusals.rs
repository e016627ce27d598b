//! The last refusal of a reason, in words: a count tells how often, and this tells a client's author why.

use std::fmt::{Display, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Longest text kept, bytes. What a sender wrote may be quoted in it.
const MOST: usize = 200;

/// Why a client was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// Its key is nobody's.
    UnknownKey,
    /// Its key may do other things, but not this.
    NotAllowed,
    /// It came without a key, with another daemon's, or did not finish.
    Handshake,
}

impl RefusalReason {
    /// All reasons, in the order of their numbers.
    pub const ALL: [RefusalReason; 3] =
        [RefusalReason::UnknownKey, RefusalReason::NotAllowed, RefusalReason::Handshake];

    /// The name under which it is counted.
    pub const fn name(self) -> &'static str {
        match self {
            RefusalReason::UnknownKey => "unknown_key",
            RefusalReason::NotAllowed => "not_allowed",
            RefusalReason::Handshake => "handshake",
        }
    }
}

/// One refusal.
#[derive(Clone, Debug)]
pub struct RefusalRecord {
    /// What was refused: a stream id, or the address of a client; empty when it is not known.
    pub whose: String,
    /// Why, or where.
    pub why: String,
    /// When.
    pub at: Instant,
}

/// The last refusal of one reason. Writing locks for as long as a short text takes, and only refusals write.
#[derive(Debug, Default)]
pub struct LastRefusal(Mutex<Option<RefusalRecord>>);

impl LastRefusal {
    /// Takes the place of the one before.
    pub fn set(&self, whose: &str, why: &dyn Display) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let blank =
            || RefusalRecord { whose: String::new(), why: String::new(), at: Instant::now() };
        let last = last.get_or_insert_with(blank);
        last.at = Instant::now();
        last.whose.clear();
        last.whose.push_str(whose);
        last.why.clear();
        // Writing to memory cannot fail.
        let _ = write!(last.why, "{why}");
        last.why.truncate(last.why.floor_char_boundary(MOST));
    }

    /// The last one; `None` if there was none.
    pub fn get(&self) -> Option<RefusalRecord> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_refusal_is_kept_and_a_long_one_cut_between_characters() {
        let last = LastRefusal::default();
        assert!(last.get().is_none());
        last.set("cam1", &"é".repeat(MOST));
        let kept = last.get().expect("one");
        assert_eq!((kept.whose.as_str(), kept.why.len()), ("cam1", MOST));
        last.set("", &format_args!("{} parts", 3));
        let kept = last.get().expect("another");
        assert_eq!((kept.whose.as_str(), kept.why.as_str()), ("", "3 parts"));
    }
}
