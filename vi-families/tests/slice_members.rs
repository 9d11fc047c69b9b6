//! `log_prob_each`, `mean_params_each` and `entropy_each`, where every value has a member of its own, against the
//! members themselves, on every instruction set of this CPU.

use vi_core::numerics::on_each_level;
use vi_families::{
    Bernoulli, Beta, Binomial, ChiSquared, ContinuousBernoulli, Exponential, ExponentialFamily, FamilyError,
    Geometric, HalfNormal, InverseGamma, InverseGaussian, Laplace, LogNormal, NegativeBinomial, Pareto,
    Poisson, Rayleigh, VonMises, Weibull,
};

const EXTREMES: [f64; 12] = [1e-300, 1e-100, 1e-10, 0.01, 0.3, 1.0, 1.5, 4.999, 5.001, 37.0, 1e7, 1e100];

/// No parameter of any family that has to be finite and positive.
const BAD: [f64; 5] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0];

/// Equal infinities and NaN alike, finite values within 1e-14 of `size`.
fn assert_close(what: &str, value: f64, expected: f64, size: f64) {
    let close = (value - expected).abs() <= 1e-14 * size.abs().max(expected.abs());
    let same = value == expected || (value.is_nan() && expected.is_nan());
    assert!(close || same, "{what}: {value:e}, not {expected:e}");
}

/// All pairs of two lists, and a value of a third for each.
fn grid<Z: Copy>(a: &[f64], b: &[f64], z: &[Z]) -> (Vec<f64>, Vec<f64>, Vec<Z>) {
    let all = a.iter().flat_map(|a| b.iter().flat_map(move |b| z.iter().map(move |z| (*a, *b, *z))));
    let (mut first, mut second, mut third) = (Vec::new(), Vec::new(), Vec::new());
    for (a, b, z) in all {
        first.push(a);
        second.push(b);
        third.push(z);
    }
    (first, second, third)
}

type Densities<Z> = fn(&[f64], &[f64], &[Z], &mut [f64]);
type Means = fn(&[f64], &[f64], &mut [f64], &mut [f64]);
type Entropies = fn(&[f64], &[f64], &mut [f64]);

/// The slice functions of one family with two parameters; the second one may be idle.
struct Case<F: ExponentialFamily<Value: Sized>> {
    member: fn(f64, f64) -> Result<F, FamilyError>,
    log_prob: Densities<F::Value>,
    /// As many outputs as mean parameters.
    mean_params: Means,
    entropy: Option<Entropies>,
    /// The largest terms of the density, of the mean parameters and of the entropy.
    size: fn(f64, f64, &F::Value) -> f64,
}

impl<F: ExponentialFamily<Value: Copy>> Case<F> {
    fn check(&self, first: &[f64], second: &[f64], values: &[F::Value]) {
        let (a, b, z) = grid(first, second, values);
        let n = z.len();
        let mut out: [Vec<f64>; 4] = std::array::from_fn(|_| vec![0.5; n]);
        on_each_level(|level| {
            let [log_prob, mean, other, entropy] = &mut out;
            (self.log_prob)(&a, &b, &z, log_prob);
            (self.mean_params)(&a, &b, mean, other);
            if let Some(function) = self.entropy {
                function(&a, &b, entropy);
            }
            let mut n_members = 0;
            for i in 0..n {
                // What the family refuses for overflows elsewhere has no member to compare with.
                let Ok(member) = (self.member)(a[i], b[i]) else { continue };
                n_members += 1;
                let what = format!("{member:?} on {level} at {:?}", z[i]);
                let size = (self.size)(a[i], b[i], &z[i]);
                assert_close(&format!("log p, {what}"), log_prob[i], member.log_prob(&z[i]), size);
                let mu = member.mean_params();
                assert_close(&format!("mean, {what}"), mean[i], mu[0], 0.0);
                if mu.len() > 1 {
                    assert_close(&format!("mean, {what}"), other[i], mu[1], 0.0);
                }
                if self.entropy.is_some() {
                    let size = 2.0 + log(a[i]) + log(b[i]);
                    assert_close(&format!("entropy, {what}"), entropy[i], member.entropy(), size);
                }
            }
            assert!(n_members >= n / 4, "{} has only {n_members} of {n} members", F::NAME);
        });
    }

    /// The densities alone.
    fn check_log_prob(&self, first: &[f64], second: &[f64], values: &[F::Value]) {
        let (a, b, z) = grid(first, second, values);
        let mut out = vec![0.5; z.len()];
        on_each_level(|level| {
            (self.log_prob)(&a, &b, &z, &mut out);
            for i in 0..z.len() {
                let member = (self.member)(a[i], b[i]).unwrap();
                let size = (self.size)(a[i], b[i], &z[i]);
                let what = format!("log p, {member:?} on {level} at {:?}", z[i]);
                assert_close(&what, out[i], member.log_prob(&z[i]), size);
            }
        });
    }

    /// NaN for every bad first parameter beside a good second one, and the other way round where there are two.
    fn check_invalid(&self, bad: &[f64], good: (f64, f64), z: F::Value, n_parameters: usize) {
        let n = bad.len();
        for side in 0..n_parameters {
            let (goods_a, goods_b) = (vec![good.0; n], vec![good.1; n]);
            let (a, b) = if side == 0 { (bad, &goods_b[..]) } else { (&goods_a[..], bad) };
            on_each_level(|level| {
                let mut out = vec![0.5; n];
                (self.log_prob)(a, b, &vec![z; n], &mut out);
                assert!(out.iter().all(|v| v.is_nan()), "{} on {level}: {out:?}", F::NAME);
                let mut other = out.clone();
                (self.mean_params)(a, b, &mut out, &mut other);
                assert!(out.iter().all(|v| v.is_nan()), "{} on {level}: {out:?}", F::NAME);
                if let Some(entropy) = self.entropy {
                    entropy(a, b, &mut out);
                    assert!(out.iter().all(|v| v.is_nan()), "{} on {level}: {out:?}", F::NAME);
                }
            });
        }
    }
}

/// Of families with one parameter and one mean parameter.
macro_rules! one {
    ($family:ident, $member:expr, $size:expr) => {
        Case::<$family> {
            member: |a, _| $member(a),
            log_prob: |a, _, z, out| $family::log_prob_each(a, z, out),
            mean_params: |a, _, mean, _| $family::mean_params_each(a, mean),
            entropy: Some(|a, _, out| $family::entropy_each(a, out)),
            size: $size,
        }
    };
}

/// Of families with two parameters and one mean parameter.
macro_rules! two {
    ($family:ident, $member:expr, $size:expr) => {
        Case::<$family> {
            member: $member,
            log_prob: $family::log_prob_each,
            mean_params: |a, b, mean, _| $family::mean_params_each(a, b, mean),
            entropy: Some($family::entropy_each),
            size: $size,
        }
    };
}

const POINTS: [f64; 13] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    -0.0,
    -1.0,
    5e-324,
    1e-200,
    1e-3,
    0.7,
    1.0,
    80.0,
    1e200,
];

fn log(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.abs().ln().abs() }
}

#[test]
fn positive_families_with_one_parameter() {
    let case = one!(Exponential, Exponential::from_rate, |a, _, z| log(a) + a * z);
    case.check(&EXTREMES, &[1.0], &POINTS);
    case.check_invalid(&BAD, (1.0, 1.0), 1.0, 1);
    let case = one!(ChiSquared, ChiSquared::from_dof, |a, _, z| (a + 2.0) * (log(*z) + log(a) + 2.0) + z);
    case.check(&EXTREMES, &[1.0], &POINTS);
    case.check_invalid(&BAD, (1.0, 1.0), 1.0, 1);
    let case = one!(HalfNormal, HalfNormal::from_scale, |a, _, z| 1.0 + 2.0 * log(a) + (z / a).powi(2));
    case.check(&EXTREMES, &[1.0], &POINTS);
    case.check_invalid(&BAD, (1.0, 1.0), 1.0, 1);
    let case = one!(Rayleigh, Rayleigh::from_scale, |a, _, z| 2.0 * log(a) + log(*z) + (z / a).powi(2));
    case.check(&EXTREMES, &[1.0], &POINTS);
    case.check_invalid(&BAD, (1.0, 1.0), 1.0, 1);
}

#[test]
fn positive_families_with_two_parameters() {
    let case = Case::<InverseGaussian> {
        member: InverseGaussian::from_mean_shape,
        log_prob: InverseGaussian::log_prob_each,
        mean_params: InverseGaussian::mean_params_each,
        entropy: None,
        size: |_, b, z| 2.0 + log(b) + 1.5 * log(*z),
    };
    case.check(&EXTREMES, &EXTREMES, &POINTS);
    case.check_invalid(&BAD, (1.0, 1.0), 1.0, 2);
    let case = Case::<LogNormal> {
        member: LogNormal::from_log_mean_log_precision,
        log_prob: LogNormal::log_prob_each,
        mean_params: LogNormal::mean_params_each,
        entropy: Some(LogNormal::entropy_each),
        size: |a, b, z| 2.0 + log(b) + log(*z) + b * (a * a + log(*z).powi(2)),
    };
    case.check(&[-300.0, -1.0, 0.0, 1e-5, 2.0, 1e5], &EXTREMES, &POINTS);
    case.check_invalid(&BAD[..3], (1.0, 1.0), 1.0, 2);
    let case = two!(Pareto, Pareto::from_minimum_shape, |a, b, z| {
        let far = if *z < 1.9 * a { 0.0 } else { b * (log(*z) + log(a)) };
        2.0 + log(a) + log(b) + log(*z) + far
    });
    case.check(&EXTREMES, &EXTREMES, &POINTS);
    case.check_invalid(&BAD, (1.0, 1.0), 2.0, 2);
    let case = two!(Weibull, Weibull::from_shape_scale, |a, b, z| {
        // The exponential multiplies the error of its argument.
        let argument = 1.0 + a * (log(*z) + log(b));
        argument * (1.0 + (z / b).powf(a)) + log(a) + log(b) + log(*z)
    });
    case.check(&[0.01, 0.3, 1.0, 2.5, 30.0], &[1e-3, 0.3, 1.0, 37.0, 1e3], &POINTS);
    case.check_invalid(&BAD, (1.0, 1.0), 1.0, 2);
}

#[test]
fn inverse_gamma_and_beta() {
    let case = Case::<InverseGamma> {
        member: InverseGamma::from_shape_scale,
        log_prob: InverseGamma::log_prob_each,
        mean_params: InverseGamma::mean_params_each,
        entropy: None,
        size: |a, b, z| (a + 2.0) * (log(*z) + log(a) + log(b) + 2.0) + b / z,
    };
    let shapes = [1e-5, 0.3, 1.0, 4.999, 5.001, 37.0, 1e7];
    case.check_log_prob(&shapes, &shapes, &POINTS);
    case.check_invalid(&BAD, (1.0, 1.0), 1.0, 2);
    let case = Case::<Beta> {
        member: Beta::from_alpha_beta,
        log_prob: Beta::log_prob_each,
        mean_params: Beta::mean_params_each,
        entropy: None,
        size: |a, b, z| {
            let sides = (a + 1.0) * (log(*z) + log(a)) + (b + 1.0) * (log(1.0 - z) + log(b));
            sides + (a + b) * (log(a + b) + 2.0)
        },
    };
    case.check_log_prob(&shapes, &shapes, &[f64::NAN, -0.1, 0.0, 1e-300, 0.2, 0.5, 0.999_999, 1.0, 1.5]);
    case.check_invalid(&BAD, (1.0, 1.0), 0.5, 2);
}

#[test]
fn families_on_the_line_and_on_intervals() {
    let case = two!(Laplace, Laplace::from_location_scale, |a, b, z| 1.0 + log(b) + (z.abs() + a.abs()) / b);
    case.check(&[-1e100, -1.0, 0.0, 1e-200, 0.7, 80.0], &EXTREMES, &POINTS);
    case.check_invalid(&BAD[..3], (1.0, 1.0), 1.0, 2);
    let logits = [0.0, -0.0, 1e-300, 1e-8, -1e-3, 0.5, 1.9999, 2.0, -2.0, 2.0001, 15.0, -700.0, 1e10, -1e150];
    let case = Case::<ContinuousBernoulli> {
        member: |a, _| ContinuousBernoulli::from_logit(a),
        log_prob: |a, _, z, out| ContinuousBernoulli::log_prob_each(a, z, out),
        mean_params: |a, _, mean, _| ContinuousBernoulli::mean_params_each(a, mean),
        entropy: Some(|a, _, out| ContinuousBernoulli::entropy_each(a, out)),
        size: |a, _, _| 1.0 + a.abs().ln_1p(),
    };
    case.check(&logits, &[1.0], &[f64::NAN, -1e-300, 0.0, 1e-200, 0.3, 0.5, 0.999_999, 1.0, 1.000_001]);
    case.check_invalid(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e151], (1.0, 1.0), 0.5, 1);
}

#[test]
fn angles() {
    let case = Case::<VonMises> {
        member: VonMises::from_mean_direction_concentration,
        log_prob: VonMises::log_prob_each,
        mean_params: VonMises::mean_params_each,
        entropy: Some(VonMises::entropy_each),
        size: |mu, kappa, z| 2.0 * kappa * (0.5 * (z - mu)).sin().powi(2) + kappa.ln_1p() + 3.0,
    };
    let concentrations =
        [0.0, 1e-300, 1e-9, 0.1, 1.0, 3.0, 10.0, 15.0, 19.999, 20.0, 20.001, 75.0, 1e4, 1e9, 1e150];
    let angles = [-3.0, -1.0, 0.0, 1e-200, 0.5, 1.5, 3.0, std::f64::consts::PI];
    let points = [f64::NAN, -4.0, -3.1, -1.0, 0.0, 0.5, 0.500_001, 3.0, 3.15, f64::INFINITY];
    case.check(&angles, &concentrations, &points);
    case.check_invalid(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e7], (1.0, 1.0), 1.0, 2);
}

const COUNTS: [u64; 12] = [0, 1, 2, 3, 4, 5, 6, 17, 1000, 123_456_789, 1 << 60, u64::MAX];

/// The terms of a Poisson probability: |k − λ| where they are close.
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
fn truth_values_and_counts() {
    let case = one!(Bernoulli, Bernoulli::from_logit, |_, _, _| 0.0);
    case.check(&[-1e300, -750.0, -36.0, -1.0, -1e-20, 0.0, 0.3, 40.0, 1e10], &[1.0], &[false, true]);
    case.check_invalid(&BAD[..3], (1.0, 1.0), true, 1);
    let case = Case::<Poisson> {
        member: |a, _| Poisson::from_rate(a),
        log_prob: |a, _, z, out| Poisson::log_prob_each(a, z, out),
        mean_params: |a, _, mean, _| Poisson::mean_params_each(a, mean),
        entropy: None,
        size: |a, _, z| poisson_size(*z as f64, a, a.ln()),
    };
    case.check(&[1e-310, 1e-5, 0.3, 1.0, 3.0, 4.9, 17.5, 980.0, 1.2e8, 1e18], &[1.0], &COUNTS);
    case.check_invalid(&BAD, (1.0, 1.0), 3, 1);
    let case = one!(Geometric, Geometric::from_probability, |a, _, _| 1.0 + log(a));
    // (1 − π)/π has the digits of π, and log(1 − π) none of 1 − π: the member is built from π as well.
    case.check(&[1e-16, 1e-3, 0.25, 0.5, 0.75, 0.999], &[1.0], &COUNTS);
    case.check_invalid(&[f64::NAN, 0.0, 1.0, 1.5, -0.5], (1.0, 1.0), 3, 1);
    let case = Case::<NegativeBinomial> {
        member: NegativeBinomial::from_probability,
        log_prob: NegativeBinomial::log_prob_each,
        mean_params: |a, b, mean, _| NegativeBinomial::mean_params_each(a, b, mean),
        entropy: None,
        size: |r, p, z| {
            let (n, q) = (*z as f64 + r, 1.0 - p);
            let size = poisson_size(*z as f64, n * q, (n * q).ln()) + poisson_size(r, n * p, (n * p).ln());
            size + n.ln().abs() + r.ln().abs()
        },
    };
    case.check(&[1e-3, 0.5, 1.0, 4.5, 200.0, 1e9], &[1e-6, 0.25, 0.5, 0.75, 0.999], &COUNTS);
    case.check_invalid(&[f64::NAN, 0.0, f64::INFINITY, -0.5], (1.0, 0.5), 3, 2);
}

#[test]
fn binomials() {
    let trials = [1, 2, 7, 1000, 12_345, 123_456_789, 1_000_000_000_000_000_000];
    let logits = [-800.0, -20.0, -1.0, 0.0, 0.3, 5.0, 40.0];
    let (mut n, mut logit, mut z) = (Vec::new(), Vec::new(), Vec::new());
    for n_trials in trials {
        for eta in logits {
            for k in COUNTS.into_iter().chain([n_trials, n_trials - 1, n_trials / 2, n_trials / 4 + 1]) {
                n.push(n_trials);
                logit.push(eta);
                z.push(k);
            }
        }
    }
    let (mut log_prob, mut mean) = (vec![0.5; z.len()], vec![0.5; z.len()]);
    on_each_level(|level| {
        Binomial::log_prob_each(&n, &logit, &z, &mut log_prob);
        Binomial::mean_params_each(&n, &logit, &mut mean);
        for i in 0..z.len() {
            let member = Binomial::from_logit(n[i], logit[i]).unwrap();
            let what = format!("{member:?} on {level} at {}", z[i]);
            let (k, other, n) = (z[i] as f64, n[i].saturating_sub(z[i]) as f64, n[i] as f64);
            let (p, q) = (1.0 / (1.0 + (-logit[i]).exp()), 1.0 / (1.0 + logit[i].exp()));
            let rate = |p: f64, logit: f64| n.ln() + if p > 0.0 { p.ln() } else { logit };
            let size = poisson_size(k, n * p, rate(p, logit[i]))
                + poisson_size(other, n * q, rate(q, -logit[i]))
                + n.ln();
            assert_close(&what, log_prob[i], member.log_prob(&z[i]), size);
            assert_close(&what, mean[i], member.mean_params()[0], 0.0);
        }
        let mut out = [0.5; 3];
        Binomial::log_prob_each(&[0, 3, 3], &[1.0, f64::NAN, f64::INFINITY], &[0, 1, 4], &mut out);
        assert!(out.iter().all(|v| v.is_nan()), "{level}: {out:?}");
        Binomial::mean_params_each(&[0, 3, 3], &[1.0, f64::NAN, f64::INFINITY], &mut out);
        assert!(out.iter().all(|v| v.is_nan()), "{level}: {out:?}");
    });
}

#[test]
#[should_panic(expected = "differ in length")]
fn lengths_of_parameters_must_agree() {
    Poisson::log_prob_each(&[1.0], &[1, 2], &mut [0.0; 2]);
}
