//! What the regressions share beside their data: the Gaussian prior of the coefficients, weighted Gram matrices,
//! expected squares, and log likelihoods of many samples through their linear predictors.

use ndarray::linalg::general_mat_vec_mul;
use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayView2, ArrayViewMut1, ArrayViewMut2, s};
use vi_core::{ConjugateError, Exec, linalg};
use vi_families::MvGaussian;

use crate::checks::{LOG_2_PI, refused};
use crate::regression::{RegressionData, gaussian_from_shift};
use crate::scratch;

/// Rows that are summed into one partial of a Gram matrix before the fixed-order fold: keeps the partials few.
const ROWS_PER_ITEM: usize = 4;

/// β_j ~ N(0, 1/p_j), independently.
#[derive(Clone, Debug)]
pub(crate) struct CoefficientPrior {
    /// p (D).
    pub(crate) precisions: Array1<f64>,
    /// ½ Σ log p − D/2 log 2π.
    pub(crate) log_constant: f64,
}

impl CoefficientPrior {
    /// The same precision for every coefficient of `data`, but for the intercept if it has its own.
    pub(crate) fn new(data: &RegressionData, precision: f64, intercept: Option<f64>) -> Self {
        let mut precisions = Array1::from_elem(data.n_columns(), precision);
        if let (true, Some(p)) = (data.has_intercept(), intercept) {
            precisions[0] = p;
        }
        let log_constant = precisions.iter().map(|p| 0.5 * (p.ln() - LOG_2_PI)).sum();
        Self { precisions, log_constant }
    }

    /// Σ_j p_j β_j², β being the first D values of `z`.
    pub(crate) fn squares(&self, z: &ArrayRef1<f64>) -> f64 {
        // Four sums: one would wait for each addition to finish.
        let mut sums = [0.0; 4];
        for (i, (p, b)) in self.precisions.iter().zip(z).enumerate() {
            sums[i % 4] += p * b * b;
        }
        (sums[0] + sums[2]) + (sums[1] + sums[3])
    }

    /// Its expectation.
    pub(crate) fn expected_squares(&self, q: &MvGaussian) -> f64 {
        self.squares(q.mean()) + self.precisions.dot(&q.covariance().diag())
    }

    pub(crate) fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        self.log_constant - 0.5 * self.squares(z)
    }

    /// The log density of coefficient `b`.
    pub(crate) fn log_prob_of(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        let p = self.precisions[b];
        0.5 * (p.ln() - LOG_2_PI - p * z[b] * z[b])
    }

    /// Adds the log density of every row to `out` and its gradient to `grad`.
    pub(crate) fn add_batch(
        &self,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: Option<&mut ArrayRef2<f64>>,
    ) {
        for (row, o) in z.rows().into_iter().zip(out.iter_mut()) {
            *o += self.log_prob(&row);
        }
        for (mut g, row) in grad.into_iter().flat_map(|g| g.rows_mut().into_iter().zip(z.rows())) {
            for ((g, b), p) in g.iter_mut().zip(row).zip(&self.precisions) {
                *g -= p * b;
            }
        }
    }

    /// The Gaussian of log density −½ Σ_n w_n (x_nᵀβ)² + shiftᵀβ under this prior.
    ///
    /// ```text
    /// P = diag(p) + Xᵀ diag(w) X,     N(P⁻¹ shift, P⁻¹)
    /// ```
    pub(crate) fn posterior(
        &self,
        x: &ArrayRef2<f64>,
        weights: &ArrayRef1<f64>,
        shift: &ArrayRef1<f64>,
        block: impl std::fmt::Debug,
        exec: Exec<'_>,
    ) -> Result<MvGaussian, ConjugateError> {
        self.posterior_of_gram(weighted_gram(x, weights, exec)?, shift, block)
    }

    /// The same with Xᵀ diag(w) X = `gram` (D, D).
    pub(crate) fn posterior_of_gram(
        &self,
        gram: Array2<f64>,
        shift: &ArrayRef1<f64>,
        block: impl std::fmt::Debug,
    ) -> Result<MvGaussian, ConjugateError> {
        let mut precision = gram;
        for (p, prior) in precision.diag_mut().iter_mut().zip(&self.precisions) {
            *p += prior;
        }
        gaussian_from_shift(&Array1::zeros(shift.len()), shift, &precision).map_err(|e| refused(block, e))
    }
}

/// Blocks of a model whose latents are coefficients under its `prior`: one for each. The likelihood belongs to every
/// block, so that one block costs as much as the whole, and all of them together no more; what a block leaves out are the
/// priors of the others.
macro_rules! local_terms_by_coefficient {
    ($model:ty) => {
        impl vi_core::LocalLogJoint for $model {
            fn n_blocks(&self) -> usize {
                self.prior.precisions.len()
            }

            fn block(&self, b: usize) -> std::ops::Range<usize> {
                b..b + 1
            }

            fn log_joint_block(&self, b: usize, z: &ndarray::ArrayRef1<f64>) -> f64 {
                use vi_core::LogJoint;
                self.log_joint(z) - self.prior.log_prob(z) + self.prior.log_prob_of(b, z)
            }

            fn log_joint_blocks(&self, z: &ndarray::ArrayRef1<f64>, out: &mut ndarray::ArrayRef1<f64>) {
                use vi_core::LogJoint;
                let likelihood = self.log_joint(z) - self.prior.log_prob(z);
                for (b, o) in out.iter_mut().enumerate() {
                    *o = likelihood + self.prior.log_prob_of(b, z);
                }
            }
        }
    };
}
pub(crate) use local_terms_by_coefficient;

/// Xᵀ diag(w) X for w ≥ 0.
pub(crate) fn weighted_gram(
    x: &ArrayRef2<f64>,
    weights: &ArrayRef1<f64>,
    exec: Exec<'_>,
) -> Result<Array2<f64>, ConjugateError> {
    let (n, d) = x.dim();
    let mut sum = Array1::zeros(d * d);
    exec.sum(n.div_ceil(ROWS_PER_ITEM), &mut sum, |items, partial| {
        let rows = items.start * ROWS_PER_ITEM..(items.end * ROWS_PER_ITEM).min(n);
        let mut weighted = x.slice(s![rows.clone(), ..]).to_owned();
        for (mut row, w) in weighted.rows_mut().into_iter().zip(weights.slice(s![rows])) {
            row *= w.sqrt();
        }
        let partial = partial.as_slice_mut().expect("a partial is contiguous");
        let mut partial = ArrayViewMut2::from_shape((d, d), partial).expect("d × d values");
        linalg::symmetric_rank_update(1.0, &weighted.t(), 1.0, &mut partial);
    })
    .map_err(|e| ConjugateError::Communication(e.to_string()))?;
    Ok(sum.into_shape_with_order((d, d)).expect("d × d values"))
}

/// Overwrites `out` (N) with `E[(x_nᵀβ − y_n)²]`, y = 0 if there is none, for β of this mean and covariance, or
/// for β = `mean` itself.
///
/// ```text
/// (x_nᵀm − y_n)² + x_nᵀ V x_n
/// ```
pub(crate) fn expected_squares(
    x: &ArrayRef2<f64>,
    y: Option<&ArrayRef1<f64>>,
    mean: &ArrayRef1<f64>,
    covariance: Option<&ArrayRef2<f64>>,
    out: &mut Array1<f64>,
    exec: Exec<'_>,
) {
    let out = out.as_slice_mut().expect("statistics are contiguous");
    exec.for_each_chunk(out, 1, |items, out| {
        let x = x.slice(s![items.clone(), ..]);
        for ((n, o), eta) in items.zip(out.iter_mut()).zip(&x.dot(mean)) {
            let error = y.map_or(*eta, |y| eta - y[n]);
            *o = error * error;
        }
        if let Some(covariance) = covariance {
            let mut product = Array2::zeros(x.raw_dim());
            linalg::gemm(1.0, &x, covariance, 0.0, &mut product);
            for ((o, row), v) in out.iter_mut().zip(x.rows()).zip(product.rows()) {
                *o += row.dot(&v);
            }
        }
    });
}

/// Samples whose linear predictors are formed by one matrix product.
const GROUP: usize = 16;

/// Log likelihoods that depend on β, the first D values of z, through η = Xβ alone.
///
/// `each(row, η, rest)` returns the log likelihood of a row of `z`, for `out`. Where gradients are asked for it is given
/// `rest`, the gradient in the coordinates of z after β, and overwrites both it and η with derivatives:
///
/// ```text
/// ∇_β log p = Xᵀ ∂log p/∂η
/// ```
pub(crate) fn evaluate_predictors(
    x: &ArrayRef2<f64>,
    z: &ArrayRef2<f64>,
    out: &mut ArrayRef1<f64>,
    mut grad: Option<&mut ArrayRef2<f64>>,
    mut each: impl FnMut(usize, &mut [f64], Option<&mut ArrayRef1<f64>>) -> f64,
) {
    let (n, d) = x.dim();
    for start in (0..z.nrows()).step_by(GROUP) {
        let rows = start..(start + GROUP).min(z.nrows());
        scratch::with(rows.len() * n, |eta| {
            set_predictors(x, &z.slice(s![rows.clone(), ..d]), eta);
            for (row, eta) in rows.clone().zip(eta.chunks_exact_mut(n)) {
                let mut rest = grad.as_deref_mut().map(|g| g.slice_mut(s![row, d..]));
                out[row] = each(row, eta, rest.as_deref_mut());
            }
            if let Some(grad) = grad.as_deref_mut() {
                let slopes = ArrayView2::from_shape((rows.len(), n), &*eta).expect("S × N values");
                linalg::gemm(1.0, &slopes, x, 0.0, &mut grad.slice_mut(s![rows, ..d]));
            }
        });
    }
}

/// eta (S, N) ← Z Xᵀ.
fn set_predictors(x: &ArrayRef2<f64>, z: &ArrayRef2<f64>, eta: &mut [f64]) {
    let (s, n) = (z.nrows(), x.nrows());
    if s == 1 {
        // A single row is not worth the packing of a matrix product.
        let mut eta = ArrayViewMut1::from(eta);
        return general_mat_vec_mul(1.0, x, &z.row(0), 0.0, &mut eta);
    }
    let mut eta = ArrayViewMut2::from_shape((s, n), eta).expect("S × N values");
    linalg::gemm(1.0, z, &x.t(), 0.0, &mut eta);
}
