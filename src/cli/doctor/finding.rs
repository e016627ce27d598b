//! What the doctor finds, in plain words.

use std::fmt;
use std::io::IsTerminal;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingLevel {
    /// As it should be.
    Well,
    /// Works, but not as well as it could.
    Mind,
    /// Signs will not be recognised until this is mended.
    Wrong,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoctorFinding {
    /// How bad it is.
    pub level: FindingLevel,
    /// What was looked at, one word.
    pub part: &'static str,
    /// What was seen.
    pub seen: String,
    /// What to do about it; empty when nothing is to be done.
    pub remedy: String,
}

impl DoctorFinding {
    /// All is well.
    pub fn well(part: &'static str, seen: impl Into<String>) -> DoctorFinding {
        DoctorFinding { level: FindingLevel::Well, part, seen: seen.into(), remedy: String::new() }
    }

    /// It could be better.
    pub fn mind(
        part: &'static str,
        seen: impl Into<String>,
        remedy: impl Into<String>,
    ) -> DoctorFinding {
        DoctorFinding { level: FindingLevel::Mind, part, seen: seen.into(), remedy: remedy.into() }
    }

    /// It does not work.
    pub fn wrong(
        part: &'static str,
        seen: impl Into<String>,
        remedy: impl Into<String>,
    ) -> DoctorFinding {
        DoctorFinding { level: FindingLevel::Wrong, part, seen: seen.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for DoctorFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, colour) = match self.level {
            FindingLevel::Well => ("well ", "32"),
            FindingLevel::Mind => ("mind ", "33"),
            FindingLevel::Wrong => ("WRONG", "31"),
        };
        match std::io::stdout().is_terminal() {
            true => write!(f, "\x1b[{colour}m{word}\x1b[0m")?,
            false => write!(f, "{word}")?,
        }
        write!(f, " {:14} {}", self.part, self.seen)?;
        match self.remedy.is_empty() {
            true => Ok(()),
            false => write!(f, "\n{:21}-> {}", "", self.remedy),
        }
    }
}
