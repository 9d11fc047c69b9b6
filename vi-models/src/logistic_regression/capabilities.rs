//! Minibatches, local terms and predictions of the regression.

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2};
use rand::RngExt;
use vi_core::numerics::{sigmoid_scalar, softplus_scalar};
use vi_core::{GradLogJoint, LocalLogJoint, LogJoint, ParameterSpace, Predictive, StreamRng, Subsample};

use super::LogisticRegression;
use super::likelihood::Likelihood;
use crate::regression::RegressionData;

/// One block per coefficient. The likelihood belongs to every block, so that one block costs as much as the whole, and
/// all of them together no more; what a block leaves out are the priors of the others.
impl LocalLogJoint for LogisticRegression {
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

/// A minibatch of [`LogisticRegression`], its likelihood weighted by N/|B|.
#[derive(Clone, Debug)]
pub struct LogisticRegressionMinibatch<'a> {
    model: &'a LogisticRegression,
    likelihood: Likelihood,
}

impl LogJoint for LogisticRegressionMinibatch<'_> {
    fn parameters(&self) -> &ParameterSpace {
        self.model.parameters()
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.model.log_joint_with(&self.likelihood, z)
    }

    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        self.model.evaluate(&self.likelihood, z, out, None);
    }
}

impl GradLogJoint for LogisticRegressionMinibatch<'_> {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        self.model.log_joint_and_grad_with(&self.likelihood, z, grad)
    }

    fn log_joint_and_grad_batch(
        &self,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) {
        self.model.evaluate(&self.likelihood, z, out, Some(grad));
    }
}

impl Subsample for LogisticRegression {
    type Minibatch<'a> = LogisticRegressionMinibatch<'a>;

    fn n_data(&self) -> usize {
        self.data.n_points()
    }

    fn minibatch<'a>(&'a self, indices: &'a [usize]) -> Self::Minibatch<'a> {
        let weight = self.data.n_points() as f64 / indices.len() as f64;
        let rows = self.data.rows(indices);
        let likelihood = Likelihood::new(rows.x().clone(), rows.y(), weight);
        LogisticRegressionMinibatch { model: self, likelihood }
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
