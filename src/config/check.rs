//! What values may be, alone and beside each other.

use super::{Settings, SettingsError};
use crate::endpoint::SocketEndpoint;
use crate::observe::guard;

impl Settings {
    /// Checks every value.
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        if self.ingest.is_empty() {
            return Err(SettingsError::range("ingest", "[]", "at least one input"));
        }
        self.publish.bindable().map_err(|reason| SettingsError::reason("publish", reason))?;
        let listen = self.http.address();
        listen
            .map_err(|expected| SettingsError::range("http.listen", &self.http.listen, expected))?;
        self.check_places()?;
        if let Some(host) = self.http.hosts.iter().find(|host| guard::parse(host).is_err()) {
            return Err(SettingsError::range("http.hosts", host, "NAME or NAME:PORT"));
        }
        let (core, gate, segment) = (&self.core, &self.core.gate, &self.core.segment);
        let ranges: [(&'static str, f64, f64, f64); 27] = [
            ("high_water_mark", f64::from(self.high_water_mark), 1.0, 1e6),
            ("max_streams", self.max_streams as f64, 1.0, 1024.0),
            ("stall_ms", self.stall_ms as f64, 100.0, 60_000.0),
            ("gone_ms", self.gone_ms as f64, 1000.0, 86_400_000.0),
            ("record.max_mb", self.record.max_mb as f64, 1.0, 1e6),
            ("record.keep", self.record.keep.into(), 1.0, 1000.0),
            ("core.gap_ms", core.gap_ms, 100.0, 60_000.0),
            ("core.gate.appear_ms", gate.appear_ms, 0.0, 1000.0),
            ("core.gate.hangover_ms", gate.hangover_ms, 0.0, 2000.0),
            ("core.gate.memory_s", gate.memory_s, 0.1, 60.0),
            ("core.gate.switch_margin", gate.switch_margin, 0.0, 1.0),
            ("core.gate.rest_line", gate.rest_line, 0.0, 5.0),
            ("core.segment.enter", segment.enter.into(), 0.0, 1.0),
            ("core.segment.leave", segment.leave.into(), 0.0, 1.0),
            ("core.segment.start_speed", segment.start_speed.into(), 0.0, 20.0),
            ("core.segment.still_speed", segment.still_speed.into(), 0.0, 20.0),
            ("core.segment.arrived", segment.arrived.into(), 0.0, 1.0),
            ("core.segment.lead_in_ms", segment.lead_in_ms, 0.0, 2000.0),
            ("core.segment.still_ms", segment.still_ms, 0.0, 5000.0),
            ("core.segment.offset_ms", segment.offset_ms, 0.0, 5000.0),
            ("core.segment.post_roll_ms", segment.post_roll_ms, 0.0, 2000.0),
            ("core.segment.pre_roll_ms", segment.pre_roll_ms, 0.0, 2000.0),
            ("core.segment.min_ms", segment.min_ms, 0.0, 5000.0),
            ("core.segment.max_ms", segment.max_ms, 500.0, 7000.0),
            ("decide.early_ms", self.decide.early_ms, 0.0, 5000.0),
            ("decide.top", self.decide.top as f64, 1.0, 10.0),
            ("decide.threshold", self.decide.threshold.into(), 0.0, 1.0),
        ];
        for (key, value, low, high) in ranges {
            if !(low..=high).contains(&value) {
                return Err(SettingsError::range(key, value, format!("{low} to {high}")));
            }
        }
        let pairs: [(&'static str, f64, &'static str, f64); 4] = [
            ("stall_ms", self.stall_ms as f64, "gone_ms", self.gone_ms as f64),
            (
                "core.segment.leave",
                segment.leave.into(),
                "core.segment.enter",
                segment.enter.into(),
            ),
            (
                "core.segment.still_speed",
                segment.still_speed.into(),
                "core.segment.start_speed",
                segment.start_speed.into(),
            ),
            ("core.segment.min_ms", segment.min_ms, "core.segment.max_ms", segment.max_ms),
        ];
        for (low, less, high, more) in pairs {
            if less > more {
                let expected = format!("{low} to be {high} at most");
                let pair = [(high, more.to_string()), (low, less.to_string())];
                return Err(SettingsError::conflict(pair, expected));
            }
        }
        match self.decide.thresholds.iter().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
            Some((label, p)) => {
                Err(SettingsError::range("decide.thresholds", format!("{label}: {p}"), "0 to 1"))
            }
            None => Ok(()),
        }
    }

    /// That no two sockets are to have one place.
    fn check_places(&self) -> Result<(), SettingsError> {
        let inputs = self.ingest.iter().map(|input| ("ingest", &input.endpoint, input.connect));
        let page = self.http.address().ok().flatten().map(SocketEndpoint::from);
        let page = page.iter().map(|at| ("http.listen", at, false));
        let all: Vec<_> = inputs.chain([("publish", &self.publish, false)]).chain(page).collect();
        for (i, (key, endpoint, connects)) in all.iter().enumerate() {
            let same = all[..i].iter().find(|(_, other, other_connects)| {
                endpoint.excludes(other, *connects || *other_connects)
            });
            if let Some((other_key, other, _)) = same {
                let pair = [(*other_key, other.to_string()), (*key, endpoint.to_string())];
                return Err(SettingsError::conflict(pair, "two different endpoints"));
            }
        }
        Ok(())
    }
}
