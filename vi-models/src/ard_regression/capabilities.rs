//! Local terms and predictions.

use std::ops::Range;

use ndarray::ArrayRef1;
use vi_core::{LocalLogJoint, Predictive, StreamRng};

use super::ArdRegression;
use crate::noise::NoisePrior;
use crate::regression::RegressionData;

/// Blocks: β, α, then τ unless it is known.
impl LocalLogJoint for ArdRegression {
    fn n_blocks(&self) -> usize {
        match self.priors.noise {
            NoisePrior::Known { .. } => 2,
            NoisePrior::Gamma { .. } => 3,
        }
    }

    fn block(&self, b: usize) -> Range<usize> {
        let d = self.n_coefficients();
        let end = d + self.n_slopes();
        match b {
            0 => 0..d,
            1 => d..end,
            _ => end..end + 1,
        }
    }

    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        let prior = self.log_prior(z);
        if !prior.is_finite() {
            return prior;
        }
        let (beta, _, tau) = self.split(z);
        let noise = self.priors.noise.log_prob(tau.ln(), tau);
        let likelihood = || self.likelihood_term(tau.ln(), tau, self.loss.at(&beta));
        match b {
            0 => likelihood() + prior - noise,
            1 => prior - noise - self.intercept_term(beta[0] * beta[0]),
            _ => likelihood() + noise,
        }
    }
}

impl Predictive for ArdRegression {
    type Data = RegressionData;

    fn observed(&self) -> &RegressionData {
        &self.data
    }

    fn n_points(&self, data: &RegressionData) -> usize {
        data.n_points()
    }

    fn log_likelihood_pointwise(&self, data: &RegressionData, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let (beta, _, tau) = self.split(z);
        data.normal_log_likelihood(&beta, tau, out);
    }

    fn simulate(&self, data: &RegressionData, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> RegressionData {
        let (beta, _, tau) = self.split(z);
        data.simulate_normal(&beta, tau, rng)
    }
}
