//! A fit without settings: what is chosen, and why.

mod account;
mod black_box;
mod levels;
mod start;

use std::fmt;

use vi_core::{ElboEstimate, Exec, GradLogJoint, Outcome, Posterior, Role, StreamKey, Unconstrained};
use vi_families::{FullRankGaussian, GaussianTarget, MeanFieldGaussian, NearGaussian, Reparameterized};

pub use account::{Account, Choice};
pub use black_box::{BlackBoxAdvice, advise_black_box};
pub use start::Start;

use crate::elbo::{Elbo, evaluate_elbo};
use crate::error::SgviError;
use crate::estimator::Evaluations;
use crate::posterior::SgviPosterior;

/// Coordinates up to which the family is full-rank: then P = D(D + 3)/2 ≤ 2144.
const FULL_RANK_UP_TO: usize = 64;

/// A fit of a model with a gradient in one line.
///
/// ```text
/// advise(&model).fit(seed)
/// ```
/// Everything is chosen by the model: see [`Account`]. The start is the best Gaussian of several Pathfinders and of
/// Laplace's approximation; the ELBO at fixed draws is climbed by L-BFGS in coordinates in which that start is round; the
/// draws are made four times as many until the ELBO no longer gains by it.
#[derive(Debug)]
pub struct Advice<'m, M> {
    model: Unconstrained<&'m M>,
    settings: AdviceSettings,
}

/// What [`Advice`] can be told. Nothing of it depends on the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdviceSettings {
    /// Pathfinders; by default 4.
    pub n_paths: u32,
    /// Draws of the first sample average, a power of two; by default 256. More where noise has many dimensions.
    pub n_samples: usize,
    /// The most draws; by default 16 384.
    pub max_samples: usize,
    /// By how much the ELBO may fall short of the best of the family, in nats, as far as it can be estimated; by default
    /// 0.02.
    pub tolerance: f64,
    /// Budget of the ascent at each number of draws; by default 500 iterations.
    pub n_iterations: u64,
    /// Samples of the final evaluation of the ELBO; by default 10 000.
    pub n_evaluate: usize,
}

impl Default for AdviceSettings {
    fn default() -> Self {
        Self {
            n_paths: 4,
            n_samples: 256,
            max_samples: 16_384,
            tolerance: 0.02,
            n_iterations: 500,
            n_evaluate: 10_000,
        }
    }
}

/// A fitted posterior on the natural support of the model, with the account of how it came about.
pub struct AdvisedFit<P = Box<dyn Posterior>> {
    /// q.
    pub posterior: P,
    /// Its ELBO, from draws that no iteration has seen.
    pub elbo: ElboEstimate,
    /// How it ended; `outcome.converged()` is false when a budget ended first.
    pub outcome: Outcome,
    /// What was chosen, and why.
    pub account: Account,
    /// Evaluations of the model, all included.
    pub evaluations: Evaluations,
}

impl<P> fmt::Debug for AdvisedFit<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdvisedFit")
            .field("elbo", &self.elbo)
            .field("outcome", &self.outcome)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// The advice for a model with a gradient, on any continuous support.
///
/// # Errors
/// [`SgviError::Parameter`] names a discrete variable: there [`advise_black_box`] serves.
pub fn advise<M: GradLogJoint>(model: &M) -> Result<Advice<'_, M>, SgviError> {
    Ok(Advice { model: Unconstrained::new(model)?, settings: AdviceSettings::default() })
}

impl<'m, M: GradLogJoint> Advice<'m, M> {
    /// The same with other settings.
    #[must_use]
    pub fn with_settings(self, settings: AdviceSettings) -> Self {
        Self { settings, ..self }
    }

    /// The model on ℝᴰ, where the families are.
    pub fn model(&self) -> &Unconstrained<&'m M> {
        &self.model
    }

    /// Fits the family that suits the dimension, on the threads of the current pool.
    ///
    /// # Errors
    /// [`SgviError`] when no start is found, or the ELBO cannot be evaluated there.
    pub fn fit(&self, seed: u64) -> Result<AdvisedFit, SgviError> {
        self.fit_under(StreamKey::from_seed(seed))
    }

    /// The same under a key.
    ///
    /// # Errors
    /// As for [`Advice::fit`].
    pub fn fit_under(&self, key: StreamKey) -> Result<AdvisedFit, SgviError> {
        use vi_core::LogJoint;
        let d = self.model.dim();
        let p = d * (d + 3) / 2;
        let space = self.model.parameters();
        if d <= FULL_RANK_UP_TO {
            let why =
                format!("{d} dimensions: the covariance takes {p} parameters, at most 64 dimensions' worth");
            let family = FullRankGaussian::new(space)?;
            self.fit_because(&family, why, key, Exec::local()).map(AdvisedFit::boxed)
        } else {
            let why =
                format!("{d} dimensions: a covariance would take {p} parameters, more than 64 dimensions'");
            let family = MeanFieldGaussian::new(space)?;
            self.fit_because(&family, why, key, Exec::local()).map(AdvisedFit::boxed)
        }
    }

    /// Fits a family of your choice, which is over [`Advice::model`].
    ///
    /// # Errors
    /// As for [`Advice::fit`].
    pub fn fit_family<F>(
        &self,
        family: &F,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<AdvisedFit<SgviPosterior<F>>, SgviError>
    where
        F: NearGaussian + Clone,
        for<'a> F::Member<'a>: Reparameterized,
    {
        self.fit_because(family, "asked for".to_owned(), key, exec)
    }

    /// The start alone: the best Gaussian of several Pathfinders and of Laplace's approximation, under `key`.
    ///
    /// # Errors
    /// As for [`Advice::fit`].
    pub fn start(&self, key: StreamKey, exec: Exec<'_>) -> Result<Start, SgviError> {
        start::find(&self.model, self.settings.n_paths, key, exec)
    }

    /// Fits a family of your choice from a start of your own, over [`Advice::model`].
    ///
    /// # Errors
    /// As for [`Advice::fit`].
    pub fn fit_near<F>(
        &self,
        family: &F,
        target: GaussianTarget,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<AdvisedFit<SgviPosterior<F>>, SgviError>
    where
        F: NearGaussian + Clone,
        for<'a> F::Member<'a>: Reparameterized,
    {
        let mut account = family_account::<F>("asked for".to_owned());
        account.push("start", "a Gaussian", "given");
        let start = Start { target, account: Account::default(), evaluations: Evaluations::default() };
        self.climb(family, start, account, key, exec)
    }

    fn fit_because<F>(
        &self,
        family: &F,
        why: String,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<AdvisedFit<SgviPosterior<F>>, SgviError>
    where
        F: NearGaussian + Clone,
        for<'a> F::Member<'a>: Reparameterized,
    {
        let start = self.start(key, exec)?;
        self.climb(family, start, family_account::<F>(why), key, exec)
    }

    fn climb<F>(
        &self,
        family: &F,
        start: Start,
        mut account: Account,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<AdvisedFit<SgviPosterior<F>>, SgviError>
    where
        F: NearGaussian + Clone,
        for<'a> F::Member<'a>: Reparameterized,
    {
        let elbo = Elbo::new(&self.model, family)?;
        let Start { target, account: of_start, mut evaluations } = start;
        account.extend(of_start);
        let climbed =
            levels::climb(elbo, &target, &self.settings, key, exec, &mut account, &mut evaluations)?;
        let n = self.settings.n_evaluate;
        let evaluate = key.role(Role::Evaluate);
        let estimate = evaluate_elbo(&self.model, family, &climbed.params, n, evaluate, exec)
            .map_err(|source| SgviError::Evaluation(Box::new(source)))?;
        evaluations.n_log_joint += n as u64;
        let bijection = self.model.bijection();
        let space = bijection.unconstrained().clone();
        let posterior = SgviPosterior::new(family.clone(), climbed.params, space)?.through(bijection)?;
        Ok(AdvisedFit { posterior, elbo: estimate, outcome: climbed.outcome, account, evaluations })
    }
}

fn family_account<F>(why: String) -> Account {
    let mut account = Account::default();
    let name = std::any::type_name::<F>().rsplit("::").next().unwrap_or_default();
    account.push("family", name, why);
    account.push("estimator", "pathwise at fixed draws", "the model has a gradient");
    account.push("optimizer", "L-BFGS", "at fixed draws the ELBO is smooth: no learning rate");
    account
}

impl<P: Posterior + 'static> AdvisedFit<P> {
    /// The same with the type of the posterior forgotten.
    pub fn boxed(self) -> AdvisedFit {
        let Self { posterior, elbo, outcome, account, evaluations } = self;
        AdvisedFit { posterior: Box::new(posterior), elbo, outcome, account, evaluations }
    }
}
