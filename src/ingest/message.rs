//! What ingest hands down the ring.

use std::time::Instant;

use crate::keys::clients::ClientTable;
use crate::plumbing::now;
use signd_core::frame::{ArrivalTime, Frame};
use signd_core::stream::{CoreSettings, Tick};
use signd_core::stream_id::StreamId;
use signd_engine::inference::Inference;
use signd_engine::recording::RunDigests;

use super::settings::StreamLimits;

/// What ingest hands to the front.
pub enum IngestMessage {
    /// A frame or a tick.
    Input(Box<StreamInput>),
    /// From here on, other settings and another model.
    Reload(Box<ReloadRequest>),
    /// Whoever holds it has dealt with everything before it; see [`crate::plumbing::progress`].
    Token,
}

/// A frame or a tick of a stream.
pub struct StreamInput {
    /// The stream.
    pub stream: StreamId,
    /// The frame's place is used only when there is no tick.
    pub tick: Option<Tick>,
    /// The frame.
    pub frame: Frame,
    /// Arrival by this machine's clock.
    pub arrival: ArrivalTime,
    /// Arrival for measuring latency.
    pub received: Instant,
}

/// Configuration and model, read again while the daemon runs. Sockets and the recording stay as they were.
pub struct ReloadRequest {
    /// Which streams there may be.
    pub limits: StreamLimits,
    /// Who may send and who may see.
    pub clients: ClientTable,
    /// Stages 2 to 4.
    pub core: CoreSettings,
    /// The model and how it decides.
    pub inference: Inference,
    /// The digests of this model and these settings.
    pub digests: RunDigests,
}

impl StreamInput {
    pub(super) fn blank(stream: StreamId) -> Self {
        StreamInput {
            stream,
            tick: None,
            frame: Frame::default(),
            arrival: ArrivalTime(0),
            received: Instant::now(),
        }
    }

    pub(super) fn stamp(&mut self, stream: StreamId, tick: Option<Tick>) {
        self.stream = stream;
        self.tick = tick;
        self.received = Instant::now();
        self.arrival = now();
    }
}
