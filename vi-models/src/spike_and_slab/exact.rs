//! The exact posterior, by the sum over all 2^D regressions.

use ndarray::{Array1, Array2, Axis};
use vi_core::KnownPosterior;
use vi_core::linalg::Cholesky;
use vi_core::numerics::log_sum_exp;
use vi_families::special::{log_beta, log_gamma};

use super::{InclusionPrior, SpikeAndSlab};
use crate::checks::LOG_2_PI;
use crate::noise::NoisePrior;

/// Beyond so many covariates nobody waits for the sum.
const MOST: usize = 20;

/// The exact posterior of a [`SpikeAndSlab`].
#[derive(Clone, Debug, PartialEq)]
pub struct Enumeration {
    /// log p(y).
    pub log_evidence: f64,
    /// P(s_d = 1 | y) (D).
    pub inclusion: Array1<f64>,
    /// `E[β | y]`, the intercept first if there is one.
    pub coefficients: Array1<f64>,
    /// `E[τ | y]`.
    pub precision: f64,
    /// `E[π | y]`.
    pub inclusion_probability: f64,
}

/// One of the regressions.
struct Subset {
    /// log p(y, s).
    log_joint: f64,
    columns: Vec<usize>,
    /// `E[β | y, s]` of these columns.
    coefficients: Array1<f64>,
    precision: f64,
    inclusion_probability: f64,
}

/// Sums over the data.
struct Sums {
    gram: Array2<f64>,
    xty: Array1<f64>,
    yty: f64,
}

impl SpikeAndSlab {
    /// The exact posterior, when it can be had: D ≤ 20, and the prior coupled or τ known.
    ///
    /// ```text
    /// p(y) = Σ_s p(s) p(y | s)
    /// ```
    /// with p(y | s) that of a Gaussian (τ known) or normal-gamma regression: Bishop (2006), eq. 3.86 and 3.118.
    pub fn enumerate(&self) -> Option<Enumeration> {
        let unknown = matches!(self.priors.noise, NoisePrior::Gamma { .. });
        let d = self.n_slopes();
        if d > MOST || (unknown && !self.priors.coupled) {
            return None;
        }
        let (x, y) = (self.data.x(), self.data.y());
        let sums = Sums { gram: x.t().dot(x), xty: x.t().dot(y), yty: y.dot(y) };
        let subsets: Option<Vec<Subset>> = (0..1u32 << d).map(|bits| self.subset(bits, &sums)).collect();
        let subsets = subsets?;
        let log_joints: Vec<f64> = subsets.iter().map(|s| s.log_joint).collect();
        let log_evidence = log_sum_exp(&log_joints);
        let mut out = Enumeration {
            log_evidence,
            inclusion: Array1::zeros(d),
            coefficients: Array1::zeros(x.ncols()),
            precision: 0.0,
            inclusion_probability: 0.0,
        };
        for subset in &subsets {
            let p = (subset.log_joint - log_evidence).exp();
            for (&column, b) in subset.columns.iter().zip(&subset.coefficients) {
                out.coefficients[column] += p * b;
                if let Some(slope) = column.checked_sub(self.first_slope()) {
                    out.inclusion[slope] += p;
                }
            }
            out.precision += p * subset.precision;
            out.inclusion_probability += p * subset.inclusion_probability;
        }
        Some(out)
    }

    /// The regression on the slopes whose bits are set; `None` when its matrix is singular to working precision.
    fn subset(&self, bits: u32, sums: &Sums) -> Option<Subset> {
        let first = self.first_slope();
        let is_in = |column: &usize| *column < first || bits >> (column - first) & 1 == 1;
        let columns: Vec<usize> = (0..self.data.n_columns()).filter(is_in).collect();
        // τ factors out of everything that is coupled: with the precision known, τ^(c − 1) p beside XᵀX.
        let scale = match self.priors.noise {
            NoisePrior::Known { precision } => self.priors.scale(precision) / precision,
            NoisePrior::Gamma { .. } => 1.0,
        };
        let prior = self.precisions.select(Axis(0), &columns) * scale;
        let xty = sums.xty.select(Axis(0), &columns);
        let (coefficients, log_det) = if columns.is_empty() {
            (Array1::zeros(0), 0.0)
        } else {
            let mut precision = sums.gram.select(Axis(0), &columns).select(Axis(1), &columns);
            precision.diag_mut().scaled_add(1.0, &prior);
            let factor = Cholesky::factor(&precision).ok()?;
            (factor.solve(&xty), factor.log_det())
        };
        let volume = 0.5 * (prior.iter().map(|p| p.ln()).sum::<f64>() - log_det);
        let squares = sums.yty - xty.dot(&coefficients);
        let n = self.loss.n;
        let (log_likelihood, precision) = match self.priors.noise {
            NoisePrior::Known { precision: tau } => (0.5 * (n * (tau.ln() - LOG_2_PI) - tau * squares), tau),
            NoisePrior::Gamma { shape: a, rate: b } => {
                let (shape, rate) = (a + 0.5 * n, b + 0.5 * squares);
                let gamma = a * b.ln() - log_gamma(a) + log_gamma(shape) - shape * rate.ln();
                (gamma - 0.5 * n * LOG_2_PI, shape / rate)
            }
        };
        let (log_prior, inclusion_probability) = self.subset_prior(bits.count_ones());
        let log_joint = log_prior + volume + log_likelihood;
        Some(Subset { log_joint, columns, coefficients, precision, inclusion_probability })
    }

    /// log p(s) and `E[π | s]` of a subset of this size.
    fn subset_prior(&self, size: u32) -> (f64, f64) {
        let (k, d) = (f64::from(size), self.n_slopes() as f64);
        match self.priors.inclusion {
            InclusionPrior::Known { probability: p } => (k * p.ln() + (d - k) * (-p).ln_1p(), p),
            InclusionPrior::Beta { a, b } => {
                (log_beta(a + k, b + d - k) - log_beta(a, b), (a + k) / (a + b + d))
            }
        }
    }
}

/// Known where [`SpikeAndSlab::enumerate`] has it, but for the covariance.
impl KnownPosterior for SpikeAndSlab {
    /// `E[w_d] = E[β_d]`, since a w_d that is not included has mean 0.
    fn posterior_mean(&self) -> Option<Array1<f64>> {
        let exact = self.enumerate()?;
        let mut mean = exact.coefficients.to_vec();
        mean.extend(&exact.inclusion);
        if self.priors.noise.parameter().is_some() {
            mean.push(exact.precision);
        }
        if let InclusionPrior::Beta { .. } = self.priors.inclusion {
            mean.push(exact.inclusion_probability);
        }
        Some(mean.into())
    }

    fn posterior_covariance(&self) -> Option<Array2<f64>> {
        None
    }

    fn log_evidence(&self) -> Option<f64> {
        self.enumerate().map(|exact| exact.log_evidence)
    }
}
