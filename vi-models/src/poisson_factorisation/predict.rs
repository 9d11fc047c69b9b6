//! Held-out counts, and simulation.

use ndarray::{Array2, ArrayRef1};
use rand_distr::{Distribution, Poisson};
use vi_core::{Predictive, StreamKey, StreamRng};
use vi_families::special::log_gamma;

use super::conjugate::PoissonFactorisationFactors;
use super::{MODEL, PoissonFactorisation};
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

    /// The rate of entry (n, d) at the factors of a `z`.
    fn rate_at(&self, z: &ArrayRef1<f64>, n: usize, d: usize) -> f64 {
        let (first, k) = (self.counts.n_rows() * self.n_factors, self.n_factors);
        (0..k).map(|j| z[n * k + j] * z[first + d * k + j]).sum()
    }

    /// New counts of the first `n_rows` rows at the factors of a `z`, 0 where an entry is missing.
    fn simulate_dense(&self, n_rows: usize, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> Array2<f64> {
        Array2::from_shape_fn((n_rows, self.counts.n_columns()), |(n, d)| {
            if self.missing_in_row.line(n).binary_search(&d).is_ok() {
                return 0.0;
            }
            // rand_distr knows no rate of zero.
            let rate = self.rate_at(z, n, d).max(f64::MIN_POSITIVE);
            Poisson::new(rate).map_or(f64::NAN, |p| p.sample(rng))
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
        let counts = SparseCounts::from_dense(&self.simulate_dense(n, &z, &mut rng))?;
        Ok((z, counts))
    }
}

/// New counts of the same rows, or of the first of them; a point is a row. Entries that are missing in the model have no
/// term, and are 0 in a simulation.
impl Predictive for PoissonFactorisation {
    type Data = SparseCounts;

    fn observed(&self) -> &SparseCounts {
        &self.counts
    }

    fn n_points(&self, data: &SparseCounts) -> usize {
        data.n_rows()
    }

    /// ```text
    /// Σ_d x_nd log r_nd − log x_nd! − r_nd,     r_nd = Σ_k θ_nk β_dk,   d observed in row n
    /// ```
    ///
    /// # Panics
    /// If `data` has more rows than the model, or other columns.
    fn log_likelihood_pointwise(&self, data: &SparseCounts, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        assert!(data.n_rows() <= self.counts.n_rows(), "poisson_factorisation: more rows than factors");
        assert_eq!(data.n_columns(), self.counts.n_columns(), "poisson_factorisation: columns of the data");
        for (n, out) in out.iter_mut().enumerate() {
            let missing = self.missing_in_row.line(n);
            let seen = |d: &usize| missing.binary_search(d).is_err();
            let total: f64 = (0..data.n_columns()).filter(seen).map(|d| self.rate_at(z, n, d)).sum();
            let (columns, counts) = data.row(n);
            let terms = columns.iter().zip(counts).filter(|(d, _)| seen(d));
            *out =
                terms.map(|(d, x)| x * self.rate_at(z, n, *d).ln() - log_gamma(x + 1.0)).sum::<f64>() - total;
        }
    }

    /// # Panics
    /// If `data` has more rows than the model, or a rate is beyond all counts.
    fn simulate(&self, data: &SparseCounts, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> SparseCounts {
        assert!(data.n_rows() <= self.counts.n_rows(), "poisson_factorisation: more rows than factors");
        let counts = self.simulate_dense(data.n_rows(), z, rng);
        SparseCounts::from_dense(&counts).expect("Poisson counts are counts")
    }
}
