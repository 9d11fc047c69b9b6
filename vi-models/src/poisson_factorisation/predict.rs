//! Held-out counts, and simulation.

use ndarray::{Array2, ArrayRef1};
use rand_distr::{Distribution, Poisson};
use vi_core::{StreamKey, StreamRng};

use super::conjugate::PoissonFactorisationFactors;
use super::{MODEL, PoissonFactorisation, dot};
use crate::ModelError;
use crate::count_factors::HeldOut;
use crate::sparse_counts::SparseCounts;

impl PoissonFactorisation {
    /// E\[Σ_k θ_nk β_dk\] under fitted factors.
    ///
    /// # Panics
    /// If n or d is outside the matrix.
    pub fn predict_entry(&self, factors: &PoissonFactorisationFactors, n: usize, d: usize) -> f64 {
        let mean = |rows: &super::GammaRows, i: usize, k: usize| rows.shape[[i, k]] / rows.rate[[i, k]];
        (0..self.n_factors).map(|k| mean(&factors.rows, n, k) * mean(&factors.columns, d, k)).sum()
    }

    /// How well the expected rates predict other counts (N, D), whose rates are `exposure` times those of the data: for what
    /// [`SparseCounts::thin`] held out, share / (1 − share).
    ///
    /// # Errors
    /// [`ModelError::Length`] if the shape of `held` is another.
    pub fn held_out(
        &self,
        factors: &PoissonFactorisationFactors,
        held: &SparseCounts,
        exposure: f64,
    ) -> Result<HeldOut, ModelError> {
        let shapes = [
            ("held.n_rows", self.counts.n_rows(), held.n_rows()),
            ("held.n_columns", self.counts.n_columns(), held.n_columns()),
        ];
        for (data, expected, actual) in shapes {
            if expected != actual {
                return Err(ModelError::Length { model: MODEL, data, expected, actual });
            }
        }
        let columns = factors.columns.means();
        let columns = columns.as_slice().expect("row-major").to_vec();
        Ok(crate::count_factors::score_of_means(columns, held, exposure, &factors.rows.means()))
    }

    /// New counts at the factors of a `z`: every entry, the missing ones too.
    pub fn simulate(&self, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> Array2<f64> {
        let (n, d, k) = (self.counts.n_rows(), self.counts.n_columns(), self.n_factors);
        let z = z.to_vec();
        let (rows, columns) = (&z[..n * k], &z[n * k..(n + d) * k]);
        Array2::from_shape_fn((n, d), |(n, d)| {
            let rate = dot(&rows[n * k..][..k], &columns[d * k..][..k]);
            // rand_distr knows no rate of zero.
            Poisson::new(rate.max(f64::MIN_POSITIVE)).map_or(f64::NAN, |p| p.sample(rng))
        })
    }

    /// Draws factors and rates from their priors, and counts from these.
    ///
    /// # Errors
    /// [`ModelError::Datum`] for a count beyond 2⁵³, which vague priors may draw.
    pub fn simulate_prior(&self, key: StreamKey) -> Result<(ndarray::Array1<f64>, SparseCounts), ModelError> {
        let mut rng = key.rng(0);
        let mut gamma = |shape: f64, rate: f64| -> f64 {
            let gamma = rand_distr::Gamma::new(shape, rate.recip()).expect("checked");
            gamma.sample(&mut rng).max(f64::MIN_POSITIVE)
        };
        let (n, d) = (self.counts.n_rows(), self.counts.n_columns());
        let (mut factors, mut rates) = (Vec::new(), Vec::new());
        for (prior, n) in [(self.priors.row, n), (self.priors.column, d)] {
            for _ in 0..n {
                let rate = match prior.rate {
                    super::RatePrior::Known { rate } => rate,
                    super::RatePrior::Gamma { shape, rate } => {
                        rates.push(gamma(shape, rate));
                        rates[rates.len() - 1]
                    }
                };
                factors.extend((0..self.n_factors).map(|_| gamma(prior.shape, rate)));
            }
        }
        factors.extend(rates);
        let z = ndarray::Array1::from(factors);
        let counts = SparseCounts::from_dense(&self.simulate(&z, &mut rng))?;
        Ok((z, counts))
    }
}
