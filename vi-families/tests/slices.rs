//! Slice forms against the scalar ones, on every instruction set of this CPU.

use ndarray::{Array2, ShapeBuilder};
use rand::Rng;
use vi_core::StreamKey;
use vi_core::numerics::on_each_level;
use vi_families::{
    Beta, Categorical, ChiSquared, Dirichlet, Exponential, ExponentialFamily, Gamma, Gaussian, HalfNormal,
    InverseGamma, Laplace, LogNormal, LogProbSlice, Rayleigh, SampleSlice, Weibull,
};

/// Ends of blocks, and none at all.
const LENGTHS: [usize; 7] = [0, 1, 31, 32, 33, 64, 1000];

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
fn spread(n: usize, from: f64, to: f64) -> Vec<f64> {
    (0..n).map(|i| (from + (to - from) * (i as f64 * 0.618_033_988_749_894_9).fract()).exp2()).collect()
}

/// Equal infinities and NaN alike, finite values within 1e-14 of `size`.
fn assert_close(what: &str, value: f64, expected: f64, size: f64) {
    let close = (value - expected).abs() <= 1e-14 * size.abs().max(expected.abs());
    let same = value == expected || (value.is_nan() && expected.is_nan());
    assert!(close || same, "{what}: {value:e}, not {expected:e}");
}

/// `size` is the largest term of the density at z.
fn check_log_prob<F: LogProbSlice + ExponentialFamily<Value = f64>>(
    member: &F,
    values: &[f64],
    size: impl Fn(f64) -> f64,
) {
    for n in LENGTHS {
        // Once in ordinary blocks only, once with garbage in between.
        for garbage in [false, true] {
            let mut z = values[..n].to_vec();
            if garbage {
                z.iter_mut().step_by(5).zip(GARBAGE.iter().cycle()).for_each(|(z, g)| *z = *g);
            }
            let mut out = vec![f64::NAN; n];
            on_each_level(|level| {
                member.log_prob_slice(&z, &mut out);
                for (z, out) in z.iter().zip(&out) {
                    let what = format!("{} on {level}, {z:e} of {n} values, {member:?}", F::NAME);
                    assert_close(&what, *out, member.log_prob(z), size(*z));
                }
            });
        }
    }
}

#[test]
fn log_prob_of_families_on_the_positive_numbers() {
    let z = spread(1000, -20.0, 12.0);
    for (a, b) in [(0.3, 2.0), (1.0, 1.0), (2.5, 0.125), (80.0, 40.0), (1e5, 1e3), (1e-4, 1e-4)] {
        let gamma = Gamma::from_shape_rate(a, b).unwrap();
        let constant = gamma.log_partition().abs();
        check_log_prob(&gamma, &z, |z| ((a + 1.0) * z.abs().ln()).abs() + b * z.abs() + constant);
        let inverse = InverseGamma::from_shape_scale(a, b).unwrap();
        let constant = inverse.log_partition().abs();
        check_log_prob(&inverse, &z, |z| ((a + 2.0) * z.abs().ln()).abs() + b / z.abs() + constant);
        let chi_squared = ChiSquared::from_dof(a).unwrap();
        check_log_prob(&chi_squared, &z, |z| (a + 2.0) * (z.abs().ln().abs() + a.ln().abs() + 2.0) + z.abs());
        let log_normal = LogNormal::from_log_mean_log_precision(a.ln(), b).unwrap();
        let square = |z: f64| 1.0 + z.abs().ln().powi(2) + a.ln().powi(2);
        check_log_prob(&log_normal, &z, |z| (1.0 + b) * square(z));
        check_log_prob(&Exponential::from_rate(b).unwrap(), &z, |z| b * z.abs() + b.ln().abs());
    }
}

#[test]
fn log_prob_of_families_on_the_line_and_on_the_interval() {
    let positive = spread(1000, -20.0, 12.0);
    let line: Vec<f64> = positive.iter().enumerate().map(|(i, z)| if i % 2 == 0 { *z } else { -z }).collect();
    for (mean, precision) in [(0.0, 1.0), (-3.5, 0.01), (1e6, 4.0), (0.25, 1e8)] {
        let gaussian = Gaussian::from_mean_precision(mean, precision).unwrap();
        check_log_prob(&gaussian, &line, |z| 20.0 + precision * (z.abs() + mean.abs()).powi(2));
    }
    let unit: Vec<f64> = positive.iter().map(|z| z / (1.0 + z)).collect();
    for (alpha, beta) in [(0.3, 2.0), (1.0, 1.0), (2.5, 0.125), (80.0, 1e4), (1e5, 1e5)] {
        let member = Beta::from_alpha_beta(alpha, beta).unwrap();
        let constant = member.log_partition().abs();
        let size = |z: f64| (alpha + 1.0) * z.ln().abs() + (beta + 1.0) * (-z).ln_1p().abs() + constant;
        check_log_prob(&member, &unit, size);
    }
}

/// Every parameter pair of a grid that spans the domain, some of them beside 5, where the forms of log Γ meet.
fn parameter_pairs() -> (Vec<f64>, Vec<f64>) {
    let some = [1e-6, 0.01, 0.5, 1.0, 1.5, 2.0, 4.999, 5.0, 5.001, 30.0, 1e3, 1e7, 1e12];
    some.iter().flat_map(|a| some.iter().map(|b| (*a, *b))).unzip()
}

#[test]
fn parameters_of_their_own() {
    let (a, b) = parameter_pairs();
    let n = a.len();
    let z = spread(n, -6.0, 6.0);
    let (mut first, mut second, mut entropy) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let mut log_prob = vec![0.0; n];
    on_each_level(|level| {
        Gamma::log_prob_each(&a, &b, &z, &mut log_prob);
        Gamma::mean_params_each(&a, &b, &mut first, &mut second);
        for i in 0..n {
            let (a, b, z) = (a[i], b[i], z[i]);
            let (member, what) =
                (Gamma::from_shape_rate(a, b).unwrap(), format!("Gamma({a}, {b}) on {level}"));
            let size = (a + 1.0) * (z.ln().abs() + b.ln().abs() + a.ln().abs() + 2.0) + b * z;
            assert_close(&what, log_prob[i], member.log_prob(&z), size);
            let mu = member.mean_params();
            assert_close(&what, first[i], mu[0], 1.0 / a + a.ln().abs() + b.ln().abs());
            assert_close(&what, second[i], mu[1], 0.0);
        }
        InverseGamma::mean_params_each(&a, &b, &mut first, &mut second);
        for i in 0..n {
            let (a, b) = (a[i], b[i]);
            let (mu, what) = (
                InverseGamma::from_shape_scale(a, b).unwrap().mean_params(),
                format!("InverseGamma({a}, {b}) on {level}"),
            );
            assert_close(&what, first[i], mu[0], 1.0 / a + a.ln().abs() + b.ln().abs());
            assert_close(&what, second[i], mu[1], 0.0);
        }
        Gaussian::log_prob_each(&z, &b, &a, &mut log_prob);
        Gaussian::expected_square_each(&a, &b, &mut second);
        Gaussian::entropy_each(&b, &mut entropy);
        for i in 0..n {
            let what = format!("Gaussian on {level}");
            let own = Gaussian::from_mean_precision(z[i], b[i]).unwrap();
            assert_close(&what, log_prob[i], own.log_prob(&a[i]), 40.0);
            assert_close(&what, entropy[i], own.entropy(), 20.0);
            let own = Gaussian::from_mean_precision(a[i], b[i]).unwrap();
            assert_close(&what, second[i], own.expected_square(), 0.0);
        }
        Beta::mean_params_each(&a, &b, &mut first, &mut second);
        for i in 0..n {
            let (a, b) = (a[i], b[i]);
            let (mu, what) =
                (Beta::from_alpha_beta(a, b).unwrap().mean_params(), format!("Beta({a}, {b}) on {level}"));
            let total = (a + b).ln().abs() + 1.0 / (a + b);
            assert_close(&what, first[i], mu[0], total + a.ln().abs() + 1.0 / a);
            assert_close(&what, second[i], mu[1], total + b.ln().abs() + 1.0 / b);
        }
    });
}

/// Entropies by mpmath with 60 digits, for small and for huge parameters, where the formula as it stands cancels:
/// `a - log(b) + loggamma(a) + (1 - a)*psi(0, a)`, `a + log(b) + loggamma(a) - (1 + a)*psi(0, a)`,
/// `log(beta(a, b)) - (a-1)*psi(0, a) - (b-1)*psi(0, b) + (a+b-2)*psi(0, a+b)`.
#[rustfmt::skip]
const ENTROPIES: [(f64, f64, f64, f64, f64); 8] = [
    (1e-05, 2.0, -99988.75741093134, 100013.78328186112, -99988.48705808586),
    (0.3, 0.7, -0.6992940167832852, 5.592404539739516, -0.8838931153981986),
    (1.0, 1.0, 1.0, 2.1544313298030655, 0.0),
    (2.5, 3.25, 0.5512929131634082, 1.502289624556214, -0.26520685440714725),
    (6.0, 4.0, 0.870609039503153, 0.2309624248793333, -0.5074969029920036),
    (120.5, 1000.0, -3.0957638664631073, 1.1447574189703638, -3.266015956171007),
    (1000000.0, 2000000.0, -6.181964259670826, -4.795668898550769, -6.790161810721964),
    (1000000000000.0, 30000000000.0, -8.890014127439953, -15.903129922078916, -14.194189176792545),
];

#[test]
fn entropies_agree_with_the_table() {
    let column = |pick: fn(&(f64, f64, f64, f64, f64)) -> f64| ENTROPIES.iter().map(pick).collect::<Vec<_>>();
    let (a, b) = (column(|row| row.0), column(|row| row.1));
    let mut out = vec![0.0; a.len()];
    type Entropy = fn(&[f64], &[f64], &mut [f64]);
    let cases: [(&str, Entropy, Vec<f64>); 3] = [
        ("Gamma", Gamma::entropy_each, column(|row| row.2)),
        ("InverseGamma", InverseGamma::entropy_each, column(|row| row.3)),
        ("Beta", Beta::entropy_each, column(|row| row.4)),
    ];
    on_each_level(|level| {
        for (name, entropy, exact) in &cases {
            entropy(&a, &b, &mut out);
            for i in 0..a.len() {
                let size = 1.0 + a[i].ln().abs() + b[i].ln().abs();
                assert_close(&format!("{name}({}, {}) on {level}", a[i], b[i]), out[i], exact[i], size);
            }
        }
    });
}

#[test]
fn invalid_parameters_give_nan() {
    let valid = [f64::MIN_POSITIVE, 1.0, f64::MAX, 1e300];
    let bad: Vec<f64> = GARBAGE.iter().copied().filter(|g| !(*g > 0.0 && g.is_finite())).collect();
    let n = bad.len();
    on_each_level(|level| {
        for other in valid {
            let other = vec![other; n];
            for (a, b) in [(&bad, &other), (&other, &bad)] {
                let mut out = vec![vec![0.0; n]; 10];
                let [o0, o1, o2, o3, o4, o5, o6, o7, o8, o9] = out.as_mut_slice() else { unreachable!() };
                Gamma::log_prob_each(a, b, &vec![1.0; n], o0);
                Gamma::mean_params_each(a, b, o1, o2);
                Gamma::entropy_each(a, b, o3);
                InverseGamma::mean_params_each(a, b, o4, o5);
                InverseGamma::entropy_each(a, b, o6);
                Beta::mean_params_each(a, b, o7, o8);
                Beta::entropy_each(a, b, o9);
                assert!(out.iter().flatten().all(|v| v.is_nan()), "{level}: {out:?}");
            }
        }
        let mut out = vec![0.0; n];
        Gaussian::entropy_each(&bad, &mut out);
        assert!(out.iter().all(|v| v.is_nan()), "{level}: {out:?}");
    });
}

#[test]
fn rows_of_dirichlets() {
    for (rows, columns) in [(0, 3), (1, 1), (5, 2), (70, 100), (33, 7)] {
        let values = spread(rows * columns, -10.0, 12.0);
        let concentrations = Array2::from_shape_vec((rows, columns), values).unwrap();
        let mut columns_first = Array2::zeros((rows, columns).f());
        columns_first.assign(&concentrations);
        on_each_level(|level| {
            let (mut out, mut other) = (concentrations.clone(), Array2::zeros((rows, columns).f()));
            Dirichlet::expected_log_rows(&concentrations, &mut out);
            Dirichlet::expected_log_rows(&columns_first, &mut other);
            for ((alpha, out), other) in concentrations.rows().into_iter().zip(out.rows()).zip(other.rows()) {
                if columns < 2 {
                    assert!(out.iter().all(|v| *v == 0.0), "one category has the probability 1");
                    continue;
                }
                let exact = Dirichlet::from_concentration(&alpha).unwrap().expected_log();
                for k in 0..columns {
                    let what = format!("row of {columns} on {level}");
                    let size = 1.0 / alpha[k] + alpha[k].ln().abs() + alpha.sum().ln().abs() + 1.0;
                    assert_close(&what, out[k], exact[k], size);
                    assert_close(&what, other[k], exact[k], size);
                }
            }
        });
    }
}

/// The slice holds the draws one by one, and the stream goes on from the same place.
fn check_sample<F: SampleSlice>(member: &F) {
    for n in LENGTHS.into_iter().chain([255, 256, 257, 5000]) {
        let key = StreamKey::from_seed(5);
        let (mut bulk, mut single) = (key.rng(n as u64), key.rng(n as u64));
        let mut out = vec![f64::NAN; n];
        member.sample_slice(&mut bulk, &mut out);
        for out in &out {
            assert_eq!(
                out.to_bits(),
                member.sample(&mut single).to_bits(),
                "{} {member:?}, {n} draws",
                F::NAME
            );
        }
        assert_eq!(bulk.next_u64(), single.next_u64(), "{} {member:?}: the stream after {n} draws", F::NAME);
    }
}

#[test]
fn draws_are_those_one_by_one() {
    check_sample(&Gaussian::from_mean_precision(-2.0, 0.3).unwrap());
    check_sample(&Exponential::from_rate(2.5).unwrap());
    for shape in [1e-3, 0.5, 1.0, 1.001, 2.0, 50.0, 1e6] {
        check_sample(&Gamma::from_shape_rate(shape, 3.0).unwrap());
        check_sample(&InverseGamma::from_shape_scale(shape, 3.0).unwrap());
        check_sample(&ChiSquared::from_dof(shape).unwrap());
        check_sample(&Beta::from_alpha_beta(shape, 2.0).unwrap());
    }
    check_sample(&LogNormal::from_log_mean_log_precision(0.1, 2.0).unwrap());
    check_sample(&HalfNormal::from_scale(3.0).unwrap());
    check_sample(&Laplace::from_location_scale(1.0, 0.5).unwrap());
    check_sample(&Weibull::from_shape_scale(1.5, 2.0).unwrap());
    check_sample(&Rayleigh::from_scale(2.0).unwrap());
}

#[test]
#[should_panic(expected = "differ in length")]
fn lengths_must_agree() {
    Gamma::from_shape_rate(1.0, 1.0).unwrap().log_prob_slice(&[1.0, 2.0], &mut [0.0]);
}

#[test]
#[should_panic(expected = "differ in length")]
fn lengths_must_agree_value_by_value() {
    Categorical::from_logits(&ndarray::array![0.0, 1.0]).unwrap().log_prob_slice(&[1], &mut []);
}
