//! The Gaussian whose covariance is diagonal plus low rank.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use vi_core::ParameterSpace;
use vi_core::linalg::{gemm, symmetric_rank_update};

use super::VariationalFamily;
use super::gaussian::{real_names, scale};
use super::low_rank_member::LowRankGaussianMember;
use crate::error::FamilyError;
use crate::validate::{FINITE, cholesky, domain, length};

const FAMILY: &str = "LowRankGaussian";
/// Beyond this ratio of a factor to its scale I + VᵀV leaves the range of f64.
const MAX_RATIO: f64 = 1e100;
/// The length of each column of B at the start.
const START: f64 = 0.1;

/// q_λ(z) = N(z; m, diag(d²) + BBᵀ) on ℝᴰ, with B of r columns.
///
/// ```text
/// λ = (location m (D), log_scale log d (D), B (D, r) row by row)
/// z = m + d ⊙ ε + Bε′,   (ε, ε′) ~ N(0, I) of length D + r
/// ```
/// Densities and scores cost O(Dr) a point after O(Dr²) a member, by the identities of Woodbury and of the matrix
/// determinant (Ong, Nott & Smith 2018, J. Comput. Graph. Stat. 27:465, section 3). They lose digits like the
/// condition of I + VᵀV, V = diag(1/d) B.
///
/// B and B rotated from the right are the same member: the Fisher information is singular when r > 1.
#[derive(Clone, Debug)]
pub struct LowRankGaussian {
    names: Vec<String>,
    rank: usize,
}

impl LowRankGaussian {
    /// The family of rank `rank` over a space whose variables are all real.
    ///
    /// # Errors
    /// [`FamilyError::Parameter`] names the variable that is constrained or discrete; [`FamilyError::Domain`] when
    /// the rank is not between 1 and D.
    pub fn new(space: &ParameterSpace, rank: usize) -> Result<Self, FamilyError> {
        let names = real_names(space, "the low-rank Gaussian")?;
        if !(1..=names.len()).contains(&rank) {
            return Err(domain(FAMILY, "rank", rank as f64, "between 1 and the dimension"));
        }
        Ok(Self { names, rank })
    }

    /// The number r of columns of B.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// λ of the member with this mean (D), scale d (D) and B (D, r).
    ///
    /// # Panics
    /// If a length is not D, or B is not D × r.
    pub fn params_from_mean_scale_factor(
        &self,
        mean: &ArrayRef1<f64>,
        scale: &ArrayRef1<f64>,
        factor: &ArrayRef2<f64>,
    ) -> Array1<f64> {
        let d = self.dim();
        assert_eq!((mean.len(), scale.len()), (d, d), "LowRankGaussian: wrong length");
        assert_eq!(factor.dim(), (d, self.rank), "LowRankGaussian: the factor has the wrong shape");
        mean.iter().copied().chain(scale.iter().map(|s| s.ln())).chain(factor.iter().copied()).collect()
    }

    fn param_name(&self, p: usize) -> String {
        let d = self.dim();
        match p {
            _ if p < d => format!("location({})", self.names[p]),
            _ if p < 2 * d => format!("log_scale({})", self.names[p - d]),
            _ => format!("factor({},{})", self.names[(p - 2 * d) / self.rank], (p - 2 * d) % self.rank + 1),
        }
    }
}

impl VariationalFamily for LowRankGaussian {
    type Member<'a> = LowRankGaussianMember;

    fn dim(&self) -> usize {
        self.names.len()
    }
    fn n_params(&self) -> usize {
        self.dim() * (2 + self.rank)
    }
    fn param_names(&self) -> Vec<String> {
        (0..self.n_params()).map(|p| self.param_name(p)).collect()
    }
    /// Mean 0, scale 1, and columns of B that are short and orthogonal (cosines): at B = 0 the gradient in B is
    /// zero whatever the target, and equal columns would stay equal.
    fn init(&self) -> Array1<f64> {
        let d = self.dim();
        let mut init = Array1::zeros(self.n_params());
        for i in 0..d {
            for k in 0..self.rank {
                let angle = std::f64::consts::PI * (i as f64 + 0.5) * k as f64 / d as f64;
                let length = if k == 0 { 1.0 } else { 2.0 };
                init[2 * d + i * self.rank + k] = START * (length / d as f64).sqrt() * angle.cos();
            }
        }
        init
    }
    fn bind<'a>(&'a self, params: &'a ArrayRef1<f64>) -> Result<Self::Member<'a>, FamilyError> {
        length(FAMILY, "λ", params.len(), self.n_params())?;
        let (d, r) = (self.dim(), self.rank);
        if let Some(p) = params.iter().position(|v| !v.is_finite()) {
            return Err(domain(FAMILY, self.param_name(p), params[p], FINITE));
        }
        let mut member = LowRankGaussianMember {
            location: params.iter().take(d).copied().collect(),
            scale: Vec::with_capacity(d),
            inverse_scale: Vec::with_capacity(d),
            factor: Array2::zeros((d, r)),
            scaled: Array2::zeros((d, r)),
            gain: Array2::zeros((d, r)),
            log_det: 0.0,
        };
        for i in 0..d {
            let (s, inverse) = scale(FAMILY, || self.param_name(d + i), params[d + i])?;
            member.scale.push(s);
            member.inverse_scale.push(inverse);
            member.log_det += params[d + i];
            for k in 0..r {
                let p = 2 * d + i * r + k;
                let ratio = params[p] * inverse;
                if ratio.abs() > MAX_RATIO {
                    let requirement = "at most 1e100 times the scale of its coordinate";
                    return Err(domain(FAMILY, self.param_name(p), params[p], requirement));
                }
                member.factor[[i, k]] = params[p];
                member.scaled[[i, k]] = ratio;
            }
        }
        self.finish(member)
    }
}

impl LowRankGaussian {
    /// Fills in what follows from V: the r × r factorisation, V(I + VᵀV)⁻¹ and log |Σ|.
    fn finish(&self, mut member: LowRankGaussianMember) -> Result<LowRankGaussianMember, FamilyError> {
        let mut capacitance = Array2::eye(self.rank);
        symmetric_rank_update(1.0, &member.scaled.t(), 1.0, &mut capacitance);
        let capacitance = cholesky(FAMILY, "I + VᵀV of the factor", &capacitance)?;
        member.log_det += 0.5 * capacitance.log_det();
        gemm(1.0, &member.scaled, &capacitance.inverse(), 0.0, &mut member.gain);
        Ok(member)
    }
}
