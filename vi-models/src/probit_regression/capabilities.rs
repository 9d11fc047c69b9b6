//! Local terms and predictions.

use std::ops::Range;

use ndarray::ArrayRef1;
use rand::RngExt;
use vi_core::{LocalLogJoint, LogJoint, Predictive, StreamRng};
use vi_families::special::{normal_cdf, normal_log_cdf};

use super::ProbitRegression;
use crate::regression::RegressionData;

/// One block per coefficient. The likelihood belongs to every block; what a block leaves out are the priors of the others.
impl LocalLogJoint for ProbitRegression {
    fn n_blocks(&self) -> usize {
        self.data.n_columns()
    }

    fn block(&self, b: usize) -> Range<usize> {
        b..b + 1
    }

    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        self.log_joint(z) - self.prior.log_prob(z) + self.prior.log_prob_of(b, z)
    }

    fn log_joint_blocks(&self, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let likelihood = self.log_joint(z) - self.prior.log_prob(z);
        for (b, o) in out.iter_mut().enumerate() {
            *o = likelihood + self.prior.log_prob_of(b, z);
        }
    }
}

impl Predictive for ProbitRegression {
    type Data = RegressionData;

    fn observed(&self) -> &RegressionData {
        &self.data
    }

    fn n_points(&self, data: &RegressionData) -> usize {
        data.n_points()
    }

    fn log_likelihood_pointwise(&self, data: &RegressionData, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let eta = data.linear_predictor(z);
        for ((y, eta), o) in data.y().iter().zip(&eta).zip(out.iter_mut()) {
            *o = normal_log_cdf((2.0 * y - 1.0) * eta);
        }
    }

    fn simulate(&self, data: &RegressionData, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> RegressionData {
        let eta = data.linear_predictor(z);
        data.with_response(eta.mapv(|eta| f64::from(u8::from(rng.random::<f64>() < normal_cdf(eta)))))
    }
}
