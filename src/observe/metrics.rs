//! All metrics of the daemon, each written down once: name, meaning, labels, where the value is from.
//!
//! Label sets are bounded. No stream is ever a label, since who sends may name as many as it likes; nor
//! is a sign, since metrics travel far and what somebody signs is nobody's statistics.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use procfs::WithCurrentSystemInfo;
use procfs::process::Process;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::live::LiveState;
use crate::plumbing::histogram::HistogramSnapshot;
use crate::plumbing::{StageMonitor, now};
use signd_core::event::EndReason;
use signd_core::frame::ArrivalTime;

/// The format of [`RunMetrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The metrics of a run.
pub struct RunMetrics(Registry);

impl RunMetrics {
    /// Of what is counted here.
    pub fn new(watched: StageMonitor, live: &Arc<LiveState>) -> Self {
        let mut registry = Registry::default();
        let source = MetricsSource { watched, live: Arc::clone(live), start: now() };
        registry.register_collector(Box::new(source));
        RunMetrics(registry)
    }

    /// All of them now, as OpenMetrics text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // A string takes whatever is written to it.
        let _ = text::encode(&mut out, &self.0);
        out
    }
}

#[derive(Debug)]
struct MetricsSource {
    watched: StageMonitor,
    live: Arc<LiveState>,
    start: ArrivalTime,
}

type Labels<const N: usize> = [(&'static str, String); N];

/// Writes one metric after the other.
struct Writer<'a>(DescriptorEncoder<'a>);

impl Writer<'_> {
    /// A counter; `_total` is added to its name.
    fn counter<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<N>, u64)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, count) in series {
            labelled(&mut metric, &labels, |m| {
                m.encode_counter::<NoLabelSet, _, u64>(&count, None)
            })?;
        }
        Ok(())
    }

    fn gauge<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<N>, u64)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in series {
            labelled(&mut metric, &labels, |m| m.encode_gauge(&value))?;
        }
        Ok(())
    }

    fn histogram<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<N>, HistogramSnapshot)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, read) in series {
            labelled(&mut metric, &labels, |m| {
                m.encode_histogram::<NoLabelSet>(read.sum, read.count(), &read.buckets, None)
            })?;
        }
        Ok(())
    }

    /// Constant facts as labels; `_info` is added to the name.
    fn info<const N: usize>(&mut self, name: &str, help: &str, labels: Labels<N>) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Info)?.encode_info(&labels)
    }
}

fn labelled<const N: usize>(
    metric: &mut MetricEncoder,
    labels: &Labels<N>,
    write: impl FnOnce(&mut MetricEncoder) -> fmt::Result,
) -> fmt::Result {
    match N {
        0 => write(metric),
        _ => write(&mut metric.encode_family(labels)?),
    }
}

/// A series with one label, or with none.
fn one(key: &'static str, value: &str, count: u64) -> (Labels<1>, u64) {
    ([(key, value.to_owned())], count)
}

fn plain<T>(value: T) -> [(Labels<0>, T); 1] {
    [([], value)]
}

impl Collector for MetricsSource {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let mut out = Writer(encoder);
        self.flow(&mut out)?;
        self.timings(&mut out)?;
        self.progress(&mut out)?;
        self.surroundings(&mut out)?;
        process(&mut out, self.start)
    }
}

impl MetricsSource {
    /// Frames, events, queues.
    fn flow(&self, out: &mut Writer) -> fmt::Result {
        let (counted, levels) = (self.watched.counters.snapshot(), &self.watched.counters.levels);
        out.counter(
            "signd_frames_received",
            "Frames taken into the pipeline",
            plain(counted.received),
        )?;
        out.counter(
            "signd_frames_dropped",
            "Frames dropped, by the stage that did and why",
            counted.dropped.map(|(reason, count)| {
                let [stage, reason] = [reason.stage(), reason.name()].map(str::to_owned);
                ([("stage", stage), ("reason", reason)], count)
            }),
        )?;
        out.counter(
            "signd_clients_refused",
            "Clients not let in for want of a key that may, by reason",
            counted.refused.map(|(reason, count)| one("reason", reason.name(), count)),
        )?;
        out.counter(
            "signd_hypotheses_skipped",
            "Frame events that repeat older hypotheses because the model was behind",
            plain(counted.skipped),
        )?;
        let [frames, signs, statuses] = counted.published;
        out.counter(
            "signd_events_published",
            "Events published, by kind",
            [("frame", frames), ("sign", signs), ("status", statuses)]
                .map(|(kind, count)| one("kind", kind, count)),
        )?;
        let outcomes = ["none", "known"].into_iter().zip(counted.decided);
        out.counter(
            "signd_decisions",
            "Signs decided: a known label or none, and why the sign ended",
            outcomes.flat_map(|(outcome, counts)| {
                EndReason::ALL.into_iter().zip(counts).map(move |(ended, count)| {
                    ([("outcome", outcome.to_owned()), ("ended", ended.name().to_owned())], count)
                })
            }),
        )?;
        out.gauge(
            "signd_streams",
            "Streams that send frames, and those that have stopped to and are not yet gone",
            [("active", &levels.active), ("stalled", &levels.stalled)]
                .map(|(state, level)| one("state", state, level.get())),
        )?;
        out.counter(
            "signd_streams_doubtful",
            "Streams whose landmarks or times are not those of a person before a camera, by what is odd",
            self.watched.counters.doubts.all().map(|(doubt, count)| one("reason", doubt.name(), count)),
        )?;
        out.gauge(
            "signd_queue_depth",
            "What waits: frames for the worker (ring), batches for the model (waiting), messages \
             for the recording (tape)",
            [("ring", &levels.ring), ("waiting", &levels.waiting), ("tape", &levels.tape)]
                .map(|(queue, level)| one("queue", queue, level.get())),
        )
    }

    fn timings(&self, out: &mut Writer) -> fmt::Result {
        let timings = &self.watched.counters.timings;
        let stages = [
            ("decode", &timings.decode),
            ("front", &timings.front),
            ("infer", &timings.infer),
            ("publish", &timings.publish),
        ];
        out.histogram(
            "signd_stage_duration_seconds",
            "Time in a stage: decode and front of a frame, infer of a frame event, publish of an event",
            stages.map(|(stage, histogram)| ([("stage", stage.to_owned())], histogram.read())),
        )?;
        out.histogram(
            "signd_frame_latency_seconds",
            "Time from a frame received to its event published",
            plain(timings.latency.read()),
        )
    }

    /// How long ago the pipeline got on.
    fn progress(&self, out: &mut Writer) -> fmt::Result {
        let name = "signd_progress_age_seconds";
        let help =
            "Time since anything came through the ring to the worker; a token does each second";
        let mut metric = out.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        metric.encode_gauge(&self.watched.progress.age().as_secs_f64())
    }

    /// Model, build, configuration, recording, viewers.
    fn surroundings(&self, out: &mut Writer) -> fmt::Result {
        let (levels, live) = (&self.watched.counters.levels, &self.live);
        let model = live.model();
        let model = [("name", model.name), ("sha256", model.sha256), ("contract", model.contract)];
        out.info("signd_model", "The model at work; its name holds its version", model)?;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        out.info("signd_build", "The program", [("version", version)])?;
        let [failed, done] = self.watched.counters.snapshot().reloads;
        out.counter(
            "signd_reloads",
            "Configuration and model read again; on failure the old ones go on",
            [("success", done), ("failure", failed)].map(|(o, count)| one("outcome", o, count)),
        )?;
        out.gauge(
            "signd_recording_active",
            "1 while the run is recorded; 0 if not, or no longer because writer or disk fell behind",
            plain(u64::from(levels.recording.load(Relaxed))),
        )?;
        out.gauge(
            "signd_recording_file_bytes",
            "Size of the recording's present file",
            plain(levels.recorded.get()),
        )?;
        out.gauge(
            "signd_live_viewers",
            "Viewers of the live feed",
            plain(live.viewers.load(Relaxed) as u64),
        )?;
        out.counter(
            "signd_live_items_dropped",
            "Items of the live feed lost: one for all (server busy), or for one viewer (viewer slow)",
            [("server", &live.lost_underway), ("viewer", &live.lost_by_viewers)]
                .map(|(at, count)| one("at", at, count.load(Relaxed))),
        )
    }
}

/// The customary metrics of a process; none where `/proc` cannot be read.
fn process(out: &mut Writer, start: ArrivalTime) -> fmt::Result {
    let (name, help) = ("process_start_time_seconds", "Start, since the Unix epoch");
    let mut metric = out.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
    metric.encode_gauge(&(start.0 as f64 / 1e9))?;
    let Ok(process) = Process::myself() else { return Ok(()) };
    if let Ok(stat) = process.stat() {
        let (name, help) = ("process_cpu_seconds", "Processor time used");
        let cpu = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
        let mut metric = out.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, _, u64>(&cpu, None)?;
        let resident = stat.rss_bytes().get();
        out.gauge("process_resident_memory_bytes", "Resident memory", plain(resident))?;
    }
    if let Ok(count) = process.fd_count() {
        out.gauge("process_open_fds", "Open file descriptors", plain(count as u64))?;
    }
    Ok(())
}
