//! The exact expectation of the non-centred form under independent Gaussians.

use ndarray::ArrayRef1;
use vi_core::GaussianExpectation;

use super::EightSchoolsNonCentred;
use crate::gaussian_softplus::softplus_moments;

/// The log joint is quadratic in μ and every θ̃_j, and τ = e^t has the moments of a log-normal; what is left is the
/// half-Cauchy prior, an integral over the line:
///
/// ```text
/// E[(y − μ − τθ̃)²] = (y − m_μ)² + v_μ² − 2 (y − m_μ) E[τ] m_θ + E[τ²] (m_θ² + v_θ²)
/// E[log(1 + τ²/A²)] = E[softplus(2t − 2 log A)],   E[τ] = e^(m_t + v_t²/2),   E[τ²] = e^(2m_t + 2v_t²)
/// ```
impl GaussianExpectation for EightSchoolsNonCentred {
    fn how(&self) -> &'static str {
        "closed form, the half-Cauchy prior by quadrature"
    }

    fn expected_under_gaussians(
        &self,
        mean: &ArrayRef1<f64>,
        sd: &ArrayRef1<f64>,
        grad_mean: &mut ArrayRef1<f64>,
        grad_sd: &mut ArrayRef1<f64>,
    ) -> f64 {
        let h = &self.hierarchy;
        let n = h.n_schools();
        let (mu, v_mu, t, v_t) = (mean[n], sd[n], mean[n + 1], sd[n + 1]);
        let (tau, tau_squared) = ((t + 0.5 * v_t * v_t).exp(), (2.0 * (t + v_t * v_t)).exp());
        let precision = h.priors.mu_sd.powi(-2);

        let mut quadratic = precision * ((mu - h.priors.mu_mean).powi(2) + v_mu * v_mu);
        grad_mean[n] = -precision * (mu - h.priors.mu_mean);
        grad_sd[n] = -precision * v_mu;
        // The prior of t: the half-Cauchy density of τ and dτ/dt = τ.
        let [softplus, first, second] = softplus_moments(2.0 * (t - h.priors.tau_scale.ln()), 2.0 * v_t);
        grad_mean[n + 1] = 1.0 - 2.0 * first;
        grad_sd[n + 1] = -4.0 * v_t * second;
        for j in 0..n {
            let (w, m, v) = (h.weight[j], mean[j], sd[j]);
            let (residual, square) = (h.data.effect[j] - mu, m * m + v * v);
            let (once, twice) = (residual * tau * m, tau_squared * square);
            quadratic += w * (residual * residual + v_mu * v_mu - 2.0 * once + twice) + square;
            grad_mean[j] = w * (residual * tau - tau_squared * m) - m;
            grad_sd[j] = -(w * tau_squared + 1.0) * v;
            grad_mean[n] += w * (residual - tau * m);
            grad_sd[n] -= w * v_mu;
            grad_mean[n + 1] += w * (once - twice);
            grad_sd[n + 1] += w * v_t * (once - 2.0 * twice);
        }
        h.log_constant - 0.5 * quadratic - softplus + t
    }
}
