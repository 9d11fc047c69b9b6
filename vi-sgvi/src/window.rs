//! Windows of the ELBO trace, and the stop rule that compares them.

use ndarray::{Array1, ArrayRef1, Zip};
use serde::{Deserialize, Serialize};
use vi_core::{StopReason, StopRule};

use crate::elbo::ElboComparison;
use crate::error::{SgviError, require};
use crate::kernel::SgviInfo;

/// How the trace of ELBO estimates is cut into windows.
///
/// Each window is longer than the one before. Its Monte Carlo error thus falls below any tolerance in the
/// end, and progress too slow to be seen in a short window adds up in a long one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Window {
    /// Iterations of the first window, ≥ 2; by default 100.
    pub length: usize,
    /// Length of a window divided by that of the window before, ≥ 1; by default 1.25.
    pub growth: f64,
    /// What of two windows is compared; by default the traces.
    pub compare: Compare,
}

/// What of two windows is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Compare {
    /// The ELBO estimates that the iterations made: no evaluation more, and the noise of every one of them.
    #[default]
    Trace,
    /// The ELBO at the averages of the iterates, under common random numbers ([`crate::compare_elbo`]).
    ///
    /// ```text
    /// ELBO(λ̄_k) − ELBO(λ̄_{k−1}),   λ̄_k the mean of the iterates of window k
    /// ```
    /// Says of the average what a run should know of what it reports, and far more sharply than the traces: the noise is
    /// that of the difference alone. Costs 2 `n_samples` log joints per window.
    Averages {
        /// Draws from each of the two members, ≥ 2.
        n_samples: usize,
    },
}

impl Default for Window {
    fn default() -> Self {
        Self { length: 100, growth: 1.25, compare: Compare::Trace }
    }
}

impl Window {
    pub(crate) fn validate(&self) -> Result<(), SgviError> {
        require(self.length >= 2, "window.length", self.length as f64, "≥ 2")?;
        require(self.growth >= 1.0, "window.growth", self.growth, "finite and ≥ 1")?;
        match self.compare {
            Compare::Trace => Ok(()),
            Compare::Averages { n_samples } => {
                require(n_samples >= 2, "window.compare.averages.n_samples", n_samples as f64, "≥ 2")
            }
        }
    }
}

/// Two successive windows of the ELBO trace.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowComparison {
    /// Iterations in the later window.
    pub n_iterations: usize,
    /// Mean ELBO of the later window.
    pub mean: f64,
    /// Its excess over the mean of the earlier window.
    pub improvement: f64,
    /// Standard error of the improvement.
    ///
    /// That of traces comes from the spread of the estimates inside each window, and so counts the wandering and the
    /// progress of the iterates as noise besides the Monte Carlo noise itself. That of averages is the Monte Carlo error
    /// of the paired evaluation.
    pub mcse: f64,
}

/// The running window: a mean and a sum of squared deviations (Welford), the mean of the iterates if it is asked for, and
/// the window before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WindowState {
    length: usize,
    n: usize,
    mean: f64,
    sum_of_squares: f64,
    #[serde(default)]
    iterates: Array1<f64>,
    last: Option<Finished>,
}

/// A finished window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Finished {
    n: usize,
    mean: f64,
    /// Square of the standard error of `mean`.
    squared_error: f64,
    /// Mean of the iterates (P); empty if nobody asked for it.
    #[serde(default)]
    pub(crate) iterates: Array1<f64>,
}

impl WindowState {
    pub(crate) fn new(window: Window) -> Self {
        Self::after(None, window.length)
    }

    fn after(last: Option<Finished>, length: usize) -> Self {
        Self { length, n: 0, mean: 0.0, sum_of_squares: 0.0, iterates: Array1::default(0), last }
    }

    /// Takes in the next estimate, and the iterate if iterates are to be averaged. At the end of the second and every
    /// later window, returns the one before and the one just finished.
    pub(crate) fn push(
        &mut self,
        window: Window,
        elbo: f64,
        iterate: Option<&ArrayRef1<f64>>,
    ) -> Option<(Finished, &Finished)> {
        self.n += 1;
        let n = self.n as f64;
        let deviation = elbo - self.mean;
        self.mean += deviation / n;
        self.sum_of_squares += deviation * (elbo - self.mean);
        if let Some(iterate) = iterate {
            if self.n == 1 {
                self.iterates = iterate.to_owned();
            } else {
                Zip::from(&mut self.iterates).and(iterate).for_each(|m, p| *m += (p - *m) / n);
            }
        }
        if self.n < self.length {
            return None;
        }
        let finished = Finished {
            n: self.n,
            mean: self.mean,
            squared_error: self.sum_of_squares / (n - 1.0) / n,
            iterates: std::mem::take(&mut self.iterates),
        };
        let length = (self.length as f64 * window.growth).ceil() as usize;
        let earlier = self.last.take();
        *self = Self::after(Some(finished), length);
        earlier.zip(self.last.as_ref())
    }

    /// The mean of the iterates of the last finished window, or of the unfinished first one.
    pub(crate) fn average(&self) -> &Array1<f64> {
        self.last.as_ref().map_or(&self.iterates, |finished| &finished.iterates)
    }
}

impl Finished {
    /// This window against an earlier one, both by the estimates that the iterations made.
    pub(crate) fn against(&self, earlier: &Self) -> WindowComparison {
        WindowComparison {
            n_iterations: self.n,
            mean: self.mean,
            improvement: self.mean - earlier.mean,
            mcse: (self.squared_error + earlier.squared_error).sqrt(),
        }
    }

    /// This window against an earlier one, both by the averages of their iterates.
    pub(crate) fn with_averages(&self, comparison: ElboComparison) -> WindowComparison {
        WindowComparison {
            n_iterations: self.n,
            mean: comparison.later.value,
            improvement: comparison.improvement,
            mcse: comparison.mcse,
        }
    }
}

/// Stops when the ELBO has provably stopped moving: the interval of two standard errors around the improvement
/// from one window to the next lies inside the tolerance.
///
/// ```text
/// |improvement| + 2·mcse ≤ max(absolute, relative·|mean|)
/// ```
/// Noise can only delay the stop and never bring it about: a run whose noise hides the progress uses its
/// budget up and is reported as not converged. An improvement larger than the tolerance passes one comparison
/// with probability at most 2.3 %. A fall of the ELBO is no convergence either.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ElboPlateau {
    /// Tolerance in nats per window; by default 0.05.
    pub absolute: f64,
    /// Tolerance as a fraction of the mean ELBO of the window; by default 0.
    pub relative: f64,
}

impl Default for ElboPlateau {
    fn default() -> Self {
        Self { absolute: 0.05, relative: 0.0 }
    }
}

impl ElboPlateau {
    pub(crate) fn validate(&self) -> Result<(), SgviError> {
        require(self.absolute >= 0.0, "tolerance.absolute", self.absolute, "finite and ≥ 0")?;
        require(self.relative >= 0.0, "tolerance.relative", self.relative, "finite and ≥ 0")
    }
}

impl ElboPlateau {
    pub(crate) fn compare(&self, w: WindowComparison) -> Option<StopReason> {
        let tolerance = self.absolute.max(self.relative * w.mean.abs());
        let error = 2.0 * w.mcse;
        (w.improvement.abs() + error <= tolerance).then(|| StopReason::Converged {
            rule: format!(
                "mean ELBO changed by {:.2e} ± {error:.1e} nats over the last {} iterations (tolerance {tolerance:.1e})",
                w.improvement, w.n_iterations
            ),
        })
    }
}

impl StopRule<SgviInfo> for ElboPlateau {
    fn check(&self, _t: u64, info: &SgviInfo) -> Option<StopReason> {
        self.compare(info.window?)
    }
}
