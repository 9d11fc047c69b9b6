//! Where the features of a datum stand.
//!
//! ```text
//! T(x) = (x_i,  products,  1)
//! products:  x_i x_j (j ≤ i, row by row);  x_i²;  Σ x_i²;  none
//! log π_k + log N(x | μ_k, Λ_k⁻¹) = ⟨η_k, T(x)⟩  (− ½ xᵀΛx where products are none)
//! η_k = (Λ_k μ_k,  −½ Λ_k,ii or −Λ_k,ij,  log π_k + ½ log |Λ_k| − (D/2) log 2π − ½ μ_kᵀ Λ_k μ_k)
//! ```

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2};
use vi_core::numerics::{PANEL, panel_pairs};

use super::components::ComponentStats;
use super::covariance::Covariance;
use crate::checks::LOG_2_PI;

/// The products of two coordinates that are among the features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Products {
    /// x_i x_j, j ≤ i.
    All,
    /// x_i².
    Squares,
    /// Σ x_i².
    Norm,
    /// None: a precision that all components share adds the same to all of them.
    None,
}

#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) dim: usize,
    pub(super) products: Products,
    /// P.
    pub(super) n_features: usize,
    /// (i, j) of every product, unless there is only the norm.
    pairs: Vec<(usize, usize)>,
}

impl Layout {
    /// With the products that densities of this shape need.
    pub(super) fn of(covariance: Covariance, dim: usize) -> Self {
        match covariance {
            Covariance::Full | Covariance::Tied => Self::new(Products::All, dim),
            Covariance::Diagonal => Self::new(Products::Squares, dim),
            Covariance::Spherical => Self::new(Products::Norm, dim),
        }
    }

    pub(super) fn new(products: Products, dim: usize) -> Self {
        let pairs: Vec<_> = match products {
            Products::All => (0..dim).flat_map(|i| (0..=i).map(move |j| (i, j))).collect(),
            Products::Squares => (0..dim).map(|i| (i, i)).collect(),
            Products::Norm | Products::None => Vec::new(),
        };
        let n_products = if products == Products::Norm { 1 } else { pairs.len() };
        Self { dim, products, n_features: dim + n_products + 1, pairs }
    }

    /// Where x_i x_j stands.
    pub(super) fn product(&self, i: usize, j: usize) -> usize {
        let (i, j) = (i.max(j), i.min(j));
        match self.products {
            Products::All => self.dim + i * (i + 1) / 2 + j,
            Products::Squares => self.dim + i,
            Products::Norm | Products::None => self.dim,
        }
    }

    /// Σ r, of the sums Σ r T(x) (P).
    pub(super) fn count(&self, sums: &[f64]) -> f64 {
        sums[self.n_features - 1]
    }

    /// Σ r x_i x_j, of the sums Σ r T(x) (P); for products of the other shapes only i = j, or Σ r |x|².
    pub(super) fn second_moment(&self, sums: &[f64], i: usize, j: usize) -> f64 {
        sums[self.product(i, j)]
    }

    /// Calls `f(p, η_p)` for every coefficient of component `k`.
    pub(super) fn for_each_coefficient(
        &self,
        covariance: Covariance,
        log_weight: f64,
        stats: &ComponentStats,
        k: usize,
        mut f: impl FnMut(usize, f64),
    ) {
        let (d, at) = (self.dim, covariance.of(k));
        let precision = stats.precision_of(at);
        stats.precision_mean.row(k).iter().enumerate().for_each(|(i, v)| f(i, *v));
        match self.products {
            Products::All => {
                for (p, (i, j)) in self.pairs.iter().enumerate() {
                    let value = precision[i * d + j];
                    f(d + p, if i == j { -0.5 * value } else { -value });
                }
            }
            Products::Squares | Products::Norm => {
                precision.iter().enumerate().for_each(|(i, v)| f(d + i, -0.5 * v));
            }
            Products::None => {}
        }
        let constant =
            log_weight + 0.5 * (stats.log_det[at] - stats.quadratic[k]) - 0.5 * d as f64 * LOG_2_PI;
        f(self.n_features - 1, constant);
    }

    /// Overwrites `eta` (K, P).
    pub(super) fn set_coefficients(
        &self,
        covariance: Covariance,
        log_weights: &ArrayRef1<f64>,
        stats: &ComponentStats,
        eta: &mut ArrayRef2<f64>,
    ) {
        for (k, mut eta) in eta.rows_mut().into_iter().enumerate() {
            self.for_each_coefficient(covariance, log_weights[k], stats, k, |p, v| eta[p] = v);
        }
    }

    /// Λ_ij, of the coefficients η (P).
    pub(super) fn precision_entry(&self, eta: &[f64], i: usize, j: usize) -> f64 {
        match (i == j, self.products) {
            (true, _) => -2.0 * eta[self.product(i, i)],
            (false, Products::All) => -eta[self.product(i, j)],
            (false, _) => 0.0,
        }
    }

    /// Calls `f(p, T_p(x))` for every feature of a datum x (D).
    pub(super) fn for_each_feature(&self, x: &[f64], mut f: impl FnMut(usize, f64)) {
        let d = self.dim;
        x.iter().enumerate().for_each(|(i, v)| f(i, *v));
        if self.products == Products::Norm {
            f(d, x.iter().map(|x| x * x).sum());
        }
        for (p, (i, j)) in self.pairs.iter().enumerate() {
            f(d + p, x[*i] * x[*j]);
        }
        f(self.n_features - 1, 1.0);
    }

    /// The features `range` of the panels of coordinates `x` (panels, D, 32) into `out` (panels, range, 32).
    ///
    /// `ones` (panels, 32) is the last feature: zero where a panel has no datum.
    pub(super) fn set_features(&self, range: Range<usize>, x: &[f64], ones: &[f64], out: &mut [f64]) {
        let (d, width) = (self.dim, range.len());
        let last = self.n_features - 1;
        for ((x, ones), out) in
            x.chunks_exact(d * PANEL).zip(ones.chunks_exact(PANEL)).zip(out.chunks_exact_mut(width * PANEL))
        {
            if range.start < d {
                let x = &x[range.start * PANEL..range.end.min(d) * PANEL];
                out[..x.len()].copy_from_slice(x);
            }
            if self.products == Products::Norm && range.contains(&d) {
                let out = &mut out[(d - range.start) * PANEL..(d - range.start + 1) * PANEL];
                out.fill(0.0);
                for x in x.chunks_exact(PANEL) {
                    out.iter_mut().zip(x).for_each(|(o, x)| *o += x * x);
                }
            }
            if range.contains(&last) {
                out[(width - 1) * PANEL..].copy_from_slice(ones);
            }
        }
        let pairs = range.start.max(d)..range.end.min(d + self.pairs.len());
        if !pairs.is_empty() {
            let first = pairs.start - range.start;
            panel_pairs(x, d, &self.pairs[pairs.start - d..pairs.end - d], out, width, first);
        }
    }
}
