//! Which clips come together in a stream, and in which order.

use crate::random::SplitMix64;

/// Clips of one signer in a row, at most.
const VISIT: usize = 8;
/// The rest at both ends of a visit, s.
pub(super) const EDGE_S: f64 = 2.0;
/// A stream of this length takes no further visit, s.
const LONG_S: f64 = 120.0;
/// Which clips, by their number, make up each stream: visits of at most eight clips of one signer,
/// in any order, until the stream is about two minutes long. Every clip is in exactly one.
pub fn plan_visits(clips: &[(&str, f64)], random: &mut SplitMix64) -> Vec<Vec<Vec<usize>>> {
    let mut signers: Vec<&str> = clips.iter().map(|(signer, _)| *signer).collect();
    signers.sort_unstable();
    signers.dedup();
    let mut visits: Vec<Vec<usize>> = Vec::new();
    for signer in signers {
        let mut own: Vec<usize> = (0..clips.len()).filter(|i| clips[*i].0 == signer).collect();
        random.shuffle(&mut own);
        visits.extend(own.chunks(VISIT).map(<[usize]>::to_vec));
    }
    random.shuffle(&mut visits);
    let (mut streams, mut length) = (Vec::<Vec<Vec<usize>>>::new(), f64::INFINITY);
    for visit in visits {
        if length >= LONG_S {
            streams.push(Vec::new());
            length = 0.0;
        }
        // A rest and two ways take about as long again as a short clip.
        length += 2.0 * EDGE_S + visit.iter().map(|i| clips[*i].1 + 2.5).sum::<f64>();
        if let Some(stream) = streams.last_mut() {
            stream.push(visit);
        }
    }
    streams
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clip_is_in_exactly_one_stream() {
        let names: Vec<String> = (0..100).map(|i| format!("s{}", i % 7)).collect();
        let clips: Vec<(&str, f64)> = names.iter().map(|name| (&name[..], 2.0)).collect();
        let streams = plan_visits(&clips, &mut SplitMix64(1));
        assert_eq!(streams, plan_visits(&clips, &mut SplitMix64(1)));
        let mut all: Vec<usize> = streams.iter().flatten().flatten().copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        for visit in streams.iter().flatten() {
            assert!(visit.len() <= VISIT && visit.iter().all(|i| clips[*i].0 == clips[visit[0]].0));
        }
        assert!(streams.len() > 2 && streams[0].len() > 1);
    }
}
