//! Rings between threads: lock-free, one writer, one reader, fixed capacity.
//!
//! | ring | writer | reader | when full |
//! |---|---|---|---|
//! | frames and ticks | ingest | front | the new frame is dropped and counted (`ring_full`); a tick waits |
//! | batches | front | infer | the front waits, so frames are dropped at the ring before |
//! | events | infer | publish | infer waits; publish never does, ZeroMQ drops for the slow subscriber |
//! | empty buffers (one back along each of the first two) | reader | writer | the buffer is freed |
//!
//! A reader that finds nothing sleeps until the writer rings its bell. Nothing spins: on a small
//! box a spinning reader takes the core from the thread it waits for.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;

use ringbuf::traits::{Consumer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};

/// How long a writer that may not drop sleeps before it looks for room again.
const WAIT: Duration = Duration::from_millis(1);

/// Wakes a reader.
enum Bell {
    /// It parks.
    Thread(OnceLock<Thread>),
    /// It polls a file descriptor, because it waits for a socket as well.
    Descriptor(UnixStream),
}

struct Shared {
    bell: Bell,
    /// The other end is gone.
    closed: AtomicBool,
}

impl Shared {
    fn ring(&self) {
        match &self.bell {
            Bell::Thread(reader) => {
                if let Some(reader) = reader.get() {
                    reader.unpark();
                }
            }
            // A full pipe is a bell that already rings.
            Bell::Descriptor(pipe) => drop((&*pipe).write(&[1])),
        }
    }
}

/// The writing end.
pub struct Sender<T> {
    ring: HeapProd<T>,
    shared: Arc<Shared>,
}

/// The reading end.
pub struct Receiver<T> {
    ring: HeapCons<T>,
    shared: Arc<Shared>,
    pipe: Option<UnixStream>,
}

/// A ring whose reader sleeps in [`Receiver::receive`].
pub fn ring<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    build(capacity, Bell::Thread(OnceLock::new()), None)
}

/// A ring whose reader polls [`Receiver::descriptor`].
pub fn polled_ring<T>(capacity: usize) -> std::io::Result<(Sender<T>, Receiver<T>)> {
    let (near, far) = UnixStream::pair()?;
    near.set_nonblocking(true)?;
    far.set_nonblocking(true)?;
    Ok(build(capacity, Bell::Descriptor(near), Some(far)))
}

fn build<T>(capacity: usize, bell: Bell, pipe: Option<UnixStream>) -> (Sender<T>, Receiver<T>) {
    let (writer, reader) = HeapRb::new(capacity).split();
    let shared = Arc::new(Shared { bell, closed: AtomicBool::new(false) });
    let sender = Sender { ring: writer, shared: Arc::clone(&shared) };
    (sender, Receiver { ring: reader, shared, pipe })
}

impl<T> Sender<T> {
    /// Writes, or gives the item back when the ring is full.
    pub fn try_send(&mut self, item: T) -> Result<(), T> {
        self.ring.try_push(item)?;
        self.shared.ring();
        Ok(())
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

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.ring();
    }
}

impl<T> Receiver<T> {
    /// Takes an item if there is one.
    pub fn try_receive(&mut self) -> Option<T> {
        self.ring.try_pop()
    }

    /// Sleeps until there is an item; `None` when the writer is gone and the ring empty.
    pub fn receive(&mut self) -> Option<T> {
        if let Bell::Thread(reader) = &self.shared.bell {
            reader.get_or_init(std::thread::current);
        }
        loop {
            // Looked at before the ring: what was written before the end is not missed.
            let closed = self.closed();
            if let Some(item) = self.ring.try_pop() {
                return Some(item);
            }
            if closed {
                return None;
            }
            std::thread::park();
        }
    }

    /// The writer is gone; what it wrote may still be in the ring.
    pub fn closed(&self) -> bool {
        self.shared.closed.load(Ordering::Acquire)
    }

    /// Readable when there may be an item; for rings made by [`polled_ring`].
    pub fn descriptor(&self) -> RawFd {
        self.pipe.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// Silences the descriptor; to be called before the end is asked for and the ring is emptied, or
    /// what rings in between is never heard.
    pub fn hush(&mut self) {
        let mut rings = [0; 64];
        while self.pipe.as_mut().is_some_and(|pipe| matches!(pipe.read(&mut rings), Ok(n) if n > 0))
        {
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
    }
}

/// The writer's end of a way back for empty buffers.
pub struct Pool<T>(HeapCons<T>, Vec<T>);

/// The reader's end of it.
pub struct Returns<T>(HeapProd<T>);

/// A way back for empty buffers.
pub fn pool<T>(capacity: usize) -> (Pool<T>, Returns<T>) {
    let (writer, reader) = HeapRb::new(capacity).split();
    (Pool(reader, Vec::with_capacity(1)), Returns(writer))
}

impl<T> Pool<T> {
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

impl<T> Returns<T> {
    /// Sends a buffer back; freed when there are enough.
    pub fn give(&mut self, item: T) {
        drop(self.0.try_push(item));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_written_is_read_in_order_then_the_end() {
        let (mut sender, mut receiver) = ring(4);
        let writer = std::thread::spawn(move || (0..1000).for_each(|i| sender.send(i)));
        let read: Vec<i32> = std::iter::from_fn(|| receiver.receive()).collect();
        writer.join().expect("writer");
        assert_eq!(read, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn a_full_ring_gives_the_item_back() {
        let (mut sender, mut receiver) = ring(2);
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
    fn a_polled_ring_rings_its_descriptor() {
        let (mut sender, mut receiver) = polled_ring(2).expect("socket pair");
        let rings = |r: &Receiver<i32>| {
            let mut items = [zmq::PollItem::from_fd(r.descriptor(), zmq::POLLIN)];
            zmq::poll(&mut items, 0).expect("poll");
            items[0].is_readable()
        };
        assert!(!rings(&receiver));
        sender.send(1);
        assert!(rings(&receiver));
        receiver.hush();
        assert_eq!(receiver.try_receive(), Some(1));
        assert!(!rings(&receiver));
    }
}
