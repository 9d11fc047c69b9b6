//! A choice of estimator for each factor.

use ndarray::{ArrayRef1, ArrayViewMut1};
use vi_core::{ElboEstimate, Exec, LogJoint, ParameterSpace, StreamKey};
use vi_families::{FactorizedDistribution, VariationalFamily};

use super::{FactorSet, PartialEstimator, factor_name, whole_gradient};
use crate::elbo::Elbo;
use crate::error::SgviError;
use crate::estimator::{Evaluations, Memory};

/// One estimator for some variables, another for the rest.
///
/// ```text
/// ĝ = (ĝ^A over the factors of the chosen variables, ĝ^B over all others)
/// ```
/// Both see all factors drawn from q; each is unbiased for its own elements of λ, hence so is the whole. The estimate of
/// the ELBO is that of the first. The rest may be split again by another `PerFactor`: an estimator for every variable.
///
/// ```
/// use vi_core::{Parameter, ParameterSpace, Support};
/// use vi_sgvi::{LocalExpectations, PerFactor, ScoreFunction};
///
/// # fn main() -> Result<(), vi_sgvi::SgviError> {
/// let space = ParameterSpace::new([
///     Parameter::vector("assignment", 10, Support::Categorical { n: 3 }),
///     Parameter::vector("centre", 3, Support::Real),
/// ])?;
/// let rest = ScoreFunction::leave_one_out(64);
/// let estimator = PerFactor::new(&space, &["assignment"], LocalExpectations::new(4), rest)?;
/// # Ok(())
/// # }
/// ```
/// Requirements: those of both estimators for their own factors; members of the family are
/// [`FactorizedDistribution`]s. Cost: the sum of both.
#[derive(Clone, Debug, PartialEq)]
pub struct PerFactor<A, B> {
    first: A,
    rest: B,
    names: Vec<String>,
    mask: Vec<bool>,
}

impl<A, B> PerFactor<A, B> {
    /// `first` for the variables called `names`, `rest` for all others.
    ///
    /// # Errors
    /// [`SgviError::UnknownVariable`] for a name that `space` does not have.
    pub fn new<N: AsRef<str>>(
        space: &ParameterSpace,
        names: &[N],
        first: A,
        rest: B,
    ) -> Result<Self, SgviError> {
        let mut mask = vec![false; space.dim()];
        for name in names.iter().map(AsRef::as_ref) {
            let parameter =
                space.get(name).ok_or_else(|| SgviError::UnknownVariable { name: name.to_owned() })?;
            mask[parameter.range()].fill(true);
        }
        let names = names.iter().map(|name| name.as_ref().to_owned()).collect();
        Ok(Self { first, rest, names, mask })
    }

    /// The estimator of the chosen variables.
    pub fn first(&self) -> &A {
        &self.first
    }

    /// The estimator of all others.
    pub fn rest(&self) -> &B {
        &self.rest
    }

    /// The chosen variables.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Those of `factors` that belong to the chosen variables, and the others of them.
    fn split<'a>(&'a self, factors: &'a FactorSet<'a>) -> (FactorSet<'a>, FactorSet<'a>) {
        (FactorSet::new(&self.mask).within(factors), FactorSet::except(&self.mask).within(factors))
    }
}

/// What both estimators remember.
type Both<A, B> = (Memory<A>, Memory<B>);

impl<M, F, A, B> PartialEstimator<M, F> for PerFactor<A, B>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    for<'a> F::Member<'a>: FactorizedDistribution,
    A: PartialEstimator<M, F>,
    B: PartialEstimator<M, F>,
{
    type State = Both<A::State, B::State>;

    fn estimate_factors(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        factors: FactorSet<'_>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory<Self::State>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        if self.mask.len() != elbo.model().dim() {
            return Err(SgviError::Dimension { model: elbo.model().dim(), family: self.mask.len() });
        }
        let (chosen, others) = self.split(&factors);
        let q = elbo.family().bind(params)?;
        if let Some(i) = factors.factors(&q).find(|i| FactorSet::new(&self.mask).cuts(q.factor(*i))) {
            return Err(SgviError::FactorAcrossVariables { factor: factor_name(elbo.model(), q.factor(i)) });
        }
        let Memory { state: (first, rest), workspace } = memory;
        let estimate =
            self.first.estimate_factors(elbo, params, chosen, key.fold_in(0), exec, first, grad)?;
        let mut other = ArrayViewMut1::from(workspace.scratch(grad.len()));
        self.rest.estimate_factors(elbo, params, others, key.fold_in(1), exec, rest, &mut other)?;
        *grad += &*other;
        Ok(estimate)
    }

    fn partial_cost(&self, elbo: Elbo<'_, M, F>, factors: FactorSet<'_>) -> Evaluations {
        let (chosen, others) = self.split(&factors);
        let mut cost = self.first.partial_cost(elbo, chosen);
        cost += self.rest.partial_cost(elbo, others);
        cost
    }

    fn partial_name(&self) -> String {
        let (first, rest) = (self.first.partial_name(), self.rest.name_for_the_rest());
        format!("{first} for {}; {rest}", self.names.join(", "))
    }

    fn name_for_the_rest(&self) -> String {
        self.partial_name()
    }

    fn partial_bias(&self) -> Option<&'static str> {
        self.first.partial_bias().or_else(|| self.rest.partial_bias())
    }

    fn partial_remembers(&self) -> bool {
        self.first.partial_remembers() || self.rest.partial_remembers()
    }
}

whole_gradient!(PerFactor<A, B>, A, B);
