//! The pathwise estimator for some factors of a product, beside others for the rest.

use ndarray::ArrayRef1;
use vi_core::{ElboEstimate, Exec, GradLogJoint, StreamKey};
use vi_families::{FactorizedDistribution, Reparameterized, VariationalFamily};

use super::{EntropyGradient, Pathwise, name};
use crate::elbo::Elbo;
use crate::error::SgviError;
use crate::estimator::{Evaluations, Memory};
use crate::factors::{FactorSet, PartialEstimator};

/// The gradient of the log joint is used for the coordinates of the chosen factors; what a model gives for discrete
/// ones does not matter.
impl<M, F, E> PartialEstimator<M, F> for Pathwise<E>
where
    M: GradLogJoint + ?Sized,
    F: VariationalFamily,
    for<'a> F::Member<'a>: Reparameterized + FactorizedDistribution,
    E: for<'a> EntropyGradient<F::Member<'a>>,
{
    type State = ();

    fn estimate_factors(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        factors: FactorSet<'_>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        let q = elbo.family().bind(params)?;
        let paths = self.paths(elbo.model(), &q, factors, key)?;
        let estimate = self.estimate_along(&paths, exec, memory, grad)?;
        for i in (0..q.n_factors()).filter(|i| !factors.contains(q.factor(*i))) {
            for p in q.factor_params(i) {
                grad[p] = 0.0;
            }
        }
        paths.check_gradient(grad)?;
        Ok(estimate)
    }

    fn partial_cost(&self, _elbo: Elbo<'_, M, F>, _factors: FactorSet<'_>) -> Evaluations {
        Evaluations { n_gradient: self.n_samples as u64, ..Evaluations::default() }
    }
    fn partial_name(&self) -> String {
        name::<F::Member<'_>, E>(&self.entropy)
    }
}
