//! The mean-field ELBO of models whose expectation under independent Gaussians is exact, and its optimum.

use ndarray::{Array1, ArrayRef1, s};
use vi_core::{GaussianExpectation, LogJoint, StreamKey, run};
use vi_families::{MeanFieldGaussian, VariationalDistribution, VariationalFamily};
use vi_sgvi::{Lbfgs, SgviError, SmoothObjective, Stationary};

/// The exact ELBO over λ = (means, log standard deviations).
#[derive(Debug)]
pub struct ExactElbo<'a, M> {
    /// The model.
    pub model: &'a M,
    /// Its mean-field Gaussians.
    pub family: &'a MeanFieldGaussian,
}

impl<M: GaussianExpectation + LogJoint> ExactElbo<'_, M> {
    /// ELBO(λ).
    pub fn at(&self, params: &ArrayRef1<f64>) -> f64 {
        self.value_and_grad(params, &mut Array1::zeros(params.len()))
    }

    /// The largest ELBO, climbed from standard deviations e^`log_sd` around 0.
    ///
    /// # Errors
    /// [`SgviError`] when the ascent fails.
    pub fn best(&self, log_sd: f64) -> Result<f64, SgviError> {
        let d = self.model.dim();
        let ascent = Lbfgs::new(self, 20)?;
        let mut state = ascent.start(Array1::from_shape_fn(2 * d, |i| if i < d { 0.0 } else { log_sd }))?;
        let stop = Stationary { tolerance: 1e-10 };
        run(&ascent, &mut state, StreamKey::from_seed(1), 0..3000, &stop, &mut []).map_err(Box::new)?;
        Ok(state.value)
    }
}

impl<M: GaussianExpectation + LogJoint> SmoothObjective for ExactElbo<'_, M> {
    fn names(&self) -> Vec<String> {
        self.family.param_names()
    }
    fn value_and_grad(&self, x: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let d = x.len() / 2;
        let (mean, sd) = (x.slice(s![..d]).to_owned(), x.slice(s![d..]).mapv(f64::exp));
        let (mut by_mean, mut by_sd) = (Array1::zeros(d), Array1::zeros(d));
        let expected = self.model.expected_under_gaussians(&mean, &sd, &mut by_mean, &mut by_sd);
        grad.slice_mut(s![..d]).assign(&by_mean);
        grad.slice_mut(s![d..]).assign(&(by_sd * &sd + 1.0));
        let entropy = self.family.bind(x).ok().and_then(|q| q.entropy());
        entropy.map_or(f64::NAN, |entropy| expected + entropy)
    }
}
