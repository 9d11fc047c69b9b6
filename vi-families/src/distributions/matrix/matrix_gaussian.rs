//! The matrix Gaussian with known covariance of the rows.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, s};
use serde::Serialize;
use vi_core::StreamRng;

use super::RowCovariance;
use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::distributions::LOG_TWO_PI;
use crate::draw::standard_normal;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::multivariate::Multivariate;
use crate::parametric::{ParameterBlock, Parametric};
use crate::positive_definite::{GivenMatrix, PositiveDefinite};
use crate::symmetric::{
    dual, from_dual, from_vech, order_from_len, precision_jacobian, vech, vech_index, vech_len,
};
use crate::validate::{finite_vector, length, no_member};

const FAMILY: &str = "MatrixGaussian";
const COVARIANCE: &str = "column_covariance (row-major)";
const PRECISION: &str = "column_precision (row-major)";

/// The matrix Gaussian of n×p matrices Z with mean M, known covariance U of the rows and covariance V of the columns.
///
/// ```text
/// Cov(Z_ia, Z_jb) = U_ij V_ab
/// p(Z) = (2π)^(−np/2) |U|^(−p/2) |V|^(−n/2) exp(−½ tr(V⁻¹(Z − M)ᵀU⁻¹(Z − M)))
/// T(Z) = (Z, vech(ZᵀU⁻¹Z))      η = (U⁻¹MV⁻¹, dual(−½V⁻¹))      h(Z) = (2π)^(−np/2) |U|^(−p/2)
/// ```
/// with matrices row by row and the layout of [`symmetric`](crate::symmetric) (Gupta & Nagar 2000, section 2.2).
///
/// U is fixed. Were it free besides V, the precisions V⁻¹ ⊗ U⁻¹ would fill no open set of a linear space: the family
/// would be curved, with more statistics than parameters, and cU with V/c the same member for every c > 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MatrixGaussian {
    mean: Array2<f64>,
    rows: RowCovariance,
    columns: PositiveDefinite,
}

deserialize_checked! {
    MatrixGaussian { mean: Array2<f64>, rows: RowCovariance, columns: GivenMatrix } => {
        let (covariance, precision) = (["column_covariance", COVARIANCE], ["column_precision", PRECISION]);
        let columns = columns.check(FAMILY, covariance, precision, mean.ncols())?;
        Self::new(mean, &rows, columns)
    }
}

impl MatrixGaussian {
    /// The member with mean M (n, p), covariance U of the rows (n, n) and V of the columns (p, p).
    ///
    /// # Errors
    /// [`FamilyError`] unless n, p ≥ 1, the mean is finite and V symmetric positive definite.
    pub fn from_mean_covariances(
        mean: &ArrayRef2<f64>,
        rows: &RowCovariance,
        column_covariance: &ArrayRef2<f64>,
    ) -> Result<Self, FamilyError> {
        let p = mean.ncols();
        let columns =
            PositiveDefinite::from_matrix(FAMILY, "column_covariance", PRECISION, column_covariance, p)?;
        Self::new(mean.to_owned(), rows, columns)
    }

    /// The member with mean M (n, p), covariance U of the rows (n, n) and precision V⁻¹ of the columns (p, p).
    ///
    /// # Errors
    /// [`FamilyError`] unless n, p ≥ 1, the mean is finite and V⁻¹ symmetric positive definite.
    pub fn from_mean_column_precision(
        mean: &ArrayRef2<f64>,
        rows: &RowCovariance,
        column_precision: &ArrayRef2<f64>,
    ) -> Result<Self, FamilyError> {
        let p = mean.ncols();
        let columns =
            PositiveDefinite::from_inverse(FAMILY, "column_precision", COVARIANCE, column_precision, p)?;
        Self::new(mean.to_owned(), rows, columns)
    }

    fn new(mean: Array2<f64>, rows: &RowCovariance, columns: PositiveDefinite) -> Result<Self, FamilyError> {
        if mean.ncols() == 0 {
            length(FAMILY, "mean", 0, rows.n_rows())?;
        }
        length(FAMILY, "mean", mean.len(), rows.n_rows() * mean.ncols())?;
        finite_vector(FAMILY, "mean (row-major)", &mean.flatten())?;
        let member = Self { mean, rows: rows.clone(), columns };
        finite_vector(FAMILY, "U⁻¹MV⁻¹ (row-major)", &member.natural_location().flatten())?;
        Ok(member)
    }

    /// The number n of rows.
    pub fn n_rows(&self) -> usize {
        self.mean.nrows()
    }

    /// The number p of columns.
    pub fn n_columns(&self) -> usize {
        self.mean.ncols()
    }

    /// `E[Z]` = M (n, p).
    pub fn mean(&self) -> &Array2<f64> {
        &self.mean
    }

    /// The covariance U of the rows.
    pub fn row_covariance(&self) -> &RowCovariance {
        &self.rows
    }

    /// The covariance V of the columns (p, p).
    pub fn column_covariance(&self) -> &Array2<f64> {
        self.columns.matrix()
    }

    /// V⁻¹ (p, p).
    pub fn column_precision(&self) -> &Array2<f64> {
        self.columns.inverse()
    }

    /// U⁻¹MV⁻¹ (n, p).
    fn natural_location(&self) -> Array2<f64> {
        let rows = self.rows.form().solve_matrix(&self.mean);
        self.columns.solve_matrix(&rows.t()).reversed_axes()
    }

    /// tr(V⁻¹DᵀU⁻¹D) by two triangular solves; d (n, p).
    fn square(&self, d: Array2<f64>) -> f64 {
        let rows = self.rows.form().whiten_matrix(d);
        self.columns.whiten_matrix(rows.reversed_axes()).iter().map(|v| v * v).sum()
    }

    /// MᵀU⁻¹M (p, p).
    fn mean_square(&self) -> Array2<f64> {
        self.rows.gram(&self.mean)
    }

    /// n, p and log h = −½(np log 2π + p log|U|).
    fn sizes(&self) -> (f64, f64, f64) {
        let (n, p) = (self.n_rows() as f64, self.n_columns() as f64);
        (n, p, -0.5 * p * (n * LOG_TWO_PI + self.rows.form().log_det()))
    }
}

fn order(rows: &RowCovariance, len: usize, parameter: &'static str) -> Result<usize, FamilyError> {
    order_from_len(len, |p| rows.n_rows() * p + vech_len(p)).map_err(|expected| FamilyError::Length {
        family: FAMILY,
        parameter,
        expected,
        actual: len,
    })
}

/// A matrix row by row and vech or dual of another, as one vector.
fn pack(matrix: &ArrayRef2<f64>, symmetric: Vec<f64>) -> Array1<f64> {
    matrix.iter().copied().chain(symmetric).collect()
}

/// The first n·p values as a matrix.
fn unpack(n: usize, p: usize, values: &[f64]) -> Array2<f64> {
    Array2::from_shape_fn((n, p), |(i, a)| values[i * p + a])
}

impl ExponentialFamily for MatrixGaussian {
    type Value = ArrayRef2<f64>;
    /// The covariance U of the rows.
    type Fixed = RowCovariance;
    const NAME: &'static str = FAMILY;

    fn fixed(&self) -> RowCovariance {
        self.rows.clone()
    }
    fn n_params(&self) -> usize {
        self.mean.len() + vech_len(self.n_columns())
    }
    fn natural(&self) -> Array1<f64> {
        let mut packed = vec![0.0; vech_len(self.n_columns())];
        dual(self.column_precision(), -0.5, &mut packed);
        pack(&self.natural_location(), packed)
    }
    fn from_natural_given(rows: &RowCovariance, eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let (n, p) = (rows.n_rows(), order(rows, eta.len(), "natural parameter")?);
        finite_vector(FAMILY, "natural parameter", eta)?;
        let eta = eta.to_vec();
        let precision = from_dual(p, &eta[n * p..], -2.0);
        let columns =
            PositiveDefinite::from_symmetric_inverse(FAMILY, "column_precision", COVARIANCE, precision)?;
        let left = rows.form().product_matrix(&unpack(n, p, &eta));
        let mean = columns.product_matrix(&left.t()).reversed_axes().as_standard_layout().into_owned();
        Self::new(mean, rows, columns)
    }
    fn log_partition(&self) -> f64 {
        0.5 * (self.square(self.mean.clone()) + self.n_rows() as f64 * self.columns.log_det())
    }
    fn mean_params(&self) -> Array1<f64> {
        let second = self.mean_square() + self.column_covariance() * self.n_rows() as f64;
        let mut packed = vec![0.0; vech_len(self.n_columns())];
        vech(&second, 1.0, &mut packed);
        pack(&self.mean, packed)
    }
    fn from_mean_params_given(rows: &RowCovariance, mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let (n, p) = (rows.n_rows(), order(rows, mu.len(), "mean parameter")?);
        let values = mu.to_vec();
        let mean = unpack(n, p, &values);
        let covariance = (from_vech(p, &values[n * p..], 1.0) - rows.gram(&mean)) / n as f64;
        Self::from_mean_covariances(&mean, rows, &covariance).map_err(|_| no_member(FAMILY, mu))
    }
    /// ```text
    /// Cov(Z_ia, Z_jb) = U_ij V_ab      Cov(Z_ia, S_bc) = M_ib V_ac + M_ic V_ab      S = ZᵀU⁻¹Z, Q = MᵀU⁻¹M
    /// Cov(S_ab, S_cd) = n(V_ac V_bd + V_ad V_bc) + Q_ac V_bd + Q_ad V_bc + Q_bc V_ad + Q_bd V_ac
    /// ```
    fn fisher(&self) -> Array2<f64> {
        let (n, p, size) = (self.n_rows(), self.n_columns(), self.n_params());
        let (u, v, q) = (self.rows.covariance(), self.column_covariance(), self.mean_square());
        let mut fisher = Array2::zeros((size, size));
        for i in 0..n {
            for a in 0..p {
                let row = i * p + a;
                for j in 0..n {
                    for b in 0..p {
                        fisher[[row, j * p + b]] = u[[i, j]] * v[[a, b]];
                    }
                }
                for b in 0..p {
                    for c in 0..=b {
                        let column = n * p + vech_index(b, c);
                        let value = self.mean[[i, b]] * v[[a, c]] + self.mean[[i, c]] * v[[a, b]];
                        fisher[[row, column]] = value;
                        fisher[[column, row]] = value;
                    }
                }
            }
        }
        // n V_ac V_bd + Q_ac V_bd + Q_bd V_ac, and the same with c and d exchanged.
        let half = |a: usize, b: usize, c: usize, d: usize| {
            (n as f64 * v[[a, c]] + q[[a, c]]) * v[[b, d]] + q[[b, d]] * v[[a, c]]
        };
        for a in 0..p {
            for b in 0..=a {
                for c in 0..p {
                    for d in 0..=c {
                        fisher[[n * p + vech_index(a, b), n * p + vech_index(c, d)]] =
                            half(a, b, c, d) + half(a, b, d, c);
                    }
                }
            }
        }
        fisher
    }
    fn sufficient_stats_given(rows: &RowCovariance, z: &ArrayRef2<f64>) -> Array1<f64> {
        let mut packed = vec![f64::NAN; vech_len(z.ncols())];
        if z.nrows() == rows.n_rows() {
            vech(&rows.gram(z), 1.0, &mut packed);
        }
        pack(z, packed)
    }
    /// −∞ for a matrix with another number of rows than n.
    fn log_base_measure_given(rows: &RowCovariance, z: &ArrayRef2<f64>) -> f64 {
        let (n, p) = (z.nrows(), z.ncols() as f64);
        if n != rows.n_rows() {
            return f64::NEG_INFINITY;
        }
        -0.5 * p * (n as f64 * LOG_TWO_PI + rows.form().log_det())
    }
    fn expected_log_base_measure(&self) -> f64 {
        self.sizes().2
    }
    /// One draw (n, p): M + R E Cᵀ with U = R Rᵀ, V = C Cᵀ and E of standard normals, by two triangular products.
    fn sample(&self, rng: &mut StreamRng) -> Array2<f64> {
        let noise = Array2::from_shape_simple_fn(self.mean.raw_dim(), || standard_normal(rng));
        let rows = self.rows.form().color_matrix(noise);
        let draw = self.columns.color_matrix(rows.reversed_axes());
        &self.mean + &draw.t()
    }

    // The centred forms keep their digits when the mean is large beside the standard deviations.
    fn log_prob(&self, z: &ArrayRef2<f64>) -> f64 {
        if z.dim() != self.mean.dim() {
            return f64::NEG_INFINITY;
        }
        let (n, _, base) = self.sizes();
        base - 0.5 * (n * self.columns.log_det() + self.square(&z.view() - &self.mean))
    }
    fn entropy(&self) -> f64 {
        let (n, p, base) = self.sizes();
        0.5 * n * (p + self.columns.log_det()) - base
    }
    fn kl(&self, other: &Self) -> f64 {
        let (n, p, _) = self.sizes();
        let trace = other.columns.trace_ratio(&self.columns);
        let log_ratio = self.columns.log_det() - other.columns.log_det();
        0.5 * (other.square(&self.mean - &other.mean) + n * ((trace - p) - log_ratio))
    }
    fn expected_log_prob(&self, other: &Self) -> f64 {
        let (n, _, base) = self.sizes();
        let trace = other.columns.trace_ratio(&self.columns);
        let square = other.square(&self.mean - &other.mean);
        base - 0.5 * (n * (other.columns.log_det() + trace) + square)
    }
}

impl Parametric for MatrixGaussian {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        let columns = Coordinates::PositiveDefinite { order: self.n_columns() };
        vec![
            ParameterBlock { name: "mean", coordinates: Coordinates::Real { n: self.mean.len() } },
            ParameterBlock { name: "column_covariance", coordinates: columns },
        ]
    }
    /// The mean row by row and vech of the covariance of the columns.
    fn parameters(&self) -> Array1<f64> {
        let mut packed = vec![0.0; vech_len(self.n_columns())];
        vech(self.column_covariance(), 1.0, &mut packed);
        pack(&self.mean, packed)
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let (n, p) = self.mean.dim();
        length(FAMILY, "usual parameter", theta.len(), self.n_params())?;
        let theta = theta.to_vec();
        let covariance = from_vech(p, &theta[n * p..], 1.0);
        Self::from_mean_covariances(&unpack(n, p, &theta), &self.rows, &covariance)
    }
    /// With H = U⁻¹MP and P = V⁻¹:
    ///
    /// ```text
    /// ∂H_ia/∂M_jb = (U⁻¹)_ij P_ba      ∂H_ia/∂V_kl = −H_ik P_la − [k ≠ l] H_il P_ka
    /// ```
    fn natural_jacobian(&self) -> Array2<f64> {
        let (n, p) = self.mean.dim();
        let (u, v, h) = (self.rows.precision(), self.column_precision(), self.natural_location());
        let mut jacobian = Array2::zeros((self.n_params(), self.n_params()));
        for i in 0..n {
            for a in 0..p {
                let row = i * p + a;
                for j in 0..n {
                    for b in 0..p {
                        jacobian[[row, j * p + b]] = u[[i, j]] * v[[b, a]];
                    }
                }
                for k in 0..p {
                    for l in 0..=k {
                        let mirror = if k == l { 0.0 } else { h[[i, l]] * v[[k, a]] };
                        jacobian[[row, n * p + vech_index(k, l)]] = -(h[[i, k]] * v[[l, a]] + mirror);
                    }
                }
            }
        }
        jacobian.slice_mut(s![n * p.., n * p..]).assign(&precision_jacobian(v));
        jacobian
    }
}

impl Multivariate for MatrixGaussian {
    fn expected_value(&self) -> Option<Array2<f64>> {
        Some(self.mean.clone())
    }
    /// Var(Z_ia) = U_ii V_aa.
    fn marginal_variances(&self) -> Option<Array2<f64>> {
        let (u, v) = (self.rows.covariance(), self.column_covariance());
        Some(Array2::from_shape_fn(self.mean.dim(), |(i, a)| u[[i, i]] * v[[a, a]]))
    }
    fn joint_mode(&self) -> Option<Array2<f64>> {
        Some(self.mean.clone())
    }
    fn support(&self) -> String {
        format!("real matrices of {} rows and {} columns", self.n_rows(), self.n_columns())
    }
}
