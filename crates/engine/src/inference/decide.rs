//! From logits to hypotheses and decisions.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::ModelCard;
use signd_core::event::{Hypotheses, MAX_TOP, ModelLabels, UnknownReason};
use signd_core::segment::odds;

/// Least probability of a decided label when neither settings nor model say.
pub const THRESHOLD: f32 = 0.5;

/// Settings of decisions; `conf/signd.toml` documents each, and the default ones are its own.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideSettings {
    /// Hypotheses in an event, 1..10.
    pub top: usize,
    /// Least probability of a decided label, 0..1; 0: the model's own, or else [`THRESHOLD`].
    pub threshold: f32,
    /// The same for single labels.
    pub thresholds: BTreeMap<String, f32>,
    /// A label that has led with its threshold's probability for this long is decided before the sign ends,
    /// ms; 0: never. `stream` models only.
    pub early_ms: f64,
    /// Labels that may be decided; empty means all.
    pub allow: Vec<String>,
}

impl Default for DecideSettings {
    fn default() -> Self {
        DecideSettings {
            top: 5,
            threshold: 0.0,
            thresholds: BTreeMap::new(),
            early_ms: 0.0,
            allow: Vec::new(),
        }
    }
}

/// A decided sign.
#[derive(Clone, Debug, PartialEq)]
pub struct SignDecision {
    /// The output, `None` when it is no known sign.
    pub label: Option<u16>,
    /// Why it is none; `None` when there is a label.
    pub unknown: Option<UnknownReason>,
    /// Probability of the best hypothesis, 0..1.
    pub p: f32,
    /// The threshold of the best hypothesis, 0..1.
    pub threshold: f32,
    /// The best hypotheses.
    pub top: Hypotheses,
}

/// The probability that thresholds are held against: that of the label, 0..1, unless there is less of a sign
/// about the segment than usual. Then it is doubted: its odds are multiplied by the `presence`, as if the two
/// were evidence of their own.
#[must_use]
pub fn sureness(p: f32, presence: f32) -> f32 {
    if presence >= 1.0 {
        return p;
    }
    let odds = odds(p) * presence;
    odds / (1.0 + odds)
}

/// Turns a model's logits into probabilities and these into decisions.
pub struct SignDecider {
    labels: Arc<ModelLabels>,
    temperature: f32,
    early_ms: f64,
    count: usize,
    thresholds: Vec<f32>,
    allowed: Vec<bool>,
    p: Vec<f32>,
}

/// A setting names a label that the model has not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("decide.{key} names `{label}`, which is none of the model's {count} labels")]
pub struct UnknownLabel {
    key: &'static str,
    label: String,
    count: usize,
}

impl SignDecider {
    /// Fits the settings to a model.
    ///
    /// # Errors
    ///
    /// When a setting names a label that the model has not.
    pub fn new(settings: &DecideSettings, card: &ModelCard) -> Result<Self, UnknownLabel> {
        let labels = Arc::clone(&card.labels);
        let count = labels.names.len();
        let find = |key, label: &String| {
            let unknown = || UnknownLabel { key, label: label.clone(), count };
            labels.names.iter().position(|name| name == label).ok_or_else(unknown)
        };
        let threshold = match settings.threshold {
            0.0 => card.threshold.unwrap_or(THRESHOLD),
            threshold => threshold,
        };
        let mut thresholds = vec![threshold; count];
        for (label, threshold) in &settings.thresholds {
            thresholds[find("thresholds", label)?] = *threshold;
        }
        let mut allowed = vec![settings.allow.is_empty(); count];
        for label in &settings.allow {
            allowed[find("allow", label)?] = true;
        }
        if let Some(no_sign) = labels.no_sign {
            allowed[no_sign] = true;
        }
        let p = Vec::with_capacity(count);
        Ok(SignDecider {
            labels,
            temperature: card.temperature,
            early_ms: settings.early_ms,
            count: settings.top.clamp(1, MAX_TOP),
            thresholds,
            allowed,
            p,
        })
    }

    /// How long a label must lead to be decided before the sign ends, ms; 0: never.
    #[must_use]
    pub fn early_ms(&self) -> f64 {
        self.early_ms
    }

    /// The best hypotheses among the allowed labels, most probable first.
    pub fn hypotheses(&mut self, logits: &[f32]) -> Hypotheses {
        // Softmax over the allowed outputs.
        let scaled = logits.iter().zip(&self.allowed);
        let scaled =
            scaled.map(|(x, ok)| if *ok { x / self.temperature } else { f32::NEG_INFINITY });
        self.p.clear();
        self.p.extend(scaled);
        let most = self.p.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        self.p.iter_mut().for_each(|x| *x = (*x - most).exp());
        let sum: f32 = self.p.iter().sum();

        let mut top = Hypotheses::new();
        for (i, x) in self.p.iter().enumerate().filter(|(i, _)| self.allowed[*i]) {
            let p = x / sum;
            // Insertion into a list of at most ten; the first of equals stays first.
            let at = top.iter().position(|(_, q)| p > *q).unwrap_or(top.len());
            if at < self.count {
                if top.len() == self.count {
                    top.pop();
                }
                top.insert(at, (i as u16, p));
            }
        }
        top
    }

    /// Decides a sign by the hypotheses at its end and the odds, in those of a usual sign, that it is
    /// signing at all.
    #[must_use]
    pub fn decide(&self, top: Hypotheses, presence: f32) -> SignDecision {
        let (best, p) = top.first().copied().unwrap_or((0, 0.0));
        let threshold = self.thresholds.get(usize::from(best)).copied().unwrap_or(1.0);
        let enough = |p: f32| p >= threshold;
        let unknown = if self.labels.no_sign == Some(usize::from(best)) {
            Some(UnknownReason::NoSign)
        } else if !enough(p) {
            Some(UnknownReason::Threshold)
        } else if !enough(sureness(p, presence)) {
            Some(UnknownReason::Doubted)
        } else {
            None
        };
        SignDecision { label: unknown.is_none().then_some(best), unknown, p, threshold, top }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ModelContract, ModelIdentity};
    use signd_core::features::grid::RowKind;

    #[test]
    fn the_default_settings_are_those_that_ship() {
        #[derive(serde::Deserialize)]
        struct Shipped {
            decide: DecideSettings,
        }
        let shipped = toml::from_str(include_str!("../../../../conf/signd.toml"));
        let Shipped { decide } = shipped.expect("the settings that ship");
        assert_eq!(decide, DecideSettings::default());
    }

    fn card(threshold: Option<f32>) -> ModelCard {
        let names = ["book", "dog", "none"].map(str::to_owned).to_vec();
        ModelCard {
            identity: ModelIdentity { name: "test 1".into(), sha256: String::new() },
            author: None,
            license: None,
            contract: ModelContract::Landmarks,
            kind: RowKind::Landmarks,
            window: 128,
            temperature: 1.0,
            threshold,
            tagger: None,
            labels: Arc::new(ModelLabels { names, no_sign: Some(2) }),
        }
    }

    fn settings(threshold: f32, allow: &[&str], thresholds: &[(&str, f32)]) -> DecideSettings {
        DecideSettings {
            top: 2,
            early_ms: 0.0,
            threshold,
            thresholds: thresholds.iter().map(|(l, t)| ((*l).to_owned(), *t)).collect(),
            allow: allow.iter().map(|l| (*l).to_owned()).collect(),
        }
    }

    fn decide(decider: &mut SignDecider, logits: &[f32]) -> SignDecision {
        let top = decider.hypotheses(logits);
        decider.decide(top, 1.0)
    }

    #[test]
    fn the_best_label_is_decided_when_it_is_sure_enough() {
        let settings = settings(0.5, &[], &[("dog", 0.99)]);
        let mut decider = SignDecider::new(&settings, &card(None)).expect("fits");
        let decision = decide(&mut decider, &[3.0, 0.0, 0.0]);
        assert_eq!(decision.label, Some(0));
        assert!((decision.p - 0.909_443).abs() < 1e-5);
        assert_eq!(decision.top.len(), 2);
        assert_eq!((decision.unknown, decision.threshold), (None, 0.5));
        let mut why = |logits| {
            let decision = decide(&mut decider, logits);
            assert_eq!(decision.label, None);
            (decision.unknown, decision.threshold)
        };
        let below = Some(UnknownReason::Threshold);
        assert_eq!(why(&[0.0, 3.0, 0.0]), (below, 0.99), "a threshold of its own");
        assert_eq!(why(&[0.0, 0.0, 3.0]), (Some(UnknownReason::NoSign), 0.5));
        assert_eq!(why(&[0.1, 0.0, 0.0]), (below, 0.5), "unsure");
    }

    #[test]
    fn a_segment_that_is_less_like_a_sign_is_doubted_and_one_that_is_more_so_is_not_trusted_more() {
        assert!((sureness(0.75, 0.5) - 0.6).abs() < 1e-6, "3 to 1 becomes 3 to 2");
        assert_eq!(sureness(0.4, 50.0), 0.4);
        let mut decider = SignDecider::new(&settings(0.7, &[], &[]), &card(None)).expect("fits");
        // 0.786 by itself: odds of 3.69.
        let top = decider.hypotheses(&[2.0, 0.0, 0.0]);
        assert_eq!(decider.decide(top.clone(), 1.0).label, Some(0));
        assert_eq!(decider.decide(top.clone(), 0.7).label, Some(0), "0.721");
        let doubted = decider.decide(top, 0.5);
        assert_eq!((doubted.label, doubted.unknown), (None, Some(UnknownReason::Doubted)), "0.649");
    }

    #[test]
    fn the_threshold_is_that_of_the_settings_or_else_the_models_or_else_a_half() {
        // Of three equal logits but for one that is larger by 1: 0.576.
        let sure = |threshold, own| {
            let settings = settings(threshold, &[], &[]);
            let mut decider = SignDecider::new(&settings, &card(own)).expect("fits");
            decide(&mut decider, &[1.0, 0.0, 0.0]).label.is_some()
        };
        assert!(sure(0.0, None) && sure(0.5, Some(0.6)) && sure(0.0, Some(0.0)));
        assert!(!sure(0.6, None) && !sure(0.0, Some(0.6)) && !sure(0.6, Some(0.5)));
    }

    #[test]
    fn labels_not_allowed_are_not_hypotheses_either() {
        let mut decider =
            SignDecider::new(&settings(0.5, &["dog"], &[]), &card(None)).expect("fits");
        let decision = decide(&mut decider, &[9.0, 2.0, 0.0]);
        assert_eq!(decision.label, Some(1));
        assert!(decision.top.iter().all(|(i, _)| *i != 0));
    }

    #[test]
    fn a_label_the_model_has_not_is_named() {
        let decider = SignDecider::new(&settings(0.5, &["cat"], &[]), &card(None));
        let error = decider.err().map(|e| e.to_string());
        let expected = "decide.allow names `cat`, which is none of the model's 3 labels";
        assert_eq!(error.as_deref(), Some(expected));
    }
}
