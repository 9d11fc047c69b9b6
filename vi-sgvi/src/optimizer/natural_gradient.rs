//! Natural-gradient ascent.

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};
use vi_families::{Damping, FamilyError, VariationalDistribution, VariationalFamily};

use super::{AscentRule, LearningRate};
use crate::error::{SgviError, require};

/// Natural-gradient ascent: steepest in the Kullback–Leibler divergence, whatever the parametrisation.
///
/// ```text
/// ñ = (F_λ + damping)⁻¹ ĝ      ρ = min(ρ_t, √(2 κ / ĝᵀñ))
/// η ← η + ρ (∂η/∂λ) ñ,  λ ← λ(η)          without damping (∂η/∂λ) F_λ⁻¹ ĝ = ∇_μ ELBO
/// ```
/// Works with every estimator, discrete and Gamma factors included, and with every family whose Fisher information has
/// a closed form. It needs no scale of its own: a coordinate of scale 10⁴ and one of scale 1 move at the same relative
/// speed. Undamped, within the trust region and without noise the step of length 1 in a conditionally conjugate model is
/// the update of coordinate ascent. ñ is unbiased where ĝ is; the step is not while the trust region shortens it, and
/// λ(η) is not linear.
///
/// Costs a second binding of q and one solve, by structure: see [`VariationalDistribution::natural_gradient`].
///
/// Sources: Amari 1998, eq. 2.9; Hoffman, Blei, Wang & Paisley 2013, section 2.3; Khan & Lin 2017, eq. 8–9 (damping,
/// ∇_μ); the trust region as in Schulman et al. 2015, appendix C.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NaturalGradient {
    /// ρ_t; by default 0.1 · (1 + t/100)^(−0.7), and 1 is a whole update of coordinate ascent.
    pub learning_rate: LearningRate,
    /// What is added to the diagonal of the Fisher information; by default nothing.
    pub damping: Damping,
    /// The bound on a step; by default κ = 1 nat.
    pub trust_region: TrustRegion,
    /// Where the step is straight; by default in natural parameters.
    pub coordinates: StepCoordinates,
}

/// The bound on the length of a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrustRegion {
    /// None.
    None,
    /// κ, in nats: to second order in the step, KL(q_λ ‖ q_λ′) ≤ κ.
    ///
    /// ```text
    /// KL ≈ ½ ρ² ñᵀ F ñ ≤ ½ ρ² ĝᵀñ
    /// ```
    MaxKl(f64),
}

impl Default for TrustRegion {
    fn default() -> Self {
        Self::MaxKl(1.0)
    }
}

/// Where a step is straight: the direction is the same, the curve is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepCoordinates {
    /// In η where the family is an exponential one ([`VariationalFamily::natural_step`]), in λ elsewhere.
    #[default]
    Natural,
    /// In λ, where no step leaves the domain.
    Unconstrained,
}

impl Default for NaturalGradient {
    fn default() -> Self {
        Self {
            learning_rate: LearningRate::Polynomial { initial: 0.1, delay: 100.0, exponent: 0.7 },
            damping: Damping::NONE,
            trust_region: TrustRegion::default(),
            coordinates: StepCoordinates::default(),
        }
    }
}

impl NaturalGradient {
    /// Whole steps without damping or trust region: with exact gradients of a conditionally conjugate model, coordinate
    /// ascent on all blocks at once.
    pub fn whole() -> Self {
        Self {
            learning_rate: LearningRate::Constant(1.0),
            trust_region: TrustRegion::None,
            ..Self::default()
        }
    }

    /// Steps of constant length ½ within 0.1 nat.
    ///
    /// A step within κ < ¼ nat of a mean-field Gaussian leaves every precision at least 1 − 2√κ times what it was, here
    /// 0.37: no noise makes a scale run away, as it can within 1 nat.
    pub fn cautious() -> Self {
        Self {
            learning_rate: LearningRate::Constant(0.5),
            trust_region: TrustRegion::MaxKl(0.1),
            ..Self::default()
        }
    }
}

/// What [`NaturalGradient`] remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NaturalGradientState {
    n_steps: u64,
    n_halvings: u64,
    n_limited: u64,
    #[serde(skip)]
    natural: Array1<f64>,
    #[serde(skip)]
    next: Array1<f64>,
}

/// Scratch does not count.
impl PartialEq for NaturalGradientState {
    fn eq(&self, other: &Self) -> bool {
        let counts = |s: &Self| (s.n_steps, s.n_halvings, s.n_limited);
        counts(self) == counts(other)
    }
}

impl NaturalGradientState {
    /// How often the step of a factor was halved because its natural parameters would have left their domain.
    pub fn n_halvings(&self) -> u64 {
        self.n_halvings
    }

    /// How many steps the trust region shortened.
    pub fn n_limited(&self) -> u64 {
        self.n_limited
    }
}

impl AscentRule for NaturalGradient {
    type State = NaturalGradientState;

    fn check(&self) -> Result<(), SgviError> {
        self.learning_rate.validate()?;
        let Damping { relative, absolute } = self.damping;
        require(relative >= 0.0, "natural.damping.relative", relative, "finite and ≥ 0")?;
        require(absolute >= 0.0, "natural.damping.absolute", absolute, "finite and ≥ 0")?;
        match self.trust_region {
            TrustRegion::None => Ok(()),
            TrustRegion::MaxKl(kl) => require(kl > 0.0, "natural.trust_region.max_kl", kl, "finite and > 0"),
        }
    }

    fn start(&self, _n_params: usize) -> NaturalGradientState {
        NaturalGradientState {
            n_steps: 0,
            n_halvings: 0,
            n_limited: 0,
            natural: Array1::default(0),
            next: Array1::default(0),
        }
    }

    fn step<F: VariationalFamily>(
        &self,
        family: &F,
        state: &mut NaturalGradientState,
        grad: &ArrayRef1<f64>,
        params: &mut ArrayRef1<f64>,
    ) -> Result<(), SgviError> {
        let n = params.len();
        if state.natural.len() != n {
            (state.natural, state.next) = (Array1::zeros(n), Array1::zeros(n));
        }
        let natural = &mut state.natural;
        family
            .bind(params)?
            .natural_gradient(self.damping, grad, natural)
            .map_err(|e| with_name(e, family))?;
        let mut rate = self.learning_rate.at(state.n_steps);
        if let TrustRegion::MaxKl(kl) = self.trust_region {
            // Never negative: the damped Fisher information is positive definite.
            let limit = (2.0 * kl / grad.dot(&*natural).max(0.0)).sqrt();
            if limit < rate {
                rate = limit;
                state.n_limited += 1;
            }
        }
        match self.coordinates {
            StepCoordinates::Natural => {
                let n_halvings = family.natural_step(params, natural, rate, &mut state.next)?;
                state.n_halvings += u64::from(n_halvings);
                params.assign(&state.next);
            }
            StepCoordinates::Unconstrained => params.scaled_add(rate, &*natural),
        }
        state.n_steps += 1;
        Ok(())
    }
}

/// The error of a family that counts its parameters, with the parameter's name.
fn with_name<F: VariationalFamily>(error: FamilyError, family: &F) -> SgviError {
    match error {
        FamilyError::SingularFisher { index, value } => {
            let parameter = family.param_names().swap_remove(index);
            SgviError::SingularFisher { parameter, value }
        }
        other => other.into(),
    }
}
