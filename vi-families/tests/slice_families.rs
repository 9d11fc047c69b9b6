//! `log_prob_slice` of every family, and categoricals as rows, against the scalar forms, on every instruction set of
//! this CPU.

use ndarray::{Array1, Array2, Axis, ShapeBuilder, s};
use vi_core::numerics::on_each_level;
use vi_families::{
    Bernoulli, Binomial, Categorical, ContinuousBernoulli, ExponentialFamily, Geometric, HalfNormal,
    InverseGaussian, Laplace, LogProbSlice, NegativeBinomial, Pareto, Poisson, Rayleigh, TruncatedGaussian,
    VonMises, Weibull,
};

/// Ends of blocks of lanes and of counts.
const LENGTHS: [usize; 6] = [0, 1, 33, 255, 257, 600];

const GARBAGE: [f64; 14] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    -0.0,
    1.0,
    -1.0,
    5e-324,
    1e-310,
    f64::MIN_POSITIVE,
    f64::MAX,
    f64::MIN,
    1e300,
    -1e-300,
];

/// 2ᵉ with e even on (from, to).
fn spread(from: f64, to: f64) -> Vec<f64> {
    (0..600).map(|i| (from + (to - from) * (f64::from(i) * 0.618_033_988_749_894_9).fract()).exp2()).collect()
}

/// `values` within 1e-14 of `size`, the largest term of the density, from the scalar form.
fn check_values<F: LogProbSlice>(member: &F, values: &[F::Value], size: impl Fn(&F::Value) -> f64)
where
    F::Value: Clone,
{
    for n in LENGTHS {
        let (z, mut out) = (&values[..n.min(values.len())], vec![f64::NAN; n.min(values.len())]);
        on_each_level(|level| {
            member.log_prob_slice(z, &mut out);
            for (z, out) in z.iter().zip(&out) {
                let expected = member.log_prob(z);
                let close = (out - expected).abs() <= 1e-14 * size(z).max(expected.abs());
                let same = *out == expected || (out.is_nan() && expected.is_nan());
                assert!(close || same, "{member:?} on {level} at {z:?}: {out:e}, not {expected:e}");
            }
        });
    }
}

/// The same once with ordinary values only, once with garbage in between.
fn check<F: LogProbSlice + ExponentialFamily<Value = f64>>(
    member: &F,
    values: &[f64],
    size: impl Fn(f64) -> f64,
) {
    check_values(member, values, |z| size(*z));
    let mut mixed = values.to_vec();
    mixed.iter_mut().step_by(5).zip(GARBAGE.iter().cycle()).for_each(|(z, g)| *z = *g);
    check_values(member, &mixed, |z| size(*z));
}

#[test]
fn positive_families() {
    let z = spread(-20.0, 12.0);
    for (a, b) in
        [(0.3, 2.0), (1.0, 1.0), (2.5, 0.125), (80.0, 40.0), (1e5, 1e3), (1e-4, 1e-4), (1e150, 1e-10)]
    {
        let log = |z: f64| z.abs().ln().abs();
        for scale in [a, b] as [f64; 2] {
            let constant = 2.0 * scale.ln().abs() + 1.0;
            let square = |z: f64| (z / scale).powi(2);
            check(&HalfNormal::from_scale(scale).unwrap(), &z, |z| constant + square(z));
            check(&Rayleigh::from_scale(scale).unwrap(), &z, |z| constant + square(z) + log(z));
        }
        if let Ok(member) = InverseGaussian::from_mean_shape(a, b) {
            check(&member, &z, |z| 3.0 + b.ln().abs() + 1.5 * log(z));
        }
        let from: Vec<f64> = z.iter().map(|z| a * (1.0 + z)).collect();
        let pareto = Pareto::from_minimum_shape(a, b).unwrap();
        let size = |z: f64| b.ln().abs() + b * (log(z / a) + 0.01 * log(z) + 0.01 * log(a)) + 1.0 + log(z);
        check(&pareto, &from, size);
        check(&pareto, &z, size);
        if let Ok(member) = Weibull::from_shape_scale(a.min(30.0), b) {
            let shape = member.shape();
            // The exponential multiplies the error of its argument.
            let size = move |z: f64| {
                let argument = shape * (log(z) + log(b)) + 1.0;
                argument * (1.0 + (z / b).powf(shape))
            };
            check(&member, &z, size);
        }
    }
}

#[test]
fn families_on_the_line_and_on_intervals() {
    let positive = spread(-20.0, 12.0);
    let line: Vec<f64> = positive.iter().enumerate().map(|(i, z)| if i % 2 == 0 { *z } else { -z }).collect();
    for (location, scale) in [(0.0f64, 1.0f64), (-3.5, 0.01), (1e6, 4.0), (0.25, 1e8)] {
        let distance = |z: f64| 1.0 + scale.ln().abs() + (z - location).abs() / scale;
        check(&Laplace::from_location_scale(location, scale).unwrap(), &line, distance);
        for (lower, upper) in [(f64::NEG_INFINITY, f64::INFINITY), (0.5, f64::INFINITY), (-1.0, 20.0)] {
            let Ok(member) = TruncatedGaussian::from_location_scale(location, scale, lower, upper) else {
                continue;
            };
            let peak = location.clamp(lower, upper);
            let kappa = (peak - location) / scale;
            let size = |z: f64| {
                let x = (z - peak) / scale;
                (x * kappa).abs() + x * x + scale.ln().abs() + kappa.abs().ln_1p() + 2.0
            };
            check(&member, &line, size);
        }
    }
    let unit: Vec<f64> = positive.iter().map(|z| z / (1.0 + z)).collect();
    for logit in [0.0, 0.7, -0.7, 1e-12, -40.0, 1e5, -1e150] {
        check(&ContinuousBernoulli::from_logit(logit).unwrap(), &unit, |_| 1.0 + logit.abs().ln_1p());
    }
}

#[test]
fn angles() {
    let pi = std::f64::consts::PI;
    let mut angles: Vec<f64> = (0..600).map(|i| pi * (f64::from(i) / 299.5 - 1.0)).collect();
    angles[..4].copy_from_slice(&[pi, -pi, pi.next_up(), -(pi.next_up())]);
    for mean_direction in [0.0, 1.0, pi, -pi, -3.0] {
        angles.extend([mean_direction, f64::next_up(mean_direction), mean_direction * (1.0 - 1e-9)]);
        for concentration in [0.0, 1e-9, 0.5, 30.0, 1e9, 1e150] {
            let member = VonMises::from_mean_direction_concentration(mean_direction, concentration).unwrap();
            let last = angles.iter().rev().take(600).copied().collect::<Vec<_>>();
            // The half angle z − μ is rounded before the sine is taken.
            let size = |z: f64| {
                let half = 0.5 * (z - mean_direction);
                2.0 * concentration * half.sin().powi(2) + concentration.ln_1p() + 3.0
            };
            check(&member, &last, size);
        }
    }
}

/// Small, ordinary and huge counts.
fn counts(largest: u64) -> Vec<u64> {
    let spread = spread(0.0, (largest as f64).log2()).into_iter().map(|z| (z as u64).min(largest));
    (0..20).chain(spread).chain([largest, largest - 1, u64::MAX]).rev().collect()
}

/// k |log k| + k |log λ| + λ, the terms of a Poisson probability, where they are not close; |k − λ| where they are.
fn poisson_size(k: f64, rate: f64, log_rate: f64) -> f64 {
    let difference = (k - rate).abs();
    let rest = 2.0 + (k + 1.0).ln();
    if difference < 0.4 * rate {
        rest + difference
    } else {
        rest + k * (k + 1.0).ln() + k * log_rate.abs() + rate
    }
}

#[test]
fn counts_of_poisson_and_geometric() {
    for rate in [1e-300, 1e-5, 0.3, 1.0, 4.9, 5.0, 37.5, 1e5, 1e12, 1e18] {
        let member = Poisson::from_rate(rate).unwrap();
        let values = counts((4.0 * rate) as u64 + 100);
        check_values(&member, &values, |k| poisson_size(*k as f64, rate, rate.ln()));
    }
    let member = Poisson::from_log_rate(-700.0).unwrap();
    check_values(&member, &counts(100), |k| poisson_size(*k as f64, 0.0, -700.0));
    for probability in [1e-16, 1e-3, 0.5, 0.999] {
        let member = Geometric::from_probability(probability).unwrap();
        check_values(&member, &counts(1 << 50), |_| 1.0 + probability.ln().abs());
    }
}

#[test]
fn counts_of_binomial_and_negative_binomial() {
    for n_trials in [1, 2, 7, 100, 12_345, 1_000_000_000_000_000_000] {
        for logit in [-800.0, -20.0, -1.0, 0.0, 0.3, 5.0, 40.0] {
            let member = Binomial::from_logit(n_trials, logit).unwrap();
            let n = n_trials as f64;
            let (p, q) = (1.0 / (1.0 + (-logit).exp()), 1.0 / (1.0 + logit.exp()));
            let log = |p: f64, logit: f64| n.ln() + if p > 0.0 { p.ln() } else { logit };
            check_values(&member, &counts(n_trials), |k| {
                let (k, other) = (*k as f64, n_trials.saturating_sub(*k) as f64);
                poisson_size(k, n * p, log(p, logit)) + poisson_size(other, n * q, log(q, -logit)) + n.ln()
            });
        }
    }
    for n_successes in [1e-3, 0.5, 1.0, 4.5, 200.0, 1e9] {
        for probability in [1e-6, 0.2, 0.5, 0.999] {
            let member = NegativeBinomial::from_probability(n_successes, probability).unwrap();
            let (r, p, q) = (n_successes, probability, 1.0 - probability);
            check_values(&member, &counts((10.0 * r / p) as u64 + 50), |k| {
                let n = *k as f64 + r;
                let size =
                    poisson_size(*k as f64, n * q, (n * q).ln()) + poisson_size(r, n * p, (n * p).ln());
                size + n.ln().abs() + r.ln().abs()
            });
        }
    }
}

#[test]
fn truth_values_and_categories() {
    let coins: Vec<bool> = (0..600).map(|i| i % 3 == 0).collect();
    for logit in [-700.0, -1.0, 0.0, 30.0] {
        check_values(&Bernoulli::from_logit(logit).unwrap(), &coins, |_| 0.0);
    }
    let categories: Vec<usize> = (0..600).map(|i| i % 7).collect();
    let member = Categorical::from_logits(&ndarray::array![0.1, -3.0, 700.0, 2.0]).unwrap();
    check_values(&member, &categories, |_| 0.0);
}

/// Equal infinities, or within 1e-14 of `size`.
fn assert_close(what: &str, value: f64, expected: f64, size: f64) {
    let close = (value - expected).abs() <= 1e-14 * size.max(expected.abs());
    assert!(close || value == expected, "{what}: {value:e}, not {expected:e}");
}

/// Logits of ordinary and of extreme rows.
fn logits(rows: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, columns), |(n, k)| {
        let unit = ((n * columns + k) as f64 * 0.618_033_988_749_894_9).fract() - 0.5;
        unit * [1.0, 30.0, 1e3, 1e-9, 1e300][n % 5]
    })
}

#[test]
fn rows_of_categories() {
    for (rows, columns) in [(0, 3), (1, 1), (5, 2), (70, 3), (33, 7), (6, 300), (40, 257)] {
        let x = logits(rows, columns);
        let mut columns_first = Array2::zeros((rows, columns).f());
        columns_first.assign(&x);
        let z: Vec<usize> = (0..rows).map(|n| n % (columns + 1)).collect();
        on_each_level(|level| {
            for x in [&x, &columns_first] {
                let (mut log_p, mut p) = (Array2::zeros((rows, columns)), Array2::zeros((rows, columns).f()));
                let (mut entropy, mut log_prob) = (Array1::zeros(rows), vec![0.5; rows]);
                Categorical::log_probabilities_rows(x, &mut log_p);
                Categorical::probabilities_rows(x, &mut p);
                Categorical::entropy_rows(x, &mut entropy);
                Categorical::log_prob_rows(x, &z, &mut log_prob);
                for (n, row) in x.axis_iter(Axis(0)).enumerate() {
                    let member = Categorical::from_logits(&row).unwrap();
                    let what = format!("row {n} of ({rows}, {columns}) on {level}");
                    // The sum is over all categories, in another order.
                    let size = 10.0;
                    assert_close(&what, entropy[n], member.entropy(), size);
                    assert_close(&what, log_prob[n], member.log_prob(&z[n]), size);
                    for k in 0..columns {
                        assert_close(&what, log_p[[n, k]], member.log_probabilities()[k], size);
                        assert_close(&what, p[[n, k]], member.probabilities()[k], 10.0 * p[[n, k]]);
                    }
                }
            }
        });
    }
}

#[test]
fn rows_with_a_logit_that_is_not_finite_are_nan() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut x = logits(40, 9);
        x[[17, 4]] = bad;
        let (mut p, mut entropy, mut log_prob) = (x.clone(), Array1::zeros(40), [0.5; 40]);
        on_each_level(|level| {
            Categorical::probabilities_rows(&x, &mut p);
            Categorical::entropy_rows(&x, &mut entropy);
            Categorical::log_prob_rows(&x, &[9; 40], &mut log_prob);
            assert!(p.row(17).iter().all(|v| v.is_nan()) && entropy[17].is_nan(), "{bad} on {level}");
            assert!(log_prob[17].is_nan() && log_prob[16] == f64::NEG_INFINITY, "{bad} on {level}");
            assert!(p.slice(s![..17, ..]).iter().chain(p.slice(s![18.., ..])).all(|v| v.is_finite()));
        });
    }
}

#[test]
#[should_panic(expected = "differ in length")]
fn lengths_of_counts_must_agree() {
    Poisson::from_rate(1.0).unwrap().log_prob_slice(&[1, 2], &mut [0.0]);
}
