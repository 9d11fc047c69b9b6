//! The mean-field Gaussian: independent coordinates.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use vi_core::numerics::{Vectorised, exp_inplace, vectorised};
use vi_core::{ParameterSpace, StreamKey, StreamRng};

use super::gaussian::{LANES, check_log_scale, real_names, with_slice, with_slice_mut};
use super::natural_gradient::{check_step, gaussian_step, solve_one};
use super::recycled::Recycled;
use super::{Damping, VariationalDistribution, VariationalFamily};
use crate::distributions::LOG_TWO_PI;
use crate::draw::fill_from_normal;
use crate::error::FamilyError;
use crate::validate::{FINITE, domain, length};

const FAMILY: &str = "MeanFieldGaussian";

/// q_λ(z) = Π_d N(z_d; m_d, s_d²) on ℝᴰ.
///
/// ```text
/// λ = (location m (D), log_scale log s (D))      z = m + s ⊙ ε,  ε ~ N(0, I)
/// ```
#[derive(Clone, Debug)]
pub struct MeanFieldGaussian {
    names: Vec<String>,
}

impl MeanFieldGaussian {
    /// The family over a space whose variables are all real.
    ///
    /// # Errors
    /// [`FamilyError::Parameter`] names the variable that is constrained or discrete.
    pub fn new(space: &ParameterSpace) -> Result<Self, FamilyError> {
        Ok(Self { names: real_names(space, "the mean-field Gaussian")? })
    }

    /// λ of the member with these locations and standard deviations, each (D).
    ///
    /// # Panics
    /// If a length is not D.
    pub fn params_from_mean_sd(&self, mean: &ArrayRef1<f64>, sd: &ArrayRef1<f64>) -> Array1<f64> {
        assert_eq!((mean.len(), sd.len()), (self.dim(), self.dim()), "MeanFieldGaussian: wrong length");
        mean.iter().copied().chain(sd.iter().map(|s| s.ln())).collect()
    }

    fn param_name(&self, p: usize) -> String {
        match p.checked_sub(self.dim()) {
            None => format!("location({})", self.names[p]),
            Some(d) => format!("log_scale({})", self.names[d]),
        }
    }
}

impl VariationalFamily for MeanFieldGaussian {
    type Member<'a> = MeanFieldGaussianMember;

    fn dim(&self) -> usize {
        self.names.len()
    }
    fn n_params(&self) -> usize {
        2 * self.names.len()
    }
    fn param_names(&self) -> Vec<String> {
        (0..self.n_params()).map(|p| self.param_name(p)).collect()
    }
    /// The standard Gaussian.
    fn init(&self) -> Array1<f64> {
        Array1::zeros(self.n_params())
    }
    fn bind<'a>(&'a self, params: &'a ArrayRef1<f64>) -> Result<Self::Member<'a>, FamilyError> {
        length(FAMILY, "λ", params.len(), self.n_params())?;
        let d = self.dim();
        if let Some(i) = params.iter().take(d).position(|m| !m.is_finite()) {
            return Err(domain(FAMILY, self.param_name(i), params[i], FINITE));
        }
        let log_scales = || params.iter().skip(d).copied();
        let mut log_det = 0.0;
        for (i, log_scale) in log_scales().enumerate() {
            check_log_scale(FAMILY, || self.param_name(d + i), log_scale)?;
            log_det += log_scale;
        }
        let (mut scale, mut inverse_scale) =
            (Recycled::collect(log_scales()), Recycled::collect(log_scales().map(|s| -s)));
        exp_inplace(&mut scale);
        exp_inplace(&mut inverse_scale);
        Ok(MeanFieldGaussianMember {
            location: Recycled::collect(params.iter().take(d).copied()),
            scale,
            inverse_scale,
            log_det,
        })
    }
    /// In τ = 1/s² and τm of every coordinate.
    fn natural_step(
        &self,
        params: &ArrayRef1<f64>,
        natural_gradient: &ArrayRef1<f64>,
        step: f64,
        out: &mut ArrayRef1<f64>,
    ) -> Result<u32, FamilyError> {
        check_step(FAMILY, self.n_params(), params, natural_gradient, out)?;
        let (d, mut n_halvings) = (self.dim(), 0);
        for i in 0..d {
            let (at, along) = ([params[i], params[d + i]], [natural_gradient[i], natural_gradient[d + i]]);
            let ([mean, log_scale], n) = gaussian_step(FAMILY, at, along, step)?;
            (out[i], out[d + i]) = (mean, log_scale);
            n_halvings += n;
        }
        Ok(n_halvings)
    }
}

/// One member of [`MeanFieldGaussian`].
///
/// Its memory comes from members dropped earlier on the same thread: binding allocates once. The batch forms allocate nothing when rows are contiguous, and their inner loops run over coordinates in
/// memory order.
#[derive(Clone, Debug)]
pub struct MeanFieldGaussianMember {
    location: Recycled,
    scale: Recycled,
    inverse_scale: Recycled,
    log_det: f64,
}

impl MeanFieldGaussianMember {
    /// `E[z]` (D).
    pub fn mean(&self) -> &[f64] {
        &self.location
    }

    /// The standard deviations (D).
    pub fn sd(&self) -> &[f64] {
        &self.scale
    }

    /// 1/s (D).
    pub(super) fn inverse_sd(&self) -> &[f64] {
        &self.inverse_scale
    }

    /// The same with standard deviation `i` `factor(i)` times as large.
    pub(super) fn stretched(&self, factor: impl Fn(usize) -> f64) -> Self {
        let each = || (0..self.location.len()).map(&factor);
        Self {
            location: self.location.clone(),
            scale: Recycled::collect(self.scale.iter().zip(each()).map(|(s, f)| s * f)),
            inverse_scale: Recycled::collect(self.inverse_scale.iter().zip(each()).map(|(r, f)| r / f)),
            log_det: self.log_det + each().map(f64::ln).sum::<f64>(),
        }
    }

    #[inline(always)]
    fn log_prob_row(&self, z: &[f64]) -> f64 {
        // Eight partial sums: one register of the widest vectors, and an order of summation that does not
        // depend on which instructions the compiler chooses.
        let mut sums = [0.0; LANES];
        let (z8, z_tail) = z.as_chunks::<LANES>();
        let (m8, m_tail) = self.location.as_chunks::<LANES>();
        let (r8, r_tail) = self.inverse_scale.as_chunks::<LANES>();
        for ((z, m), r) in z8.iter().zip(m8).zip(r8) {
            for k in 0..LANES {
                let y = (z[k] - m[k]) * r[k];
                sums[k] += y * y;
            }
        }
        for (k, ((z, m), r)) in z_tail.iter().zip(m_tail).zip(r_tail).enumerate() {
            let y = (z - m) * r;
            sums[k] += y * y;
        }
        -0.5 * sums.iter().sum::<f64>() - self.log_det - 0.5 * z.len() as f64 * LOG_TWO_PI
    }

    #[inline(always)]
    fn add_score_row(&self, z: &[f64], weight: f64, location: &mut [f64], log_scale: &mut [f64]) {
        let d = self.location.len();
        let (z, m, r) = (&z[..d], &self.location[..d], &self.inverse_scale[..d]);
        let (location, log_scale) = (&mut location[..d], &mut log_scale[..d]);
        for i in 0..d {
            let y = (z[i] - m[i]) * r[i];
            location[i] += weight * (y * r[i]);
            log_scale[i] += weight * (y * y - 1.0);
        }
    }

    fn sample_row(&self, rng: &mut StreamRng, z: &mut [f64]) {
        fill_from_normal(rng, z, |noise| noise);
        for ((z, m), s) in z.iter_mut().zip(&*self.location).zip(&*self.scale) {
            *z = m + s * *z;
        }
    }
}

impl VariationalDistribution for MeanFieldGaussianMember {
    fn dim(&self) -> usize {
        self.location.len()
    }
    fn n_params(&self) -> usize {
        2 * self.location.len()
    }
    fn sample(&self, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        assert_eq!(z.len(), self.dim(), "MeanFieldGaussian: z has the wrong length");
        with_slice_mut(z, |z| self.sample_row(rng, z));
    }
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        assert_eq!(z.len(), self.dim(), "MeanFieldGaussian: z has the wrong length");
        with_slice(z, |z| self.log_prob_row(z))
    }
    fn add_score(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.len(), self.dim(), "MeanFieldGaussian: z has the wrong length");
        assert_eq!(out.len(), self.n_params(), "MeanFieldGaussian: out has the wrong length");
        with_slice(z, |z| {
            with_slice_mut(out, |out| {
                let (location, log_scale) = out.split_at_mut(z.len());
                self.add_score_row(z, weight, location, log_scale);
            });
        });
    }
    /// ```text
    /// H = Σ log s + D/2 (1 + log 2π)
    /// ```
    fn entropy(&self) -> Option<f64> {
        Some(self.log_det + 0.5 * self.dim() as f64 * (1.0 + LOG_TWO_PI))
    }
    /// ```text
    /// F = diag(1/s² (D), 2 (D))
    /// ```
    fn fisher(&self) -> Option<Array2<f64>> {
        let location = self.inverse_scale.iter().map(|r| r * r);
        let diagonal: Array1<f64> = location.chain(self.scale.iter().map(|_| 2.0)).collect();
        Some(Array2::from_diag(&diagonal))
    }
    /// Element by element; allocates nothing.
    fn natural_gradient(
        &self,
        damping: Damping,
        grad: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        let d = self.dim();
        assert_eq!((grad.len(), out.len()), (2 * d, 2 * d), "MeanFieldGaussian: wrong length");
        for (i, r) in self.inverse_scale.iter().enumerate() {
            out[i] = solve_one(i, r * r, damping, grad[i])?;
            out[d + i] = solve_one(d + i, 2.0, damping, grad[d + i])?;
        }
        Ok(())
    }

    fn sample_batch(&self, key: StreamKey, samples: Range<usize>, z: &mut ArrayRef2<f64>) {
        assert_eq!(z.dim(), (samples.len(), self.dim()), "MeanFieldGaussian: z has the wrong shape");
        for (s, mut row) in samples.zip(z.rows_mut()) {
            with_slice_mut(&mut row, |row| self.sample_row(&mut key.rng(s as u64), row));
        }
    }
    fn log_prob_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.dim(), (out.len(), self.dim()), "MeanFieldGaussian: z has the wrong shape");
        if let (1.., Some(z), Some(out)) = (self.dim(), z.as_slice(), out.as_slice_mut()) {
            return vectorised(LogProbs { member: self, z, out });
        }
        for (row, o) in z.rows().into_iter().zip(out.iter_mut()) {
            *o = with_slice(&row, |row| self.log_prob_row(row));
        }
    }
    fn add_score_batch(&self, z: &ArrayRef2<f64>, weights: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.dim(), (weights.len(), self.dim()), "MeanFieldGaussian: z has the wrong shape");
        assert_eq!(out.len(), self.n_params(), "MeanFieldGaussian: out has the wrong length");
        with_slice_mut(out, |out| {
            if let (1.., Some(z), Some(weights)) = (self.dim(), z.as_slice(), weights.as_slice()) {
                return vectorised(Scores { member: self, z, weights, out });
            }
            let (location, log_scale) = out.split_at_mut(self.dim());
            for (row, w) in z.rows().into_iter().zip(weights.iter()) {
                with_slice(&row, |row| self.add_score_row(row, *w, location, log_scale));
            }
        });
    }
}

/// The log densities of contiguous rows.
struct LogProbs<'a> {
    member: &'a MeanFieldGaussianMember,
    z: &'a [f64],
    out: &'a mut [f64],
}

impl Vectorised for LogProbs<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (z, out) in self.z.chunks_exact(self.member.location.len()).zip(self.out) {
            *out = self.member.log_prob_row(z);
        }
    }
}

/// The weighted scores of contiguous rows.
struct Scores<'a> {
    member: &'a MeanFieldGaussianMember,
    z: &'a [f64],
    weights: &'a [f64],
    out: &'a mut [f64],
}

impl Vectorised for Scores<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let d = self.member.location.len();
        let (location, log_scale) = self.out.split_at_mut(d);
        for (z, weight) in self.z.chunks_exact(d).zip(self.weights) {
            self.member.add_score_row(z, *weight, location, log_scale);
        }
    }
}
