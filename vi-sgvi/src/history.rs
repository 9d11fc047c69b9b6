//! The iterates of a run in a few dozen batches, whose lengths double as the run grows.

use std::ops::Range;

use ndarray::{Array1, ArrayRef1, Zip};
use serde::{Deserialize, Serialize};

/// So many finished batches become half as many of twice the length.
const N_BATCHES: usize = 32;

/// A batch of successive iterates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Batch {
    /// Mean of the iterates (P).
    mean: Array1<f64>,
    /// Sum of their squared deviations from it (P).
    squares: Array1<f64>,
    /// Mean of the ELBO estimates.
    elbo: f64,
}

impl Batch {
    fn new(n_params: usize) -> Self {
        Self { mean: Array1::zeros(n_params), squares: Array1::zeros(n_params), elbo: 0.0 }
    }
}

/// All iterates so far, summarised in batches of equal length. What is asked of it concerns the later half of them.
///
/// Memory: 2 · 32 P numbers, whatever the length of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct History {
    /// Iterates in a batch.
    length: u64,
    n_finished: usize,
    /// Iterates in the running batch.
    n_running: u64,
    /// The finished ones, the running one, and room for more.
    batches: Vec<Batch>,
    /// The last looks, one after the other, that a rule was content with.
    #[serde(default)]
    pub(crate) n_content: u64,
}

/// The split R̂ of the element of λ for which it is largest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LargestRHat {
    pub(crate) value: f64,
    pub(crate) index: usize,
}

impl History {
    pub(crate) fn new(length: usize, n_params: usize) -> Self {
        let batches = vec![Batch::new(n_params)];
        Self { length: length as u64, n_finished: 0, n_running: 0, batches, n_content: 0 }
    }

    /// Takes in the next iterate (P) and its ELBO estimate; whether it is time to look: with 16 and with 24 batches, that is
    /// after 16, 24, 32, 48, 64, 96, … times the first length.
    pub(crate) fn push(&mut self, params: &ArrayRef1<f64>, elbo: f64) -> bool {
        let batch = &mut self.batches[self.n_finished];
        if self.n_running == 0 {
            (batch.elbo, self.n_running) = (elbo, 1);
            batch.mean.assign(params);
            batch.squares.fill(0.0);
        } else {
            self.n_running += 1;
            let weight = 1.0 / self.n_running as f64;
            batch.elbo += weight * (elbo - batch.elbo);
            Zip::from(&mut batch.mean).and(&mut batch.squares).and(params).for_each(|m, s, p| {
                let deviation = p - *m;
                *m += weight * deviation;
                *s += deviation * (p - *m);
            });
        }
        if self.n_running < self.length {
            return false;
        }
        self.finish();
        self.n_finished >= N_BATCHES / 2 && self.n_finished.is_multiple_of(8)
    }

    fn finish(&mut self) {
        (self.n_finished, self.n_running) = (self.n_finished + 1, 0);
        if self.n_finished == N_BATCHES {
            for i in 0..N_BATCHES / 2 {
                self.merge(i, 2 * i, 2 * i + 1);
            }
            (self.n_finished, self.length) = (N_BATCHES / 2, 2 * self.length);
        }
        if self.batches.len() == self.n_finished {
            self.batches.push(Batch::new(self.batches[0].mean.len()));
        }
    }

    /// Batches `a` and `b` become batch `to` ≤ a < b.
    fn merge(&mut self, to: usize, a: usize, b: usize) {
        let (left, right) = self.batches.split_at_mut(b);
        let (a, b, half_length) = (&mut left[a], &right[0], 0.5 * self.length as f64);
        a.elbo = 0.5 * (a.elbo + b.elbo);
        Zip::from(&mut a.mean).and(&mut a.squares).and(&b.mean).and(&b.squares).for_each(|m, s, n, t| {
            let gap = n - *m;
            *s += t + half_length * gap * gap;
            *m += 0.5 * gap;
        });
        self.batches.swap(to, 2 * to);
    }

    /// The batches of the later half.
    fn window(&self) -> Range<usize> {
        self.n_finished / 2..self.n_finished
    }

    /// Iterates in the later half.
    pub(crate) fn n_window(&self) -> u64 {
        self.window().len() as u64 * self.length
    }

    /// The later half in so many parts; at a look its batches can be divided by 4.
    fn parts<const N: usize>(&self) -> [Range<usize>; N] {
        let Range { start, end } = self.window();
        let n = (end - start) / N;
        std::array::from_fn(|i| start + i * n..start + (i + 1) * n)
    }

    fn mean(&self, batches: Range<usize>) -> Array1<f64> {
        let n = batches.len() as f64;
        let mut mean = Array1::zeros(self.batches[0].mean.len());
        self.batches[batches].iter().for_each(|batch| mean.scaled_add(1.0 / n, &batch.mean));
        mean
    }

    /// The mean of the later half (P); of what there is before two batches are finished; `None` before the first iterate.
    pub(crate) fn average(&self) -> Option<Array1<f64>> {
        match (self.n_finished, self.n_running) {
            (0, 0) => None,
            (0, _) => Some(self.batches[0].mean.clone()),
            _ => Some(self.mean(self.window())),
        }
    }

    /// The means of the two halves of the later half (P).
    pub(crate) fn half_averages(&self) -> [Array1<f64>; 2] {
        self.parts().map(|half| self.mean(half))
    }

    /// The means of the batches of the later half.
    pub(crate) fn batch_means(&self) -> impl ExactSizeIterator<Item = &Array1<f64>> {
        self.batches[self.window()].iter().map(|batch| &batch.mean)
    }

    /// The standard error of the mean ELBO estimate of the later half, from its batches.
    pub(crate) fn elbo_mcse(&self) -> f64 {
        let batches = &self.batches[self.window()];
        let n = batches.len() as f64;
        let mean = batches.iter().map(|batch| batch.elbo).sum::<f64>() / n;
        let squares = batches.iter().map(|batch| (batch.elbo - mean).powi(2)).sum::<f64>();
        (squares / (n - 1.0) / n).sqrt()
    }

    /// The largest split R̂ of the later half, over the elements of λ.
    ///
    /// ```text
    /// R̂² = (n − 1)/n + B/(n W)    four quarters of n iterates: W their mean variance, B/n the variance of their means
    /// ```
    /// Four, and not two: the two halves of a random walk that has not turned round yet have by chance nearly the same
    /// mean at every fourth look.
    ///
    /// Source: Gelman et al. 2013, section 11.4.
    pub(crate) fn largest_r_hat(&self) -> LargestRHat {
        let quarters = self.parts::<4>();
        let n = (quarters[0].len() as u64 * self.length) as f64;
        let mut largest = LargestRHat { value: 0.0, index: 0 };
        for index in 0..self.batches[0].mean.len() {
            let of_quarters = quarters.clone().map(|quarter| self.element(quarter, index));
            let mean = of_quarters.iter().map(|(mean, _)| 0.25 * mean).sum::<f64>();
            let between = of_quarters.iter().map(|(m, _)| (m - mean) * (m - mean)).sum::<f64>() / 3.0;
            let within = of_quarters.iter().map(|(_, squares)| squares).sum::<f64>() / (4.0 * (n - 1.0));
            // Iterates that do not move at all have converged.
            let value = if between == 0.0 { 1.0 } else { ((n - 1.0) / n + between / within).sqrt() };
            if value > largest.value || value.is_nan() {
                largest = LargestRHat { value, index };
            }
        }
        largest
    }

    /// Mean and sum of squared deviations of one element of λ over some batches.
    fn element(&self, batches: Range<usize>, i: usize) -> (f64, f64) {
        let batches = &self.batches[batches];
        let mean = batches.iter().map(|batch| batch.mean[i]).sum::<f64>() / batches.len() as f64;
        let squares = |batch: &Batch| batch.squares[i] + self.length as f64 * (batch.mean[i] - mean).powi(2);
        (mean, batches.iter().map(squares).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// Something irregular.
    fn iterate(t: usize) -> [f64; 2] {
        [(t as f64 * 0.7).sin() + 0.01 * t as f64, ((t * t) % 17) as f64]
    }

    fn mean(x: &[f64]) -> f64 {
        x.iter().sum::<f64>() / x.len() as f64
    }

    fn variance(x: &[f64]) -> f64 {
        x.iter().map(|v| (v - mean(x)).powi(2)).sum::<f64>() / (x.len() - 1) as f64
    }

    fn r_hat(x: &[f64]) -> f64 {
        let n = x.len() / 4;
        let means: Vec<f64> = x.chunks(n).map(mean).collect();
        let variances: Vec<f64> = x.chunks(n).map(variance).collect();
        ((n as f64 - 1.0) / n as f64 + variance(&means) / mean(&variances)).sqrt()
    }

    #[test]
    fn batches_say_what_the_iterates_say() {
        let mut history = History::new(3, 2);
        assert_eq!(history.average(), None);
        let (mut looks, mut trace) = (Vec::new(), Vec::new());
        for t in 1..=500 {
            let x = iterate(t);
            trace.push(x);
            let elbo = -(t as f64).sqrt();
            if !history.push(&array![x[0], x[1]], elbo) {
                continue;
            }
            looks.push(t);
            let later = &trace[t / 2..];
            assert_eq!(history.n_window() as usize, later.len());
            let column = |i: usize| later.iter().map(|x| x[i]).collect::<Vec<f64>>();
            let average = history.average().unwrap();
            let [first, second] = history.half_averages();
            for i in 0..2 {
                let column = column(i);
                approx::assert_relative_eq!(average[i], mean(&column), max_relative = 1e-12);
                let (a, b) = column.split_at(column.len() / 2);
                approx::assert_relative_eq!(first[i], mean(a), max_relative = 1e-12);
                approx::assert_relative_eq!(second[i], mean(b), max_relative = 1e-12);
            }
            let expected = [r_hat(&column(0)), r_hat(&column(1))];
            let largest = history.largest_r_hat();
            let index = usize::from(expected[1] > expected[0]);
            assert_eq!(largest.index, index);
            approx::assert_relative_eq!(largest.value, expected[index], max_relative = 1e-12);
        }
        assert_eq!(looks, [48, 72, 96, 144, 192, 288, 384]);
    }

    #[test]
    fn constants_have_converged_and_steps_have_not() {
        let look = |of: fn(usize) -> f64| {
            let mut history = History::new(1, 1);
            for t in 0..16 {
                history.push(&array![of(t)], of(t));
            }
            history
        };
        assert_eq!(look(|_| 2.5).largest_r_hat().value, 1.0);
        assert!(look(|t| if t < 12 { 0.0 } else { 1.0 }).largest_r_hat().value > 1e3);
        // The batch means of the later half are 8 … 15, with variance 6.
        approx::assert_relative_eq!(look(|t| t as f64).elbo_mcse(), (6.0f64 / 8.0).sqrt());
    }
}
