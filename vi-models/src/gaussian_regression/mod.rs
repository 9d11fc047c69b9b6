//! Normal linear regression with an unknown noise standard deviation and priors of any kind.
//!
//! ```text
//! y_n | β, σ ~ N(x_nᵀβ, σ²)             n = 1 … N
//! β_j ~ flat, normal or Student t,  each its own;     σ ~ flat, half-normal, half-Cauchy, half-Student t or Gamma
//! log p(y | β, σ) = −N log σ − N/2 log 2π − Σ (y_n − x_nᵀβ)²/(2σ²)
//! ```
//! z = (β, σ). The sum of squares is a quadratic form about the (penalised) least-squares solution, where nothing
//! cancels: S samples cost one matrix product with XᵀX, whatever N is. Where priors are conjugate,
//! [`linear_regression`](crate::linear_regression) has the exact posterior and complete conditionals.
//!
//! The regressions of posteriordb have constructors of their own, [`GaussianRegression::kidscore_momhsiq`] and its
//! siblings. Proper priors are normalised; the programs of that database leave half-priors unnormalised, so their
//! log joint is lower by log 2 wherever σ has a half-prior (said at each constructor).
//!
//! Sources: A. Gelman & J. Hill, *Data Analysis Using Regression and Multilevel/Hierarchical Models* (2007),
//! chapters 3 and 4; M. Magnusson et al., *posteriordb* (2022).

mod posteriordb;

use ndarray::{Array1, ArrayRef1, ArrayRef2, s};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use vi_core::{Parameter, ParameterError, ParameterSpace, Predictive, StreamRng, Support};

use crate::ModelError;
use crate::checks::LOG_2_PI;
use crate::prior::{PositivePrior, RealPrior};
use crate::quadratic_loss::QuadraticLoss;
use crate::regression::{RegressionData, gaussian_from_shift, log_joint_by_evaluate};

pub use posteriordb::NationalElectionStudy;

const MODEL: &str = "gaussian_regression";

/// The priors of β and σ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaussianRegressionPriors {
    /// The prior of every coefficient. Default N(0, 10²).
    pub coefficients: RealPrior,
    /// That of the intercept. Default: as for the other coefficients.
    pub intercept: Option<RealPrior>,
    /// The prior of σ. Default half-Cauchy with scale 2.5.
    pub noise: PositivePrior,
}

impl Default for GaussianRegressionPriors {
    fn default() -> Self {
        Self {
            coefficients: RealPrior::Normal { mean: 0.0, sd: 10.0 },
            intercept: None,
            noise: PositivePrior::HalfCauchy { scale: 2.5 },
        }
    }
}

/// Normal linear regression with unknown σ; see the [module](self).
///
/// ```
/// use ndarray::array;
/// use vi_core::LogJoint;
/// use vi_models::gaussian_regression::{GaussianRegression, GaussianRegressionPriors};
/// use vi_models::prior::RealPrior;
/// use vi_models::regression::RegressionData;
///
/// let data = RegressionData::with_intercept(array![[0.5], [1.5], [-0.7]], array![1.9, 2.2, -0.8])?;
/// let priors = GaussianRegressionPriors { intercept: Some(RealPrior::Flat), ..Default::default() };
/// let model = GaussianRegression::new(data, priors)?;
/// assert_eq!(model.parameters().names(), ["intercept", "beta[1]", "sigma"]);
/// # Ok::<(), vi_models::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct GaussianRegression {
    data: RegressionData,
    /// One per coefficient.
    priors: Vec<RealPrior>,
    noise: PositivePrior,
    /// Every additive constant of the log joint.
    log_constant: f64,
    loss: QuadraticLoss,
    space: ParameterSpace,
}

impl GaussianRegression {
    /// The regression of `data` under `priors`; parameters `intercept` (if there is one), `beta`, `sigma`.
    ///
    /// # Errors
    /// As for [`GaussianRegression::with_parameters`].
    pub fn new(data: RegressionData, priors: GaussianRegressionPriors) -> Result<Self, ModelError> {
        let mut each = vec![priors.coefficients; data.n_columns()];
        if let (true, Some(prior)) = (data.has_intercept(), priors.intercept) {
            each[0] = prior;
        }
        let parameters = data.coefficient_parameters();
        Self::with_parameters(data, parameters, each, priors.noise)
    }

    /// The regression whose coefficients, column by column, are the elements of `coefficients` with these
    /// `priors`; `sigma` comes last.
    ///
    /// # Errors
    /// [`ModelError`] when the coefficients or priors are not one per column, a coefficient is not real or has a
    /// name twice, a prior parameter is outside its domain; and with the pivot when the data and the priors
    /// leave a coefficient without information (the posterior is then improper).
    pub fn with_parameters(
        data: RegressionData,
        coefficients: Vec<Parameter>,
        priors: Vec<RealPrior>,
        noise: PositivePrior,
    ) -> Result<Self, ModelError> {
        let expected = data.n_columns();
        let n_coefficients = coefficients.iter().map(Parameter::size).sum();
        for (name, actual) in [("coefficients", n_coefficients), ("priors", priors.len())] {
            if actual != expected {
                return Err(ModelError::Length { model: MODEL, data: name, expected, actual });
            }
        }
        if let Some(p) = coefficients.iter().find(|p| p.support() != Support::Real) {
            let (name, support) = (p.name().to_owned(), p.support());
            let method = "a coefficient of a linear regression".to_owned();
            return Err(ParameterError::Unsupported { name, support, method }.into());
        }
        let sigma = Parameter::scalar("sigma", Support::Positive);
        let space = ParameterSpace::new(coefficients.into_iter().chain([sigma]))?;
        for (prior, name) in priors.iter().zip(space.names()) {
            prior.check(MODEL, name)?;
        }
        noise.check(MODEL, "noise")?;
        let log_constant = noise.log_constant() + priors.iter().map(RealPrior::log_constant).sum::<f64>()
            - 0.5 * LOG_2_PI * data.n_points() as f64;
        let reference = least_squares(&data, &priors)?;
        let loss = QuadraticLoss::new(&data, reference, 1.0);
        Ok(Self { data, priors, noise, log_constant, loss, space })
    }

    /// The data.
    pub fn data(&self) -> &RegressionData {
        &self.data
    }

    /// The prior of each coefficient.
    pub fn coefficient_priors(&self) -> &[RealPrior] {
        &self.priors
    }

    /// The prior of σ.
    pub fn noise_prior(&self) -> PositivePrior {
        self.noise
    }

    /// The number D of coefficients, the intercept included.
    pub fn n_coefficients(&self) -> usize {
        self.data.n_columns()
    }

    fn evaluate(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>, mut grad: Option<&mut ArrayRef2<f64>>) {
        let n = self.loss.n;
        self.loss.for_each_row(z, |row, squares, product| {
            let z = z.row(row);
            let sigma = z[self.priors.len()];
            let precision = (sigma * sigma).recip();
            out[row] = if sigma <= 0.0 {
                f64::NEG_INFINITY
            } else {
                self.log_constant + self.log_priors(&z) - n * sigma.ln() - 0.5 * precision * squares
            };
            if let Some(grad) = grad.as_deref_mut() {
                let mut grad = grad.row_mut(row);
                for (j, prior) in self.priors.iter().enumerate() {
                    grad[j] = precision * (self.loss.gradient[j] - product[j]) + prior.derivative(z[j]);
                }
                grad[self.priors.len()] = (precision * squares - n) / sigma + self.noise.derivative(sigma);
            }
        });
    }

    /// The log priors without their constants.
    fn log_priors(&self, z: &ArrayRef1<f64>) -> f64 {
        let coefficients: f64 = self.priors.iter().zip(z).map(|(p, &b)| p.log_kernel(b)).sum();
        coefficients + self.noise.log_kernel(z[self.priors.len()])
    }
}

/// The least-squares solution, drawn to the priors as if σ were 1: where the sum of squares is expanded.
fn least_squares(data: &RegressionData, priors: &[RealPrior]) -> Result<Array1<f64>, ModelError> {
    let origin = Array1::zeros(data.n_columns());
    let loss = QuadraticLoss::new(data, origin, 1.0);
    let (mut precision, mut shift) = (loss.gram, loss.gradient);
    for (j, prior) in priors.iter().enumerate() {
        let (centre, curvature) = prior.centre();
        precision[[j, j]] += curvature;
        shift[j] += curvature * centre;
    }
    gaussian_from_shift(&loss.reference, &shift, &precision)
        .map(|q| q.mean().clone())
        .map_err(|source| ModelError::Family { model: MODEL, source })
}

log_joint_by_evaluate!(GaussianRegression);

impl Predictive for GaussianRegression {
    type Data = RegressionData;

    fn observed(&self) -> &RegressionData {
        &self.data
    }

    fn n_points(&self, data: &RegressionData) -> usize {
        data.n_points()
    }

    fn log_likelihood_pointwise(&self, data: &RegressionData, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let d = self.n_coefficients();
        let sigma = z[d];
        let mean = data.linear_predictor(&z.slice(s![..d]));
        for ((y, m), o) in data.y().iter().zip(&mean).zip(out.iter_mut()) {
            *o = -0.5 * (LOG_2_PI + ((y - m) / sigma).powi(2)) - sigma.ln();
        }
    }

    fn simulate(&self, data: &RegressionData, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> RegressionData {
        let d = self.n_coefficients();
        let mean = data.linear_predictor(&z.slice(s![..d]));
        data.with_response(mean.mapv(|m| m + z[d] * Distribution::<f64>::sample(&StandardNormal, rng)))
    }
}
