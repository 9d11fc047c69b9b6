//! A mixture of two normal distributions, told apart by the order of their means.
//!
//! ```text
//! y_n ~ θ N(μ₁, σ₁²) + (1 − θ) N(μ₂, σ₂²),     μ₁ < μ₂
//! μ_k ~ N(m, s²),   σ_k ~ half-normal by default,   θ ~ Beta(a, b)
//! ```
//! z = (μ, σ, θ). The assignments are summed out: with d_n the difference of a datum's two log terms,
//!
//! ```text
//! log p(y_n | z) = max(t_n1, t_n2) + log(1 + exp(−|d_n|)),     P(second component | y_n) = σ(d_n)
//! ```
//! so that a sample costs one vectorised softplus per datum, and a component too narrow to explain a datum adds nothing
//! to it, whatever the size of its log term. The prior of μ is normalised on μ₁ < μ₂: the density is
//! 2 N(μ₁ | m, s²) N(μ₂ | m, s²). [`gaussian_mixture`](crate::gaussian_mixture) has conjugate priors, any number of
//! components and of dimensions, and no order.
//!
//! It is posteriordb's `low_dim_gauss_mix` with the default priors; that program's log joint is lower by 3 log 2 (the
//! order of μ and two half-normal priors).
//!
//! Source: M. Betancourt, *Identifying Bayesian mixture models* (2017), Stan case study.

use std::f64::consts::LN_2;

use ndarray::{Array1, ArrayRef1};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use vi_core::{GradLogJoint, LogJoint, Parameter, ParameterSpace, Predictive, StreamRng, Support, numerics};
use vi_families::special::log_gamma;

use crate::ModelError;
use crate::checks::{LOG_2_PI, finite, finite_vector, positive};
use crate::prior::PositivePrior;
use crate::scratch;

const MODEL: &str = "two_normals";

/// Data whose terms stay in the first-level cache together.
const TILE: usize = 512;

/// The priors of μ, σ and θ, the same for both components.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TwoNormalsPriors {
    /// m, the prior mean of a component's mean. Default 0.
    pub mean_mean: f64,
    /// s > 0, the prior standard deviation of a component's mean. Default 2.
    pub mean_sd: f64,
    /// The prior of a component's standard deviation. Default half-normal with scale 2.
    pub sd: PositivePrior,
    /// (a, b) of the Beta prior of θ, > 0. Default (5, 5).
    pub weight: (f64, f64),
}

impl Default for TwoNormalsPriors {
    fn default() -> Self {
        Self {
            mean_mean: 0.0,
            mean_sd: 2.0,
            sd: PositivePrior::HalfNormal { scale: 2.0 },
            weight: (5.0, 5.0),
        }
    }
}

/// A mixture of two normal distributions; see the [module](self).
///
/// ```
/// use ndarray::array;
/// use vi_core::LogJoint;
/// use vi_models::two_normals::{TwoNormals, TwoNormalsPriors};
///
/// let model = TwoNormals::new(array![-1.2, 0.3, 2.2], TwoNormalsPriors::default())?;
/// assert_eq!(model.parameters().names(), ["mu[1]", "mu[2]", "sigma[1]", "sigma[2]", "theta"]);
/// # Ok::<(), vi_models::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TwoNormals {
    y: Array1<f64>,
    priors: TwoNormalsPriors,
    /// Every additive constant of the log joint.
    log_constant: f64,
    space: ParameterSpace,
}

/// z by names.
#[derive(Clone, Copy)]
struct Point {
    mu: [f64; 2],
    sigma: [f64; 2],
    theta: f64,
}

impl Point {
    fn of(z: &ArrayRef1<f64>) -> Self {
        Self { mu: [z[0], z[1]], sigma: [z[2], z[3]], theta: z[4] }
    }

    fn is_outside(&self) -> bool {
        let [a, b] = self.mu;
        a >= b || self.sigma.iter().any(|s| *s <= 0.0) || self.theta <= 0.0 || self.theta >= 1.0
    }

    /// log weight − log σ of each component.
    fn log_scales(&self) -> [f64; 2] {
        [self.theta.ln() - self.sigma[0].ln(), (-self.theta).ln_1p() - self.sigma[1].ln()]
    }
}

impl TwoNormals {
    /// The mixture of the data `y` under `priors`.
    ///
    /// # Errors
    /// [`ModelError`] when there are no data, a value is not finite, or a prior parameter is outside its domain.
    pub fn new(y: Array1<f64>, priors: TwoNormalsPriors) -> Result<Self, ModelError> {
        finite_vector(MODEL, "y", &y)?;
        finite(MODEL, "mean_mean", priors.mean_mean)?;
        positive(MODEL, "mean_sd", priors.mean_sd)?;
        priors.sd.check(MODEL, "sd")?;
        let (a, b) = priors.weight;
        positive(MODEL, "weight[0]", a)?;
        positive(MODEL, "weight[1]", b)?;
        let space = ParameterSpace::new([
            Parameter::vector("mu", 2, Support::Ordered),
            Parameter::vector("sigma", 2, Support::Positive),
            Parameter::scalar("theta", Support::Interval { lower: 0.0, upper: 1.0 }),
        ])?;
        let log_constant =
            LN_2 - LOG_2_PI - 2.0 * priors.mean_sd.ln() + 2.0 * priors.sd.log_constant() + log_gamma(a + b)
                - log_gamma(a)
                - log_gamma(b)
                - 0.5 * LOG_2_PI * y.len() as f64;
        let y = if y.is_standard_layout() { y } else { y.iter().copied().collect() };
        Ok(Self { y, priors, log_constant, space })
    }

    /// The data.
    pub fn y(&self) -> &Array1<f64> {
        &self.y
    }

    /// The priors.
    pub fn priors(&self) -> &TwoNormalsPriors {
        &self.priors
    }

    fn log_priors(&self, p: &Point) -> f64 {
        let (a, b) = self.priors.weight;
        let means: f64 =
            p.mu.iter().map(|m| -0.5 * ((m - self.priors.mean_mean) / self.priors.mean_sd).powi(2)).sum();
        let sds: f64 = p.sigma.iter().map(|&s| self.priors.sd.log_kernel(s)).sum();
        means + sds + (a - 1.0) * p.theta.ln() + (b - 1.0) * (-p.theta).ln_1p()
    }

    /// The log likelihood up to N/2 log 2π, and if asked for the sums over the data of each component's
    /// probability, and of it times (y − μ)/σ and ((y − μ)/σ)² − 1.
    fn likelihood(&self, p: &Point, mut sums: Option<&mut [[f64; 3]; 2]>) -> f64 {
        let data = self.y.as_slice().expect("standard layout since construction");
        let [c0, c1] = p.log_scales();
        let [i0, i1] = p.sigma.map(f64::recip);
        let standardised = |y: f64| [(y - p.mu[0]) * i0, (y - p.mu[1]) * i1];
        // log terms and d of a datum; d is NaN where neither component can explain it.
        let terms = |y: f64| {
            let [u, v] = standardised(y);
            let (first, second) = (c0 - 0.5 * u * u, c1 - 0.5 * v * v);
            (first.max(second), second - first)
        };
        let mut total = 0.0;
        scratch::with(2 * TILE, |buffer| {
            let (distance, minor) = buffer.split_at_mut(TILE);
            for tile in data.chunks(TILE) {
                let (distance, minor) = (&mut distance[..tile.len()], &mut minor[..tile.len()]);
                for (y, distance) in tile.iter().zip(distance.iter_mut()) {
                    let (major, d) = terms(*y);
                    total += major;
                    *distance = if d.is_nan() { 0.0 } else { -d.abs() };
                }
                let Some(sums) = sums.as_deref_mut() else {
                    total += numerics::sum_softplus(distance);
                    continue;
                };
                total += numerics::sum_softplus_sigmoid(distance, minor);
                for (y, &minor) in tile.iter().zip(minor.iter()) {
                    let is_second = terms(*y).1 > 0.0;
                    let of_second = if is_second { 1.0 - minor } else { minor };
                    let u = standardised(*y);
                    for (k, r) in [1.0 - of_second, of_second].into_iter().enumerate() {
                        // A component that has no part in a datum may be infinitely far from it.
                        if r > 0.0 {
                            sums[k][0] += r;
                            sums[k][1] += r * u[k];
                            sums[k][2] += r * (u[k] * u[k] - 1.0);
                        }
                    }
                }
            }
        });
        total
    }
}

impl LogJoint for TwoNormals {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let p = Point::of(z);
        if p.is_outside() {
            return f64::NEG_INFINITY;
        }
        self.log_constant + self.log_priors(&p) + self.likelihood(&p, None)
    }
}

impl GradLogJoint for TwoNormals {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let p = Point::of(z);
        let mut sums = [[0.0; 3]; 2];
        let likelihood = self.likelihood(&p, Some(&mut sums));
        let variance = self.priors.mean_sd.powi(2);
        for k in 0..2 {
            grad[k] = sums[k][1] / p.sigma[k] + (self.priors.mean_mean - p.mu[k]) / variance;
            grad[2 + k] = sums[k][2] / p.sigma[k] + self.priors.sd.derivative(p.sigma[k]);
        }
        let (a, b) = self.priors.weight;
        grad[4] = (sums[0][0] + a - 1.0) / p.theta - (sums[1][0] + b - 1.0) / (1.0 - p.theta);
        if p.is_outside() {
            return f64::NEG_INFINITY;
        }
        self.log_constant + self.log_priors(&p) + likelihood
    }
}

impl Predictive for TwoNormals {
    type Data = Array1<f64>;

    fn observed(&self) -> &Array1<f64> {
        &self.y
    }

    fn n_points(&self, data: &Array1<f64>) -> usize {
        data.len()
    }

    fn log_likelihood_pointwise(&self, data: &Array1<f64>, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let p = Point::of(z);
        let scales = p.log_scales();
        for (y, o) in data.iter().zip(out.iter_mut()) {
            let term = |k: usize| scales[k] - 0.5 * ((y - p.mu[k]) / p.sigma[k]).powi(2);
            let (first, second) = (term(0), term(1));
            let (major, minor) = (first.max(second), first.min(second));
            // Two impossible components have no difference.
            let other =
                if major == f64::NEG_INFINITY { 0.0 } else { numerics::softplus_scalar(minor - major) };
            *o = major + other - 0.5 * LOG_2_PI;
        }
    }

    fn simulate(&self, data: &Array1<f64>, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> Array1<f64> {
        let p = Point::of(z);
        data.mapv(|_| {
            let k = usize::from(rng.random::<f64>() >= p.theta);
            let noise: f64 = StandardNormal.sample(rng);
            p.mu[k] + p.sigma[k] * noise
        })
    }
}
