//! The generalized Pareto distribution: fit and quantiles.

/// A generalized Pareto distribution on (0, ∞).
///
/// ```text
/// P(X ≤ x) = 1 − (1 + k x/σ)^(−1/k)
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct GeneralizedPareto {
    pub(crate) shape: f64,
    pub(crate) scale: f64,
}

/// The fit's prior on k counts as this many observations at k = 1/2.
const PRIOR_COUNT: f64 = 10.0;

impl GeneralizedPareto {
    /// Empirical Bayes fit to positive values in ascending order.
    ///
    /// Zhang & Stephens (2009), Technometrics 51(3), with the weakly informative prior on k of Vehtari,
    /// Simpson, Gelman, Yao & Gabry (2024), JMLR 25(72), appendix G. Not finite if the values are degenerate.
    pub(crate) fn fit(x: &[f64]) -> Self {
        let n = x.len() as f64;
        let n_grid = 30 + n.sqrt() as usize;
        let quartile = x[(n / 4.0 + 0.5) as usize - 1];
        let largest = x[x.len() - 1];
        let grid: Vec<f64> = (1..=n_grid)
            .map(|i| (1.0 - (n_grid as f64 / (i as f64 - 0.5)).sqrt()) / (3.0 * quartile) + 1.0 / largest)
            .collect();
        let log_profile: Vec<f64> = grid
            .iter()
            .map(|&theta| {
                let k = mean_log1p(theta, x);
                n * ((-theta / k).ln() - k - 1.0)
            })
            .collect();
        let theta = posterior_mean(&grid, &log_profile);
        let k = mean_log1p(theta, x);
        Self { shape: (n * k + PRIOR_COUNT * 0.5) / (n + PRIOR_COUNT), scale: -k / theta }
    }

    /// The `p` quantile, 0 < p < 1.
    pub(crate) fn quantile(&self, p: f64) -> f64 {
        let exponential = -(-p).ln_1p();
        if self.shape.abs() < f64::EPSILON {
            self.scale * exponential
        } else {
            self.scale * (self.shape * exponential).exp_m1() / self.shape
        }
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.shape.is_finite() && self.scale.is_finite() && self.scale > 0.0
    }
}

/// k(θ) = (1/n) Σ log(1 − θ x_i).
fn mean_log1p(theta: f64, x: &[f64]) -> f64 {
    x.iter().map(|v| (-theta * v).ln_1p()).sum::<f64>() / x.len() as f64
}

/// Σ θ_i w_i with weights proportional to the profile likelihood; negligible weights are dropped.
fn posterior_mean(grid: &[f64], log_profile: &[f64]) -> f64 {
    let weight = |l: f64| 1.0 / log_profile.iter().map(|other| (other - l).exp()).sum::<f64>();
    let weights: Vec<f64> = log_profile.iter().map(|&l| weight(l)).collect();
    let kept = || grid.iter().zip(&weights).filter(|(_, w)| **w >= 10.0 * f64::EPSILON);
    let total: f64 = kept().map(|(_, w)| w).sum();
    kept().map(|(theta, w)| theta * w / total).sum()
}
