//! `signd view`: recordings in a browser, frame by frame.
//!
//! A thread replays them onto a [`spool`] while the page already shows what is there.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Cursor, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde::{Deserialize, Serialize};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{CommandOutcome, Common, import, inference, print, reason, source};
use signd::config::SettingsFlags;
use signd::observe::http::HttpServer;
use signd::observe::origin::AllowedHost;
use signd::observe::page::{self, PageInfo, PageMode};
use signd::observe::scene::{FrameScene, SceneLines};
use signd::observe::spool::{self, spool};
use signd_core::stream_id;
use signd_core::wire::events::{self, EventDelivery, EventEncoding};
use signd_engine::pipeline::Pipeline;
use signd_engine::recording;
use signd_engine::replay::{RecordingPlayer, ReplayOutput};
use signd_lab::import::ImportOverrides;

/// Flags of `signd view`.
#[derive(Debug, Args)]
pub struct ViewFlags {
    /// Recordings, or files that `import` reads; the parts of one recording in their order.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Where the page is served; port 0 stands for a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Print what the page would get, as JSON lines, instead of serving it: the events, and before
    /// each frame's what the daemon sees of it.
    #[arg(long, conflicts_with = "listen")]
    items: bool,
    #[command(flatten)]
    common: Common,
}

/// A sign that is known to have been made, as in `NAME.truth.jsonl` beside `NAME.mcap`.
#[derive(Debug, Serialize, Deserialize)]
struct KnownSign {
    label: String,
    start_seq: u64,
    end_seq: u64,
}

/// What the page gets beside events and scenes.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Note {
    /// What there is to be seen.
    Hello {
        version: &'static str,
        model: String,
        scenes: bool,
        #[serde(flatten)]
        lines: SceneLines,
    },
    /// Of the file that comes next.
    Truth(KnownSign),
    /// Nothing more comes; if not all of the files was read, why.
    End { error: Option<String> },
}

/// Takes a line, without its line feed.
type Line<'a> = dyn FnMut(&[u8]) -> io::Result<()> + 'a;

impl ViewFlags {
    pub fn execute(self) -> Result<CommandOutcome> {
        let settings = self.common.settings(SettingsFlags::default())?;
        let pipeline = Pipeline::new(settings.core.clone(), inference(&settings)?);
        if self.items {
            let mut out = BufWriter::new(print::out());
            let mut line = |line: &[u8]| {
                out.write_all(line)?;
                out.write_all(b"\n")
            };
            let unplayed = play(&self.files, pipeline, &mut line)?;
            out.flush()?;
            return Ok(outcome(&unplayed));
        }
        self.serve(settings.http.hosts, pipeline)
    }

    /// Serves the page until told to stop.
    fn serve(self, hosts: Vec<AllowedHost>, pipeline: Pipeline) -> Result<CommandOutcome> {
        for path in &self.files {
            File::open(path).with_context(|| path.display().to_string())?;
        }
        let mut stop = Signals::new([SIGINT, SIGTERM])?;
        let names = self.files.iter().map(|path| path.file_name().unwrap_or(path.as_os_str()));
        let title = names.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(", ");
        let about = PageInfo { mode: PageMode::Recording, title };
        let (mut writer, spool) = spool().map_err(on_spool)?;
        let routes = move || page::routes(&about).merge(spool::routes(spool));
        let listener = TcpListener::bind(self.listen).with_context(|| self.listen.to_string())?;
        let server = HttpServer::start(listener, hosts, routes)?;
        print::line(format_args!("http://{}/", server.address()))?;
        // Not waited for: who has seen enough may leave before it is done.
        let replay = std::thread::Builder::new().name("replay".into()).spawn(move || {
            let played =
                play(&self.files, pipeline, &mut |line| writer.line(line).map_err(on_spool));
            let (ended, error) = match played {
                Ok(unplayed) => {
                    let error = (!unplayed.is_empty()).then(|| unplayed.join("; "));
                    (outcome(&unplayed), error)
                }
                Err(error) => {
                    let error = reason(&error);
                    print::note(&error);
                    (CommandOutcome::Failed(1), Some(error))
                }
            };
            let end = serde_json::to_vec(&Note::End { error }).unwrap_or_default();
            if let Err(error) = writer.line(&end).and_then(|()| writer.show()) {
                print::note(error);
            }
            ended
        })?;
        stop.forever().next();
        Ok(match replay.is_finished() {
            true => replay.join().unwrap_or(CommandOutcome::Failed(1)),
            false => CommandOutcome::Done,
        })
    }
}

/// An error of the disk on which the lines for the page are.
fn on_spool(error: io::Error) -> io::Error {
    let folder = std::env::temp_dir();
    io::Error::new(error.kind(), format!("temporary files in {}: {error}", folder.display()))
}

fn outcome(unplayed: &[String]) -> CommandOutcome {
    if unplayed.is_empty() { CommandOutcome::Done } else { CommandOutcome::Partly }
}

/// Replays the files in their order and hands on what the page gets, [`Note::End`] excepted. Returns,
/// and says on standard error, what was not played.
fn play(files: &[PathBuf], mut pipeline: Pipeline, line: &mut Line<'_>) -> Result<Vec<String>> {
    let card = pipeline.inference().card();
    let hello = Note::Hello {
        version: env!("CARGO_PKG_VERSION"),
        model: card.identity.name.clone(),
        scenes: true,
        lines: SceneLines::of(pipeline.settings(), card),
    };
    line(&serde_json::to_vec(&hello)?)?;
    let mut replay = RecordingPlayer::new(&mut pipeline);
    let (mut text, mut unplayed) = (Vec::new(), Vec::new());
    for path in files {
        for truth in truths(path)? {
            line(&serde_json::to_vec(&Note::Truth(truth))?)?;
        }
        let recording = recording(path)?;
        let played = replay.play(&recording, &mut |told| tell(told, &mut text, line));
        let losses = played.with_context(|| path.display().to_string())?.all();
        if print::losses(path, &losses) {
            unplayed.push(format!("{}: {losses}", path.display()));
        }
    }
    replay.end(&mut |told| tell(told, &mut text, line))?;
    Ok(unplayed)
}

fn tell(told: ReplayOutput<'_>, text: &mut Vec<u8>, line: &mut Line<'_>) -> io::Result<()> {
    match told {
        ReplayOutput::Core(stream, core) => FrameScene::write(stream, core, text),
        ReplayOutput::Event(event) => {
            events::encode(event, EventDelivery::default(), EventEncoding::Json, text);
        }
        ReplayOutput::Time(_) | ReplayOutput::Recorded(..) | ReplayOutput::Mark(_) => return Ok(()),
    }
    line(text)
}

/// The bytes of a recording; another format's file becomes one.
fn recording(path: &Path) -> Result<Vec<u8>> {
    let file = || path.display().to_string();
    if recording::is_recording(path).with_context(file)? {
        return source::recording(path);
    }
    let clip = signd_lab::import::read(path, &ImportOverrides::default()).with_context(file)?;
    for assumption in &clip.assumptions {
        print::note(format_args!("{}: {assumption}", path.display()));
    }
    let stream = stream_id::parse(b"cam1").context("a stream id")?;
    let mut out = Cursor::new(Vec::new());
    import::record(&clip, &stream, &mut out).with_context(file)?;
    Ok(out.into_inner())
}

/// What is known of a recording, if somebody has written it down.
fn truths(path: &Path) -> Result<Vec<KnownSign>> {
    let path = path.with_extension("truth.jsonl");
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let truths = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
    truths.with_context(|| path.display().to_string())
}
