//! The pathwise estimators of the gradient of the ELBO.

use ndarray::{ArrayRef1, ArrayRef2};
use vi_core::{ElboEstimate, Exec, GradLogJoint, StreamKey};
use vi_families::{Reparameterized, VariationalFamily};

use crate::elbo::Elbo;
use crate::error::SgviError;
use crate::estimator::{Evaluations, GradientEstimator, Memory};
use crate::factors::FactorSet;

mod controlled;
mod entropy;
mod features;
mod paths;
mod some_factors;

pub use controlled::{ControlledPathwise, ControlledPathwiseState};
pub use entropy::{ClosedFormEntropy, EntropyGradient, MonteCarloEntropy, StickingTheLanding};
pub(crate) use paths::Paths;

/// The pathwise (reparametrisation) estimator; the type `E` says where the gradient of the entropy comes from.
///
/// ```text
/// ĝ = (1/S) Σ_s (∂t_λ(ε_s)/∂λ)ᵀ ∇_z log p(x, z_s) + ∇_λ H[q_λ],   z_s = t_λ(ε_s)
/// ```
/// with ∇_λ H in closed form ([`ClosedFormEntropy`]), from the samples ([`MonteCarloEntropy`]), or without its score
/// ([`StickingTheLanding`], no noise left where q is the posterior).
///
/// ```
/// use vi_sgvi::Pathwise;
///
/// let usual = Pathwise::new(10);
/// let at_the_end = Pathwise::sticking_the_landing(10);
/// ```
/// Requirements: `M: GradLogJoint`, members of the family [`Reparameterized`], and
/// [`DifferentiableDensity`](vi_families::DifferentiableDensity) unless the entropy is in closed form; continuous latents
/// only. Where some are discrete, [`PerFactor`](crate::PerFactor) gives the continuous ones to this estimator.
/// Cost: S gradients of the log joint; memory O(S·D).
///
/// Source: Kingma & Welling 2014, <https://arxiv.org/abs/1312.6114>; with closed-form entropy: Kucukelbir et
/// al. 2017, eq. 8–10, <https://arxiv.org/abs/1603.00788>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pathwise<E = ClosedFormEntropy> {
    /// The number S of samples per gradient.
    pub n_samples: usize,
    /// Where the gradient of the entropy comes from.
    pub entropy: E,
}

impl Pathwise {
    /// With the entropy in closed form.
    pub fn new(n_samples: usize) -> Self {
        Self { n_samples, entropy: ClosedFormEntropy }
    }
}

impl Pathwise<MonteCarloEntropy> {
    /// With the full gradient of −log q at the samples.
    pub fn monte_carlo_entropy(n_samples: usize) -> Self {
        Self { n_samples, entropy: MonteCarloEntropy }
    }
}

impl Pathwise<StickingTheLanding> {
    /// With the gradient of −log q through the samples alone.
    pub fn sticking_the_landing(n_samples: usize) -> Self {
        Self { n_samples, entropy: StickingTheLanding }
    }
}

impl<E> Pathwise<E> {
    /// The samples of a gradient with respect to the elements of λ that belong to `factors`.
    fn paths<'a, M, Q>(
        &self,
        model: &'a M,
        q: &'a Q,
        factors: FactorSet<'_>,
        key: StreamKey,
    ) -> Result<Paths<'a, M, Q>, SgviError>
    where
        M: GradLogJoint + ?Sized,
        Q: Reparameterized,
    {
        let n = self.n_samples;
        if n < 1 {
            return Err(SgviError::TooFewSamples { estimator: "pathwise", minimum: 1, actual: n });
        }
        Paths::new(model, q, key, n, factors)
    }

    /// Overwrites `grad` (P) with the estimate, finite or not.
    fn estimate_along<M, Q>(
        &self,
        paths: &Paths<'_, M, Q>,
        exec: Exec<'_>,
        memory: &mut Memory,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError>
    where
        M: GradLogJoint + ?Sized,
        Q: Reparameterized,
        E: EntropyGradient<Q>,
    {
        let (q, workspace) = (paths.member(), &mut memory.workspace);
        let estimate = paths.draw(exec, workspace, |_, z, grad| self.entropy.carry(q, z, grad))?;
        let weight = 1.0 / self.n_samples as f64;
        let add_scores = |z: &ArrayRef2<f64>, weights: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>| {
            self.entropy.add_scores(q, z, weights, out);
        };
        paths.add(exec, workspace, grad, |_| weight, add_scores)?;
        self.entropy.add_exact(q, grad);
        Ok(estimate)
    }
}

impl<M, F, E> GradientEstimator<M, F> for Pathwise<E>
where
    M: GradLogJoint + ?Sized,
    F: VariationalFamily,
    for<'a> F::Member<'a>: Reparameterized,
    E: for<'a> EntropyGradient<F::Member<'a>>,
{
    type State = ();

    fn estimate(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        exec.enter(|| {
            let q = elbo.family().bind(params)?;
            let paths = self.paths(elbo.model(), &q, FactorSet::ALL, key)?;
            let estimate = self.estimate_along(&paths, exec, memory, grad)?;
            paths.check_gradient(grad)?;
            Ok(estimate)
        })
    }

    fn cost(&self, _elbo: Elbo<'_, M, F>) -> Evaluations {
        Evaluations { n_gradient: self.n_samples as u64, ..Evaluations::default() }
    }

    fn name(&self) -> String {
        name::<F::Member<'_>, E>(&self.entropy)
    }
}

fn name<Q, E: EntropyGradient<Q>>(entropy: &E) -> String {
    match entropy.name() {
        "" => "pathwise".to_owned(),
        entropy => format!("pathwise, {entropy}"),
    }
}
