//! Members near a given Gaussian, and coordinates of λ in which the ELBO of that Gaussian is round.

use std::f64::consts::SQRT_2;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, s};
use vi_core::linalg::SymmetricEigen;

use super::{FullRankGaussian, LowRankGaussian, MeanFieldGaussian, VariationalFamily};
use crate::error::FamilyError;
use crate::symmetric::vech_index;
use crate::validate::{cholesky, finite_vector, positive};

const NAME: &str = "GaussianTarget";

/// N(m, Σ) as a target: what a family starts from, and the chart that goes with it.
#[derive(Clone, Debug)]
pub struct GaussianTarget {
    mean: Array1<f64>,
    /// C, lower triangular, Σ = CCᵀ; `None` for a diagonal Σ.
    factor: Option<Array2<f64>>,
    /// Λᵢᵢ^(−½), Λ = Σ⁻¹: the standard deviation of each coordinate given the others.
    conditional_sd: Array1<f64>,
}

impl GaussianTarget {
    /// The target with this mean (D) and covariance (D, D).
    ///
    /// # Errors
    /// [`FamilyError`] when the covariance is not positive definite, or a value is not finite.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn from_mean_covariance(
        mean: &ArrayRef1<f64>,
        covariance: &ArrayRef2<f64>,
    ) -> Result<Self, FamilyError> {
        assert_eq!(covariance.dim(), (mean.len(), mean.len()), "GaussianTarget: wrong length");
        finite_vector(NAME, "mean", mean)?;
        let factor = cholesky(NAME, "covariance", covariance)?;
        let conditional_sd = factor.inverse().diag().mapv(|p| p.sqrt().recip());
        Ok(Self { mean: mean.to_owned(), factor: Some(factor.l().clone()), conditional_sd })
    }

    /// The target with independent coordinates of these standard deviations (D).
    ///
    /// # Errors
    /// [`FamilyError`] names the value that is not finite, or not positive.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn from_mean_sd(mean: &ArrayRef1<f64>, sd: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        assert_eq!(mean.len(), sd.len(), "GaussianTarget: wrong length");
        finite_vector(NAME, "mean", mean)?;
        sd.iter().enumerate().try_for_each(|(i, s)| positive(NAME, &format!("sd[{i}]"), *s).map(drop))?;
        Ok(Self { mean: mean.to_owned(), factor: None, conditional_sd: sd.to_owned() })
    }

    /// m (D).
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }

    /// The standard deviation of each coordinate given the others (D).
    ///
    /// ```text
    /// s_i = Λᵢᵢ^(−½),   Λ = Σ⁻¹:   what the best mean-field Gaussian has
    /// ```
    pub fn conditional_sd(&self) -> &Array1<f64> {
        &self.conditional_sd
    }

    /// C (D, D), lower triangular.
    pub fn factor(&self) -> Array2<f64> {
        self.factor.clone().unwrap_or_else(|| Array2::from_diag(&self.conditional_sd))
    }

    /// m + Cν.
    fn locate(&self, nu: &ArrayRef1<f64>) -> Array1<f64> {
        &self.mean
            + &match &self.factor {
                Some(factor) => factor.dot(nu),
                None => &nu.view() * &self.conditional_sd,
            }
    }

    /// Cᵀ g.
    fn pull_location(&self, grad: &ArrayRef1<f64>) -> Array1<f64> {
        match &self.factor {
            Some(factor) => factor.t().dot(grad),
            None => &grad.view() * &self.conditional_sd,
        }
    }
}

/// A family with members near any Gaussian.
///
/// The chart λ = c(ν) takes ν = 0 to [`NearGaussian::params_near`]. When the target of inference is the Gaussian itself,
///
/// ```text
/// −∇²_ν ELBO(c(ν)) = I   at ν = 0
/// ```
/// for all coordinates of [`MeanFieldGaussian`] and [`FullRankGaussian`]: correlations and scales of the target are gone,
/// and a method that moves in ν needs no learning rate of its own for each coordinate. For [`LowRankGaussian`] it holds
/// for the location.
pub trait NearGaussian: VariationalFamily {
    /// λ (P) of a member near the target; the one with the best ELBO where the documentation of the family's own
    /// implementation says so.
    ///
    /// # Errors
    /// [`FamilyError`] when rounding leaves no such member.
    ///
    /// # Panics
    /// If D does not fit.
    fn params_near(&self, target: &GaussianTarget) -> Result<Array1<f64>, FamilyError>;

    /// Overwrites `params` (P) with c(ν), given `near` = c(0) and `nu` (P).
    fn params_at(
        &self,
        target: &GaussianTarget,
        near: &ArrayRef1<f64>,
        nu: &ArrayRef1<f64>,
        params: &mut ArrayRef1<f64>,
    );

    /// Overwrites `out` (P) with (∂c/∂ν)ᵀ `grad` (P) at `params` = c(ν).
    fn pull_back(
        &self,
        target: &GaussianTarget,
        near: &ArrayRef1<f64>,
        params: &ArrayRef1<f64>,
        grad: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    );
}

/// The best member: the mean of the target, and sᵢ = Λᵢᵢ^(−½).
///
/// Source: MacKay 2003, section 33.2.
impl NearGaussian for MeanFieldGaussian {
    fn params_near(&self, target: &GaussianTarget) -> Result<Array1<f64>, FamilyError> {
        Ok(self.params_from_mean_sd(&target.mean, &target.conditional_sd))
    }
    /// ```text
    /// m + Cν_m,   log s + ν_s/√2
    /// ```
    fn params_at(
        &self,
        target: &GaussianTarget,
        near: &ArrayRef1<f64>,
        nu: &ArrayRef1<f64>,
        params: &mut ArrayRef1<f64>,
    ) {
        let d = self.dim();
        params.slice_mut(s![..d]).assign(&target.locate(&nu.slice(s![..d])));
        (d..2 * d).for_each(|i| params[i] = near[i] + nu[i] / SQRT_2);
    }
    fn pull_back(
        &self,
        target: &GaussianTarget,
        _near: &ArrayRef1<f64>,
        _params: &ArrayRef1<f64>,
        grad: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) {
        let d = self.dim();
        out.slice_mut(s![..d]).assign(&target.pull_location(&grad.slice(s![..d])));
        (d..2 * d).for_each(|i| out[i] = grad[i] / SQRT_2);
    }
}

/// The target itself.
impl NearGaussian for FullRankGaussian {
    fn params_near(&self, target: &GaussianTarget) -> Result<Array1<f64>, FamilyError> {
        assert_eq!(target.mean.len(), self.dim(), "FullRankGaussian: wrong length");
        let mut params = Array1::zeros(self.n_params());
        pack(&target.mean, &target.factor(), &mut params);
        Ok(params)
    }
    /// ```text
    /// m + Cν_m,   L = C L′,   L′ᵢⱼ = νᵢⱼ (i > j),   log L′ᵢᵢ = νᵢᵢ/√2
    /// ```
    fn params_at(
        &self,
        target: &GaussianTarget,
        _near: &ArrayRef1<f64>,
        nu: &ArrayRef1<f64>,
        params: &mut ArrayRef1<f64>,
    ) {
        let d = self.dim();
        let mut inner = Array2::<f64>::zeros((d, d));
        for i in 0..d {
            for j in 0..i {
                inner[[i, j]] = nu[d + vech_index(i, j)];
            }
            inner[[i, i]] = (nu[d + vech_index(i, i)] / SQRT_2).exp();
        }
        pack(&target.locate(&nu.slice(s![..d])), &target.factor().dot(&inner), params);
    }
    /// With G = ∇_L: (Cᵀ G) in the lower triangle, its diagonal times L′ᵢᵢ/√2.
    fn pull_back(
        &self,
        target: &GaussianTarget,
        _near: &ArrayRef1<f64>,
        params: &ArrayRef1<f64>,
        grad: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) {
        let (d, factor) = (self.dim(), target.factor());
        let mut of_factor = Array2::<f64>::zeros((d, d));
        for i in 0..d {
            for j in 0..=i {
                let p = d + vech_index(i, j);
                of_factor[[i, j]] = if i == j { grad[p] * (-params[p]).exp() } else { grad[p] };
            }
        }
        let pulled = factor.t().dot(&of_factor);
        out.slice_mut(s![..d]).assign(&target.pull_location(&grad.slice(s![..d])));
        for i in 0..d {
            for j in 0..i {
                out[d + vech_index(i, j)] = pulled[[i, j]];
            }
            let p = d + vech_index(i, i);
            out[p] = pulled[[i, i]] * params[p].exp() / factor[[i, i]] / SQRT_2;
        }
    }
}

/// λ of a mean and a triangular factor.
fn pack(mean: &ArrayRef1<f64>, factor: &ArrayRef2<f64>, params: &mut ArrayRef1<f64>) {
    let d = mean.len();
    params.slice_mut(s![..d]).assign(mean);
    for i in 0..d {
        for j in 0..i {
            params[d + vech_index(i, j)] = factor[[i, j]];
        }
        params[d + vech_index(i, i)] = factor[[i, i]].ln();
    }
}

/// The mean of the target, d the standard deviations given the others, and B the r longest axes that these miss.
///
/// ```text
/// diag(1/d) Σ diag(1/d) = Σ_k l_k v_k v_kᵀ,   B = diag(d) (√(l_k − 1) v_k)_k,   l_1 ≥ … ≥ l_r
/// ```
/// The covariance is exact along those axes. Where an axis is not longer than 1, B has its default start.
impl NearGaussian for LowRankGaussian {
    fn params_near(&self, target: &GaussianTarget) -> Result<Array1<f64>, FamilyError> {
        let (d, sd) = (self.dim(), &target.conditional_sd);
        assert_eq!(sd.len(), d, "LowRankGaussian: wrong length");
        let small = self.init();
        let mut b = Array2::from_shape_fn((d, self.rank()), |(i, k)| small[2 * d + i * self.rank() + k]);
        if let Some(factor) = &target.factor {
            let scaled = factor / &sd.view().insert_axis(ndarray::Axis(1));
            if let Ok(eigen) = SymmetricEigen::factor(&scaled.dot(&scaled.t())) {
                let mut order: Vec<usize> = (0..d).collect();
                order.sort_by(|i, j| eigen.values()[*j].total_cmp(&eigen.values()[*i]));
                for (k, axis) in order.into_iter().take(self.rank()).enumerate() {
                    let rest = eigen.values()[axis] - 1.0;
                    if rest > 1e-2 {
                        b.column_mut(k).assign(&(&eigen.vectors().column(axis) * rest.sqrt()));
                    }
                }
            }
        }
        let b = b * sd.view().insert_axis(ndarray::Axis(1));
        Ok(self.params_from_mean_scale_factor(&target.mean, sd, &b))
    }
    /// ```text
    /// m + Cν_m,   log d + ν_d/√2,   B + diag(d) ν_B      with d and B of c(0)
    /// ```
    fn params_at(
        &self,
        target: &GaussianTarget,
        near: &ArrayRef1<f64>,
        nu: &ArrayRef1<f64>,
        params: &mut ArrayRef1<f64>,
    ) {
        let d = self.dim();
        params.slice_mut(s![..d]).assign(&target.locate(&nu.slice(s![..d])));
        for p in d..self.n_params() {
            params[p] = near[p] + nu[p] * self.unit(target, p);
        }
    }
    fn pull_back(
        &self,
        target: &GaussianTarget,
        _near: &ArrayRef1<f64>,
        _params: &ArrayRef1<f64>,
        grad: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) {
        let d = self.dim();
        out.slice_mut(s![..d]).assign(&target.pull_location(&grad.slice(s![..d])));
        (d..self.n_params()).for_each(|p| out[p] = grad[p] * self.unit(target, p));
    }
}

impl LowRankGaussian {
    /// ∂λ_p/∂ν_p beyond the location.
    fn unit(&self, target: &GaussianTarget, p: usize) -> f64 {
        let d = self.dim();
        if p < 2 * d { SQRT_2.recip() } else { target.conditional_sd[(p - 2 * d) / self.rank()] }
    }
}
