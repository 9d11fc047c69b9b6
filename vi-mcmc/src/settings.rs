//! How long to sample.

use serde::{Deserialize, Serialize};

use crate::error::McmcError;

/// How many chains, and how long each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct McmcSettings {
    /// Number of chains; 4 by default.
    pub n_chains: usize,
    /// Iterations of each chain that adapt the sampler and are thrown away; 1000 by default.
    pub n_warmup: usize,
    /// Draws kept from each chain; 1000 by default.
    pub n_draws: usize,
    /// One draw is kept every `thin` iterations; 1 by default.
    pub thin: usize,
}

impl Default for McmcSettings {
    fn default() -> Self {
        Self { n_chains: 4, n_warmup: 1000, n_draws: 1000, thin: 1 }
    }
}

impl McmcSettings {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`McmcError::Setting`] names the first one outside its domain and its value.
    pub fn validate(&self) -> Result<(), McmcError> {
        for (name, value) in [("n_chains", self.n_chains), ("n_draws", self.n_draws), ("thin", self.thin)] {
            if value == 0 || value > u32::MAX as usize {
                let requirement = "between 1 and 2³² − 1";
                return Err(McmcError::Setting { name, value: value as f64, requirement });
            }
        }
        Ok(())
    }

    /// Iterations of one chain, warm-up included.
    pub fn n_iterations(&self) -> u64 {
        self.n_warmup as u64 + self.n_draws as u64 * self.thin as u64
    }

    /// Whether the draw of iteration `t` (counted from 0) is kept.
    pub fn is_kept(&self, t: u64) -> bool {
        t >= self.n_warmup as u64 && (t - self.n_warmup as u64 + 1).is_multiple_of(self.thin as u64)
    }
}

/// Checks that a setting lies in an open interval.
pub(crate) fn check_open(
    name: &'static str,
    value: f64,
    (lower, upper): (f64, f64),
    requirement: &'static str,
) -> Result<(), McmcError> {
    if value > lower && value < upper { Ok(()) } else { Err(McmcError::Setting { name, value, requirement }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_named_with_their_value() {
        let message = |s: McmcSettings| s.validate().unwrap_err().to_string();
        let wrong = McmcSettings { n_chains: 0, ..Default::default() };
        assert_eq!(message(wrong), "n_chains = 0, but it must be between 1 and 2³² − 1");
        let wrong = McmcSettings { thin: 0, ..Default::default() };
        assert!(message(wrong).starts_with("thin = 0"));
        assert!(McmcSettings { n_warmup: 0, ..Default::default() }.validate().is_ok());
    }

    #[test]
    fn thinning_keeps_the_last_of_every_group() {
        let s = McmcSettings { n_warmup: 5, n_draws: 3, thin: 2, ..Default::default() };
        assert_eq!(s.n_iterations(), 11);
        let kept: Vec<u64> = (0..s.n_iterations()).filter(|&t| s.is_kept(t)).collect();
        assert_eq!(kept, [6, 8, 10]);
    }
}
