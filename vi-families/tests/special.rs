//! Special functions against values of mpmath 1.3 at 40 digits (`tests/reference_values.py`).
#![expect(clippy::excessive_precision, reason = "reference values are typed in as they were printed")]

use vi_families::special::{
    digamma, log_beta, log_gamma, multivariate_digamma, multivariate_log_gamma, multivariate_trigamma,
    trigamma,
};

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
