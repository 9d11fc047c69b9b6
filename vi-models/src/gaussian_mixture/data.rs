//! The data's mean and scatter, which values are missing, and what is known of those.
//!
//! Given its assignment, the missing part m of a datum is normal. With η of the component and x = 0 there,
//! ```text
//! exp⟨η, T(x)⟩ = exp(a + hᵀx_m − ½ x_mᵀ Λ_mm x_m),     h = (Λμ)_m − Λ_mo x_o
//! x_m ~ N(Λ_mm⁻¹ h, Λ_mm⁻¹),     ∫ = exp(a + ½ hᵀΛ_mm⁻¹h) (2π)^(m/2) |Λ_mm|^(−½)
//! ```

use std::collections::BTreeMap;
use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use vi_core::linalg::{cholesky_inplace, invert_factor};

use super::MODEL;
use super::layout::Layout;
use crate::ModelError;
use crate::checks::LOG_2_PI;

/// Every value finite, or NaN where values may be missing.
pub(super) fn check(
    values: &ArrayRef2<f64>,
    data: &'static str,
    may_be_missing: bool,
) -> Result<(), ModelError> {
    let wrong = |v: f64| !(v.is_finite() || (may_be_missing && v.is_nan()));
    let Some(((row, column), &value)) = values.indexed_iter().find(|(_, v)| wrong(**v)) else {
        return Ok(());
    };
    let requirement = if may_be_missing { "finite, or NaN where it is missing" } else { "finite" };
    Err(ModelError::Datum { model: MODEL, data, row, column, value, requirement })
}

/// Which values are missing.
#[derive(Clone, Debug, Default)]
pub(super) struct Missing {
    /// Rows with missing values, ascending.
    rows: Vec<usize>,
    /// Where the columns of each such row begin; one more at the end.
    starts: Vec<usize>,
    columns: Vec<usize>,
    /// Of each such row, the first one that lacks the same columns: its pattern.
    patterns: Vec<usize>,
}

impl Missing {
    pub(super) fn find(data: &ArrayRef2<f64>) -> Self {
        let mut missing = Self { starts: vec![0], ..Self::default() };
        for (n, row) in data.rows().into_iter().enumerate() {
            let before = missing.columns.len();
            missing.columns.extend(row.iter().enumerate().filter(|(_, v)| v.is_nan()).map(|(d, _)| d));
            if missing.columns.len() > before {
                missing.rows.push(n);
                missing.starts.push(missing.columns.len());
            }
        }
        let mut first = BTreeMap::new();
        for (i, at) in missing.starts.windows(2).enumerate() {
            missing.patterns.push(*first.entry(&missing.columns[at[0]..at[1]]).or_insert(i));
        }
        missing
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The number of missing values.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    /// Row `n` as one of the missing ones: where its values are among all missing ones.
    pub(super) fn of_row(&self, n: usize) -> Option<Range<usize>> {
        let i = self.rows.binary_search(&n).ok()?;
        Some(self.starts[i]..self.starts[i + 1])
    }

    /// The pattern of row `n`, if it lacks anything.
    pub(super) fn pattern_of_row(&self, n: usize) -> Option<usize> {
        self.rows.binary_search(&n).ok().map(|i| self.patterns[i])
    }

    /// The columns that rows of a pattern lack, ascending.
    pub(super) fn columns_of_pattern(&self, pattern: usize) -> &[usize] {
        &self.columns[self.starts[pattern]..self.starts[pattern + 1]]
    }

    /// All rows with missing values, and where those are among all of them.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        self.rows.iter().enumerate().map(|(i, n)| (*n, self.starts[i]..self.starts[i + 1]))
    }

    pub(super) fn columns(&self, at: Range<usize>) -> &[usize] {
        &self.columns[at]
    }
}

/// The rows of `data` by which columns they have: (observed columns, rows) of every pattern.
pub(super) fn by_observed(data: &ArrayRef2<f64>) -> BTreeMap<Vec<usize>, Vec<usize>> {
    let mut patterns: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
    for (n, row) in data.rows().into_iter().enumerate() {
        let observed = row.iter().enumerate().filter(|(_, v)| !v.is_nan()).map(|(i, _)| i).collect();
        patterns.entry(observed).or_default().push(n);
    }
    patterns
}

/// The law of the missing part of a datum under one component.
pub(super) struct Conditional {
    /// The datum (D) with the missing values at their means.
    pub(super) filled: Vec<f64>,
    /// The Cholesky factor of Λ_mm (m, m).
    factor: Vec<f64>,
    log_det: f64,
}

impl Conditional {
    /// Of the datum `x` (D, centred, zero at the missing `columns`) under η (P).
    pub(super) fn new(layout: &Layout, eta: &[f64], x: &[f64], columns: &[usize]) -> Self {
        let m = columns.len();
        let mut factor = vec![0.0; m * m];
        for (i, a) in columns.iter().enumerate() {
            for (j, b) in columns.iter().enumerate() {
                factor[i * m + j] = layout.precision_entry(eta, *a, *b);
            }
        }
        let mut covariance = vec![f64::NAN; m * m];
        let mut log_det = f64::NAN;
        if cholesky_inplace(&mut factor, m).is_ok() {
            invert_factor(&factor, &mut covariance, m);
            log_det = 2.0 * (0..m).map(|i| factor[i * m + i].ln()).sum::<f64>();
        }
        let pull = |a: usize| -> f64 {
            let seen = x.iter().enumerate().map(|(j, x)| layout.precision_entry(eta, a, j) * x);
            eta[a] - seen.sum::<f64>()
        };
        let h: Vec<f64> = columns.iter().map(|a| pull(*a)).collect();
        let mut filled = x.to_vec();
        for (i, a) in columns.iter().enumerate() {
            filled[*a] = covariance[i * m..(i + 1) * m].iter().zip(&h).map(|(c, h)| c * h).sum();
        }
        Self { filled, factor, log_det }
    }

    /// The missing values (m) from standard normal noise, in place.
    pub(super) fn transform_noise(&self, columns: &[usize], noise: &mut [f64]) {
        let m = columns.len();
        // Λ_mm = L Lᵀ, so L⁻ᵀ ε has covariance Λ_mm⁻¹.
        for i in (0..m).rev() {
            let below: f64 = (i + 1..m).map(|j| self.factor[j * m + i] * noise[j]).sum();
            noise[i] = (noise[i] - below) / self.factor[i * m + i];
        }
        noise.iter_mut().zip(columns).for_each(|(v, a)| *v += self.filled[*a]);
    }

    /// log N of missing values (m).
    pub(super) fn log_density(&self, columns: &[usize], values: &[f64]) -> f64 {
        let m = columns.len();
        let difference: Vec<f64> = columns.iter().zip(values).map(|(a, v)| v - self.filled[*a]).collect();
        let square = |j: usize| {
            let y: f64 = (j..m).map(|i| self.factor[i * m + j] * difference[i]).sum();
            y * y
        };
        0.5 * (self.log_det - m as f64 * LOG_2_PI - (0..m).map(square).sum::<f64>())
    }
}

/// The mean of the observed values of every column (D).
pub(super) fn centre(data: &ArrayRef2<f64>) -> Array1<f64> {
    let (mut sums, mut counts) = (Array1::<f64>::zeros(data.ncols()), vec![0_usize; data.ncols()]);
    for row in data.rows() {
        for ((s, n), v) in sums.iter_mut().zip(&mut counts).zip(row) {
            if !v.is_nan() {
                *s += v;
                *n += 1;
            }
        }
    }
    sums.iter().zip(counts).map(|(s, n)| if n == 0 { 0.0 } else { s / n as f64 }).collect()
}

/// Σ (x − c)(x − c)ᵀ (D², row-major).
pub(super) fn scatter(data: &ArrayRef2<f64>, centre: &ArrayRef1<f64>) -> Array1<f64> {
    let d = data.ncols();
    let mut sum = Array2::zeros((d, d));
    // By blocks, so that no second copy of the data is made.
    for rows in data.axis_chunks_iter(ndarray::Axis(0), 1024) {
        let centred = &rows - &centre.view();
        vi_core::linalg::symmetric_rank_update(1.0, &centred.t(), 1.0, &mut sum);
    }
    sum.into_iter().collect()
}

/// The datum `n`, centred, zero where it is missing, into `x` (D).
pub(super) fn centred(data: &ArrayRef2<f64>, centre: &ArrayRef1<f64>, n: usize, x: &mut [f64]) {
    for ((x, v), c) in x.iter_mut().zip(data.row(n)).zip(centre) {
        *x = if v.is_nan() { 0.0 } else { v - c };
    }
}
