//! What a replay tells, kept for the page: JSON lines in a file without a name.
//!
//! One thread appends while the server reads. An hour of one stream at 30 frames a second is about
//! 220 MB of lines, which is why they are on disk; the page asks for a piece at a time.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use serde::Deserialize;

/// Most bytes in a piece; longer than any line.
const PIECE: usize = 1 << 20;

/// The reading end.
pub struct SpoolReader {
    file: File,
    /// Bytes that are whole lines.
    whole: Arc<AtomicU64>,
}

/// The writing end: each write is a line with its line feed.
pub struct SpoolWriter {
    file: BufWriter<File>,
    written: u64,
    whole: Arc<AtomicU64>,
}

/// An empty spool, on the disk of temporary files.
pub fn spool() -> io::Result<(SpoolWriter, SpoolReader)> {
    let file = tempfile::tempfile()?;
    let whole = Arc::new(AtomicU64::new(0));
    let writer = BufWriter::with_capacity(PIECE / 4, file.try_clone()?);
    Ok((
        SpoolWriter { file: writer, written: 0, whole: Arc::clone(&whole) },
        SpoolReader { file, whole },
    ))
}

impl SpoolWriter {
    /// Appends a line.
    pub fn line(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.write_all(line)?;
        self.file.write_all(b"\n")?;
        self.written += line.len() as u64 + 1;
        let unseen = self.written - self.whole.load(Ordering::Relaxed);
        if unseen >= (PIECE / 4) as u64 { self.show() } else { Ok(()) }
    }

    /// Lets readers see everything written.
    pub fn show(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.whole.store(self.written, Ordering::Release);
        Ok(())
    }
}

impl SpoolReader {
    /// Whole lines from byte `from` on, at most a mebibyte of them; empty where there are none yet.
    /// `from` is the end of an earlier piece, or 0.
    pub fn piece(&self, from: u64) -> io::Result<Vec<u8>> {
        let there = self.whole.load(Ordering::Acquire).saturating_sub(from);
        let mut piece = vec![0; usize::try_from(there).unwrap_or(PIECE).min(PIECE)];
        self.file.read_exact_at(&mut piece, from)?;
        let whole = piece.iter().rposition(|&b| b == b'\n').map_or(0, |last| last + 1);
        piece.truncate(whole);
        Ok(piece)
    }
}

/// `/items?from=BYTE`: the next piece.
pub fn routes(spool: SpoolReader) -> Router {
    let spool = Arc::new(spool);
    let piece = move |Query(PieceQuery { from }): Query<PieceQuery>| async move {
        let kind = [(CONTENT_TYPE, "application/x-ndjson")];
        match spool.piece(from) {
            Ok(piece) => (kind, piece).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    };
    Router::new().route("/items", get(piece))
}

#[derive(Deserialize)]
struct PieceQuery {
    from: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_whole_lines_and_together_everything_shown() {
        let (mut writer, spool) = spool().expect("temporary file");
        assert_eq!(spool.piece(0).expect("reads"), b"");
        let line = vec![b'x'; 1000];
        (0..3000).for_each(|_| writer.line(&line).expect("writes"));
        writer.show().expect("writes");
        let mut read = Vec::new();
        loop {
            let piece = spool.piece(read.len() as u64).expect("reads");
            if piece.is_empty() {
                break;
            }
            assert!(piece.len() <= PIECE && piece.len() % 1001 == 0);
            read.extend(piece);
        }
        assert_eq!(read.len(), 3000 * 1001);
        assert_eq!(spool.piece(u64::MAX).expect("reads"), b"");
    }
}
