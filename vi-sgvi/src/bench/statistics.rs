//! Intervals and tests.

use rand::RngExt;
use vi_core::{StreamKey, quantile_sorted};
use vi_families::special::{inverse_regularized_beta, regularized_beta};

use super::report::Interval;

/// The probability that |T| exceeds `t` for Student's T with `dof` degrees of freedom.
///
/// ```text
/// P(|T| > t) = I_{ν/(ν + t²)}(ν/2, 1/2)
/// ```
pub(super) fn student_t_two_sided(t: f64, dof: f64) -> f64 {
    if !t.is_finite() {
        return if t.is_nan() { f64::NAN } else { 0.0 };
    }
    regularized_beta(0.5 * dof, 0.5, dof / (dof + t * t))
}

/// The t that |T| exceeds with probability `p`.
pub(super) fn student_t_limit(p: f64, dof: f64) -> f64 {
    let x = inverse_regularized_beta(0.5 * dof, 0.5, p);
    (dof * (1.0 - x) / x).sqrt()
}

/// The |z| beyond which one of `n_tests` z-scores from `n_replicates` replicates is significant at `level`
/// (Bonferroni).
pub fn z_limit(level: f64, n_tests: f64, n_replicates: u64) -> f64 {
    student_t_limit(level / n_tests, n_replicates as f64 - 1.0)
}

/// Mean and unbiased variance.
pub(super) fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0))
}

/// The third moment of values of mean zero, in units of their standard deviation; 0 without spread.
pub(super) fn skewness(centred: impl Iterator<Item = f64>) -> f64 {
    let (mut n, mut squares, mut cubes) = (0.0, 0.0, 0.0);
    for v in centred {
        n += 1.0;
        squares += v * v;
        cubes += v * v * v;
    }
    let scale: f64 = squares / n;
    if scale > 0.0 { cubes / n / scale.powf(1.5) } else { 0.0 }
}

/// How much further out than `limit` a mean of `n` skewed values over its standard error may be by chance.
///
/// ```text
/// |γ| (2z² + 1) / (6√n)
/// ```
/// Large values that are rare are missing in most samples, in the mean and in its standard error alike.
///
/// Source: the Edgeworth expansion of Student's t, Hall 1992, The bootstrap and Edgeworth expansion, §2.6.
pub(super) fn reach_of_skewness(skewness: f64, limit: f64, n: f64) -> f64 {
    skewness.abs() * (2.0 * limit * limit + 1.0) / (6.0 * n.sqrt())
}

/// The mean with the interval that leaves out `level`, and the probability of a mean so far from zero.
pub(super) fn student_t_test(values: &[f64], level: f64) -> (Interval, f64) {
    let (mean, variance) = moments(values);
    around(mean, (variance / values.len() as f64).sqrt(), values.len() as f64 - 1.0, level)
}

/// An estimate with its standard error: the interval that leaves out `level`, and the two-sided p of zero.
pub(super) fn around(value: f64, se: f64, dof: f64, level: f64) -> (Interval, f64) {
    let reach = student_t_limit(level, dof) * se;
    let p = if value == 0.0 { 1.0 } else { student_t_two_sided((value / se).abs(), dof) };
    (Interval { value, lower: value - reach, upper: value + reach }, p)
}

/// Probabilities of several tests adjusted so that the chance of any wrong rejection stays below the level.
///
/// Source: Holm 1979.
pub(super) fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let (mut adjusted, mut largest) = (vec![0.0; p.len()], 0.0_f64);
    for (rank, i) in order.into_iter().enumerate() {
        largest = largest.max(((p.len() - rank) as f64 * p[i]).min(1.0));
        adjusted[i] = largest;
    }
    adjusted
}

/// How often each replicate occurs in each resample: the same for all candidates.
#[derive(Debug)]
pub(super) struct Resamples {
    n: usize,
    /// Resample after resample.
    counts: Vec<f64>,
}

impl Resamples {
    pub(super) fn new(n: usize, n_resamples: usize, key: StreamKey) -> Self {
        let mut counts = vec![0.0; n * n_resamples];
        for (b, counts) in counts.chunks_mut(n).enumerate() {
            let mut rng = key.rng(b as u64);
            for _ in 0..n {
                counts[rng.random_range(0..n)] += 1.0;
            }
        }
        Self { n, counts }
    }

    /// Calls `f` with mean and variance of `centred` values (mean zero) in every resample.
    pub(super) fn for_each(&self, centred: &[f64], mut f: impl FnMut(usize, f64, f64)) {
        let n = self.n as f64;
        for (b, counts) in self.counts.chunks(self.n).enumerate() {
            let (mut sum, mut squares) = (0.0, 0.0);
            for (c, v) in counts.iter().zip(centred) {
                sum += c * v;
                squares += c * v * v;
            }
            f(b, sum / n, ((squares - sum * sum / n) / (n - 1.0)).max(0.0));
        }
    }

    pub(super) fn n_resamples(&self) -> usize {
        self.counts.len() / self.n
    }
}

/// The interval between the quantiles of the resampled values.
pub(super) fn percentiles(value: f64, resampled: &mut [f64], level: f64) -> Interval {
    resampled.sort_by(f64::total_cmp);
    let lower = quantile_sorted(resampled, 0.5 * level);
    let upper = quantile_sorted(resampled, 1.0 - 0.5 * level);
    Interval { value, lower, upper }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_t_agrees_with_its_table() {
        // Fisher & Yates, table III: ν = 1, 7, 30.
        for (dof, p, t) in
            [(1.0, 0.05, 12.706_204_736), (7.0, 0.05, 2.364_624_252), (30.0, 0.01, 2.749_995_654)]
        {
            approx::assert_relative_eq!(student_t_limit(p, dof), t, max_relative = 1e-8);
            approx::assert_relative_eq!(student_t_two_sided(t, dof), p, max_relative = 1e-8);
        }
    }

    #[test]
    fn holm_is_monotone_and_no_milder_than_the_largest() {
        assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005]), vec![0.03, 0.06, 0.06, 0.02]);
        assert_eq!(holm(&[0.9, 0.8]), vec![1.0, 1.0]);
    }

    /// Means of 200 lognormal values (σ = 1.5), 4000 of them: beyond the limit of level 1e-3 lie far more than the level says,
    /// because the tail is missing in most samples; beyond the one that skewness extends lie a third of them.
    #[test]
    fn skewed_means_are_judged_by_a_wider_limit() {
        let (n, n_means, level) = (200, 4000, 1e-3);
        let limit = student_t_limit(level, f64::from(n) - 1.0);
        let mean = (0.5 * 1.5_f64 * 1.5).exp();
        let (mut plain, mut wider) = (0, 0);
        for m in 0..n_means {
            let mut rng = StreamKey::from_seed(7).rng(m);
            let mut normal =
                || rand_distr::Distribution::<f64>::sample(&rand_distr::StandardNormal, &mut rng);
            let values: Vec<f64> = (0..n).map(|_| (1.5 * normal()).exp()).collect();
            let (m, variance) = moments(&values);
            let z = (m - mean) / (variance / f64::from(n)).sqrt();
            let reach = reach_of_skewness(skewness(values.iter().map(|v| v - m)), limit, f64::from(n));
            plain += u32::from(z.abs() > limit);
            wider += u32::from(z.abs() > limit + reach);
        }
        assert!(plain > 100, "{plain} of {n_means}: 4 are expected of symmetric values");
        assert!(wider * 3 < plain, "{wider} of {n_means}, {plain} by the plain limit");
        assert_eq!(skewness([1.0, -1.0, 2.0, -2.0].into_iter()), 0.0);
    }

    #[test]
    fn no_difference_is_not_significant_and_a_constant_one_is() {
        assert_eq!(student_t_test(&[0.0, 0.0, 0.0], 0.05).1, 1.0);
        assert_eq!(student_t_test(&[0.5, 0.5, 0.5], 0.05).1, 0.0);
    }
}
