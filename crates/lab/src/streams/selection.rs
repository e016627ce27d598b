//! What reports ask of a benchmark: some of its runs, and what is said of them together.

use super::bench::{Benchmark, Played};
use super::camera::delivery::Delivery;
use super::score::figures::Figures;
use super::score::order::Order;
use super::score::stream_score::StreamScore;
use super::score::trade::{THRESHOLDS, Trade, trade};

impl Benchmark {
    /// The names of the sets, in the order of their names.
    pub fn sets(&self) -> Vec<&str> {
        let mut sets: Vec<&str> = self.streams.iter().map(|s| &*s.set).collect();
        sets.sort_unstable();
        sets.dedup();
        sets
    }

    /// The ways in which streams were delivered, in their order.
    pub fn deliveries(&self) -> Vec<Delivery> {
        let mut deliveries: Vec<Delivery> = Vec::new();
        for played in &self.played {
            if !deliveries.contains(&played.delivery) {
                deliveries.push(played.delivery);
            }
        }
        deliveries
    }

    /// Those played like this to the daemon or the peer; of one set, or of all.
    pub fn select(
        &self,
        set: Option<&str>,
        peer: bool,
        delivery: Option<Delivery>,
    ) -> Vec<&Played> {
        let of_set = |p: &&Played| set.is_none_or(|set| self.streams[p.stream].set == set);
        let like = |p: &&Played| delivery.is_none_or(|delivery| p.delivery == delivery);
        let all = self.played.iter().filter(|p| p.peer == peer);
        all.filter(of_set).filter(like).collect()
    }

    /// What is said of these together.
    pub fn figures(played: &[&Played]) -> Figures {
        let scores: Vec<&StreamScore> = played.iter().map(|p| &p.score).collect();
        Figures::of(&scores)
    }

    /// The trade of these; of the peer from what it would have decided.
    pub fn trade(played: &[&Played]) -> Vec<Trade> {
        if !played.iter().any(|p| p.peer) {
            let scores: Vec<&StreamScore> = played.iter().map(|p| &p.score).collect();
            return trade(&scores, &THRESHOLDS);
        }
        let at = |i: usize| -> Option<Trade> {
            let scores: Vec<&StreamScore> =
                played.iter().filter_map(|p| p.at.get(i).map(|(_, score)| score)).collect();
            trade(&scores, &THRESHOLDS[i..=i]).pop()
        };
        (0..THRESHOLDS.len()).filter_map(at).collect()
    }

    /// Sums of [`Order`] over sentences.
    pub fn order(played: &[&Played]) -> Option<Order> {
        let add = |a: Order, b: Order| Order {
            edits: a.edits + b.edits,
            glosses: a.glosses + b.glosses,
            known_edits: a.known_edits + b.known_edits,
            known: a.known + b.known,
        };
        played.iter().filter_map(|p| p.order).reduce(add)
    }
}
