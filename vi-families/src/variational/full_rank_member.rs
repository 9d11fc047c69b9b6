//! What members of the full-rank Gaussian compute.

use std::ops::Range;

use ndarray::{Array2, ArrayRef1, ArrayRef2, s};
use vi_core::linalg::{gemm, symmetric_rank_update};
use vi_core::{StreamKey, StreamRng};

use super::gaussian::{LANES, fill_noise, transport_groups, with_slice, with_slice_mut};
use super::{Damping, Reparameterized, VariationalDistribution};
use crate::distributions::LOG_TWO_PI;
use crate::error::FamilyError;
use crate::symmetric::{vech_index, vech_len};

/// One member of [`FullRankGaussian`](crate::FullRankGaussian).
///
/// Densities and scores of a batch are matrix products. Draws are triangular loops over groups of rows in which
/// each row is summed as it would be alone, so that their bits do not depend on the batch.
#[derive(Clone, Debug)]
pub struct FullRankGaussianMember {
    pub(super) location: Vec<f64>,
    /// L (D, D), zeros above the diagonal.
    pub(super) factor: Array2<f64>,
    /// L⁻¹ (D, D), zeros above the diagonal.
    pub(super) inverse: Array2<f64>,
    pub(super) log_det: f64,
}

impl FullRankGaussianMember {
    /// `E[z]` (D).
    pub fn mean(&self) -> &[f64] {
        &self.location
    }

    /// L (D, D), lower triangular, with `Cov[z]` = LLᵀ.
    pub fn factor(&self) -> &Array2<f64> {
        &self.factor
    }

    /// `Cov[z]` = LLᵀ (D, D).
    pub fn covariance(&self) -> Array2<f64> {
        self.factor.dot(&self.factor.t())
    }

    /// The same with L `factor` times as large.
    pub(super) fn stretched(&self, factor: f64) -> Self {
        Self {
            location: self.location.clone(),
            factor: &self.factor * factor,
            inverse: &self.inverse / factor,
            log_det: self.log_det + self.location.len() as f64 * factor.ln(),
        }
    }

    fn log_normaliser(&self) -> f64 {
        -self.log_det - 0.5 * self.location.len() as f64 * LOG_TWO_PI
    }

    /// z ← m + Lz, from the last row to the first so that it can be done in place.
    fn transport_inplace(&self, z: &mut [f64]) {
        for i in (0..z.len()).rev() {
            let mut sum = 0.0;
            for (l, e) in self.factor.row(i).iter().zip(&z[..=i]) {
                sum += l * e;
            }
            z[i] = self.location[i] + sum;
        }
    }

    /// m + Lε for a group of rows at once: `noise[j][k]` is ε_j of row k.
    pub(super) fn transport_group(&self, noise: &[[f64; LANES]], rows: &mut ArrayRef2<f64>) {
        for i in 0..noise.len() {
            let mut sums = [0.0; LANES];
            for (l, e) in self.factor.row(i).iter().zip(&noise[..=i]) {
                for (s, e) in sums.iter_mut().zip(e) {
                    *s += l * e;
                }
            }
            for (z, s) in rows.column_mut(i).iter_mut().zip(sums) {
                *z = self.location[i] + s;
            }
        }
    }

    /// y ← L⁻¹(z − m).
    fn whiten(&self, z: &[f64], y: &mut [f64]) {
        for (i, y) in y.iter_mut().enumerate() {
            let row = self.inverse.row(i);
            let centred = z.iter().zip(&self.location).map(|(z, m)| z - m);
            *y = row.iter().zip(centred).take(i + 1).map(|(r, c)| r * c).sum();
        }
    }

    /// The rows of `z` (n, D), whitened.
    pub(super) fn whiten_batch(&self, z: &ArrayRef2<f64>) -> Array2<f64> {
        let mut centred = z.as_standard_layout().into_owned();
        for mut row in centred.rows_mut() {
            row.iter_mut().zip(&self.location).for_each(|(z, m)| *z -= m);
        }
        let mut y = Array2::zeros(z.dim());
        gemm(1.0, &centred, &self.inverse.t(), 0.0, &mut y);
        y
    }

    /// out += weight · (∇_m, ∇_L, chain rule through the log diagonal) from y and g = L⁻ᵀy.
    fn add_score_whitened(&self, y: &[f64], g: &mut [f64], weight: f64, out: &mut [f64]) {
        let d = y.len();
        g.fill(0.0);
        for (i, y) in y.iter().enumerate() {
            for (g, r) in g.iter_mut().zip(self.inverse.row(i)).take(i + 1) {
                *g += r * y;
            }
        }
        let (location, packed) = out.split_at_mut(d);
        for i in 0..d {
            let wg = weight * g[i];
            location[i] += wg;
            let row = &mut packed[vech_index(i, 0)..=vech_index(i, i)];
            for (o, y) in row.iter_mut().zip(&y[..i]) {
                *o += wg * y;
            }
            row[i] += wg * y[i] * self.factor[[i, i]] - weight;
        }
    }
}

impl VariationalDistribution for FullRankGaussianMember {
    fn dim(&self) -> usize {
        self.location.len()
    }
    fn n_params(&self) -> usize {
        self.dim() + vech_len(self.dim())
    }
    fn sample(&self, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        assert_eq!(z.len(), self.dim(), "FullRankGaussian: z has the wrong length");
        self.sample_noise(rng, z);
        with_slice_mut(z, |z| self.transport_inplace(z));
    }
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        assert_eq!(z.len(), self.dim(), "FullRankGaussian: z has the wrong length");
        let mut y = vec![0.0; self.dim()];
        with_slice(z, |z| self.whiten(z, &mut y));
        self.log_normaliser() - 0.5 * y.iter().map(|v| v * v).sum::<f64>()
    }
    /// ```text
    /// y = L⁻¹(z − m)      ∇_m log q = L⁻ᵀy      ∇_L log q = tril(L⁻ᵀy yᵀ) − diag(1/Lᵢᵢ)
    /// ```
    fn add_score(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.len(), self.dim(), "FullRankGaussian: z has the wrong length");
        assert_eq!(out.len(), self.n_params(), "FullRankGaussian: out has the wrong length");
        let (mut y, mut g) = (vec![0.0; self.dim()], vec![0.0; self.dim()]);
        with_slice(z, |z| self.whiten(z, &mut y));
        with_slice_mut(out, |out| self.add_score_whitened(&y, &mut g, weight, out));
    }
    /// ```text
    /// H = Σ log Lᵢᵢ + D/2 (1 + log 2π)
    /// ```
    fn entropy(&self) -> Option<f64> {
        Some(self.log_det + 0.5 * self.dim() as f64 * (1.0 + LOG_TWO_PI))
    }
    /// With P = Σ⁻¹; an index log Lᵢᵢ takes the factor Lᵢᵢ.
    ///
    /// ```text
    /// F(mᵢ, mₖ) = Pᵢₖ      F(Lᵢⱼ, Lₖⱼ) = Pᵢₖ + [i = j = k] / Lᵢᵢ²      all others 0
    /// ```
    fn fisher(&self) -> Option<Array2<f64>> {
        let d = self.dim();
        let mut precision = Array2::zeros((d, d));
        symmetric_rank_update(1.0, &self.inverse.t(), 0.0, &mut precision);
        let mut fisher = Array2::zeros((self.n_params(), self.n_params()));
        fisher.slice_mut(s![..d, ..d]).assign(&precision);
        for j in 0..d {
            let slope = |i: usize| if i == j { self.factor[[j, j]] } else { 1.0 };
            for i in j..d {
                for k in j..d {
                    let value = precision[[i, k]] * (slope(i) * slope(k));
                    fisher[[d + vech_index(i, j), d + vech_index(k, j)]] = value;
                }
            }
            fisher[[d + vech_index(j, j), d + vech_index(j, j)]] += 1.0;
        }
        Some(fisher)
    }
    /// Without damping in closed form, O(D³); with it column by column of L, O(D⁴).
    fn natural_gradient(
        &self,
        damping: Damping,
        grad: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        let p = self.n_params();
        assert_eq!((grad.len(), out.len()), (p, p), "FullRankGaussian: wrong length");
        if damping.is_none() {
            self.natural_gradient_undamped(grad, out);
            return Ok(());
        }
        self.natural_gradient_damped(damping, grad, out)
    }

    fn sample_batch(&self, key: StreamKey, samples: Range<usize>, z: &mut ArrayRef2<f64>) {
        assert_eq!(z.dim(), (samples.len(), self.dim()), "FullRankGaussian: z has the wrong shape");
        transport_groups(key, samples, self.dim(), z, |noise, rows| self.transport_group(noise, rows));
    }
    fn log_prob_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.dim(), (out.len(), self.dim()), "FullRankGaussian: z has the wrong shape");
        for (y, o) in self.whiten_batch(z).rows().into_iter().zip(out.iter_mut()) {
            *o = self.log_normaliser() - 0.5 * y.dot(&y);
        }
    }
    /// ```text
    /// Σ w ∇_m log q = L⁻ᵀ Σ w y      Σ w ∇_L log q = tril(L⁻ᵀ Σ w yyᵀ) − Σ w diag(1/Lᵢᵢ)
    /// ```
    fn add_score_batch(&self, z: &ArrayRef2<f64>, weights: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let d = self.dim();
        assert_eq!(z.dim(), (weights.len(), d), "FullRankGaussian: z has the wrong shape");
        assert_eq!(out.len(), self.n_params(), "FullRankGaussian: out has the wrong length");
        let y = self.whiten_batch(z);
        // The last column is w itself, so that one product gives Σ w yyᵀ and Σ w y.
        let mut weighted = Array2::ones((z.nrows(), d + 1));
        weighted.slice_mut(s![.., ..d]).assign(&y);
        for (mut row, w) in weighted.rows_mut().into_iter().zip(weights) {
            row *= *w;
        }
        let (mut moments, mut scores) = (Array2::zeros((d, d + 1)), Array2::zeros((d, d + 1)));
        gemm(1.0, &y.t(), &weighted, 0.0, &mut moments);
        gemm(1.0, &self.inverse.t(), &moments, 0.0, &mut scores);
        let total: f64 = weights.iter().sum();
        with_slice_mut(out, |out| {
            let (location, packed) = out.split_at_mut(d);
            for (i, row) in scores.rows().into_iter().enumerate() {
                location[i] += row[d];
                let target = &mut packed[vech_index(i, 0)..=vech_index(i, i)];
                for (o, v) in target.iter_mut().zip(row).take(i) {
                    *o += v;
                }
                target[i] += row[i] * self.factor[[i, i]] - total;
            }
        });
    }
}

impl Reparameterized for FullRankGaussianMember {
    fn noise_dim(&self) -> usize {
        self.dim()
    }
    fn sample_noise(&self, rng: &mut StreamRng, noise: &mut ArrayRef1<f64>) {
        fill_noise(rng, noise);
    }
    fn transport(&self, noise: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        assert_eq!((noise.len(), z.len()), (self.dim(), self.dim()), "FullRankGaussian: wrong length");
        z.assign(noise);
        with_slice_mut(z, |z| self.transport_inplace(z));
    }
    fn add_transport_vjp(
        &self,
        noise: &ArrayRef1<f64>,
        _z: &ArrayRef1<f64>,
        grad: &ArrayRef1<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
    ) {
        let d = self.dim();
        assert_eq!((noise.len(), grad.len()), (d, d), "FullRankGaussian: wrong length");
        assert_eq!(out.len(), self.n_params(), "FullRankGaussian: out has the wrong length");
        for i in 0..d {
            let wg = weight * grad[i];
            out[i] += wg;
            for j in 0..i {
                out[d + vech_index(i, j)] += wg * noise[j];
            }
            out[d + vech_index(i, i)] += wg * noise[i] * self.factor[[i, i]];
        }
    }
    fn add_entropy_grad(&self, weight: f64, out: &mut ArrayRef1<f64>) {
        let d = self.dim();
        for i in 0..d {
            out[d + vech_index(i, i)] += weight;
        }
    }
}
