//! The von Mises distribution, with the Bessel functions of its concentration.

use std::f64::consts::PI;

use vi_core::numerics::{Lane, SliceFunction, map_slices};

use super::each;
use crate::distributions::VonMises;

/// From here on the expansions in 1/κ, before it the power series.
const EXPANSION_FROM: f64 = 20.0;

/// Terms of the power series: at 20 the rest is below 3e-17 of the sum.
const N_TERMS: usize = 34;

/// 1/(k!)², the coefficients of I₀(κ) in (κ/2)².
const I0: [f64; N_TERMS] = power_series(0);

/// 1/(k! (k + 1)!), those of I₁(κ) / (κ/2).
const I1: [f64; N_TERMS] = power_series(1);

const fn power_series(order: usize) -> [f64; N_TERMS] {
    let (mut coefficients, mut k) = ([1.0; N_TERMS], 1);
    while k < N_TERMS {
        coefficients[k] = coefficients[k - 1] / (k as f64 * (k + order) as f64);
        k += 1;
    }
    coefficients
}

/// √(2πκ) e^−κ I₀(κ) in 1/κ ≤ 1/20, interpolated at the Chebyshev nodes with 60 digits: good to 3e-18.
const SCALED_I0: [f64; 12] = [
    1.0,
    0.125_000_000_000_005_72,
    0.070_312_499_994_591_23,
    0.073_242_189_493_545_16,
    0.112_151_722_587_201_49,
    0.227_149_725_730_754_1,
    0.569_605_132_783_915_7,
    1.858_156_951_448_232_3,
    2.239_847_764_367_288_3,
    96.212_704_305_223_58,
    -686.743_697_885_847_5,
    4_811.555_032_688_372,
];

/// κ (1 − I₁(κ)/I₀(κ)) in 1/κ ≤ 1/20, in the same way: good to 9e-17.
const COMPLEMENT: [f64; 12] = [
    0.5,
    0.125_000_000_000_088_1,
    0.124_999_999_916_655_56,
    0.195_312_530_677_248_05,
    0.406_244_210_145_757_3,
    1.048_490_478_530_228_7,
    3.174_570_596_027_152,
    13.445_719_730_783_463,
    -11.297_124_259_583_038,
    1_282.998_334_685_347_8,
    -10_643.959_838_784_75,
    66_742.622_523_239_57,
];

/// Horner's rule, lowest degree first.
#[inline(always)]
fn polynomial<L: Lane, const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| L::mul_add(sum, x, *c))
}

/// log 2π e^−κ I₀(κ).
#[inline(always)]
fn log_scaled_integral<L: Lane>(kappa: f64) -> f64 {
    let expansion = kappa >= EXPANSION_FROM;
    let half = 0.5 * kappa;
    let series = 2.0 * PI * polynomial::<L, N_TERMS>(half * half, I0);
    // The square root of the rest: e^−κ I₀(κ) is this over √(2πκ).
    let scaled = polynomial::<L, 12>(1.0 / kappa, SCALED_I0);
    let log = L::log(if expansion { scaled * scaled * (2.0 * PI / kappa) } else { series });
    if expansion { 0.5 * log } else { log - kappa }
}

/// I₁(κ)/I₀(κ), and κ less κ times it.
#[inline(always)]
fn ratio<L: Lane>(kappa: f64) -> (f64, f64) {
    let half = 0.5 * kappa;
    let square = half * half;
    let series = half * polynomial::<L, N_TERMS>(square, I1) / polynomial::<L, N_TERMS>(square, I0);
    let complement = polynomial::<L, 12>(1.0 / kappa, COMPLEMENT);
    let expansion = kappa >= EXPANSION_FROM;
    let ratio = if expansion { 1.0 - complement / kappa } else { series };
    (ratio, if expansion { complement } else { kappa * (1.0 - ratio) })
}

/// The largest |μ|: beyond it a turn has too few digits.
const LARGEST_ANGLE: f64 = 1e6;

/// The largest κ of the family.
const LARGEST_CONCENTRATION: f64 = 1e150;

/// Whether these belong to a member.
#[inline(always)]
fn valid(mu: f64, kappa: f64) -> bool {
    (mu.abs() <= LARGEST_ANGLE) & (0.0..=LARGEST_CONCENTRATION).contains(&kappa)
}

each! {
    VonMises(mean_directions = mu, concentrations = kappa) if (valid(mu, kappa)),
    "the mean direction is not between −10⁶ and 10⁶ or the concentration not between 0 and 10¹⁵⁰";
    log_prob(z) {
        let (sin, _) = L::sin_cos(0.5 * (z - mu));
        let value = L::mul_add(-2.0 * kappa * sin, sin, -log_scaled_integral::<L>(kappa));
        if z.abs() > PI { f64::NEG_INFINITY } else { value }
    }
    mean_params(expected_cos, expected_sin) "`E[cos z]` and `E[sin z]`" {
        let ((sin, cos), (length, _)) = (L::sin_cos(mu), ratio::<L>(kappa));
        [length * cos, length * sin]
    }
    entropy { log_scaled_integral::<L>(kappa) + ratio::<L>(kappa).1 }
}
