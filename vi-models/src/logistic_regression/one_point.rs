//! Products of a matrix with one vector, where the packing of a matrix product would cost more than the product.

use vi_core::numerics::{Vectorised, vectorised};

const LANES: usize = 8;

/// Rows that are added to the sum together.
const ROWS: usize = 4;

/// out (N) ← X z, with X (N, D) row by row.
pub(super) fn times_vector(x: &[f64], z: &[f64], out: &mut [f64]) {
    if z.is_empty() {
        return out.fill(0.0);
    }
    vectorised(TimesVector { x, z, out });
}

/// out (D) ← out − Xᵀp, with X (N, D) row by row.
pub(super) fn subtract_transposed_times(x: &[f64], p: &[f64], out: &mut [f64]) {
    if !out.is_empty() {
        vectorised(SubtractTransposedTimes { x, p, out });
    }
}

struct TimesVector<'a> {
    x: &'a [f64],
    z: &'a [f64],
    out: &'a mut [f64],
}

impl Vectorised for TimesVector<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (row, o) in self.x.chunks_exact(self.z.len()).zip(self.out) {
            *o = dot(row, self.z);
        }
    }
}

/// In eight partial sums: one register of the widest vectors, and an order that does not depend on their width.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (a8, a_tail) = a.as_chunks::<LANES>();
    let (b8, b_tail) = b.as_chunks::<LANES>();
    for (a, b) in a8.iter().zip(b8) {
        for k in 0..LANES {
            sums[k] += a[k] * b[k];
        }
    }
    for (s, (a, b)) in sums.iter_mut().zip(a_tail.iter().zip(b_tail)) {
        *s += a * b;
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

struct SubtractTransposedTimes<'a> {
    x: &'a [f64],
    p: &'a [f64],
    out: &'a mut [f64],
}

impl Vectorised for SubtractTransposedTimes<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let d = self.out.len();
        let (blocks, rest) = self.p.as_chunks::<ROWS>();
        let (x, x_rest) = self.x.split_at(blocks.len() * ROWS * d);
        for (x, p) in x.chunks_exact(ROWS * d).zip(blocks) {
            let (first, second) = x.split_at(2 * d);
            let ((x0, x1), (x2, x3)) = (first.split_at(d), second.split_at(d));
            for ((((o, x0), x1), x2), x3) in self.out.iter_mut().zip(x0).zip(x1).zip(x2).zip(x3) {
                *o -= (p[0] * x0 + p[1] * x1) + (p[2] * x2 + p[3] * x3);
            }
        }
        for (x, p) in x_rest.chunks_exact(d).zip(rest) {
            for (o, x) in self.out.iter_mut().zip(x) {
                *o -= p * x;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths with and without remainders, against loops: rounding of sums of 21 terms below 1.
    #[test]
    fn products_are_those_of_loops() {
        for (n, d) in [(1, 1), (3, 8), (7, 5), (9, 21)] {
            let x: Vec<f64> = (0..n * d).map(|i| (1.3 * i as f64).sin()).collect();
            let z: Vec<f64> = (0..d).map(|i| (0.7 * i as f64).cos()).collect();
            let p: Vec<f64> = (0..n).map(|i| (0.4 * i as f64).sin()).collect();
            let (mut eta, mut grad) = (vec![f64::NAN; n], z.clone());
            times_vector(&x, &z, &mut eta);
            subtract_transposed_times(&x, &p, &mut grad);
            for i in 0..n {
                let expected: f64 = (0..d).map(|j| x[i * d + j] * z[j]).sum();
                assert!((eta[i] - expected).abs() < 1e-13, "{n} × {d}: {} ≠ {expected}", eta[i]);
            }
            for j in 0..d {
                let expected = z[j] - (0..n).map(|i| x[i * d + j] * p[i]).sum::<f64>();
                assert!((grad[j] - expected).abs() < 1e-13, "{n} × {d}: {} ≠ {expected}", grad[j]);
            }
        }
    }
}
