//! Inputs and outputs of a model file, held against what its contract asks for.

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

use super::ModelError;
use super::card::{ModelCard, ModelContract};
use signd_core::features::grid::RowKind;
use signd_core::frame::POINTS;

/// Which inputs and outputs are what.
#[derive(Clone, Copy, Debug)]
pub struct ModelPorts {
    /// How the model is called.
    pub form: CallForm,
    /// Number of the output with the logits.
    pub logits: usize,
    /// Number and size of the output with the embedding.
    pub embedding: Option<(usize, usize)>,
}

/// How a model is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallForm {
    /// With all rows of a sign.
    Window {
        /// The input has a leading batch axis.
        batched: bool,
    },
    /// With one row of each of several streams, and their states.
    Stream {
        /// Numbers in a state.
        state: usize,
        /// Number of the output with the next states.
        next: usize,
    },
}

impl ModelPorts {
    /// Finds them; an error when they do not fit the contract.
    pub fn find(session: &Session, card: &ModelCard) -> Result<ModelPorts, ModelError> {
        let (inputs, outputs) = (session.inputs(), session.outputs());
        let find = |name: &str| outputs.iter().position(|output| output.name() == name);
        let embedding = find("embedding").map(|i| match shape(&outputs[i])[..] {
            [_, size] if size > 0 => Ok((i, size as usize)),
            _ => Err(unfit("output", "embedding [B, E]".into(), &outputs[i..=i])),
        });
        let embedding = embedding.transpose()?;
        let form = match card.contract {
            ModelContract::Features | ModelContract::Landmarks => window(inputs, card)?,
            ModelContract::Stream => {
                let (state, next) = (state_size(inputs, card)?, find("next"));
                let (labels, state) = (card.labels.names.len(), state);
                let fits = next.is_some_and(|i| fits(&shape(&outputs[i]), &[-1, state as i64]));
                match next {
                    Some(next) if fits && embedding.is_some() => CallForm::Stream { state, next },
                    _ => {
                        let expected = format!(
                            "logits [B, {labels}], embedding [B, E] and next [B, {state}], as state"
                        );
                        return Err(unfit("outputs", expected, outputs));
                    }
                }
            }
        };
        Ok(ModelPorts { form, logits: find("logits").unwrap_or(0), embedding })
    }
}

/// The input of a model that takes all rows of a sign at once.
fn window(inputs: &[Outlet], card: &ModelCard) -> Result<CallForm, ModelError> {
    let points = POINTS as i64;
    let (shapes, expected) = match &card.kind {
        RowKind::Features { schema, .. } => {
            let width = schema.width() as i64;
            (vec![vec![1, -1, width]], format!("[1, T, {width}] ({})", schema.names()))
        }
        RowKind::Landmarks => (
            vec![vec![-1, points, 3], vec![1, -1, points, 3]],
            "[T, 543, 3] or [1, T, 543, 3]".into(),
        ),
    };
    match inputs {
        [input] if shapes.iter().any(|expected| fits(&shape(input), expected)) => {
            Ok(CallForm::Window { batched: shape(input).len() == 4 })
        }
        _ => Err(unfit("inputs", format!("one, {expected}"), inputs)),
    }
}

/// Numbers in the state of a model that takes rows one by one.
fn state_size(inputs: &[Outlet], card: &ModelCard) -> Result<usize, ModelError> {
    let width = card.kind.width() as i64;
    let named = |name: &str| inputs.iter().find(|input| input.name() == name).map(shape);
    if let (2, Some(rows), Some(state)) = (inputs.len(), named("rows"), named("state"))
        && let ([-1, columns], [-1, size]) = (&rows[..], &state[..])
        && *columns == width
        && *size > 0
    {
        return Ok(*size as usize);
    }
    let expected = format!("rows [B, {width}] and state [B, S], with any B");
    Err(unfit("inputs", expected, inputs))
}

/// Lengths of the axes, -1 for any; nothing when it is no tensor of 32-bit floats.
fn shape(outlet: &Outlet) -> Vec<i64> {
    match outlet.dtype() {
        ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } => shape.to_vec(),
        _ => Vec::new(),
    }
}

fn fits(found: &[i64], expected: &[i64]) -> bool {
    let same = |(a, b): (&i64, &i64)| *a == -1 || *b == -1 || a == b;
    found.len() == expected.len() && found.iter().zip(expected).all(same)
}

fn unfit(what: &'static str, expected: String, found: &[Outlet]) -> ModelError {
    let words = found.iter().map(|outlet| {
        let axis = |n: &i64| if *n == -1 { "?".to_owned() } else { n.to_string() };
        let axes: Vec<String> = shape(outlet).iter().map(axis).collect();
        match axes.is_empty() {
            true => format!("{} (no 32-bit floats)", outlet.name()),
            false => format!("{} [{}]", outlet.name(), axes.join(", ")),
        }
    });
    let found = words.collect::<Vec<_>>();
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    ModelError::Shape { what, expected, found }
}
