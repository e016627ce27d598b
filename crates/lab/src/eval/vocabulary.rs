//! What counts as a known sign: the labels of a model, or those of them that a file names.

use serde_json::Value;

use super::clip_list::comparable;
use signd_core::event::ModelLabels;

/// What a clip shows, as far as a model can know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroundTruth {
    /// A sign of the vocabulary, by its output.
    Known(u16),
    /// A sign outside it.
    Unknown,
    /// No sign.
    NoSign,
}

/// A file of labels that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum VocabularyError {
    /// It begins like JSON but is no list of labels and no map from labels.
    #[error(
        "expected a label on each line, a JSON list of labels, or a JSON object with labels as keys"
    )]
    Form,
    /// It names nothing.
    #[error("expected at least one label, found none")]
    Empty,
    /// It names what the model cannot say.
    #[error("`{label}` is none of the model's {count} labels")]
    Label {
        /// The label.
        label: String,
        /// Labels of the model.
        count: usize,
    },
}

/// The signs that are scored.
#[derive(Clone, Debug, PartialEq)]
pub struct SignVocabulary {
    /// Name of each output in the form in which labels are compared.
    names: Vec<String>,
    no_sign: Option<usize>,
    /// Whether the output is scored. True for *no sign*.
    scored: Vec<bool>,
}

impl SignVocabulary {
    /// All signs of a model.
    pub fn of(labels: &ModelLabels) -> SignVocabulary {
        let names: Vec<String> = labels.names.iter().map(|name| comparable(name)).collect();
        SignVocabulary { scored: vec![true; names.len()], names, no_sign: labels.no_sign }
    }

    /// All signs of a model, or only those given.
    pub fn new(
        labels: &ModelLabels,
        only: Option<&[String]>,
    ) -> Result<SignVocabulary, VocabularyError> {
        let names: Vec<String> = labels.names.iter().map(|name| comparable(name)).collect();
        let mut scored = vec![only.is_none(); names.len()];
        for label in only.unwrap_or_default() {
            let count = names.len();
            let unknown = || VocabularyError::Label { label: label.clone(), count };
            let at = names.iter().position(|name| *name == comparable(label));
            scored[at.ok_or_else(unknown)?] = true;
        }
        if let Some(no_sign) = labels.no_sign {
            scored[no_sign] = true;
        }
        Ok(SignVocabulary { names, no_sign: labels.no_sign, scored })
    }

    /// What a clip of this label, as compared, shows. *No sign* may also be called by the model's
    /// own name for it.
    pub fn truth(&self, label: &str) -> GroundTruth {
        let at = self.names.iter().zip(&self.scored).position(|(name, on)| *on && name == label);
        match at {
            _ if label.is_empty() => GroundTruth::NoSign,
            Some(at) if self.no_sign == Some(at) => GroundTruth::NoSign,
            Some(at) => GroundTruth::Known(at as u16),
            None => GroundTruth::Unknown,
        }
    }

    /// The compared name of an output. None for *no sign*.
    pub fn name(&self, output: u16) -> Option<&str> {
        let output = usize::from(output);
        if self.no_sign == Some(output) { None } else { self.names.get(output).map(String::as_str) }
    }

    /// Number of signs.
    pub fn len(&self) -> usize {
        let signs = self.scored.iter().enumerate();
        signs.filter(|(i, scored)| **scored && self.no_sign != Some(*i)).count()
    }

    /// Whether there is no sign in it, as in a model that says nothing but *no sign*.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the scored outputs as the model spells them.
    pub fn spelled(&self, labels: &ModelLabels) -> Vec<String> {
        let all = labels.names.iter().zip(&self.scored);
        all.filter(|(_, scored)| **scored).map(|(name, _)| name.clone()).collect()
    }
}

/// The labels in a file: one on each line, or a JSON list, or a JSON object whose keys they are (as
/// in `sign_to_prediction_index_map.json` of the isolated-sign competition).
pub fn parse(text: &str) -> Result<Vec<String>, VocabularyError> {
    let labels: Vec<String> = if text.trim_start().starts_with(['[', '{']) {
        match serde_json::from_str(text) {
            Ok(Value::Object(map)) => map.into_iter().map(|(label, _)| label).collect(),
            Ok(Value::Array(list)) => {
                let labels = list.into_iter().map(|item| match item {
                    Value::String(label) => Ok(label),
                    _ => Err(VocabularyError::Form),
                });
                labels.collect::<Result<_, _>>()?
            }
            _ => return Err(VocabularyError::Form),
        }
    } else {
        text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
    };
    if labels.is_empty() { Err(VocabularyError::Empty) } else { Ok(labels) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> ModelLabels {
        let names = ["TV", "book", "no sign"].map(str::to_owned).to_vec();
        ModelLabels { names, no_sign: Some(2) }
    }

    #[test]
    fn labels_are_compared_in_lower_case_and_no_sign_is_none_of_the_signs() {
        let all = SignVocabulary::new(&labels(), None).expect("fits");
        assert_eq!(all.truth("tv"), GroundTruth::Known(0));
        assert_eq!(all.truth("dog"), GroundTruth::Unknown);
        assert_eq!(
            (all.truth(""), all.truth("no sign")),
            (GroundTruth::NoSign, GroundTruth::NoSign)
        );
        assert_eq!((all.name(0), all.name(2), all.len()), (Some("tv"), None, 2));
    }

    #[test]
    fn what_a_file_leaves_out_is_unknown() {
        let some = SignVocabulary::new(&labels(), Some(&["Tv ".to_owned()])).expect("fits");
        assert_eq!(
            (some.truth("tv"), some.truth("book")),
            (GroundTruth::Known(0), GroundTruth::Unknown)
        );
        assert_eq!((some.len(), some.spelled(&labels())), (1, vec!["TV".into(), "no sign".into()]));
        let error = SignVocabulary::new(&labels(), Some(&["dog".to_owned()])).expect_err("refused");
        assert_eq!(error.to_string(), "`dog` is none of the model's 3 labels");
    }

    #[test]
    fn three_forms_of_file() {
        assert_eq!(parse("TV\n\n book\r\n").expect("lines"), ["TV", " book"]);
        assert_eq!(parse(r#" ["TV", "book"]"#).expect("list"), ["TV", "book"]);
        assert_eq!(parse(r#"{"TV": 0, "book": 1}"#).expect("map"), ["TV", "book"]);
        for wrong in ["[1]", "[", "{"] {
            assert_eq!(parse(wrong), Err(VocabularyError::Form), "{wrong}");
        }
        assert_eq!(parse(" \n"), Err(VocabularyError::Empty));
    }
}
