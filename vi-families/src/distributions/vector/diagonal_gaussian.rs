//! The Gaussian with a diagonal covariance.

use ndarray::{Array1, Array2, ArrayRef1, s};
use serde::Serialize;
use vi_core::StreamRng;

use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::distributions::LOG_TWO_PI;
use crate::draw::standard_normal;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::multivariate::Multivariate;
use crate::parametric::{ParameterBlock, Parametric};
use crate::validate::{POSITIVE, domain, finite_vector, length, no_member, positive};

const FAMILY: &str = "DiagonalGaussian";

/// The Gaussian on ℝᵈ with independent coordinates z_i ~ N(m_i, v_i).
///
/// ```text
/// p(z) = Π (2πv_i)^(−½) exp(−(z_i − m_i)²/(2v_i))
/// T(z) = (z₁, …, z_d, z₁², …, z_d²)      η = (m_i/v_i, −1/(2v_i))      h(z) = (2π)^(−d/2)
/// ```
/// The first d of η have the m_i/v_i. A variance, its reciprocal and m_i/v_i must be finite.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DiagonalGaussian {
    mean: Array1<f64>,
    variance: Array1<f64>,
}

deserialize_checked! {
    DiagonalGaussian { mean: Array1<f64>, variance: Array1<f64> } => Self::from_mean_variance(&mean, &variance)
}

impl DiagonalGaussian {
    /// The member with these means (d) and variances (d).
    ///
    /// # Errors
    /// [`FamilyError`] unless d ≥ 1, the means are finite and the variances finite and positive.
    pub fn from_mean_variance(mean: &ArrayRef1<f64>, variance: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let variance = positive_vector("variance", mean.len(), variance)?;
        Self::new(mean.to_owned(), variance)
    }

    /// The member with these means (d) and standard deviations (d).
    ///
    /// # Errors
    /// [`FamilyError`] unless d ≥ 1, the means are finite and the standard deviations and their squares finite
    /// and positive.
    pub fn from_mean_sd(mean: &ArrayRef1<f64>, sd: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let variance = positive_vector("sd", mean.len(), sd)?.mapv(|s| s * s);
        Self::new(mean.to_owned(), positive_vector("sd²", mean.len(), &variance)?)
    }

    /// The member with these means (d) and precisions (d), the reciprocals of the variances.
    ///
    /// # Errors
    /// [`FamilyError`] unless d ≥ 1, the means are finite and the precisions finite and positive.
    pub fn from_mean_precision(
        mean: &ArrayRef1<f64>,
        precision: &ArrayRef1<f64>,
    ) -> Result<Self, FamilyError> {
        let variance = positive_vector("precision", mean.len(), precision)?.mapv(f64::recip);
        Self::new(mean.to_owned(), variance)
    }

    /// The member in canonical form, by precision · mean (d) and precisions (d): the coefficients of z_i and −z_i²/2
    /// in the log density.
    ///
    /// # Errors
    /// [`FamilyError`] unless d ≥ 1, the products are finite, the precisions finite and positive and the means finite.
    pub fn from_canonical(
        precision_mean: &ArrayRef1<f64>,
        precision: &ArrayRef1<f64>,
    ) -> Result<Self, FamilyError> {
        finite_vector(FAMILY, "precision · mean", precision_mean)?;
        let precision = positive_vector("precision", precision_mean.len(), precision)?;
        Self::new(&precision_mean.view() / &precision, precision.mapv(f64::recip))
    }

    /// With variances that were checked.
    fn new(mean: Array1<f64>, variance: Array1<f64>) -> Result<Self, FamilyError> {
        if mean.is_empty() {
            length(FAMILY, "mean", 0, 1)?;
        }
        finite_vector(FAMILY, "mean", &mean)?;
        finite_vector(FAMILY, "mean / variance", &(&mean / &variance))?;
        Ok(Self { mean, variance })
    }

    /// The dimension d.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// `E[z]` (d).
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }

    /// `Var[z]` (d).
    pub fn variance(&self) -> &Array1<f64> {
        &self.variance
    }

    /// The square roots of the variances (d).
    pub fn sd(&self) -> Array1<f64> {
        self.variance.mapv(f64::sqrt)
    }

    /// The reciprocals of the variances (d).
    pub fn precision(&self) -> Array1<f64> {
        self.variance.mapv(f64::recip)
    }

    /// precision · mean (d), the linear coefficients of the canonical form.
    pub fn precision_mean(&self) -> Array1<f64> {
        &self.mean / &self.variance
    }

    /// Overwrites `z` (d) with a draw.
    ///
    /// # Panics
    /// If `z` does not have length d.
    pub fn sample_into(&self, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        assert_eq!(z.len(), self.dim(), "DiagonalGaussian: z has the wrong length");
        for ((z, m), v) in z.iter_mut().zip(&self.mean).zip(&self.variance) {
            *z = m + v.sqrt() * standard_normal(rng);
        }
    }

    /// Σ f(m_i, v_i, m′_i, v′_i).
    fn sum_with(&self, other: &Self, f: impl Fn(f64, f64, f64, f64) -> f64) -> f64 {
        let ours = self.mean.iter().zip(&self.variance);
        let theirs = other.mean.iter().zip(&other.variance);
        ours.zip(theirs).map(|((m, v), (m2, v2))| f(*m, *v, *m2, *v2)).sum()
    }
}

/// `values` (d), all positive.
fn positive_vector(
    parameter: &'static str,
    d: usize,
    values: &ArrayRef1<f64>,
) -> Result<Array1<f64>, FamilyError> {
    length(FAMILY, parameter, values.len(), d)?;
    for (i, v) in values.iter().enumerate() {
        positive(FAMILY, parameter, *v)
            .map_err(|_| domain(FAMILY, format!("{parameter}[{i}]"), *v, POSITIVE))?;
    }
    Ok(values.to_owned())
}

/// The dimension of a vector of 2d parameters.
fn dimension(parameter: &'static str, len: usize) -> Result<usize, FamilyError> {
    length(FAMILY, parameter, len, (len + len % 2).max(2))?;
    Ok(len / 2)
}

fn concatenate(first: Array1<f64>, second: Array1<f64>) -> Array1<f64> {
    first.into_iter().chain(second).collect()
}

/// r − 1 − log r, with its digits near r = 1.
fn excess(r: f64) -> f64 {
    let d = r - 1.0;
    if d.abs() < 0.5 { d - d.ln_1p() } else { d - r.ln() }
}

impl ExponentialFamily for DiagonalGaussian {
    type Value = ArrayRef1<f64>;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        2 * self.dim()
    }
    fn natural(&self) -> Array1<f64> {
        concatenate(&self.mean / &self.variance, self.variance.mapv(|v| -0.5 / v))
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let d = dimension("natural parameter", eta.len())?;
        finite_vector(FAMILY, "natural parameter", eta)?;
        let precision = positive_vector("precision", d, &eta.slice(s![d..]).mapv(|e| -2.0 * e))?;
        let mean = &eta.slice(s![..d]) / &precision;
        Self::from_mean_precision(&mean, &precision)
    }
    fn log_partition(&self) -> f64 {
        self.mean.iter().zip(&self.variance).map(|(m, v)| 0.5 * (m / v * m + v.ln())).sum()
    }
    fn mean_params(&self) -> Array1<f64> {
        let squares = self.mean.iter().zip(&self.variance).map(|(m, v)| m * m + v).collect();
        concatenate(self.mean.clone(), squares)
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let d = dimension("mean parameter", mu.len())?;
        // One rounding instead of two in what is left of the second moment.
        let variance = (0..d).map(|i| (-mu[i]).mul_add(mu[i], mu[d + i])).collect::<Array1<f64>>();
        Self::from_mean_variance(&mu.slice(s![..d]), &variance).map_err(|_| no_member(FAMILY, mu))
    }
    /// Var(z) = v, Cov(z, z²) = 2mv, Var(z²) = 2v² + 4m²v of every coordinate.
    fn fisher(&self) -> Array2<f64> {
        let d = self.dim();
        let mut fisher = Array2::zeros((2 * d, 2 * d));
        for (i, (m, v)) in self.mean.iter().zip(&self.variance).enumerate() {
            fisher[[i, i]] = *v;
            fisher[[i, d + i]] = 2.0 * m * v;
            fisher[[d + i, i]] = 2.0 * m * v;
            fisher[[d + i, d + i]] = 2.0 * v * v + 4.0 * m * m * v;
        }
        fisher
    }
    fn sufficient_stats_given(_: &(), z: &ArrayRef1<f64>) -> Array1<f64> {
        concatenate(z.to_owned(), z.mapv(|v| v * v))
    }
    fn log_base_measure_given(_: &(), z: &ArrayRef1<f64>) -> f64 {
        -0.5 * z.len() as f64 * LOG_TWO_PI
    }
    fn expected_log_base_measure(&self) -> f64 {
        -0.5 * self.dim() as f64 * LOG_TWO_PI
    }
    fn sample(&self, rng: &mut StreamRng) -> Array1<f64> {
        let mut z = Array1::zeros(self.dim());
        self.sample_into(rng, &mut z);
        z
    }

    /// log p(z), z (d).
    ///
    /// # Panics
    /// If `z` does not have length d.
    // The centred form keeps its digits when a mean is large beside its standard deviation.
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        assert_eq!(z.len(), self.dim(), "DiagonalGaussian: z has the wrong length");
        let terms = z.iter().zip(&self.mean).zip(&self.variance).map(|((z, m), v)| {
            let d = z - m;
            LOG_TWO_PI + v.ln() + d / v * d
        });
        -0.5 * terms.sum::<f64>()
    }
    fn entropy(&self) -> f64 {
        self.variance.iter().map(|v| 0.5 * (1.0 + LOG_TWO_PI + v.ln())).sum()
    }
    fn kl(&self, other: &Self) -> f64 {
        self.sum_with(other, |m, v, m2, v2| 0.5 * ((m - m2) / v2 * (m - m2) + excess(v / v2)))
    }
    fn expected_log_prob(&self, other: &Self) -> f64 {
        self.sum_with(other, |m, v, m2, v2| -0.5 * (LOG_TWO_PI + v2.ln() + v / v2 + (m - m2) / v2 * (m - m2)))
    }
}

impl Parametric for DiagonalGaussian {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        let n = self.dim();
        vec![
            ParameterBlock { name: "mean", coordinates: Coordinates::Real { n } },
            ParameterBlock { name: "variance", coordinates: Coordinates::Positive { n } },
        ]
    }
    fn parameters(&self) -> Array1<f64> {
        concatenate(self.mean.clone(), self.variance.clone())
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let d = self.dim();
        length(FAMILY, "usual parameter", theta.len(), 2 * d)?;
        Self::from_mean_variance(&theta.slice(s![..d]), &theta.slice(s![d..]))
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        let d = self.dim();
        let mut jacobian = Array2::zeros((2 * d, 2 * d));
        for (i, (m, v)) in self.mean.iter().zip(&self.variance).enumerate() {
            jacobian[[i, i]] = 1.0 / v;
            jacobian[[i, d + i]] = -m / v / v;
            jacobian[[d + i, d + i]] = 0.5 / v / v;
        }
        jacobian
    }
}

impl Multivariate for DiagonalGaussian {
    fn expected_value(&self) -> Option<Array1<f64>> {
        Some(self.mean.clone())
    }
    fn marginal_variances(&self) -> Option<Array1<f64>> {
        Some(self.variance.clone())
    }
    fn joint_mode(&self) -> Option<Array1<f64>> {
        Some(self.mean.clone())
    }
    fn support(&self) -> String {
        format!("vectors of {} real numbers", self.dim())
    }
}
