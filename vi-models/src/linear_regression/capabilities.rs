//! Minibatches, local terms and predictions of the regression.

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2, s};
use vi_core::{GradLogJoint, LocalLogJoint, LogJoint, ParameterSpace, Predictive, StreamRng, Subsample};

use super::{LinearRegression, NoisePrior};
use crate::quadratic_loss::QuadraticLoss;
use crate::regression::{RegressionData, at_one_point};

impl LinearRegression {
    pub(super) fn log_joint_with(&self, loss: &QuadraticLoss, z: &ArrayRef1<f64>) -> f64 {
        at_one_point(z, None, |z, out, grad| self.evaluate(loss, z, out, grad))
    }

    pub(super) fn log_joint_and_grad_with(
        &self,
        loss: &QuadraticLoss,
        z: &ArrayRef1<f64>,
        grad: &mut ArrayRef1<f64>,
    ) -> f64 {
        at_one_point(z, Some(grad), |z, out, grad| self.evaluate(loss, z, out, grad))
    }
}

/// Blocks: β, then τ unless it is known.
impl LocalLogJoint for LinearRegression {
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
        let coefficients = z.slice(s![..self.n_coefficients()]);
        let tau = self.noise_precision(z);
        if tau <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let log_tau = tau.ln();
        let likelihood = self.likelihood_term(self.loss.n, log_tau, tau, self.loss.at(&coefficients));
        let prior = self.coefficient_term(log_tau, tau, self.prior_squares(&coefficients));
        match b {
            0 => likelihood + prior,
            // The prior of β belongs to the terms of τ only where τ occurs in it.
            _ => likelihood + self.priors.power() * prior + self.priors.noise.log_prob(log_tau, tau),
        }
    }
}

/// A minibatch of [`LinearRegression`], its likelihood weighted by N/|B|.
#[derive(Clone, Debug)]
pub struct LinearRegressionMinibatch<'a> {
    model: &'a LinearRegression,
    loss: QuadraticLoss,
}

impl LogJoint for LinearRegressionMinibatch<'_> {
    fn parameters(&self) -> &ParameterSpace {
        self.model.parameters()
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.model.log_joint_with(&self.loss, z)
    }

    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        self.model.evaluate(&self.loss, z, out, None);
    }
}

impl GradLogJoint for LinearRegressionMinibatch<'_> {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        self.model.log_joint_and_grad_with(&self.loss, z, grad)
    }

    fn log_joint_and_grad_batch(
        &self,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) {
        self.model.evaluate(&self.loss, z, out, Some(grad));
    }
}

impl Subsample for LinearRegression {
    type Minibatch<'a> = LinearRegressionMinibatch<'a>;

    fn n_data(&self) -> usize {
        self.data.n_points()
    }

    fn minibatch<'a>(&'a self, indices: &'a [usize]) -> Self::Minibatch<'a> {
        let weight = self.data.n_points() as f64 / indices.len() as f64;
        let loss = QuadraticLoss::new(&self.data.rows(indices), self.loss.reference.clone(), weight);
        LinearRegressionMinibatch { model: self, loss }
    }
}

impl Predictive for LinearRegression {
    type Data = RegressionData;

    fn observed(&self) -> &RegressionData {
        &self.data
    }

    fn n_points(&self, data: &RegressionData) -> usize {
        data.n_points()
    }

    fn log_likelihood_pointwise(&self, data: &RegressionData, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let tau = self.noise_precision(z);
        data.normal_log_likelihood(&z.slice(s![..self.n_coefficients()]), tau, out);
    }

    fn simulate(&self, data: &RegressionData, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> RegressionData {
        data.simulate_normal(&z.slice(s![..self.n_coefficients()]), self.noise_precision(z), rng)
    }
}
