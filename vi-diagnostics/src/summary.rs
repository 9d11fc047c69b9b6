//! Tables of summaries, one row per coordinate.

use serde::{Deserialize, Serialize};
use vi_core::{Draws, ParameterSummary};

use crate::ess::{ess_bulk, ess_tail};
use crate::mcse::mcse_mean;
use crate::rhat::rhat;

/// One coordinate of a posterior: where it lies and how well its draws determine that.
///
/// A figure that does not exist is `None`: for a chain that never moved, for values that are not finite, for
/// too few draws, and effective sizes and R̂ for independent draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The coordinate's name.
    pub name: String,
    /// Mean.
    pub mean: f64,
    /// Standard deviation (n − 1 in the denominator).
    pub sd: f64,
    /// 5 % quantile (type 7 of Hyndman & Fan 1996, like the other two).
    pub q05: f64,
    /// Median.
    pub q50: f64,
    /// 95 % quantile.
    pub q95: f64,
    /// Monte Carlo standard error of the mean.
    pub mcse_mean: Option<f64>,
    /// Bulk effective sample size.
    pub ess_bulk: Option<f64>,
    /// Tail effective sample size.
    pub ess_tail: Option<f64>,
    /// Rank-normalised split R̂.
    pub rhat: Option<f64>,
}

/// Summaries of Markov chains, in the order of the coordinates.
///
/// See [`mcse_mean`], [`ess_bulk`], [`ess_tail`] and [`rhat`]; their `NaN` is `None` here.
pub fn summarise(draws: &Draws) -> Vec<Summary> {
    let rows = draws.summaries().into_iter().enumerate();
    rows.map(|(d, row)| {
        let x = draws.coordinate(d);
        Summary {
            mcse_mean: known(mcse_mean(&x)),
            ess_bulk: known(ess_bulk(&x)),
            ess_tail: known(ess_tail(&x)),
            rhat: known(rhat(&x)),
            ..location(row)
        }
    })
    .collect()
}

/// Summaries of independent draws, such as those of a variational posterior.
///
/// The Monte Carlo standard error is sd/√n with n the number of all draws; effective sizes and R̂ do not apply.
pub fn summarise_independent(draws: &Draws) -> Vec<Summary> {
    let n = (draws.n_chains() * draws.n_draws()) as f64;
    let rows = draws.summaries().into_iter();
    rows.map(|row| Summary { mcse_mean: known(row.sd / n.sqrt()), ..location(row) }).collect()
}

fn location(row: ParameterSummary) -> Summary {
    let ParameterSummary { name, mean, sd, q05, q50, q95 } = row;
    Summary { name, mean, sd, q05, q50, q95, mcse_mean: None, ess_bulk: None, ess_tail: None, rhat: None }
}

fn known(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}
