//! Special functions against values of mpmath 1.3 at 40 digits (`tests/reference_values.py`).
#![expect(clippy::excessive_precision, reason = "reference values are typed in as they were printed")]

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "shared by several test binaries, each with its own needs")]
mod common;
mod evaluate;
mod table;

use proptest::prelude::*;
use vi_families::special::*;

/// x, log Γ(x), ψ(x), ψ′(x).
#[rustfmt::skip]
const UNIVARIATE: [(f64, f64, f64, f64); 15] = [
    (1e-100, 230.25850929940456838180725, -9.999999999999999800081002e+99, 9.9999999999999996001620039e+199),
    (1e-5, 11.512919692895825625617308, -100000.57719921567288868095, 10000000001.644908389973778),
    (0.1, 2.252712651734205902006238, -10.423754940411076232100295, 101.43329915079274770465204),
    (0.5, 0.57236494292470008707171368, -1.9635100260214234794409763, 4.9348022005446793094172455),
    (1.0001, -0.000057713342220471268005181042, -0.57705118351433486812138952, 1.6446936879331443530102907),
    (1.3, -0.10817480950786047845916289, -0.16919088886679960526019, 1.1342534349966193011400653),
    (1.75, -0.084401121020485555957786034, 0.24747245354686116370644657, 0.7641018698938287206198851),
    (2.5, 0.28468287047291915963249467, 0.70315664064524318722569033, 0.49035775610023486497280106),
    (3.25, 0.93580193110872535825846752, 1.0169909110681790363549143, 0.35979829030957987507378826),
    (7.75, 8.0254583963159838712002454, 1.98179156269434559723207, 0.13771379144765566054472405),
    (9.999, 12.79957578007741371468892, 2.251647417205735314158332, 0.10517738667672886215299068),
    (10.5, 13.940625219403763633161238, 2.3030010342976863752725936, 0.099916956059126733203944171),
    (47.125, 133.43267683720257414944396, 3.8421560432857300884396505, 0.02144689914082360016958443),
    (1000.5, 5908.6741758486774886838747, 6.9077553206487964270578186, 0.00099999991666669583331026789),
    (1234567.25, 16081752.165629122271050456, 14.026230656779519265718648, 0.00000081000075532566005434540578),
];

/// a, b, log B(a, b).
#[rustfmt::skip]
const BETA: [(f64, f64, f64); 7] = [
    (0.5, 0.25, 1.6571065161914821729608911),
    (0.001, 2.0, 6.9067557786490534980496874),
    (3.5, 40.25, -11.83800037574802782678769),
    (120.5, 0.125, 1.4209164468241605446031529),
    (12.25, 15.5, -19.077534054683859248252474),
    (1e6, 2e6, -1909548.2909685329565111685),
    (1e10, 3.5, -79.389504652882024715769929),
];

/// p, a, log Γ_p(a), ψ_p(a), ψ′_p(a).
#[rustfmt::skip]
const MULTIVARIATE: [(usize, f64, f64, f64, f64); 5] = [
    (1, 0.75, 0.20328095143129537148143297, -1.0858608797864721696268868, 2.5418796476716064983976629),
    (2, 0.75, 2.0636684190540729159237571, -5.3133144131627375777164169, 19.739208802178717237668982),
    (3, 5.5, 11.306699197583204395243626, 4.5060817433730804979718527, 0.66939044576575335966568672),
    (5, 2.25, 7.1571516628264715764499816, -4.7207490263684072301890306, 22.257968981086767436831505),
    (10, 47.125, 1274.418959947752289120205, 37.921732790572217559028911, 0.22557899367181820288720939),
];

fn assert_relative(what: &str, value: f64, expected: f64, tolerance: f64) {
    let error = ((value - expected) / expected).abs();
    assert!(error <= tolerance, "{what} = {value}, expected {expected}: relative error {error:e}");
}

#[test]
fn univariate_functions() {
    for (x, log_gamma_x, digamma_x, trigamma_x) in UNIVARIATE {
        assert_relative(&format!("log Γ({x})"), log_gamma(x), log_gamma_x, 5e-16);
        assert_relative(&format!("ψ({x})"), digamma(x), digamma_x, 2e-15);
        assert_relative(&format!("ψ′({x})"), trigamma(x), trigamma_x, 2e-15);
    }
}

#[test]
fn digamma_keeps_its_digits_at_its_zero() {
    // mpmath: digamma(mpf(1.4616321449683622)) and one part in 10⁶ to either side.
    for (x, expected) in [
        (1.4616321449683622, -9.2412655217294275167923514e-17),
        (1.46163, -0.000002075628388722457237531513),
        (1.46164, 0.0000076010687838878764257859001),
    ] {
        assert_relative(&format!("ψ({x})"), digamma(x), expected, 1e-13);
    }
}

#[test]
fn log_beta_keeps_its_digits_for_large_arguments() {
    for (a, b, expected) in BETA {
        assert_relative(&format!("log B({a}, {b})"), log_beta(a, b), expected, 1e-14);
        assert_eq!(log_beta(a, b).to_bits(), log_beta(b, a).to_bits());
    }
}

#[test]
fn multivariate_functions() {
    for (p, a, log_gamma_p, digamma_p, trigamma_p) in MULTIVARIATE {
        assert_relative(&format!("log Γ_{p}({a})"), multivariate_log_gamma(p, a), log_gamma_p, 2e-15);
        assert_relative(&format!("ψ_{p}({a})"), multivariate_digamma(p, a), digamma_p, 5e-15);
        assert_relative(&format!("ψ′_{p}({a})"), multivariate_trigamma(p, a), trigamma_p, 5e-15);
    }
}

#[test]
fn outside_the_domain_the_answer_is_not_a_number() {
    for x in [-1.5, -0.0, f64::NAN] {
        assert!(digamma(x).is_nan() && trigamma(x).is_nan(), "at {x}");
    }
    assert!(log_gamma(-1.5).is_nan() && log_gamma(f64::NAN).is_nan());
    assert!(log_beta(-1.0, 2.0).is_nan());
}

/// The relative error that a function may have.
fn tolerance(name: &str) -> f64 {
    match name {
        "log_gamma" | "digamma" => 1e-14,
        _ => 5e-14,
    }
}

#[test]
fn all_functions_match_mpmath() {
    for (name, arguments, expected) in table::ROWS {
        let value = evaluate::by_name(name, arguments);
        let scale = if name.starts_with("log_") { expected.abs().max(1e-3) } else { expected.abs() };
        let error = (value - expected).abs() / if scale > 0.0 { scale } else { 1.0 };
        assert!(
            error <= tolerance(name),
            "{name}{arguments:?} = {value:e}, expected {expected:e}: error {error:e}"
        );
    }
}

/// What users may pass by mistake, and the ends of the range.
const ODD: [f64; 14] = [
    f64::NAN,
    f64::NEG_INFINITY,
    -1e300,
    -1.0,
    -0.0,
    0.0,
    5e-324,
    1e-300,
    0.25,
    1.0,
    30.0,
    1e9,
    1e300,
    f64::INFINITY,
];

#[test]
fn nothing_panics_or_hangs_outside_the_domain() {
    for name in evaluate::NAMES {
        for a in ODD {
            for b in ODD {
                for c in ODD {
                    let value = evaluate::by_name(name, [a, b, c]);
                    let probability = name.starts_with("regularized") || name == "normal_cdf";
                    if probability && !value.is_nan() {
                        assert!((0.0..=1.0).contains(&value), "{name}({a}, {b}, {c}) = {value}");
                    }
                    let counts = ["log_factorial", "log_binomial", "multivariate"];
                    if a.is_nan() && !counts.iter().any(|count| name.starts_with(count)) {
                        assert!(value.is_nan(), "{name}({a}, {b}, {c}) = {value}");
                    }
                }
            }
        }
    }
}

#[test]
fn ends_of_the_domain() {
    for a in [1e-300, 1e-3, 1.0, 30.0, 1e9, 1e300] {
        assert_eq!((regularized_gamma_lower(a, 0.0), regularized_gamma_upper(a, 0.0)), (0.0, 1.0));
        assert_eq!(
            (regularized_gamma_lower(a, f64::INFINITY), regularized_gamma_upper(a, 1e305)),
            (1.0, 0.0)
        );
        assert_eq!(inverse_regularized_gamma_lower(a, 0.0), 0.0);
        assert_eq!(inverse_regularized_gamma_lower(a, 1.0), f64::INFINITY);
        for b in [1e-300, 1e-3, 1.0, 30.0, 1e9, 1e300] {
            assert_eq!((regularized_beta(a, b, 0.0), regularized_beta(a, b, 1.0)), (0.0, 1.0));
            for x in [1e-300, 1e-5, 0.5, 1.0 - 1e-15] {
                let (lower, upper) = (regularized_beta(a, b, x), regularized_beta_upper(a, b, x));
                assert!((lower + upper - 1.0).abs() < 1e-12, "I_{x}({a}, {b}) = {lower}, complement {upper}");
            }
            assert_eq!(
                (inverse_regularized_beta(a, b, 0.0), inverse_regularized_beta(a, b, 1.0)),
                (0.0, 1.0)
            );
        }
    }
    assert_eq!((normal_quantile(0.0), normal_quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
    assert_eq!((log_bessel_i(0.0, 0.0), log_bessel_i(2.0, 0.0)), (0.0, f64::NEG_INFINITY));
}

/// From the smallest shapes to the largest: probabilities that sum to one, and points of the interval.
#[test]
fn incomplete_beta_at_every_finite_shape() {
    let sizes =
        [1e-308, 1e-300, 1e-100, 1e-20, 0.5, 1.0, 15.0, 100.0, 1e17, 1e100, 1e160, 1e205, 1e300, 8e307];
    for (a, b) in sizes.iter().flat_map(|a| sizes.map(|b| (*a, b))) {
        for x in [1e-308, 1e-205, 1e-20, 0.3, 0.5, 1.0 - 1e-16, a / (a + b)] {
            let (p, q) = (regularized_beta(a, b, x), regularized_beta_upper(a, b, x));
            let sound = (0.0..=1.0).contains(&p) && (0.0..=1.0).contains(&q) && (p + q - 1.0).abs() < 1e-12;
            assert!(sound, "I_{x}({a}, {b}) = {p}, complement {q}");
        }
        for p in [1e-300, 1e-20, 0.1, 0.5, 0.9, 1.0 - 1e-16] {
            let x = inverse_regularized_beta(a, b, p);
            assert!((0.0..=1.0).contains(&x), "the inverse of I({a}, {b}) at {p} is {x}");
        }
    }
}

proptest! {
    #![proptest_config(common::config(256))]

    #[test]
    fn inverses_invert(log_a in -5.0..12.0_f64, log_b in -5.0..12.0_f64, p in 1e-12..1.0_f64) {
        let (a, b) = (log_a.exp(), log_b.exp());
        let x = inverse_regularized_gamma_lower(a, p);
        if x > 1e-300 {
            prop_assert!((regularized_gamma_lower(a, x) / p - 1.0).abs() < 1e-12 * (1.0 + a.sqrt()));
        }
        let x = inverse_regularized_gamma_upper(a, p);
        if x > 1e-300 {
            prop_assert!((regularized_gamma_upper(a, x) / p - 1.0).abs() < 1e-12 * (1.0 + x));
        }
        let x = inverse_regularized_beta(a, b, p);
        if x > 1e-300 && x < 0.9 {
            prop_assert!((regularized_beta(a, b, x) / p - 1.0).abs() < 1e-12 * (1.0 + a + b));
        }
        prop_assert!((normal_cdf(normal_quantile(p)) / p - 1.0).abs() < 1e-13);
        let y = log_a;
        prop_assert!((digamma(inverse_digamma(y)) - y).abs() < 1e-14 * (1.0 + y.abs()));
    }

    #[test]
    fn bessel_ratios_obey_the_recurrence_and_the_bounds_of_amos(nu in 0.0..200.0_f64, log_x in -10.0..12.0_f64) {
        let x = log_x.exp();
        let ratio = bessel_i_ratio(nu, x);
        let (low, high) = (x / (nu + 0.5 + (nu + 1.5).hypot(x)), x / (nu + 0.5 + (nu + 0.5).hypot(x)));
        prop_assert!(ratio >= low * (1.0 - 1e-15) && ratio <= high * (1.0 + 1e-15), "{} {} {}", low, ratio, high);
        let next = bessel_i_ratio(nu + 1.0, x);
        let expected = 1.0 / (2.0 * (nu + 1.0) / x + next);
        prop_assert!((ratio / expected - 1.0).abs() < 1e-14);
        let difference = log_bessel_i(nu + 1.0, x) - log_bessel_i(nu, x);
        // Two logarithms, each within the 1.4e-14 of the accuracy table.
        let size = 1.0 + log_bessel_i(nu, x).abs();
        prop_assert!((difference - ratio.ln()).abs() < 3e-14 * size);
    }
}
