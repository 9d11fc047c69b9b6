//! Natural gradients of the full-rank Gaussian, and its steps in natural parameters.

use ndarray::{Array1, Array2, ArrayRef1, s};
use vi_core::linalg::{Cholesky, gemm, symmetric_rank_update};

use super::Damping;
use super::full_rank::FullRankGaussian;
use super::full_rank_member::FullRankGaussianMember;
use super::natural_gradient::{halved, shifted, solve_dense};
use crate::error::FamilyError;
use crate::symmetric::vech_index;
use crate::validate::cholesky;

impl FullRankGaussianMember {
    /// In M = L⁻¹ dL, lower triangular, the Fisher metric is Σ_{i>j} Mᵢⱼ² + 2 Σ Mᵢᵢ². With G = ∇_L:
    ///
    /// ```text
    /// ñ_m = LLᵀ ∇_m      ñ_L = L Φ(LᵀG),   Φ: the lower triangle with half its diagonal
    /// ```
    pub(super) fn natural_gradient_undamped(&self, grad: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let d = self.location.len();
        let l = &self.factor;
        let location = l.dot(&l.t().dot(&grad.slice(s![..d])));
        let g = self.unpack(grad, f64::recip);
        let (mut whitened, mut natural) = (Array2::zeros((d, d)), Array2::zeros((d, d)));
        gemm(1.0, &l.t(), &g, 0.0, &mut whitened);
        for ((i, j), value) in whitened.indexed_iter_mut() {
            *value *= if i > j { 1.0 } else { 0.5 * f64::from(u8::from(i == j)) };
        }
        gemm(1.0, l, &whitened, 0.0, &mut natural);
        out.slice_mut(s![..d]).assign(&location);
        for i in 0..d {
            for j in 0..i {
                out[d + vech_index(i, j)] = natural[[i, j]];
            }
            out[d + vech_index(i, i)] = natural[[i, i]] / l[[i, i]];
        }
    }

    /// The Fisher information couples elements of one column of L only (see `fisher`): D solves of order at most D.
    pub(super) fn natural_gradient_damped(
        &self,
        damping: Damping,
        grad: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        let d = self.location.len();
        let mut precision = Array2::zeros((d, d));
        symmetric_rank_update(1.0, &self.inverse.t(), 0.0, &mut precision);
        let location = s![..d];
        solve_dense(precision.clone(), damping, &grad.slice(location), &mut out.slice_mut(location))?;
        for j in 0..d {
            let mut block = precision.slice(s![j.., j..]).to_owned();
            let slope = self.factor[[j, j]];
            block.row_mut(0).mapv_inplace(|v| v * slope);
            block.column_mut(0).mapv_inplace(|v| v * slope);
            block[[0, 0]] += 1.0;
            let of_column: Array1<f64> = (j..d).map(|i| grad[d + vech_index(i, j)]).collect();
            let mut solved = Array1::zeros(d - j);
            solve_dense(block, damping, &of_column, &mut solved).map_err(|e| in_column(e, d, j))?;
            for (i, value) in (j..d).zip(&solved) {
                out[d + vech_index(i, j)] = *value;
            }
        }
        Ok(())
    }

    /// The elements of a vector over λ that belong to L, those of its diagonal times `by_diagonal(Lᵢᵢ)`.
    fn unpack(&self, values: &ArrayRef1<f64>, by_diagonal: impl Fn(f64) -> f64) -> Array2<f64> {
        let d = self.location.len();
        Array2::from_shape_fn((d, d), |(i, j)| match i.cmp(&j) {
            std::cmp::Ordering::Less => 0.0,
            std::cmp::Ordering::Equal => values[d + vech_index(i, i)] * by_diagonal(self.factor[[i, i]]),
            std::cmp::Ordering::Greater => values[d + vech_index(i, j)],
        })
    }
}

/// The error of column `j` of L, as one of λ.
fn in_column(error: FamilyError, d: usize, j: usize) -> FamilyError {
    match error {
        FamilyError::SingularFisher { index, value } => {
            shifted(FamilyError::SingularFisher { index: vech_index(j + index, j), value }, d)
        }
        other => other,
    }
}

impl FullRankGaussian {
    /// With M = L⁻¹ dL of the direction and B = I − ρ (M + Mᵀ), in terms free of cancellation:
    ///
    /// ```text
    /// Σ′⁻¹ = L⁻ᵀ B L⁻¹      m′ = m + ρ L B⁻¹ L⁻¹ ñ_m      L′ = L chol(B⁻¹)
    /// ```
    /// Errors speak of `family`.
    pub(super) fn natural_step_as(
        &self,
        family: &'static str,
        params: &ArrayRef1<f64>,
        natural_gradient: &ArrayRef1<f64>,
        step: f64,
        out: &mut ArrayRef1<f64>,
    ) -> Result<u32, FamilyError> {
        let q = self.bind_as(family, params)?;
        let d = q.location.len();
        let direction = q.unpack(natural_gradient, |l| l);
        let mut m = Array2::zeros((d, d));
        gemm(1.0, &q.inverse, &direction, 0.0, &mut m);
        let b = |step: f64| {
            Array2::from_shape_fn((d, d), |(i, j)| {
                f64::from(u8::from(i == j)) - step * (m[[i, j]] + m[[j, i]])
            })
        };
        let (step, n_halvings) = halved(family, step, |step| Cholesky::factor(&b(step)).is_ok())?;
        let covariance = cholesky(family, "precision after the step", &b(step))?.inverse();
        let factor = cholesky(family, "covariance after the step", &covariance)?;
        let whitened = q.inverse.dot(&natural_gradient.slice(s![..d]));
        let moved = q.factor.dot(&covariance.dot(&whitened));
        let mut l = Array2::zeros((d, d));
        gemm(1.0, &q.factor, factor.l(), 0.0, &mut l);
        for i in 0..d {
            out[i] = q.location[i] + step * moved[i];
            for j in 0..i {
                out[d + vech_index(i, j)] = l[[i, j]];
            }
            // log L′ᵢᵢ from the factors, which keeps the digits of small changes.
            out[d + vech_index(i, i)] = params[d + vech_index(i, i)] + factor.l()[[i, i]].ln();
        }
        Ok(n_halvings)
    }
}
