//! Covariates and responses: the data of the regression models.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis, s};
use rand_distr::{Distribution, StandardNormal};
use vi_core::linalg::Cholesky;
use vi_core::{Parameter, StreamRng, Support};
use vi_families::{FamilyError, MvGaussian};

use crate::checks::{LOG_2_PI, finite_matrix, finite_vector};
use crate::error::ModelError;

const MODEL: &str = "regression_data";

/// Covariates x (N, D) with one response y (N) each, and whether the first column is an intercept.
///
/// ```
/// use ndarray::array;
/// use vi_models::regression::RegressionData;
///
/// let data = RegressionData::with_intercept(array![[0.5], [1.5]], array![1.0, 2.0])?;
/// assert_eq!(data.x(), &array![[1.0, 0.5], [1.0, 1.5]]);
/// # Ok::<(), vi_models::ModelError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RegressionData {
    x: Array2<f64>,
    y: Array1<f64>,
    has_intercept: bool,
}

impl RegressionData {
    /// Covariates `x` (N, D) as they are, and responses `y` (N).
    ///
    /// # Errors
    /// [`ModelError`] for no data, lengths that differ, and values that are not finite (names row and column).
    pub fn new(x: Array2<f64>, y: Array1<f64>) -> Result<Self, ModelError> {
        finite_matrix(MODEL, "x", &x)?;
        finite_vector(MODEL, "y", &y)?;
        if x.nrows() != y.len() {
            return Err(ModelError::Length { model: MODEL, data: "y", expected: x.nrows(), actual: y.len() });
        }
        let x = if x.is_standard_layout() { x } else { x.as_standard_layout().into_owned() };
        Ok(Self { x, y, has_intercept: false })
    }

    /// The same with a column of ones put first, whose coefficient is named `intercept`.
    ///
    /// # Errors
    /// As for [`RegressionData::new`].
    pub fn with_intercept(x: Array2<f64>, y: Array1<f64>) -> Result<Self, ModelError> {
        let plain = Self::new(x, y)?;
        let mut x = Array2::ones((plain.x.nrows(), plain.x.ncols() + 1));
        x.slice_mut(s![.., 1..]).assign(&plain.x);
        Ok(Self { x, has_intercept: true, ..plain })
    }

    /// The covariates (N, D), the column of ones included.
    pub fn x(&self) -> &Array2<f64> {
        &self.x
    }

    /// The responses (N).
    pub fn y(&self) -> &Array1<f64> {
        &self.y
    }

    /// Whether the first column is the intercept.
    pub fn has_intercept(&self) -> bool {
        self.has_intercept
    }

    /// The number N of responses.
    pub fn n_points(&self) -> usize {
        self.y.len()
    }

    /// The number D of columns, that of the intercept included.
    pub fn n_columns(&self) -> usize {
        self.x.ncols()
    }

    /// x β + the intercept, for every row (N).
    pub(crate) fn linear_predictor(&self, coefficients: &ArrayRef1<f64>) -> Array1<f64> {
        self.x.dot(coefficients)
    }

    /// The same covariates with other responses.
    pub(crate) fn with_response(&self, y: Array1<f64>) -> Self {
        Self { x: self.x.clone(), y, has_intercept: self.has_intercept }
    }

    /// Overwrites `out` (N) with log N(y_n; x_nᵀβ, 1/τ).
    pub(crate) fn normal_log_likelihood(
        &self,
        coefficients: &ArrayRef1<f64>,
        tau: f64,
        out: &mut ArrayRef1<f64>,
    ) {
        let constant = 0.5 * (tau.ln() - LOG_2_PI);
        let mean = self.linear_predictor(coefficients);
        for ((y, m), o) in self.y.iter().zip(&mean).zip(out.iter_mut()) {
            *o = constant - 0.5 * tau * (y - m).powi(2);
        }
    }

    /// New responses y_n ~ N(x_nᵀβ, 1/τ).
    pub(crate) fn simulate_normal(
        &self,
        coefficients: &ArrayRef1<f64>,
        tau: f64,
        rng: &mut StreamRng,
    ) -> Self {
        let sd = tau.recip().sqrt();
        let mean = self.linear_predictor(coefficients);
        self.with_response(mean.mapv(|m| m + sd * Distribution::<f64>::sample(&StandardNormal, rng)))
    }

    /// The rows with these indices.
    pub(crate) fn rows(&self, indices: &[usize]) -> Self {
        assert!(!indices.is_empty(), "minibatch: no indices");
        Self {
            x: self.x.select(Axis(0), indices),
            y: self.y.select(Axis(0), indices),
            has_intercept: self.has_intercept,
        }
    }

    /// `intercept` if there is one, then `beta`.
    pub(crate) fn coefficient_parameters(&self) -> Vec<Parameter> {
        let intercept = self.has_intercept.then(|| Parameter::scalar("intercept", Support::Real));
        let n_slopes = self.n_columns() - usize::from(self.has_intercept);
        intercept.into_iter().chain([Parameter::vector("beta", n_slopes, Support::Real)]).collect()
    }
}

/// A batch evaluation at one point z (D): `evaluate(z (1, D), out (1), grad (1, D))`.
pub(crate) fn at_one_point(
    z: &ArrayRef1<f64>,
    grad: Option<&mut ArrayRef1<f64>>,
    evaluate: impl FnOnce(&ArrayRef2<f64>, &mut ArrayRef1<f64>, Option<&mut ArrayRef2<f64>>),
) -> f64 {
    let mut out = [0.0];
    let z = z.view().insert_axis(Axis(0));
    let mut grad = grad.map(|g| g.view_mut().insert_axis(Axis(0)));
    evaluate(&z, &mut ndarray::aview_mut1(&mut out), grad.as_deref_mut());
    out[0]
}

/// The log joint of a model, with and without its gradient, by its `evaluate(z (S, D), out (S), grad (S, D) or none)`; its
/// parameters are its `space`.
macro_rules! log_joint_by_evaluate {
    ($model:ty) => {
        impl vi_core::LogJoint for $model {
            fn parameters(&self) -> &vi_core::ParameterSpace {
                &self.space
            }

            fn log_joint(&self, z: &ndarray::ArrayRef1<f64>) -> f64 {
                crate::regression::at_one_point(z, None, |z, out, grad| self.evaluate(z, out, grad))
            }

            fn log_joint_batch(&self, z: &ndarray::ArrayRef2<f64>, out: &mut ndarray::ArrayRef1<f64>) {
                self.evaluate(z, out, None);
            }
        }

        impl vi_core::GradLogJoint for $model {
            fn log_joint_and_grad(
                &self,
                z: &ndarray::ArrayRef1<f64>,
                grad: &mut ndarray::ArrayRef1<f64>,
            ) -> f64 {
                crate::regression::at_one_point(z, Some(grad), |z, out, grad| self.evaluate(z, out, grad))
            }

            fn log_joint_and_grad_batch(
                &self,
                z: &ndarray::ArrayRef2<f64>,
                out: &mut ndarray::ArrayRef1<f64>,
                grad: &mut ndarray::ArrayRef2<f64>,
            ) {
                self.evaluate(z, out, Some(grad));
            }
        }
    };
}
pub(crate) use log_joint_by_evaluate;

/// The Gaussian with precision P (D, D) and mean `origin` + P⁻¹ `shift`.
pub(crate) fn gaussian_from_shift(
    origin: &ArrayRef1<f64>,
    shift: &ArrayRef1<f64>,
    precision: &ArrayRef2<f64>,
) -> Result<MvGaussian, FamilyError> {
    let mut mean = shift.to_owned();
    if let Ok(factor) = Cholesky::factor(precision) {
        factor.solve_inplace(&mut mean);
    }
    // A precision without a factor is refused here, with its failing pivot.
    mean += &origin.view();
    MvGaussian::from_mean_precision(&mean, precision)
}
