//! The ring between ingest and the worker: lock-free, one writer, one reader, fixed capacity.
//!
//! | ring | writer | reader | when full |
//! |---|---|---|---|
//! | frames and ticks | ingest | worker | the new frame is dropped and counted (`ring_full`); a tick waits |
//! | empty buffers, back | worker | ingest | the buffer is freed |
//!
//! A reader that finds nothing sleeps until the writer rings its bell. Nothing spins: on a small
//! box a spinning reader takes the core from the thread it waits for. The bell is a file descriptor,
//! because the reader waits for a socket as well.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ringbuf::traits::{Consumer, Observer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};

/// How long a writer that may not drop sleeps before it looks for room again.
const WAIT: Duration = Duration::from_millis(1);

struct RingShared {
    bell: UnixStream,
    /// The other end is gone.
    closed: AtomicBool,
}

impl RingShared {
    fn ring(&self) {
        // A full pipe is a bell that already rings.
        drop((&self.bell).write(&[1]));
    }
}

/// The writing end.
pub struct RingSender<T> {
    ring: HeapProd<T>,
    shared: Arc<RingShared>,
}

/// The reading end.
pub struct RingReceiver<T> {
    ring: HeapCons<T>,
    shared: Arc<RingShared>,
    pipe: UnixStream,
}

/// A ring with room for this many.
pub fn ring<T>(capacity: usize) -> std::io::Result<(RingSender<T>, RingReceiver<T>)> {
    let (bell, pipe) = UnixStream::pair()?;
    bell.set_nonblocking(true)?;
    pipe.set_nonblocking(true)?;
    let (writer, reader) = HeapRb::new(capacity).split();
    let shared = Arc::new(RingShared { bell, closed: AtomicBool::new(false) });
    let sender = RingSender { ring: writer, shared: Arc::clone(&shared) };
    Ok((sender, RingReceiver { ring: reader, shared, pipe }))
}

impl<T> RingSender<T> {
    /// Writes, or gives the item back when the ring is full.
    pub fn try_send(&mut self, item: T) -> Result<(), T> {
        self.ring.try_push(item)?;
        self.shared.ring();
        Ok(())
    }

    /// The next [`RingSender::try_send`] will succeed: only the writer takes room.
    pub fn has_room(&self) -> bool {
        !self.ring.is_full()
    }

    /// The reader is gone.
    pub fn closed(&self) -> bool {
        self.shared.closed.load(Ordering::Acquire)
    }

    /// Writes as soon as there is room; the item is lost only if the reader is gone.
    pub fn send(&mut self, mut item: T) {
        while let Err(back) = self.try_send(item) {
            if self.closed() {
                return;
            }
            item = back;
            std::thread::sleep(WAIT);
        }
    }
}

impl<T> Drop for RingSender<T> {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.ring();
    }
}

impl<T> RingReceiver<T> {
    /// Takes an item if there is one.
    pub fn try_receive(&mut self) -> Option<T> {
        self.ring.try_pop()
    }

    /// The writer is gone; what it wrote may still be in the ring.
    pub fn closed(&self) -> bool {
        self.shared.closed.load(Ordering::Acquire)
    }

    /// Readable when there may be an item.
    pub fn descriptor(&self) -> RawFd {
        self.pipe.as_raw_fd()
    }

    /// Silences the descriptor; to be called before [`RingReceiver::closed`] is asked and the ring
    /// emptied, or a bell that rings in between is lost.
    pub fn hush(&mut self) {
        let mut rings = [0; 64];
        while matches!(self.pipe.read(&mut rings), Ok(n) if n == rings.len()) {}
    }
}

impl<T> Drop for RingReceiver<T> {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
    }
}

/// The writer's end of a way back for empty buffers.
pub struct BufferPool<T>(HeapCons<T>, Vec<T>);

/// The reader's end of it.
pub struct BufferReturns<T>(HeapProd<T>);

/// A way back for empty buffers.
pub fn pool<T>(capacity: usize) -> (BufferPool<T>, BufferReturns<T>) {
    let (writer, reader) = HeapRb::new(capacity).split();
    (BufferPool(reader, Vec::with_capacity(1)), BufferReturns(writer))
}

impl<T> BufferPool<T> {
    /// A used buffer, if one has come back.
    pub fn take(&mut self) -> Option<T> {
        self.1.pop().or_else(|| self.0.try_pop())
    }

    /// Keeps a buffer that was taken and not needed.
    pub fn give(&mut self, item: T) {
        if self.1.is_empty() {
            self.1.push(item);
        }
    }
}

impl<T> BufferReturns<T> {
    /// Sends a buffer back; freed when there are enough.
    pub fn give(&mut self, item: T) {
        drop(self.0.try_push(item));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::is_readable;

    #[test]
    fn everything_written_is_read_in_order_then_the_end() {
        let (mut sender, mut receiver) = ring(4).expect("pipe");
        let writer = std::thread::spawn(move || (0..1000).for_each(|i| sender.send(i)));
        let mut read = Vec::new();
        loop {
            let closed = receiver.closed();
            read.extend(std::iter::from_fn(|| receiver.try_receive()));
            if closed {
                break;
            }
            assert!(is_readable(receiver.descriptor(), Duration::from_secs(60)), "a lost bell");
            receiver.hush();
        }
        writer.join().expect("writer");
        assert_eq!(read, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn a_full_ring_gives_the_item_back() {
        let (mut sender, mut receiver) = ring(2).expect("pipe");
        assert_eq!(
            (sender.try_send(1), sender.try_send(2), sender.try_send(3)),
            (Ok(()), Ok(()), Err(3))
        );
        assert_eq!(receiver.try_receive(), Some(1));
        drop(receiver);
        sender.send(4);
        sender.send(5); // the reader is gone: returns at once
    }

    #[test]
    fn a_ring_rings_its_descriptor() {
        let (mut sender, mut receiver) = ring(2).expect("pipe");
        let rings = |r: &RingReceiver<i32>| is_readable(r.descriptor(), Duration::ZERO);
        assert!(!rings(&receiver));
        sender.send(1);
        assert!(rings(&receiver));
        receiver.hush();
        assert_eq!(receiver.try_receive(), Some(1));
        assert!(!rings(&receiver));
    }
}
