//! Accuracy and equality of bits on every instruction set that this CPU has.

use std::marker::PhantomData;

use super::dispatch::Level;
use super::elementwise::{Elementwise, Exp, Log, Log1p, Map, Sigmoid, Softplus};
use super::kernel::{self, Arithmetic};
use super::reduce::{LogSumExp, SumSoftplus, SumSoftplusSigmoid};

#[path = "../../tests/support/double_double.rs"]
pub(super) mod double_double;

use double_double::{DoubleDouble, softplus};

/// Points per range and function in the default tests; the long one takes a hundred times as many.
const POINTS: usize = 20_000;

/// |value − exact| in units in the last place of `exact`; subnormal results are measured in the smallest of them.
fn ulp_error(value: f64, exact: DoubleDouble) -> f64 {
    let size = exact.high.abs().max(f64::MIN_POSITIVE);
    let ulp = f64::from_bits(size.to_bits() + 1) - size;
    ((DoubleDouble::from(value) - exact).high / ulp).abs()
}

/// 1 / (1 + e⁻ˣ).
fn sigmoid(x: f64) -> DoubleDouble {
    let e = DoubleDouble::from(-x.abs()).exp();
    let one = DoubleDouble::from(1.0);
    if x >= 0.0 { one / (one + e) } else { e / (one + e) }
}

/// log(1 − x), which has no slice form of its own.
struct LogComplement;

impl Elementwise for LogComplement {
    #[inline(always)]
    fn apply<A: Arithmetic>(x: f64) -> f64 {
        kernel::log_complement::<A>(x)
    }
}

/// The golden-ratio sequence on (0, 1): even cover of any range, and no two ranges alike.
fn unit(i: usize, offset: f64) -> f64 {
    (offset + (i as f64 + 0.5) * 0.618_033_988_749_894_9).fract()
}

fn uniform(n: usize, from: f64, to: f64) -> impl Iterator<Item = f64> {
    (0..n).map(move |i| from + (to - from) * unit(i, from.abs() + 0.1))
}

/// 2ᵉ with e uniform.
fn spread(n: usize, from: f64, to: f64) -> impl Iterator<Item = f64> {
    uniform(n, from, to).map(|e| (e * 0.5).exp2() * (e * 0.5).exp2())
}

fn exp_points(n: usize) -> Vec<f64> {
    let signed = spread(n, -60.0, 9.4).enumerate().map(|(i, x)| if i % 2 == 0 { x } else { -x });
    let all = signed.chain(uniform(n, -745.2, 709.79)).chain(uniform(n, -1.0, 1.0));
    all.chain(uniform(n, -745.2, -708.0)).filter(|x| *x < 709.78).collect()
}

fn log_points(n: usize) -> Vec<f64> {
    spread(n, -1074.0, 1023.9).chain(uniform(n, 0.5, 2.0)).chain(uniform(n, 0.99, 1.01)).collect()
}

fn log1p_points(n: usize) -> Vec<f64> {
    let signed = spread(n, -1074.0, -0.01).enumerate().map(|(i, x)| if i % 2 == 0 { x } else { -x });
    let near =
        spread(n, -60.0, 1.0).enumerate().map(|(i, x)| if i % 2 == 0 { x.min(2.0) } else { -x.min(0.99) });
    let all =
        signed.chain(near).chain(uniform(n, -0.999, 3.0)).chain(spread(n, -52.0, -1.0).map(|d| d - 1.0));
    all.chain(spread(n, -1.0, 1023.9)).collect()
}

fn log_complement_points(n: usize) -> Vec<f64> {
    let near_one = spread(n, -53.0, -1.0).map(|d| 1.0 - d);
    spread(n, -1074.0, -0.01).chain(uniform(n, 0.0, 0.999)).chain(near_one).filter(|x| *x < 1.0).collect()
}

fn softplus_points(n: usize) -> Vec<f64> {
    uniform(n, -745.0, 745.0).chain(uniform(n, -40.0, 40.0)).chain(uniform(n, -2.0, 2.0)).collect()
}

fn apply<F: Elementwise>(level: Level, x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    level.run(Map { x, out: &mut out, function: PhantomData::<F> });
    out
}

/// The worst error of `F` at `points` and where it is, and that all levels keep under `bound`;
/// levels with fused multiply–add agree in every bit.
fn check<F: Elementwise>(
    name: &str,
    points: &[f64],
    bound: f64,
    exact: impl Fn(f64) -> DoubleDouble,
) -> String {
    let exact: Vec<_> = points.iter().map(|x| exact(*x)).collect();
    let levels = Level::available();
    let best = apply::<F>(levels[0], points);
    let mut report = format!("{name}:");
    for level in levels {
        let values = apply::<F>(level, points);
        let errors = values.iter().zip(&exact).map(|(v, e)| ulp_error(*v, *e));
        let (at, worst) = errors.enumerate().fold((0, 0.0), |a, b| if b.1 <= a.1 { a } else { b });
        report += &format!(" {} {worst:.2} ulp at {:e};", level.name(), points[at]);
        let bound = if level.name() == "baseline" { bound + 0.2 } else { bound };
        assert!(worst <= bound, "{name} on {}: {worst} ulp at {:e}", level.name(), points[at]);
        if level.name() != "baseline" {
            assert!(
                values.iter().zip(&best).all(|(a, b)| a.to_bits() == b.to_bits()),
                "{name} on {}",
                level.name()
            );
        }
    }
    report
}

fn check_all(n: usize) -> Vec<String> {
    vec![
        check::<Exp>("exp", &exp_points(n), 1.1, |x| DoubleDouble::from(x).exp()),
        check::<Log>("log", &log_points(n), 0.9, |x| DoubleDouble::from(x).log()),
        check::<Log1p>("log1p", &log1p_points(n), 0.9, |x| DoubleDouble::from(x).log1p()),
        check::<LogComplement>("log_complement", &log_complement_points(n), 1.5, |x| {
            DoubleDouble::from(-x).log1p()
        }),
        check::<Softplus>("softplus", &softplus_points(n), 1.8, softplus),
        check::<Sigmoid>("sigmoid", &softplus_points(n), 2.4, sigmoid),
    ]
}

#[test]
fn errors_stay_under_the_stated_bounds_on_every_level() {
    check_all(POINTS);
}

#[test]
#[ignore = "a hundred times the points: where the figures in the docstrings come from; prints them"]
#[allow(clippy::print_stdout, reason = "the figures are the purpose")]
fn worst_errors_over_many_points() {
    for line in check_all(100 * POINTS) {
        println!("{line}");
    }
}

#[test]
fn reference_agrees_with_forty_digit_values() {
    // exact values to 40 digits by Python's decimal module, split into two doubles.
    let cases = [
        (DoubleDouble::from(1.0).exp(), std::f64::consts::E, 1.445_646_891_729_250_2e-16),
        (DoubleDouble::from(-0.3).exp(), 0.740_818_220_681_717_9, -1.805_530_505_953e-18),
        (DoubleDouble::from(100.5).exp(), 4.431_955_909_845_895_5e43, -6.110_103_952_939_044_5e26),
        (DoubleDouble::from(3.0).log(), 1.098_612_288_668_109_8, -9.071_297_235_001_53e-17),
        (DoubleDouble::from(0.7).log(), -0.356_674_943_938_732_45, 4.825_563_799_376_62e-18),
        (DoubleDouble::from(1e300).log(), 690.775_527_898_213_7, 2.374_766_002_880_024_3e-14),
        (DoubleDouble::from(1e-5).log1p(), 9.999_950_000_333_332e-6, -2.386_863_728_449_341_6e-22),
        (DoubleDouble::from(-0.999).log1p(), -6.907_755_278_982_136, -2.369_515_526_854_508e-16),
        (DoubleDouble::from(0.1).log1p(), 0.095_310_179_804_324_87, -3.808_451_650_416_249e-19),
    ];
    for (value, high, low) in cases {
        let difference = (value - DoubleDouble { high, low }).high.abs();
        assert!(difference <= 1e-27 * high.abs(), "{value:?} is not {high:e} + {low:e}");
    }
}

#[test]
fn reductions_agree_between_levels() {
    for n in [0, 1, 7, 31, 32, 33, 569, 991, 992, 993, 5000] {
        let x: Vec<f64> = uniform(n, -30.0, 30.0).collect();
        let results = Level::available().into_iter().map(|level| {
            let mut out = vec![0.0; n];
            let fused = level.run(SumSoftplusSigmoid { x: &x, out: &mut out });
            assert_eq!(out, apply::<Sigmoid>(level, &x), "{} n = {n}", level.name());
            let sums = [level.run(SumSoftplus { x: &x }), level.run(LogSumExp { x: &x })];
            assert_eq!(fused.to_bits(), sums[0].to_bits(), "{} n = {n}", level.name());
            (level.name(), sums)
        });
        let results: Vec<_> = results.collect();
        for (name, sums) in &results {
            for (sum, best) in sums.iter().zip(results[0].1) {
                let equal = if *name == "baseline" {
                    *sum == best || (sum - best).abs() <= 1e-14 * best.abs()
                } else {
                    sum.to_bits() == best.to_bits()
                };
                assert!(equal, "{name}, n = {n}: {sum:e} against {best:e}");
            }
        }
    }
}

/// Alone in its block, so that it is this value that has to lead off the path for ordinary ones.
#[test]
fn log_of_each_extraordinary_value() {
    for x in
        [f64::INFINITY, 0.0, -0.0, 5e-324, -5e-324, -1.0, f64::MIN, f64::NEG_INFINITY, f64::NAN, -f64::NAN]
    {
        for level in Level::available() {
            let (value, expected) = (apply::<Log>(level, &[x])[0], x.ln());
            let same = value == expected || (value.is_nan() && expected.is_nan());
            assert!(same, "log {x:e} on {}: {value:e}", level.name());
        }
    }
}
