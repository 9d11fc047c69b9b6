//! The exact Pólya-Gamma sampler against closed forms.
//!
//! All draws are seeded. Each comparison is within 5 standard errors: a correct sampler fails one with
//! probability 6e-7 over all seeds, the whole file (about 100 comparisons) with less than 1e-4.

use approx::assert_relative_eq;
use vi_core::StreamKey;
use vi_models::logistic_regression::PolyaGamma;

const N: usize = 20_000;

fn draws(shape: u32, tilt: f64) -> Vec<f64> {
    let key = StreamKey::from_seed(8).fold_in(tilt.to_bits()).fold_in(u64::from(shape));
    let law = PolyaGamma::new(shape, tilt);
    (0..N as u64).map(|i| law.sample(&mut key.rng(i))).collect()
}

fn mean_and_error(x: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let mean = x.clone().sum::<f64>() / N as f64;
    let variance = x.map(|v| (v - mean).powi(2)).sum::<f64>() / (N as f64 - 1.0);
    (mean, (variance / N as f64).sqrt())
}

/// cosh(c/2) / cosh √(c²/4 + s/2) to the power b.
fn laplace(shape: u32, tilt: f64, s: f64) -> f64 {
    ((0.5 * tilt).cosh() / (0.25 * tilt * tilt + 0.5 * s).sqrt().cosh()).powi(shape as i32)
}

/// Tilts on both sides of the switch of the left proposal at |c|/2 = 1/0.64, and a shape that sums.
const CASES: [(u32, f64); 8] =
    [(1, 0.0), (1, 0.5), (1, -2.0), (1, 3.1), (1, 3.2), (1, 8.0), (1, 40.0), (3, 1.0)];

#[test]
fn mean_variance_and_laplace_transform() {
    for (shape, tilt) in CASES {
        let law = PolyaGamma::new(shape, tilt);
        let x = draws(shape, tilt);
        assert!(x.iter().all(|v| *v > 0.0 && v.is_finite()));
        let (mean, error) = mean_and_error(x.iter().copied());
        assert!((mean - law.mean()).abs() < 5.0 * error, "c = {tilt}: mean {mean}, exact {}", law.mean());
        let (variance, error) = mean_and_error(x.iter().map(|v| (v - law.mean()).powi(2)));
        assert!((variance - law.variance()).abs() < 5.0 * error, "c = {tilt}: variance {variance}");
        for s in [0.3, 2.0, 10.0, 60.0] {
            let (value, error) = mean_and_error(x.iter().map(|v| (-s * v).exp()));
            let exact = laplace(shape, tilt, s);
            assert!((value - exact).abs() < 5.0 * error, "c = {tilt}, s = {s}: {value}, exact {exact}");
        }
    }
}

/// The share of draws left of the cut of the two series is where a wrong mixture weight shows.
#[test]
fn distribution_function_of_the_untilted_law() {
    // P(PG(1,0) ≤ x) = 1 − Σ (−1)ⁿ (4/π)/(2n+1) exp(−(n+½)²π² 2x), which converges fast from x = 0.1 on.
    let x = draws(1, 0.0);
    for at in [0.1, 0.16, 0.2, 0.5] {
        let term = |n: u32| {
            let k = f64::from(n) + 0.5;
            let sign = if n.is_multiple_of(2) { 1.0 } else { -1.0 };
            sign * 2.0 / (std::f64::consts::PI * k) * (-2.0 * k * k * std::f64::consts::PI.powi(2) * at).exp()
        };
        let exact = 1.0 - (0..50).map(term).sum::<f64>();
        let share = x.iter().filter(|v| **v <= at).count() as f64 / N as f64;
        let error = (exact * (1.0 - exact) / N as f64).sqrt();
        assert!((share - exact).abs() < 5.0 * error, "P(ω ≤ {at}): {share}, exact {exact}");
    }
}

#[test]
fn moments_are_smooth_where_their_series_take_over() {
    for c in [1e-2, 0.1, 1.0] {
        let (below, above) = (PolyaGamma::new(1, c * (1.0 - 1e-9)), PolyaGamma::new(1, c * (1.0 + 1e-9)));
        assert_relative_eq!(below.mean(), above.mean(), max_relative = 1e-9);
        assert_relative_eq!(below.variance(), above.variance(), max_relative = 1e-7);
    }
    assert_eq!(PolyaGamma::new(2, 0.0).mean(), 0.5);
    assert_relative_eq!(PolyaGamma::new(2, 0.0).variance(), 2.0 / 24.0);
    // Far out the law concentrates: mean 1/(2c), variance 1/(2c³).
    assert_relative_eq!(PolyaGamma::new(1, 1e3).mean(), 5e-4, max_relative = 1e-12);
    assert_relative_eq!(PolyaGamma::new(1, 1e3).variance(), 5e-10, max_relative = 1e-12);
}
