//! Local terms and predictions.

use ndarray::ArrayRef1;
use rand::RngExt;
use vi_core::{Predictive, StreamRng};
use vi_families::special::{normal_cdf, normal_log_cdf};

use super::ProbitRegression;
use crate::coefficients::local_terms_by_coefficient;
use crate::regression::RegressionData;

local_terms_by_coefficient!(ProbitRegression);

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
