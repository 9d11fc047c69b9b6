//! The log joint with the scores integrated out.
//!
//! ```text
//! log p(y, w, μ, α, λ, τ) = E_{q*}[log p(y, x, w, …)] + H(q*),     q* = p(x | y, w, …)
//! ∇ log p(y, w, μ, …) = E_{q*}[∇ log p(y, x, w, …)]
//! ```
//! q* is the complete conditional of the scores, which coordinate ascent forms as well.

use ndarray::ArrayRef1;
use vi_core::linalg::packed;
use vi_core::{ConditionallyConjugate, Exec, GradLogJoint, LogJoint, ParameterSpace};

use super::factors::{FactorModelFactors, FactorModelStats, Precisions, StartPrecisions};
use super::{FactorModel, FactorModelBlock, NoiseShape, PrecisionPrior};

impl<S: NoiseShape> FactorModel<S> {
    /// The realised statistics of a `z`, and the scores' conditional on them. `None` where a precision is not positive
    /// and finite.
    pub(super) fn at(&self, z: &ArrayRef1<f64>) -> Option<(FactorModelFactors, FactorModelStats)> {
        let (mut factors, mut stats) = self.blank(StartPrecisions { loading: 1.0, noise: 1.0 });
        stats.loadings.mean.assign(&self.loadings_of(z));
        let mut values = z.iter().copied().skip(stats.loadings.mean.len());
        let priors = &self.priors;
        let groups = [
            (priors.loading, &mut stats.loading_precision),
            (priors.score, &mut stats.score_precision),
            (priors.noise, &mut stats.noise),
        ];
        for (prior, precisions) in groups {
            for g in 0..if prior.is_learned() { precisions.mean.len() } else { 0 } {
                precisions.set(g, values.next().filter(|v| *v > 0.0 && v.is_finite())?);
            }
        }
        self.set_loading_sums(&mut stats);
        // Rounding alone can make the conditional fail; the log joint is then NaN.
        if self.condition(FactorModelBlock::Scores, &stats, &mut factors, Exec::local()).is_err() {
            factors.scores.rows.fill(f64::NAN);
            factors.scores.shared.fill(f64::NAN);
        }
        self.expect(FactorModelBlock::Scores, &factors, &mut stats, Exec::local());
        Some((factors, stats))
    }

    fn value(&self, factors: &FactorModelFactors, stats: &FactorModelStats) -> f64 {
        self.expected_log_joint(stats) + factors.scores.entropy()
    }
}

impl<S: NoiseShape> LogJoint for FactorModel<S> {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        match self.at(z) {
            Some((factors, stats)) => self.value(&factors, &stats),
            None if z.iter().any(|z| z.is_nan()) => f64::NAN,
            None => f64::NEG_INFINITY,
        }
    }
}

/// Derivatives ½ (n/x − squares) of a normal term in its precisions, and those of their prior.
fn precision_gradient(
    prior: PrecisionPrior,
    precisions: &Precisions,
    sums: impl Iterator<Item = (f64, f64)>,
) -> impl Iterator<Item = f64> {
    precisions.mean.iter().zip(sums).filter_map(move |(x, (n, squares))| match prior {
        PrecisionPrior::Known { .. } => None,
        PrecisionPrior::Gamma { shape, rate } => Some(0.5 * (n / x - squares) + (shape - 1.0) / x - rate),
    })
}

impl<S: NoiseShape> GradLogJoint for FactorModel<S> {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let Some((factors, stats)) = self.at(z) else {
            grad.fill(f64::NAN);
            return self.log_joint(z);
        };
        let (n, d, k) = (self.data.n_rows() as f64, self.data.n_columns(), self.n_factors);
        for c in 0..d {
            let (tau, cross, row) =
                (stats.noise.mean[S::of(c)], stats.columns.cross(c), stats.loadings.mean(c));
            let terms = cross.iter().zip(row).zip(&stats.loading_precision.mean);
            for (j, ((cross, w), alpha)) in terms.enumerate() {
                grad[c * k + j] = tau * cross - alpha * w;
            }
            if let Some(prior) = self.priors.intercept {
                grad[d * k + c] = tau * cross[k] - prior.precision * (row[k] - self.intercept_mean(c));
            }
        }
        let loadings = packed::diagonal(stats.loading_total.as_slice().expect("one piece"));
        let noise = (0..self.n_noise()).map(|g| {
            if S::SHARED {
                (self.data.n_observed() as f64, stats.squares.sum())
            } else {
                (self.data.column_count(g) as f64, stats.squares[g])
            }
        });
        let loadings = loadings.map(|squares| (d as f64, squares));
        let scores = packed::diagonal(stats.columns.total()).map(|squares| (n, squares));
        let precisions = precision_gradient(self.priors.loading, &stats.loading_precision, loadings)
            .chain(precision_gradient(self.priors.score, &stats.score_precision, scores))
            .chain(precision_gradient(self.priors.noise, &stats.noise, noise));
        grad.iter_mut().skip(stats.loadings.mean.len()).zip(precisions).for_each(|(g, v)| *g = v);
        self.value(&factors, &stats)
    }
}
