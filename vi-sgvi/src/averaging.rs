//! Averages of the iterates: the noise of the last step averages out, the bias of the first ones is forgotten.

use ndarray::{Array1, ArrayRef1, Zip};
use serde::{Deserialize, Serialize};

use crate::error::{SgviError, require};

/// Which average of the iterates λ_1, λ_2, … a run reports.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Averaging {
    /// The last iterate.
    Last,
    /// The mean of the last finished window of [`crate::Window`]; before the first is finished, of the iterates so far.
    Window,
    /// The plain mean of a tail that holds between one half and three quarters of the iterates.
    ///
    /// ```text
    /// λ̄_t = mean of λ_r, r = 2^(k−1) … t,   where 2^k ≤ t < 2^(k+1)
    /// ```
    /// The budget need not be known beforehand. Source: the tail averages of Jain et al. 2018, restarted at
    /// powers of two.
    Tail,
    /// Polynomial-decay averaging; eta = 0 is the plain mean of all iterates (Polyak and Ruppert).
    ///
    /// ```text
    /// λ̄_t = (1 − (η+1)/(t+η)) λ̄_{t−1} + (η+1)/(t+η) λ_t
    /// ```
    /// Source: Shamir & Zhang 2013, §4, <https://arxiv.org/abs/1212.1824>.
    Polynomial {
        /// η ≥ 0: the larger, the shorter the tail.
        eta: f64,
    },
}

impl Averaging {
    pub(crate) fn validate(&self) -> Result<(), SgviError> {
        match *self {
            Self::Last | Self::Window | Self::Tail => Ok(()),
            Self::Polynomial { eta } => {
                require(eta >= 0.0, "averaging.polynomial.eta", eta, "finite and ≥ 0")
            }
        }
    }
}

/// The running average of the iterates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Averager {
    n_iterates: u64,
    mean: Array1<f64>,
    n_mean: u64,
    /// The finished block before `mean`'s, for [`Averaging::Tail`].
    previous: Array1<f64>,
    n_previous: u64,
}

impl Averager {
    /// Before the first iterate: the average is the start itself.
    pub fn new(start: &ArrayRef1<f64>) -> Self {
        let previous = Array1::zeros(start.len());
        Self { n_iterates: 0, mean: start.to_owned(), n_mean: 0, previous, n_previous: 0 }
    }

    /// Takes in the next iterate (P).
    pub fn push(&mut self, averaging: Averaging, params: &ArrayRef1<f64>) {
        self.n_iterates += 1;
        if averaging == Averaging::Tail && self.n_iterates.is_power_of_two() {
            // `mean` is about to be overwritten: its next weight is 1.
            std::mem::swap(&mut self.previous, &mut self.mean);
            (self.n_previous, self.n_mean) = (self.n_mean, 0);
        }
        self.n_mean += 1;
        let weight = match averaging {
            // Windows are averaged where they are counted.
            Averaging::Last | Averaging::Window => 1.0,
            Averaging::Tail => 1.0 / self.n_mean as f64,
            Averaging::Polynomial { eta } => (eta + 1.0) / (self.n_iterates as f64 + eta),
        };
        if weight == 1.0 {
            self.mean.assign(params);
        } else {
            Zip::from(&mut self.mean).and(params).for_each(|m, p| *m += weight * (p - *m));
        }
    }

    /// The average (P).
    pub fn average(&self, averaging: Averaging) -> Array1<f64> {
        if averaging != Averaging::Tail || self.n_previous == 0 {
            return self.mean.clone();
        }
        let weight = self.n_previous as f64 / (self.n_previous + self.n_mean) as f64;
        &self.mean + &((&self.previous - &self.mean) * weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn average_of_numbers(averaging: Averaging, n: u64) -> f64 {
        let mut averager = Averager::new(&array![1e6]);
        assert_eq!(averager.average(averaging)[0], 1e6);
        for t in 1..=n {
            averager.push(averaging, &array![t as f64]);
        }
        averager.average(averaging)[0]
    }

    fn mean(range: std::ops::RangeInclusive<u64>) -> f64 {
        let n = range.clone().count() as f64;
        range.map(|t| t as f64).sum::<f64>() / n
    }

    #[test]
    fn a_tail_is_the_mean_from_half_the_last_power_of_two() {
        for (n, first) in [(1, 1), (2, 1), (3, 1), (4, 2), (7, 2), (8, 4), (100, 32), (128, 64), (255, 64)] {
            approx::assert_relative_eq!(
                average_of_numbers(Averaging::Tail, n),
                mean(first..=n),
                max_relative = 1e-12
            );
        }
    }

    #[test]
    fn a_polynomial_of_degree_zero_is_the_mean_and_the_last_is_the_last() {
        let plain = average_of_numbers(Averaging::Polynomial { eta: 0.0 }, 50);
        approx::assert_relative_eq!(plain, mean(1..=50), max_relative = 1e-12);
        // λ̄ of λ_t = t is the solution (t(η+1) + …)/(η+2) of the recursion; for η = 8 it lies near 0.9 t.
        let late = average_of_numbers(Averaging::Polynomial { eta: 8.0 }, 1000);
        assert!((late - 900.0).abs() < 2.0, "{late}");
        assert_eq!(average_of_numbers(Averaging::Last, 50), 50.0);
    }
}
