//! The Student-t log likelihood of many samples, with the degrees of freedom summed out.

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use vi_core::numerics;
use vi_families::special::log_gamma;

use crate::checks::LOG_2_PI;
use crate::coefficients::evaluate_predictors;
use crate::regression::RegressionData;

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
    /// u_n = Σ_k p(ν_k | r, τ) (ν_k + 1)/(ν_k + τ r_n²),     r = y − Xβ
    /// ∇_β = τ Xᵀ(u ∘ r),     ∂/∂τ = ½ (N/τ − Σ_n u_n r_n²)
    /// ```
    pub(super) fn evaluate(
        &self,
        data: &RegressionData,
        z: &ArrayRef2<f64>,
        tau: impl Fn(usize) -> f64,
        out: &mut ArrayRef1<f64>,
        grad: Option<&mut ArrayRef2<f64>>,
    ) {
        let wants_gradient = grad.is_some();
        vi_core::scratch::with_arrays([data.n_points(), self.dof.len()], |[work, terms]| {
            evaluate_predictors(data.x(), z, out, grad, |row, eta, rest| {
                let tau = tau(row);
                if tau <= 0.0 {
                    return f64::NEG_INFINITY;
                }
                let residuals = eta;
                for (r, y) in residuals.iter_mut().zip(data.y()) {
                    *r = y - *r;
                }
                self.log_joint_of_dof(residuals, tau, work, terms);
                let total = numerics::log_sum_exp(terms);
                if wants_gradient {
                    terms.iter_mut().for_each(|term| *term = (*term - total).exp());
                    let slope = self.weigh(residuals, tau, terms);
                    if let Some(rest) = rest {
                        rest.fill(slope);
                    }
                }
                total
            });
        });
    }

    /// Multiplies the residuals by τu, which makes them the derivatives in η, and returns the derivative in τ.
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
