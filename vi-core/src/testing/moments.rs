//! Monte Carlo means with their errors, and the bound that the statistical checks use.

/// A correct implementation exceeds this many standard errors with probability 6·10⁻⁷ per comparison.
pub(super) const SIGMAS: f64 = 5.0;

/// Mean and standard error of what was pushed (Welford 1962).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    pub(super) fn push(&mut self, x: f64) {
        self.n += 1.0;
        let d = x - self.mean;
        self.mean += d / self.n;
        self.squares += d * (x - self.mean);
    }

    pub(super) fn mean(&self) -> f64 {
        self.mean
    }

    /// The Monte Carlo standard error of the mean.
    pub(super) fn mcse(&self) -> f64 {
        (self.squares / (self.n - 1.0) / self.n).sqrt()
    }

    /// Whether the mean lies within [`SIGMAS`] standard errors of `expected`, rounding allowed for.
    pub(super) fn agrees(&self, expected: f64, other_mcse: f64) -> bool {
        let rounding = 1e-9 * (1.0 + expected.abs());
        (self.mean - expected).abs() <= SIGMAS * self.mcse().hypot(other_mcse) + rounding
    }
}

impl std::fmt::Display for Moments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ± {}", self.mean(), self.mcse())
    }
}
