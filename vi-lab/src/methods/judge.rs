//! One judge for all results: the same joint, the same key, the same functions.

use ndarray::ArrayRef1;
use vi_core::{
    Draws, ElboEstimate, Exec, ParameterSpace, Posterior, Reported, ReportedPosterior, StreamKey, log_ratios,
};
use vi_diagnostics::{Summary, psis, summarise, summarise_independent};

use super::Context;

/// What can be said of a posterior, whatever produced it.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// Draws of the variables that users read.
    pub(crate) draws: Option<Draws>,
    pub(crate) parameters: Vec<Summary>,
    /// By sampling; `None` without a density.
    pub(crate) elbo: Option<ElboEstimate>,
    pub(crate) khat: Option<f64>,
    /// What could not be computed, and why.
    pub(crate) notes: Vec<String>,
}

/// A posterior whose type is forgotten.
struct AnyPosterior<'p>(&'p dyn Posterior);

impl Posterior for AnyPosterior<'_> {
    fn parameters(&self) -> &ParameterSpace {
        self.0.parameters()
    }
    fn draws(&self, n: usize, key: StreamKey) -> Draws {
        self.0.draws(n, key)
    }
    fn log_prob(&self, z: &ArrayRef1<f64>) -> Option<f64> {
        self.0.log_prob(z)
    }
}

impl Judged {
    /// A posterior with a density, by `n` independent draws under the evaluation key.
    pub(crate) fn variational(context: &Context<'_>, posterior: &dyn Posterior, n: usize) -> Self {
        let draws = posterior.draws(n, context.evaluation_key);
        let mut out = Self { parameters: summarise_independent(&draws), ..Self::default() };
        if let Some(ratios) = log_ratios(context.study.log_joint(), posterior, &draws, Exec::local()) {
            let elbo = ElboEstimate::from_log_ratios(&ratios);
            if elbo.value.is_finite() {
                out.elbo = Some(elbo);
            } else {
                out.notes.push(format!("the ELBO by sampling is {}: a log ratio is not finite", elbo.value));
            }
            match psis(&ratios) {
                Ok(psis) => out.khat = Some(psis.khat),
                Err(e) => out.notes.push(format!("k-hat cannot be computed: {e}")),
            }
        }
        out.draws = Some(draws);
        out
    }

    /// The same for a posterior over other variables, from which these maps lead, first to last, to those that users read.
    pub(crate) fn through(
        context: &Context<'_>,
        posterior: &dyn Posterior,
        maps: &[&dyn Reported],
        n: usize,
    ) -> Self {
        match maps.split_first() {
            None => Self::variational(context, posterior, n),
            Some((first, rest)) => {
                let seen = ReportedPosterior::new(AnyPosterior(posterior), *first);
                Self::through(context, &seen, rest, n)
            }
        }
    }

    /// The draws are not independent: what takes them for that says nothing of their error.
    pub(crate) fn repeats_draws(&mut self) {
        self.parameters.iter_mut().for_each(|p| p.mcse_mean = None);
    }

    /// Markov chains.
    pub(crate) fn chains(draws: Draws) -> Self {
        Self { parameters: summarise(&draws), draws: Some(draws), ..Self::default() }
    }
}
