//! Damaged copies of good bytes: deterministic, so that a failure can be had again.

/// A source of damage: a small linear congruential generator.
pub struct Mutator(pub u64);

impl Mutator {
    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end.max(1)
    }

    /// A place in the bytes, every other time near their beginning or end, where the structure is.
    fn place(&mut self, bytes: &[u8]) -> usize {
        let near = self.below(128).min(bytes.len().saturating_sub(1));
        match self.below(4) {
            0 => near,
            1 => bytes.len() - 1 - near,
            _ => self.below(bytes.len()),
        }
    }

    /// Writes a damaged copy to `out`: one to four bits flipped, bytes overwritten, cut out or put
    /// in; or the end cut off; or something appended.
    pub fn damage(&mut self, good: &[u8], out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(good);
        for _ in 0..=self.below(4) {
            let (at, byte) = (self.place(out), self.below(256) as u8);
            match self.below(8) {
                0..4 => out[at] ^= 1 << (byte % 8),
                4 => out[at] = byte,
                5 if out.len() > 1 => drop(out.remove(at)),
                6 => out.insert(at, byte),
                _ if byte < 128 => out.truncate(at + 1),
                _ => out.extend((0..byte % 8).map(|i| byte ^ i)),
            }
        }
    }
}
