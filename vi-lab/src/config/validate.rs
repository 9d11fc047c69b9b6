//! Domains of settings that a method would only notice when its turn comes.

use super::method::{MethodConfig, MethodSettings};
use crate::error::ConfigError;

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
        MethodSettings::Cavi(s) => {
            one("max_iterations", s.max_iterations)?;
            one("n_restarts", u64::from(s.n_restarts))?;
            if !(s.tolerance.is_finite() && s.tolerance >= 0.0) {
                return Err(owner.domain("tolerance", s.tolerance.to_string(), "finite and ≥ 0"));
            }
            at_least("n_draws", s.n_draws as u64, 2, "at least 2")
        }
        MethodSettings::Sgvi(s) => {
            one("max_iterations", s.max_iterations)?;
            at_least("n_draws", s.n_draws as u64, 2, "at least 2")?;
            s.estimator.check(&owner)?;
            s.family.check(&owner)
        }
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
