//! In steady state a frame costs no allocation between decode and event, outside the runtime's call.
//!
//! The runtime's own share is measured with a session of the same model that belongs to no code of
//! ours: what a frame allocates must be that, times the calls to the model which the frame leads to.

#[path = "common/models.rs"]
mod models;

use std::path::Path;
use std::time::Instant;

use allocation_counter::measure;
use models::{SHIPPED, model, pipeline, runtime};
use ort::session::Session;
use ort::value::TensorRef;
use signd::config::{Settings, SettingsFlags};
use signd::observe::hub::ViewerHub;
use signd::observe::live::LiveKind;
use signd::plumbing::counters::DaemonCounters;
use signd::plumbing::flow;
use signd_core::event::{Event, EventBody};
use signd_core::frame::{ArrivalTime, Frame};
use signd_core::stream::{StepBatch, StreamStep};
use signd_core::stream_id;
use signd_core::wire::events::{self, EventDelivery, EventEncoding};
use signd_core::wire::landmarks;
use signd_engine::model::Model;
use signd_engine::pipeline::StreamWork;
use signd_engine::recording;

/// The window form of the shipped model.
const SHIPPED_WINDOW: &str = "../../models/signd-window.onnx";
const RECORDING: &str = "tests/recordings/signer.mcap";

/// Allocations of one bare call to the model: with thirty rows, or with one and a state.
fn bare_call(name: &str, model: &Model) -> u64 {
    let builder = Session::builder(runtime().environment()).expect("builder");
    let mut builder = builder.with_intra_threads(1).expect("sets");
    let mut session = builder.commit_from_file(models::path(name)).expect("model");
    let width = model.row_width();
    let data = vec![0.5f32; model.state_size().unwrap_or(0).max(30 * width)];
    let mut call = || {
        let row = |width| TensorRef::from_array_view(([1, width], &data[..width])).expect("tensor");
        let rows =
            || TensorRef::from_array_view(([1, 30, width], &data[..30 * width])).expect("tensor");
        let outputs = match model.state_size() {
            None => session.run(ort::inputs![rows()]),
            Some(size) => session.run(ort::inputs!["rows" => row(width), "state" => row(size)]),
        };
        let outputs = outputs.expect("runs");
        for (_, output) in &outputs {
            output.try_extract_tensor::<f32>().expect("numbers");
        }
    };
    call(); // the first one allocates more
    measure(call).count_total
}

/// The messages of the shipped recording, the capture times of later rounds going on.
fn wires(rounds: u64) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(RECORDING));
    let (frames, _) = recording::frames(&bytes.expect("reads")).expect("readable");
    let count = rounds * frames.len() as u64;
    let numbered = frames.iter().cycle().zip(0..count).map(|((_, frame), i)| {
        let mut frame = frame.clone();
        frame.seq = i;
        frame.t.0 = 1_000_000_000 + i * 1_000_000_000 / 30;
        let mut wire = Vec::new();
        landmarks::encode(&frame, &mut wire);
        wire
    });
    numbered.collect()
}

/// Calls to the model that a frame leads to.
struct Calls {
    width: usize,
    /// The model is fed row by row.
    streaming: bool,
    open: bool,
    made: u64,
}

impl Calls {
    fn of(&mut self, batch: &StepBatch) -> u64 {
        let mut calls = 0;
        for step in &batch.steps {
            match *step {
                StreamStep::Rows(first) => {
                    let rows = (batch.rows.len() / self.width) as u64;
                    self.made = first + rows;
                    calls += if self.open && self.streaming { rows } else { 0 };
                }
                StreamStep::Begin(begin) => {
                    self.open = true;
                    calls += if self.streaming { self.made - begin.row } else { 0 };
                }
                StreamStep::Drop => self.open = false,
                StreamStep::End(_) | StreamStep::Frame { .. } => {
                    calls += u64::from(self.open && !self.streaming);
                }
                StreamStep::Status(..) | StreamStep::Doubt(..) => {}
            }
        }
        calls
    }
}

/// Plays the recording with this model; the calls to it.
fn play(name: &str) -> u64 {
    let settings = Settings::load(&SettingsFlags::default()).expect("defaults");
    let model = model(name);
    let bare = bare_call(name, &model);
    let (width, streaming) = (model.row_width(), model.state_size().is_some());
    let mut calls = Calls { width, streaming, open: false, made: 0 };
    let mut pipeline = pipeline(&settings, name);
    let id = stream_id::parse(b"cam1").expect("valid");
    let mut work = StreamWork::default();
    let (mut to_front, mut from_ingest) = flow::ring::<Box<Frame>>(4).expect("pipe");
    let (mut pool, mut returns) = flow::pool::<Box<Frame>>(4);
    let (mut head, mut body) = (Vec::with_capacity(256), Vec::with_capacity(4096));

    // All is counted, and there is an HTTP server at which nobody looks on.
    let counters = DaemonCounters::default();
    let (live, _hub) = ViewerHub::channel();
    let count = counters.roster.enter(id);

    let (mut called, mut events, mut signs) = (0, 0, 0);
    let wires = wires(3);
    let steady = wires.len() / 3;
    for (i, wire) in wires.iter().enumerate() {
        let cost = measure(|| {
            let received = Instant::now();
            let mut frame = pool.take().unwrap_or_default();
            landmarks::read(wire, &mut frame).expect("a frame");
            counters.timings.decode.add(received.elapsed());
            counters.received();
            counters.levels.ring.enter();
            to_front.send(frame);
            let frame = from_ingest.try_receive().expect("was just sent");
            counters.levels.ring.leave();
            pipeline.frame(id, &frame, ArrivalTime(frame.t.0), &mut work);
            count.frame(&frame, received, 0);
            counters.timings.front.add(received.elapsed());
            live.offer(id, LiveKind::Scene, |_| unreachable!("nobody looks"));
            let publish = |event: Event| {
                let begun = Instant::now();
                events::topic(&event, &mut head);
                for encoding in [EventEncoding::Msgpack, EventEncoding::Json] {
                    events::encode(&event, EventDelivery::default(), encoding, &mut body);
                }
                counters.published(&event.body, begun, received);
                live.offer(id, LiveKind::of(&event), |_| {
                    assert!(matches!(event.body, EventBody::Status(_)), "nobody looks");
                });
                events += 1;
            };
            returns.give(frame);
            pipeline.finish(&mut work, true, publish).expect("runs");
        });
        let batch = work.batch();
        signs += batch.steps.iter().filter(|step| matches!(step, StreamStep::End(_))).count();
        let calls = calls.of(batch);
        called += calls;
        if i >= steady {
            assert_eq!(cost.count_total, calls * bare, "frame {i}: {:?}", batch.steps);
        }
    }
    // The recording has what may cost something: rest, signs, decisions.
    assert_eq!(counters.timings.latency.read().count(), wires.len() as u64);
    assert_eq!((events, signs), (wires.len() + signs + 1, 18), "one more: the stream appeared");
    called
}

#[test]
fn a_frame_allocates_nothing_outside_the_call_to_the_runtime() {
    let calls = play(SHIPPED_WINDOW);
    assert!((600..1200).contains(&calls), "{calls}");
}

#[test]
fn to_ask_whether_its_sender_may_send_it_allocates_nothing() {
    let key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    let table = format!(
        "[keys.clients.cam]\nkey = '{key}'\npublish = ['x', 'hall-*']\n\
         [keys.clients.eye]\nkey = 'Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{{hID'\nsubscribe = true"
    );
    let mut file = tempfile::NamedTempFile::new().expect("file");
    std::io::Write::write_all(&mut file, table.as_bytes()).expect("writes");
    let config = Some(file.path().to_owned());
    let settings =
        Settings::load(&SettingsFlags { config, ..SettingsFlags::default() }).expect("valid");
    let clients = settings.keys.clients;
    let stream = stream_id::parse(b"hall-2").expect("an id");
    let mut answers = (false, true);
    let ask = || answers = (clients.may_publish(key, &stream), clients.may_publish("", &stream));
    assert_eq!(measure(ask).count_total, 0);
    assert_eq!(answers, (true, false));
    // Who the sender is costs the binding a C string of the property's name.
    let mut message = zmq::Message::new();
    assert_eq!(measure(|| assert_eq!(message.gets("User-Id"), None)).count_total, 1);
}

#[test]
fn nor_does_a_frame_whose_rows_are_fed_one_by_one() {
    // More calls than frames in a sign: each sign begins twice, with the rows before it.
    let calls = play(SHIPPED);
    assert!((900..1500).contains(&calls), "{calls}");
}
