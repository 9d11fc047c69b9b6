//! Linear regressions with known noise and unknown coefficients.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis};
use serde::Serialize;

use super::ConjugateLikelihood;
use crate::deserialize::deserialize_checked;
use crate::distributions::{DiagonalGaussian, LOG_TWO_PI, MatrixGaussian, MvGaussian, RowCovariance};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::symmetric::{dual, vech_len};
use crate::validate::{finite_vector, length};

/// Responses y ~ N(Xβ, diag v) in ℝⁿ with known design X (n, p) and variances v, and unknown coefficients
/// β ~ [`MvGaussian`].
///
/// ```text
/// m(y) = (XᵀV⁻¹y, dual(−½XᵀV⁻¹X))      log h(y) = −½ Σ (log 2πv_i + y_i²/v_i)      V = diag v
/// ŷ ~ N(X mean, X covariance Xᵀ + V)
/// ```
/// A datum is the whole vector y. Responses to other designs are pushed to observations of their own and merged; a
/// likelihood with the design of new cases predicts these, jointly. Any linear Gaussian observation is of this form.
/// (Bishop 2006, section 3.3; Fink 1997, section 4.)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LinearRegressionCoefficients {
    design: Array2<f64>,
    /// N(0, V).
    noise: DiagonalGaussian,
    /// dual(−½XᵀV⁻¹X).
    #[serde(skip)]
    information: Vec<f64>,
}

deserialize_checked! {
    LinearRegressionCoefficients { design: Array2<f64>, noise: DiagonalGaussian } => {
        Self::from_design_variances(&design, noise.variance())
    }
}

impl LinearRegressionCoefficients {
    /// The likelihood with this design (n, p) and one variance of the noise for all responses.
    ///
    /// # Errors
    /// [`FamilyError`] unless n, p ≥ 1, the design is finite and the variance finite and positive.
    pub fn from_design_variance(design: &ArrayRef2<f64>, variance: f64) -> Result<Self, FamilyError> {
        Self::from_design_variances(design, &Array1::from_elem(design.nrows(), variance))
    }

    /// The likelihood with this design (n, p) and a variance of the noise for each response (n).
    ///
    /// # Errors
    /// [`FamilyError`] unless n, p ≥ 1, the design is finite and the variances finite and positive.
    pub fn from_design_variances(
        design: &ArrayRef2<f64>,
        variances: &ArrayRef1<f64>,
    ) -> Result<Self, FamilyError> {
        check_design(Self::NAME, design)?;
        length(Self::NAME, "variances", variances.len(), design.nrows())?;
        let noise = DiagonalGaussian::from_mean_variance(&Array1::zeros(variances.len()), variances)?;
        let scaled = &design.view() / &noise.sd().insert_axis(Axis(1));
        Ok(Self { design: design.to_owned(), noise, information: information(Self::NAME, &scaled)? })
    }

    /// The design X (n, p), a row for each response.
    pub fn design(&self) -> &Array2<f64> {
        &self.design
    }

    /// The law N(0, V) of y − Xβ.
    pub fn noise(&self) -> &DiagonalGaussian {
        &self.noise
    }
}

impl ConjugateLikelihood for LinearRegressionCoefficients {
    type Value = ArrayRef1<f64>;
    type Prior = MvGaussian;
    type Predictive = MvGaussian;
    const NAME: &'static str = "LinearRegressionCoefficients";

    fn n_params(&self) -> usize {
        self.design.ncols() + self.information.len()
    }
    fn add_message(&self, y: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        let location = self.design.t().dot(&(&y.view() / self.noise.variance()));
        for (out, message) in out.iter_mut().zip(location.iter().chain(&self.information)) {
            *out += weight * message;
        }
    }
    fn log_base_measure(&self, y: &ArrayRef1<f64>) -> f64 {
        let inside = y.len() == self.design.nrows() && y.iter().all(|v| v.is_finite());
        if inside { self.noise.log_prob(y) } else { f64::NEG_INFINITY }
    }
    fn predictive(&self, prior: &MvGaussian) -> Result<MvGaussian, FamilyError> {
        length(Self::NAME, "mean of the prior", prior.dim(), self.design.ncols())?;
        let mut covariance = self.design.dot(prior.covariance()).dot(&self.design.t());
        covariance.diag_mut().zip_mut_with(self.noise.variance(), |c, v| *c += v);
        MvGaussian::from_mean_covariance(&self.design.dot(prior.mean()), &covariance)
    }
}

/// Responses Y (n, q) whose rows are N(Z xᵢ, Σ), independent, with known design X (n, p) of the rows xᵢ and
/// covariance Σ (q, q) of the noise, and unknown coefficients Z (q, p) ~ [`MatrixGaussian`].
///
/// ```text
/// m(Y) = (Σ⁻¹YᵀX, dual(−½XᵀX))      h(Y) = (2π)^(−nq/2) |Σ|^(−n/2) exp(−½ tr(YΣ⁻¹Yᵀ))
/// Ŷ ~ MatrixGaussian(X meanᵀ, rows I + XVXᵀ, columns Σ)
/// ```
/// The prior has Σ for the covariance of its rows, so that a coefficient varies in the units of its response, and
/// any covariance V of its columns. (A prior with another covariance between the responses is no such member: take
/// [`LinearRegressionCoefficients`] of the stacked responses.) A datum is the whole matrix Y; other designs merge.
/// (Rowe 2003, "Multivariate Bayesian Statistics", chapter 8; West & Harrison 1997, section 16.4.)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MultivariateRegressionCoefficients {
    design: Array2<f64>,
    noise: RowCovariance,
    /// dual(−½XᵀX).
    #[serde(skip)]
    information: Vec<f64>,
}

deserialize_checked! {
    MultivariateRegressionCoefficients { design: Array2<f64>, noise: RowCovariance } => {
        Self::from_design_noise(&design, &noise)
    }
}

impl MultivariateRegressionCoefficients {
    /// The likelihood with this design (n, p) and covariance of the noise (q, q), both known.
    ///
    /// # Errors
    /// [`FamilyError`] unless n, p ≥ 1 and the design is finite.
    pub fn from_design_noise(design: &ArrayRef2<f64>, noise: &RowCovariance) -> Result<Self, FamilyError> {
        check_design(Self::NAME, design)?;
        let information = information(Self::NAME, design)?;
        Ok(Self { design: design.to_owned(), noise: noise.clone(), information })
    }

    /// The design X (n, p), a row for each row of responses.
    pub fn design(&self) -> &Array2<f64> {
        &self.design
    }

    /// The covariance Σ of the noise of a row of responses: what priors must have for the covariance of their rows.
    pub fn noise(&self) -> &RowCovariance {
        &self.noise
    }

    fn check_noise(&self, noise: &RowCovariance) -> Result<(), FamilyError> {
        if *noise == self.noise {
            return Ok(());
        }
        let show = |noise: &RowCovariance| format!("the row covariance {}", noise.covariance());
        Err(FamilyError::Fixed { family: Self::NAME, expected: show(&self.noise), actual: show(noise) })
    }
}

impl ConjugateLikelihood for MultivariateRegressionCoefficients {
    type Value = ArrayRef2<f64>;
    type Prior = MatrixGaussian;
    type Predictive = MatrixGaussian;
    const NAME: &'static str = "MultivariateRegressionCoefficients";

    fn n_params(&self) -> usize {
        self.noise.n_rows() * self.design.ncols() + self.information.len()
    }
    fn add_message(&self, y: &ArrayRef2<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        let location = self.noise.form().solve_matrix(&y.t().dot(&self.design));
        for (out, message) in out.iter_mut().zip(location.iter().chain(&self.information)) {
            *out += weight * message;
        }
    }
    fn log_base_measure(&self, y: &ArrayRef2<f64>) -> f64 {
        let (n, q) = (self.design.nrows(), self.noise.n_rows());
        if y.dim() != (n, q) || y.iter().any(|v| !v.is_finite()) {
            return f64::NEG_INFINITY;
        }
        let form = self.noise.form();
        let square: f64 = form.whiten_matrix(y.t().to_owned()).iter().map(|v| v * v).sum();
        -0.5 * (n as f64 * (q as f64 * LOG_TWO_PI + form.log_det()) + square)
    }
    fn check_prior(&self, prior: &MatrixGaussian) -> Result<(), FamilyError> {
        self.check_noise(prior.row_covariance())?;
        length(Self::NAME, "columns of the prior", prior.n_columns(), self.design.ncols())
    }
    /// Other designs merge, other noise does not.
    fn check_merge(&self, other: &Self) -> Result<(), FamilyError> {
        self.check_noise(&other.noise)?;
        length(Self::NAME, "columns of the design", other.design.ncols(), self.design.ncols())
    }
    fn predictive(&self, prior: &MatrixGaussian) -> Result<MatrixGaussian, FamilyError> {
        self.check_prior(prior)?;
        let mut rows = self.design.dot(prior.column_covariance()).dot(&self.design.t());
        rows.diag_mut().mapv_inplace(|v| 1.0 + v);
        let mean = self.design.dot(&prior.mean().t());
        MatrixGaussian::from_mean_covariances(
            &mean,
            &RowCovariance::from_covariance(&rows)?,
            self.noise.covariance(),
        )
    }
}

fn check_design(name: &'static str, design: &ArrayRef2<f64>) -> Result<(), FamilyError> {
    length(name, "rows of the design", design.nrows(), design.nrows().max(1))?;
    length(name, "columns of the design", design.ncols(), design.ncols().max(1))?;
    finite_vector(name, "design (row-major)", &design.flatten())
}

/// dual(−½XᵀX).
fn information(name: &'static str, design: &ArrayRef2<f64>) -> Result<Vec<f64>, FamilyError> {
    let mut packed = vec![0.0; vech_len(design.ncols())];
    dual(&design.t().dot(design), -0.5, &mut packed);
    finite_vector(name, "information of the design", &Array1::from(packed.clone()))?;
    Ok(packed)
}
