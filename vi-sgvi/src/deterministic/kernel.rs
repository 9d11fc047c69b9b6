//! The kernel: one Newton step within a trust region.

use std::fmt;

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};
use vi_core::{ElboEstimate, Exec, GradLogJoint, Kernel, StopReason, StopRule, StreamKey};
use vi_families::{MeanFieldGaussian, VariationalFamily};

use super::draws::FixedDraws;
use super::newton::conjugate_gradients;
use super::objective::{Evaluation, Objective};
use crate::error::{SgviError, require};
use crate::estimator::Evaluations;

/// The first trust region, and the largest, in standard deviations of q.
const RADIUS: (f64, f64) = (1.0, 1e3);
/// A region smaller than this moves nothing that could be seen.
const SMALLEST_RADIUS: f64 = 1e-12;
/// The part of the predicted gain that a step has to bring.
const ACCEPTED: f64 = 0.1;

/// Deterministic ADVI: the ELBO of a mean-field Gaussian with its expectation over draws that are fixed once, maximised by
/// Newton steps.
///
/// ```text
/// F(λ) = (1/S) Σ_s log p(x, m + s ⊙ ε_s) + H[q_λ],   λ = (m, log s)
/// ```
/// A step maximises the quadratic model of F within a trust region by conjugate gradients; products with the Hessian are
/// differences of gradients. Nothing is random any more: keys of iterations are not used, the same draws end in the same
/// optimum, and [`SmallGradient`] says that it is one. What F has of the ELBO at its own optimum is too high, since the draws
/// were fitted: evaluate the ELBO with others.
///
/// Requirements: `M: GradLogJoint` over real variables. Cost per iteration: S gradients and 2S for every product, of which
/// [`DeterministicAdviInfo::n_products`] were made. A full covariance cannot be fitted so: with fewer draws than coordinates
/// F has no maximum.
///
/// Source: Giordano, Ingram & Broderick 2024, <https://arxiv.org/abs/2304.05527>, with their optimiser, a trust region with
/// Newton steps by conjugate gradients.
pub struct DeterministicAdvi<'a, M: ?Sized> {
    model: &'a M,
    family: MeanFieldGaussian,
    draws: FixedDraws,
    exec: Exec<'a>,
}

impl<M: ?Sized> fmt::Debug for DeterministicAdvi<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeterministicAdvi").field("n_draws", &self.draws.n_draws()).finish_non_exhaustive()
    }
}

/// All that [`DeterministicAdvi`] carries from one iteration to the next.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeterministicAdviState {
    /// λ = (m, log s) of [`MeanFieldGaussian`] (2D).
    pub params: Array1<f64>,
    /// The trust region's radius, in standard deviations of q.
    pub radius: f64,
    /// F after every iteration, in nats.
    pub elbo_trace: Vec<f64>,
    /// Evaluations of the model so far.
    pub evaluations: Evaluations,
    current: Option<Evaluation>,
}

/// What an iteration of [`DeterministicAdvi`] reports, of the λ at which it ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeterministicAdviInfo {
    /// F: the ELBO at the fixed draws, exact as that.
    pub elbo: ElboEstimate,
    /// ‖T∇F‖, T = diag(s, 1/√2): the gradient's norm in standard deviations of q.
    pub grad_norm: f64,
    /// Whether the step was taken; otherwise the region shrank.
    pub accepted: bool,
    /// Products with the Hessian.
    pub n_products: u64,
}

/// Stops when the norm of the gradient of F is at most the tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmallGradient {
    /// In standard deviations of q; by default 1e-6.
    pub tolerance: f64,
}

impl Default for SmallGradient {
    fn default() -> Self {
        Self { tolerance: 1e-6 }
    }
}

impl SmallGradient {
    pub(super) fn validate(&self) -> Result<(), SgviError> {
        require(self.tolerance > 0.0, "tolerance", self.tolerance, "finite and > 0")
    }
}

impl StopRule<DeterministicAdviInfo> for SmallGradient {
    fn check(&self, _t: u64, info: &DeterministicAdviInfo) -> Option<StopReason> {
        (info.grad_norm <= self.tolerance).then(|| StopReason::Converged {
            rule: format!("gradient norm {:.1e} (tolerance {:.1e})", info.grad_norm, self.tolerance),
        })
    }
}

impl<'a, M: GradLogJoint + ?Sized> DeterministicAdvi<'a, M> {
    /// A kernel at these draws, on the threads of the current pool.
    ///
    /// # Errors
    /// [`SgviError::Family`] names a variable that is not real; [`SgviError::Dimension`] when the draws have another
    /// dimension than the model.
    pub fn new(model: &'a M, draws: FixedDraws) -> Result<Self, SgviError> {
        let family = MeanFieldGaussian::new(model.parameters())?;
        if draws.noise().ncols() != family.dim() {
            return Err(SgviError::Dimension { model: family.dim(), family: draws.noise().ncols() });
        }
        Ok(Self { model, family, draws, exec: Exec::local() })
    }

    /// Runs on other ranks and threads; the bits of the result stay the same.
    #[must_use]
    pub fn with_exec(self, exec: Exec<'a>) -> Self {
        Self { exec, ..self }
    }

    /// The model.
    pub fn model(&self) -> &'a M {
        self.model
    }

    /// The family of q.
    pub fn family(&self) -> &MeanFieldGaussian {
        &self.family
    }

    /// The draws.
    pub fn draws(&self) -> &FixedDraws {
        &self.draws
    }

    /// Threads and ranks.
    pub fn exec(&self) -> Exec<'a> {
        self.exec
    }

    pub(super) fn objective(&self) -> Objective<'_, M> {
        Objective { model: self.model, family: &self.family, draws: &self.draws, exec: self.exec }
    }

    /// The state before the first iteration, at the standard Gaussian.
    pub fn init(&self) -> DeterministicAdviState {
        self.start(self.family.init())
    }

    /// The state before the first iteration, at a start of your own (2D).
    ///
    /// # Errors
    /// [`SgviError::Family`] when the start is outside its domain.
    pub fn init_at(&self, params: &ArrayRef1<f64>) -> Result<DeterministicAdviState, SgviError> {
        self.family.bind(params)?;
        Ok(self.start(params.to_owned()))
    }

    fn start(&self, params: Array1<f64>) -> DeterministicAdviState {
        DeterministicAdviState {
            params,
            radius: RADIUS.0,
            elbo_trace: Vec::new(),
            evaluations: Evaluations::default(),
            current: None,
        }
    }

    fn step_here(&self, state: &mut DeterministicAdviState) -> Result<DeterministicAdviInfo, SgviError> {
        let objective = self.objective();
        let n = self.draws.n_draws() as u64;
        let current = match state.current.take() {
            Some(current) => current,
            None => {
                state.evaluations.n_gradient += n;
                objective.evaluate(&state.params)?
            }
        };
        let scale = objective.scale(&state.params);
        let scaled = &current.grad * &scale;
        let norm = norm(&scaled);
        let found = conjugate_gradients(&scaled, state.radius, norm * norm.sqrt().min(0.5), |x| {
            objective.curvature(&state.params, &scale, x)
        })?;
        let trial = &state.params + &(&found.step * &scale);
        let at_trial = objective.try_evaluate(&trial)?;
        state.evaluations.n_gradient += n * (1 + 2 * found.n_products);

        let gain = at_trial.as_ref().map_or(f64::NEG_INFINITY, |at| at.value - current.value);
        let rounding = 1e-12 * (1.0 + current.value.abs());
        // Near the optimum a gain drowns in rounding errors of F, and the gradient is the better judge.
        let ratio = match &at_trial {
            Some(at) if found.predicted <= rounding => {
                let closer = norm_of(&at.grad, &objective.scale(&trial)) <= norm;
                f64::from(u8::from(closer))
            }
            _ => gain / found.predicted,
        };
        let length = self::norm(&found.step);
        if ratio < 0.25 {
            state.radius = 0.25 * length.min(state.radius);
        } else if ratio > 0.75 && found.on_boundary {
            state.radius = (2.0 * state.radius).min(RADIUS.1);
        }
        let accepted = ratio >= ACCEPTED;
        let current = match at_trial {
            Some(at) if accepted => {
                state.params = trial;
                at
            }
            _ => current,
        };
        let grad_norm = norm_of(&current.grad, &objective.scale(&state.params));
        if state.radius < SMALLEST_RADIUS && grad_norm > 0.0 {
            return Err(SgviError::TrustRegion { radius: state.radius, grad_norm });
        }
        let elbo = ElboEstimate::exact(current.value);
        state.elbo_trace.push(current.value);
        state.current = Some(current);
        Ok(DeterministicAdviInfo { elbo, grad_norm, accepted, n_products: found.n_products })
    }
}

fn norm(x: &ArrayRef1<f64>) -> f64 {
    x.dot(x).sqrt()
}

fn norm_of(grad: &Array1<f64>, scale: &Array1<f64>) -> f64 {
    norm(&(grad * scale))
}

impl<M: GradLogJoint + ?Sized> Kernel for DeterministicAdvi<'_, M> {
    type State = DeterministicAdviState;
    type Info = DeterministicAdviInfo;
    type Error = SgviError;

    fn step(
        &self,
        _key: StreamKey,
        state: &mut DeterministicAdviState,
    ) -> Result<DeterministicAdviInfo, SgviError> {
        self.exec.enter(|| self.step_here(state))
    }
}
