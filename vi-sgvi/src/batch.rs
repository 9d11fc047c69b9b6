//! Minibatches: data drawn without replacement.

use rand::RngExt;
use vi_core::StreamRng;

/// The data of a step, and what is needed to draw the next ones without allocating.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// 0, 1, …, N − 1 between draws.
    all: Vec<usize>,
    swaps: Vec<usize>,
    drawn: Vec<usize>,
}

impl Batch {
    /// All data in order.
    pub(crate) fn all(&mut self, n: usize) -> &[usize] {
        if self.all.len() != n {
            self.all = (0..n).collect();
        }
        &self.all
    }

    /// `size` of `n` data, every subset with the same probability, in ascending order.
    pub(crate) fn draw(&mut self, n: usize, size: usize, rng: &mut StreamRng) -> &[usize] {
        self.all(n);
        self.swaps.clear();
        // The first steps of a shuffle, undone afterwards.
        for i in 0..size {
            let j = rng.random_range(i..n);
            self.all.swap(i, j);
            self.swaps.push(j);
        }
        self.drawn.clear();
        self.drawn.extend_from_slice(&self.all[..size]);
        for (i, &j) in self.swaps.iter().enumerate().rev() {
            self.all.swap(i, j);
        }
        self.drawn.sort_unstable();
        &self.drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vi_core::StreamKey;

    /// Every pair of 6 data within five standard errors of its share 1/15 of 30 000 draws: fails with probability 1e-5.
    #[test]
    fn every_subset_is_as_likely() {
        let (mut batch, n_draws) = (Batch::default(), 30_000);
        let mut counts = [[0.0; 6]; 6];
        for t in 0..n_draws {
            let drawn = batch.draw(6, 2, &mut StreamKey::from_seed(1).rng(t));
            assert!(drawn[0] < drawn[1], "{drawn:?}");
            counts[drawn[0]][drawn[1]] += 1.0;
        }
        assert_eq!(batch.all(6), [0, 1, 2, 3, 4, 5]);
        let (n, p) = (n_draws as f64, 1.0 / 15.0);
        for (i, row) in counts.iter().enumerate() {
            for (j, count) in row.iter().enumerate().skip(i + 1) {
                let share: f64 = count / n;
                assert!((share - p).abs() < 5.0 * (p * (1.0 - p) / n).sqrt(), "({i}, {j}): {share}");
            }
        }
    }
}
