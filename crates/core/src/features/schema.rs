//! The *feature schema*: which columns a row has, in which order, under a name and a version.
//!
//! A column is the x or the y of a landmark in signer space, in shoulder widths, `NaN` where missing. A
//! model names its schema and the groups it was trained on. A row has those and no others. Changing what a
//! column means is a new version.
//!
//! What follows from the sign so far is no column. A model centres landmarks on the mean place of the lips
//! in a sign, scales them by their spread, and takes changes from row to row. All of that needs the place
//! where the sign began. Only inference knows it, so the model's own graph does the work.

use std::ops::Range;

use super::PlacedLandmarks;
use super::placement::{ARMS, EYES, HAND, LIPS, NOSE, OTHER};

/// Name and version of the only schema there is.
pub const NAME: &str = "signd/2";

/// A set of columns that a model has or has not: x, y of one landmark after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnGroup {
    /// Its name.
    pub name: &'static str,
    /// Which of the placed landmarks it has.
    pub landmarks: Range<usize>,
}

impl ColumnGroup {
    /// Columns of this group.
    #[must_use]
    pub fn width(&self) -> usize {
        2 * self.landmarks.len()
    }
}

/// Every group, in the order in which their columns stand in a row.
pub const GROUPS: [ColumnGroup; 6] = [
    ColumnGroup { name: "hand", landmarks: HAND },
    ColumnGroup { name: "other", landmarks: OTHER },
    ColumnGroup { name: "lips", landmarks: LIPS },
    ColumnGroup { name: "nose", landmarks: NOSE },
    ColumnGroup { name: "eyes", landmarks: EYES },
    ColumnGroup { name: "arms", landmarks: ARMS },
];

/// Why a model's schema cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Another name or version.
    #[error(
        "feature schema `{0}`, where this build computes `{NAME}`: use the model that came with this \
         build, or one trained for `{NAME}`"
    )]
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
        if let Some(word) = words.iter().find(|word| !GROUPS.iter().any(|g| g.name == **word)) {
            return Err(SchemaError::Group((*word).to_owned()));
        }
        let groups = GROUPS.into_iter().filter(|group| words.contains(&group.name)).collect();
        let schema = Schema { groups };
        if schema.groups.is_empty() {
            return Err(SchemaError::Empty);
        }
        let (found, expected) = (words.join(" "), schema.names());
        if found != expected {
            return Err(SchemaError::Order { found, expected });
        }
        Ok(schema)
    }

    /// The schema with every group.
    #[must_use]
    pub fn everything() -> Schema {
        Schema { groups: GROUPS.into() }
    }

    /// Its groups, in order.
    #[must_use]
    pub fn groups(&self) -> &[ColumnGroup] {
        &self.groups
    }

    /// Columns of a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.groups.iter().map(ColumnGroup::width).sum()
    }

    /// The groups' names, as [`Schema::parse`] takes them.
    #[must_use]
    pub fn names(&self) -> String {
        self.groups.iter().map(|group| group.name).collect::<Vec<_>>().join(" ")
    }

    /// Appends the columns to a row.
    pub fn extend_row(&self, placed: &PlacedLandmarks, row: &mut Vec<f32>) {
        for group in &self.groups {
            row.extend_from_slice(placed.0[group.landmarks.clone()].as_flattened());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        let schema = Schema::parse(NAME, "hand arms").expect("valid");
        assert_eq!(schema.groups(), [GROUPS[0].clone(), GROUPS[5].clone()]);
        assert_eq!(schema.width(), 42 + 12);
        assert_eq!(schema.names(), "hand arms");
        let all = Schema::everything();
        assert_eq!(all.width(), 248);
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

    #[test]
    fn columns_are_x_and_y_of_the_groups_landmarks_and_nan_where_missing() {
        let mut placed = PlacedLandmarks::default();
        placed.0[HAND.start] = [0.5, -0.25];
        placed.0[ARMS.end - 1] = [-1.0, 2.0];
        let schema = Schema::parse(NAME, "hand arms").expect("valid");
        let mut row = vec![7.0];
        schema.extend_row(&placed, &mut row);
        assert_eq!(row.len(), 1 + schema.width());
        assert_eq!((&row[..3], &row[53..]), (&[7.0, 0.5, -0.25][..], &[-1.0, 2.0][..]));
        assert!(row[3..53].iter().all(|x| x.is_nan()));
    }
}
