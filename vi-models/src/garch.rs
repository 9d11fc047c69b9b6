//! GARCH(1, 1): a series whose variance follows its own past.
//!
//! ```text
//! y_t ~ N(μ, s_t²),   s_1 known,   s_t² = α₀ + α₁ (y_{t−1} − μ)² + β₁ s_{t−1}²
//! α₀ > 0,  0 < α₁ < 1,  0 < β₁ < 1 − α₁;    all flat
//! ```
//! z = (μ, α₀, α₁, β₁/(1 − α₁)): `beta1_share` in (0, 1) makes the support a product, at the cost of
//! log |det ∂(…, β₁)/∂z| = log(1 − α₁) in the log joint. Results are reported in (μ, α₀, α₁, β₁).
//!
//! It is the model `garch11` of posteriordb, whose program has the same constants. The prior is improper: for large α₀ the
//! likelihood falls as α₀^{−(T − 1)/2}, so the posterior is proper from T = 4 values on.
//!
//! Source: T. Bollerslev, *Journal of Econometrics* 31 (1986) 307–327, eq. 1–2.

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use rand_distr::{Distribution, StandardNormal};
use vi_core::{
    GradLogJoint, LogJoint, Parameter, ParameterSpace, Predictive, Reported, StreamRng, Support, numerics,
};

use crate::ModelError;
use crate::checks::{LOG_2_PI, finite_vector, positive};
use crate::lanes::{LANES, coordinate, with_arrays};

const MODEL: &str = "garch";

/// GARCH(1, 1); see the [module](self).
///
/// ```
/// use ndarray::array;
/// use vi_core::{LogJoint, Reported};
/// use vi_models::garch::Garch;
///
/// let model = Garch::new(array![0.3, -0.8, 1.4, 0.1], 0.5)?;
/// assert_eq!(model.parameters().names(), ["mu", "alpha0", "alpha1", "beta1_share"]);
/// let mut reported = array![0.0, 0.0, 0.0, 0.0];
/// model.report(&array![0.1, 0.2, 0.6, 0.5], &mut reported);
/// assert_eq!(reported, array![0.1, 0.2, 0.6, 0.2]);
/// # Ok::<(), vi_models::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Garch {
    y: Array1<f64>,
    initial_variance: f64,
    space: ParameterSpace,
    reported: ParameterSpace,
}

/// μ, α₀, α₁ and β₁ of `L` samples.
struct Coefficients<const L: usize> {
    mu: [f64; L],
    alpha0: [f64; L],
    alpha1: [f64; L],
    beta1: [f64; L],
}

impl<const L: usize> Coefficients<L> {
    /// Of the rows from `first` on.
    fn of_rows(z: &ArrayRef2<f64>, first: usize) -> Self {
        let (alpha1, share): ([f64; L], [f64; L]) = (coordinate(z, first, 2), coordinate(z, first, 3));
        Self {
            mu: coordinate(z, first, 0),
            alpha0: coordinate(z, first, 1),
            alpha1,
            beta1: std::array::from_fn(|l| share[l] * (1.0 - alpha1[l])),
        }
    }
}

impl Coefficients<1> {
    fn of(z: &ArrayRef1<f64>) -> Self {
        Self { mu: [z[0]], alpha0: [z[1]], alpha1: [z[2]], beta1: [z[3] * (1.0 - z[2])] }
    }
}

/// log |det|, or −∞ outside the support.
fn log_jacobian(alpha0: f64, alpha1: f64, share: f64) -> f64 {
    let outside = alpha0 <= 0.0 || alpha1 <= 0.0 || alpha1 >= 1.0 || share <= 0.0 || share >= 1.0;
    if outside { f64::NEG_INFINITY } else { (-alpha1).ln_1p() }
}

impl Garch {
    /// The model of the series `y`, whose first value has standard deviation `initial_sd`.
    ///
    /// # Errors
    /// [`ModelError`] when the series is empty or not finite, or `initial_sd` is not finite and positive.
    pub fn new(y: Array1<f64>, initial_sd: f64) -> Result<Self, ModelError> {
        finite_vector(MODEL, "y", &y)?;
        positive(MODEL, "initial_sd", initial_sd)?;
        let unit = Support::Interval { lower: 0.0, upper: 1.0 };
        let space = |last: &str| {
            ParameterSpace::new([
                Parameter::scalar("mu", Support::Real),
                Parameter::scalar("alpha0", Support::Positive),
                Parameter::scalar("alpha1", unit),
                Parameter::scalar(last, unit),
            ])
        };
        let (space, reported) = (space("beta1_share")?, space("beta1")?);
        Ok(Self { y, initial_variance: initial_sd * initial_sd, space, reported })
    }

    /// The series.
    pub fn y(&self) -> &Array1<f64> {
        &self.y
    }

    /// Σ_t log p(y_t | y_1 … y_{t−1}) of `L` samples: the recursion, then all logarithms at once.
    fn log_likelihoods<const L: usize>(&self, c: &Coefficients<L>) -> [f64; L] {
        with_arrays([self.y.len()], |[variances]| {
            let (mut variance, mut square, mut sum) = ([self.initial_variance; L], [0.0; L], [0.0; L]);
            for (t, (&y, row)) in self.y.iter().zip(variances.iter_mut()).enumerate() {
                for l in 0..L {
                    if t > 0 {
                        variance[l] = c.alpha0[l] + c.alpha1[l] * square[l] + c.beta1[l] * variance[l];
                    }
                    let error = y - c.mu[l];
                    square[l] = error * error;
                    sum[l] += square[l] / variance[l];
                }
                *row = variance;
            }
            numerics::log_inplace(variances.as_flattened_mut());
            for row in variances.iter() {
                for l in 0..L {
                    sum[l] += row[l];
                }
            }
            sum.map(|sum| -0.5 * (sum + LOG_2_PI * self.y.len() as f64))
        })
    }

    /// Calls `each` with t, y_t − μ and s_t² along a series.
    fn for_each_step(&self, y: &ArrayRef1<f64>, z: &ArrayRef1<f64>, mut each: impl FnMut(usize, f64, f64)) {
        let Coefficients { mu: [mu], alpha0: [alpha0], alpha1: [alpha1], beta1: [beta1] } =
            Coefficients::of(z);
        let mut variance = self.initial_variance;
        for (t, y) in y.iter().enumerate() {
            each(t, y - mu, variance);
            variance = alpha0 + alpha1 * (y - mu).powi(2) + beta1 * variance;
        }
    }
}

impl LogJoint for Garch {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let log_det = log_jacobian(z[1], z[2], z[3]);
        if log_det == f64::NEG_INFINITY {
            return log_det;
        }
        self.log_likelihoods(&Coefficients::of(z))[0] + log_det
    }

    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        for first in (0..z.nrows()).step_by(LANES) {
            let values = self.log_likelihoods(&Coefficients::<LANES>::of_rows(z, first));
            for (row, value) in (first..z.nrows()).zip(values) {
                let log_det = log_jacobian(z[[row, 1]], z[[row, 2]], z[[row, 3]]);
                out[row] = if log_det == f64::NEG_INFINITY { log_det } else { value + log_det };
            }
        }
    }
}

impl GradLogJoint for Garch {
    /// With g_t = ∂s_t²/∂(μ, α₀, α₁, β₁) carried along:
    ///
    /// ```text
    /// ∇ log p(y_t | …) = ½ (e_t²/s_t² − 1)/s_t² g_t + (e_t/s_t², 0, 0, 0),    e_t = y_t − μ
    /// g_{t+1} = (−2 α₁ e_t, 1, e_t², s_t²) + β₁ g_t
    /// ```
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let Coefficients { alpha1: [alpha1], beta1: [beta1], .. } = Coefficients::of(z);
        let (mut sensitivity, mut gradient) = ([0.0; 4], [0.0; 4]);
        self.for_each_step(&self.y, z, |_, error, variance| {
            let precision = variance.recip();
            let slope = 0.5 * (error * error * precision - 1.0) * precision;
            gradient[0] += error * precision;
            let direct = [-2.0 * alpha1 * error, 1.0, error * error, variance];
            for i in 0..4 {
                gradient[i] += slope * sensitivity[i];
                sensitivity[i] = direct[i] + beta1 * sensitivity[i];
            }
        });
        grad[0] = gradient[0];
        grad[1] = gradient[1];
        grad[2] = gradient[2] - z[3] * gradient[3] - (1.0 - alpha1).recip();
        grad[3] = (1.0 - alpha1) * gradient[3];
        self.log_joint(z)
    }
}

impl Reported for Garch {
    fn reported(&self) -> &ParameterSpace {
        &self.reported
    }

    /// β₁ = share · (1 − α₁), with log |det| = log(1 − α₁).
    fn report(&self, z: &ArrayRef1<f64>, reported: &mut ArrayRef1<f64>) -> f64 {
        reported.assign(z);
        reported[3] = z[3] * (1.0 - z[2]);
        (-z[2]).ln_1p()
    }

    fn unreport(&self, reported: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        z.assign(reported);
        z[3] = reported[3] / (1.0 - reported[2]);
    }
}

/// A series of its own from the same first standard deviation; pointwise densities are those of one step ahead,
/// log p(ŷ_t | ŷ_1 … ŷ_{t−1}, z).
impl Predictive for Garch {
    type Data = Array1<f64>;

    fn observed(&self) -> &Array1<f64> {
        &self.y
    }

    fn n_points(&self, data: &Array1<f64>) -> usize {
        data.len()
    }

    fn log_likelihood_pointwise(&self, data: &Array1<f64>, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        self.for_each_step(data, z, |t, error, variance| {
            out[t] = -0.5 * (LOG_2_PI + variance.ln() + error * error / variance);
        });
    }

    fn simulate(&self, data: &Array1<f64>, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> Array1<f64> {
        let Coefficients { mu: [mu], alpha0: [alpha0], alpha1: [alpha1], beta1: [beta1] } =
            Coefficients::of(z);
        let mut variance = self.initial_variance;
        data.mapv(|_| {
            let noise: f64 = StandardNormal.sample(rng);
            let error = variance.sqrt() * noise;
            variance = alpha0 + alpha1 * error * error + beta1 * variance;
            mu + error
        })
    }
}
