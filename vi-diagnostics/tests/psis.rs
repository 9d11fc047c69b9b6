//! Pareto-smoothed importance sampling against ArviZ 0.17.1 (`arviz.psislw`).

use ndarray::{Array1, array};
use statrs::distribution::{Cauchy, Continuous, ContinuousCDF, Normal, StudentsT};
use vi_diagnostics::{Psis, importance_ess, psis, psis_with_efficiency};

/// Log ratios at the quantiles (i + 1/2)/1000 of `q`, in the order 617 i mod 1000.
fn log_ratios<P, Q>(p: &P, q: &Q) -> Array1<f64>
where
    P: Continuous<f64, f64>,
    Q: Continuous<f64, f64> + ContinuousCDF<f64, f64>,
{
    let x = |i: usize| q.inverse_cdf(((617 * i % 1000) as f64 + 0.5) / 1000.0);
    (0..1000).map(|i| p.ln_pdf(x(i)) - q.ln_pdf(x(i))).collect()
}

#[track_caller]
fn check(found: &Psis, khat: f64, first: &[f64], largest: f64, ess: f64, tolerance: f64) {
    let close = |name: &str, actual: f64, expected: f64| {
        let error = (actual - expected).abs();
        assert!(error <= tolerance * (1.0 + expected.abs()), "{name}: {actual} against {expected}");
    };
    close("k-hat", found.khat, khat);
    for (i, &expected) in first.iter().enumerate() {
        close("log weight", found.log_weights[i], expected);
    }
    close("largest", found.log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max), largest);
    close("ess", found.ess, ess);
    close("Σ w", found.log_weights.iter().map(|l| l.exp()).sum(), 1.0);
}

#[test]
fn normal_proposal_and_student_target() {
    let p = StudentsT::new(0.0, 1.0, 5.0).unwrap();
    let found = psis(&log_ratios(&p, &Normal::standard())).unwrap();
    let first = [
        -5.252_899_808_386_692,
        -6.949_252_144_730_063,
        -6.977_797_387_030_954,
        -6.987_438_052_197_276,
        -6.941_412_567_768_709,
    ];
    check(&found, 0.631_231_481_164_787_8, &first, -4.983_952_679_348_135_5, 914.560_065_104_079_3, 1e-9);
}

#[test]
fn normal_proposal_and_wider_normal_target() {
    let found = psis(&log_ratios(&Normal::new(0.0, 1.5).unwrap(), &Normal::standard())).unwrap();
    let first = [-4.536_473_860_322_679, -7.271_784_421_630_816, -7.150_957_465_638_468];
    check(&found, 0.495_395_597_328_678_05, &first, -4.288_947_712_496_808, 603.009_235_506_803_2, 1e-9);
    // ∫ p/q dq = 1, and the midpoint rule misses a little of both tails.
    assert!(found.log_mean_ratio.abs() < 0.02, "{}", found.log_mean_ratio);
}

#[test]
fn normal_proposal_and_cauchy_target_is_not_to_be_trusted() {
    let found = psis(&log_ratios(&Cauchy::new(0.0, 1.0).unwrap(), &Normal::standard())).unwrap();
    let first = [-4.426_903_903_347_477, -6.978_910_459_110_711, -7.097_392_726_224_388];
    check(&found, 0.721_437_206_921_827_2, &first, -3.994_652_429_501_971, 607.652_290_608_406_7, 1e-9);
}

#[test]
fn bounded_weights_have_a_negative_shape() {
    let q = StudentsT::new(0.0, 1.0, 3.0).unwrap();
    let found = psis(&log_ratios(&Normal::standard(), &q)).unwrap();
    // The first draw is the 0.05 % quantile of Student's t, where statrs and SciPy differ in the eighth digit.
    let first = [-82.265_704_519_878_26, -6.809_206_915_253_508, -6.757_056_011_288_551];
    check(&found, -1.558_871_977_523_613, &first, -6.750_444_551_489_082, 919.721_845_585_251_5, 1e-6);
}

/// −a log(1 − u) with u from Knuth's generator: exact Pareto ratios of shape a.
fn pareto_ratios(n: usize, a: f64) -> Array1<f64> {
    let mut state = 1u64;
    let next = |_| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        -a * (1.0 - (state >> 11) as f64 * 2f64.powi(-53)).ln()
    };
    (0..n).map(next).collect()
}

#[test]
fn a_lower_efficiency_lengthens_the_tail() {
    let ratios = pareto_ratios(1000, 0.8);
    let first = [-7.768_935_758_229_796, -7.639_443_177_793_272_5, -7.373_039_727_962_482];
    let found = psis(&ratios).unwrap();
    check(&found, 0.677_652_931_166_784_3, &first, -3.287_113_873_799_557_8, 170.536_863_969_315_28, 1e-10);
    let first = [-7.770_571_411_669_738, -7.641_078_831_233_214, -7.374_675_381_402_423];
    let found = psis_with_efficiency(&ratios, 0.3).unwrap();
    check(&found, 0.692_129_759_691_906_8, &first, -3.288_749_527_239_499_3, 168.265_862_188_453_13, 1e-10);
}

#[test]
fn a_fifth_of_a_small_sample_is_smoothed() {
    let found = psis(&pareto_ratios(60, 0.5)).unwrap();
    let first = [-4.400_863_000_022_026, -4.319_930_137_249_199, -4.153_427_981_104_955];
    check(&found, 0.820_979_757_309_597_3, &first, -2.511_851_377_974_159_6, 41.242_114_803_300_77, 1e-10);
}

#[test]
fn adding_a_constant_changes_only_the_mean_ratio() {
    let ratios = pareto_ratios(500, 0.4);
    let (a, b) = (psis(&ratios).unwrap(), psis(&(&ratios - 1234.5)).unwrap());
    assert!((a.khat - b.khat).abs() < 1e-8);
    assert!((a.log_mean_ratio - 1234.5 - b.log_mean_ratio).abs() < 1e-9);
}

#[test]
fn zero_weights_are_allowed() {
    let mut ratios = pareto_ratios(500, 0.4);
    ratios[7] = f64::NEG_INFINITY;
    let found = psis(&ratios).unwrap();
    assert_eq!(found.log_weights[7], f64::NEG_INFINITY);
    assert!(found.khat.is_finite() && found.ess > 100.0);
}

#[test]
fn equal_weights_mean_that_the_proposal_is_exact() {
    let found = psis(&Array1::from_shape_fn(100, |i| -40.0 + 1e-14 * (i % 7) as f64)).unwrap();
    assert_eq!(found.khat, f64::NEG_INFINITY);
    assert!((found.ess - 100.0).abs() < 1e-9);
    assert!((found.log_mean_ratio + 40.0).abs() < 1e-12);
}

#[test]
fn too_few_draws_have_no_shape() {
    assert_eq!(psis(&pareto_ratios(20, 0.5)).unwrap().khat, f64::INFINITY);
    assert_eq!(psis(&array![0.0, 1.0]).unwrap().khat, f64::INFINITY);
    assert!(psis(&pareto_ratios(30, 0.5)).unwrap().khat.is_finite());
}

#[test]
fn bad_ratios_are_named() {
    let message = |x: Array1<f64>| psis(&x).unwrap_err().to_string();
    assert_eq!(message(array![0.0, f64::NAN]), "log ratio 1 is NaN");
    assert_eq!(message(array![f64::INFINITY, 0.0]), "log ratio 0 is inf");
    assert_eq!(message(array![f64::NEG_INFINITY, f64::NEG_INFINITY]), "all 2 log ratios are −∞");
    assert_eq!(message(Array1::zeros(0)), "no log ratios were given");
    let message = psis_with_efficiency(&array![0.0], 0.0).unwrap_err().to_string();
    assert_eq!(message, "relative efficiency = 0, but it must be finite and > 0");
}

#[test]
fn ess_of_weights() {
    assert!((importance_ess(&array![-1000.0, -1000.0, f64::NEG_INFINITY]) - 2.0).abs() < 1e-12);
    assert!(importance_ess(&array![f64::NAN, 0.0]).is_nan());
}
