//! Windows of the ELBO trace, and the stop rule that compares them.

use serde::{Deserialize, Serialize};
use vi_core::{StopReason, StopRule};

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
}

impl Default for Window {
    fn default() -> Self {
        Self { length: 100, growth: 1.25 }
    }
}

impl Window {
    pub(crate) fn validate(&self) -> Result<(), SgviError> {
        require(self.length >= 2, "window.length", self.length as f64, "≥ 2")?;
        require(self.growth >= 1.0, "window.growth", self.growth, "finite and ≥ 1")
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
    /// It comes from the spread of the estimates inside each window, and so counts the wandering and the
    /// progress of the iterates as noise besides the Monte Carlo noise itself.
    pub mcse: f64,
}

/// The running window: a mean and a sum of squared deviations (Welford), and the window before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WindowState {
    length: usize,
    n: usize,
    mean: f64,
    sum_of_squares: f64,
    /// Mean of the window before and the square of its standard error.
    previous: Option<(f64, f64)>,
}

impl WindowState {
    pub(crate) fn new(window: Window) -> Self {
        Self { length: window.length, n: 0, mean: 0.0, sum_of_squares: 0.0, previous: None }
    }

    /// Takes in the next estimate; at the end of the second and every later window, compares it with the one
    /// before.
    pub(crate) fn push(&mut self, window: Window, elbo: f64) -> Option<WindowComparison> {
        self.n += 1;
        let deviation = elbo - self.mean;
        self.mean += deviation / self.n as f64;
        self.sum_of_squares += deviation * (elbo - self.mean);
        if self.n < self.length {
            return None;
        }
        let (n, mean) = (self.n as f64, self.mean);
        let squared_error = self.sum_of_squares / (n - 1.0) / n;
        let comparison = self.previous.map(|(previous, previous_squared_error)| WindowComparison {
            n_iterations: self.n,
            mean,
            improvement: mean - previous,
            mcse: (squared_error + previous_squared_error).sqrt(),
        });
        let length = (self.length as f64 * window.growth).ceil() as usize;
        *self = Self { length, n: 0, mean: 0.0, sum_of_squares: 0.0, previous: Some((mean, squared_error)) };
        comparison
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
