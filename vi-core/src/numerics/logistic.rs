//! The logistic likelihood and its gradient at a few points, from one pass over the data.

use std::ops::Range;

use ndarray::ArrayRef2;
use pulp::Simd;

use super::dispatch::{VectorOp, dispatch_vectors};
use super::kernel::{self, Arithmetic};
use super::reduce::fold;
use super::row_panels::{Column, PANEL_ROWS, RowPanels};
use crate::scratch;

/// Lanes of a gradient: one vector of the widest registers, and the order of the sum on narrower ones.
const LANES: usize = 8;

/// Vectors of rows whose predictors are formed together, each in two running sums.
const VECTORS: usize = 4;

/// Panels whose factors 1 + e^{−|η|} ≤ 2 are multiplied before a logarithm is taken.
const PANELS_PER_LOG: usize = 512;

/// Values of the gradients of points that are worked on together: half a first-level cache, and at least that of so many
/// points, which share what of x comes from further away.
const VALUES_IN_CACHE: usize = 1 << 12;
const LEAST_POINTS: usize = 16;

/// Values in a cache line.
const CACHE_LINE: usize = 8;

/// The sums of a point beside its gradient: Σ max(η, 0), Π (1 + e^{−|η|}) − 1 and the logarithms of such products so far.
const SUMS: usize = 3 * PANEL_ROWS;

/// Sums of softplus of linear predictors at some points z, and their gradients if they are wanted, while rows of x go by.
///
/// ```text
/// f_s = Σ_n log(1 + e^{η_ns}),   ∇f_s = Σ_n σ(η_ns) x_n,   η_ns = x_nᵀ z_s
/// ```
/// Predictors, sigmoids and gradient are formed panel by panel, so that x is read once for all points and nothing as large as N is
/// stored. The relative error of f is under 1e-13 beside what the predictors have. The bits of a point do not depend on the others.
#[derive(Debug)]
pub struct SoftplusSums<'a> {
    /// (S, D), row-major.
    z: &'a [f64],
    dim: usize,
    /// For every point its [`SUMS`], then its gradient (D) in [`LANES`] lanes.
    state: &'a mut [f64],
    stride: usize,
    n_factors: usize,
}

impl SoftplusSums<'_> {
    /// Calls `f` with sums of nothing at the points `z` (S, D), with or without a gradient, in scratch memory.
    pub fn with<R>(z: &ArrayRef2<f64>, gradient: bool, f: impl FnOnce(&mut SoftplusSums<'_>) -> R) -> R {
        let (n, dim) = z.dim();
        let stride = SUMS + if gradient { LANES * dim } else { 0 };
        scratch::with_arrays([n * dim, n * stride + CACHE_LINE], |[points, state]| {
            for (p, z) in points.iter_mut().zip(z) {
                *p = *z;
            }
            let start = state.as_ptr().align_offset(8 * CACHE_LINE).min(CACHE_LINE);
            let state = &mut state[start..start + n * stride];
            state.fill(0.0);
            f(&mut SoftplusSums { z: points, dim, state, stride, n_factors: 0 })
        })
    }

    /// Adds the rows of panels number `range` of `x`.
    ///
    /// # Panics
    /// If x has another number of columns than z, or fewer panels.
    pub fn add(&mut self, x: &RowPanels, range: Range<usize>) {
        assert_eq!(x.n_columns(), self.dim, "x: number of columns is not that of z");
        let group = (VALUES_IN_CACHE / (LANES * self.dim.max(1))).max(LEAST_POINTS);
        let mut first = range.start;
        while first < range.end {
            let end = range.end.min(first + PANELS_PER_LOG - self.n_factors);
            for g in 0..self.n_points().div_ceil(group) {
                let points = g * group..((g + 1) * group).min(self.n_points());
                dispatch_vectors(AddPanels {
                    x,
                    panels: first..end,
                    z: &self.z[points.start * self.dim..points.end * self.dim],
                    state: &mut self.state[points.start * self.stride..points.end * self.stride],
                    dim: self.dim,
                    stride: self.stride,
                });
            }
            self.n_factors += end - first;
            if self.n_factors == PANELS_PER_LOG {
                self.take_logs();
            }
            first = end;
        }
    }

    /// Overwrites `out` (S) with the sums and `grad` (S × D, row-major) with their gradients, or leaves it alone when they were
    /// not wanted.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn finish(&mut self, out: &mut [f64], grad: &mut [f64]) {
        self.take_logs();
        assert_eq!(out.len(), self.n_points(), "out: one value per point");
        for (o, state) in out.iter_mut().zip(self.state.chunks_exact(self.stride)) {
            let [positive, _, logs] = sums(state);
            *o = fold(*positive, |a, b| a + b) + fold(*logs, |a, b| a + b);
        }
        if self.stride > SUMS {
            assert_eq!(grad.len(), self.z.len(), "grad: as many values as z");
            for (grad, state) in grad.chunks_exact_mut(self.dim).zip(self.state.chunks_exact(self.stride)) {
                for (g, lanes) in grad.iter_mut().zip(state[SUMS..].as_chunks::<LANES>().0) {
                    let [a, b, c, d, e, f, g_, h] = *lanes;
                    *g = ((a + e) + (c + g_)) + ((b + f) + (d + h));
                }
            }
        }
    }

    fn n_points(&self) -> usize {
        self.state.len() / self.stride
    }

    fn take_logs(&mut self) {
        self.n_factors = 0;
        dispatch_vectors(TakeLogs { state: self.state, stride: self.stride });
    }
}

fn sums(state: &[f64]) -> &[[f64; PANEL_ROWS]; 3] {
    state.as_chunks().0.first_chunk().expect("the sums come first")
}

#[inline(always)]
fn sums_mut(state: &mut [f64]) -> &mut [[f64; PANEL_ROWS]; 3] {
    state.as_chunks_mut().0.first_chunk_mut().expect("the sums come first")
}

/// Moves the products into the sums of logarithms.
struct TakeLogs<'a> {
    state: &'a mut [f64],
    stride: usize,
}

impl VectorOp for TakeLogs<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, A: Arithmetic>(self, _: S) {
        for state in self.state.chunks_exact_mut(self.stride) {
            let [_, excess, logs] = sums_mut(state);
            for i in 0..PANEL_ROWS {
                logs[i] += kernel::log1p::<A>(excess[i]);
            }
            *excess = [0.0; PANEL_ROWS];
        }
    }
}

/// Adds panels of x at a group of points.
struct AddPanels<'a> {
    x: &'a RowPanels,
    panels: Range<usize>,
    z: &'a [f64],
    state: &'a mut [f64],
    dim: usize,
    stride: usize,
}

/// One value for every row of a panel.
#[repr(align(64))]
#[derive(Clone, Copy)]
struct OfRows([f64; PANEL_ROWS]);

impl VectorOp for AddPanels<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, A: Arithmetic>(self, simd: S) {
        let Self { x, panels, z, state, dim, stride } = self;
        let (n_points, gradient) = (state.len() / stride, stride > SUMS);
        let (mut these, mut next) = (&mut OfRows([0.0; PANEL_ROWS]), &mut OfRows([0.0; PANEL_ROWS]));
        if n_points > 0 && !panels.is_empty() {
            predict(simd, x, panels.start, &z[..dim], these);
        }
        for p in panels.clone() {
            for i in 0..n_points {
                let (sums, gradients) = state[i * stride..(i + 1) * stride].split_at_mut(SUMS);
                add_softplus::<A>(sums_mut(sums), &mut these.0);
                // The next predictors are formed before the gradient, which has to wait for the exponentials.
                if i + 1 < n_points {
                    predict(simd, x, p, &z[(i + 1) * dim..(i + 2) * dim], next);
                } else if p + 1 < panels.end {
                    predict(simd, x, p + 1, &z[..dim], next);
                }
                if gradient {
                    add_gradient(simd, x.panel(p).0, these, gradients);
                }
                std::mem::swap(&mut these, &mut next);
            }
        }
    }
}

/// η ← the predictors of panel `p`. (A closure would not be inlined, and compiled without the vector instructions.)
#[inline(always)]
fn predict<S: Simd>(simd: S, x: &RowPanels, p: usize, z: &[f64], eta: &mut OfRows) {
    let (columns, n_rows) = x.panel(p);
    predictors(simd, columns, z, eta);
    // Rows that are not there.
    eta.0[n_rows..].fill(f64::NEG_INFINITY);
}

/// η ← the products of the rows of a panel with z.
#[inline(always)]
fn predictors<S: Simd>(simd: S, columns: &[Column], z: &[f64], eta: &mut OfRows) {
    let (eta, _) = S::as_mut_simd_f64s(&mut eta.0);
    // One sum would wait for every multiplication of the one before: even columns go to one, odd ones to the other.
    let (pairs, last) = columns.as_chunks::<2>();
    let (z_pairs, z_last) = z.as_chunks::<2>();
    for (v, eta) in eta.chunks_exact_mut(VECTORS.min(PANEL_ROWS / S::F64_LANES)).enumerate() {
        let mut even = [simd.splat_f64s(0.0); VECTORS];
        let mut odd = even;
        for (x, z) in pairs.iter().zip(z_pairs) {
            add_column(simd, &x[0], z[0], v, &mut even);
            add_column(simd, &x[1], z[1], v, &mut odd);
        }
        if let ([x], [z]) = (last, z_last) {
            add_column(simd, x, *z, v, &mut even);
        }
        for (i, eta) in eta.iter_mut().enumerate() {
            *eta = simd.add_f64s(even[i], odd[i]);
        }
    }
}

/// Adds z times vectors VECTORS·v … of a column.
#[inline(always)]
fn add_column<S: Simd>(simd: S, x: &Column, z: f64, v: usize, sums: &mut [S::f64s; VECTORS]) {
    let (x, _) = S::as_simd_f64s(&x.0);
    let z = simd.splat_f64s(z);
    for i in 0..VECTORS {
        sums[i] = simd.mul_add_e_f64s(x[v * VECTORS + i], z, sums[i]);
    }
}

/// Adds softplus of η, which becomes σ(η).
#[inline(always)]
fn add_softplus<A: Arithmetic>(
    [positive, excess, _]: &mut [[f64; PANEL_ROWS]; 3],
    eta: &mut [f64; PANEL_ROWS],
) {
    for i in 0..PANEL_ROWS {
        let x = eta[i];
        let t = kernel::exp_neg_abs_for_sums::<A>(x);
        positive[i] += kernel::positive_part(x);
        excess[i] += A::mul_add(excess[i], t, t);
        eta[i] = kernel::sigmoid_from(x, t);
    }
}

/// Adds Σ σ(η) x over the rows of a panel.
#[inline(always)]
fn add_gradient<S: Simd>(simd: S, columns: &[Column], sigma: &OfRows, gradient: &mut [f64]) {
    match S::F64_LANES {
        8 => add_gradient_in::<S, 1>(simd, columns, sigma, gradient),
        4 => add_gradient_in::<S, 2>(simd, columns, sigma, gradient),
        2 => add_gradient_in::<S, 4>(simd, columns, sigma, gradient),
        _ => add_gradient_in::<S, 8>(simd, columns, sigma, gradient),
    }
}

/// The gradient in M vectors per column.
#[inline(always)]
fn add_gradient_in<S: Simd, const M: usize>(
    simd: S,
    columns: &[Column],
    sigma: &OfRows,
    gradient: &mut [f64],
) {
    let (sigma, _) = S::as_simd_f64s(&sigma.0);
    let (gradient, _) = S::as_mut_simd_f64s(gradient);
    for (x, g) in columns.iter().zip(gradient.as_chunks_mut::<M>().0) {
        let (x, _) = S::as_simd_f64s(&x.0);
        let mut sums = *g;
        for q in 0..PANEL_ROWS / LANES {
            for m in 0..M {
                sums[m] = simd.mul_add_e_f64s(x[q * M + m], sigma[q * M + m], sums[m]);
            }
        }
        *g = sums;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::{on_each_level, sigmoid_scalar, softplus_scalar};
    use ndarray::{Array1, Array2, s};

    fn matrix(n: usize, d: usize, offset: f64) -> Array2<f64> {
        Array2::from_shape_fn((n, d), |(i, j)| 2.0 * ((i * 31 + j * 7) as f64 * 0.37 + offset).sin())
    }

    /// Sums and gradients, row-major.
    fn sums(x: &RowPanels, z: &ArrayRef2<f64>) -> (Vec<f64>, Vec<f64>) {
        let (mut out, mut grad) = (vec![f64::NAN; z.nrows()], vec![f64::NAN; z.len()]);
        SoftplusSums::with(z, true, |sums| {
            sums.add(x, 0..x.n_panels());
            sums.finish(&mut out, &mut grad);
        });
        (out, grad)
    }

    #[test]
    fn sums_and_gradients_are_those_of_a_loop_over_rows_on_every_level() {
        for (n, d, n_points) in
            [(1, 1, 1), (31, 2, 3), (33, 3, 1), (569, 31, 20), (700, 100, 2), (40_000, 2, 1)]
        {
            let (x, z) = (matrix(n, d, 0.3), matrix(n_points, d, 1.7));
            let factor = |i: usize| if i.is_multiple_of(3) { -1.0 } else { 1.0 };
            let panels = RowPanels::new(&x, factor);
            let mut best = None;
            on_each_level(|level| {
                let (out, grad) = sums(&panels, &z);
                for (s, z) in z.rows().into_iter().enumerate() {
                    let (mut expected, mut slope, mut size) = (0.0, Array1::<f64>::zeros(d), 0.0);
                    for (i, row) in x.rows().into_iter().enumerate() {
                        let eta = factor(i) * row.dot(&z);
                        expected += softplus_scalar(eta);
                        slope.scaled_add(factor(i) * sigmoid_scalar(eta), &row);
                        size += 2.0 * sigmoid_scalar(eta);
                    }
                    let error = (out[s] - expected).abs() / expected;
                    assert!(error < 2e-14, "{n}×{d}, {s}, {level}: {} for {expected}", out[s]);
                    for (g, e) in grad[s * d..(s + 1) * d].iter().zip(&slope) {
                        assert!((g - e).abs() < 1e-14 * size, "{n}×{d}, {s}, {level}: {g} for {e}");
                    }
                }
                let best = best.get_or_insert_with(|| (out.clone(), grad.clone()));
                assert!(level == "baseline" || (out, grad) == *best, "{n}×{d}: bits on {level}");
            });
        }
    }

    #[test]
    fn a_point_has_the_same_bits_alone_and_without_its_gradient() {
        let (x, z) = (RowPanels::new(&matrix(200, 7, 0.1), |_| 1.0), matrix(40, 7, 0.9));
        let (out, grad) = sums(&x, &z);
        for i in [0, 15, 16, 39] {
            let z = z.slice(s![i..=i, ..]);
            assert_eq!(sums(&x, &z), (vec![out[i]], grad[i * 7..(i + 1) * 7].to_vec()), "point {i}");
            let mut alone = [f64::NAN];
            SoftplusSums::with(&z, false, |sums| {
                sums.add(&x, 0..3);
                sums.add(&x, 3..x.n_panels());
                sums.finish(&mut alone, &mut []);
            });
            assert_eq!(alone[0], out[i], "point {i}");
        }
    }

    #[test]
    fn extreme_predictors() {
        let x = RowPanels::new(&Array2::from_elem((3, 1), 1.0), |_| 1.0);
        let z = ndarray::arr2(&[[1e5], [-1e5], [-600.0], [f64::NAN], [f64::INFINITY], [0.0]]);
        let (out, grad) = sums(&x, &z);
        assert_eq!((out[0], grad[0]), (3e5, 3.0));
        assert!(out[1] >= 0.0 && out[1] < 1e-300 && grad[1] < 1e-300);
        assert!((out[2] / (3.0 * (-600_f64).exp()) - 1.0).abs() < 1e-13);
        assert!((grad[2] / (3.0 * (-600_f64).exp()) - 1.0).abs() < 1e-13);
        assert!(out[3].is_nan() && grad[3].is_nan());
        assert_eq!((out[4], grad[4]), (f64::INFINITY, 3.0));
        assert!((out[5] - 3.0 * 2_f64.ln()).abs() < 1e-15 && grad[5] == 1.5);
        assert_eq!(sums(&RowPanels::new(&Array2::zeros((0, 1)), |_| 1.0), &z).0[0], 0.0);
        let no_columns = sums(&RowPanels::new(&Array2::zeros((3, 0)), |_| 1.0), &Array2::zeros((2, 0)));
        assert!((no_columns.0[1] - 3.0 * 2_f64.ln()).abs() < 1e-15);
    }
}
