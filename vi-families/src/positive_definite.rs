//! A positive-definite matrix given by itself or by its inverse.

use std::borrow::Cow;
use std::sync::OnceLock;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use vi_core::linalg::Cholesky;

use crate::error::FamilyError;
use crate::triangular::{
    SMALL, add_transposed_product, multiply, multiply_lower, solve_lower, solve_lower_in_place,
    solve_transposed, solve_transposed_matrix, trace_product,
};
use crate::validate::{cholesky, finite_vector, positive_definite};

/// S, known by itself or by S⁻¹, with the factor of the one that is known.
///
/// Densities and draws need one triangular product or solve with that factor; the other matrix is formed when it
/// is asked for, once. Results never depend on whether it was.
#[derive(Clone, Debug, Serialize)]
#[serde(into = "GivenMatrix")]
pub(crate) struct PositiveDefinite {
    given: Array2<f64>,
    /// Whether S⁻¹ is what was given.
    inverted: bool,
    factor: Cholesky,
    /// log |S|.
    log_det: f64,
    other: OnceLock<Array2<f64>>,
}

/// What determines a [`PositiveDefinite`]: its serialised form, not checked yet.
#[derive(Serialize, Deserialize)]
pub(crate) struct GivenMatrix {
    matrix: Array2<f64>,
    inverted: bool,
}

impl From<PositiveDefinite> for GivenMatrix {
    fn from(s: PositiveDefinite) -> Self {
        Self { matrix: s.given, inverted: s.inverted }
    }
}

impl GivenMatrix {
    pub(crate) fn order(&self) -> usize {
        self.matrix.nrows()
    }

    /// S of order `p`, with what errors call S and S⁻¹: as a matrix, and by its elements.
    pub(crate) fn check(
        &self,
        family: &'static str,
        matrix: [&'static str; 2],
        inverse: [&'static str; 2],
        p: usize,
    ) -> Result<PositiveDefinite, FamilyError> {
        if self.inverted {
            PositiveDefinite::from_inverse(family, inverse[0], matrix[1], &self.matrix, p)
        } else {
            PositiveDefinite::from_matrix(family, matrix[0], inverse[1], &self.matrix, p)
        }
    }
}

impl PartialEq for PositiveDefinite {
    fn eq(&self, other: &Self) -> bool {
        self.inverted == other.inverted && self.given == other.given
    }
}

impl PositiveDefinite {
    /// S itself, a user's matrix of order `p`; `inverse` names its inverse in errors.
    pub(crate) fn from_matrix(
        family: &'static str,
        parameter: &'static str,
        inverse: &'static str,
        matrix: &ArrayRef2<f64>,
        p: usize,
    ) -> Result<Self, FamilyError> {
        let (matrix, factor) = positive_definite(family, parameter, matrix, p)?;
        Self::new(family, inverse, matrix, false, factor)
    }

    /// S by its inverse, a user's matrix of order `p`; `matrix` names S in errors.
    pub(crate) fn from_inverse(
        family: &'static str,
        parameter: &'static str,
        matrix: &'static str,
        inverse: &ArrayRef2<f64>,
        p: usize,
    ) -> Result<Self, FamilyError> {
        let (inverse, factor) = positive_definite(family, parameter, inverse, p)?;
        Self::new(family, matrix, inverse, true, factor)
    }

    /// S by its inverse, which is symmetric to the last bit.
    pub(crate) fn from_symmetric_inverse(
        family: &'static str,
        parameter: &'static str,
        matrix: &'static str,
        inverse: Array2<f64>,
    ) -> Result<Self, FamilyError> {
        let factor = cholesky(family, parameter, &inverse)?;
        Self::new(family, matrix, inverse, true, factor)
    }

    fn new(
        family: &'static str,
        name_of_other: &'static str,
        given: Array2<f64>,
        inverted: bool,
        factor: Cholesky,
    ) -> Result<Self, FamilyError> {
        let log_det = if inverted { -factor.log_det() } else { factor.log_det() };
        let other = OnceLock::new();
        // A factor that exists may still have an inverse that overflows.
        if !inverse_is_finite(factor.l()) {
            let inverse = factor.inverse();
            finite_vector(family, name_of_other, &inverse.flatten())?;
            let _ = other.set(inverse);
        }
        Ok(Self { given, inverted, factor, log_det, other })
    }

    fn other(&self) -> &Array2<f64> {
        self.other.get_or_init(|| self.factor.inverse())
    }

    /// S (p, p).
    pub(crate) fn matrix(&self) -> &Array2<f64> {
        if self.inverted { self.other() } else { &self.given }
    }

    /// S⁻¹ (p, p).
    pub(crate) fn inverse(&self) -> &Array2<f64> {
        if self.inverted { &self.given } else { self.other() }
    }

    pub(crate) fn order(&self) -> usize {
        self.given.nrows()
    }

    /// log |S|.
    pub(crate) fn log_det(&self) -> f64 {
        self.log_det
    }

    /// dᵀS⁻¹d, with d_i = `d(i)`.
    pub(crate) fn inverse_square(&self, d: impl Fn(usize) -> f64) -> f64 {
        let l = self.factor.l();
        with_scratch(self.order(), |y| {
            if self.inverted {
                add_transposed_product(l, d, y);
            } else {
                for (i, y) in y.iter_mut().enumerate() {
                    *y = d(i);
                }
                solve_lower_in_place(l, y);
            }
            y.iter().map(|v| v * v).sum()
        })
    }

    /// S⁻¹b.
    pub(crate) fn solve(&self, b: &ArrayRef1<f64>) -> Array1<f64> {
        if self.inverted { self.given.dot(b) } else { self.factor.solve(b) }
    }

    /// S b.
    pub(crate) fn product(&self, b: &ArrayRef1<f64>) -> Array1<f64> {
        if self.inverted { self.factor.solve(b) } else { self.given.dot(b) }
    }

    /// S⁻¹B; b (p, m).
    pub(crate) fn solve_matrix(&self, b: &ArrayRef2<f64>) -> Array2<f64> {
        if self.inverted {
            return self.given.dot(b);
        }
        let mut x = b.to_owned();
        self.factor.solve_matrix_inplace(&mut x);
        x
    }

    /// S B; b (p, m).
    pub(crate) fn product_matrix(&self, b: &ArrayRef2<f64>) -> Array2<f64> {
        if !self.inverted {
            return self.given.dot(b);
        }
        let mut x = b.to_owned();
        self.factor.solve_matrix_inplace(&mut x);
        x
    }

    /// R X for X (p, m), with the R of [`PositiveDefinite::color`].
    pub(crate) fn color_matrix(&self, x: Array2<f64>) -> Array2<f64> {
        if !self.inverted {
            return self.factor.l().dot(&x);
        }
        let mut x = x;
        self.factor.solve_lower_transposed_matrix_inplace(&mut x);
        x
    }

    /// R⁻¹X for X (p, m), with the R of [`PositiveDefinite::color`].
    pub(crate) fn whiten_matrix(&self, x: Array2<f64>) -> Array2<f64> {
        if self.inverted {
            return self.factor.l().t().dot(&x);
        }
        let mut x = x;
        self.factor.solve_lower_matrix_inplace(&mut x);
        x
    }

    /// x ← R x with the triangular R of S = R Rᵀ: standard normal noise becomes N(0, S).
    pub(crate) fn color(&self, x: &mut [f64]) {
        let l = self.factor.l();
        if self.inverted { solve_transposed(l, x) } else { multiply(l, x) }
    }

    /// x ← R⁻ᵀ x with the R of [`PositiveDefinite::color`]: standard normal noise becomes N(0, S⁻¹).
    pub(crate) fn color_inverse(&self, x: &mut [f64]) {
        let l = self.factor.l();
        if self.inverted { multiply(l, x) } else { solve_transposed(l, x) }
    }

    /// R X for lower-triangular X, with the R of [`PositiveDefinite::color`].
    pub(crate) fn color_lower(&self, x: &ArrayRef2<f64>) -> Array2<f64> {
        let l = self.factor.l();
        if self.order() > SMALL {
            return self.color_matrix(x.to_owned());
        }
        if self.inverted { solve_transposed_matrix(l, x) } else { multiply_lower(l, x) }
    }

    /// tr(S⁻¹ K Kᵀ) for lower-triangular K.
    pub(crate) fn inverse_trace(&self, matrix: &ArrayRef2<f64>, factor: &ArrayRef2<f64>) -> f64 {
        if self.inverted { trace_product(&self.given, matrix) } else { solved_square(&self.factor, factor) }
    }

    /// tr(S⁻¹ S′): one triangular solve where both are given alike.
    pub(crate) fn trace_ratio(&self, other: &Self) -> f64 {
        let (ours, theirs) = (&self.factor, &other.factor);
        match (self.inverted, other.inverted) {
            (true, true) => solved_square(theirs, ours.l()),
            (false, false) => solved_square(ours, theirs.l()),
            _ => trace_product(self.inverse(), other.matrix()),
        }
    }

    /// The Cholesky factor of S⁻¹ (p, p); `parameter` names S⁻¹ in errors.
    ///
    /// # Errors
    /// [`FamilyError`] when S was given and its inverse is singular to rounding.
    pub(crate) fn inverse_factor(
        &self,
        family: &'static str,
        parameter: &'static str,
    ) -> Result<Cow<'_, Array2<f64>>, FamilyError> {
        if self.inverted {
            return Ok(Cow::Borrowed(self.factor.l()));
        }
        Ok(Cow::Owned(cholesky(family, parameter, self.inverse())?.l().clone()))
    }

    /// The Cholesky factor of S (p, p); `parameter` names S in errors.
    ///
    /// # Errors
    /// [`FamilyError`] when S⁻¹ was given and its inverse is singular to rounding.
    pub(crate) fn matrix_factor(
        &self,
        family: &'static str,
        parameter: &'static str,
    ) -> Result<Array2<f64>, FamilyError> {
        if !self.inverted {
            return Ok(self.factor.l().clone());
        }
        Ok(cholesky(family, parameter, self.matrix())?.l().clone())
    }

    /// R⁻ᵀ (p, p) with the R of [`PositiveDefinite::color`], a triangular root of S⁻¹ = R⁻ᵀR⁻¹.
    pub(crate) fn inverse_root(&self) -> Cow<'_, Array2<f64>> {
        if self.inverted {
            return Cow::Borrowed(self.factor.l());
        }
        let mut root = Array2::eye(self.order());
        self.factor.solve_lower_transposed_matrix_inplace(&mut root);
        Cow::Owned(root)
    }
}

/// Σ (L⁻¹K)ᵢⱼ² for lower-triangular K, with the L of `factor`.
fn solved_square(factor: &Cholesky, k: &ArrayRef2<f64>) -> f64 {
    let solved = if factor.order() > SMALL {
        let mut x = k.to_owned();
        factor.solve_lower_matrix_inplace(&mut x);
        x
    } else {
        solve_lower(factor.l(), k)
    };
    solved.iter().map(|v| v * v).sum()
}

/// f of `p` numbers to write over, on the stack up to 64.
fn with_scratch<R>(p: usize, f: impl FnOnce(&mut [f64]) -> R) -> R {
    const STACK: usize = 64;
    if p <= STACK { f(&mut [0.0; STACK][..p]) } else { f(&mut vec![0.0; p]) }
}

/// Whether no entry of (L Lᵀ)⁻¹ can overflow, by a bound that costs as much as one triangular solve.
///
/// |L⁻¹| is at most the inverse of L with its diagonal kept and −|L_ij| below it (Higham 2002, section 8.2), whose
/// row sums bound the entries of L⁻¹; those of the inverse of L Lᵀ are sums of p products of two.
fn inverse_is_finite(l: &ArrayRef2<f64>) -> bool {
    let mut bounds: Vec<f64> = Vec::with_capacity(l.nrows());
    for (i, row) in l.rows().into_iter().enumerate() {
        let above: f64 = row.iter().zip(&bounds).map(|(v, b)| v.abs() * b).sum();
        bounds.push((1.0 + above) / row[i]);
    }
    let largest = bounds.iter().copied().fold(0.0, f64::max);
    (largest * largest * l.nrows() as f64).is_finite()
}
