//! Entries that were not observed, new rows, and simulation.

use ndarray::{Array2, ArrayRef1};
use rand_distr::{Distribution, StandardNormal};
use vi_core::linalg::packed;
use vi_core::{ConditionallyConjugate, Exec, Predictive, StreamKey, StreamRng};

use super::factors::{FactorModelFactors, StartPrecisions};
use super::rows::fill_normal;
use super::{FactorModel, FactorModelBlock, NoiseShape, PrecisionPrior};
use crate::ModelError;
use crate::checks::LOG_2_PI;
use crate::observed_matrix::ObservedMatrix;

/// Mean and variance of an entry under the fitted factors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EntryPrediction {
    /// `E[y_nd]`.
    pub mean: f64,
    /// Var\[y_nd\], the noise included.
    pub variance: f64,
}

/// How well entries that were held out are predicted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOutEntries {
    /// How many.
    pub n: usize,
    /// The root of the mean squared error.
    pub root_mean_square: f64,
    /// The mean log density of the entries under normals with the predicted means and variances, in nats.
    pub mean_log_density: f64,
    /// The share of entries within 1.96 predicted standard deviations.
    pub coverage: f64,
}

impl<S: NoiseShape> FactorModel<S> {
    /// The prediction of entry (n, d) under fitted factors.
    ///
    /// ```text
    /// E[y] = m_dᵀ m_n + μ_d,   Var[y] = m̃_nᵀ Σ_d m̃_n + m_dᵀ Σ_n m_d + tr(Σ_n Σ_d) + E[1/τ_d]
    /// ```
    /// E[1/τ] is infinite for a Gamma of shape 1 or below.
    ///
    /// # Panics
    /// If n or d is outside the matrix.
    pub fn predict_entry(&self, factors: &FactorModelFactors, n: usize, d: usize) -> EntryPrediction {
        let k = self.n_factors;
        let len = packed::len(k);
        let (score, loading) = (factors.scores.mean(n), factors.loadings.mean(d));
        let (sn, sd) = (factors.scores.covariance(n), factors.loadings.covariance(d));
        let dot: f64 = score.iter().zip(loading).map(|(x, w)| x * w).sum();
        let mut extended = score.to_vec();
        extended.resize(self.n_coefficients(), 1.0);
        let noise = match (self.priors.noise, factors.noise.get(S::of(d))) {
            (PrecisionPrior::Known { precision }, _) => precision.recip(),
            (_, Some(q)) if q.shape() > 1.0 => q.rate() / (q.shape() - 1.0),
            _ => f64::INFINITY,
        };
        EntryPrediction {
            mean: dot + loading.get(k).copied().unwrap_or(0.0) + self.centre[d],
            variance: packed::quadratic(sd, &extended)
                + packed::quadratic(sn, &loading[..k])
                + packed::trace_of_product(sn, &sd[..len])
                + noise,
        }
    }

    /// How well the fitted factors predict the observed entries of another matrix of the same shape.
    ///
    /// # Errors
    /// [`ModelError::Length`] if its shape is another.
    pub fn held_out(
        &self,
        factors: &FactorModelFactors,
        held: &ObservedMatrix,
    ) -> Result<HeldOutEntries, ModelError> {
        let shapes = [
            ("held.n_rows", self.data.n_rows(), held.n_rows()),
            ("held.n_columns", self.data.n_columns(), held.n_columns()),
        ];
        for (data, expected, actual) in shapes {
            if expected != actual {
                return Err(ModelError::Length { model: super::MODEL, data, expected, actual });
            }
        }
        let (mut squares, mut log_density, mut inside) = (0.0, 0.0, 0.0);
        for (n, d, y) in held.entries() {
            let EntryPrediction { mean, variance } = self.predict_entry(factors, n, d);
            let square = (y - mean).powi(2);
            squares += square;
            log_density -= 0.5 * (LOG_2_PI + variance.ln() + square / variance);
            inside += f64::from(u8::from(square <= 1.96 * 1.96 * variance));
        }
        let n = held.n_observed() as f64;
        Ok(HeldOutEntries {
            n: held.n_observed(),
            root_mean_square: (squares / n).sqrt(),
            mean_log_density: log_density / n,
            coverage: inside / n,
        })
    }

    /// The same model of other rows.
    pub(super) fn with_rows(&self, data: ObservedMatrix) -> Self {
        Self {
            centred: data.map(|_, d, v| v - self.centre[d]),
            data,
            centre: self.centre.clone(),
            priors: self.priors,
            n_factors: self.n_factors,
            expanded: self.expanded,
            space: self.space.clone(),
            blocks: self.blocks.clone(),
            shape: self.shape,
        }
    }

    /// Draws precisions, loadings and intercepts from their priors, and data (N, D) from these: the point `z` and the
    /// matrix, of which the same entries are observed.
    ///
    /// With vague priors draws are extreme.
    pub fn simulate_prior(&self, key: StreamKey) -> (ndarray::Array1<f64>, ObservedMatrix) {
        let mut rng = key.rng(0);
        let (d, k) = (self.data.n_columns(), self.n_factors);
        let mut draw = |prior: PrecisionPrior, n: usize| -> Vec<f64> {
            (0..n)
                .map(|_| match prior {
                    PrecisionPrior::Known { precision } => precision,
                    PrecisionPrior::Gamma { shape, rate } => {
                        let gamma = rand_distr::Gamma::new(shape, rate.recip()).expect("checked");
                        gamma.sample(&mut rng).max(f64::MIN_POSITIVE)
                    }
                })
                .collect()
        };
        let alpha = draw(self.priors.loading, k);
        let lambda = draw(self.priors.score, k);
        let tau = draw(self.priors.noise, self.n_noise());
        let mut z = vec![0.0; d * self.n_coefficients()];
        fill_normal(&mut rng, &mut z);
        let (loadings, intercepts) = z.split_at_mut(d * k);
        loadings
            .chunks_exact_mut(k)
            .for_each(|row| row.iter_mut().zip(&alpha).for_each(|(w, a)| *w /= a.sqrt()));
        if let Some(prior) = self.priors.intercept {
            intercepts.iter_mut().for_each(|m| *m = prior.mean + *m / prior.precision.sqrt());
        }
        let learned = [(self.priors.loading, alpha), (self.priors.score, lambda), (self.priors.noise, tau)];
        z.extend(learned.into_iter().filter(|(prior, _)| prior.is_learned()).flat_map(|(_, values)| values));
        let z = ndarray::Array1::from(z);
        let data = self.simulate(&self.data, &z, &mut rng);
        (z, data)
    }
}

/// A point is a row; the scores of a new row are integrated out given its observed entries. Only the pattern of what
/// is observed matters to a simulation.
impl<S: NoiseShape> Predictive for FactorModel<S> {
    type Data = ObservedMatrix;

    fn observed(&self) -> &ObservedMatrix {
        &self.data
    }

    fn n_points(&self, data: &ObservedMatrix) -> usize {
        data.n_rows()
    }

    /// # Panics
    /// If `data` has not D columns.
    fn log_likelihood_pointwise(&self, data: &ObservedMatrix, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(data.n_columns(), self.data.n_columns(), "columns of the data");
        let other = self.with_rows(data.clone());
        let Some((factors, stats)) = other.at(z) else {
            out.fill(f64::NEG_INFINITY);
            return;
        };
        // log N(y; μ, W Λ⁻¹Wᵀ + Ψ) = log p(y, m) − log p(m | y) at the posterior mean m of the scores.
        let k = self.n_factors;
        let lambda = &stats.score_precision;
        let prior = 0.5 * (lambda.log.sum() - k as f64 * LOG_2_PI);
        for (n, out) in out.iter_mut().enumerate() {
            let squares =
                factors.scores.mean(n).iter().zip(&lambda.mean).map(|(x, l)| l * x * x).sum::<f64>();
            *out = prior - 0.5 * squares + 0.5 * (factors.scores.log_det(n) + k as f64 * LOG_2_PI);
        }
        for (n, d, y) in other.centred.entries() {
            let row = stats.loadings.mean(d);
            let fitted: f64 = row.iter().zip(factors.scores.mean(n)).map(|(w, x)| w * x).sum();
            let error = y - fitted - row.get(k).copied().unwrap_or(0.0);
            let g = S::of(d);
            out[n] += 0.5 * (stats.noise.log[g] - LOG_2_PI - stats.noise.mean[g] * error * error);
        }
    }

    fn simulate(&self, data: &ObservedMatrix, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> ObservedMatrix {
        let k = self.n_factors;
        let (_, mut stats) = self.blank(StartPrecisions { loading: 1.0, noise: 1.0 });
        let rows = self.loadings_of(z);
        let at = |name: &str| self.space.get(name).map(|p| p.range());
        for (name, precisions) in
            [("score_precision", &mut stats.score_precision), ("noise_precision", &mut stats.noise)]
        {
            for (g, i) in at(name).into_iter().flatten().enumerate() {
                precisions.set(g, z[i]);
            }
        }
        let mut scores = Array2::zeros((data.n_rows(), k));
        fill_normal(rng, scores.as_slice_mut().expect("row-major"));
        for mut row in scores.rows_mut() {
            row.iter_mut().zip(&stats.score_precision.mean).for_each(|(x, l)| *x /= l.sqrt());
        }
        data.map(|n, d, _| {
            let fitted: f64 = rows.row(d).iter().zip(scores.row(n)).map(|(w, x)| w * x).sum();
            let intercept = if rows.ncols() > k { rows[[d, k]] } else { 0.0 };
            let noise: f64 = StandardNormal.sample(rng);
            fitted + intercept + self.centre[d] + noise / stats.noise.mean[S::of(d)].sqrt()
        })
    }
}

impl<S: NoiseShape> FactorModel<S> {
    /// q(x) of other rows under fitted factors of the rest: their posterior means (n, K).
    ///
    /// # Errors
    /// [`ModelError::Length`] if `data` has not D columns.
    ///
    /// # Panics
    /// Never for factors that this model made.
    pub fn scores_of(
        &self,
        factors: &FactorModelFactors,
        data: &ObservedMatrix,
    ) -> Result<Array2<f64>, ModelError> {
        let (expected, actual) = (self.data.n_columns(), data.n_columns());
        if expected != actual {
            return Err(ModelError::Length { model: super::MODEL, data: "data.n_columns", expected, actual });
        }
        let other = self.with_rows(data.clone());
        let (mut q, mut stats) = other.blank(StartPrecisions { loading: 1.0, noise: 1.0 });
        other.expect_all_but_scores(factors, &mut stats);
        other
            .condition(FactorModelBlock::Scores, &stats, &mut q, Exec::local())
            .expect("loadings of a fit give a positive-definite precision");
        Ok(q.scores.means().to_owned())
    }
}
