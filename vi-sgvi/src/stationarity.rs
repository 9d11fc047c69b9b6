//! Stopping on iterates that have become stationary and whose average is known well enough.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};
use vi_core::{Exec, LogJoint, StopReason, StopRule, StreamKey};
use vi_families::VariationalFamily;

use crate::distance::jeffreys;
use crate::elbo::{Elbo, compare_elbo};
use crate::error::{SgviError, require};
use crate::history::History;
use crate::kernel::SgviInfo;

/// The tag of the key under which averages are compared, beside those of the samples of a step.
const STATIONARITY: u64 = 0x5354_4154_494f_4e41;

/// Draws that tell the mean of a batch from the average.
const N_DRAWS: usize = 100;

/// Stops when the iterates are stationary and their average is known well enough; the average of the later half of them is
/// what a run reports.
///
/// ```text
/// stationary:      max_i R̂_i ≤ r_hat                     R̂ of every element of λ over four quarters of the later half
/// error of λ̄:      Σ_b J(λ̄_b, λ̄) / (2 w (w − 1)) ≤ tolerance        batch means λ̄_1 … λ̄_w of the later half, in nats
/// error of ELBO:   2 · mcse of the mean ELBO estimate of the later half ≤ tolerance
/// no more to gain: |ELBO(λ̄_second) − ELBO(λ̄_first)| + 2 · mcse ≤ tolerance,   the halves of the later half
/// ```
/// and that at `in_a_row` looks one after the other: a slow walk that looks stationary by chance has moved on at the next one.
///
/// J is the divergence of Jeffreys, so that the second line is the Monte Carlo standard error of the average, squared, in
/// the metric of q: the divergence KL that it causes, whatever the units of λ. The last line evaluates both averages under
/// common random numbers ([`crate::compare_elbo`]) and finds what is too slow for R̂ to see. The later half grows with the run,
/// so that a start is forgotten; looks come after 16, 24, 32, 48, 64, … times `batch` iterations.
///
/// Costs 2 `n_compare` log joints at a look that finds the iterates stationary, otherwise none; memory 64 P.
///
/// Sources: R̂ over iterates, then the error of their average: Dhaka et al. 2020, algorithm 1,
/// <https://arxiv.org/abs/2009.00666>; windows that drop the beginning, the error in terms of divergence: Welandawe et al.
/// 2022, sections 3–4, <https://arxiv.org/abs/2203.15945>.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stationarity {
    /// R̂ up to which iterates count as stationary, > 1; by default 1.1.
    pub r_hat: f64,
    /// In nats; by default 0.02.
    pub tolerance: f64,
    /// Iterates in the first batches, ≥ 2; by default 8.
    pub batch: usize,
    /// Draws from each of two averages, ≥ 2; by default 1000.
    pub n_compare: usize,
    /// Looks one after the other that have to find all of it, ≥ 1; by default 2.
    pub in_a_row: u64,
}

impl Default for Stationarity {
    fn default() -> Self {
        Self { r_hat: 1.1, tolerance: 0.02, batch: 8, n_compare: 1000, in_a_row: 2 }
    }
}

/// What a look at the iterates found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StationarityCheck {
    /// Iterates in the average.
    pub n_iterations: u64,
    /// The largest split R̂ over the elements of λ.
    pub r_hat: f64,
    /// The element of λ that has it, from 0.
    pub slowest: usize,
    /// What is known when R̂ is small enough to ask for it.
    pub average: Option<AverageError>,
    /// Looks just before this one, one after the other, that the rule was content with.
    pub before: u64,
}

/// How well the average of stationary iterates is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AverageError {
    /// The divergence KL that the Monte Carlo error of the average causes, in nats.
    pub divergence: f64,
    /// Standard error of the mean ELBO estimate.
    pub elbo_mcse: f64,
    /// ELBO of the average of the second half less that of the first.
    pub improvement: f64,
    /// Its standard error.
    pub improvement_mcse: f64,
}

impl Stationarity {
    pub(crate) fn validate(&self) -> Result<(), SgviError> {
        require(self.r_hat > 1.0, "stationarity.r_hat", self.r_hat, "finite and > 1")?;
        require(self.tolerance > 0.0, "stationarity.tolerance", self.tolerance, "finite and > 0")?;
        require(self.batch >= 2, "stationarity.batch", self.batch as f64, "≥ 2")?;
        require(self.n_compare >= 2, "stationarity.n_compare", self.n_compare as f64, "≥ 2")?;
        require(self.in_a_row >= 1, "stationarity.in_a_row", self.in_a_row as f64, "≥ 1")
    }

    /// Looks at the iterates; also how many log joints that took.
    pub(crate) fn look<M, F>(
        &self,
        elbo: Elbo<'_, M, F>,
        history: &History,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<(StationarityCheck, u64), SgviError>
    where
        M: LogJoint + ?Sized,
        F: VariationalFamily,
    {
        let largest = history.largest_r_hat();
        let (r_hat, slowest) = (largest.value, largest.index);
        let (n_iterations, before) = (history.n_window(), history.n_content);
        let mut check = StationarityCheck { n_iterations, r_hat, slowest, average: None, before };
        if r_hat.is_nan() || r_hat > self.r_hat {
            return Ok((check, 0));
        }
        let key = key.fold_in(STATIONARITY);
        let average = history.average().unwrap_or_default();
        let divergence = divergence(elbo.family(), history, &average, key.fold_in(0))?;
        let [first, second] = history.half_averages();
        let halves = compare_elbo(elbo, &first, &second, self.n_compare, key.fold_in(1), exec)
            .map_err(|source| SgviError::Evaluation(Box::new(source)))?;
        check.average = Some(AverageError {
            divergence,
            elbo_mcse: history.elbo_mcse(),
            improvement: halves.improvement,
            improvement_mcse: halves.mcse,
        });
        Ok((check, 2 * self.n_compare as u64))
    }

    /// Whether a look finds all that the rule asks of one.
    pub(crate) fn is_content(&self, check: &StationarityCheck) -> bool {
        check.r_hat <= self.r_hat
            && check.average.is_some_and(|error| {
                error.divergence <= self.tolerance
                    && 2.0 * error.elbo_mcse <= self.tolerance
                    && error.improvement.abs() + 2.0 * error.improvement_mcse <= self.tolerance
            })
    }

    fn reason(&self, check: &StationarityCheck) -> Option<StopReason> {
        let error = check.average?;
        let change = 2.0 * error.improvement_mcse;
        let known = self.is_content(check) && check.before + 1 >= self.in_a_row;
        known.then(|| StopReason::Converged {
            rule: format!(
                "R-hat {:.3} over the last {} iterations; their average is known to {:.1e} nats, the mean ELBO to {:.1e}, and \
                 changed by {:.2e} ± {change:.1e} (tolerance {:.1e})",
                check.r_hat, check.n_iterations, error.divergence, error.elbo_mcse, error.improvement, self.tolerance
            ),
        })
    }
}

/// ½ tr(F V), V the covariance of the average from the means of its batches.
fn divergence<F: VariationalFamily>(
    family: &F,
    history: &History,
    average: &ArrayRef1<f64>,
    key: StreamKey,
) -> Result<f64, SgviError> {
    let means = history.batch_means();
    let w = means.len() as f64;
    let mut sum = 0.0;
    for mean in means {
        sum += jeffreys(family, mean, average, N_DRAWS, key)?;
    }
    Ok(sum / (2.0 * w * (w - 1.0)))
}

impl StopRule<SgviInfo> for Stationarity {
    fn check(&self, _t: u64, info: &SgviInfo) -> Option<StopReason> {
        self.reason(info.stationarity.as_ref()?)
    }
}
