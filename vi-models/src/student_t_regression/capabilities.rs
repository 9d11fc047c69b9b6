//! Local terms and predictions.

use std::ops::Range;

use ndarray::{ArrayRef1, s};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use vi_core::{LocalLogJoint, LogJoint, Predictive, StreamRng, numerics};
use vi_families::{ExponentialFamily, Gamma};

use super::StudentTRegression;
use crate::draws::choose;
use crate::noise::{NoisePrior, PrecisionStats};
use crate::regression::RegressionData;

/// Blocks: β, then τ unless it is known. The likelihood belongs to both.
impl LocalLogJoint for StudentTRegression {
    fn n_blocks(&self) -> usize {
        match self.priors.noise {
            NoisePrior::Known { .. } => 1,
            NoisePrior::Gamma { .. } => 2,
        }
    }

    fn block(&self, b: usize) -> Range<usize> {
        let d = self.n_coefficients();
        if b == 0 { 0..d } else { d..d + 1 }
    }

    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        let tau = self.noise_precision(z);
        if tau <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let PrecisionStats { mean, log } = PrecisionStats::realised(tau);
        let other = match b {
            0 => self.priors.noise.log_prob(log, mean),
            _ => self.prior.log_prob(&z.slice(s![..self.n_coefficients()])),
        };
        self.log_joint(z) - other
    }
}

/// New data share the unknown ν with the old: given z it has the probabilities p(ν | y, z).
impl Predictive for StudentTRegression {
    type Data = RegressionData;

    fn observed(&self) -> &RegressionData {
        &self.data
    }

    fn n_points(&self, data: &RegressionData) -> usize {
        data.n_points()
    }

    fn log_likelihood_pointwise(&self, data: &RegressionData, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let tau = self.noise_precision(z);
        let log_p = self.dof_probabilities(z).mapv(f64::ln);
        let mut terms = vec![0.0; log_p.len()];
        for (r, o) in self.residuals(data, z).iter().zip(out.iter_mut()) {
            for (k, term) in terms.iter_mut().enumerate() {
                *term = log_p[k] + self.likelihood.log_density(k, tau, *r);
            }
            *o = numerics::log_sum_exp(&terms);
        }
    }

    /// One ν for all the new data.
    fn simulate(&self, data: &RegressionData, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> RegressionData {
        let tau = self.noise_precision(z);
        let dof = self.priors.dof[choose(self.dof_probabilities(z), rng.random())];
        let scales = Gamma::from_shape_rate(0.5 * dof, 0.5 * dof).expect("degrees of freedom were checked");
        let mean = data.linear_predictor(&z.slice(s![..self.n_coefficients()]));
        data.with_response(mean.mapv(|m| {
            let precision = tau * scales.sample(rng);
            let e: f64 = StandardNormal.sample(rng);
            m + e / precision.sqrt()
        }))
    }
}
