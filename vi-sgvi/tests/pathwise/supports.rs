//! A model over every continuous support whose ELBO under a product of factors has a closed form.

use ndarray::{Array1, ArrayRef1};
use vi_core::{GradLogJoint, LogJoint, Parameter, ParameterSpace, Support};
use vi_families::special::digamma;
use vi_families::{ProductFamily, VariationalDistribution, VariationalFamily, VonMises};

pub(crate) const LOWER: f64 = -1.0;
pub(crate) const UPPER: f64 = 3.0;

/// θ real, τ > 0, ρ in (−1, 3), w on the simplex of three, φ on the circle.
///
/// ```text
/// log p = −½ τ (θ − 1)² + 1.5 log τ + sin τ − τ + ρθ − ρ² + 2 w₁ρ − 3 w₂² + 1.2 log w₃ + 1.5 θ cos(φ − 0.7)
/// ```
#[derive(Debug)]
pub(crate) struct EverySupport {
    parameters: ParameterSpace,
}

impl EverySupport {
    pub(crate) fn new() -> Self {
        let parameters = ParameterSpace::new([
            Parameter::scalar("theta", Support::Real),
            Parameter::scalar("tau", Support::Positive),
            Parameter::scalar("rho", Support::Interval { lower: LOWER, upper: UPPER }),
            Parameter::vector("w", 3, Support::Simplex),
            Parameter::scalar("phi", Support::Angle),
        ]);
        Self { parameters: parameters.unwrap() }
    }

    /// Moments of Gaussian, Gamma (E τ, E log τ, E sin τ by its characteristic function), Beta, Dirichlet and von Mises.
    pub(crate) fn elbo(&self, params: &ArrayRef1<f64>) -> f64 {
        let family = ProductFamily::for_space(&self.parameters).unwrap();
        let (m, s) = (params[0], params[1].exp());
        let (a, b) = (params[2].exp(), params[3].exp());
        let (alpha, beta) = (params[4].exp(), params[5].exp());
        let c: Vec<f64> = (6..9).map(|i| params[i].exp()).collect();
        let total: f64 = c.iter().sum();
        let tau = a / b;
        let log_tau = digamma(a) - b.ln();
        let sin_tau = (1.0 + 1.0 / (b * b)).powf(-0.5 * a) * (a * (1.0 / b).atan()).sin();
        let x = alpha / (alpha + beta);
        let x_squared = x * (alpha + 1.0) / (alpha + beta + 1.0);
        let width = UPPER - LOWER;
        let rho = LOWER + width * x;
        let rho_squared = LOWER * LOWER + 2.0 * LOWER * width * x + width * width * x_squared;
        let w2_squared = c[1] * (c[1] + 1.0) / (total * (total + 1.0));
        let phi = VonMises::from_mean_direction_concentration(params[9], params[10].exp()).unwrap();
        let log_w3 = digamma(c[2]) - digamma(total);
        let expected = -0.5 * tau * ((m - 1.0).powi(2) + s * s) + 1.5 * log_tau + sin_tau - tau + rho * m
            - rho_squared
            + 2.0 * c[0] / total * rho
            - 3.0 * w2_squared
            + 1.2 * log_w3
            + 1.5 * m * phi.resultant_length() * (params[9] - 0.7).cos();
        expected + family.bind(params).unwrap().entropy().unwrap()
    }
}

impl LogJoint for EverySupport {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.log_joint_and_grad(z, &mut Array1::zeros(7))
    }
}

impl GradLogJoint for EverySupport {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let [theta, tau, rho, w1, w2, w3, phi] = [z[0], z[1], z[2], z[3], z[4], z[5], z[6]];
        grad[0] = -tau * (theta - 1.0) + rho + 1.5 * (phi - 0.7).cos();
        grad[1] = -0.5 * (theta - 1.0).powi(2) + 1.5 / tau + tau.cos() - 1.0;
        grad[2] = theta - 2.0 * rho + 2.0 * w1;
        grad[3] = 2.0 * rho;
        grad[4] = -6.0 * w2;
        grad[5] = 1.2 / w3;
        grad[6] = -1.5 * theta * (phi - 0.7).sin();
        -0.5 * tau * (theta - 1.0).powi(2) + 1.5 * tau.ln() + tau.sin() - tau + rho * theta - rho * rho
            + 2.0 * w1 * rho
            - 3.0 * w2 * w2
            + 1.2 * w3.ln()
            + 1.5 * theta * (phi - 0.7).cos()
    }
}
