//! Families on counts, categories and truth values.

use vi_core::numerics::{Lane, SliceFunction, map_slices, softplus_scalar};

use super::{LOG_TWO_PI, Linear, LogProbSlice};
use crate::distributions::{Bernoulli, Binomial, Categorical, Geometric, NegativeBinomial, Poisson};
use crate::exponential_family::ExponentialFamily;
use crate::slices::counts::{NO_COUNT, failures, for_blocks, log_poisson};

/// `out_n` ← f(`z_n`).
fn map_counts(function: &impl SliceFunction<1, 1>, z: &[u64], out: &mut [f64]) {
    assert_eq!(z.len(), out.len(), "z and out differ in length");
    for_blocks(z.len(), |_, n| z[n] as f64, |block, [x]| map_slices(function, [x], [&mut out[block]]));
}

/// z ↦ log of the Poisson probability
struct LogPoisson {
    rate: f64,
    log_rate: f64,
}

impl SliceFunction<1, 1> for LogPoisson {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        [log_poisson::<L>(z, L::log_of_input(z), self.rate, self.log_rate)]
    }
}

impl LogProbSlice for Poisson {
    fn log_prob_slice(&self, z: &[u64], out: &mut [f64]) {
        map_counts(&LogPoisson { rate: self.rate(), log_rate: self.log_rate() }, z, out);
    }
}

impl LogProbSlice for Geometric {
    fn log_prob_slice(&self, z: &[u64], out: &mut [f64]) {
        map_counts(&Linear { coefficient: self.log_failure(), offset: self.log_prob(&0) }, z, out);
    }
}

/// (successes, failures) ↦ log of the binomial probability, as a product of two Poisson probabilities over a third
struct LogBinomial {
    /// Rates and their logarithms, of successes and failures.
    rates: [(f64, f64); 2],
    /// log p where all trials succeed, and where all fail.
    all: [f64; 2],
    /// log of the Poisson probability of n at the rate n.
    total: f64,
}

impl LogBinomial {
    fn new(member: &Binomial) -> Self {
        let n = member.n_trials() as f64;
        let log_p = [-softplus_scalar(-member.logit()), -softplus_scalar(member.logit())];
        Self {
            rates: log_p.map(|log_p| (n * log_p.exp(), n.ln() + log_p)),
            all: log_p.map(|log_p| n * log_p),
            total: crate::counts::log_poisson(n, n, || n.ln()),
        }
    }
}

impl SliceFunction<2, 1> for LogBinomial {
    #[inline(always)]
    fn apply<L: Lane>(&self, [k, other]: [f64; 2]) -> [f64; 1] {
        let [(success, log_success), (failure, log_failure)] = self.rates;
        let value = log_poisson::<L>(k, L::log_of_input(k), success, log_success)
            + log_poisson::<L>(other, L::log_of_input(other), failure, log_failure)
            - self.total;
        let value = if k == 0.0 { self.all[1] } else { value };
        let value = if other == 0.0 { self.all[0] } else { value };
        [if other == NO_COUNT { f64::NEG_INFINITY } else { value }]
    }
}

impl LogProbSlice for Binomial {
    fn log_prob_slice(&self, z: &[u64], out: &mut [f64]) {
        assert_eq!(z.len(), out.len(), "z and out differ in length");
        let (function, n_trials) = (LogBinomial::new(self), self.n_trials());
        let number = |m, n: usize| if m == 0 { z[n] as f64 } else { failures(n_trials, z[n]) };
        for_blocks(z.len(), number, |block, x| map_slices(&function, x, [&mut out[block]]));
    }
}

/// z ↦ log of the negative binomial probability: r / (z + r) times the binomial one of z + r trials
struct LogNegativeBinomial {
    n_successes: f64,
    log_n_successes: f64,
    /// π and 1 − π with their logarithms.
    success: (f64, f64),
    failure: (f64, f64),
    /// log p at 0.
    none: f64,
}

impl SliceFunction<1, 1> for LogNegativeBinomial {
    #[inline(always)]
    fn apply<L: Lane>(&self, [z]: [f64; 1]) -> [f64; 1] {
        let (r, log_r) = (self.n_successes, self.log_n_successes);
        let n = z + r;
        let (log_z, log_n) = (L::log_of_input(z), L::log(n));
        let ((p, log_p), (q, log_q)) = (self.success, self.failure);
        let value = log_r - log_n
            + log_poisson::<L>(r, log_r, n * p, log_n + log_p)
            + log_poisson::<L>(z, log_z, n * q, log_n + log_q)
            + (L::stirling_error(n, log_n) + 0.5 * (log_n + LOG_TWO_PI));
        [if z == 0.0 { self.none } else { value }]
    }
}

impl LogProbSlice for NegativeBinomial {
    fn log_prob_slice(&self, z: &[u64], out: &mut [f64]) {
        let (r, none) = (self.n_successes(), -self.log_partition());
        let (p, q) = (self.probability(), self.failure_probability());
        let function = LogNegativeBinomial {
            n_successes: r,
            log_n_successes: r.ln(),
            success: (p, none / r),
            failure: (q, q.ln()),
            none,
        };
        map_counts(&function, z, out);
    }
}

/// Selects one of two.
impl LogProbSlice for Bernoulli {
    fn log_prob_slice(&self, z: &[bool], out: &mut [f64]) {
        assert_eq!(z.len(), out.len(), "z and out differ in length");
        let [no, yes] = [false, true].map(|z| self.log_prob(&z));
        for (z, out) in z.iter().zip(out) {
            *out = if *z { yes } else { no };
        }
    }
}

/// Looks log π up.
impl LogProbSlice for Categorical {}
