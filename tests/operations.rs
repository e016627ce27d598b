//! The operations page and the alerts speak of metrics that the daemon really has, and of all of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::{root, signd};

/// Labels of each series: key to the values there are.
type Labels = BTreeMap<String, BTreeSet<String>>;

/// Every sample name that `/metrics` can show, with its labels.
fn metrics() -> BTreeMap<String, Labels> {
    let output = signd().arg("metrics").output().expect("runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let mut metrics: BTreeMap<String, Labels> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels) = series(line);
        let known = metrics.entry(name).or_default();
        for (key, value) in labels {
            known.entry(key).or_default().insert(value);
        }
    }
    assert!(metrics.len() > 20, "{text}");
    metrics
}

/// Name and labels at the beginning of a text; what a label is compared by (`=`, `!=`) does not matter.
fn series(text: &str) -> (String, Vec<(String, String)>) {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let inside =
        rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(inside, _)| inside);
    let labels =
        inside.unwrap_or_default().split(',').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key.trim_end_matches('!').to_owned(), value.trim_matches('"').to_owned())
        });
    (name.to_owned(), labels.collect())
}

/// Everything in a text that looks like one of the daemon's series.
fn mentioned(text: &str) -> Vec<(String, Vec<(String, String)>)> {
    let starts = ["signd_", "process_"].iter().flat_map(|prefix| text.match_indices(prefix));
    let whole =
        |at: usize| !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || "_/".contains(c));
    starts.filter(|(at, _)| whole(*at)).map(|(at, _)| series(&text[at..])).collect()
}

#[test]
fn alerts_ask_for_metrics_and_labels_that_there_are() {
    let metrics = metrics();
    let alerts = std::fs::read_to_string(root().join("docs/alerts.yml")).expect("reads");
    let rules = alerts.lines().filter(|line| line.trim_start().starts_with("expr:"));
    // `job` and `instance` are Prometheus's own.
    let foreign = |key: &str| ["job", "instance"].contains(&key);
    let mut asked = 0;
    for (name, labels) in rules.flat_map(mentioned) {
        let known = metrics.get(&name).unwrap_or_else(|| panic!("no metric `{name}`"));
        for (key, value) in labels.iter().filter(|(key, _)| !foreign(key)) {
            let values = known.get(key).unwrap_or_else(|| panic!("`{name}` has no label `{key}`"));
            assert!(values.contains(value), "`{name}` has no {key}=\"{value}\" but {values:?}");
        }
        asked += 1;
    }
    assert!(asked >= 9, "{asked} metrics are asked for");
}

#[test]
fn the_operations_page_lists_every_metric_with_its_labels() {
    let page = std::fs::read_to_string(root().join("docs/operations.md")).expect("reads");
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| `signd_") || line.starts_with("| `process_"));
    let names = rows.map(|row| row.split('|').nth(1).unwrap_or_default());
    let mut listed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, labels) in names.flat_map(mentioned) {
        listed.insert(name, labels.into_iter().map(|(key, _)| key).collect());
    }
    let mut real: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, labels) in metrics() {
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        // An information is its labels: the page tells of it in words.
        let keys = labels.into_keys().filter(|key| key != "le" && !name.ends_with("_info"));
        let keys: BTreeSet<String> = keys.collect();
        real.entry(family.unwrap_or(&name).to_owned()).or_default().extend(keys);
    }
    assert_eq!(listed, real);
}
