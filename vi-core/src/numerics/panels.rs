//! Products over data that stand in panels, and the softmax between them: what one sweep of a mixture does.
//!
//! Data are cut into panels of [`PANEL`]; within a panel every feature is a contiguous row of [`PANEL`] values, so that
//! data fill the lanes of vectors and nothing is padded but the last panel.
//!
//! ```text
//! products_kn = Σ_p rows_kp features_pn        weights = softmax over k        sums_kp = Σ_n weights_kn features_pn
//! ```
//! Both products keep their results in registers: 6 × 32 of the first, 5 × 4 vectors of the second, which are added up
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
/// Data are added lane by lane, so that bits depend on the width of vectors; not on K, nor on where P is cut.
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

/// Rows `first..` of the panels of `out` (panels, width, [`PANEL`]) ← the products x_i x_j of rows of x (panels, D,
/// [`PANEL`]), for the pairs (i, j) in turn.
///
/// # Panics
/// If the shapes do not fit.
pub fn panel_pairs(
    x: &[f64],
    d: usize,
    pairs: &[(usize, usize)],
    out: &mut [f64],
    width: usize,
    first: usize,
) {
    assert!(first + pairs.len() <= width, "{} rows from {first} on, of {width}", pairs.len());
    if d > 0 && width > 0 {
        dispatch_vectors(Pairs { x, d, pairs, out, width, first });
    }
}

struct Pairs<'a> {
    x: &'a [f64],
    d: usize,
    pairs: &'a [(usize, usize)],
    out: &'a mut [f64],
    width: usize,
    first: usize,
}

impl VectorOp for Pairs<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, A: Arithmetic>(self, simd: S) {
        match PANEL / S::F64_LANES {
            4 => self.run_with::<S, 4>(simd),
            8 => self.run_with::<S, 8>(simd),
            16 => self.run_with::<S, 16>(simd),
            _ => self.run_with::<S, 32>(simd),
        }
    }
}

impl Pairs<'_> {
    #[inline(always)]
    fn run_with<S: Simd, const W: usize>(self, simd: S) {
        let Self { x, d, pairs, out, width, first } = self;
        let x = S::as_simd_f64s(x).0.as_chunks::<W>().0.chunks_exact(d);
        let out = S::as_mut_simd_f64s(out).0.as_chunks_mut::<W>().0.chunks_exact_mut(width);
        for (x, out) in x.zip(out) {
            for ((i, j), out) in pairs.iter().zip(&mut out[first..]) {
                let (a, b) = (&x[*i], &x[*j]);
                for v in 0..W {
                    out[v] = simd.mul_f64s(a[v], b[v]);
                }
            }
        }
    }
}

/// Rows whose products with a panel are formed together.
pub(super) const ROWS: usize = 6;

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
        // As many vectors of a panel beside a row as there are registers for ROWS times as many sums. Groups of them are
        // counted at compile time, so that no index is checked in the loops.
        if S::REGISTER_COUNT >= 32 {
            match PANEL / S::F64_LANES / 4 {
                1 => self.run_with::<S, 4, 1>(simd),
                2 => self.run_with::<S, 4, 2>(simd),
                4 => self.run_with::<S, 4, 4>(simd),
                _ => self.run_with::<S, 4, 8>(simd),
            }
        } else {
            match PANEL / S::F64_LANES / 2 {
                4 => self.run_with::<S, 2, 4>(simd),
                8 => self.run_with::<S, 2, 8>(simd),
                _ => self.run_with::<S, 2, 16>(simd),
            }
        }
    }
}

impl Products<'_> {
    #[inline(always)]
    fn run_with<S: Simd, const N: usize, const G: usize>(self, simd: S) {
        let Self { rows, features, products, accumulate } = self;
        let (k, p) = rows.dim();
        let blocks = k.div_ceil(ROWS);
        for (features, products) in features.chunks_exact(p * PANEL).zip(products.chunks_exact_mut(k * PANEL))
        {
            let features = S::as_simd_f64s(features).0.as_chunks::<N>().0.as_chunks::<G>().0;
            let products = S::as_mut_simd_f64s(products).0.as_chunks_mut::<N>().0.as_chunks_mut::<G>().0;
            let mut first = 0;
            for b in 0..blocks {
                // Blocks of almost equal height.
                let last = (b + 1) * k / blocks;
                let out = &mut products[first..last];
                match last - first {
                    1 => block::<S, N, G, 1>(simd, &rows, first, features, out, accumulate),
                    2 => block::<S, N, G, 2>(simd, &rows, first, features, out, accumulate),
                    3 => block::<S, N, G, 3>(simd, &rows, first, features, out, accumulate),
                    4 => block::<S, N, G, 4>(simd, &rows, first, features, out, accumulate),
                    5 => block::<S, N, G, 5>(simd, &rows, first, features, out, accumulate),
                    _ => block::<S, N, G, 6>(simd, &rows, first, features, out, accumulate),
                }
                first = last;
            }
        }
    }
}

/// R rows from `first` on times one panel, N vectors of it at a time.
#[inline(always)]
fn block<S: Simd, const N: usize, const G: usize, const R: usize>(
    simd: S,
    all: &ArrayView2<'_, f64>,
    first: usize,
    features: &[[[S::f64s; N]; G]],
    products: &mut [[[S::f64s; N]; G]],
    accumulate: bool,
) {
    let Some((products, _)) = products.split_first_chunk_mut::<R>() else { return };
    let mut rows: [&[f64]; R] = [&[]; R];
    for (r, row) in rows.iter_mut().enumerate() {
        *row = &all.row(first + r).to_slice().expect("the rows are contiguous")[..features.len()];
    }
    for g in 0..G {
        let mut sums = [[simd.splat_f64s(0.0); N]; R];
        if accumulate {
            for r in 0..R {
                sums[r] = products[r][g];
            }
        }
        for (j, features) in features.iter().enumerate() {
            for r in 0..R {
                let coefficient = simd.splat_f64s(rows[r][j]);
                for v in 0..N {
                    sums[r][v] = simd.mul_add_e_f64s(coefficient, features[g][v], sums[r][v]);
                }
            }
        }
        for r in 0..R {
            products[r][g] = sums[r];
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
        // Five weights times four features, or five times two, leave registers for what is loaded. The vectors of a
        // panel are counted at compile time.
        if S::REGISTER_COUNT >= 32 {
            match PANEL / S::F64_LANES {
                4 => self.run_with::<S, 5, 4, 4>(simd),
                8 => self.run_with::<S, 5, 4, 8>(simd),
                16 => self.run_with::<S, 5, 4, 16>(simd),
                _ => self.run_with::<S, 5, 4, 32>(simd),
            }
        } else {
            match PANEL / S::F64_LANES {
                8 => self.run_with::<S, 5, 2, 8>(simd),
                16 => self.run_with::<S, 5, 2, 16>(simd),
                _ => self.run_with::<S, 5, 2, 32>(simd),
            }
        }
    }
}

impl Sums<'_> {
    #[inline(always)]
    fn run_with<S: Simd, const R: usize, const C: usize, const W: usize>(self, simd: S) {
        let Self { weights, features, mut sums } = self;
        let (k, p) = sums.dim();
        let weights = S::as_simd_f64s(weights).0.as_chunks::<W>().0;
        let features = S::as_simd_f64s(features).0.as_chunks::<W>().0;
        let blocks = k.div_ceil(R);
        let mut first = 0;
        for b in 0..blocks {
            // Blocks of almost equal height: a low one would wait for its own sums.
            let height = (b + 1) * k / blocks - first;
            for column in (0..p).step_by(C) {
                let at = Corner { k, p, first, column };
                let tile = match height {
                    1 => corner::<S, 1, R, C, W>(simd, weights, features, at),
                    2 => corner::<S, 2, R, C, W>(simd, weights, features, at),
                    3 if R > 3 => corner::<S, 3, R, C, W>(simd, weights, features, at),
                    4 if R > 4 => corner::<S, 4, R, C, W>(simd, weights, features, at),
                    _ => corner::<S, R, R, C, W>(simd, weights, features, at),
                };
                for (r, tile) in tile.iter().enumerate().take(height) {
                    for (c, value) in tile.iter().enumerate().take(p - column) {
                        sums[[first + r, column + c]] += value;
                    }
                }
            }
            first += height;
        }
    }
}

/// Which of the K × P sums.
#[derive(Clone, Copy)]
struct Corner {
    k: usize,
    p: usize,
    first: usize,
    column: usize,
}

/// M rows of the weights times C features, over all panels. Columns beyond the last repeat it.
#[inline(always)]
fn corner<S: Simd, const M: usize, const R: usize, const C: usize, const W: usize>(
    simd: S,
    weights: &[[S::f64s; W]],
    features: &[[S::f64s; W]],
    at: Corner,
) -> [[f64; C]; R] {
    let mut columns = [at.column; C];
    for (c, column) in columns.iter_mut().enumerate() {
        *column = (at.column + c).min(at.p - 1);
    }
    let mut sums = [[simd.splat_f64s(0.0); C]; M];
    for (weights, features) in weights.chunks_exact(at.k).zip(features.chunks_exact(at.p)) {
        let Some(weights) = weights[at.first..].first_chunk::<M>() else { continue };
        let mut panel = [&features[0]; C];
        for c in 0..C {
            panel[c] = &features[columns[c]];
        }
        for v in 0..W {
            for c in 0..C {
                let feature = panel[c][v];
                for r in 0..M {
                    sums[r][c] = simd.mul_add_e_f64s(weights[r][v], feature, sums[r][c]);
                }
            }
        }
    }
    let mut out = [[0.0; C]; R];
    for r in 0..M {
        for c in 0..C {
            out[r][c] = simd.reduce_sum_f64s(sums[r][c]);
        }
    }
    out
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
    fn pairs_are_products_of_rows() {
        let (x, pairs) = (values(2 * 3 * PANEL, 0.4), [(0, 0), (2, 1)]);
        on_each_level(|level| {
            let mut out = vec![7.0; 2 * 4 * PANEL];
            panel_pairs(&x, 3, &pairs, &mut out, 4, 1);
            for n in 0..2 * PANEL {
                let at =
                    |v: &[f64], width: usize, row: usize| v[(n / PANEL * width + row) * PANEL + n % PANEL];
                for (p, (i, j)) in pairs.iter().enumerate() {
                    assert_eq!(at(&out, 4, 1 + p), at(&x, 3, *i) * at(&x, 3, *j), "{level}");
                }
                assert_eq!((at(&out, 4, 0), at(&out, 4, 3)), (7.0, 7.0), "{level}");
            }
        });
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
