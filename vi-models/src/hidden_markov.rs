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

use ndarray::{Array1, ArrayRef1};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use vi_core::{GradLogJoint, LogJoint, Parameter, ParameterSpace, Predictive, StreamRng, Support, numerics};
use vi_families::special::log_gamma;

use crate::ModelError;
use crate::checks::{LOG_2_PI, finite, finite_vector, positive};
use crate::scratch;

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

/// What the forward pass leaves behind, T rows each.
struct Forward<'a> {
    /// p(y_t | s_t = k) relative to the likeliest state (T, K).
    emission: &'a mut [f64],
    /// p(s_t = k | y_1 … y_t) (T, K).
    filtered: &'a mut [f64],
    /// p(y_t | y_1 … y_{t−1}) on the scale of `emission` (T).
    scale: &'a mut [f64],
    /// The exponent of the likeliest state (T): what `emission` is relative to.
    exponent: &'a mut [f64],
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

    fn is_outside(&self, z: &[f64]) -> bool {
        let k = self.n_states();
        let (theta, mu) = z.split_at(k * k);
        theta.iter().any(|t| *t <= 0.0) || mu[0] <= 0.0 || mu.windows(2).any(|m| m[1] <= m[0])
    }

    /// The log priors without constants.
    fn log_priors(&self, z: &[f64]) -> f64 {
        let k = self.n_states();
        let a = self.priors.concentration - 1.0;
        let (theta, mu) = z.split_at(k * k);
        let transitions = if a == 0.0 { 0.0 } else { a * theta.iter().map(|t| t.ln()).sum::<f64>() };
        let means = mu.iter().zip(&self.priors.mean_mean).zip(&self.priors.mean_sd);
        transitions - 0.5 * means.map(|((x, m), s)| ((x - m) / s).powi(2)).sum::<f64>()
    }

    /// Calls `f` with the forward pass over a series, `extra` more values of scratch and z without strides.
    fn with_forward<R>(
        &self,
        y: &ArrayRef1<f64>,
        z: &ArrayRef1<f64>,
        extra: usize,
        f: impl FnOnce(Forward<'_>, &mut [f64], &[f64]) -> R,
    ) -> R {
        let (n, k) = (y.len(), self.n_states());
        scratch::with(2 * n * (k + 1) + extra + z.len(), |buffer| {
            let (emission, rest) = buffer.split_at_mut(n * k);
            let (filtered, rest) = rest.split_at_mut(n * k);
            let (scale, rest) = rest.split_at_mut(n);
            let (exponent, rest) = rest.split_at_mut(n);
            let (extra, point) = rest.split_at_mut(extra);
            point.iter_mut().zip(z).for_each(|(p, z)| *p = *z);
            let mut forward = Forward { emission, filtered, scale, exponent };
            self.emissions(y, &point[k * k..], &mut forward);
            filter(&point[..k * k], k, &mut forward);
            f(forward, extra, point)
        })
    }

    fn emissions(&self, y: &ArrayRef1<f64>, mu: &[f64], forward: &mut Forward<'_>) {
        let precision = self.priors.noise_sd.powi(-2);
        let rows = forward.emission.chunks_exact_mut(mu.len()).zip(forward.exponent.iter_mut());
        for ((row, largest), y) in rows.zip(y) {
            *largest = f64::NEG_INFINITY;
            for (e, m) in row.iter_mut().zip(mu) {
                *e = -0.5 * precision * (y - m).powi(2);
                *largest = if *e > *largest { *e } else { *largest };
            }
            row.iter_mut().for_each(|e| *e -= *largest);
        }
        numerics::exp_inplace(forward.emission);
    }

    /// Adds the gradient of the log likelihood to that of the priors, which `grad` holds.
    fn add_likelihood_gradient(
        &self,
        forward: &Forward<'_>,
        [weight, next]: [&mut [f64]; 2],
        z: &[f64],
        grad: &mut ArrayRef1<f64>,
    ) {
        let k = self.n_states();
        let precision = self.priors.noise_sd.powi(-2);
        // `weight`: p(y_{t+1} … y_T | s_t = j) / p(y_{t+1} … y_T | y_1 … y_t).
        weight.fill(1.0);
        for t in (0..self.y.len()).rev() {
            let row = t * k..(t + 1) * k;
            for j in 0..k {
                let probability = forward.filtered[row.start + j] * weight[j];
                grad[k * k + j] += precision * probability * (self.y[t] - z[k * k + j]);
            }
            if t == 0 {
                break;
            }
            for j in 0..k {
                next[j] = forward.emission[row.start + j] * weight[j] / forward.scale[t];
            }
            let before = &forward.filtered[row.start - k..row.start];
            for i in 0..k {
                let mut sum = 0.0;
                for j in 0..k {
                    grad[i * k + j] += before[i] * next[j];
                    sum += z[i * k + j] * next[j];
                }
                weight[i] = sum;
            }
        }
    }
}

/// The forward pass from a uniform first state, every row of `filtered` summing to one.
fn filter(theta: &[f64], k: usize, forward: &mut Forward<'_>) {
    for t in 0..forward.scale.len() {
        let (done, rest) = forward.filtered.split_at_mut(t * k);
        let (current, emission) = (&mut rest[..k], &forward.emission[t * k..(t + 1) * k]);
        let mut total = 0.0;
        for j in 0..k {
            let predicted = if t == 0 {
                1.0 / k as f64
            } else {
                (0..k).map(|i| done[(t - 1) * k + i] * theta[i * k + j]).sum()
            };
            current[j] = predicted * emission[j];
            total += current[j];
        }
        forward.scale[t] = total;
        current.iter_mut().for_each(|p| *p /= total);
    }
}

impl Forward<'_> {
    /// Σ_t log p(y_t | y_1 … y_{t−1}), up to the constant of the normal densities.
    fn log_likelihood(&mut self) -> f64 {
        numerics::log_inplace(self.scale);
        self.scale.iter().sum::<f64>() + self.exponent.iter().sum::<f64>()
    }
}

impl LogJoint for HiddenMarkov {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.with_forward(&self.y, z, 0, |mut forward, _, z| {
            if self.is_outside(z) {
                return f64::NEG_INFINITY;
            }
            self.log_constant + self.log_priors(z) + forward.log_likelihood()
        })
    }
}

impl GradLogJoint for HiddenMarkov {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let k = self.n_states();
        self.with_forward(&self.y, z, 2 * k, |mut forward, extra, z| {
            let a = self.priors.concentration - 1.0;
            for (g, t) in grad.iter_mut().zip(&z[..k * k]) {
                *g = a / t;
            }
            for j in 0..k {
                let (mean, sd) = (self.priors.mean_mean[j], self.priors.mean_sd[j]);
                grad[k * k + j] = (mean - z[k * k + j]) / (sd * sd);
            }
            let (weight, next) = extra.split_at_mut(k);
            self.add_likelihood_gradient(&forward, [weight, next], z, grad);
            if self.is_outside(z) {
                return f64::NEG_INFINITY;
            }
            self.log_constant + self.log_priors(z) + forward.log_likelihood()
        })
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
        self.with_forward(data, z, 0, |forward, _, _| {
            for ((o, scale), exponent) in out.iter_mut().zip(&*forward.scale).zip(&*forward.exponent) {
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
