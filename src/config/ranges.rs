//! What numbers may be, alone and beside each other. The comments of `conf/signd.toml` say the same,
//! and a test holds them to it.

use config::Config;

use super::SettingsError;

/// A key, and the least and the greatest value of its number.
type Range = (&'static str, f64, f64);

/// Every number there is.
const RANGES: [Range; 27] = [
    ("high_water_mark", 1.0, 1e6),
    ("max_streams", 1.0, 1024.0),
    ("stall_ms", 100.0, 60_000.0),
    ("gone_ms", 1000.0, 86_400_000.0),
    ("record.max_mb", 1.0, 1e6),
    ("record.keep", 1.0, 1000.0),
    ("core.gap_ms", 100.0, 60_000.0),
    ("core.gate.appear_ms", 0.0, 1000.0),
    ("core.gate.hangover_ms", 0.0, 2000.0),
    ("core.gate.memory_s", 0.1, 60.0),
    ("core.gate.switch_margin", 0.0, 1.0),
    ("core.gate.rest_line", 0.0, 5.0),
    ("core.segment.enter", 0.0, 1.0),
    ("core.segment.leave", 0.0, 1.0),
    ("core.segment.start_speed", 0.0, 20.0),
    ("core.segment.still_speed", 0.0, 20.0),
    ("core.segment.arrived", 0.0, 1.0),
    ("core.segment.lead_in_ms", 0.0, 2000.0),
    ("core.segment.still_ms", 0.0, 5000.0),
    ("core.segment.offset_ms", 0.0, 5000.0),
    ("core.segment.pre_roll_ms", 0.0, 2000.0),
    ("core.segment.post_roll_ms", 0.0, 2000.0),
    ("core.segment.min_ms", 0.0, 5000.0),
    ("core.segment.max_ms", 500.0, 7000.0),
    ("decide.top", 1.0, 10.0),
    ("decide.threshold", 0.0, 1.0),
    ("decide.early_ms", 0.0, 5000.0),
];

/// Each number of this table, whatever its key.
const THRESHOLDS: Range = ("decide.thresholds", 0.0, 1.0);

/// The first of each pair is at most the second.
const ORDERED: [(&str, &str); 4] = [
    ("stall_ms", "gone_ms"),
    ("core.segment.leave", "core.segment.enter"),
    ("core.segment.still_speed", "core.segment.start_speed"),
    ("core.segment.min_ms", "core.segment.max_ms"),
];

/// Checks every number.
pub fn check(config: &Config) -> Result<(), SettingsError> {
    for (key, low, high) in RANGES {
        let value = config.get_float(key)?;
        if !(low..=high).contains(&value) {
            return Err(SettingsError::range(key, value, format!("{low} to {high}")));
        }
    }
    for (low, high) in ORDERED {
        let (less, more) = (config.get_float(low)?, config.get_float(high)?);
        if less > more {
            let expected = format!("{low} to be {high} at most");
            let pair = [(high, more.to_string()), (low, less.to_string())];
            return Err(SettingsError::conflict(pair, expected));
        }
    }
    let (key, low, high) = THRESHOLDS;
    for (label, value) in config.get_table(key)? {
        let value = value.into_float()?;
        if !(low..=high).contains(&value) {
            let found = format!("{label}: {value}");
            return Err(SettingsError::range(key, found, format!("{low} to {high}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `LOW..HIGH` in a comment.
    fn range(comment: &str) -> Option<(f64, f64)> {
        let range = |word: &str| {
            let (low, high) = word.trim_end_matches(['.', ',', ';', ':']).split_once("..")?;
            Some((low.parse().ok()?, high.parse().ok()?))
        };
        comment.split_whitespace().filter(|word| !word.contains("PORT")).find_map(range)
    }

    /// Every key with a range in the comment above it.
    fn documented() -> Vec<(String, f64, f64)> {
        let (mut section, mut comment, mut found) = (String::new(), String::new(), Vec::new());
        for line in super::super::DEFAULTS.lines() {
            if let Some(text) = line.strip_prefix('#') {
                comment += text;
                continue;
            }
            let comment = std::mem::take(&mut comment);
            let name = if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']').to_owned();
                section.clone()
            } else if let Some((key, _)) = line.split_once(" = ") {
                [&section[..], key].join(".").trim_start_matches('.').to_owned()
            } else {
                continue;
            };
            found.extend(range(&comment).map(|(low, high)| (name, low, high)));
        }
        found
    }

    #[test]
    fn the_shipped_file_documents_the_range_of_every_number() {
        let mut checked: Vec<(String, f64, f64)> =
            RANGES.iter().chain([&THRESHOLDS]).map(|&(key, l, h)| (key.to_owned(), l, h)).collect();
        // `ingest` has ports.
        let mut documented = documented();
        documented.retain(|(key, ..)| key != "ingest");
        for all in [&mut checked, &mut documented] {
            all.sort_by(|a, b| a.0.cmp(&b.0));
        }
        assert_eq!(documented, checked);
    }
}
