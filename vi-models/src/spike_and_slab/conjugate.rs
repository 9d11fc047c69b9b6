//! The complete conditionals: every (w_d, s_d) together, τ Gamma, π Beta.

use ndarray::{Array1, ArrayRef1};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use vi_core::numerics::{sigmoid_scalar, softplus_scalar};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, LogJoint, ParameterSpace, StreamKey, StreamRng};
use vi_families::{Beta, ExponentialFamily, FamilyError, Gamma};

use self::SpikeAndSlabBlock::{Coefficient, Inclusion, Noise};
use super::{InclusionPrior, SpikeAndSlab, SpikeAndSlabPriors};
use crate::checks::{LOG_2_PI, refused};
use crate::noise::{NoisePrior, PrecisionStats, factor_log_prob};

/// The blocks of [`SpikeAndSlab`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpikeAndSlabBlock {
    /// (w, s) of one column of x; of the intercept w alone.
    Coefficient(usize),
    /// τ, unless it is known.
    Noise,
    /// π, unless it is known.
    Inclusion,
}

/// Those of `n` columns.
pub(super) fn blocks(n: usize, priors: &SpikeAndSlabPriors) -> Vec<SpikeAndSlabBlock> {
    let noise = matches!(priors.noise, NoisePrior::Gamma { .. }).then_some(Noise);
    let inclusion = matches!(priors.inclusion, InclusionPrior::Beta { .. }).then_some(Inclusion);
    (0..n).map(Coefficient).chain(noise).chain(inclusion).collect()
}

/// Expected or realised statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpikeAndSlabStats {
    /// `E[s]`, 1 for the intercept; as all arrays here with one element per column of x.
    pub included: Array1<f64>,
    /// `E[w]`.
    pub weights: Array1<f64>,
    /// `E[s w]` = `E[β]`.
    pub coefficients: Array1<f64>,
    /// `E[s w²]`.
    pub slab_squares: Array1<f64>,
    /// `E[(1 − s) w²]`.
    pub spike_squares: Array1<f64>,
    /// XᵀX (`E[β]` − reference), kept up to date column by column.
    product: Array1<f64>,
    /// Those of τ.
    pub precision: PrecisionStats,
    /// `E[log π]`.
    pub log_inclusion: f64,
    /// `E[log(1 − π)]`.
    pub log_exclusion: f64,
}

/// The factors ∏ q(w_d, s_d) q(τ) q(π).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpikeAndSlabFactors {
    /// l: q(s_d = 1) = σ(l_d); not used for the intercept, which is always included.
    pub logits: Array1<f64>,
    /// m: the mean of w_d given s_d = 1.
    pub means: Array1<f64>,
    /// P: its precision.
    pub precisions: Array1<f64>,
    /// q(τ); `None` when τ is known.
    pub noise: Option<Gamma>,
    /// q(π); `None` when π is known.
    pub inclusion: Option<Beta>,
}

impl SpikeAndSlab {
    fn is_intercept(&self, d: usize) -> bool {
        d < self.first_slope()
    }

    /// q(s_d = 1).
    fn inclusion_of(&self, d: usize, factors: &SpikeAndSlabFactors) -> f64 {
        if self.is_intercept(d) { 1.0 } else { sigmoid_scalar(factors.logits[d]) }
    }

    /// `E[Σ (y_n − x_nᵀβ)²]`.
    fn squares(&self, stats: &SpikeAndSlabStats) -> f64 {
        let delta = &stats.coefficients - &self.loss.reference;
        let moments = stats.slab_squares.iter().zip(&stats.coefficients);
        let spread = self.loss.gram.diag().into_iter().zip(moments);
        self.loss.squares(&delta, &stats.product) + spread.map(|(g, (s, m))| g * (s - m * m)).sum::<f64>()
    }

    fn set_coefficient(&self, d: usize, stats: &SpikeAndSlabStats, factors: &mut SpikeAndSlabFactors) {
        let PrecisionStats { mean: tau, log: log_tau } = stats.precision;
        let gram = self.loss.gram[[d, d]];
        let precision = tau * gram + self.priors.scale(tau) * self.precisions[d];
        // x_dᵀ of the residual that the other columns leave.
        let residual = self.loss.gradient[d] - stats.product[d] + gram * stats.coefficients[d];
        let mean = tau * residual / precision;
        let log_prior = self.precisions[d].ln() + self.priors.power() * log_tau;
        factors.precisions[d] = precision;
        factors.means[d] = mean;
        factors.logits[d] = stats.log_inclusion - stats.log_exclusion
            + 0.5 * (log_prior - precision.ln() + precision * mean * mean);
    }

    /// Sets the statistics of column d and what depends on them.
    fn put(&self, d: usize, stats: &mut SpikeAndSlabStats, [included, weight, slab, spike]: [f64; 4]) {
        stats.included[d] = included;
        stats.weights[d] = weight;
        stats.slab_squares[d] = slab;
        stats.spike_squares[d] = spike;
    }

    fn set_effect(&self, d: usize, stats: &mut SpikeAndSlabStats, effect: f64) {
        let change = effect - stats.coefficients[d];
        stats.coefficients[d] = effect;
        if d == 0 {
            // Once a sweep, lest rounding adds up.
            stats.product = self.loss.gram.dot(&(&stats.coefficients - &self.loss.reference));
        } else {
            stats.product.scaled_add(change, &self.loss.gram.column(d));
        }
    }

    fn expect_coefficient(&self, d: usize, factors: &SpikeAndSlabFactors, stats: &mut SpikeAndSlabStats) {
        let (p, mean, precision) = (self.inclusion_of(d, factors), factors.means[d], factors.precisions[d]);
        let slab = p * (mean * mean + precision.recip());
        let spike = (1.0 - p) / self.precisions[d];
        self.put(d, stats, [p, p * mean, slab, spike]);
        self.set_effect(d, stats, p * mean);
    }

    fn draw_pair(&self, d: usize, factors: &SpikeAndSlabFactors, rng: &mut StreamRng) -> (f64, f64) {
        let included = rng.random::<f64>() < self.inclusion_of(d, factors);
        let e: f64 = StandardNormal.sample(rng);
        if included {
            (1.0, factors.means[d] + e / factors.precisions[d].sqrt())
        } else {
            (0.0, e / self.precisions[d].sqrt())
        }
    }

    fn draw_coefficient(
        &self,
        d: usize,
        factors: &SpikeAndSlabFactors,
        key: StreamKey,
        stats: &mut SpikeAndSlabStats,
    ) {
        let (included, w) = self.draw_pair(d, factors, &mut key.rng(0));
        self.put(d, stats, [included, w, included * w * w, (1.0 - included) * w * w]);
        self.set_effect(d, stats, included * w);
    }

    /// log q(w_d, s_d).
    fn pair_log_prob(&self, d: usize, factors: &SpikeAndSlabFactors, included: f64, w: f64) -> f64 {
        let normal = |p: f64, x: f64| 0.5 * (p.ln() - LOG_2_PI - p * x * x);
        let slab = normal(factors.precisions[d], w - factors.means[d]);
        let logit = factors.logits[d];
        if self.is_intercept(d) {
            slab
        } else if included == 1.0 {
            slab - softplus_scalar(-logit)
        } else {
            normal(self.precisions[d], w) - softplus_scalar(logit)
        }
    }

    fn pair_entropy(&self, d: usize, factors: &SpikeAndSlabFactors) -> f64 {
        let p = self.inclusion_of(d, factors);
        let normal = |precision: f64| 0.5 * (1.0 + LOG_2_PI - precision.ln());
        let logit = factors.logits[d];
        // The entropy of s, without 0 · ∞ for a large logit.
        let binary = if self.is_intercept(d) {
            0.0
        } else {
            softplus_scalar(-logit.abs()) + logit.abs() * sigmoid_scalar(-logit.abs())
        };
        binary + p * normal(factors.precisions[d]) + (1.0 - p) * normal(self.precisions[d])
    }

    fn noise_given(&self, stats: &SpikeAndSlabStats) -> Result<Option<Gamma>, FamilyError> {
        let power = self.priors.power();
        let n = self.loss.n + power * stats.included.sum();
        let squares = self.squares(stats) + power * self.precisions.dot(&stats.slab_squares);
        self.priors.noise.conditional(n, squares)
    }

    fn inclusion_given(&self, stats: &SpikeAndSlabStats) -> Result<Option<Beta>, FamilyError> {
        let InclusionPrior::Beta { a, b } = self.priors.inclusion else { return Ok(None) };
        let included: f64 = stats.included.iter().skip(self.first_slope()).sum();
        Beta::from_alpha_beta(a + included, b + self.n_slopes() as f64 - included).map(Some)
    }

    fn set_inclusion(&self, q: Option<&Beta>, stats: &mut SpikeAndSlabStats) {
        (stats.log_inclusion, stats.log_exclusion) = match (q, self.priors.inclusion) {
            (Some(q), _) => (q.expected_log(), q.expected_log_complement()),
            (None, InclusionPrior::Known { probability: p }) => (p.ln(), (-p).ln_1p()),
            (None, InclusionPrior::Beta { a, b }) => ((a / (a + b)).ln(), (b / (a + b)).ln()),
        };
    }

    /// The prior of π as its factor.
    fn inclusion_start(&self) -> Result<Option<Beta>, FamilyError> {
        match self.priors.inclusion {
            InclusionPrior::Known { .. } => Ok(None),
            InclusionPrior::Beta { a, b } => Beta::from_alpha_beta(a, b).map(Some),
        }
    }
}

impl ConditionallyConjugate for SpikeAndSlab {
    type Block = SpikeAndSlabBlock;
    type Stats = SpikeAndSlabStats;
    type Factors = SpikeAndSlabFactors;

    fn blocks(&self) -> &[SpikeAndSlabBlock] {
        &self.blocks
    }

    /// Starts at the ridge coefficients, each included with a probability drawn at random (its logit from N(2, 2²)): the
    /// bound has many optima where covariates are correlated.
    fn init(
        &self,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<(SpikeAndSlabFactors, SpikeAndSlabStats), ConjugateError> {
        let k = self.data.n_columns();
        let (noise, precision) = self.priors.noise.start().map_err(|e| refused(Noise, e))?;
        let inclusion = self.inclusion_start().map_err(|e| refused(Inclusion, e))?;
        let tau = precision.mean;
        let logits = Array1::from_shape_fn(k, |d| {
            let e: f64 = StandardNormal.sample(&mut key.rng(d as u64));
            2.0 + 2.0 * e
        });
        let precisions = self.loss.gram.diag().mapv(|g| tau * g) + &self.precisions * self.priors.scale(tau);
        let means = self.loss.reference.clone();
        let mut factors = SpikeAndSlabFactors { logits, means, precisions, noise, inclusion };
        let mut stats = SpikeAndSlabStats {
            included: Array1::zeros(k),
            weights: Array1::zeros(k),
            coefficients: Array1::zeros(k),
            slab_squares: Array1::zeros(k),
            spike_squares: Array1::zeros(k),
            product: Array1::zeros(k),
            precision,
            log_inclusion: 0.0,
            log_exclusion: 0.0,
        };
        self.set_inclusion(factors.inclusion.as_ref(), &mut stats);
        for &block in &self.blocks {
            // A noise far from what the start leaves would throw out all covariates in the first sweep.
            if block == Noise {
                self.condition(block, &stats, &mut factors, exec)?;
            }
            self.expect(block, &factors, &mut stats, exec);
        }
        Ok((factors, stats))
    }

    fn condition(
        &self,
        block: SpikeAndSlabBlock,
        stats: &SpikeAndSlabStats,
        factors: &mut SpikeAndSlabFactors,
        _exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        match block {
            Coefficient(d) => self.set_coefficient(d, stats, factors),
            Noise => factors.noise = self.noise_given(stats).map_err(|e| refused(block, e))?,
            Inclusion => factors.inclusion = self.inclusion_given(stats).map_err(|e| refused(block, e))?,
        }
        Ok(())
    }

    fn expect(
        &self,
        block: SpikeAndSlabBlock,
        factors: &SpikeAndSlabFactors,
        stats: &mut SpikeAndSlabStats,
        _exec: Exec<'_>,
    ) {
        match block {
            Coefficient(d) => self.expect_coefficient(d, factors, stats),
            Noise => {
                if let Some(q) = &factors.noise {
                    stats.precision = PrecisionStats::expected(q);
                }
            }
            Inclusion => self.set_inclusion(factors.inclusion.as_ref(), stats),
        }
    }

    fn draw(
        &self,
        block: SpikeAndSlabBlock,
        factors: &SpikeAndSlabFactors,
        key: StreamKey,
        stats: &mut SpikeAndSlabStats,
        _exec: Exec<'_>,
    ) {
        match block {
            Coefficient(d) => self.draw_coefficient(d, factors, key, stats),
            Noise => {
                if let Some(q) = &factors.noise {
                    stats.precision = PrecisionStats::realised(q.sample(&mut key.rng(0)));
                }
            }
            Inclusion => {
                if let Some(q) = &factors.inclusion {
                    let pi = q.sample(&mut key.rng(0));
                    (stats.log_inclusion, stats.log_exclusion) = (pi.ln(), (-pi).ln_1p());
                }
            }
        }
    }

    fn block_log_prob(
        &self,
        block: SpikeAndSlabBlock,
        factors: &SpikeAndSlabFactors,
        stats: &SpikeAndSlabStats,
    ) -> f64 {
        match block {
            Coefficient(d) => self.pair_log_prob(d, factors, stats.included[d], stats.weights[d]),
            Noise => factor_log_prob(factors.noise.as_ref(), stats.precision.mean),
            Inclusion => factors.inclusion.as_ref().map_or(0.0, |q| q.log_prob(&stats.log_inclusion.exp())),
        }
    }

    fn expected_log_joint(&self, stats: &SpikeAndSlabStats) -> f64 {
        let PrecisionStats { mean: tau, log: log_tau } = stats.precision;
        let mut sum = self.likelihood_term(log_tau, tau, self.squares(stats));
        for d in 0..self.data.n_columns() {
            let (included, slab, spike) = (stats.included[d], stats.slab_squares[d], stats.spike_squares[d]);
            sum += self.weight_term(d, log_tau, tau, included, slab, spike);
            if !self.is_intercept(d) {
                sum += included * stats.log_inclusion + (1.0 - included) * stats.log_exclusion;
            }
        }
        sum + self.priors.noise.log_prob(log_tau, tau)
            + self.priors.inclusion.log_prob(stats.log_inclusion, stats.log_exclusion)
    }

    fn entropy(&self, factors: &SpikeAndSlabFactors) -> f64 {
        let pairs: f64 = (0..self.data.n_columns()).map(|d| self.pair_entropy(d, factors)).sum();
        let noise = factors.noise.as_ref().map_or(0.0, Gamma::entropy);
        pairs + noise + factors.inclusion.as_ref().map_or(0.0, Beta::entropy)
    }

    fn reported(&self) -> &ParameterSpace {
        self.parameters()
    }

    fn realise(&self, stats: &SpikeAndSlabStats, z: &mut ArrayRef1<f64>) {
        let slopes = stats.included.iter().skip(self.first_slope());
        let noise = self.priors.noise.parameter().map(|_| stats.precision.mean);
        let inclusion = matches!(self.priors.inclusion, InclusionPrior::Beta { .. });
        let inclusion = inclusion.then(|| stats.log_inclusion.exp());
        let values = stats.weights.iter().chain(slopes).copied().chain(noise).chain(inclusion);
        for (z, value) in z.iter_mut().zip(values) {
            *z = value;
        }
    }

    fn sample(&self, factors: &SpikeAndSlabFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        let k = self.data.n_columns();
        for d in 0..k {
            let (included, w) = self.draw_pair(d, factors, rng);
            z[d] = w;
            if let Some(slope) = d.checked_sub(self.first_slope()) {
                z[k + slope] = included;
            }
        }
        let mut i = self.noise_index();
        if let Some(q) = &factors.noise {
            z[i] = q.sample(rng);
            i += 1;
        }
        if let Some(q) = &factors.inclusion {
            z[i] = q.sample(rng);
        }
    }

    fn log_prob(&self, factors: &SpikeAndSlabFactors, z: &ArrayRef1<f64>) -> f64 {
        let k = self.data.n_columns();
        let pairs = (0..k).map(|d| {
            let included = d.checked_sub(self.first_slope()).map_or(1.0, |slope| z[k + slope]);
            self.pair_log_prob(d, factors, included, z[d])
        });
        let (tau, pi) = self.noise_and_inclusion(z);
        pairs.sum::<f64>()
            + factor_log_prob(factors.noise.as_ref(), tau)
            + factors.inclusion.as_ref().map_or(0.0, |q| q.log_prob(&pi))
    }
}
