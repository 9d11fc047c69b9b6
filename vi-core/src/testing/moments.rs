//! Monte Carlo means with their errors, and the bound that the statistical checks use.

/// A correct implementation exceeds this many standard errors with probability 6·10⁻⁷ per comparison.
pub(super) const SIGMAS: f64 = 5.0;

/// Mean and Monte Carlo standard error of what was pushed (Welford 1962).
#[derive(Clone, Copy, Debug, Default)]
pub struct Moments {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Takes in one value.
    pub fn push(&mut self, x: f64) {
        self.n += 1.0;
        let d = x - self.mean;
        self.mean += d / self.n;
        self.squares += d * (x - self.mean);
    }

    /// The mean; 0 before the first value.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The Monte Carlo standard error of the mean, for independent values; NaN for fewer than two.
    pub fn mcse(&self) -> f64 {
        (self.squares / (self.n - 1.0) / self.n).sqrt()
    }

    /// Events of probability p that no one of n draws met: p ≤ 14/n but for one key in 10⁶. They add up to
    /// p (1 − log p) to an entropy, and to p to the mean of what lies between 0 and 1.
    fn unseen(&self) -> f64 {
        let p = 14.0 / self.n;
        p * (1.0 - p.ln())
    }

    /// Whether the mean lies within [`SIGMAS`] standard errors of `expected`, unseen events and rounding allowed
    /// for.
    pub(super) fn agrees(&self, expected: f64) -> bool {
        let rounding = 1e-9 * (1.0 + expected.abs());
        (self.mean - expected).abs() <= SIGMAS * self.mcse() + self.unseen() + rounding
    }

    /// The same without allowance for unseen events: for means of values that vary little.
    pub(super) fn agrees_closely(&self, expected: f64) -> bool {
        (self.mean - expected).abs() <= SIGMAS * self.mcse() + 1e-9 * (1.0 + expected.abs())
    }
}

/// Whether two means of values between 0 and 1 agree within [`SIGMAS`] standard errors, unseen events allowed for.
pub(super) fn agree(a: Moments, b: Moments) -> bool {
    let unseen = (14.0 / a.n).max(14.0 / b.n);
    (a.mean - b.mean).abs() <= SIGMAS * a.mcse().hypot(b.mcse()) + unseen
}

impl std::fmt::Display for Moments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ± {}", self.mean, self.mcse())
    }
}
