//! The advice for a model of which only the log joint is known.

use vi_core::{Exec, LogJoint, StreamKey, Support, Unconstrained};
use vi_families::{MeanFieldGaussian, ProductFamily, VariationalFamily};

use super::{Account, AdvisedFit};
use crate::error::SgviError;
use crate::fit::{SgviFit, fit};
use crate::posterior::SgviPosterior;
use crate::settings::SgviSettings;

/// A fit of a model without a gradient in one line.
///
/// ```text
/// advise_black_box(&model).fit(seed)
/// ```
/// The score function with leave-one-out baseline and natural gradients ([`SgviSettings::black_box`]); a mean-field
/// Gaussian where all variables are continuous, else a factor for the support of each variable.
#[derive(Debug)]
pub struct BlackBoxAdvice<'m, M> {
    model: &'m M,
}

/// The advice for a model without a gradient.
pub fn advise_black_box<M: LogJoint>(model: &M) -> BlackBoxAdvice<'_, M> {
    BlackBoxAdvice { model }
}

impl<M: LogJoint> BlackBoxAdvice<'_, M> {
    /// Fits on the threads of the current pool.
    ///
    /// # Errors
    /// As for [`fit`]; [`SgviError::Family`] for a support without a factor.
    pub fn fit(&self, seed: u64) -> Result<AdvisedFit, SgviError> {
        self.fit_under(StreamKey::from_seed(seed))
    }

    /// The same under a key.
    ///
    /// # Errors
    /// As for [`BlackBoxAdvice::fit`].
    pub fn fit_under(&self, key: StreamKey) -> Result<AdvisedFit, SgviError> {
        let settings = SgviSettings::black_box();
        let mut account = Account::default();
        let discrete =
            |s: Support| matches!(s, Support::Binary | Support::Categorical { .. } | Support::Count);
        let on_its_own_support = |s: Support| discrete(s) || s == Support::Angle;
        let variables = self.model.parameters().parameters();
        if let Some(p) = variables.iter().find(|p| on_its_own_support(p.support())) {
            let what = if discrete(p.support()) { "discrete" } else { "an angle" };
            let why = format!("`{}` is {what}", p.name());
            account.push("family", "ProductFamily", why);
            let family = ProductFamily::for_space(self.model.parameters())?;
            let fitted = self.climb(self.model, &family, &settings, key)?;
            return Ok(finish(fitted, account, &settings, Ok)?.boxed());
        }
        account.push("family", "MeanFieldGaussian", "every variable is continuous; on ℝᴰ");
        let model = Unconstrained::new(self.model)?;
        let family = MeanFieldGaussian::new(model.parameters())?;
        let fitted = self.climb(&model, &family, &settings, key)?;
        Ok(finish(fitted, account, &settings, |posterior| posterior.through(model.bijection()))?.boxed())
    }

    fn climb<N: LogJoint, F: VariationalFamily + Clone>(
        &self,
        model: &N,
        family: &F,
        settings: &SgviSettings,
        key: StreamKey,
    ) -> Result<SgviFit<F>, SgviError> {
        fit(model, family, settings.score_function(), settings, key, Exec::local())
    }
}

fn finish<F: VariationalFamily>(
    fitted: SgviFit<F>,
    mut account: Account,
    settings: &SgviSettings,
    seen: impl FnOnce(SgviPosterior<F>) -> Result<SgviPosterior<F>, SgviError>,
) -> Result<AdvisedFit<SgviPosterior<F>>, SgviError> {
    let SgviFit { posterior, elbo, outcome, evaluations, .. } = fitted;
    account.push("estimator", "score function, leave-one-out baseline", "nothing is known but the log joint");
    let steps = "natural gradient, steps of ½ within 0.1 nat";
    account.push("optimizer", steps, "no scale of its own, no learning rate to tune");
    account.push("draws", settings.n_samples.to_string(), "by default");
    account.push("stop", outcome.reason.to_string(), "two windows of averaged iterates are compared");
    Ok(AdvisedFit { posterior: seen(posterior)?, elbo, outcome, account, evaluations })
}
