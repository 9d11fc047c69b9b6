//! Quadratic polynomials of data that stand in panels, without their products of coordinates.
//!
//! ```text
//! Σ_i b_i x_i + Σ_{j≤i} a_ij x_i x_j + c = c + Σ_i x_i (b_i + Σ_{j≤i} a_ij x_j)
//! ```
//! Horner's rule by coordinates: as many multiplications as there are products, which are never formed.

use ndarray::{ArrayRef2, ArrayView2};
use pulp::Simd;

use super::dispatch::{VectorOp, dispatch_vectors};
use super::kernel::Arithmetic;
use super::panels::{PANEL, ROWS};

/// values (panels, K, [`PANEL`]) ← the polynomials whose coefficients are the rows (K, D + D(D + 1)/2 + 1), in the order
/// (b_i; a_ij row by row, j ≤ i; c), at the data x (panels, D, [`PANEL`]).
///
/// The bits do not depend on K nor on the panel.
///
/// # Panics
/// If the shapes do not fit, or a row of `rows` is not contiguous.
pub fn panel_quadratics(rows: &ArrayRef2<f64>, d: usize, x: &[f64], values: &mut [f64]) {
    let (k, p) = rows.dim();
    assert_eq!(p, d + d * (d + 1) / 2 + 1, "coefficients of polynomials in {d} variables");
    let panels = x.len() / (d.max(1) * PANEL);
    assert_eq!(x.len(), panels * d * PANEL, "data of {panels} panels");
    assert_eq!(values.len(), panels * k * PANEL, "values of {panels} panels");
    if k > 0 && d > 0 {
        dispatch_vectors(Quadratics { rows: rows.view(), d, x, values });
    }
}

struct Quadratics<'a> {
    rows: ArrayView2<'a, f64>,
    d: usize,
    x: &'a [f64],
    values: &'a mut [f64],
}

impl VectorOp for Quadratics<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, A: Arithmetic>(self, simd: S) {
        // As for the products over features: the vectors of a panel are counted at compile time.
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

impl Quadratics<'_> {
    #[inline(always)]
    fn run_with<S: Simd, const N: usize, const G: usize>(self, simd: S) {
        let Self { rows, d, x, values } = self;
        let k = rows.nrows();
        let blocks = k.div_ceil(ROWS);
        for (x, values) in x.chunks_exact(d * PANEL).zip(values.chunks_exact_mut(k * PANEL)) {
            let x = S::as_simd_f64s(x).0.as_chunks::<N>().0.as_chunks::<G>().0;
            let values = S::as_mut_simd_f64s(values).0.as_chunks_mut::<N>().0.as_chunks_mut::<G>().0;
            let mut first = 0;
            for b in 0..blocks {
                // Blocks of almost equal height.
                let last = (b + 1) * k / blocks;
                let out = &mut values[first..last];
                match last - first {
                    1 => block::<S, N, G, 1>(simd, &rows, first, x, out),
                    2 => block::<S, N, G, 2>(simd, &rows, first, x, out),
                    3 => block::<S, N, G, 3>(simd, &rows, first, x, out),
                    4 => block::<S, N, G, 4>(simd, &rows, first, x, out),
                    5 => block::<S, N, G, 5>(simd, &rows, first, x, out),
                    _ => block::<S, N, G, 6>(simd, &rows, first, x, out),
                }
                first = last;
            }
        }
    }
}

/// R polynomials from `first` on at one panel, N vectors of it at a time.
#[inline(always)]
fn block<S: Simd, const N: usize, const G: usize, const R: usize>(
    simd: S,
    all: &ArrayView2<'_, f64>,
    first: usize,
    x: &[[[S::f64s; N]; G]],
    values: &mut [[[S::f64s; N]; G]],
) {
    let Some((values, _)) = values.split_first_chunk_mut::<R>() else { return };
    let mut rest: [&[f64]; R] = [&[]; R];
    let mut linear: [&[f64]; R] = [&[]; R];
    for r in 0..R {
        let row = all.row(first + r).to_slice().expect("the rows are contiguous");
        (linear[r], rest[r]) = row.split_at(x.len());
        values[r] = [[simd.splat_f64s(row[row.len() - 1]); N]; G];
    }
    for i in 0..x.len() {
        let mut coefficients: [&[f64]; R] = [&[]; R];
        for r in 0..R {
            (coefficients[r], rest[r]) = rest[r].split_at(i + 1);
        }
        for g in 0..G {
            let mut sums = [[simd.splat_f64s(0.0); N]; R];
            for r in 0..R {
                sums[r] = [simd.splat_f64s(linear[r][i]); N];
            }
            for (j, x) in x[..=i].iter().enumerate() {
                for r in 0..R {
                    let coefficient = simd.splat_f64s(coefficients[r][j]);
                    for v in 0..N {
                        sums[r][v] = simd.mul_add_e_f64s(coefficient, x[g][v], sums[r][v]);
                    }
                }
            }
            for r in 0..R {
                for v in 0..N {
                    values[r][g][v] = simd.mul_add_e_f64s(sums[r][v], x[i][g][v], values[r][g][v]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::numerics::on_each_level;

    #[test]
    fn values_are_those_of_plain_loops_on_every_level() {
        let value = |i: usize| (i as f64 * 0.7 + 0.3).sin();
        for (k, d, panels) in [(1, 1, 1), (2, 2, 3), (7, 3, 2), (13, 17, 2)] {
            let p = d + d * (d + 1) / 2 + 1;
            let rows = Array2::from_shape_fn((k, p), |(i, j)| value(i * p + j));
            let x: Vec<f64> = (0..panels * d * PANEL).map(|i| 2.0 * value(i + 5)).collect();
            on_each_level(|level| {
                let mut values = vec![f64::NAN; panels * k * PANEL];
                panel_quadratics(&rows, d, &x, &mut values);
                for (at, got) in values.iter().enumerate() {
                    let (panel, row, lane) = (at / PANEL / k, at / PANEL % k, at % PANEL);
                    let x = |i: usize| x[(panel * d + i) * PANEL + lane];
                    let mut exact = rows[[row, p - 1]];
                    for i in 0..d {
                        exact += rows[[row, i]] * x(i);
                        for j in 0..=i {
                            exact += rows[[row, d + i * (i + 1) / 2 + j]] * x(i) * x(j);
                        }
                    }
                    assert!(
                        (got - exact).abs() <= 1e-12 * (1.0 + exact.abs()),
                        "{k}, {d}, {level}: {got} for {exact}"
                    );
                }
            });
        }
    }
}
