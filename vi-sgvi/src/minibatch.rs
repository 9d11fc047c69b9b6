//! Any estimator on a few of the data at a time.

use ndarray::ArrayRef1;
use vi_core::{ElboEstimate, Exec, LogJoint, StreamKey, Subsample};
use vi_families::VariationalFamily;

use crate::batch::Batch;
use crate::elbo::Elbo;
use crate::error::SgviError;
use crate::estimator::{EstimatorState, Evaluations, GradientEstimator, Memory};
use crate::importance::Bound;

/// The tag of the key under which data are drawn, beside those of the samples of a step.
const DATA: u64 = 0x4d49_4e49_4241_5443;

/// An estimator on minibatches: in every step on |B| of the N data, drawn anew without replacement, weighted by N/|B|.
///
/// ```text
/// f_s = log p(z_s) + (N/|B|) Σ_{n∈B} log p(x_n | z_s) − log q_λ(z_s),    every B of |B| data with the same probability
/// ```
/// The minibatch of a model is a model ([`Subsample`]), and its log joint has the mean of the whole one: an estimator of
/// the gradient of the ELBO that is unbiased for every model stays so. A [bound from several samples](crate::ImportanceBound) is
/// not linear in the log joint: its estimators are biased here, and say so. Which data a step draws depends on its key alone, hence neither on the number of
/// threads nor on where a run was stopped; [`Minibatch::indices`] says it.
///
/// The error of the ELBO estimate of a step is that of its samples alone: what the choice of data adds shows in the trace.
/// [`crate::evaluate_elbo`], and with it what a fit reports, and [`crate::Compare::Averages`] see all data.
///
/// Requirements: a model that owns its data (`'static`), what the estimator asks of a model asked of its minibatches. Cost: the
/// estimator's, counted in log joints of |B| data.
///
/// Source: Hoffman, Blei, Wang & Paisley 2013, section 2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minibatch<E> {
    /// The estimator.
    pub estimator: E,
    /// The number |B| of data in a step, at most N.
    pub batch_size: usize,
}

impl<E> Minibatch<E> {
    /// This estimator on `batch_size` data at a time.
    pub fn new(estimator: E, batch_size: usize) -> Self {
        Self { estimator, batch_size }
    }

    /// The data of the step with this key, of `n_data`, in ascending order.
    ///
    /// # Panics
    /// If there are fewer data than a batch holds.
    pub fn indices(&self, n_data: usize, key: StreamKey) -> Vec<usize> {
        assert!(self.batch_size <= n_data, "batch_size is larger than the number of data");
        self.draw(&mut Batch::default(), n_data, key).to_owned()
    }

    fn draw<'b>(&self, batch: &'b mut Batch, n_data: usize, key: StreamKey) -> &'b [usize] {
        batch.draw(n_data, self.batch_size, &mut key.fold_in(DATA).rng(0))
    }
}

impl<M, F, E, S> GradientEstimator<M, F> for Minibatch<E>
where
    M: Subsample + LogJoint + 'static,
    F: VariationalFamily,
    E: for<'b> GradientEstimator<M::Minibatch<'b>, F, State = S>,
    S: EstimatorState,
{
    type State = S;

    fn estimate(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<Self::State>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        let (model, n) = (elbo.model(), elbo.model().n_data());
        if self.batch_size == 0 || self.batch_size > n {
            let (name, requirement) = ("batch_size", "at least 1 and at most the number of data");
            return Err(SgviError::Setting { name, value: self.batch_size as f64, requirement });
        }
        let mut batch = std::mem::take(&mut memory.workspace.batch);
        let minibatch = model.minibatch(self.draw(&mut batch, n, key));
        let elbo = Elbo::new(&minibatch, elbo.family())?;
        let estimate = self.estimator.estimate(elbo, params, key, exec, memory, grad);
        drop(minibatch);
        memory.workspace.batch = batch;
        estimate
    }

    /// That of the estimator on one datum: what an estimator asks for depends on dimensions, not on data.
    fn cost(&self, elbo: Elbo<'_, M, F>) -> Evaluations {
        let one = elbo.model().minibatch(&[0]);
        Elbo::new(&one, elbo.family()).map(|elbo| self.estimator.cost(elbo)).unwrap_or_default()
    }

    fn cost_after(&self, elbo: Elbo<'_, M, F>, state: &S) -> Evaluations {
        let one = elbo.model().minibatch(&[0]);
        Elbo::new(&one, elbo.family()).map(|elbo| self.estimator.cost_after(elbo, state)).unwrap_or_default()
    }

    fn name(&self) -> String {
        let name = <E as GradientEstimator<M::Minibatch<'static>, F>>::name(&self.estimator);
        format!("{name}, {} data at a time", self.batch_size)
    }

    fn bound(&self) -> Bound {
        <E as GradientEstimator<M::Minibatch<'static>, F>>::bound(&self.estimator)
    }

    fn bias(&self) -> Option<&'static str> {
        match <E as GradientEstimator<M::Minibatch<'static>, F>>::bound(&self.estimator) {
            Bound::Elbo => <E as GradientEstimator<M::Minibatch<'static>, F>>::bias(&self.estimator),
            Bound::Importance(_) => Some(
                "a bound from several samples is not linear in the log joint: on minibatches it is another one, \
                 and can exceed the evidence",
            ),
        }
    }

    fn remembers(&self) -> bool {
        size_of::<Self::State>() > 0
    }
}
