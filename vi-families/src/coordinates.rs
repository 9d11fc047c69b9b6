//! Where a block of usual parameters lives, and its map to ℝⁿ.

use ndarray::ArrayRef2;
use vi_core::numerics::{sigmoid_scalar, softplus_scalar};

use crate::symmetric::{vech_index, vech_len};

/// Where a block of n usual parameters θ lives, with an unconstrained form φ ∈ ℝⁿ.
///
/// | where | θ | φ |
/// |---|---|---|
/// | [`Coordinates::Real`] | θ | θ |
/// | [`Coordinates::Positive`] | θ > 0 | log θ |
/// | [`Coordinates::Above`] | θ > bound | log(θ − bound) |
/// | [`Coordinates::Unit`] | 0 < θ < 1 | log θ/(1 − θ) |
/// | [`Coordinates::Simplex`] | the first K − 1 of K probabilities | log θ_k/θ_K |
/// | [`Coordinates::PositiveDefinite`] | vech Σ | L row by row with log L_ii, Σ = LLᵀ |
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Coordinates {
    /// n numbers.
    Real {
        /// How many.
        n: usize,
    },
    /// n positive numbers.
    Positive {
        /// How many.
        n: usize,
    },
    /// One number above a bound.
    Above {
        /// The bound, excluded.
        bound: f64,
    },
    /// One number in (0, 1).
    Unit,
    /// K probabilities that sum to one, without the last.
    Simplex {
        /// K.
        n_categories: usize,
    },
    /// A symmetric positive-definite matrix, as vech (see [`crate::symmetric`]).
    PositiveDefinite {
        /// The order of the matrix.
        order: usize,
    },
}

impl Coordinates {
    /// The number n of parameters of the block.
    pub fn n_params(&self) -> usize {
        match *self {
            Self::Real { n } | Self::Positive { n } => n,
            Self::Above { .. } | Self::Unit => 1,
            Self::Simplex { n_categories } => n_categories - 1,
            Self::PositiveDefinite { order } => vech_len(order),
        }
    }

    /// Overwrites `phi` (n) with the unconstrained form of `theta` (n).
    pub fn unconstrain(&self, theta: &[f64], phi: &mut [f64]) {
        match *self {
            Self::Real { .. } => phi.copy_from_slice(theta),
            Self::Positive { .. } => map(theta, phi, f64::ln),
            Self::Above { bound } => map(theta, phi, |t| (t - bound).ln()),
            Self::Unit => map(theta, phi, |t| t.ln() - (-t).ln_1p()),
            Self::Simplex { .. } => {
                let last = (1.0 - theta.iter().sum::<f64>()).ln();
                map(theta, phi, |t| t.ln() - last);
            }
            Self::PositiveDefinite { order } => {
                factor(order, theta, phi);
                for i in 0..order {
                    phi[vech_index(i, i)] = phi[vech_index(i, i)].ln();
                }
            }
        }
    }

    /// Overwrites `theta` (n) with the parameters whose unconstrained form is `phi` (n).
    pub fn constrain(&self, phi: &[f64], theta: &mut [f64]) {
        match *self {
            Self::Real { .. } => theta.copy_from_slice(phi),
            Self::Positive { .. } => map(phi, theta, f64::exp),
            Self::Above { bound } => map(phi, theta, |p| bound + p.exp()),
            Self::Unit => map(phi, theta, sigmoid_scalar),
            Self::Simplex { .. } => {
                let max = phi.iter().copied().fold(0.0, f64::max);
                let total = (-max).exp() + phi.iter().map(|p| (p - max).exp()).sum::<f64>();
                map(phi, theta, |p| (p - max).exp() / total);
            }
            Self::PositiveDefinite { order } => {
                let l = lower(phi);
                for i in 0..order {
                    for j in 0..=i {
                        theta[vech_index(i, j)] = (0..=j).map(|k| l(i, k) * l(j, k)).sum();
                    }
                }
            }
        }
    }

    /// Overwrites `out` (n, n) with ∂θ/∂φ at `phi` (n): row i has the derivatives of θ_i.
    pub fn jacobian(&self, phi: &[f64], out: &mut ArrayRef2<f64>) {
        out.fill(0.0);
        let n = self.n_params();
        match *self {
            Self::Real { .. } => out.diag_mut().fill(1.0),
            Self::Positive { .. } | Self::Above { .. } => {
                for (d, p) in out.diag_mut().iter_mut().zip(phi) {
                    *d = p.exp();
                }
            }
            // θ(1 − θ) without cancellation.
            Self::Unit => out[[0, 0]] = (-softplus_scalar(-phi[0]) - softplus_scalar(phi[0])).exp(),
            Self::Simplex { .. } => {
                let mut theta = vec![0.0; n];
                self.constrain(phi, &mut theta);
                for i in 0..n {
                    for j in 0..n {
                        out[[i, j]] = theta[i] * (f64::from(u8::from(i == j)) - theta[j]);
                    }
                }
            }
            Self::PositiveDefinite { order } => {
                let l = lower(phi);
                // dΣ_ij = Σ_k dL_ik L_jk + L_ik dL_jk, and dL_kk = L_kk dφ_kk.
                for i in 0..order {
                    for j in 0..=i {
                        for k in 0..=j {
                            let row = vech_index(i, j);
                            let chain = |a: usize| if a == k { l(a, a) } else { 1.0 };
                            out[[row, vech_index(i, k)]] += chain(i) * l(j, k);
                            out[[row, vech_index(j, k)]] += chain(j) * l(i, k);
                        }
                    }
                }
            }
        }
    }
}

fn map(from: &[f64], to: &mut [f64], f: impl Fn(f64) -> f64) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = f(*from);
    }
}

/// L_ij of the factor with the logarithm of its diagonal in `phi`.
fn lower(phi: &[f64]) -> impl Fn(usize, usize) -> f64 {
    |i, j| if i == j { phi[vech_index(i, i)].exp() } else { phi[vech_index(i, j)] }
}

/// The Cholesky factor of vech Σ; NaN where Σ is not positive definite.
fn factor(order: usize, sigma: &[f64], l: &mut [f64]) {
    for i in 0..order {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| l[vech_index(i, k)] * l[vech_index(j, k)]).sum();
            let rest = sigma[vech_index(i, j)] - dot;
            l[vech_index(i, j)] = if i == j { rest.sqrt() } else { rest / l[vech_index(j, j)] };
        }
    }
}
