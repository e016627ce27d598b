//! Library and model: are they there, do they fit, are they fast enough?

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::super::{MODEL, RUNTIME, locate};
use super::finding::DoctorFinding;
use super::pointers::DocPointer;
use signd::config::Settings;
use signd_core::features::grid::RowKind;
use signd_engine::inference::decide::SignDecider;
use signd_engine::model::{Model, ModelContract, ModelError, OnnxRuntime};

/// Frames a second at which a stream is taken to arrive.
const FPS: f64 = 30.0;
/// Time spent on measuring.
const MEASURE: Duration = Duration::from_millis(500);
/// A stream that costs more of a core than this leaves no room for anything beside it.
const TOO_SLOW: f64 = 0.7;

/// Looks at library and model.
pub fn examine(settings: &Settings, out: &mut Vec<DoctorFinding>) {
    let library = locate(settings.runtime.as_deref(), RUNTIME);
    let runtime = match OnnxRuntime::load(&library) {
        Ok(runtime) => {
            out.push(DoctorFinding::well("onnxruntime", library.display().to_string()));
            runtime
        }
        Err(error) => {
            let missing = if library.exists() { "" } else { " (there is no such file)" };
            let remedy = "install the package again, or name a library of version 1.24 or later with \
                          --runtime (built and tested with 1.28.0)";
            out.push(DoctorFinding::wrong("onnxruntime", format!("{error}{missing}"), remedy));
            return;
        }
    };
    let file = locate(settings.model.as_deref(), MODEL);
    let mut model = match Model::open(&runtime, &file) {
        Ok(model) => model,
        Err(error) => {
            let (seen, remedy) = match &error {
                ModelError::File { source, .. } if source.kind() == ErrorKind::PermissionDenied => (
                    error.to_string(),
                    "let the user that runs signd read it: `chmod a+r FILE`, and `a+x` for its folders".into(),
                ),
                ModelError::File { .. } => (
                    error.to_string(),
                    "name a model file with --model or `model` in the configuration".into(),
                ),
                _ => (
                    format!("{}: {error}", file.display()),
                    format!(
                        "this file is no model of this version of signd; `signd model FILE` says what a \
                         file says of itself, {} how one is made",
                        DocPointer::Models.path()
                    ),
                ),
            };
            out.push(DoctorFinding::wrong("model", seen, remedy));
            return;
        }
    };
    let card = model.card();
    let labels = card.labels.names.len();
    let seen = format!("{}, contract {}, {labels} labels", card.identity.name, card.contract);
    out.push(match SignDecider::new(&settings.decide, card) {
        Ok(_) => DoctorFinding::well("model", seen),
        Err(error) => {
            DoctorFinding::wrong("model", error.to_string(), "mend [decide] in the configuration")
        }
    });
    out.push(match pace(&mut model) {
        Ok(share) => judge(share, settings.ingest.limits.max_streams),
        Err(error) => DoctorFinding::wrong("speed", error.to_string(), "use another model"),
    });
}

/// Share of a core that the model takes for one stream in the middle of a sign.
fn pace(model: &mut Model) -> Result<f64, ModelError> {
    // A window model is asked about the whole sign at every frame, a `stream` model about each row.
    let (rows, per_second) = match (model.card().contract, &model.card().kind) {
        (ModelContract::Stream, RowKind::Features { rate, .. }) => (1, *rate),
        (_, RowKind::Features { rate, .. }) => ((2.0 * rate) as usize, FPS),
        (_, RowKind::Landmarks) => ((2.0 * FPS) as usize, FPS),
    };
    let rows = vec![0.1; rows.min(model.window()) * model.row_width()];
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.len() < 10 || (begin.elapsed() < MEASURE && times.len() < 10_000) {
        let start = Instant::now();
        model.run(&rows)?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2].as_secs_f64() * per_second)
}

fn judge(share: f64, max_streams: usize) -> DoctorFinding {
    let streams = (TOO_SLOW / share) as usize;
    let seen = format!(
        "a stream in the middle of a sign takes {:.1} % of a core: room for {streams} of them",
        100.0 * share
    );
    if streams == 0 {
        let remedy = "hypotheses will lag behind the camera: use the shipped model, a faster machine, \
                      or fewer frames a second";
        return DoctorFinding::wrong("speed", seen, remedy);
    }
    if streams < max_streams {
        let remedy = format!(
            "with more than {streams} people signing at once, hypotheses will lag \
                              (max_streams is {max_streams})"
        );
        return DoctorFinding::mind("speed", seen, remedy);
    }
    DoctorFinding::well("speed", seen)
}

#[cfg(test)]
mod tests {
    use super::super::finding::FindingLevel;
    use super::*;

    #[test]
    fn speed_is_judged_by_the_streams_there_is_room_for() {
        let level = |share, streams| judge(share, streams).level;
        assert_eq!(level(0.004, 64), FindingLevel::Well);
        assert_eq!(level(0.1, 64), FindingLevel::Mind);
        assert_eq!(level(0.1, 4), FindingLevel::Well);
        assert_eq!(level(1.2, 1), FindingLevel::Wrong);
    }
}
