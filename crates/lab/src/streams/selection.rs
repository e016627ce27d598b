//! The questions of reports: which runs belong together, and their figures.

use super::benchmark::{BenchmarkRun, StreamBenchmark};
use super::camera::delivery::StreamDelivery;
use super::score::figures::StreamFigures;
use super::score::order::GlossOrder;
use super::score::stream_score::StreamScore;
use super::score::trade::{THRESHOLDS, TradePoint, trade_curve};

impl StreamBenchmark {
    /// The names of the sets, in the order of their names.
    pub fn sets(&self) -> Vec<&str> {
        let mut sets: Vec<&str> = self.streams.iter().map(|s| &*s.set).collect();
        sets.sort_unstable();
        sets.dedup();
        sets
    }

    /// The ways in which streams were delivered, in their order.
    pub fn deliveries(&self) -> Vec<StreamDelivery> {
        let mut deliveries: Vec<StreamDelivery> = Vec::new();
        for run in &self.runs {
            if !deliveries.contains(&run.delivery) {
                deliveries.push(run.delivery);
            }
        }
        deliveries
    }

    /// The runs delivered like this to the daemon or to the peer, of one set or of all.
    pub fn select(
        &self,
        set: Option<&str>,
        peer: bool,
        delivery: Option<StreamDelivery>,
    ) -> Vec<&BenchmarkRun> {
        let of_set = |p: &&BenchmarkRun| set.is_none_or(|set| self.streams[p.stream].set == set);
        let like = |p: &&BenchmarkRun| delivery.is_none_or(|delivery| p.delivery == delivery);
        let all = self.runs.iter().filter(|p| p.peer == peer);
        all.filter(of_set).filter(like).collect()
    }

    /// The figures of these runs together.
    pub fn figures(runs: &[&BenchmarkRun]) -> StreamFigures {
        let scores: Vec<&StreamScore> = runs.iter().map(|p| &p.score).collect();
        StreamFigures::of(&scores)
    }

    /// The trade of these runs. That of the peer follows from what it would have decided.
    pub fn trade(runs: &[&BenchmarkRun]) -> Vec<TradePoint> {
        if !runs.iter().any(|p| p.peer) {
            let scores: Vec<&StreamScore> = runs.iter().map(|p| &p.score).collect();
            return trade_curve(&scores, &THRESHOLDS);
        }
        let at = |i: usize| -> Option<TradePoint> {
            let scores: Vec<&StreamScore> =
                runs.iter().filter_map(|p| p.by_threshold.get(i).map(|(_, score)| score)).collect();
            trade_curve(&scores, &THRESHOLDS[i..=i]).pop()
        };
        (0..THRESHOLDS.len()).filter_map(at).collect()
    }

    /// Sums of [`GlossOrder`] over sentences.
    pub fn order(runs: &[&BenchmarkRun]) -> Option<GlossOrder> {
        let add = |a: GlossOrder, b: GlossOrder| GlossOrder {
            edits: a.edits + b.edits,
            glosses: a.glosses + b.glosses,
            known_edits: a.known_edits + b.known_edits,
            known: a.known + b.known,
        };
        runs.iter().filter_map(|p| p.order).reduce(add)
    }
}
