//! Small matrix products, as loops over points side by side: the order of every sum is that of its terms, so that a value
//! depends on nothing that is computed beside it.

use vi_core::numerics::{Vectorised, vectorised};

/// Values side by side come in multiples of it.
const LANES: usize = 4;
/// Values side by side in one pass: as many sums as registers hold beside what they are made of.
const WIDE: usize = 2 * LANES;
/// Rows in one pass.
const ROWS: usize = 4;

/// `n`, rounded up to whole lanes.
pub(super) fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}

/// out ← max(A B, floor) with A the chosen rows of a table of rows of K values, and B (K, `lanes`).
pub(super) struct Product<'a> {
    pub(super) table: &'a [f64],
    /// The rows of A; all of them in order where there is `None`.
    pub(super) rows: Option<&'a [usize]>,
    pub(super) right: &'a [f64],
    /// A multiple of [`LANES`].
    pub(super) lanes: usize,
    pub(super) floor: f64,
    /// (number of rows, `lanes`).
    pub(super) out: &'a mut [f64],
}

impl Product<'_> {
    pub(super) fn compute(self) {
        vectorised(self);
    }

    #[inline(always)]
    fn row(&self, i: usize, inner: usize) -> &[f64] {
        let row = self.rows.map_or(i, |rows| rows[i]);
        &self.table[row * inner..][..inner]
    }

    /// The products of R rows from `first` on.
    #[inline(always)]
    fn rows_from<const R: usize>(&mut self, first: usize) {
        let mut lane = 0;
        while lane + WIDE <= self.lanes {
            self.block::<R, WIDE>(first, lane);
            lane += WIDE;
        }
        if lane < self.lanes {
            self.block::<R, LANES>(first, lane);
        }
    }

    #[inline(always)]
    fn block<const R: usize, const L: usize>(&mut self, first: usize, lane: usize) {
        let inner = self.right.len() / self.lanes;
        let rows: [&[f64]; R] = std::array::from_fn(|r| self.row(first + r, inner));
        let mut sums = [[0.0; L]; R];
        for (k, right) in self.right.chunks_exact(self.lanes).enumerate() {
            let right: &[f64; L] = right[lane..][..L].as_array().expect("L lanes");
            for r in 0..R {
                let a = rows[r][k];
                for l in 0..L {
                    sums[r][l] += a * right[l];
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            let out = &mut self.out[(first + r) * self.lanes + lane..][..L];
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = if *sum < self.floor { self.floor } else { *sum };
            }
        }
    }
}

impl Vectorised for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let n_rows = self.out.len() / self.lanes;
        let mut first = 0;
        while first + ROWS <= n_rows {
            self.rows_from::<ROWS>(first);
            first += ROWS;
        }
        while first < n_rows {
            self.rows_from::<1>(first);
            first += 1;
        }
    }
}

/// sums (lanes) += Σ_k weights_k values_k, with values (K, lanes).
pub(super) fn add_weighted_rows(weights: &[f64], values: &[f64], sums: &mut [f64]) {
    vectorised(AddWeightedRows { weights, values, sums });
}

struct AddWeightedRows<'a> {
    weights: &'a [f64],
    values: &'a [f64],
    sums: &'a mut [f64],
}

impl Vectorised for AddWeightedRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let lanes = self.sums.len();
        let mut lane = 0;
        while lane < lanes {
            let mut sums = [0.0; LANES];
            sums.copy_from_slice(&self.sums[lane..][..LANES]);
            for (weight, values) in self.weights.iter().zip(self.values.chunks_exact(lanes)) {
                for (sum, value) in sums.iter_mut().zip(&values[lane..][..LANES]) {
                    *sum += weight * value;
                }
            }
            self.sums[lane..][..LANES].copy_from_slice(&sums);
            lane += LANES;
        }
    }
}

/// The points of a datum side by side: coordinate k of point s at k · lanes + s, 1 beyond the last point.
pub(super) fn side_by_side(z: &[f64], dim: usize, lanes: usize, out: &mut [f64]) {
    for (k, out) in out.chunks_exact_mut(lanes).enumerate() {
        let (points, rest) = out.split_at_mut(z.len() / dim);
        points.iter_mut().zip(z[k..].iter().step_by(dim)).for_each(|(out, z)| *out = *z);
        rest.fill(1.0);
    }
}

/// Coordinates `first..first + n` of every point, point after point; points and coordinates are padded with zeros to whole
/// lanes.
pub(super) fn one_by_one(z: &[f64], dim: usize, first: usize, n: usize, out: &mut [f64]) {
    out.fill(0.0);
    for (z, out) in z.chunks_exact(dim).zip(out.chunks_exact_mut(padded(n))) {
        out[..n].copy_from_slice(&z[first..first + n]);
    }
}
