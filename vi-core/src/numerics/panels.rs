//! Products over data that stand in panels, and the softmax between them: what one sweep of a mixture does.
//!
//! Data are cut into panels of [`PANEL`]; within a panel every feature is a contiguous row of [`PANEL`] values, so that
//! data fill the lanes of vectors and nothing is padded but the last panel.
//!
//! ```text
//! products_kn = Σ_p rows_kp features_pn        weights = softmax over k        sums_kp = Σ_n weights_kn features_pn
//! ```
//! Both products keep their results in registers: 6 × 32 of the first, 5 × 5 vectors of the second, which are added up
//! across lanes once for all panels of a call.

use ndarray::{ArrayRef2, ArrayView2, ArrayViewMut2};
use pulp::Simd;

use super::dispatch::{Op, VectorOp, dispatch, dispatch_vectors};
use super::elementwise::BLOCK;
use super::kernel::{self, Arithmetic};

/// Data per panel.
pub const PANEL: usize = BLOCK;

/// The number of panels of `n` data.
pub fn n_panels(n: usize) -> usize {
    n.div_ceil(PANEL)
}

/// products (panels, K, [`PANEL`]) ← rows (K, P) · features (panels, P, [`PANEL`]), or += with `accumulate`.
///
/// A sum runs over p in order and its bits do not depend on K, on the panel, or on where blocks of p are cut.
///
/// # Panics
/// If the shapes do not fit, or a row of `rows` is not contiguous.
pub fn panel_products(rows: &ArrayRef2<f64>, features: &[f64], products: &mut [f64], accumulate: bool) {
    let (k, p) = rows.dim();
    if k == 0 || p == 0 {
        return products.fill(0.0);
    }
    let panels = features.len() / (p * PANEL);
    assert_eq!(features.len(), panels * p * PANEL, "features of {panels} panels");
    assert_eq!(products.len(), panels * k * PANEL, "products of {panels} panels");
    dispatch_vectors(Products { rows: rows.view(), features, products, accumulate });
}

/// sums (K, P) += weights (panels, K, [`PANEL`]) · features (panels, P, [`PANEL`])ᵀ, summed over all data.
///
/// # Panics
/// If the shapes do not fit.
pub fn add_panel_sums(weights: &[f64], features: &[f64], sums: &mut ArrayRef2<f64>) {
    let (k, p) = sums.dim();
    if k == 0 || p == 0 {
        return;
    }
    let panels = features.len() / (p * PANEL);
    assert_eq!(features.len(), panels * p * PANEL, "features of {panels} panels");
    assert_eq!(weights.len(), panels * k * PANEL, "weights of {panels} panels");
    dispatch_vectors(Sums { weights, features, sums: sums.view_mut() });
}

/// Overwrites logits (groups, K, [`PANEL`]) with their softmax over K; log Σ_k exp into `log_normaliser`
/// (groups, [`PANEL`]) and −Σ_k r log r into `entropy` (groups, [`PANEL`]).
///
/// Where all logits are −∞ the weights are 0, the log normaliser is −∞ and the entropy 0. NaN stays NaN.
///
/// # Panics
/// If the shapes do not fit.
pub fn softmax_panels(
    logits: &mut [f64],
    n_components: usize,
    log_normaliser: &mut [f64],
    entropy: &mut [f64],
) {
    let groups = log_normaliser.len() / PANEL;
    assert_eq!(log_normaliser.len(), groups * PANEL, "log normalisers of {groups} groups");
    assert_eq!(entropy.len(), groups * PANEL, "entropies of {groups} groups");
    assert_eq!(logits.len(), groups * n_components * PANEL, "logits of {groups} groups");
    if n_components > 0 {
        dispatch(Softmax { logits, n_components, log_normaliser, entropy });
    }
}

/// Rows whose products with a panel are formed together.
const ROWS: usize = 6;

struct Products<'a> {
    rows: ArrayView2<'a, f64>,
    features: &'a [f64],
    products: &'a mut [f64],
    accumulate: bool,
}

impl VectorOp for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, A: Arithmetic>(self, simd: S) {
        // As many vectors of a panel beside a row as there are registers for ROWS times as many sums.
        if S::REGISTER_COUNT >= 32 { self.run_with::<S, 4>(simd) } else { self.run_with::<S, 2>(simd) }
    }
}

impl Products<'_> {
    #[inline(always)]
    fn run_with<S: Simd, const N: usize>(self, simd: S) {
        let Self { rows, features, products, accumulate } = self;
        let (k, p) = rows.dim();
        let blocks = k.div_ceil(ROWS);
        for (features, products) in features.chunks_exact(p * PANEL).zip(products.chunks_exact_mut(k * PANEL))
        {
            let (features, _) = S::as_simd_f64s(features);
            let (products, _) = S::as_mut_simd_f64s(products);
            let width = features.len() / p;
            let mut first = 0;
            for b in 0..blocks {
                // Blocks of almost equal height.
                let last = (b + 1) * k / blocks;
                let out = &mut products[first * width..last * width];
                let row = |r: usize| contiguous(&rows, first + r);
                match last - first {
                    1 => block::<S, N, 1>(simd, std::array::from_fn(row), features, out, accumulate),
                    2 => block::<S, N, 2>(simd, std::array::from_fn(row), features, out, accumulate),
                    3 => block::<S, N, 3>(simd, std::array::from_fn(row), features, out, accumulate),
                    4 => block::<S, N, 4>(simd, std::array::from_fn(row), features, out, accumulate),
                    5 => block::<S, N, 5>(simd, std::array::from_fn(row), features, out, accumulate),
                    _ => block::<S, N, 6>(simd, std::array::from_fn(row), features, out, accumulate),
                }
                first = last;
            }
        }
    }
}

#[inline(always)]
fn contiguous<'a>(rows: &'a ArrayView2<'_, f64>, k: usize) -> &'a [f64] {
    let row = rows.row(k);
    row.to_slice().expect("the rows are contiguous")
}

/// R rows times one panel, N vectors of it at a time.
#[inline(always)]
fn block<S: Simd, const N: usize, const R: usize>(
    simd: S,
    rows: [&[f64]; R],
    features: &[S::f64s],
    products: &mut [S::f64s],
    accumulate: bool,
) {
    let p = rows[0].len();
    let rows = rows.map(|row| &row[..p]);
    let width = features.len() / p;
    for start in (0..width).step_by(N) {
        let mut sums = [[simd.splat_f64s(0.0); N]; R];
        if accumulate {
            for (r, sums) in sums.iter_mut().enumerate() {
                sums.copy_from_slice(&products[r * width + start..r * width + start + N]);
            }
        }
        for (j, features) in features.chunks_exact(width).enumerate() {
            let features = &features[start..start + N];
            for r in 0..R {
                let coefficient = simd.splat_f64s(rows[r][j]);
                for v in 0..N {
                    sums[r][v] = simd.mul_add_e_f64s(coefficient, features[v], sums[r][v]);
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            products[r * width + start..r * width + start + N].copy_from_slice(sums);
        }
    }
}

struct Sums<'a> {
    weights: &'a [f64],
    features: &'a [f64],
    sums: ArrayViewMut2<'a, f64>,
}

impl VectorOp for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, A: Arithmetic>(self, simd: S) {
        // C weights times C features fill the registers.
        if S::REGISTER_COUNT >= 32 { self.run_with::<S, 5>(simd) } else { self.run_with::<S, 3>(simd) }
    }
}

impl Sums<'_> {
    #[inline(always)]
    fn run_with<S: Simd, const C: usize>(self, simd: S) {
        let Self { weights, features, mut sums } = self;
        let (k, p) = sums.dim();
        let (weights, _) = S::as_simd_f64s(weights);
        let (features, _) = S::as_simd_f64s(features);
        for first in (0..k).step_by(C) {
            for column in (0..p).step_by(C) {
                let mut tile = [[0.0; C]; C];
                match k - first {
                    1 => corner::<S, 1, C>(simd, weights, features, (k, p), (first, column), &mut tile),
                    2 => corner::<S, 2, C>(simd, weights, features, (k, p), (first, column), &mut tile),
                    3 => corner::<S, 3, C>(simd, weights, features, (k, p), (first, column), &mut tile),
                    4 if C > 3 => {
                        corner::<S, 4, C>(simd, weights, features, (k, p), (first, column), &mut tile)
                    }
                    _ if C > 3 => {
                        corner::<S, 5, C>(simd, weights, features, (k, p), (first, column), &mut tile)
                    }
                    _ => corner::<S, 3, C>(simd, weights, features, (k, p), (first, column), &mut tile),
                }
                for (r, tile) in tile.iter().enumerate().take(k - first) {
                    for (c, value) in tile.iter().enumerate().take(p - column) {
                        sums[[first + r, column + c]] += value;
                    }
                }
            }
        }
    }
}

/// R rows of the weights times C features, over all panels. Columns beyond the last repeat it.
#[inline(always)]
fn corner<S: Simd, const R: usize, const C: usize>(
    simd: S,
    weights: &[S::f64s],
    features: &[S::f64s],
    (k, p): (usize, usize),
    (first, column): (usize, usize),
    out: &mut [[f64; C]; C],
) {
    let width = PANEL / S::F64_LANES;
    let mut sums = [[simd.splat_f64s(0.0); C]; R];
    for (weights, features) in weights.chunks_exact(k * width).zip(features.chunks_exact(p * width)) {
        let weights: [&[S::f64s]; R] = std::array::from_fn(|r| {
            let start = (first + r) * width;
            &weights[start..start + width]
        });
        let features: [&[S::f64s]; C] = std::array::from_fn(|c| {
            let start = (column + c).min(p - 1) * width;
            &features[start..start + width]
        });
        for v in 0..width {
            let w: [S::f64s; R] = std::array::from_fn(|r| weights[r][v]);
            for c in 0..C {
                let f = features[c][v];
                for r in 0..R {
                    sums[r][c] = simd.mul_add_e_f64s(w[r], f, sums[r][c]);
                }
            }
        }
    }
    for (out, sums) in out.iter_mut().zip(sums) {
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = simd.reduce_sum_f64s(sum);
        }
    }
}

struct Softmax<'a> {
    logits: &'a mut [f64],
    n_components: usize,
    log_normaliser: &'a mut [f64],
    entropy: &'a mut [f64],
}

impl Op for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let groups = self.logits.as_chunks_mut::<PANEL>().0.chunks_exact_mut(self.n_components);
        let log_normaliser = self.log_normaliser.as_chunks_mut::<PANEL>().0;
        let entropy = self.entropy.as_chunks_mut::<PANEL>().0;
        for ((rows, log_normaliser), entropy) in groups.zip(log_normaliser).zip(entropy) {
            softmax::<A>(rows, log_normaliser, entropy);
        }
    }
}

#[inline(always)]
fn softmax<A: Arithmetic>(
    rows: &mut [[f64; PANEL]],
    log_normaliser: &mut [f64; PANEL],
    entropy: &mut [f64; PANEL],
) {
    let mut max = [f64::NEG_INFINITY; PANEL];
    for row in rows.iter() {
        for i in 0..PANEL {
            max[i] = if row[i] > max[i] { row[i] } else { max[i] };
        }
    }
    // Where no component has any density, −∞ − (−∞) would be NaN.
    for m in &mut max {
        *m = if *m == f64::NEG_INFINITY { 0.0 } else { *m };
    }
    let (mut total, mut weighted) = ([0.0; PANEL], [0.0; PANEL]);
    for row in rows.iter_mut() {
        for i in 0..PANEL {
            let shifted = row[i] - max[i];
            let e = kernel::exp::<A>(shifted);
            total[i] += e;
            weighted[i] += if e == 0.0 { 0.0 } else { e * shifted };
            row[i] = e;
        }
    }
    let mut scale = [0.0; PANEL];
    for i in 0..PANEL {
        let log_total = kernel::log::<A>(total[i]);
        log_normaliser[i] = max[i] + log_total;
        scale[i] = if total[i] == 0.0 { 0.0 } else { 1.0 / total[i] };
        entropy[i] = if total[i] == 0.0 { 0.0 } else { log_total - weighted[i] * scale[i] };
    }
    for row in rows.iter_mut() {
        for i in 0..PANEL {
            row[i] *= scale[i];
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, s};

    use super::*;
    use crate::numerics::{log_sum_exp, on_each_level};

    fn values(n: usize, seed: f64) -> Vec<f64> {
        (0..n).map(|i| 3.0 * (i as f64 * 0.7 + seed).sin()).collect()
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-13 * (1.0 + b.abs())
    }

    #[test]
    fn products_and_sums_are_those_of_plain_loops_on_every_level() {
        for (k, p, panels) in
            [(1, 1, 1), (2, 6, 3), (6, 5, 2), (7, 21, 2), (10, 66, 2), (13, 11, 1), (50, 7, 1)]
        {
            let rows = Array2::from_shape_vec((k, p), values(k * p, 0.3)).unwrap();
            let features = values(panels * p * PANEL, 1.1);
            let weights = values(panels * k * PANEL, 2.2);
            on_each_level(|level| {
                let mut products = vec![f64::NAN; panels * k * PANEL];
                let cut = p / 2;
                if cut > 0 {
                    // In two blocks of features: the second one accumulates.
                    let part = |range: std::ops::Range<usize>| -> Vec<f64> {
                        let panel = features.chunks_exact(p * PANEL);
                        panel.flat_map(|f| f[range.start * PANEL..range.end * PANEL].to_vec()).collect()
                    };
                    panel_products(&rows.slice(s![.., ..cut]), &part(0..cut), &mut products, false);
                    panel_products(&rows.slice(s![.., cut..]), &part(cut..p), &mut products, true);
                } else {
                    panel_products(&rows, &features, &mut products, false);
                }
                let mut whole = vec![f64::NAN; products.len()];
                panel_products(&rows, &features, &mut whole, false);
                assert_eq!(whole, products, "{k}, {p}, {level}: bits depend on blocks");
                let mut sums = Array2::ones((k, p));
                add_panel_sums(&weights, &features, &mut sums);
                for i in 0..k {
                    for n in 0..panels * PANEL {
                        let (panel, lane) = (n / PANEL, n % PANEL);
                        let exact: f64 =
                            (0..p).map(|j| rows[[i, j]] * features[(panel * p + j) * PANEL + lane]).sum();
                        let got = products[(panel * k + i) * PANEL + lane];
                        assert!(close(got, exact), "{k}, {p}, {level}: {got} for {exact}");
                    }
                    for j in 0..p {
                        let term = |n: usize| {
                            let (panel, lane) = (n / PANEL, n % PANEL);
                            weights[(panel * k + i) * PANEL + lane] * features[(panel * p + j) * PANEL + lane]
                        };
                        let exact = 1.0 + (0..panels * PANEL).map(term).sum::<f64>();
                        assert!(
                            (sums[[i, j]] - exact).abs() < 1e-11,
                            "{level}: {} for {exact}",
                            sums[[i, j]]
                        );
                    }
                }
            });
        }
    }

    #[test]
    fn softmax_of_panels_is_the_softmax_of_every_datum() {
        let (k, groups) = (7, 2);
        let mut logits: Vec<f64> = values(groups * k * PANEL, 0.9).iter().map(|v| 40.0 * v).collect();
        // Lane 3 of the first group has no density, lane 4 only one component, lane 5 a NaN.
        for i in 0..k {
            logits[i * PANEL + 3] = f64::NEG_INFINITY;
            logits[i * PANEL + 4] = if i == 2 { -1e5 } else { f64::NEG_INFINITY };
        }
        logits[PANEL + 5] = f64::NAN;
        on_each_level(|level| {
            let mut weights = logits.clone();
            let (mut log_normaliser, mut entropy) = (vec![0.0; groups * PANEL], vec![0.0; groups * PANEL]);
            softmax_panels(&mut weights, k, &mut log_normaliser, &mut entropy);
            for n in 0..groups * PANEL {
                let (group, lane) = (n / PANEL, n % PANEL);
                let of =
                    |v: &[f64]| -> Vec<f64> { (0..k).map(|i| v[(group * k + i) * PANEL + lane]).collect() };
                let (l, r) = (of(&logits), of(&weights));
                match n {
                    3 => {
                        assert_eq!((log_normaliser[n], entropy[n]), (f64::NEG_INFINITY, 0.0));
                        assert!(r.iter().all(|r| *r == 0.0));
                    }
                    5 => assert!(log_normaliser[n].is_nan() && entropy[n].is_nan()),
                    _ => {
                        let total = log_sum_exp(&l);
                        assert!(
                            close(log_normaliser[n], total),
                            "{level}: {} for {total}",
                            log_normaliser[n]
                        );
                        let h: f64 = -r.iter().filter(|r| **r > 0.0).map(|r| r * r.ln()).sum::<f64>();
                        assert!((entropy[n] - h).abs() < 1e-12, "{level}: {} for {h}", entropy[n]);
                        for (r, l) in r.iter().zip(&l) {
                            assert!((r - (l - total).exp()).abs() < 1e-13);
                        }
                    }
                }
            }
        });
    }
}
