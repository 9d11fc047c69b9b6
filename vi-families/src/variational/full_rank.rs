//! The full-rank Gaussian: any covariance, through its Cholesky factor.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis, s};
use vi_core::ParameterSpace;

use super::VariationalFamily;
use super::full_rank_member::FullRankGaussianMember;
use super::gaussian::{real_names, scale};
use super::natural_gradient::check_step;
use crate::error::FamilyError;
use crate::symmetric::{vech_index, vech_len};
use crate::validate::{FINITE, cholesky, domain, length};

const FAMILY: &str = "FullRankGaussian";

/// q_λ(z) = N(z; m, LLᵀ) on ℝᴰ, L lower triangular with a positive diagonal.
///
/// ```text
/// λ = (m (D); L row by row: log L₁₁, L₂₁, log L₂₂, L₃₁, L₃₂, log L₃₃, …)      z = m + Lε,  ε ~ N(0, I)
/// ```
#[derive(Clone, Debug)]
pub struct FullRankGaussian {
    names: Vec<String>,
}

impl FullRankGaussian {
    /// The family over a space whose variables are all real.
    ///
    /// # Errors
    /// [`FamilyError::Parameter`] names the variable that is constrained or discrete.
    pub fn new(space: &ParameterSpace) -> Result<Self, FamilyError> {
        Ok(Self::over(real_names(space, "the full-rank Gaussian")?))
    }

    /// The family over coordinates of these names.
    pub(super) fn over(names: Vec<String>) -> Self {
        Self { names }
    }

    /// λ of the member with this mean (D) and covariance (D, D).
    ///
    /// # Errors
    /// [`FamilyError`] when the covariance is not positive definite.
    ///
    /// # Panics
    /// If a length is not D.
    pub fn params_from_mean_covariance(
        &self,
        mean: &ArrayRef1<f64>,
        covariance: &ArrayRef2<f64>,
    ) -> Result<Array1<f64>, FamilyError> {
        let d = self.dim();
        assert_eq!((mean.len(), covariance.dim()), (d, (d, d)), "FullRankGaussian: wrong length");
        let factor = cholesky(FAMILY, "covariance", covariance)?;
        let rows = (0..d).flat_map(|i| (0..=i).map(move |j| (i, j)));
        let packed = rows.map(|(i, j)| if i == j { factor.l()[[i, i]].ln() } else { factor.l()[[i, j]] });
        Ok(mean.iter().copied().chain(packed).collect())
    }
}

impl VariationalFamily for FullRankGaussian {
    type Member<'a> = FullRankGaussianMember;

    fn dim(&self) -> usize {
        self.names.len()
    }
    fn n_params(&self) -> usize {
        self.dim() + vech_len(self.dim())
    }
    fn param_names(&self) -> Vec<String> {
        let names = &self.names;
        let mut out: Vec<String> = names.iter().map(|n| format!("location({n})")).collect();
        for i in 0..names.len() {
            out.extend((0..i).map(|j| format!("factor({},{})", names[i], names[j])));
            out.push(format!("log_factor({})", names[i]));
        }
        out
    }
    /// The standard Gaussian.
    fn init(&self) -> Array1<f64> {
        Array1::zeros(self.n_params())
    }
    fn bind<'a>(&'a self, params: &'a ArrayRef1<f64>) -> Result<Self::Member<'a>, FamilyError> {
        self.bind_as(FAMILY, params)
    }
    /// In Σ⁻¹ and Σ⁻¹m; ρ is halved until Σ′⁻¹ is positive definite.
    fn natural_step(
        &self,
        params: &ArrayRef1<f64>,
        natural_gradient: &ArrayRef1<f64>,
        step: f64,
        out: &mut ArrayRef1<f64>,
    ) -> Result<u32, FamilyError> {
        check_step(FAMILY, self.n_params(), params, natural_gradient, out)?;
        self.natural_step_as(FAMILY, params, natural_gradient, step, out)
    }
}

impl FullRankGaussian {
    /// The member with parameters λ; errors speak of `family`.
    pub(super) fn bind_as(
        &self,
        family: &'static str,
        params: &ArrayRef1<f64>,
    ) -> Result<FullRankGaussianMember, FamilyError> {
        length(family, "λ", params.len(), self.n_params())?;
        if let Some(p) = params.iter().position(|v| !v.is_finite()) {
            return Err(domain(family, self.param_names().swap_remove(p), params[p], FINITE));
        }
        let d = self.dim();
        let (mut factor, mut log_det) = (Array2::zeros((d, d)), 0.0);
        for i in 0..d {
            for j in 0..i {
                factor[[i, j]] = params[d + vech_index(i, j)];
            }
            let p = d + vech_index(i, i);
            let (l, _) = scale(family, || self.param_names().swap_remove(p), params[p])?;
            factor[[i, i]] = l;
            log_det += params[p];
        }
        let location = params.iter().take(d).copied().collect();
        let inverse = inverse_factor(&factor);
        if let Some(value) = inverse.iter().find(|v| !v.is_finite()) {
            return Err(domain(family, "inverse of the factor", *value, FINITE));
        }
        Ok(FullRankGaussianMember { location, factor, inverse, log_det })
    }
}

/// L⁻¹, row by row from the rows above, so that the inner loop runs along memory.
fn inverse_factor(l: &Array2<f64>) -> Array2<f64> {
    let d = l.nrows();
    let mut inverse = Array2::zeros((d, d));
    for i in 0..d {
        let (above, mut row) = inverse.view_mut().split_at(Axis(0), i);
        let mut row = row.row_mut(0);
        for (k, known) in above.rows().into_iter().enumerate() {
            row.slice_mut(s![..=k]).scaled_add(-l[[i, k]], &known.slice(s![..=k]));
        }
        row /= l[[i, i]];
        row[i] = 1.0 / l[[i, i]];
    }
    inverse
}
