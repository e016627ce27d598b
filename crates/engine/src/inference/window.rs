//! The latest rows of one stream, contiguous, so that any stretch of them is one slice.

/// Rows kept beyond a model's window: what arrives while an end is being made sure of.
const SLACK: usize = 64;

/// A sliding buffer of rows, addressed by row index.
pub struct RowWindow {
    width: usize,
    length: usize,
    first: u64,
    data: Vec<f32>,
}

impl RowWindow {
    /// For rows of `width` numbers, of which a model takes at most `length`.
    pub fn new(width: usize, length: usize) -> Self {
        // Twice the rows kept: old ones are moved out once in a while and not every time.
        let data = Vec::with_capacity(2 * width * (length + SLACK));
        RowWindow { width, length, first: 0, data }
    }

    /// Appends rows, the first of which has this index.
    pub fn extend(&mut self, index: u64, rows: &[f32]) {
        if index != self.end() {
            self.data.clear();
            self.first = index;
        }
        let keep = self.length + SLACK;
        if self.data.len() + rows.len() > 2 * keep * self.width {
            let drop = self.count().saturating_sub(keep);
            self.data.drain(..drop * self.width);
            self.first += drop as u64;
        }
        self.data.extend_from_slice(rows);
    }

    /// The rows `from ..= to`, as far as they are kept; of more than a model takes, the last.
    pub fn rows(&self, from: u64, to: u64) -> &[f32] {
        let end = (to.saturating_add(1).saturating_sub(self.first) as usize).min(self.count());
        let start = (from.saturating_sub(self.first) as usize).min(end);
        let start = start.max(end.saturating_sub(self.length));
        &self.data[start * self.width..end * self.width]
    }

    /// Index of the first row kept.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Index of the row after the last.
    pub fn end(&self) -> u64 {
        self.first + self.count() as u64
    }

    fn count(&self) -> usize {
        self.data.len() / self.width
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_found_by_index_however_long_the_stream() {
        let mut window = RowWindow::new(2, 10);
        for i in 0..1000u64 {
            window.extend(i, &[i as f32, -(i as f32)]);
            let from = i.saturating_sub(5);
            let expected: Vec<f32> = (from..=i).flat_map(|k| [k as f32, -(k as f32)]).collect();
            assert_eq!(window.rows(from, u64::MAX), expected);
        }
        assert_eq!(window.rows(0, u64::MAX).len(), 20, "the last ten");
        assert_eq!(window.rows(950, 951), [950.0, -950.0, 951.0, -951.0]);
    }
}
