//! Stages 2 to 5 of all cameras: frames and ticks in, events out.
//!
//! A [`Pipeline`] is a value. It makes a camera's core when its id is new, forgets the camera when it
//! is gone, and closes what is open when settings or model change. It knows no clock, thread or
//! socket, so the daemon, replay and evaluation drive the same code, and a recording says what the
//! live run said.
//!
//! A frame goes through in two halves. [`Pipeline::frame`] is the core: a few microseconds.
//! [`Pipeline::finish`] is inference. Whoever serves many cameras takes inference in smaller steps,
//! [`Pipeline::advance`] and [`Pipeline::feed`], so that rows of several cameras share a call to the
//! model. What shares a call does not change an answer, so both ways give the same events.

#[cfg(test)]
mod tests;
mod work;

use std::collections::HashMap;
use std::sync::Arc;

use signd_core::event::Event;
use signd_core::frame::{ArrivalTime, Frame};
use signd_core::stream::{CoreSettings, ModelNeeds, Stream, Tick};
use signd_core::stream_id::StreamId;
use slab::Slab;

use crate::inference::{CameraInference, Inference};
use crate::model::ModelError;
pub use work::StreamWork;

/// How far [`Pipeline::advance`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkState {
    /// To the end.
    Done,
    /// To a row that the model has to be fed before the rest: [`Pipeline::feed`].
    NeedsModel,
}

/// One camera: its core, and what inference knows of it.
struct Camera {
    stream: StreamId,
    /// None once it is gone, until a frame comes again.
    core: Option<Stream>,
    inference: CameraInference,
    /// Its frames and ticks that inference is not done with.
    waiting: usize,
}

/// All cameras, and the model that they share.
pub struct Pipeline {
    settings: CoreSettings,
    inference: Inference,
    places: HashMap<StreamId, usize>,
    cameras: Slab<Camera>,
    /// Cameras with a row to be fed, the one that waits longest first.
    hungry: Vec<usize>,
    /// Rows and states of some of them, for one call.
    rows: Vec<f32>,
    states: Vec<f32>,
}

impl Pipeline {
    /// A pipeline that has seen no camera yet.
    #[must_use]
    pub fn new(settings: CoreSettings, inference: Inference) -> Self {
        Pipeline {
            settings,
            inference,
            places: HashMap::new(),
            cameras: Slab::new(),
            hungry: Vec::new(),
            rows: Vec::new(),
            states: Vec::new(),
        }
    }

    /// Settings of the core.
    #[must_use]
    pub fn settings(&self) -> &CoreSettings {
        &self.settings
    }

    /// The model and its decisions.
    #[must_use]
    pub fn inference(&self) -> &Inference {
        &self.inference
    }

    /// The same, to ask it about signs that were cut by other means.
    pub fn inference_mut(&mut self) -> &mut Inference {
        &mut self.inference
    }

    /// The cameras there are, by name.
    #[must_use]
    pub fn streams(&self) -> Vec<StreamId> {
        let present = |(_, place): &(&StreamId, &usize)| self.cameras[**place].core.is_some();
        let mut streams: Vec<StreamId> =
            self.places.iter().filter(present).map(|(id, _)| *id).collect();
        streams.sort_unstable();
        streams
    }

    /// Takes a frame through the core of its camera. `work` then holds what it changed, for inference.
    /// Gives the core, to look inside.
    pub fn frame(
        &mut self,
        stream: StreamId,
        frame: &Frame,
        arrival: ArrivalTime,
        work: &mut StreamWork,
    ) -> &Stream {
        let place = *self.places.entry(stream).or_insert_with(|| {
            let inference = CameraInference::new(&self.inference.model);
            self.cameras.insert(Camera { stream, core: None, inference, waiting: 0 })
        });
        let camera = &mut self.cameras[place];
        let new = || Stream::new(&self.settings, self.inference.needs());
        let core = camera.core.get_or_insert_with(new);
        work.begin(stream);
        core.push(frame, arrival, &mut work.batch);
        work.camera = Some(place);
        camera.waiting += 1;
        core
    }

    /// Takes what the clock decided about a camera. Nothing follows where there is no such camera.
    pub fn tick(&mut self, stream: StreamId, tick: Tick, work: &mut StreamWork) {
        work.begin(stream);
        let Some(place) = self.places.get(&stream) else { return };
        let camera = &mut self.cameras[*place];
        let Some(core) = &mut camera.core else { return };
        core.tick(tick, &mut work.batch);
        if matches!(tick, Tick::Gone | Tick::End) {
            work.last = true;
            camera.core = None;
        }
        work.camera = Some(*place);
        camera.waiting += 1;
    }

    /// Takes inference of a frame or tick to its end, as [`Pipeline::advance`] does step by step.
    ///
    /// # Errors
    ///
    /// When the model fails. The camera is then forgotten.
    pub fn finish(
        &mut self,
        work: &mut StreamWork,
        fresh: bool,
        mut emit: impl FnMut(Event),
    ) -> Result<(), ModelError> {
        let mut step = || -> Result<(), ModelError> {
            while self.advance(work, fresh, &mut emit)? == WorkState::NeedsModel {
                self.feed()?;
            }
            Ok(())
        };
        let finished = step();
        if finished.is_err()
            && let Some(place) = work.camera.take()
        {
            self.forget(place);
        }
        finished
    }

    /// Takes inference of a frame or tick as far as it goes without a row that has to be fed. Events go
    /// to `emit`, in order. A window model is asked for hypotheses about an open sign only if the frame
    /// is `fresh`, the newest of its camera that waits.
    ///
    /// # Errors
    ///
    /// When the model fails.
    pub fn advance(
        &mut self,
        work: &mut StreamWork,
        fresh: bool,
        mut emit: impl FnMut(Event),
    ) -> Result<WorkState, ModelError> {
        let Some(place) = work.camera else { return Ok(WorkState::Done) };
        // Its camera may have been forgotten, and another one have its place.
        let camera = self.cameras.get_mut(place).filter(|camera| camera.stream == work.stream);
        let Some(camera) = camera else {
            work.camera = None;
            return Ok(WorkState::Done);
        };
        if camera.inference.next_row().is_none() {
            let labels = Arc::clone(self.inference.model.labels());
            let stream = work.stream;
            let emit = |body| emit(Event { stream, body, labels: Arc::clone(&labels) });
            let (batch, taken) = (&work.batch, &mut work.taken);
            camera.inference.take(&mut self.inference, batch, taken, fresh, emit)?;
            if camera.inference.next_row().is_some() {
                self.hungry.push(place);
            }
        }
        if camera.inference.next_row().is_some() {
            return Ok(WorkState::NeedsModel);
        }
        work.camera = None;
        camera.waiting = camera.waiting.saturating_sub(1);
        if camera.core.is_none() && camera.waiting == 0 {
            self.forget(place);
        } else if work.last {
            camera.inference = CameraInference::new(&self.inference.model);
        }
        Ok(WorkState::Done)
    }

    /// Feeds the model the next row of every camera that has one, in as few calls as may be.
    ///
    /// # Errors
    ///
    /// When the model fails.
    pub fn feed(&mut self) -> Result<(), ModelError> {
        let Pipeline { inference, cameras, hungry, rows, states, .. } = self;
        let Inference { model, decider } = inference;
        // One call after the other, so that no more states are gathered than a call takes.
        let fed = hungry.chunks(model.shared()).try_for_each(|places| {
            rows.clear();
            states.clear();
            for place in places {
                if let Some((row, state)) = cameras[*place].inference.next_row() {
                    rows.extend_from_slice(row);
                    states.extend_from_slice(state);
                }
            }
            model.step(rows, states, |i, logits, next| {
                cameras[places[i]].inference.fed(next, decider.hypotheses(logits));
            })
        });
        hungry.retain(|place| cameras[*place].inference.next_row().is_some());
        fed
    }

    /// Goes on with other settings and another model. What is open is decided by the old ones, and of
    /// each camera only the place in its stream and the number of its next decision are kept. All work
    /// is to be done before.
    ///
    /// # Errors
    ///
    /// When the old model fails.
    pub fn reload(
        &mut self,
        settings: CoreSettings,
        inference: Inference,
        emit: impl FnMut(Event),
    ) -> Result<(), ModelError> {
        self.close(&settings, &inference.needs(), emit)?;
        (self.settings, self.inference) = (settings, inference);
        self.renew();
        Ok(())
    }

    /// A reload of the same settings and the same model.
    ///
    /// # Errors
    ///
    /// When the model fails.
    pub fn restart(&mut self, emit: impl FnMut(Event)) -> Result<(), ModelError> {
        self.close(&self.settings.clone(), &self.inference.needs(), emit)?;
        self.renew();
        Ok(())
    }

    fn close(
        &mut self,
        settings: &CoreSettings,
        needs: &ModelNeeds,
        mut emit: impl FnMut(Event),
    ) -> Result<(), ModelError> {
        let mut work = StreamWork::default();
        for stream in self.streams() {
            let place = self.places[&stream];
            let camera = &mut self.cameras[place];
            let Some(core) = &mut camera.core else { continue };
            work.begin(stream);
            core.adopt(settings, needs.clone(), &mut work.batch);
            work.camera = Some(place);
            camera.waiting += 1;
            self.finish(&mut work, true, &mut emit)?;
        }
        Ok(())
    }

    fn renew(&mut self) {
        self.hungry.clear();
        for (_, camera) in &mut self.cameras {
            camera.inference.restart(&self.inference.model);
        }
    }

    fn forget(&mut self, place: usize) {
        if let Some(camera) = self.cameras.try_remove(place) {
            self.places.remove(&camera.stream);
            self.hungry.retain(|hungry| *hungry != place);
        }
    }
}
