//! A hidden Markov chain seen through normal noise, the states summed out.
//!
//! ```text
//! s_1 uniform on K states,   s_t | s_{t−1} ~ θ[s_{t−1}, ·],   y_t | s_t ~ N(μ_{s_t}, σ²),  σ known
//! θ[k, ·] ~ Dirichlet(a, …, a),   μ_k ~ N(m_k, v_k²) on 0 < μ_1 < … < μ_K
//! ```
//! z = (θ, μ). The likelihood is the forward pass, its gradient the forward–backward pass:
//!
//! ```text
//! ∂/∂θ_ij = Σ_t E[s_{t−1} = i, s_t = j]/θ_ij,     ∂/∂μ_k = Σ_t P(s_t = k | y) (y_t − μ_k)/σ²
//! ```
//! The normal densities of μ are not divided by the prior probability of 0 < μ_1 < … < μ_K (0.99865 with the defaults
//! of [`HiddenMarkovPriors::two_states`]). With those it is posteriordb's `hmm_example`, whose forward pass begins with
//! weight 1 for each state in place of 1/K: its program's log joint is *higher* by log 2.
//!
//! Source: L. R. Rabiner, *Proceedings of the IEEE* 77 (1989) 257–286, §III and §V.

use ndarray::{Array1, ArrayRef1, ArrayRef2, Axis};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use vi_core::{GradLogJoint, LogJoint, Parameter, ParameterSpace, Predictive, StreamRng, Support, numerics};
use vi_families::special::log_gamma;

use crate::ModelError;
use crate::checks::{LOG_2_PI, finite, finite_vector, positive};
use crate::lanes::{LANES, coordinate, with_arrays};

const MODEL: &str = "hidden_markov";

/// The priors of θ and μ, and the noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HiddenMarkovPriors {
    /// m_k, one per state.
    pub mean_mean: Vec<f64>,
    /// v_k > 0, one per state.
    pub mean_sd: Vec<f64>,
    /// a > 0, the concentration of every row of θ. Default 1, uniform.
    #[serde(default = "one")]
    pub concentration: f64,
    /// σ > 0, the standard deviation of the noise. Default 1.
    #[serde(default = "one")]
    pub noise_sd: f64,
}

fn one() -> f64 {
    1.0
}

impl HiddenMarkovPriors {
    /// Two states with means N(3, 1) and N(10, 1), uniform transitions and unit noise.
    pub fn two_states() -> Self {
        Self { mean_mean: vec![3.0, 10.0], mean_sd: vec![1.0, 1.0], concentration: 1.0, noise_sd: 1.0 }
    }
}

/// A hidden Markov model; see the [module](self).
///
/// ```
/// use ndarray::array;
/// use vi_core::LogJoint;
/// use vi_models::hidden_markov::{HiddenMarkov, HiddenMarkovPriors};
///
/// let model = HiddenMarkov::new(array![3.1, 2.7, 9.4], HiddenMarkovPriors::two_states())?;
/// assert_eq!(
///     model.parameters().names(),
///     ["theta[1,1]", "theta[1,2]", "theta[2,1]", "theta[2,2]", "mu[1]", "mu[2]"]
/// );
/// # Ok::<(), vi_models::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HiddenMarkov {
    y: Array1<f64>,
    priors: HiddenMarkovPriors,
    /// Every additive constant of the log joint.
    log_constant: f64,
    space: ParameterSpace,
}

/// What the forward pass of `L` samples leaves behind, T rows each.
struct Forward<'a, const L: usize> {
    /// p(y_t | s_t = k) relative to the likeliest state (T, K).
    emission: &'a mut [[f64; L]],
    /// p(s_t = k | y_1 … y_t) (T, K).
    filtered: &'a mut [[f64; L]],
    /// p(y_t | y_1 … y_{t−1}) on the scale of `emission` (T).
    scale: &'a mut [[f64; L]],
    /// The exponent of the likeliest state (T): what `emission` is relative to.
    exponent: &'a mut [[f64; L]],
}

impl HiddenMarkov {
    /// The model of the series `y`, with as many states as the priors have means.
    ///
    /// # Errors
    /// [`ModelError`] when the series is empty or not finite, there are no states, or a prior parameter is
    /// outside its domain.
    pub fn new(y: Array1<f64>, priors: HiddenMarkovPriors) -> Result<Self, ModelError> {
        finite_vector(MODEL, "y", &y)?;
        let k = priors.mean_mean.len();
        if k == 0 {
            return Err(ModelError::Empty { model: MODEL, data: "mean_mean" });
        }
        if priors.mean_sd.len() != k {
            let (expected, actual) = (k, priors.mean_sd.len());
            return Err(ModelError::Length { model: MODEL, data: "mean_sd", expected, actual });
        }
        for (i, (&mean, &sd)) in priors.mean_mean.iter().zip(&priors.mean_sd).enumerate() {
            finite(MODEL, &format!("mean_mean[{i}]"), mean)?;
            positive(MODEL, &format!("mean_sd[{i}]"), sd)?;
        }
        positive(MODEL, "concentration", priors.concentration)?;
        positive(MODEL, "noise_sd", priors.noise_sd)?;
        let space = ParameterSpace::new([
            Parameter::new("theta", &[k, k], Support::Simplex),
            Parameter::vector("mu", k, Support::PositiveOrdered),
        ])?;
        let (n_states, n, a) = (k as f64, y.len() as f64, priors.concentration);
        let transitions = n_states * (log_gamma(n_states * a) - n_states * log_gamma(a));
        let means: f64 = priors.mean_sd.iter().map(|sd| -0.5 * LOG_2_PI - sd.ln()).sum();
        let log_constant = transitions + means - n * (0.5 * LOG_2_PI + priors.noise_sd.ln());
        Ok(Self { y, priors, log_constant, space })
    }

    /// The series.
    pub fn y(&self) -> &Array1<f64> {
        &self.y
    }

    /// The priors.
    pub fn priors(&self) -> &HiddenMarkovPriors {
        &self.priors
    }

    /// The number K of states.
    pub fn n_states(&self) -> usize {
        self.priors.mean_mean.len()
    }

    fn is_outside(&self, z: &ArrayRef1<f64>) -> bool {
        let k = self.n_states();
        let (theta, mu) = z.view().split_at(Axis(0), k * k);
        theta.iter().any(|t| *t <= 0.0) || mu[0] <= 0.0 || (1..k).any(|j| mu[j] <= mu[j - 1])
    }

    /// The log joint, from the log likelihood without the constant of its normal densities.
    fn assemble(&self, z: &ArrayRef1<f64>, log_likelihood: f64) -> f64 {
        if self.is_outside(z) {
            return f64::NEG_INFINITY;
        }
        let k = self.n_states();
        let a = self.priors.concentration - 1.0;
        let (theta, mu) = z.view().split_at(Axis(0), k * k);
        let transitions = if a == 0.0 { 0.0 } else { a * theta.iter().map(|t| t.ln()).sum::<f64>() };
        let means = mu.iter().zip(&self.priors.mean_mean).zip(&self.priors.mean_sd);
        let means: f64 = means.map(|((x, m), s)| ((x - m) / s).powi(2)).sum();
        if means == f64::INFINITY {
            // A mean that has overflowed leaves the likelihood without a value.
            return f64::NEG_INFINITY;
        }
        self.log_constant + transitions - 0.5 * means + log_likelihood
    }

    /// Calls `f` with the forward pass over a series of the `L` rows of `z` from `first` on, and 2K values of scratch.
    fn with_forward<const L: usize, R>(
        &self,
        y: &ArrayRef1<f64>,
        z: &ArrayRef2<f64>,
        first: usize,
        f: impl FnOnce(Forward<'_, L>, &mut [[f64; L]]) -> R,
    ) -> R {
        let (n, k) = (y.len(), self.n_states());
        let lengths = [n * k, n * k, n, n, k * k + k, 2 * k];
        with_arrays(lengths, |[emission, filtered, scale, exponent, point, work]| {
            point.iter_mut().enumerate().for_each(|(d, p)| *p = coordinate(z, first, d));
            let (theta, mu) = point.split_at(k * k);
            let mut forward = Forward { emission, filtered, scale, exponent };
            forward.emit(y, mu, self.priors.noise_sd.powi(-2));
            forward.filter(theta, k);
            f(forward, work)
        })
    }

    /// Adds the gradient of the log likelihood to that of the priors, which `grad` holds.
    fn add_likelihood_gradient(
        &self,
        forward: &Forward<'_, 1>,
        work: &mut [[f64; 1]],
        z: &ArrayRef1<f64>,
        grad: &mut ArrayRef1<f64>,
    ) {
        let k = self.n_states();
        let precision = self.priors.noise_sd.powi(-2);
        let (weight, next) = work.as_flattened_mut().split_at_mut(k);
        weight.fill(1.0);
        // `weight`: p(y_{t+1} … y_T | s_t = j) / p(y_{t+1} … y_T | y_1 … y_t).
        for t in (0..self.y.len()).rev() {
            let row = t * k..(t + 1) * k;
            for j in 0..k {
                let [filtered] = forward.filtered[row.start + j];
                let probability = filtered * weight[j];
                grad[k * k + j] += precision * probability * (self.y[t] - z[k * k + j]);
            }
            if t == 0 {
                break;
            }
            for j in 0..k {
                next[j] = forward.emission[row.start + j][0] * weight[j] / forward.scale[t][0];
            }
            let before = &forward.filtered[row.start - k..row.start];
            for i in 0..k {
                let mut sum = 0.0;
                for j in 0..k {
                    grad[i * k + j] += before[i][0] * next[j];
                    sum += z[i * k + j] * next[j];
                }
                weight[i] = sum;
            }
        }
    }
}

impl<const L: usize> Forward<'_, L> {
    fn emit(&mut self, y: &ArrayRef1<f64>, mu: &[[f64; L]], precision: f64) {
        let rows = self.emission.chunks_exact_mut(mu.len()).zip(self.exponent.iter_mut());
        for ((row, largest), y) in rows.zip(y) {
            *largest = [f64::NEG_INFINITY; L];
            for (e, m) in row.iter_mut().zip(mu) {
                *e = m.map(|m| -0.5 * precision * (y - m).powi(2));
                for l in 0..L {
                    largest[l] = if e[l] > largest[l] { e[l] } else { largest[l] };
                }
            }
            for e in row {
                for l in 0..L {
                    e[l] -= largest[l];
                }
            }
        }
        numerics::exp_inplace(self.emission.as_flattened_mut());
    }

    /// From a uniform first state, every row of `filtered` summing to one.
    fn filter(&mut self, theta: &[[f64; L]], k: usize) {
        for t in 0..self.scale.len() {
            let (done, rest) = self.filtered.split_at_mut(t * k);
            let mut total = [0.0; L];
            for j in 0..k {
                let mut predicted = [if t == 0 { 1.0 / k as f64 } else { 0.0 }; L];
                for (i, before) in done.iter().skip((t.max(1) - 1) * k).enumerate() {
                    for l in 0..L {
                        predicted[l] += before[l] * theta[i * k + j][l];
                    }
                }
                for l in 0..L {
                    rest[j][l] = predicted[l] * self.emission[t * k + j][l];
                    total[l] += rest[j][l];
                }
            }
            self.scale[t] = total;
            for p in &mut rest[..k] {
                for l in 0..L {
                    p[l] /= total[l];
                }
            }
        }
    }

    /// Σ_t log p(y_t | y_1 … y_{t−1}), up to the constant of the normal densities.
    fn log_likelihoods(&mut self) -> [f64; L] {
        numerics::log_inplace(self.scale.as_flattened_mut());
        let mut sum = [0.0; L];
        for row in self.scale.iter().chain(self.exponent.iter()) {
            for l in 0..L {
                sum[l] += row[l];
            }
        }
        sum
    }
}

impl LogJoint for HiddenMarkov {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let row = z.view().insert_axis(Axis(0));
        let [value] = self.with_forward(&self.y, &row, 0, |mut forward, _| forward.log_likelihoods());
        self.assemble(z, value)
    }

    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        for first in (0..z.nrows()).step_by(LANES) {
            let values: [f64; LANES] =
                self.with_forward(&self.y, z, first, |mut forward, _| forward.log_likelihoods());
            for (row, value) in (first..z.nrows()).zip(values) {
                out[row] = self.assemble(&z.row(row), value);
            }
        }
    }
}

impl GradLogJoint for HiddenMarkov {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let k = self.n_states();
        let a = self.priors.concentration - 1.0;
        for d in 0..k * k {
            grad[d] = a / z[d];
        }
        for j in 0..k {
            let (mean, sd) = (self.priors.mean_mean[j], self.priors.mean_sd[j]);
            grad[k * k + j] = (mean - z[k * k + j]) / (sd * sd);
        }
        let row = z.view().insert_axis(Axis(0));
        let [value] = self.with_forward(&self.y, &row, 0, |mut forward: Forward<'_, 1>, work| {
            self.add_likelihood_gradient(&forward, work, z, grad);
            forward.log_likelihoods()
        });
        self.assemble(z, value)
    }
}

/// A series of its own from a uniform first state; pointwise densities are those of one step ahead,
/// log p(ŷ_t | ŷ_1 … ŷ_{t−1}, z).
impl Predictive for HiddenMarkov {
    type Data = Array1<f64>;

    fn observed(&self) -> &Array1<f64> {
        &self.y
    }

    fn n_points(&self, data: &Array1<f64>) -> usize {
        data.len()
    }

    fn log_likelihood_pointwise(&self, data: &Array1<f64>, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let constant = -0.5 * LOG_2_PI - self.priors.noise_sd.ln();
        let row = z.view().insert_axis(Axis(0));
        self.with_forward(data, &row, 0, |forward: Forward<'_, 1>, _| {
            for ((o, [scale]), [exponent]) in out.iter_mut().zip(&*forward.scale).zip(&*forward.exponent) {
                *o = constant + scale.ln() + exponent;
            }
        });
    }

    fn simulate(&self, data: &Array1<f64>, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> Array1<f64> {
        let k = self.n_states();
        let mut state = rng.random_range(0..k);
        let mut is_first = true;
        data.mapv(|_| {
            if !is_first {
                let mut rest = rng.random::<f64>();
                let row = state * k;
                state = (0..k - 1)
                    .find(|j| {
                        rest -= z[row + j];
                        rest < 0.0
                    })
                    .unwrap_or(k - 1);
            }
            is_first = false;
            let noise: f64 = StandardNormal.sample(rng);
            z[k * k + state] + self.priors.noise_sd * noise
        })
    }
}
