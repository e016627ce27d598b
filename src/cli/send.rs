//! `signd send`: a recording, played as a camera would.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::keys::{ClientKeys, KeyFlags};
use super::pace::PlaybackPace;
use super::{CommandOutcome, print, source};
use signd::endpoint::OutputEndpoint;
use signd::endpoint::socket_file::SocketFile;
use signd::keys::handshakes::HandshakeWatch;
use signd::plumbing::now;
use signd::socket::{SocketContext, SocketKind, ZmqSocket};
use signd_core::frame::Frame;
use signd_core::stream_id::{self, StreamId};
use signd_core::wire::landmarks;
use signd_engine::recording;

/// Flags of `signd send`.
#[derive(Debug, Args)]
pub struct SendFlags {
    /// The recording.
    file: PathBuf,
    /// Where to: [pub|push][+connect|+bind:]ENDPOINT; bare means pub+connect.
    #[arg(long, default_value = "tcp://127.0.0.1:5556", value_name = "OUTPUT")]
    to: OutputEndpoint,
    /// Send under this stream id instead of the recorded one; the recording has but one stream.
    #[arg(long, value_name = "ID")]
    stream: Option<String>,
    /// Frames a second instead of the recorded times.
    #[arg(long)]
    fps: Option<f64>,
    /// Keep the recorded capture times instead of restamping them to now.
    #[arg(long)]
    keep_time: bool,
    #[command(flatten)]
    keys: KeyFlags,
}

impl SendFlags {
    pub fn execute(self) -> Result<CommandOutcome> {
        let rename = match &self.stream {
            Some(id) => match stream_id::parse(id.as_bytes()) {
                Some(id) => Some(id),
                None => bail!("`{id}` is no stream id (1 to 64 of A-Za-z0-9._-)"),
            },
            None => None,
        };
        let frames = recording::frames(&source::recording(&self.file)?);
        let (mut frames, losses) = frames.with_context(|| self.file.display().to_string())?;
        if let Some(id) = rename {
            let streams: BTreeSet<StreamId> = frames.iter().map(|(stream, _)| *stream).collect();
            if streams.len() > 1 {
                let names: Vec<_> = streams.iter().map(|stream| format!("`{stream}`")).collect();
                bail!(
                    "{}: --stream: expected a recording of one stream, found {}; without --stream each \
                     is sent as itself",
                    self.file.display(),
                    names.join(", ")
                );
            }
            frames.iter_mut().for_each(|(stream, _)| *stream = id);
        }
        let partly = print::losses(&self.file, &losses);
        self.play(&frames)?;
        Ok(if partly { CommandOutcome::Partly } else { CommandOutcome::Done })
    }

    fn play(&self, frames: &[(StreamId, Frame)]) -> Result<()> {
        let mut file = None;
        let (context, keys) = (SocketContext::default(), self.keys.read()?);
        let _zap = keys.admit_the_daemon_alone(&context)?;
        let (socket, _watch) = self.open(&context, &keys, &mut file)?;
        let bar = ProgressBar::new(frames.len() as u64);
        bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} frames {elapsed}")?);
        let (began, start, mut message) = (now(), Instant::now(), Vec::new());
        // Each camera has a clock of its own.
        let (mut paces, mut played) = (BTreeMap::new(), Duration::ZERO);
        for (i, (stream, frame)) in frames.iter().enumerate() {
            let due = match self.fps {
                Some(fps) => Duration::from_nanos((i as f64 * 1e9 / fps.max(0.001)) as u64),
                None => {
                    paces.entry(stream).or_insert_with(|| PlaybackPace::from(played)).due(frame.t.0)
                }
            };
            played = played.max(due);
            std::thread::sleep((start + due).saturating_duration_since(Instant::now()));
            let mut frame = frame.clone();
            if !self.keep_time {
                frame.t.0 = began.0.saturating_add(due.as_nanos() as u64);
            }
            landmarks::encode(&frame, &mut message);
            socket.send(&[stream.as_bytes(), &message])?;
            bar.inc(1);
        }
        bar.finish();
        Ok(())
    }

    /// Opens the socket and waits until a client listens. The `file` is to outlive the context.
    fn open(
        &self,
        context: &SocketContext,
        keys: &ClientKeys,
        file: &mut Option<SocketFile>,
    ) -> Result<(ZmqSocket, Option<HandshakeWatch>)> {
        let OutputEndpoint { push, bind, endpoint } = &self.to;
        // An XPUB is a PUB that sees subscriptions arrive.
        let socket = context.socket(if *push { SocketKind::Push } else { SocketKind::Xpub })?;
        socket.set_linger(Duration::from_secs(5))?;
        socket.set_send_queue(100_000)?;
        let watch = keys.prepare(context, &socket, *bind)?;
        match bind {
            true => *file = endpoint.bind(&socket)?,
            false => endpoint.connect(&socket)?,
        }
        if !push {
            print::note(format_args!("waiting for a listener at {endpoint}"));
            socket.receive()?;
        }
        Ok((socket, watch))
    }
}
