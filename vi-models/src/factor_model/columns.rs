//! What columns need to know of the rows: sums over them.

use ndarray::{ArrayView2, ArrayViewMut2, Axis, s};
use vi_core::Exec;
use vi_core::linalg::{gemm, packed};

use super::factors::FactorModelStats;
use super::scores::{TILE, for_each_of};
use super::{FactorModel, NoiseShape};
use vi_core::scratch;

/// Columns at a time: few, since columns may be few and long.
pub(super) const COLUMNS: usize = 4;

impl<S: NoiseShape> FactorModel<S> {
    /// The sums over rows about the present loadings, from the moments of the scores.
    pub(super) fn set_column_sums(&self, stats: &mut FactorModelStats, exec: Exec<'_>) {
        stats.columns.reference.assign(&stats.loadings.mean);
        match self.centred.complete() {
            Some(y) => self.sums_of_all(y.view(), stats, exec),
            None => {
                self.set_score_second(stats, exec);
                self.sums_of_each(stats, exec);
            }
        }
        self.set_squares(stats, exec);
    }

    /// The sums over tiles of rows: E = Y − X W₀ᵀ − μ₀, then EᵀX, XᵀX, and sums of E, E², X.
    fn sums_of_all(&self, y: ArrayView2<'_, f64>, stats: &mut FactorModelStats, exec: Exec<'_>) {
        let (n, d, k, p) = (self.data.n_rows(), self.data.n_columns(), self.n_factors, self.n_coefficients());
        let lengths = [d * k, d, d, k * k, k];
        let mut workspace = std::mem::take(&mut stats.workspace);
        let total = lengths.iter().sum();
        if workspace.sums.len() != total {
            workspace.sums = ndarray::Array1::zeros(total);
        }
        let reference = &stats.columns.reference;
        let means = &stats.scores.mean;
        let outcome = scratch::with(d * k, |loadings| {
            let mut contiguous = ArrayViewMut2::from_shape((d, k), loadings).expect("D · K values");
            contiguous.assign(&reference.slice(s![.., ..k]));
            let (sums, partials) = (&mut workspace.sums, &mut workspace.partials);
            exec.map_and_sum_in(n, TILE, &mut [], sums, partials, |items, _, partial| {
                let [cross, errors, squares, gram, scores] =
                    split(partial.as_slice_mut().expect("one piece"), lengths);
                let x = means.slice(s![items.clone(), ..]);
                scratch::with(items.len() * d, |residual| {
                    let mut e =
                        ArrayViewMut2::from_shape((items.len(), d), residual).expect("D values a row");
                    e.assign(&y.slice(s![items, ..]));
                    if p > k {
                        e -= &reference.column(k);
                    }
                    gemm(-1.0, &x, &contiguous.t(), 1.0, &mut e);
                    let mut cross = ArrayViewMut2::from_shape((d, k), cross).expect("D · K values");
                    gemm(1.0, &e.t(), &x, 0.0, &mut cross);
                    for row in e.rows() {
                        let sums = errors.iter_mut().zip(squares.iter_mut());
                        for ((error, square), e) in sums.zip(row) {
                            *error += e;
                            *square += e * e;
                        }
                    }
                });
                let mut gram = ArrayViewMut2::from_shape((k, k), gram).expect("K · K values");
                gemm(1.0, &x.t(), &x, 0.0, &mut gram);
                for row in x.rows() {
                    scores.iter_mut().zip(row).for_each(|(s, x)| *s += x);
                }
            })
        });
        if outcome.is_err() {
            workspace.sums.fill(f64::NAN);
        }
        self.take_sums(stats, workspace.sums.as_slice_mut().expect("one piece"), lengths);
        stats.workspace = workspace;
    }

    /// Puts the sums of means in place and adds what the covariance of the scores does.
    fn take_sums(&self, stats: &mut FactorModelStats, sums: &mut [f64], lengths: [usize; 5]) {
        let (n, k, p) = (self.data.n_rows() as f64, self.n_factors, self.n_coefficients());
        let len = packed::len(k);
        let [cross, errors, squares, gram, scores] = split(sums, lengths);
        let gram = ArrayView2::from_shape((k, k), gram).expect("K · K values");
        let total = stats.columns.total.as_slice_mut().expect("one piece");
        packed::pack(&gram, &mut total[..len]);
        let covariance = stats.scores.covariance(0);
        packed::add_scaled(n, covariance, &mut total[..len]);
        if p > k {
            total[len..len + k].copy_from_slice(scores);
            total[len + k] = n;
        }
        let reference = stats.columns.reference.axis_iter(Axis(0));
        let rows = stats.columns.sums.axis_iter_mut(Axis(0));
        scratch::with(k, |product| {
            for (d, (mut row, reference)) in rows.zip(reference).enumerate() {
                let row = row.as_slice_mut().expect("row-major");
                let reference = &reference.to_slice().expect("row-major")[..k];
                packed::multiply(covariance, reference, product);
                let spread: f64 = product.iter().zip(reference).map(|(p, w)| p * w).sum();
                row[0] = squares[d] + n * spread;
                for (j, c) in row[1..1 + k].iter_mut().enumerate() {
                    *c = cross[d * k + j] - n * product[j];
                }
                if p > k {
                    row[1 + k] = errors[d];
                }
            }
        });
    }

    /// E[x̃_n x̃_nᵀ] of every row and their sum.
    pub(super) fn set_score_second(&self, stats: &mut FactorModelStats, exec: Exec<'_>) {
        let (k, p) = (self.n_factors, self.n_coefficients());
        let (len, width) = (packed::len(k), packed::len(p));
        let (scores, second) = (&stats.scores, &mut stats.score_second);
        exec.for_each_chunk(second.as_slice_mut().expect("row-major"), width, |items, rows| {
            for (n, row) in items.zip(rows.chunks_exact_mut(width)) {
                let mean = scores.mean(n);
                row[..len].copy_from_slice(scores.covariance(n));
                packed::add_outer(1.0, mean, &mut row[..len]);
                if p > k {
                    row[len..len + k].copy_from_slice(mean);
                    row[len + k] = 1.0;
                }
            }
        });
        let mut partials = std::mem::take(&mut stats.workspace.partials);
        let (second, total) = (stats.score_second.as_slice().expect("row-major"), &mut stats.columns.total);
        let outcome = exec.sum_in(self.data.n_rows(), total, &mut partials, |items, partial| {
            let partial = partial.as_slice_mut().expect("one piece");
            for n in items {
                packed::add_scaled(1.0, &second[n * width..(n + 1) * width], partial);
            }
        });
        if outcome.is_err() {
            stats.columns.total.fill(f64::NAN);
        }
        stats.workspace.partials = partials;
    }

    /// The sums of every column over its observed rows.
    fn sums_of_each(&self, stats: &mut FactorModelStats, exec: Exec<'_>) {
        let mut sums = std::mem::take(&mut stats.columns.sums);
        let width = sums.ncols();
        let of = &*stats;
        for_each_of(exec, sums.as_slice_mut().expect("row-major"), width, COLUMNS, |items, rows| {
            for (d, row) in items.zip(rows.chunks_exact_mut(width)) {
                self.sums_of_column(d, of, row);
            }
        });
        stats.columns.sums = sums;
    }

    fn sums_of_column(&self, d: usize, stats: &FactorModelStats, out: &mut [f64]) {
        let (k, p) = (self.n_factors, self.n_coefficients());
        let (len, width) = (packed::len(k), packed::len(p));
        let second = stats.score_second.as_slice().expect("row-major");
        let (loading, intercept) = stats.columns.reference(d).split_at(k);
        let intercept = intercept.first().copied().unwrap_or(0.0);
        out.fill(0.0);
        let (square, rest) = out.split_first_mut().expect("a, c, S");
        let (cross, sum) = rest.split_at_mut(p);
        scratch::with_arrays([len, k], |[spread, product]| {
            spread.fill(0.0);
            for (n, y) in self.centred.sparse_column(d).expect("a matrix with missing entries").iter() {
                let mean = stats.scores.mean(n);
                let fitted: f64 = loading.iter().zip(mean).map(|(w, x)| w * x).sum();
                let error = y - intercept - fitted;
                *square += error * error;
                packed::add_scaled(error, mean, &mut cross[..k]);
                if p > k {
                    cross[k] += error;
                }
                packed::add_scaled(1.0, stats.scores.covariance(n), spread);
                packed::add_scaled(1.0, &second[n * width..(n + 1) * width], sum);
            }
            packed::multiply(spread, loading, product);
            *square += product.iter().zip(loading).map(|(p, w)| p * w).sum::<f64>();
            packed::add_scaled(-1.0, product, &mut cross[..k]);
        });
    }

    /// Σ_n E[(y_nd − w̃_dᵀx̃_n)²] of every column, from the sums over rows and the moments of the loadings.
    pub(super) fn set_squares(&self, stats: &mut FactorModelStats, exec: Exec<'_>) {
        let mut squares = std::mem::take(&mut stats.squares);
        let of = &*stats;
        let p = self.n_coefficients();
        let (columns, loadings) = (&of.columns, &of.loadings);
        let trace = |d| packed::trace_of_product(columns.second(d), loadings.covariance(d));
        let shared = self.columns_share().then(|| trace(0));
        for_each_of(exec, squares.as_slice_mut().expect("one piece"), 1, 16 * COLUMNS, |items, out| {
            scratch::with(p, |step| {
                for (d, out) in items.zip(out) {
                    let moved = loadings.mean(d).iter().zip(columns.reference(d));
                    step.iter_mut().zip(moved).for_each(|(s, (w, w0))| *s = w - w0);
                    let linear: f64 = step.iter().zip(columns.cross(d)).map(|(s, c)| s * c).sum();
                    *out = columns.square(d) - 2.0 * linear
                        + packed::quadratic(columns.second(d), step)
                        + shared.unwrap_or_else(|| trace(d));
                }
            });
        });
        stats.squares = squares;
    }
}

/// Cuts a slice into parts of these lengths.
fn split<const N: usize>(mut rest: &mut [f64], lengths: [usize; N]) -> [&mut [f64]; N] {
    lengths.map(|n| {
        let (head, tail) = std::mem::take(&mut rest).split_at_mut(n);
        rest = tail;
        head
    })
}
