//! The *feature schema*: which columns a row has, in which order, under a name and a version.
//!
//! A model names its schema and the groups it was trained on; the extractor computes those and no
//! others. Changing what a column means is a new version.

use super::placement::{ARMS, HAND, LIPS, OTHER};

/// Name and version of the only schema there is.
pub const NAME: &str = "signd/1";

/// A set of columns that a model has or has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnGroup {
    /// x, y of the dominant hand's 21 landmarks, shoulder widths.
    Hand,
    /// z of the same.
    HandZ,
    /// x, y of the other hand.
    Other,
    /// z of the same.
    OtherZ,
    /// x, y of 40 lip landmarks.
    Lips,
    /// x, y of shoulders, elbows and wrists.
    Arms,
    /// Distances from wrist, thumb tip, index tip and middle tip to eight places on the face,
    /// shoulder widths.
    FaceDistance,
    /// Distances from the wrist to every fingertip, shoulder widths.
    TipDistance,
    /// Angles of the dominant hand's 15 finger joints, radians, 0 straight.
    FingerAngle,
    /// The same of the other hand.
    OtherAngle,
    /// Angle hand-elbow-shoulder of both arms, dominant first, radians, pi straight.
    ArmAngle,
    /// Velocity of `Hand`, shoulder widths a second.
    HandV,
    /// Acceleration of `Hand`, shoulder widths a second squared.
    HandA,
    /// Velocity of `Other`.
    OtherV,
    /// Acceleration of `Other`.
    OtherA,
    /// Velocity of `Lips`.
    LipsV,
    /// Velocity of `Arms`.
    ArmsV,
    /// Acceleration of `Arms`.
    ArmsA,
}

/// Every group with its name, in the order in which their columns stand in a row.
pub const GROUPS: [(ColumnGroup, &str); 18] = [
    (ColumnGroup::Hand, "hand"),
    (ColumnGroup::HandZ, "hand_z"),
    (ColumnGroup::Other, "other"),
    (ColumnGroup::OtherZ, "other_z"),
    (ColumnGroup::Lips, "lips"),
    (ColumnGroup::Arms, "arms"),
    (ColumnGroup::FaceDistance, "face_distance"),
    (ColumnGroup::TipDistance, "tip_distance"),
    (ColumnGroup::FingerAngle, "finger_angle"),
    (ColumnGroup::OtherAngle, "other_angle"),
    (ColumnGroup::ArmAngle, "arm_angle"),
    (ColumnGroup::HandV, "hand_v"),
    (ColumnGroup::HandA, "hand_a"),
    (ColumnGroup::OtherV, "other_v"),
    (ColumnGroup::OtherA, "other_a"),
    (ColumnGroup::LipsV, "lips_v"),
    (ColumnGroup::ArmsV, "arms_v"),
    (ColumnGroup::ArmsA, "arms_a"),
];

impl ColumnGroup {
    /// Columns of this group.
    #[must_use]
    pub fn width(self) -> usize {
        match self {
            ColumnGroup::Hand | ColumnGroup::HandV | ColumnGroup::HandA => 2 * HAND.len(),
            ColumnGroup::Other | ColumnGroup::OtherV | ColumnGroup::OtherA => 2 * OTHER.len(),
            ColumnGroup::HandZ | ColumnGroup::OtherZ => HAND.len(),
            ColumnGroup::Lips | ColumnGroup::LipsV => 2 * LIPS.len(),
            ColumnGroup::Arms | ColumnGroup::ArmsV | ColumnGroup::ArmsA => 2 * ARMS.len(),
            ColumnGroup::FaceDistance => 32,
            ColumnGroup::TipDistance => 5,
            ColumnGroup::FingerAngle | ColumnGroup::OtherAngle => 15,
            ColumnGroup::ArmAngle => 2,
        }
    }
}

/// Why a model's schema cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Another name or version.
    #[error("feature schema `{0}` (this build computes `{NAME}`)")]
    Name(String),
    /// A group of columns that this schema has not.
    #[error("feature group `{0}` is not in schema `{NAME}`")]
    Group(String),
    /// Groups in another order than the schema's, or one of them twice.
    #[error("feature groups `{found}` are not in the schema's order, which is `{expected}`")]
    Order {
        /// The groups as given.
        found: String,
        /// The same in order.
        expected: String,
    },
    /// No group at all.
    #[error("no feature groups")]
    Empty,
}

/// The columns of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    groups: Vec<ColumnGroup>,
}

impl Schema {
    /// The schema of this name with these groups (separated by spaces, in the schema's order).
    ///
    /// # Errors
    ///
    /// For another schema, an unknown group, or groups out of order.
    pub fn parse(name: &str, groups: &str) -> Result<Schema, SchemaError> {
        if name != NAME {
            return Err(SchemaError::Name(name.to_owned()));
        }
        let words: Vec<&str> = groups.split_whitespace().collect();
        if let Some(word) = words.iter().find(|word| !GROUPS.iter().any(|(_, n)| n == *word)) {
            return Err(SchemaError::Group((*word).to_owned()));
        }
        let chosen = GROUPS.iter().filter(|(_, name)| words.contains(name));
        let (groups, names): (Vec<ColumnGroup>, Vec<&str>) = chosen.copied().unzip();
        if names.is_empty() {
            return Err(SchemaError::Empty);
        }
        if names != words {
            return Err(SchemaError::Order { found: words.join(" "), expected: names.join(" ") });
        }
        Ok(Schema { groups })
    }

    /// The schema with every group.
    #[must_use]
    pub fn everything() -> Schema {
        Schema { groups: GROUPS.iter().map(|(group, _)| *group).collect() }
    }

    /// Its groups, in order.
    #[must_use]
    pub fn groups(&self) -> &[ColumnGroup] {
        &self.groups
    }

    /// Columns of a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.groups.iter().map(|group| group.width()).sum()
    }

    /// The groups' names, as [`Schema::parse`] takes them.
    #[must_use]
    pub fn names(&self) -> String {
        let named = GROUPS.iter().filter(|(group, _)| self.groups.contains(group));
        named.map(|(_, name)| *name).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        let schema = Schema::parse(NAME, "hand arms hand_v").expect("valid");
        assert_eq!(schema.groups(), [ColumnGroup::Hand, ColumnGroup::Arms, ColumnGroup::HandV]);
        assert_eq!(schema.width(), 42 + 12 + 42);
        assert_eq!(schema.names(), "hand arms hand_v");
        let all = Schema::everything();
        assert_eq!(Schema::parse(NAME, &all.names()), Ok(all));
    }

    #[test]
    fn what_cannot_be_computed_is_refused_by_name() {
        assert_eq!(Schema::parse("signd/9", "hand"), Err(SchemaError::Name("signd/9".into())));
        assert_eq!(Schema::parse(NAME, "hand feet"), Err(SchemaError::Group("feet".into())));
        assert_eq!(Schema::parse(NAME, " "), Err(SchemaError::Empty));
        for odd in ["arms hand", "hand hand"] {
            assert!(matches!(Schema::parse(NAME, odd), Err(SchemaError::Order { .. })), "{odd}");
        }
    }
}
