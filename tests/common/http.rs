//! A client of the HTTP endpoint that sends what it is told to, byte by byte, and a reader of
//! OpenMetrics that forgives nothing.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// An answer.
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Status line and header.
    pub head: String,
    /// The body.
    pub body: String,
}

/// Sends these bytes; the connection, on which reading gives up when patience ends.
pub fn send(address: &str, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("connects");
    stream.set_read_timeout(Some(super::PATIENCE)).expect("sets");
    stream.write_all(bytes).expect("sends");
    stream
}

/// The answer to these bytes, read until the connection is closed.
pub fn ask(address: &str, bytes: &[u8]) -> Answer {
    let mut text = String::new();
    send(address, bytes).read_to_string(&mut text).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a header");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// The answer to a GET as a browser or a scraper sends it.
pub fn get(address: &str, path: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    ask(address, request.as_bytes())
}

/// A viewer of the live feed.
pub struct Viewer(BufReader<TcpStream>);

impl Viewer {
    /// Looks on; it has been greeted when this returns, and so is sent all that happens from now on.
    pub fn join(address: &str, query: &str) -> (Viewer, Value) {
        // To a client of HTTP/1.0 the body is sent as it is, without chunks.
        let request = format!("GET /live{query} HTTP/1.0\r\nHost: {address}\r\n\r\n");
        let mut viewer = Viewer(BufReader::new(send(address, request.as_bytes())));
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            assert!(viewer.0.read_line(&mut line).expect("a header") > 0, "no answer");
        }
        let hello = viewer.next().expect("a greeting");
        (viewer, serde_json::from_str(&hello).expect("JSON"))
    }
}

impl Iterator for Viewer {
    type Item = String;

    /// The next item's JSON; none at the end.
    fn next(&mut self) -> Option<String> {
        let mut line = String::new();
        while self.0.read_line(&mut line).expect("a line in time") > 0 {
            if let Some(json) = line.strip_prefix("data: ") {
                return Some(json.trim_end().to_owned());
            }
            assert!(["\n", ":\n"].contains(&line.as_str()), "{line:?}");
            line.clear();
        }
        None
    }
}

/// Samples by name and labels as written, in OpenMetrics text that is checked line by line.
pub fn metrics(text: &str) -> BTreeMap<String, f64> {
    let lines = text.strip_suffix("# EOF\n").expect("ends with EOF");
    let (mut samples, mut families) = (BTreeMap::new(), BTreeMap::new());
    let (mut name, mut kind) = ("", "");
    for line in lines.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            name = help.split_once(' ').expect("a text").0;
            kind = "";
            assert!(name.starts_with("signd_") || name.starts_with("process_"), "{name}");
        } else if let Some(of) = line.strip_prefix("# TYPE ") {
            assert_eq!(kind, "", "one type: {line}");
            kind = of.strip_prefix(name).expect("right after its help").trim();
            assert_eq!(families.insert(name, kind), None, "{name} in one place");
        } else {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let (full, labels) = series.split_once('{').unwrap_or((series, "}"));
            let suffix = full.strip_prefix(name).unwrap_or_else(|| panic!("{line} in {name}"));
            let suffixes: &[&str] = match kind {
                "counter" => &["_total"],
                "gauge" => &[""],
                "info" => &["_info"],
                "histogram" => &["_bucket", "_count", "_sum"],
                other => panic!("{name}: {other}"),
            };
            assert!(suffixes.contains(&suffix), "{line}: a {kind}");
            let labels = labels.strip_suffix('}').expect("closed");
            for label in labels.split("\",").filter(|label| !label.is_empty()) {
                let (key, value) = label.split_once("=\"").expect("a label");
                assert!(
                    key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
                    "{line}"
                );
                assert!(!value.trim_end_matches('"').contains(['"', '\\', '\n']), "{line}");
            }
            let value: f64 = value.parse().expect("a number");
            assert!(value.is_finite() && value >= 0.0, "{line}");
            assert_eq!(samples.insert(series.to_owned(), value), None, "{series} once");
        }
    }
    for (name, _) in families.iter().filter(|(_, kind)| **kind == "histogram") {
        for (series, count) in
            samples.iter().filter(|(s, _)| s.starts_with(&format!("{name}_count")))
        {
            let labels =
                series.split_once('{').map_or("", |(_, labels)| labels.trim_end_matches('}'));
            let buckets = samples.iter().filter_map(|(series, count)| {
                let rest = series.strip_prefix(&format!("{name}_bucket{{le=\""))?;
                let (bound, others) = rest.split_once('"')?;
                let same = others.trim_start_matches(',').trim_end_matches('}') == labels;
                same.then(|| (bound.parse::<f64>().expect("a bound"), *count))
            });
            let mut buckets: Vec<_> = buckets.collect();
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(buckets.len() > 1, "{series}");
            assert!(buckets.is_sorted_by_key(|(_, count)| *count), "{series}: {buckets:?}");
            assert_eq!(buckets.last(), Some(&(f64::INFINITY, *count)), "{series}");
        }
    }
    samples
}
