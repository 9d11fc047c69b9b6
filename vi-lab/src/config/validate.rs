//! Domains of settings that a method would only notice when its turn comes.

use super::method::{Baseline, EstimatorKind, FamilyKind, MethodConfig, MethodSettings, SgviSettings};
use crate::error::ConfigError;

pub(super) fn method(config: &MethodConfig) -> Result<(), ConfigError> {
    let at_least = |key: &str, value: u64, least: u64, requirement: &'static str| {
        if value >= least { Ok(()) } else { Err(domain(config, key, value.to_string(), requirement)) }
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
                return Err(domain(config, "tolerance", s.tolerance.to_string(), "finite and ≥ 0"));
            }
            at_least("n_draws", s.n_draws as u64, 2, "at least 2")
        }
        MethodSettings::Sgvi(s) => {
            one("max_iterations", s.max_iterations)?;
            let naive = s.estimator == EstimatorKind::Pathwise || s.baseline == Some(Baseline::None);
            let least = if naive { 1 } else { 2 };
            at_least("n_samples", s.n_samples as u64, least, "at least 1, or 2 with a baseline")?;
            at_least("n_draws", s.n_draws as u64, 2, "at least 2")?;
            if s.estimator == EstimatorKind::Pathwise {
                if s.baseline.is_some() {
                    let requirement = "left away: only the score function has a baseline";
                    return Err(domain(config, "baseline", "given with pathwise".into(), requirement));
                }
                if !s.family.has_transport() {
                    let requirement = "`mean-field`, `full-rank`, `low-rank`, `block-diagonal` or `student-t`: the \
                                       pathwise estimator moves noise, and draws of the others are not moved noise";
                    return Err(domain(config, "family", format!("`{}`", s.family.name()), requirement));
                }
            }
            family(config, s)
        }
        MethodSettings::Nuts(s) => {
            chains(s.n_chains, s.n_draws, 1)?;
            if !(1..=30).contains(&s.max_tree_depth) {
                let value = s.max_tree_depth.to_string();
                return Err(domain(config, "max_tree_depth", value, "between 1 and 30"));
            }
            if !(s.target_accept > 0.0 && s.target_accept < 1.0) {
                return Err(domain(config, "target_accept", s.target_accept.to_string(), "in (0, 1)"));
            }
            Ok(())
        }
        MethodSettings::Gibbs(s) => chains(s.n_chains, s.n_draws, s.thin),
        MethodSettings::RandomWalk(s) => chains(s.n_chains, s.n_draws, s.thin),
    }
}

/// The keys that only some families have.
fn family(config: &MethodConfig, s: &SgviSettings) -> Result<(), ConfigError> {
    use FamilyKind::{BlockDiagonal, LearnedStudentT, LowRank, Mixture, StudentT};
    let given = [
        ("rank", s.rank.is_some(), s.family == LowRank, "left away: only `low-rank` has a rank"),
        (
            "blocks",
            s.blocks.is_some(),
            s.family == BlockDiagonal,
            "left away: only `block-diagonal` has blocks",
        ),
        (
            "n_components",
            s.n_components.is_some(),
            s.family == Mixture,
            "left away: only `mixture` has components",
        ),
        (
            "dof",
            s.dof.is_some(),
            matches!(s.family, StudentT | LearnedStudentT),
            "left away: only `student-t` and `learned-student-t` have degrees of freedom",
        ),
    ];
    for (key, is_given, belongs, requirement) in given {
        if is_given && !belongs {
            return Err(domain(config, key, format!("given with `{}`", s.family.name()), requirement));
        }
    }
    if s.n_components == Some(0) {
        return Err(domain(config, "n_components", "0".into(), "at least 1"));
    }
    match s.dof {
        Some(dof) if !(0.1..=1e8).contains(&dof) => {
            Err(domain(config, "dof", dof.to_string(), "between 0.1 and 10⁸"))
        }
        _ => Ok(()),
    }
}

/// Rank and blocks, against the dimension on the unconstrained scale.
pub(crate) fn family_size(config: &MethodConfig, s: &SgviSettings, dim: usize) -> Result<(), ConfigError> {
    let of = |value: String| format!("{value} with dimension {dim}");
    if let Some(rank) = s.rank
        && !(1..=dim).contains(&rank)
    {
        return Err(domain(config, "rank", of(rank.to_string()), "between 1 and the dimension"));
    }
    if let Some(blocks) = &s.blocks
        && (blocks.contains(&0) || blocks.iter().sum::<usize>() != dim)
    {
        let requirement = "sizes of at least 1 that add up to the dimension on the unconstrained scale";
        return Err(domain(config, "blocks", of(format!("{blocks:?}")), requirement));
    }
    Ok(())
}

fn domain(config: &MethodConfig, key: &str, value: String, requirement: &'static str) -> ConfigError {
    let key = format!("`{key}` of method `{}`", config.name);
    ConfigError::Domain { at: config.at.clone(), key, value, requirement }
}
