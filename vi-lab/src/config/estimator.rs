//! Gradient estimators by name: the same keys in `[[methods]]` of experiments and in `[[estimators]]` of benches.

use serde::{Deserialize, Serialize};

use super::estimator_kind::EstimatorKind;
use super::{Owner, words};
use crate::error::ConfigError;

/// Baselines of the score function by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// Nothing.
    None,
    /// The mean over the other samples.
    #[default]
    LeaveOneOut,
    /// The average of past iterations.
    MovingAverage,
    /// The score, with the best coefficient for every element of λ, from the other samples.
    ControlVariate,
    /// The same with coefficients from all samples: biased.
    SameSampleControlVariate,
}

/// Where the pathwise estimator has the gradient of the entropy from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntropyKind {
    /// A closed form.
    #[default]
    ClosedForm,
    /// The samples.
    MonteCarlo,
    /// The paths of the samples alone: no noise where q is the posterior.
    StickingTheLanding,
}

/// Samplers of the score function by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SamplerKind {
    /// Independent draws from q.
    #[default]
    Independent,
    /// Pairs from opposite corners of the unit cube.
    Antithetic,
    /// Scrambled Sobol points, randomised.
    QuasiMonteCarlo,
    /// A proposal with heavier tails, importance weighted.
    Overdispersed,
}

/// A gradient estimator with all that can be said of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EstimatorSettings {
    /// The gradient estimator.
    pub estimator: EstimatorKind,
    /// The baseline of the score function and of sample reuse; leave-one-out by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// How much of the past the moving average keeps, in [0, 1); 0.9 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decay: Option<f64>,
    /// The sampler of the score function; independent draws by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampler: Option<SamplerKind>,
    /// Independent randomisations of quasi-Monte Carlo; 2 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_randomizations: Option<usize>,
    /// How much heavier the tails of overdispersed proposals are, at least 1; 1.5 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispersion: Option<f64>,
    /// Whether every block of the model is weighted by its own terms alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rao_blackwellized: bool,
    /// Samples per gradient.
    pub n_samples: usize,
    /// Where `pathwise` has the gradient of the entropy from; a closed form by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entropy: Option<EntropyKind>,
    /// Directions of noise whose products are control variates; 8 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_directions: Option<usize>,
    /// Samples that a bound takes at once; 8 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_importance: Option<usize>,
    /// Order of the bound, ≥ 0: 0 for the importance-weighted ELBO, the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// Nodes of the quadrature of Gaussian factors; 20 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_nodes: Option<usize>,
    /// States that are enumerated at most; 65536 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Iterations whose points are used, the present one included; 4 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_reused_iterations: Option<usize>,
    /// The variables that this estimator is for, when another one is for the `rest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<Vec<String>>,
    /// The estimator of all other variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest: Option<Box<EstimatorSettings>>,
}

impl Default for EstimatorSettings {
    fn default() -> Self {
        Self {
            estimator: EstimatorKind::default(),
            baseline: None,
            decay: None,
            sampler: None,
            n_randomizations: None,
            dispersion: None,
            rao_blackwellized: false,
            n_samples: vi_sgvi::SgviSettings::default().n_samples,
            entropy: None,
            n_directions: None,
            n_importance: None,
            alpha: None,
            n_nodes: None,
            limit: None,
            n_reused_iterations: None,
            variables: None,
            rest: None,
        }
    }
}

impl EstimatorSettings {
    /// The keys of a table that are read here.
    pub(crate) const KEYS: [&'static str; 17] = [
        "estimator",
        "baseline",
        "decay",
        "sampler",
        "n_randomizations",
        "dispersion",
        "rao_blackwellized",
        "n_samples",
        "entropy",
        "n_directions",
        "n_importance",
        "alpha",
        "n_nodes",
        "limit",
        "n_reused_iterations",
        "variables",
        "rest",
    ];

    /// The estimator and its keys in words.
    pub fn describe(&self) -> String {
        let value = serde_json::to_value(self);
        words(&value.unwrap_or_else(|_| unreachable!("settings are tables of plain values")))
    }

    /// The baseline that is used.
    pub fn baseline(&self) -> Baseline {
        self.baseline.unwrap_or_default()
    }

    /// Whether its gradient is unbiased.
    pub fn is_unbiased(&self) -> bool {
        !matches!(self.estimator, EstimatorKind::SampleReuse | EstimatorKind::LocalQuadrature)
            && self.baseline != Some(Baseline::SameSampleControlVariate)
            && self.rest.as_ref().is_none_or(|rest| rest.is_unbiased())
    }

    /// The samples that a bound takes at once.
    pub fn n_importance(&self) -> usize {
        self.n_importance.unwrap_or(8)
    }

    /// The sampler that is used.
    pub fn sampler(&self) -> SamplerKind {
        self.sampler.unwrap_or_default()
    }

    /// Keys that mean nothing here and values outside their domains, before any model is asked.
    pub(crate) fn check(&self, owner: &Owner) -> Result<(), ConfigError> {
        self.check_keys(owner)?;
        self.check_values(owner)?;
        match (&self.variables, &self.rest) {
            (None, None) => Ok(()),
            (Some(variables), Some(rest)) => {
                if variables.is_empty() {
                    return Err(owner.domain("variables", "[]".into(), "at least one name"));
                }
                self.check_part(owner)?;
                let owner = owner.below("rest");
                if rest.rest.is_some() || rest.variables.is_some() {
                    return Err(owner.domain(
                        "rest",
                        "given once more".into(),
                        "left away: two parts are all",
                    ));
                }
                rest.check(&owner)?;
                rest.check_part(&owner)
            }
            (Some(_), None) => Err(owner.domain(
                "rest",
                "missing".into(),
                "a table with the estimator of all other variables, when there are `variables`",
            )),
            (None, Some(_)) => Err(owner.domain(
                "variables",
                "missing".into(),
                "the names that this estimator is for, when there is a `rest`",
            )),
        }
    }

    fn check_keys(&self, owner: &Owner) -> Result<(), ConfigError> {
        let kind = self.estimator;
        let score = kind == EstimatorKind::ScoreFunction;
        let of_bound =
            "left away: only `vimco`, `iwae` and `dreg` ascend a bound from several samples at once";
        let given = [
            (
                "baseline",
                self.baseline.is_some(),
                kind.has_baseline(),
                "left away: only the score function has a baseline, and sample reuse",
            ),
            (
                "decay",
                self.decay.is_some(),
                kind.has_baseline() && self.baseline() == Baseline::MovingAverage,
                "left away: only the baseline `moving-average` has a decay",
            ),
            ("sampler", self.sampler.is_some(), score, "left away: only the score function has a sampler"),
            (
                "n_randomizations",
                self.n_randomizations.is_some(),
                score && self.sampler() == SamplerKind::QuasiMonteCarlo,
                "left away: only the sampler `quasi-monte-carlo` has randomisations",
            ),
            (
                "dispersion",
                self.dispersion.is_some(),
                score && self.sampler() == SamplerKind::Overdispersed,
                "left away: only the sampler `overdispersed` has a dispersion",
            ),
            (
                "rao_blackwellized",
                self.rao_blackwellized,
                kind.has_local_form(),
                "left away: only the score function, overdispersed factors, local expectations and measure-valued \
                 derivatives have a form with the terms of one block",
            ),
            (
                "entropy",
                self.entropy.is_some(),
                kind == EstimatorKind::Pathwise,
                "left away: only `pathwise` has a choice of the entropy's gradient",
            ),
            (
                "n_directions",
                self.n_directions.is_some(),
                kind == EstimatorKind::ControlledPathwise,
                "left away: only `controlled-pathwise` has directions",
            ),
            ("n_importance", self.n_importance.is_some(), kind.is_of_another_bound(), of_bound),
            ("alpha", self.alpha.is_some(), kind.is_of_another_bound(), of_bound),
            (
                "n_nodes",
                self.n_nodes.is_some(),
                kind == EstimatorKind::LocalQuadrature,
                "left away: only `local-quadrature` has nodes",
            ),
            (
                "limit",
                self.limit.is_some(),
                kind == EstimatorKind::Enumeration,
                "left away: only `enumeration` has a limit",
            ),
            (
                "n_reused_iterations",
                self.n_reused_iterations.is_some(),
                kind == EstimatorKind::SampleReuse,
                "left away: only `sample-reuse` uses past iterations",
            ),
        ];
        match given.into_iter().find(|(_, is_given, belongs, _)| *is_given && !belongs) {
            None => Ok(()),
            Some((key, _, _, requirement)) => {
                Err(owner.domain(key, format!("given with {}", kind.name()), requirement))
            }
        }
    }

    fn check_values(&self, owner: &Owner) -> Result<(), ConfigError> {
        let (kind, n) = (self.estimator, self.n_samples);
        let naive = match kind {
            EstimatorKind::OverdispersedFactors => false,
            kind if kind.has_baseline() => {
                matches!(self.baseline(), Baseline::None | Baseline::MovingAverage)
            }
            _ => true,
        };
        if n < if naive { 1 } else { 2 } {
            return Err(owner.domain("n_samples", n.to_string(), "at least 1, or 2 with a baseline"));
        }
        if matches!(kind, EstimatorKind::Arm | EstimatorKind::Disarm) && !n.is_multiple_of(2) {
            return Err(owner.domain("n_samples", n.to_string(), "even: points come in pairs"));
        }
        if kind.is_of_another_bound() {
            self.check_bound(owner)?;
        }
        if kind == EstimatorKind::SampleReuse && self.baseline() == Baseline::MovingAverage {
            let requirement = "one that remembers nothing: the points come again by themselves";
            return Err(owner.domain("baseline", "`moving-average`".into(), requirement));
        }
        let composed = self.rao_blackwellized || self.sampler() != SamplerKind::Independent;
        if self.baseline() == Baseline::SameSampleControlVariate && composed {
            let requirement = "`control-variate`: the biased form is for contrast and does not compose";
            return Err(owner.domain("baseline", "`same-sample-control-variate`".into(), requirement));
        }
        match self.n_nodes {
            Some(nodes) if !(1..=64).contains(&nodes) => {
                Err(owner.domain("n_nodes", nodes.to_string(), "between 1 and 64"))
            }
            _ => Ok(()),
        }
    }

    /// The samples of a bound come in whole groups.
    fn check_bound(&self, owner: &Owner) -> Result<(), ConfigError> {
        let k = self.n_importance();
        let (least, requirement) = match self.estimator {
            EstimatorKind::Vimco => (2, "at least 2: a sample's baseline comes from the others"),
            _ => (1, "at least 1"),
        };
        if k < least {
            return Err(owner.domain("n_importance", k.to_string(), requirement));
        }
        if !self.n_samples.is_multiple_of(k) {
            let value = format!("{} with n_importance = {k}", self.n_samples);
            return Err(owner.domain("n_samples", value, "a multiple of `n_importance`"));
        }
        match self.alpha {
            Some(alpha) if !(alpha.is_finite() && alpha >= 0.0) => {
                Err(owner.domain("alpha", alpha.to_string(), "finite and ≥ 0"))
            }
            _ => Ok(()),
        }
    }

    /// Whether it can be confined to some variables.
    fn check_part(&self, owner: &Owner) -> Result<(), ConfigError> {
        let whole = matches!(self.estimator, EstimatorKind::ControlledPathwise | EstimatorKind::SampleReuse);
        if whole || self.estimator.is_of_another_bound() {
            let requirement = "one that can be confined to some variables: neither `controlled-pathwise`, `sample-reuse`, nor \
                               that of another bound";
            return Err(owner.domain("estimator", format!("`{}`", self.estimator.name()), requirement));
        }
        if self.baseline == Some(Baseline::SameSampleControlVariate) {
            let requirement = "`control-variate`: the biased form is for contrast and does not compose";
            return Err(owner.domain("baseline", "`same-sample-control-variate`".into(), requirement));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_those_of_the_settings() {
        let filled = EstimatorSettings {
            baseline: Some(Baseline::None),
            decay: Some(0.5),
            sampler: Some(SamplerKind::Antithetic),
            n_randomizations: Some(1),
            dispersion: Some(2.0),
            rao_blackwellized: true,
            n_nodes: Some(3),
            limit: Some(4),
            entropy: Some(EntropyKind::MonteCarlo),
            n_directions: Some(2),
            n_importance: Some(3),
            alpha: Some(0.5),
            n_reused_iterations: Some(5),
            variables: Some(Vec::new()),
            rest: Some(Box::default()),
            ..EstimatorSettings::default()
        };
        let value = serde_json::to_value(&filled).expect("plain values");
        let keys: Vec<&str> = value.as_object().expect("a table").keys().map(String::as_str).collect();
        let mut known = EstimatorSettings::KEYS.to_vec();
        known.sort_unstable();
        let mut keys = keys;
        keys.sort_unstable();
        assert_eq!(keys, known);
    }
}
