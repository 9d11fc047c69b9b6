//! Domains of settings that a method would only notice when its turn comes.

use vi_sgvi::{Clipping, Compare};

use super::Owner;
use super::method::{MethodConfig, MethodSettings, SgviSettings};
use crate::error::ConfigError;

/// What stops a run and what cuts its gradients, against each other and against what is ascended.
fn ascent(s: &SgviSettings, owner: &Owner) -> Result<(), ConfigError> {
    if let Clipping::MaxNorm(norm) = s.clipping
        && !(norm.is_finite() && norm > 0.0)
    {
        return Err(owner.domain("clipping.max_norm", norm.to_string(), "finite and > 0"));
    }
    if s.starts.is_some_and(|starts| starts.n_starts == 0) {
        return Err(owner.domain("starts.n_starts", "0".into(), "at least 1"));
    }
    if s.estimator.estimator.is_of_another_bound() {
        let given = format!("given with `{}`", s.estimator.estimator.name());
        let requirement =
            "left away: the averages of iterates are judged by the ELBO, which is not what is ascended";
        if s.stationarity.is_some() {
            return Err(owner.domain("stationarity", given, requirement));
        }
        if s.window.compare != Compare::Trace {
            return Err(owner.domain("window.compare", given, requirement));
        }
    }
    Ok(())
}

pub(super) fn method(config: &MethodConfig) -> Result<(), ConfigError> {
    let owner = config.owner();
    let at_least = |key: &str, value: u64, least: u64, requirement: &'static str| {
        if value >= least { Ok(()) } else { Err(owner.domain(key, value.to_string(), requirement)) }
    };
    let one = |key: &str, value: u64| at_least(key, value, 1, "at least 1");
    let chains = |n_chains: usize, n_draws: usize, thin: usize| {
        one("n_chains", n_chains as u64)?;
        at_least("n_draws", n_draws as u64, 4, "at least 4: R-hat compares halves of chains")?;
        one("thin", thin as u64)
    };
    match &config.settings {
        MethodSettings::Cavi(s) => s.check(&owner),
        MethodSettings::Svi(s) => s.check(&owner),
        MethodSettings::Sgvi(s) => {
            one("max_iterations", s.max_iterations)?;
            at_least("n_draws", s.n_draws as u64, 2, "at least 2")?;
            s.estimator.check(&owner)?;
            ascent(s, &owner)?;
            s.family.check(&owner)
        }
        MethodSettings::Approximation(s) => s.check(&owner),
        MethodSettings::Nuts(s) => {
            chains(s.n_chains, s.n_draws, 1)?;
            if !(1..=30).contains(&s.max_tree_depth) {
                let value = s.max_tree_depth.to_string();
                return Err(owner.domain("max_tree_depth", value, "between 1 and 30"));
            }
            if !(s.target_accept > 0.0 && s.target_accept < 1.0) {
                return Err(owner.domain("target_accept", s.target_accept.to_string(), "in (0, 1)"));
            }
            Ok(())
        }
        MethodSettings::Gibbs(s) => chains(s.n_chains, s.n_draws, s.thin),
        MethodSettings::RandomWalk(s) => chains(s.n_chains, s.n_draws, s.thin),
    }
}
