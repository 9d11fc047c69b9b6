//! Pathwise estimators for bounds from several samples.

use ndarray::ArrayRef1;
use vi_core::{ElboEstimate, Exec, GradLogJoint, StreamKey};
use vi_families::{DifferentiableDensity, Reparameterized, VariationalDistribution, VariationalFamily};

use super::bound::{Bound, ImportanceBound, of_groups};
use crate::elbo::Elbo;
use crate::error::SgviError;
use crate::estimator::{Evaluations, GradientEstimator, Memory};
use crate::factors::FactorSet;
use crate::pathwise::Paths;
use crate::workspace::Workspace;
use vi_core::scratch;

/// Which pathwise gradient of a bound from several samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImportanceGradient {
    /// The whole gradient of L̂ at fixed noise, whose score term drowns it in noise as K grows (Rainforth et al. 2018,
    /// <https://arxiv.org/abs/1802.04537>).
    Naive,
    /// DReG: the score term turned into a path by reparametrising a second time.
    #[default]
    DoublyReparameterized,
}

/// The pathwise estimator of a bound from K samples: the gradient of the IWAE, or DReG.
///
/// ```text
/// naive    ĝ = (1/M) Σ_m Σ_k w̃_k [(∂t/∂λ)ᵀ ∇_z log w(z_k) − ∇_λ log q_λ(z_k)]
/// DReG     ĝ = (1/M) Σ_m Σ_k [α w̃_k + (1 − α) w̃_k²] (∂t/∂λ)ᵀ ∇_z log w(z_k)
/// ```
/// with w(z) = p(x, z)/q_λ(z) and w̃_k = w_k^{1−α}/Σ_j w_j^{1−α}. Both are unbiased for [`ImportanceBound`]. The second
/// line follows from the first by E\[w̃_k ∇_λ log q(z_k)\] = E\[(∂t/∂λ)ᵀ ∇_{z_k} w̃_k\]; with α = 1 it is
/// [`StickingTheLanding`](crate::StickingTheLanding).
///
/// Requirements: `M: GradLogJoint`, members of the family [`Reparameterized`] and [`DifferentiableDensity`]; continuous
/// latents only. Cost: M·K gradients of the log joint; memory O(M·K·D).
///
/// Source: Burda, Grosse & Salakhutdinov 2016, <https://arxiv.org/abs/1509.00519>; Tucker, Lawson, Gu & Maddison 2019,
/// <https://arxiv.org/abs/1810.04152>.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImportancePathwise {
    /// The bound, with its K.
    pub bound: ImportanceBound,
    /// The number M of groups of K samples per gradient.
    pub n_groups: usize,
    /// Which gradient.
    pub gradient: ImportanceGradient,
}

impl ImportancePathwise {
    /// The whole gradient.
    pub fn naive(bound: ImportanceBound, n_groups: usize) -> Self {
        Self { bound, n_groups, gradient: ImportanceGradient::Naive }
    }

    /// DReG.
    pub fn doubly_reparameterized(bound: ImportanceBound, n_groups: usize) -> Self {
        Self { bound, n_groups, gradient: ImportanceGradient::DoublyReparameterized }
    }

    fn n_samples(&self) -> usize {
        self.n_groups * self.bound.n_importance()
    }

    /// ∂L̂/∂log w of a sample as the weight of its path.
    fn weigh(&self, share: f64) -> f64 {
        let weight = match self.gradient {
            ImportanceGradient::Naive => share,
            ImportanceGradient::DoublyReparameterized => {
                let alpha = self.bound.alpha();
                alpha * share + (1.0 - alpha) * share * share
            }
        };
        weight / self.n_groups as f64
    }
}

impl<M, F> GradientEstimator<M, F> for ImportancePathwise
where
    M: GradLogJoint + ?Sized,
    F: VariationalFamily,
    for<'a> F::Member<'a>: Reparameterized + DifferentiableDensity,
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
        let n = self.n_samples();
        if n == 0 {
            let estimator = "importance-weighted pathwise";
            return Err(SgviError::TooFewSamples { estimator, minimum: 1, actual: n });
        }
        exec.enter(|| {
            let q = elbo.family().bind(params)?;
            let paths = Paths::new(elbo.model(), &q, key, n, FactorSet::ALL)?;
            let workspace = &mut memory.workspace;
            paths.draw(exec, workspace, |_, z, grad| q.add_log_prob_grad_batch(z, -1.0, grad))?;
            let Workspace { log_ratios, group_means, extra, .. } = &mut *workspace;
            let mut weights = std::mem::take(extra);
            weights.resize(n, 0.0);
            let estimate = of_groups(self.bound, log_ratios, group_means, &mut weights, |_, _, weights| {
                weights.iter_mut().for_each(|w| *w = self.weigh(*w));
            });
            let naive = self.gradient == ImportanceGradient::Naive;
            let added = paths.add(
                exec,
                workspace,
                grad,
                |s| weights[s],
                |z, weights, out| {
                    if naive {
                        scratch::with(weights.len(), |negative| {
                            negative.iter_mut().zip(weights).for_each(|(n, w)| *n = -w);
                            q.add_score_batch(z, &ndarray::aview1(negative), out);
                        });
                    }
                },
            );
            workspace.extra = weights;
            added?;
            paths.check_gradient(grad)?;
            Ok(estimate)
        })
    }

    fn cost(&self, _elbo: Elbo<'_, M, F>) -> Evaluations {
        Evaluations { n_gradient: self.n_samples() as u64, ..Evaluations::default() }
    }

    fn name(&self) -> String {
        let gradient = match self.gradient {
            ImportanceGradient::Naive => "pathwise",
            ImportanceGradient::DoublyReparameterized => "doubly reparametrised",
        };
        format!("{gradient} ({})", self.bound)
    }

    fn bound(&self) -> Bound {
        Bound::Importance(self.bound)
    }
}
