//! The Student-t log likelihood of many samples, with the degrees of freedom summed out.

use ndarray::linalg::general_mat_vec_mul;
use ndarray::{Array1, ArrayRef1, ArrayRef2, ArrayView2, ArrayViewMut1, ArrayViewMut2, s};
use vi_core::{linalg, numerics};
use vi_families::special::log_gamma;

use crate::checks::LOG_2_PI;
use crate::regression::RegressionData;
use crate::scratch;

/// Samples whose residuals are formed by one matrix product.
const GROUP: usize = 16;

/// A uniform mixture, over the grid of ν, of products of t densities.
#[derive(Clone, Debug)]
pub(super) struct Likelihood {
    /// ν (K).
    dof: Vec<f64>,
    /// [`log_gamma_step`] of ν (K).
    pub(super) steps: Vec<f64>,
}

impl Likelihood {
    pub(super) fn new(dof: &[f64]) -> Self {
        Self { dof: dof.to_vec(), steps: dof.iter().map(|nu| log_gamma_step(*nu)).collect() }
    }

    /// log t_ν_k(r) at scale τ^(−1/2).
    pub(super) fn log_density(&self, k: usize, tau: f64, residual: f64) -> f64 {
        let nu = self.dof[k];
        self.steps[k] + 0.5 * (tau.ln() - LOG_2_PI - (nu + 1.0) * (tau * residual * residual / nu).ln_1p())
    }

    /// Overwrites `log_joint` (K) with log p(ν_k) + Σ_n log t_ν_k(r_n); `work` (N) is overwritten too.
    fn log_joint_of_dof(&self, residuals: &[f64], tau: f64, work: &mut [f64], log_joint: &mut [f64]) {
        let n = residuals.len() as f64;
        let log_prior = -(self.dof.len() as f64).ln();
        for ((nu, step), out) in self.dof.iter().zip(&self.steps).zip(log_joint) {
            for (w, r) in work.iter_mut().zip(residuals) {
                *w = tau / nu * (r * r);
            }
            numerics::log1p_inplace(work);
            let tails: f64 = work.iter().sum();
            *out = log_prior + n * (step + 0.5 * (tau.ln() - LOG_2_PI)) - 0.5 * (nu + 1.0) * tails;
        }
    }

    /// p(ν_k | residuals, τ) (K).
    pub(super) fn dof_probabilities(&self, residuals: &Array1<f64>, tau: f64) -> Array1<f64> {
        let mut work = vec![0.0; residuals.len()];
        let mut out = Array1::zeros(self.dof.len());
        let (residuals, out_slice) = (residuals.as_slice().expect("standard layout"), out.as_slice_mut());
        let terms = out_slice.expect("standard layout");
        self.log_joint_of_dof(residuals, tau, &mut work, terms);
        let total = numerics::log_sum_exp(terms);
        out.mapv_inplace(|l| (l - total).exp());
        out
    }

    /// Overwrites `out` with the log likelihood of every row of `z`, whose τ is `tau(row)`, and `grad` with its
    /// gradients in (β, τ), or in β alone where z has no more.
    ///
    /// ```text
    /// u_n = Σ_k p(ν_k | r, τ) (ν_k + 1)/(ν_k + τ r_n²)
    /// ∇_β = τ Xᵀ(u ∘ r),     ∂/∂τ = ½ (N/τ − Σ_n u_n r_n²)
    /// ```
    pub(super) fn evaluate(
        &self,
        data: &RegressionData,
        z: &ArrayRef2<f64>,
        tau: impl Fn(usize) -> f64,
        out: &mut ArrayRef1<f64>,
        mut grad: Option<&mut ArrayRef2<f64>>,
    ) {
        let (n, d, k) = (data.n_points(), data.n_columns(), self.dof.len());
        for start in (0..z.nrows()).step_by(GROUP) {
            let rows = start..(start + GROUP).min(z.nrows());
            scratch::with(rows.len() * n + n + k, |buffer| {
                let (residuals, rest) = buffer.split_at_mut(rows.len() * n);
                let (work, terms) = rest.split_at_mut(n);
                set_residuals(data, &z.slice(s![rows.clone(), ..d]), residuals);
                for (row, r) in rows.clone().zip(residuals.chunks_exact_mut(n)) {
                    let tau = tau(row);
                    if tau <= 0.0 {
                        out[row] = f64::NEG_INFINITY;
                        continue;
                    }
                    self.log_joint_of_dof(r, tau, work, terms);
                    out[row] = numerics::log_sum_exp(terms);
                    if let Some(grad) = grad.as_deref_mut() {
                        for term in terms.iter_mut() {
                            *term = (*term - out[row]).exp();
                        }
                        let slope = self.weigh(r, tau, terms);
                        if z.ncols() > d {
                            grad[[row, d]] = slope;
                        }
                    }
                }
                if let Some(grad) = grad.as_deref_mut() {
                    let weighted =
                        ArrayView2::from_shape((rows.len(), n), &*residuals).expect("rows × N values");
                    linalg::gemm(1.0, &weighted, data.x(), 0.0, &mut grad.slice_mut(s![rows, ..d]));
                }
            });
        }
    }

    /// Multiplies the residuals by τu, and returns the derivative in τ.
    fn weigh(&self, residuals: &mut [f64], tau: f64, probabilities: &[f64]) -> f64 {
        let mut sum = 0.0;
        for r in residuals.iter_mut() {
            let square = *r * *r;
            let terms = self.dof.iter().zip(probabilities);
            let u: f64 = terms.map(|(nu, p)| p * (nu + 1.0) / (nu + tau * square)).sum();
            sum += u * square;
            *r *= tau * u;
        }
        0.5 * (residuals.len() as f64 / tau - sum)
    }
}

/// log Γ((ν + 1)/2) − log Γ(ν/2) − ½ log ν/2, which is all that a t density needs beside log 2π, without
/// cancellation for large ν (Tricomi & Erdélyi 1951).
fn log_gamma_step(nu: f64) -> f64 {
    let x = 0.5 * nu;
    if x < 50.0 {
        return log_gamma(x + 0.5) - log_gamma(x) - 0.5 * x.ln();
    }
    let y = (x * x).recip();
    -(1.0 / 8.0 - y * (1.0 / 192.0 - y * (1.0 / 640.0 - y * (17.0 / 14336.0)))) / x
}

/// residuals (S, N) ← y − Z Xᵀ.
fn set_residuals(data: &RegressionData, z: &ArrayView2<'_, f64>, residuals: &mut [f64]) {
    let n = data.n_points();
    for r in residuals.chunks_exact_mut(n) {
        r.copy_from_slice(data.y().as_slice().expect("responses are contiguous"));
    }
    if z.nrows() == 1 {
        // A single row is not worth the packing of a matrix product.
        let mut residuals = ArrayViewMut1::from(residuals);
        return general_mat_vec_mul(-1.0, data.x(), &z.row(0), 1.0, &mut residuals);
    }
    let mut residuals = ArrayViewMut2::from_shape((z.nrows(), n), residuals).expect("S × N values");
    linalg::gemm(-1.0, z, &data.x().t(), 1.0, &mut residuals);
}
