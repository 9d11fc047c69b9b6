//! A minibatch of the mixture is a mixture with its likelihood scaled.

use ndarray::{ArrayRef1, ArrayRef2};
use vi_core::{GradLogJoint, LogJoint, ParameterSpace, Subsample};

use super::GaussianMixture;
use super::log_joint::Likelihood;

/// log p(z) + (N/|B|) Σ_{n∈B} log p(x_n | z).
#[derive(Clone, Copy, Debug)]
pub struct GaussianMixtureMinibatch<'a> {
    model: &'a GaussianMixture,
    likelihood: Likelihood<'a>,
}

impl Subsample for GaussianMixture {
    type Minibatch<'a> = GaussianMixtureMinibatch<'a>;

    fn n_data(&self) -> usize {
        self.data.nrows()
    }

    fn minibatch<'a>(&'a self, indices: &'a [usize]) -> GaussianMixtureMinibatch<'a> {
        let n = self.data.nrows();
        assert!(!indices.is_empty(), "gaussian_mixture: a minibatch has at least one datum");
        assert!(indices.iter().all(|&i| i < n), "gaussian_mixture: minibatch index beyond the {n} data");
        let scale = n as f64 / indices.len() as f64;
        GaussianMixtureMinibatch { model: self, likelihood: Likelihood { indices: Some(indices), scale } }
    }
}

impl LogJoint for GaussianMixtureMinibatch<'_> {
    fn parameters(&self) -> &ParameterSpace {
        self.model.parameters()
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.model.evaluate_one(self.likelihood, z, None)
    }

    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        self.model.evaluate(self.likelihood, z.view(), out.view_mut(), None);
    }
}

impl GradLogJoint for GaussianMixtureMinibatch<'_> {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        self.model.evaluate_one(self.likelihood, z, Some(grad))
    }

    fn log_joint_and_grad_batch(
        &self,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) {
        self.model.evaluate(self.likelihood, z.view(), out.view_mut(), Some(grad.view_mut()));
    }
}
