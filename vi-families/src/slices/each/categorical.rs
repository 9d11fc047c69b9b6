//! Categorical members as the rows of a matrix of logits.

use ndarray::{ArrayRef1, ArrayRef2, Axis};
use vi_core::numerics::{Lane, SliceFunction, exp_inplace, log1p_inplace, map_slices};

use crate::distributions::Categorical;

/// Rows worked on at a time: their sums fill one block of vectors.
const ROWS: usize = 32;

/// Exponentials taken at a time; a block of rows streams through them however long the rows are.
const BLOCK: usize = 256;

/// x ↦ eˣ, x eˣ
struct Weigh;

impl SliceFunction<1, 2> for Weigh {
    #[inline(always)]
    fn apply<L: Lane>(&self, [x]: [f64; 1]) -> [f64; 2] {
        let e = L::exp(x);
        [e, x * e]
    }
}

/// What each of up to [`ROWS`] rows is normalised by, with x = logit − largest logit ≤ 0.
struct Sums {
    /// The largest logit; NaN where one is not finite.
    largest: [f64; ROWS],
    /// Σ eˣ without the largest one, which is 1.
    others: [f64; ROWS],
    /// Σ x eˣ ≤ 0.
    weighted: [f64; ROWS],
}

impl Sums {
    fn new(logits: &ArrayRef2<f64>) -> Self {
        let mut sums = Self { largest: [f64::NAN; ROWS], others: [0.0; ROWS], weighted: [0.0; ROWS] };
        let mut at = [0; ROWS];
        for (n, row) in logits.rows().into_iter().enumerate() {
            let first = (0, f64::NEG_INFINITY);
            let (k, largest) =
                row.iter().enumerate().fold(first, |best, (k, x)| if *x > best.1 { (k, *x) } else { best });
            let all_finite = row.iter().fold(true, |all, x| all & x.is_finite());
            (at[n], sums.largest[n]) = (k, if all_finite { largest } else { f64::NAN });
        }
        let mut x = [0.0; BLOCK];
        let mut entries = logits.indexed_iter().peekable();
        while let Some(&((first_row, first_column), _)) = entries.peek() {
            let mut width = 0;
            for (x, ((n, _), logit)) in x.iter_mut().zip(&mut entries) {
                *x = logit - sums.largest[n];
                width += 1;
            }
            sums.add(&x[..width], logits.ncols(), first_row, first_column, &at);
        }
        sums
    }

    /// Adds the exponentials of consecutive x, the first one at (`n`, `k`).
    fn add(&mut self, x: &[f64], n_columns: usize, mut n: usize, mut k: usize, at: &[usize; ROWS]) {
        let (mut e, mut product) = ([0.0; BLOCK], [0.0; BLOCK]);
        let (e, product) = (&mut e[..x.len()], &mut product[..x.len()]);
        map_slices(&Weigh, [x], [e, product]);
        for (e, product) in e.iter().zip(product) {
            self.others[n] += if k == at[n] { 0.0 } else { *e };
            self.weighted[n] += *product;
            (n, k) = if k + 1 == n_columns { (n + 1, 0) } else { (n, k + 1) };
        }
    }

    /// log Σ eˣ of each row: a probability close to one keeps the digits of its logarithm.
    fn logs(&self) -> [f64; ROWS] {
        let mut logs = self.others;
        log1p_inplace(&mut logs);
        logs
    }
}

impl Categorical {
    /// `out_n` ← log p(`z_n`) of the member whose logits are row n of `logits` (N, K); −∞ where `z_n` ≥ K, NaN where a
    /// logit of the row is not finite.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn log_prob_rows(logits: &ArrayRef2<f64>, z: &[usize], out: &mut [f64]) {
        assert!(z.len() == logits.nrows() && out.len() == logits.nrows(), "one value and one output per row");
        let outs = z.chunks(ROWS).zip(out.chunks_mut(ROWS));
        for (block, (z, out)) in logits.axis_chunks_iter(Axis(0), ROWS).zip(outs) {
            let sums = Sums::new(&block);
            let logs = sums.logs();
            for (n, (z, out)) in z.iter().zip(out).enumerate() {
                let x = block.get((n, *z)).map_or(f64::NEG_INFINITY, |logit| logit - sums.largest[n]);
                // A category beyond the last one does not hide the NaN of its row.
                *out = if sums.largest[n].is_nan() { f64::NAN } else { x - logs[n] };
            }
        }
    }

    /// out ← log π of every row of `logits` (N, K); out (N, K). NaN in rows with a logit that is not finite.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn log_probabilities_rows(logits: &ArrayRef2<f64>, out: &mut ArrayRef2<f64>) {
        normalise_rows(logits, out);
    }

    /// out ← π of every row of `logits` (N, K); out (N, K). NaN in rows with a logit that is not finite.
    ///
    /// The first K − 1 of a row are its mean parameters.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn probabilities_rows(logits: &ArrayRef2<f64>, out: &mut ArrayRef2<f64>) {
        // The logarithm is at most log K, so that its rounding hardly shows.
        normalise_rows(logits, out);
        match out.as_slice_memory_order_mut() {
            Some(values) => exp_inplace(values),
            None => out.iter_mut().for_each(|value| exp_inplace(std::slice::from_mut(value))),
        }
    }

    /// `out_n` ← the entropy of the member whose logits are row n of `logits` (N, K); NaN where one is not finite.
    ///
    /// ```text
    /// log Σ eˣ − Σ x eˣ / Σ eˣ,   x = logit − largest logit
    /// ```
    /// Both parts are positive.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn entropy_rows(logits: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(logits.nrows(), out.len(), "one output per row");
        let outs = out.axis_chunks_iter_mut(Axis(0), ROWS);
        for (block, mut out) in logits.axis_chunks_iter(Axis(0), ROWS).zip(outs) {
            let sums = Sums::new(&block);
            let logs = sums.logs();
            for (n, out) in out.iter_mut().enumerate() {
                let value = logs[n] - sums.weighted[n] / (1.0 + sums.others[n]);
                *out = if sums.largest[n].is_nan() { f64::NAN } else { value };
            }
        }
    }
}

/// out ← x − log Σ eˣ, row by row.
fn normalise_rows(logits: &ArrayRef2<f64>, out: &mut ArrayRef2<f64>) {
    assert_eq!(logits.dim(), out.dim(), "logits and out differ in shape");
    let outs = out.axis_chunks_iter_mut(Axis(0), ROWS);
    for (block, mut out) in logits.axis_chunks_iter(Axis(0), ROWS).zip(outs) {
        let sums = Sums::new(&block);
        let logs = sums.logs();
        for (n, (row, mut out)) in block.rows().into_iter().zip(out.rows_mut()).enumerate() {
            let (largest, log) = (sums.largest[n], logs[n]);
            out.zip_mut_with(&row, |out, logit| *out = (logit - largest) - log);
        }
    }
}
