//! The exact expectation under independent Gaussians.

use ndarray::ArrayRef1;
use vi_core::GaussianExpectation;

use super::LogisticRegression;
use crate::gaussian_softplus::softplus_moments;

/// η_n = x_nᵀβ is Gaussian, so that one integral over the line for every datum is all:
///
/// ```text
/// E[log p(y, β)] = Σ_n (y_n a_n − E[softplus(a_n + b_n ε)]) − ½ Σ_j (m_j² + v_j²)/s_j² + constants
/// a_n = x_nᵀm,   b_n² = Σ_j x_nj² v_j²,   ε ~ N(0, 1)
/// ```
impl GaussianExpectation for LogisticRegression {
    fn how(&self) -> &'static str {
        "one-dimensional quadrature for every datum"
    }

    fn expected_under_gaussians(
        &self,
        mean: &ArrayRef1<f64>,
        sd: &ArrayRef1<f64>,
        grad_mean: &mut ArrayRef1<f64>,
        grad_sd: &mut ArrayRef1<f64>,
    ) -> f64 {
        let p = &self.prior.precisions;
        let mut value = self.prior.log_prob(mean);
        for j in 0..mean.len() {
            value -= 0.5 * p[j] * sd[j] * sd[j];
            grad_mean[j] = -p[j] * mean[j];
            grad_sd[j] = -p[j] * sd[j];
        }
        for (x, y) in self.data.x().rows().into_iter().zip(self.data.y()) {
            let spread = x.iter().zip(sd).map(|(x, v)| (x * v).powi(2)).sum::<f64>().sqrt();
            let centre = x.dot(mean);
            let [softplus, first, second] = softplus_moments(centre, spread);
            value += y * centre - softplus;
            for (j, x) in x.iter().enumerate() {
                grad_mean[j] += (y - first) * x;
                grad_sd[j] -= second * x * x * sd[j];
            }
        }
        value
    }
}
