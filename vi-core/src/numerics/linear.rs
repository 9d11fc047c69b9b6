//! Sums of softplus over linear predictors: a matrix product whose elements are used where they arise.

use ndarray::{ArrayRef1, ArrayRef2, Axis};
use pulp::Simd;

use super::dispatch::{VectorOp, dispatch_vectors};
use super::elementwise::BLOCK;
use super::kernel::{self, Arithmetic};
use crate::scratch;

/// Rows of x whose products are formed together: with four vectors of z 24 registers of AVX-512.
const ROWS: usize = 6;

/// Rows whose factors 1 + e^{−|η|} ≤ 2 are multiplied before a logarithm is taken.
const ROWS_PER_LOG: usize = 16 * ROWS;

/// Values of x per tile: half a megabyte, which stays in the second-level cache while all rows of z pass over it.
const TILE: usize = 1 << 16;

/// Values in a cache line: vectors that lie across two of them are slower to load.
const CACHE_LINE: usize = 8;

/// The predictors of ROWS rows of x at a group of rows of z.
#[repr(align(64))]
struct Predictors([[f64; BLOCK]; ROWS]);

/// Overwrites `out` (S) with the sums of softplus over the linear predictors of x (N, D) at every row of z (S, D).
///
/// ```text
/// out_s = Σ_n log(1 + e^{η_ns}),   η_ns = x_nᵀ z_s
/// ```
/// The predictors go from the registers of the product into the exponential by way of a buffer of 1.5 KB: the
/// N × S matrix is never stored. The relative error is under 1e-13 beside what the predictors have.
///
/// Rows of z are worked on 32 at a time; a last group of fewer costs as much as a full one. An x that is not row-major
/// is copied.
///
/// # Panics
/// If the shapes do not fit.
pub fn sum_softplus_products(x: &ArrayRef2<f64>, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
    let ((n, d), n_points) = (x.dim(), z.nrows());
    assert!(z.ncols() == d && out.len() == n_points, "shapes {n}×{d} · {:?}ᵀ → {}", z.dim(), out.len());
    if d == 0 {
        return out.fill(n as f64 * std::f64::consts::LN_2);
    }
    let x = x.as_standard_layout();
    let x = x.as_slice().expect("row-major");
    let n_groups = n_points.div_ceil(BLOCK);
    scratch::with(n_groups * (d + 3) * BLOCK + CACHE_LINE, |scratch| {
        let start = scratch.as_ptr().align_offset(8 * CACHE_LINE).min(CACHE_LINE);
        let scratch = &mut scratch[start..start + n_groups * (d + 3) * BLOCK];
        let (packed, sums) = scratch.split_at_mut(n_groups * d * BLOCK);
        dispatch_vectors(SumSoftplusProducts { x, z, packed, sums });
        for (sums, mut out) in sums.chunks(3 * BLOCK).zip(out.axis_chunks_iter_mut(Axis(0), BLOCK)) {
            for (i, out) in out.iter_mut().enumerate() {
                *out = sums[i] + sums[2 * BLOCK + i];
            }
        }
    });
}

struct SumSoftplusProducts<'a> {
    /// (N, D).
    x: &'a [f64],
    z: &'a ArrayRef2<f64>,
    /// Groups of [`BLOCK`] rows of z, each as its columns.
    packed: &'a mut [f64],
    /// Σ max(η, 0), Π (1 + e^{−|η|}) − 1 and the logarithms of such products so far, for every group of rows.
    sums: &'a mut [f64],
}

impl VectorOp for SumSoftplusProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, A: Arithmetic>(self, simd: S) {
        // As many vectors of z beside a row of x as there are registers for ROWS times as many sums.
        if S::REGISTER_COUNT >= 32 { self.run_with::<S, A, 4>(simd) } else { self.run_with::<S, A, 2>(simd) }
    }
}

impl SumSoftplusProducts<'_> {
    #[inline(always)]
    fn run_with<S: Simd, A: Arithmetic, const N: usize>(self, simd: S) {
        let Self { x, z, packed, sums } = self;
        let d = z.ncols();
        let width = N * S::F64_LANES;
        for (packed, z) in packed.chunks_exact_mut(d * BLOCK).zip(z.axis_chunks_iter(Axis(0), BLOCK)) {
            pack(&z, width, packed);
        }
        sums.fill(0.0);
        let rows_per_tile = (TILE / d / ROWS_PER_LOG).max(1) * ROWS_PER_LOG;
        for tile in x.chunks(rows_per_tile * d) {
            for (packed, sums) in
                packed.chunks_exact(d * BLOCK).zip(sums.as_chunks_mut::<BLOCK>().0.as_chunks_mut::<3>().0)
            {
                let (packed, _) = S::as_simd_f64s(packed);
                for rows in tile.chunks(ROWS_PER_LOG * d) {
                    add_rows::<S, A, N>(simd, rows, d, packed, sums);
                }
            }
        }
    }
}

/// The rows of z (n ≤ BLOCK, D) as columns, `width` rows after the other; zeros fill up the last ones.
#[inline(always)]
fn pack(z: &ArrayRef2<f64>, width: usize, packed: &mut [f64]) {
    packed.fill(0.0);
    let d = z.ncols();
    for (i, row) in z.rows().into_iter().enumerate() {
        let start = i / width * width * d + i % width;
        for (j, v) in row.iter().enumerate() {
            packed[start + j * width] = *v;
        }
    }
}

/// Adds at most ROWS_PER_LOG rows of x.
#[inline(always)]
fn add_rows<S: Simd, A: Arithmetic, const N: usize>(
    simd: S,
    rows: &[f64],
    d: usize,
    packed: &[S::f64s],
    [positive, excess, log_product]: &mut [[f64; BLOCK]; 3],
) {
    *excess = [0.0; BLOCK];
    for rows in rows.chunks(ROWS * d) {
        let n = rows.len() / d;
        let last = (n - 1) * d;
        // A short group repeats its last row.
        let x: [&[f64]; ROWS] = std::array::from_fn(|r| {
            let start = (r * d).min(last);
            &rows[start..start + d]
        });
        let mut products = Predictors([[0.0; BLOCK]; ROWS]);
        for (p, z) in packed.as_chunks::<N>().0.chunks_exact(d).enumerate() {
            multiply(simd, x, z, p, &mut products.0);
        }
        for eta in &products.0[..n] {
            for i in 0..BLOCK {
                let t = kernel::exp_neg_abs_for_sums::<A>(eta[i]);
                positive[i] += kernel::positive_part(eta[i]);
                excess[i] += A::mul_add(excess[i], t, t);
            }
        }
    }
    for i in 0..BLOCK {
        log_product[i] += kernel::log1p::<A>(excess[i]);
    }
}

/// Panel number `p` of the products of ROWS rows of x with the columns in z (D).
#[inline(always)]
fn multiply<S: Simd, const N: usize>(
    simd: S,
    x: [&[f64]; ROWS],
    z: &[[S::f64s; N]],
    p: usize,
    products: &mut [[f64; BLOCK]; ROWS],
) {
    let d = z.len();
    let x = x.map(|x| &x[..d]);
    let mut sums = [[simd.splat_f64s(0.0); N]; ROWS];
    for (j, z) in z.iter().enumerate() {
        for r in 0..ROWS {
            let x = simd.splat_f64s(x[r][j]);
            for v in 0..N {
                sums[r][v] = simd.mul_add_e_f64s(x, z[v], sums[r][v]);
            }
        }
    }
    for (products, sums) in products.iter_mut().zip(&sums) {
        let (products, _) = S::as_mut_simd_f64s(products);
        products[p * N..(p + 1) * N].copy_from_slice(sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::{on_each_level, sum_softplus};
    use ndarray::{Array1, Array2, ShapeBuilder, s};

    fn matrix(n: usize, d: usize, offset: f64) -> Array2<f64> {
        Array2::from_shape_fn((n, d), |(i, j)| 2.0 * ((i * 31 + j * 7) as f64 * 0.37 + offset).sin())
    }

    fn sums(x: &ArrayRef2<f64>, z: &ArrayRef2<f64>) -> Array1<f64> {
        let mut out = Array1::from_elem(z.nrows(), f64::NAN);
        sum_softplus_products(x, z, &mut out);
        out
    }

    #[test]
    fn sums_are_those_of_the_stored_product_on_every_level() {
        for (n, d) in [(1, 1), (5, 3), (6, 2), (97, 31), (569, 31), (1500, 100)] {
            let x = matrix(n, d, 0.3);
            for n_points in [1, 31, 32, 33, 64, 70] {
                let z = matrix(n_points, d, 1.7);
                let mut best: Option<Array1<f64>> = None;
                on_each_level(|level| {
                    let out = sums(&x, &z);
                    for (eta, out) in z.dot(&x.t()).rows().into_iter().zip(&out) {
                        let expected = sum_softplus(eta.as_slice().unwrap());
                        let error = (out - expected).abs() / expected;
                        assert!(error < 2e-14, "{n}×{d}, {n_points}, {level}: {out} for {expected}");
                    }
                    let best = best.get_or_insert_with(|| out.clone());
                    assert!(level == "baseline" || out == *best, "{n}×{d}, {n_points}: bits on {level}");
                });
            }
        }
    }

    #[test]
    fn a_row_has_the_same_bits_wherever_it_stands_and_however_x_is_stored() {
        let (x, z) = (matrix(200, 7, 0.1), matrix(70, 7, 0.9));
        let together = sums(&x, &z);
        for i in [0, 8, 31, 32, 63, 69] {
            assert_eq!(sums(&x, &z.slice(s![i..=i, ..]))[0], together[i], "row {i}");
        }
        let mut columns = Array2::zeros((200, 7).f());
        columns.assign(&x);
        assert_eq!(sums(&columns, &z), together);
    }

    #[test]
    fn extreme_predictors() {
        let x = Array2::from_elem((3, 1), 1.0);
        let z = ndarray::arr2(&[[1e5], [-1e5], [-600.0], [f64::NAN], [f64::INFINITY], [0.0]]);
        let out = sums(&x, &z);
        assert_eq!(out[0], 3e5);
        assert!(out[1] > 0.0 && out[1] < 1e-300);
        assert!((out[2] / (3.0 * (-600_f64).exp()) - 1.0).abs() < 1e-13);
        assert!(out[3].is_nan());
        assert_eq!(out[4], f64::INFINITY);
        assert!((out[5] - 3.0 * 2_f64.ln()).abs() < 1e-15);
        assert_eq!(sums(&Array2::zeros((3, 0)), &Array2::zeros((2, 0)))[1], 3.0 * std::f64::consts::LN_2);
    }
}
