//! Estimators whose type is forgotten.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};
use vi_core::{ElboEstimate, Exec, LogJoint, StreamKey};
use vi_families::VariationalFamily;
use vi_sgvi::{
    Bound, ControlledPathwiseState, DispersionState, Elbo, EstimatorState, Evaluations, FactorSet,
    GradientEstimator, Memory, MovingAverageState, PartialEstimator, SampleReuseState, SgviError,
};

/// The model that every estimator of the lab is asked about; one that needs more holds it itself.
pub(crate) type AnyModel<'a> = dyn LogJoint + 'a;

/// What any estimator remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) enum AnyState {
    #[default]
    Nothing,
    MovingAverage(MovingAverageState),
    SampleReuse(SampleReuseState),
    Dispersion(DispersionState),
    ControlledPathwise(ControlledPathwiseState),
    /// Of an estimator for some variables and another one for the rest.
    Both(Box<Both>),
}

type Both = (Memory<AnyState>, Memory<AnyState>);

/// A state of a known type as [`AnyState`] and back.
pub(crate) trait Remembered: EstimatorState {
    fn wrap(self) -> AnyState;
    /// The default unless `any` holds such a state.
    fn unwrap(any: AnyState) -> Self;
}

impl Remembered for () {
    fn wrap(self) -> AnyState {
        AnyState::Nothing
    }
    fn unwrap(_any: AnyState) -> Self {}
}

macro_rules! remembered {
    ($state:ty, $variant:ident, $wrap:expr, $unwrap:expr) => {
        impl Remembered for $state {
            fn wrap(self) -> AnyState {
                AnyState::$variant($wrap(self))
            }
            fn unwrap(any: AnyState) -> Self {
                match any {
                    AnyState::$variant(state) => $unwrap(state),
                    _ => Self::default(),
                }
            }
        }
    };
}
remembered!(MovingAverageState, MovingAverage, std::convert::identity, std::convert::identity);
remembered!(SampleReuseState, SampleReuse, std::convert::identity, std::convert::identity);
remembered!(ControlledPathwiseState, ControlledPathwise, std::convert::identity, std::convert::identity);
remembered!(DispersionState, Dispersion, std::convert::identity, std::convert::identity);
remembered!(Both, Both, Box::new, |state: Box<Both>| *state);

/// Calls `f` with a memory of the estimator's own type, which is that of `memory` before and after.
fn with_memory<S: Remembered, R>(memory: &mut Memory<AnyState>, f: impl FnOnce(&mut Memory<S>) -> R) -> R {
    let mut own = Memory {
        state: S::unwrap(std::mem::take(&mut memory.state)),
        workspace: std::mem::take(&mut memory.workspace),
    };
    let out = f(&mut own);
    *memory = Memory { state: own.state.wrap(), workspace: own.workspace };
    out
}

/// An estimator of any type on a model of any type.
pub(crate) struct AnyEstimator<'a, F: VariationalFamily>(Box<dyn Whole<'a, F> + 'a>);

/// The same for estimators that can be confined to some variables.
pub(crate) struct AnyPartial<'a, F: VariationalFamily>(Box<dyn Part<'a, F> + 'a>);

impl<F: VariationalFamily> std::fmt::Debug for AnyEstimator<'_, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnyEstimator").finish_non_exhaustive()
    }
}

impl<F: VariationalFamily> std::fmt::Debug for AnyPartial<'_, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnyPartial").finish_non_exhaustive()
    }
}

impl<'a, F: VariationalFamily> AnyEstimator<'a, F> {
    pub(crate) fn new<E>(estimator: E) -> Self
    where
        E: GradientEstimator<AnyModel<'a>, F> + 'a,
        E::State: Remembered,
    {
        Self(Box::new(estimator))
    }
}

impl<'a, F: VariationalFamily> AnyPartial<'a, F> {
    pub(crate) fn new<E>(estimator: E) -> Self
    where
        E: PartialEstimator<AnyModel<'a>, F> + 'a,
        E::State: Remembered,
    {
        Self(Box::new(estimator))
    }
}

trait Whole<'a, F: VariationalFamily>: Send + Sync {
    fn estimate(
        &self,
        elbo: Elbo<'_, AnyModel<'a>, F>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<AnyState>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError>;
    fn cost(&self, elbo: Elbo<'_, AnyModel<'a>, F>) -> Evaluations;
    fn name(&self) -> String;
    fn bias(&self) -> Option<&'static str>;
    fn bound(&self) -> Bound;
    fn remembers(&self) -> bool;
}

impl<'a, F, E> Whole<'a, F> for E
where
    F: VariationalFamily,
    E: GradientEstimator<AnyModel<'a>, F>,
    E::State: Remembered,
{
    fn estimate(
        &self,
        elbo: Elbo<'_, AnyModel<'a>, F>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<AnyState>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        with_memory(memory, |memory| E::estimate(self, elbo, params, key, exec, memory, grad))
    }
    fn cost(&self, elbo: Elbo<'_, AnyModel<'a>, F>) -> Evaluations {
        E::cost(self, elbo)
    }
    fn name(&self) -> String {
        E::name(self)
    }
    fn bias(&self) -> Option<&'static str> {
        E::bias(self)
    }
    fn bound(&self) -> Bound {
        E::bound(self)
    }
    fn remembers(&self) -> bool {
        E::remembers(self)
    }
}

impl<'a, F: VariationalFamily> GradientEstimator<AnyModel<'a>, F> for AnyEstimator<'a, F> {
    type State = AnyState;

    fn estimate(
        &self,
        elbo: Elbo<'_, AnyModel<'a>, F>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<AnyState>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        self.0.estimate(elbo, params, key, exec, memory, grad)
    }
    fn cost(&self, elbo: Elbo<'_, AnyModel<'a>, F>) -> Evaluations {
        self.0.cost(elbo)
    }
    fn name(&self) -> String {
        self.0.name()
    }
    fn bias(&self) -> Option<&'static str> {
        self.0.bias()
    }
    fn bound(&self) -> Bound {
        self.0.bound()
    }
    fn remembers(&self) -> bool {
        self.0.remembers()
    }
}

trait Part<'a, F: VariationalFamily>: Send + Sync {
    #[expect(clippy::too_many_arguments, reason = "those of PartialEstimator::estimate_factors")]
    fn estimate_factors(
        &self,
        elbo: Elbo<'_, AnyModel<'a>, F>,
        params: &ArrayRef1<f64>,
        factors: FactorSet<'_>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<AnyState>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError>;
    fn partial_cost(&self, elbo: Elbo<'_, AnyModel<'a>, F>, factors: FactorSet<'_>) -> Evaluations;
    fn partial_name(&self) -> String;
    fn name_for_the_rest(&self) -> String;
    fn partial_bias(&self) -> Option<&'static str>;
    fn partial_remembers(&self) -> bool;
}

impl<'a, F, E> Part<'a, F> for E
where
    F: VariationalFamily,
    E: PartialEstimator<AnyModel<'a>, F>,
    E::State: Remembered,
{
    fn estimate_factors(
        &self,
        elbo: Elbo<'_, AnyModel<'a>, F>,
        params: &ArrayRef1<f64>,
        factors: FactorSet<'_>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<AnyState>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        with_memory(memory, |m| E::estimate_factors(self, elbo, params, factors, key, exec, m, grad))
    }
    fn partial_cost(&self, elbo: Elbo<'_, AnyModel<'a>, F>, factors: FactorSet<'_>) -> Evaluations {
        E::partial_cost(self, elbo, factors)
    }
    fn partial_name(&self) -> String {
        E::partial_name(self)
    }
    fn name_for_the_rest(&self) -> String {
        E::name_for_the_rest(self)
    }
    fn partial_bias(&self) -> Option<&'static str> {
        E::partial_bias(self)
    }
    fn partial_remembers(&self) -> bool {
        E::partial_remembers(self)
    }
}

impl<'a, F: VariationalFamily> PartialEstimator<AnyModel<'a>, F> for AnyPartial<'a, F> {
    type State = AnyState;

    fn estimate_factors(
        &self,
        elbo: Elbo<'_, AnyModel<'a>, F>,
        params: &ArrayRef1<f64>,
        factors: FactorSet<'_>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<AnyState>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        self.0.estimate_factors(elbo, params, factors, key, exec, memory, grad)
    }
    fn partial_cost(&self, elbo: Elbo<'_, AnyModel<'a>, F>, factors: FactorSet<'_>) -> Evaluations {
        self.0.partial_cost(elbo, factors)
    }
    fn partial_name(&self) -> String {
        self.0.partial_name()
    }
    fn name_for_the_rest(&self) -> String {
        self.0.name_for_the_rest()
    }
    fn partial_bias(&self) -> Option<&'static str> {
        self.0.partial_bias()
    }
    fn partial_remembers(&self) -> bool {
        self.0.partial_remembers()
    }
}
