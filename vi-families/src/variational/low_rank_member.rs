//! What a member of the low-rank Gaussian computes.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis, s};
use vi_core::linalg::{gemm, symmetric_rank_update};
use vi_core::{StreamKey, StreamRng};

use super::gaussian::{LANES, fill_noise, transport_groups, with_slice_mut};
use super::{Reparameterized, VariationalDistribution};
use crate::distributions::LOG_TWO_PI;
use crate::draw::standard_normal;

/// One member of [`LowRankGaussian`](crate::LowRankGaussian).
///
/// With V = diag(1/d) B, y = (z − m)/d, u = (I + VᵀV)⁻¹Vᵀy and w = y − Vu:
///
/// ```text
/// (z − m)ᵀ Σ⁻¹ (z − m) = |w|² + |u|²      Σ⁻¹(z − m) = w/d      Bᵀ Σ⁻¹ (z − m) = u
/// ```
/// The first is a sum of squares where Woodbury's formula is a difference: nothing cancels.
#[derive(Clone, Debug)]
pub struct LowRankGaussianMember {
    pub(super) location: Vec<f64>,
    pub(super) scale: Vec<f64>,
    pub(super) inverse_scale: Vec<f64>,
    /// B (D, r).
    pub(super) factor: Array2<f64>,
    /// V (D, r).
    pub(super) scaled: Array2<f64>,
    /// V(I + VᵀV)⁻¹ (D, r).
    pub(super) gain: Array2<f64>,
    /// ½ log |Σ|.
    pub(super) log_det: f64,
}

/// u and w of some points, one row each.
pub(super) struct Whitened {
    u: Array2<f64>,
    pub(super) w: Array2<f64>,
}

impl LowRankGaussianMember {
    /// `E[z]` (D).
    pub fn mean(&self) -> &[f64] {
        &self.location
    }

    /// d (D).
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// B (D, r).
    pub fn factor(&self) -> &Array2<f64> {
        &self.factor
    }

    /// `Cov[z]` = diag(d²) + BBᵀ (D, D).
    pub fn covariance(&self) -> Array2<f64> {
        let mut covariance = Array2::from_diag(&self.scale.iter().map(|s| s * s).collect::<Array1<f64>>());
        symmetric_rank_update(1.0, &self.factor, 1.0, &mut covariance);
        covariance
    }

    fn rank(&self) -> usize {
        self.factor.ncols()
    }

    /// The same with d and B `factor` times as large; V stays.
    pub(super) fn stretched(&self, factor: f64) -> Self {
        Self {
            scale: self.scale.iter().map(|s| s * factor).collect(),
            inverse_scale: self.inverse_scale.iter().map(|r| r / factor).collect(),
            factor: &self.factor * factor,
            log_det: self.log_det + self.location.len() as f64 * factor.ln(),
            ..self.clone()
        }
    }

    fn log_normaliser(&self) -> f64 {
        -self.log_det - 0.5 * self.location.len() as f64 * LOG_TWO_PI
    }

    pub(super) fn whiten(&self, z: &ArrayRef2<f64>) -> Whitened {
        let mut w = z.as_standard_layout().into_owned();
        for mut row in w.rows_mut() {
            for ((z, m), r) in row.iter_mut().zip(&self.location).zip(&self.inverse_scale) {
                *z = (*z - m) * r;
            }
        }
        let mut u = Array2::zeros((z.nrows(), self.rank()));
        gemm(1.0, &w, &self.gain, 0.0, &mut u);
        gemm(-1.0, &u, &self.scaled.t(), 1.0, &mut w);
        Whitened { u, w }
    }

    /// dᵢ² (Σ⁻¹)ᵢᵢ = 1 − (V(I + VᵀV)⁻¹Vᵀ)ᵢᵢ: the derivative of the entropy in log dᵢ.
    fn own_share(&self, i: usize) -> f64 {
        1.0 - self.scaled.row(i).dot(&self.gain.row(i))
    }

    /// (Σ⁻¹B)ᵢₖ: the derivative of the entropy in Bᵢₖ.
    fn precision_factor(&self, i: usize, k: usize) -> f64 {
        self.gain[[i, k]] * self.inverse_scale[i]
    }

    /// z ← m + d ⊙ z + Bε′.
    fn transport_inplace(&self, common: &[f64], z: &mut [f64]) {
        for (i, z) in z.iter_mut().enumerate() {
            let mut sum = 0.0;
            for (b, e) in self.factor.row(i).iter().zip(common) {
                sum += b * e;
            }
            *z = self.location[i] + self.scale[i] * *z + sum;
        }
    }

    /// The same for a group of rows: `noise[j][k]` is element j of (ε, ε′) of row k.
    fn transport_group(&self, noise: &[[f64; LANES]], rows: &mut ArrayRef2<f64>) {
        let (own, common) = noise.split_at(self.location.len());
        for (i, own) in own.iter().enumerate() {
            let mut sums = [0.0; LANES];
            for (b, e) in self.factor.row(i).iter().zip(common) {
                for (s, e) in sums.iter_mut().zip(e) {
                    *s += b * e;
                }
            }
            for ((z, s), e) in rows.column_mut(i).iter_mut().zip(sums).zip(own) {
                *z = self.location[i] + self.scale[i] * e + s;
            }
        }
    }
}

impl VariationalDistribution for LowRankGaussianMember {
    fn dim(&self) -> usize {
        self.location.len()
    }
    fn n_params(&self) -> usize {
        self.dim() * (2 + self.rank())
    }
    fn sample(&self, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        assert_eq!(z.len(), self.dim(), "LowRankGaussian: z has the wrong length");
        for e in z.iter_mut() {
            *e = standard_normal(rng);
        }
        let common: Vec<f64> = (0..self.rank()).map(|_| standard_normal(rng)).collect();
        with_slice_mut(z, |z| self.transport_inplace(&common, z));
    }
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        let mut out = Array1::zeros(1);
        self.log_prob_batch(&z.view().insert_axis(Axis(0)), &mut out);
        out[0]
    }
    /// As in [`add_score_batch`](VariationalDistribution::add_score_batch).
    fn add_score(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        self.add_score_batch(&z.view().insert_axis(Axis(0)), &Array1::from_elem(1, weight), out);
    }
    /// ```text
    /// H = Σ log d + ½ log |I + VᵀV| + D/2 (1 + log 2π)
    /// ```
    fn entropy(&self) -> Option<f64> {
        Some(self.log_det + 0.5 * self.dim() as f64 * (1.0 + LOG_TWO_PI))
    }
    /// With P = Σ⁻¹, singular when r > 1:
    ///
    /// ```text
    /// F(mᵢ, mⱼ) = Pᵢⱼ      F(log dᵢ, log dⱼ) = 2 (dᵢ dⱼ Pᵢⱼ)²      F(log dᵢ, Bⱼₖ) = 2 dᵢ² Pᵢⱼ (PB)ᵢₖ
    /// F(Bᵢₖ, Bⱼₗ) = Pᵢⱼ (BᵀPB)ₖₗ + (PB)ᵢₗ (PB)ⱼₖ      all others 0
    /// ```
    fn fisher(&self) -> Option<Array2<f64>> {
        let (d, r) = (self.dim(), self.rank());
        // dᵢ dⱼ Pᵢⱼ, and BᵀPB = VᵀV(I + VᵀV)⁻¹.
        let mut shares = Array2::eye(d);
        gemm(-1.0, &self.scaled, &self.gain.t(), 1.0, &mut shares);
        let mut common = Array2::zeros((r, r));
        gemm(1.0, &self.scaled.t(), &self.gain, 0.0, &mut common);
        let mut fisher = Array2::zeros((self.n_params(), self.n_params()));
        for i in 0..d {
            for j in 0..d {
                let precision = shares[[i, j]] * self.inverse_scale[i] * self.inverse_scale[j];
                fisher[[i, j]] = precision;
                fisher[[d + i, d + j]] = 2.0 * shares[[i, j]] * shares[[i, j]];
                for k in 0..r {
                    let column = 2 * d + j * r + k;
                    let mixed = 2.0 * shares[[i, j]] * self.inverse_scale[j] * self.gain[[i, k]];
                    fisher[[d + i, column]] = mixed;
                    fisher[[column, d + i]] = mixed;
                    for l in 0..r {
                        fisher[[2 * d + i * r + l, column]] = precision * common[[k, l]]
                            + self.precision_factor(i, k) * self.precision_factor(j, l);
                    }
                }
            }
        }
        Some(fisher)
    }

    fn sample_batch(&self, key: StreamKey, samples: Range<usize>, z: &mut ArrayRef2<f64>) {
        assert_eq!(z.dim(), (samples.len(), self.dim()), "LowRankGaussian: z has the wrong shape");
        transport_groups(key, samples, self.noise_dim(), z, |noise, rows| self.transport_group(noise, rows));
    }
    fn log_prob_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(z.dim(), (out.len(), self.dim()), "LowRankGaussian: z has the wrong shape");
        let Whitened { u, w } = self.whiten(z);
        for ((o, u), w) in out.iter_mut().zip(u.rows()).zip(w.rows()) {
            *o = self.log_normaliser() - 0.5 * (w.dot(&w) + u.dot(&u));
        }
    }
    /// ```text
    /// ∇_m log q = w/d      ∇_{log d} log q = w² − diag(d² Σ⁻¹)      ∇_B log q = (w/d) uᵀ − Σ⁻¹B
    /// ```
    fn add_score_batch(&self, z: &ArrayRef2<f64>, weights: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let (d, r) = (self.dim(), self.rank());
        assert_eq!(z.dim(), (weights.len(), d), "LowRankGaussian: z has the wrong shape");
        assert_eq!(out.len(), self.n_params(), "LowRankGaussian: out has the wrong length");
        let Whitened { u, w } = self.whiten(z);
        // The last column is the weights themselves, so that one product gives Σ ω w uᵀ and Σ ω w.
        let mut weighted = Array2::ones((z.nrows(), r + 1));
        weighted.slice_mut(s![.., ..r]).assign(&u);
        for (mut row, weight) in weighted.rows_mut().into_iter().zip(weights) {
            row *= *weight;
        }
        let mut sums = Array2::zeros((d, r + 1));
        gemm(1.0, &w.t(), &weighted, 0.0, &mut sums);
        let total: f64 = weights.iter().sum();
        with_slice_mut(out, |out| {
            let (location, rest) = out.split_at_mut(d);
            let (log_scale, factor) = rest.split_at_mut(d);
            for (row, weight) in w.rows().into_iter().zip(weights) {
                for (o, w) in log_scale.iter_mut().zip(row) {
                    *o += weight * (w * w);
                }
            }
            for (i, row) in sums.rows().into_iter().enumerate() {
                location[i] += row[r] * self.inverse_scale[i];
                log_scale[i] -= total * self.own_share(i);
                for k in 0..r {
                    factor[i * r + k] += row[k] * self.inverse_scale[i] - total * self.precision_factor(i, k);
                }
            }
        });
    }
}

impl Reparameterized for LowRankGaussianMember {
    /// D + r.
    fn noise_dim(&self) -> usize {
        self.dim() + self.rank()
    }
    fn sample_noise(&self, rng: &mut StreamRng, noise: &mut ArrayRef1<f64>) {
        fill_noise(rng, noise);
    }
    fn transport(&self, noise: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        let d = self.dim();
        assert_eq!((noise.len(), z.len()), (self.noise_dim(), d), "LowRankGaussian: wrong length");
        let common = noise.slice(s![d..]);
        for i in 0..d {
            z[i] = self.location[i] + self.scale[i] * noise[i] + self.factor.row(i).dot(&common);
        }
    }
    fn add_transport_vjp(
        &self,
        noise: &ArrayRef1<f64>,
        _z: &ArrayRef1<f64>,
        grad: &ArrayRef1<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
    ) {
        let (d, r) = (self.dim(), self.rank());
        assert_eq!((noise.len(), grad.len()), (self.noise_dim(), d), "LowRankGaussian: wrong length");
        assert_eq!(out.len(), self.n_params(), "LowRankGaussian: out has the wrong length");
        for i in 0..d {
            let wg = weight * grad[i];
            out[i] += wg;
            out[d + i] += wg * self.scale[i] * noise[i];
            for k in 0..r {
                out[2 * d + i * r + k] += wg * noise[d + k];
            }
        }
    }
    fn add_entropy_grad(&self, weight: f64, out: &mut ArrayRef1<f64>) {
        let (d, r) = (self.dim(), self.rank());
        for i in 0..d {
            out[d + i] += weight * self.own_share(i);
            for k in 0..r {
                out[2 * d + i * r + k] += weight * self.precision_factor(i, k);
            }
        }
    }
}
