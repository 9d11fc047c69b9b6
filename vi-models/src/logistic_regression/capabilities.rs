//! Minibatches, local terms and predictions of the regression.

use ndarray::{ArrayRef1, ArrayRef2};
use rand::RngExt;
use vi_core::numerics::{sigmoid_scalar, softplus_scalar};
use vi_core::{CommError, Exec, GradLogJoint, LogJoint, ParameterSpace, Predictive, StreamRng, Subsample};

use super::LogisticRegression;
use super::likelihood::Gathered;
use crate::coefficients::local_terms_by_coefficient;
use crate::regression::RegressionData;

local_terms_by_coefficient!(LogisticRegression);

/// A minibatch of [`LogisticRegression`], its likelihood weighted by N/|B|: a view of the data, which costs nothing to make.
#[derive(Clone, Copy, Debug)]
pub struct LogisticRegressionMinibatch<'a> {
    model: &'a LogisticRegression,
    rows: Gathered<'a>,
    weight: f64,
}

impl LogisticRegressionMinibatch<'_> {
    fn likelihood(&self) -> (&Gathered<'_>, f64) {
        (&self.rows, self.weight)
    }
}

impl LogJoint for LogisticRegressionMinibatch<'_> {
    fn parameters(&self) -> &ParameterSpace {
        self.model.parameters()
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.model.at_one_point(self.likelihood(), z, None)
    }

    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        self.model.evaluate_here(self.likelihood(), z, out, None);
    }
}

impl GradLogJoint for LogisticRegressionMinibatch<'_> {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        self.model.at_one_point(self.likelihood(), z, Some(grad))
    }

    fn log_joint_and_grad_batch(
        &self,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) {
        self.model.evaluate_here(self.likelihood(), z, out, Some(grad));
    }

    fn log_joint_and_grad_batch_in(
        &self,
        exec: Exec<'_>,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) -> Result<(), CommError> {
        self.model.evaluate(self.likelihood(), z, Some(exec), out, Some(grad))
    }
}

impl Subsample for LogisticRegression {
    type Minibatch<'a> = LogisticRegressionMinibatch<'a>;

    fn n_data(&self) -> usize {
        self.data.n_points()
    }

    fn minibatch<'a>(&'a self, indices: &'a [usize]) -> Self::Minibatch<'a> {
        let n = self.data.n_points();
        assert!(!indices.is_empty(), "indices: a minibatch has at least one datum");
        assert!(indices.iter().all(|i| *i < n), "indices: there are only {n} data");
        let rows = Gathered { data: &self.data, indices };
        LogisticRegressionMinibatch { model: self, rows, weight: n as f64 / indices.len() as f64 }
    }
}

impl Predictive for LogisticRegression {
    type Data = RegressionData;

    fn observed(&self) -> &RegressionData {
        &self.data
    }

    fn n_points(&self, data: &RegressionData) -> usize {
        data.n_points()
    }

    fn log_likelihood_pointwise(&self, data: &RegressionData, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let logits = data.linear_predictor(z);
        for ((y, eta), o) in data.y().iter().zip(&logits).zip(out.iter_mut()) {
            *o = y * eta - softplus_scalar(*eta);
        }
    }

    fn simulate(&self, data: &RegressionData, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> RegressionData {
        let logits = data.linear_predictor(z);
        data.with_response(logits.mapv(|eta| f64::from(u8::from(rng.random::<f64>() < sigmoid_scalar(eta)))))
    }
}
