//! Data with missing values within a tile: what products with zeros for those values leave out.
//!
//! Of all data that lack the columns m and have o, under one component with η, and M the inverse of the Cholesky factor
//! of Λ_mm:
//! ```text
//! y = M ((Λμ)_m − Λ_mo x_o) = u + V x_o,      x_m ~ N(Mᵀy, MᵀM)
//! log ∫ exp⟨η, T(x)⟩ dx_m = ⟨η, T(x_o, 0)⟩ + ½|y|² + ½ m log 2π + log |M|
//! E[T(x)] = T(x_o, 0) + what has x_m:  E x_m,  E x_m x_oᵀ,  E x_m x_mᵀ
//! ```
//! u, V and M are computed once per tile, pattern of missing columns and component, and nothing is kept whose size is the
//! number of patterns. Components stand side by side, so that they fill vectors whatever m is.

use std::ops::Range;

use ndarray::ArrayRef2;
use vi_core::numerics::PANEL;

use super::components::{row, row_mut};
use super::data::Missing;
use super::layout::{Layout, Products};
use crate::checks::LOG_2_PI;

/// The data of a tile that lack values.
#[derive(Debug, Default)]
pub(super) struct Incomplete {
    /// (pattern, lane of the tile), sorted.
    data: Vec<(usize, usize)>,
    /// ½ m log 2π + log |M| (patterns of the tile, rows of η).
    constants: Vec<f64>,
    law: Law,
    moments: Moments,
}

impl Incomplete {
    /// Those among the data `rows` of the tile, which are loaded into x (panels, D, 32): zero where they are missing.
    pub(super) fn load(
        &mut self,
        missing: Option<&Missing>,
        rows: impl Iterator<Item = usize>,
        d: usize,
        x: &mut [f64],
    ) {
        self.data.clear();
        let Some(missing) = missing.filter(|m| !m.is_empty()) else { return };
        for (lane, n) in rows.enumerate() {
            let Some(pattern) = missing.pattern_of_row(n) else { continue };
            self.data.push((pattern, lane));
            for i in missing.columns_of_pattern(pattern) {
                x[(lane / PANEL * d + i) * PANEL + lane % PANEL] = 0.0;
            }
        }
        self.data.sort_unstable();
    }

    /// logits (panels, rows of η, 32) += what the integral over missing values adds.
    pub(super) fn add_to_logits(
        &mut self,
        layout: &Layout,
        eta: &ArrayRef2<f64>,
        missing: Option<&Missing>,
        x: &[f64],
        logits: &mut [f64],
    ) {
        self.constants.clear();
        let (Some(missing), law) = (missing, &mut self.law) else { return };
        for group in self.data.chunk_by(|a, b| a.0 == b.0) {
            law.set(layout, eta, missing.columns_of_pattern(group[0].0));
            self.constants.extend(&law.constant);
            for (_, lane) in group {
                law.set_y(x, *lane, layout.dim);
                for (k, constant) in law.constant.iter().enumerate() {
                    let squares: f64 = law.y.iter().skip(k).step_by(law.n).map(|y| y * y).sum();
                    logits[at(*lane, k, law.n)] += constant + 0.5 * squares;
                }
            }
        }
    }

    /// entropy (panels, rows of η / K, 32) += that of missing values given the assignment, under the weights of a softmax.
    pub(super) fn add_entropies(
        &self,
        missing: Option<&Missing>,
        n_components: usize,
        weights: &[f64],
        entropy: &mut [f64],
    ) {
        let Some(missing) = missing.filter(|_| !self.data.is_empty()) else { return };
        let n = self.law.n;
        for (group, constants) in self.data.chunk_by(|a, b| a.0 == b.0).zip(self.constants.chunks_exact(n)) {
            let half = 0.5 * missing.columns_of_pattern(group[0].0).len() as f64;
            for (_, lane) in group {
                for (s, constants) in constants.chunks_exact(n_components).enumerate() {
                    let terms = constants.iter().enumerate();
                    let terms = terms.map(|(k, c)| weights[at(*lane, s * n_components + k, n)] * (half + c));
                    entropy[at(*lane, s, n / n_components)] += terms.sum::<f64>();
                }
            }
        }
    }

    /// sums (rows of η, P) += what missing values add to Σ_n r_kn E\[T(x_n)\].
    pub(super) fn add_sums(
        &mut self,
        layout: &Layout,
        eta: &ArrayRef2<f64>,
        missing: Option<&Missing>,
        x: &[f64],
        weights: &[f64],
        sums: &mut ArrayRef2<f64>,
    ) {
        let (Some(missing), law) = (missing, &mut self.law) else { return };
        for group in self.data.chunk_by(|a, b| a.0 == b.0) {
            law.set(layout, eta, missing.columns_of_pattern(group[0].0));
            self.moments.clear(law);
            for (_, lane) in group {
                law.set_y(x, *lane, layout.dim);
                law.y_to_mean();
                self.moments.add(law, |k| weights[at(*lane, k, law.n)], |j| x[at(*lane, j, layout.dim)]);
            }
            self.moments.add_covariances(law);
            self.moments.add_to(law, layout, sums);
        }
    }
}

/// Where row `k` of `n` of a lane stands in panels.
fn at(lane: usize, k: usize, n: usize) -> usize {
    (lane / PANEL * n + k) * PANEL + lane % PANEL
}

/// Where entry (i, j), j ≤ i, of a triangle stands.
fn triangle(i: usize, j: usize) -> usize {
    i * (i + 1) / 2 + j
}

/// out += a b, element by element.
fn add_products(out: &mut [f64], a: &[f64], b: &[f64]) {
    for ((o, a), b) in out.iter_mut().zip(a).zip(b) {
        *o += a * b;
    }
}

fn multiply(out: &mut [f64], a: &[f64]) {
    out.iter_mut().zip(a).for_each(|(o, a)| *o *= a);
}

/// out += a x.
fn add_scaled(out: &mut [f64], a: &[f64], x: f64) {
    out.iter_mut().zip(a).for_each(|(o, a)| *o += a * x);
}

/// What is common to the data of a pattern: every value n times, once for each row of η.
#[derive(Debug, Default)]
struct Law {
    n: usize,
    /// m.
    columns: Vec<usize>,
    /// o, where missing values depend on them: not under precisions without correlations.
    observed: Vec<usize>,
    coupled: bool,
    /// The lower triangle of M, row by row (m (m + 1)/2, n).
    inverse: Vec<f64>,
    /// u (m, n).
    offset: Vec<f64>,
    /// V (m, o, n).
    slope: Vec<f64>,
    /// ½ m log 2π + log |M| (n).
    constant: Vec<f64>,
    /// y of a datum, or its mean Mᵀy (m, n).
    y: Vec<f64>,
}

impl Law {
    fn set(&mut self, layout: &Layout, eta: &ArrayRef2<f64>, columns: &[usize]) {
        let m = columns.len();
        self.n = eta.nrows();
        self.coupled = layout.products == Products::All;
        self.columns.clear();
        self.columns.extend(columns);
        self.observed.clear();
        if self.coupled {
            self.observed.extend((0..layout.dim).filter(|i| columns.binary_search(i).is_err()));
        }
        self.inverse.resize(triangle(m, 0) * self.n, 0.0);
        self.offset.resize(m * self.n, 0.0);
        self.slope.resize(m * self.observed.len() * self.n, 0.0);
        self.y.resize(m * self.n, 0.0);
        self.gather(layout, eta);
        self.invert();
        self.apply_inverse();
    }

    /// The columns whose entries in row i of a triangle are not zero, but for the diagonal.
    fn before(&self, i: usize) -> Range<usize> {
        if self.coupled { 0..i } else { i..i }
    }

    /// Λ_mm, (Λμ)_m and −Λ_mo, where M, u and V are to be.
    fn gather(&mut self, layout: &Layout, eta: &ArrayRef2<f64>) {
        let (n, o) = (self.n, self.observed.len());
        for k in 0..n {
            let eta = row(eta, k);
            for (i, a) in self.columns.iter().enumerate() {
                for (j, b) in self.columns[..=i].iter().enumerate() {
                    self.inverse[triangle(i, j) * n + k] = layout.precision_entry(eta, *a, *b);
                }
                self.offset[i * n + k] = eta[*a];
                for (j, b) in self.observed.iter().enumerate() {
                    self.slope[(i * o + j) * n + k] = -layout.precision_entry(eta, *a, *b);
                }
            }
        }
    }

    /// Λ_mm → M, row by row: with l the row of the Cholesky factor before the diagonal,
    /// ```text
    /// l = M_<i Λ_i,<i,     M_ii = (Λ_ii − |l|²)^(−½),     M_i,<i = −M_ii lᵀM_<i
    /// ```
    /// A pivot that is not positive makes it NaN.
    fn invert(&mut self) {
        let (n, m) = (self.n, self.columns.len());
        self.constant.clear();
        self.constant.resize(n, 0.5 * m as f64 * LOG_2_PI);
        for i in 0..m {
            let before = self.before(i);
            let (done, current) = self.inverse.split_at_mut(triangle(i, 0) * n);
            let (current, diagonal) = current[..(i + 1) * n].split_at_mut(i * n);
            let l = &mut self.y;
            l.fill(0.0);
            for j in before.clone() {
                let l = &mut l[j * n..(j + 1) * n];
                for p in 0..=j {
                    add_products(l, &done[triangle(j, p) * n..], &current[p * n..]);
                }
                diagonal.iter_mut().zip(&*l).for_each(|(d, l)| *d -= l * l);
            }
            for (d, constant) in diagonal.iter_mut().zip(&mut self.constant) {
                *d = if *d > 0.0 { d.sqrt().recip() } else { f64::NAN };
                *constant += d.ln();
            }
            for j in before {
                let current = &mut current[j * n..(j + 1) * n];
                current.fill(0.0);
                for p in j..i {
                    add_products(current, &l[p * n..(p + 1) * n], &done[triangle(p, j) * n..]);
                }
                current.iter_mut().zip(&*diagonal).for_each(|(c, d)| *c *= -d);
            }
        }
    }

    /// u ← M (Λμ)_m and V ← −M Λ_mo, from the last row on.
    fn apply_inverse(&mut self) {
        let n = self.n;
        let width = self.observed.len() * n;
        for i in (0..self.columns.len()).rev() {
            let before = self.before(i);
            let entry = |j: usize| &self.inverse[triangle(i, j) * n..(triangle(i, j) + 1) * n];
            for (values, width) in [(&mut self.offset, n), (&mut self.slope, width)] {
                let (above, current) = values.split_at_mut(i * width);
                for (c, current) in current[..width].chunks_exact_mut(n).enumerate() {
                    multiply(current, entry(i));
                    for j in before.clone() {
                        add_products(current, entry(j), &above[j * width + c * n..]);
                    }
                }
            }
        }
    }

    /// y of the datum in this lane of x (panels, D, 32).
    fn set_y(&mut self, x: &[f64], lane: usize, d: usize) {
        self.y.copy_from_slice(&self.offset);
        let n = self.n;
        for (y, slope) in
            self.y.chunks_exact_mut(n).zip(self.slope.chunks_exact(self.observed.len().max(1) * n))
        {
            for (slope, j) in slope.chunks_exact(n).zip(&self.observed) {
                add_scaled(y, slope, x[at(lane, *j, d)]);
            }
        }
    }

    /// y → Mᵀy.
    fn y_to_mean(&mut self) {
        let n = self.n;
        for i in 0..self.columns.len() {
            let (current, below) = self.y[i * n..].split_at_mut(n);
            multiply(current, &self.inverse[triangle(i, i) * n..]);
            if self.coupled {
                for (j, y) in (i + 1..).zip(below.chunks_exact(n)) {
                    add_products(current, &self.inverse[triangle(j, i) * n..], y);
                }
            }
        }
    }
}

/// Weighted sums over the data of a pattern, laid out as its [`Law`].
#[derive(Debug, Default)]
struct Moments {
    /// Σ r (n).
    count: Vec<f64>,
    /// Σ r E x_m (m, n).
    first: Vec<f64>,
    /// Σ r E x_m x_oᵀ (m, o, n).
    cross: Vec<f64>,
    /// Σ r E x_m x_mᵀ, the lower triangle row by row (m (m + 1)/2, n).
    second: Vec<f64>,
    /// r (n), and r E x_m of one column (n).
    weight: Vec<f64>,
    weighted: Vec<f64>,
}

impl Moments {
    fn clear(&mut self, law: &Law) {
        for (values, n) in [
            (&mut self.count, law.n),
            (&mut self.first, law.offset.len()),
            (&mut self.cross, law.slope.len()),
            (&mut self.second, law.inverse.len()),
            (&mut self.weight, law.n),
            (&mut self.weighted, law.n),
        ] {
            values.clear();
            values.resize(n, 0.0);
        }
    }

    /// Adds the datum whose means are in `law`.
    fn add(&mut self, law: &Law, weight: impl Fn(usize) -> f64, x: impl Fn(usize) -> f64) {
        let (n, o) = (law.n, law.observed.len());
        self.weight.iter_mut().enumerate().for_each(|(k, w)| *w = weight(k));
        add_scaled(&mut self.count, &self.weight, 1.0);
        for (i, mean) in law.y.chunks_exact(n).enumerate() {
            self.weighted.copy_from_slice(mean);
            multiply(&mut self.weighted, &self.weight);
            add_scaled(&mut self.first[i * n..(i + 1) * n], &self.weighted, 1.0);
            let cross = self.cross[i * o * n..(i + 1) * o * n].chunks_exact_mut(n);
            for (cross, j) in cross.zip(&law.observed) {
                add_scaled(cross, &self.weighted, x(*j));
            }
            for j in law.before(i).chain([i]) {
                let second = &mut self.second[triangle(i, j) * n..(triangle(i, j) + 1) * n];
                add_products(second, &self.weighted, &law.y[j * n..]);
            }
        }
    }

    /// Adds Σ r MᵀM.
    fn add_covariances(&mut self, law: &Law) {
        let (n, m) = (law.n, law.columns.len());
        for i in 0..m {
            for j in law.before(i).chain([i]) {
                let second = &mut self.second[triangle(i, j) * n..(triangle(i, j) + 1) * n];
                for p in if law.coupled { i..m } else { i..i + 1 } {
                    let (a, b) = (&law.inverse[triangle(p, i) * n..], &law.inverse[triangle(p, j) * n..]);
                    for (((s, count), a), b) in second.iter_mut().zip(&self.count).zip(a).zip(b) {
                        *s += count * a * b;
                    }
                }
            }
        }
    }

    /// Adds these to sums of all features (n, P).
    fn add_to(&self, law: &Law, layout: &Layout, sums: &mut ArrayRef2<f64>) {
        let (n, o) = (law.n, law.observed.len());
        for k in 0..n {
            let sums = row_mut(sums, k);
            for (i, a) in law.columns.iter().enumerate() {
                sums[*a] += self.first[i * n + k];
                for (j, b) in law.observed.iter().enumerate() {
                    sums[layout.product(*a, *b)] += self.cross[(i * o + j) * n + k];
                }
                for j in law.before(i).chain([i]) {
                    sums[layout.product(*a, law.columns[j])] += self.second[triangle(i, j) * n + k];
                }
            }
        }
    }
}
