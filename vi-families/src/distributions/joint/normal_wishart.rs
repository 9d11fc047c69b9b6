//! The normal-Wishart distribution of a mean vector and a precision matrix.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, s};
use serde::Serialize;
use vi_core::StreamRng;
use vi_core::linalg::Cholesky;

use super::twin::rename;
use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::distributions::real::precision_gap;
use crate::distributions::{LOG_TWO_PI, Wishart, entry_covariance};
use crate::draw::standard_normal;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::multivariate::Multivariate;
use crate::parametric::{ParameterBlock, Parametric};
use crate::special::multivariate_trigamma;
use crate::symmetric::{
    dual, from_dual, from_vech, inverse_jacobian, order_from_len, vech, vech_index, vech_len,
};
use crate::triangular::{outer_square, solve_transposed};
use crate::validate::{finite_vector, length, no_member, positive, positive_definite};

const FAMILY: &str = "NormalWishart";

/// The normal-Wishart distribution of (μ, Λ): Λ ~ Wishart(dof, scale), μ | Λ ~ N(mean, (count · Λ)⁻¹).
///
/// ```text
/// T(μ, Λ) = (log|Λ|, vech(Λ), Λμ, μᵀΛμ)
/// η = ((ν − p)/2, dual(−½(W⁻¹ + κmmᵀ)), κm, −½κ)      h = (2π)^(−p/2)
/// ```
/// with the layout of [`symmetric`](crate::symmetric). The conjugate prior of a Gaussian with unknown mean and
/// precision (Bishop 2006, 2.157 and section 10.2). Members have finite m, κ > 0, ν > p − 1 and W positive
/// definite.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NormalWishart {
    mean: Array1<f64>,
    count: f64,
    precision: Wishart,
}

deserialize_checked! {
    NormalWishart { mean: Array1<f64>, count: f64, precision: Wishart } => Self::new(mean, count, precision)
}

impl NormalWishart {
    /// The member with location m (p), pseudo-count κ, degrees of freedom ν and scale W (p, p).
    ///
    /// # Errors
    /// [`FamilyError`] unless m is finite, κ > 0, ν > p − 1 and W is symmetric positive definite.
    pub fn from_mean_count_dof_scale(
        mean: &ArrayRef1<f64>,
        count: f64,
        dof: f64,
        scale: &ArrayRef2<f64>,
    ) -> Result<Self, FamilyError> {
        Self::new(mean.to_owned(), count, Wishart::from_dof_scale(dof, scale).map_err(own_words)?)
    }

    /// The member with location m (p), pseudo-count κ, degrees of freedom ν and inverse scale W⁻¹ (p, p), which
    /// is what conjugate updates add to.
    ///
    /// # Errors
    /// As for [`NormalWishart::from_mean_count_dof_scale`].
    pub fn from_mean_count_dof_inverse_scale(
        mean: &ArrayRef1<f64>,
        count: f64,
        dof: f64,
        inverse_scale: &ArrayRef2<f64>,
    ) -> Result<Self, FamilyError> {
        let precision = Wishart::from_dof_inverse_scale(dof, inverse_scale).map_err(own_words)?;
        Self::new(mean.to_owned(), count, precision)
    }

    fn new(mean: Array1<f64>, count: f64, precision: Wishart) -> Result<Self, FamilyError> {
        length(FAMILY, "mean", mean.len(), precision.order())?;
        finite_vector(FAMILY, "mean", &mean)?;
        finite_vector(FAMILY, "count · mean²", &mean.mapv(|m| count * m * m))?;
        Ok(Self { mean, count: positive(FAMILY, "count", count)?, precision })
    }

    /// The dimension p.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// `E[μ]` = m (p).
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }

    /// The pseudo-count κ of the location.
    pub fn count(&self) -> f64 {
        self.count
    }

    /// The degrees of freedom ν.
    pub fn dof(&self) -> f64 {
        self.precision.dof()
    }

    /// The scale W (p, p).
    pub fn scale(&self) -> &Array2<f64> {
        self.precision.scale()
    }

    /// W⁻¹ (p, p).
    pub fn inverse_scale(&self) -> &Array2<f64> {
        self.precision.inverse_scale()
    }

    /// The marginal law of Λ.
    pub fn precision_marginal(&self) -> &Wishart {
        &self.precision
    }

    /// `E[Λ]` = νW (p, p).
    pub fn expected_precision(&self) -> Array2<f64> {
        self.precision.mean()
    }

    /// `E[log |Λ|]`.
    pub fn expected_log_det(&self) -> f64 {
        self.precision.expected_log_det()
    }

    /// `E[(x − μ)ᵀΛ(x − μ)]` = ν (x − m)ᵀW(x − m) + p/κ (Bishop 2006, 10.64).
    pub fn expected_square(&self, x: &ArrayRef1<f64>) -> f64 {
        let d = &x.view() - &self.mean;
        self.dof() * d.dot(&self.scale().dot(&d)) + self.dim() as f64 / self.count
    }

    /// ∂η/∂(m, κ, ν, vech W⁻¹) (P, P).
    pub(super) fn natural_jacobian_in_inverse_scale(&self) -> Array2<f64> {
        let (p, n, k, m) = (self.dim(), self.n_params(), self.count, &self.mean);
        let (count, dof, scale, location) = (p, p + 1, p + 2, 1 + vech_len(p));
        let mut jacobian = Array2::zeros((n, n));
        jacobian[[0, dof]] = 0.5;
        jacobian[[n - 1, count]] = -0.5;
        for i in 0..p {
            jacobian[[location + i, i]] = k;
            jacobian[[location + i, count]] = m[i];
            for j in 0..=i {
                // dual counts what is off the diagonal twice.
                let half = if i == j { -0.5 } else { -1.0 };
                let row = 1 + vech_index(i, j);
                jacobian[[row, scale + vech_index(i, j)]] = half;
                jacobian[[row, count]] = half * m[i] * m[j];
                jacobian[[row, i]] += half * k * m[j];
                jacobian[[row, j]] += half * k * m[i];
            }
        }
        jacobian
    }
}

fn own_words(error: FamilyError) -> FamilyError {
    rename(error, FAMILY, "scale", "scale")
}

/// The member with θ = (m, κ, ν, vech of the scale) in the parametrisation of this constructor.
pub(super) fn with_parameters<F>(
    family: &'static str,
    p: usize,
    theta: &ArrayRef1<f64>,
    constructor: impl Fn(&ArrayRef1<f64>, f64, f64, &ArrayRef2<f64>) -> Result<F, FamilyError>,
) -> Result<F, FamilyError> {
    length(family, "parameters", theta.len(), p + 2 + vech_len(p))?;
    let scale = from_vech(p, &theta.slice(s![p + 2..]).to_vec(), 1.0);
    constructor(&theta.slice(s![..p]), theta[p], theta[p + 1], &scale)
}

fn order(len: usize, parameter: &'static str) -> Result<usize, FamilyError> {
    order_from_len(len, |p| 2 + p + vech_len(p)).map_err(|expected| FamilyError::Length {
        family: FAMILY,
        parameter,
        expected,
        actual: len,
    })
}

/// log|Λ|, vech or dual of a matrix, a vector and a scalar, as one vector.
pub(super) fn pack(first: f64, matrix: Vec<f64>, vector: &ArrayRef1<f64>, last: f64) -> Array1<f64> {
    std::iter::once(first).chain(matrix).chain(vector.iter().copied()).chain([last]).collect()
}

impl ExponentialFamily for NormalWishart {
    type Value = (Array1<f64>, Array2<f64>);
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        2 + self.dim() + vech_len(self.dim())
    }
    fn natural(&self) -> Array1<f64> {
        let (p, k) = (self.dim(), self.count);
        let matrix = Array2::from_shape_fn((p, p), |(i, j)| {
            self.precision.inverse_scale()[[i, j]] + k * self.mean[i] * self.mean[j]
        });
        let mut packed = vec![0.0; vech_len(p)];
        dual(&matrix, -0.5, &mut packed);
        pack(0.5 * (self.dof() - p as f64), packed, &(&self.mean * k), -0.5 * k)
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let p = order(eta.len(), "natural parameter")?;
        finite_vector(FAMILY, "natural parameter", eta)?;
        let (n, eta) = (vech_len(p), eta.to_vec());
        let count = positive(FAMILY, "count", -2.0 * eta[n + p + 1])?;
        let km = &eta[n + 1..n + 1 + p];
        let mean: Array1<f64> = km.iter().map(|v| v / count).collect();
        finite_vector(FAMILY, "mean", &mean)?;
        let mut inverse_scale = from_dual(p, &eta[1..n + 1], -2.0);
        for i in 0..p {
            for j in 0..p {
                // Lower triangle and mirror image from the same product.
                inverse_scale[[i, j]] -= km[i.max(j)] * mean[i.min(j)];
            }
        }
        Self::from_mean_count_dof_inverse_scale(&mean, count, 2.0 * eta[0] + p as f64, &inverse_scale)
    }
    fn log_partition(&self) -> f64 {
        self.precision.log_partition() - 0.5 * self.dim() as f64 * self.count.ln()
    }
    fn mean_params(&self) -> Array1<f64> {
        let mean_precision = self.expected_precision();
        let v = mean_precision.dot(&self.mean);
        let q = self.mean.dot(&v) + self.dim() as f64 / self.count;
        let mut packed = vec![0.0; vech_len(self.dim())];
        vech(&mean_precision, 1.0, &mut packed);
        pack(self.expected_log_det(), packed, &v, q)
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let p = order(mu.len(), "mean parameter")?;
        let (n, values) = (vech_len(p), mu.to_vec());
        let mean_precision = from_vech(p, &values[1..n + 1], 1.0);
        let v = ndarray::aview1(&values[n + 1..n + 1 + p]);
        let none = || no_member(FAMILY, mu);
        let mean = Cholesky::factor(&mean_precision).map_err(|_| none())?.solve(&v);
        let count = p as f64 / (values[n + p + 1] - mean.dot(&v));
        let precision = Wishart::from_expectations(values[0], &mean_precision).ok_or_else(none)?;
        Self::new(mean, count, precision).map_err(|_| none())
    }
    /// The covariance of T, from μ = m + Λ^(−1/2) ε / √κ with ε ~ N(0, I) independent of Λ and u = Wm:
    ///
    /// ```text
    /// Cov(Λᵢⱼ, (Λμ)ₖ) = ν (Wᵢₖuⱼ + uᵢWⱼₖ)            Cov(Λᵢⱼ, μᵀΛμ) = 2ν uᵢuⱼ
    /// Cov((Λμ)ᵢ, (Λμ)ⱼ) = ν (Wᵢⱼ mᵀu + uᵢuⱼ) + νWᵢⱼ/κ   Cov((Λμ)ᵢ, μᵀΛμ) = 2ν uᵢ (mᵀu + 1/κ)
    /// Var(μᵀΛμ) = 2ν (mᵀu)² + 4ν mᵀu/κ + 2p/κ²
    /// ```
    fn fisher(&self) -> Array2<f64> {
        let (p, n, nu, k) = (self.dim(), self.n_params(), self.dof(), self.count);
        let w = self.scale();
        let u = w.dot(&self.mean);
        let mu = self.mean.dot(&u);
        let (v0, q) = (1 + vech_len(p), n - 1);
        let mut f = Array2::zeros((n, n));
        f[[0, 0]] = multivariate_trigamma(p, 0.5 * nu);
        f[[q, 0]] = 2.0 * mu;
        f[[q, q]] = 2.0 * nu * mu * mu + 4.0 * nu * mu / k + 2.0 * p as f64 / (k * k);
        for i in 0..p {
            f[[v0 + i, 0]] = 2.0 * u[i];
            f[[q, v0 + i]] = 2.0 * nu * u[i] * (mu + 1.0 / k);
            for j in 0..=i {
                let row = 1 + vech_index(i, j);
                f[[v0 + i, v0 + j]] = nu * (w[[i, j]] * (mu + 1.0 / k) + u[i] * u[j]);
                f[[row, 0]] = 2.0 * w[[i, j]];
                f[[q, row]] = 2.0 * nu * u[i] * u[j];
                for l in 0..p {
                    f[[v0 + l, row]] = nu * (w[[i, l]] * u[j] + u[i] * w[[j, l]]);
                    for m in 0..=l {
                        f[[row, 1 + vech_index(l, m)]] = entry_covariance(w, nu, (i, j), (l, m));
                    }
                }
            }
        }
        // What was filled is the lower triangle.
        for i in 0..n {
            for j in 0..i {
                f[[j, i]] = f[[i, j]];
            }
        }
        f
    }
    fn sufficient_stats_given(_: &(), z: &(Array1<f64>, Array2<f64>)) -> Array1<f64> {
        let (mu, lambda) = z;
        let p = mu.len();
        if lambda.dim() != (p, p) {
            return pack(f64::NEG_INFINITY, vec![f64::NAN; vech_len(p)], &(mu * f64::NAN), f64::NAN);
        }
        let precision = Wishart::sufficient_stats_given(&(), lambda);
        let v = lambda.dot(mu);
        let q = mu.dot(&v);
        pack(precision[0], precision.slice(s![1..]).to_vec(), &v, q)
    }
    fn log_base_measure_given(_: &(), z: &(Array1<f64>, Array2<f64>)) -> f64 {
        match positive_definite(FAMILY, "z", &z.1, z.0.len()) {
            Ok(_) => -0.5 * z.0.len() as f64 * LOG_TWO_PI,
            Err(_) => f64::NEG_INFINITY,
        }
    }
    fn expected_log_base_measure(&self) -> f64 {
        -0.5 * self.dim() as f64 * LOG_TWO_PI
    }
    fn sample(&self, rng: &mut StreamRng) -> (Array1<f64>, Array2<f64>) {
        // Λ = R A Aᵀ Rᵀ, so that Λ^(−1/2) ε = R⁻ᵀ A⁻ᵀ ε needs no factorisation of the draw.
        let (a, root) = self.precision.sample_root(rng);
        let mut noise: Vec<f64> = (0..self.dim()).map(|_| standard_normal(rng) / self.count.sqrt()).collect();
        solve_transposed(&a, &mut noise);
        self.precision.solve_scatter_factor(&mut noise);
        let mu = Array1::from(noise) + &self.mean;
        (mu, outer_square(&root))
    }

    // Sums over the two stages: the location enters through differences only.
    fn log_prob(&self, z: &(Array1<f64>, Array2<f64>)) -> f64 {
        let (mu, lambda) = z;
        let log_precision = self.precision.log_prob(lambda);
        let inside = mu.len() == self.dim() && log_precision > f64::NEG_INFINITY;
        let (true, Ok(factor)) = (inside, Cholesky::factor(lambda)) else {
            return f64::NEG_INFINITY;
        };
        let d = mu - &self.mean;
        let square = self.count * d.dot(&lambda.dot(&d));
        let constant = self.dim() as f64 * (self.count.ln() - LOG_TWO_PI);
        log_precision + 0.5 * (constant + factor.log_det() - square)
    }
    fn entropy(&self) -> f64 {
        let constant = self.dim() as f64 * (1.0 + LOG_TWO_PI - self.count.ln());
        self.precision.entropy() + 0.5 * (constant - self.expected_log_det())
    }
    fn kl(&self, other: &Self) -> f64 {
        let d = &self.mean - &other.mean;
        let square = other.count * self.dof() * d.dot(&self.scale().dot(&d));
        let conditional = square + self.dim() as f64 * precision_gap(self.count, other.count);
        self.precision.kl(&other.precision) + 0.5 * conditional
    }
    fn expected_log_prob(&self, other: &Self) -> f64 {
        let conditional = self.dim() as f64 * (other.count.ln() - LOG_TWO_PI) + self.expected_log_det()
            - other.count * self.expected_square(&other.mean);
        self.precision.expected_log_prob(&other.precision) + 0.5 * conditional
    }
}

/// θ = (mean, count, dof, vech scale).
impl Parametric for NormalWishart {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        let p = self.dim();
        let block = |name, coordinates| ParameterBlock { name, coordinates };
        vec![
            block("mean", Coordinates::Real { n: p }),
            block("count", Coordinates::Positive { n: 1 }),
            block("dof", Coordinates::Above { bound: (p - 1) as f64 }),
            block("scale", Coordinates::PositiveDefinite { order: p }),
        ]
    }
    fn parameters(&self) -> Array1<f64> {
        let mut packed = vec![0.0; vech_len(self.dim())];
        vech(self.scale(), 1.0, &mut packed);
        self.mean.iter().copied().chain([self.count, self.dof()]).chain(packed).collect()
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        with_parameters(FAMILY, self.dim(), theta, Self::from_mean_count_dof_scale)
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        let scale = self.dim() + 2;
        let mut jacobian = self.natural_jacobian_in_inverse_scale();
        let chained = jacobian.slice(s![.., scale..]).dot(&inverse_jacobian(self.precision.inverse_scale()));
        jacobian.slice_mut(s![.., scale..]).assign(&chained);
        jacobian
    }
}

impl Multivariate for NormalWishart {
    /// Exists for ν > p: μ has a multivariate Student-t law of ν − p + 1 degrees of freedom.
    fn expected_value(&self) -> Option<(Array1<f64>, Array2<f64>)> {
        (self.dof() > self.dim() as f64).then(|| (self.mean.clone(), self.expected_precision()))
    }
    /// Exist for ν > p + 1; Var(Λᵢⱼ) = ν (Wᵢⱼ² + WᵢᵢWⱼⱼ).
    fn marginal_variances(&self) -> Option<(Array1<f64>, Array2<f64>)> {
        let excess = self.dof() - self.dim() as f64 - 1.0;
        (excess > 0.0).then(|| {
            let location = self.precision.inverse_scale().diag().mapv(|v| v / excess / self.count);
            let variance = |(i, j)| entry_covariance(self.scale(), self.dof(), (i, j), (i, j));
            (location, Array2::from_shape_fn(self.scale().dim(), variance))
        })
    }
    /// (m, (ν − p)W) exists for ν > p.
    fn joint_mode(&self) -> Option<(Array1<f64>, Array2<f64>)> {
        let excess = self.dof() - self.dim() as f64;
        (excess > 0.0).then(|| (self.mean.clone(), self.scale() * excess))
    }
    fn support(&self) -> String {
        format!("ℝᵖ × positive-definite matrices of order p, p = {}", self.dim())
    }
}
