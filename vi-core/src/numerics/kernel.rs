//! One element of each function, free of branches and calls, so that a loop over it vectorises.
//!
//! Only correctly rounded operations are used (+, −, ×, ÷, fused multiply–add, integer operations on the
//! bits), so the result does not depend on the width of the vector that it is computed in.

/// How a·b + c is rounded: the one thing that differs between instruction sets.
pub(crate) trait Arithmetic: Copy + 'static {
    fn mul_add(a: f64, b: f64, c: f64) -> f64;
}

/// One rounding, where the CPU has the instruction.
#[derive(Clone, Copy)]
pub(crate) struct Fused;

/// Two roundings: without the instruction, an emulated one would cost a hundred times as much.
#[derive(Clone, Copy)]
pub(crate) struct Separate;

impl Arithmetic for Fused {
    #[inline(always)]
    fn mul_add(a: f64, b: f64, c: f64) -> f64 {
        a.mul_add(b, c)
    }
}

impl Arithmetic for Separate {
    #[inline(always)]
    fn mul_add(a: f64, b: f64, c: f64) -> f64 {
        a * b + c
    }
}

/// Horner's rule, lowest degree first.
#[inline(always)]
pub(super) fn polynomial<A: Arithmetic, const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    let mut value = coefficients[N - 1];
    let mut i = N - 1;
    while i > 0 {
        i -= 1;
        value = A::mul_add(value, x, coefficients[i]);
    }
    value
}

/// log 2 in two parts; the upper one has 33 bits, so that its product with a binary exponent is exact.
const LOG_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LOG_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// (eʳ − 1 − r) / r² on |r| ≤ ½ log 2, interpolated at the Chebyshev nodes: 0.12 ulp of eʳ.
const EXP: [f64; 10] = [
    0.500_000_000_000_000_1,
    0.166_666_666_666_666_69,
    0.041_666_666_666_624_13,
    0.008_333_333_333_330_062,
    0.001_388_888_891_721_371_7,
    0.000_198_412_698_630_536_18,
    2.480_152_129_595_437_6e-5,
    2.755_726_845_999_706_4e-6,
    2.762_008_844_540_974_6e-7,
    2.510_038_549_551_032e-8,
];

/// eˣ.
#[inline(always)]
pub(crate) fn exp<A: Arithmetic>(x: f64) -> f64 {
    // Beyond these bounds the result is 0 or ∞ already. A NaN passes.
    exp_bounded::<A>(x.clamp(-746.0, 710.0))
}

/// e^{−|x|}.
#[inline(always)]
pub(crate) fn exp_neg_abs<A: Arithmetic>(x: f64) -> f64 {
    let x = -x.abs();
    exp_bounded::<A>(if x < -746.0 { -746.0 } else { x })
}

/// As [`EXP`], one term shorter: 1.2e-15 of eʳ.
const EXP_SHORT: [f64; 9] = [
    0.5,
    0.166_666_666_666_483_03,
    0.041_666_666_666_651_364,
    0.008_333_333_353_717_156,
    0.001_388_888_890_587_134_7,
    0.000_198_412_087_569_923_2,
    2.480_153_640_906_408_7e-5,
    2.762_510_200_538_810_8e-6,
    2.761_379_555_451_986e-7,
];

/// e^{−|x|} for sums in which no term counts alone: to 2e-15 + 3e-17 |x| of it, and e^{−700} where it is less.
///
/// Three quarters of the price of [`exp_neg_abs`].
#[inline(always)]
pub(crate) fn exp_neg_abs_for_sums<A: Arithmetic>(x: f64) -> f64 {
    // The sum's low bits are the exponent field of the scale. A NaN passes.
    const ROUND: f64 = 6_755_399_441_055_744.0 + 1023.0;
    let x = x.abs();
    let x = if x > 700.0 { 700.0 } else { x };
    let rounded = A::mul_add(x, -std::f64::consts::LOG2_E, ROUND);
    let r = A::mul_add(rounded - ROUND, -std::f64::consts::LN_2, -x);
    let slope = A::mul_add(polynomial::<A, 9>(r, EXP_SHORT), r, 1.0);
    A::mul_add(slope, r, 1.0) * f64::from_bits(rounded.to_bits() << 52)
}

/// eˣ with x = n log 2 + r, |r| ≤ ½ log 2, and eʳ by a polynomial.
#[inline(always)]
fn exp_bounded<A: Arithmetic>(x: f64) -> f64 {
    // 1.5·2⁵² rounds the sum to an integer and leaves it in the low bits; 2046 makes those bits
    // the exponent field of two halves of the scale, each of which is a normal number.
    const ROUND: f64 = 6_755_399_441_055_744.0 + 2046.0;
    let rounded = A::mul_add(x, std::f64::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = A::mul_add(n, -LOG_2_LOW, A::mul_add(n, -LOG_2_HIGH, x));
    let significand = 1.0 + A::mul_add(r * r, polynomial::<A, 10>(r, EXP), r);
    let half = rounded.to_bits() >> 1;
    let other = rounded.to_bits().wrapping_sub(half);
    significand * f64::from_bits(half << 52) * f64::from_bits(other << 52)
}

/// (log(1 + f) − 2s) / s with s = f / (2 + f), in s²; the coefficients of fdlibm's `e_log.c`
/// (Sun Microsystems, 1993), good to 2⁻⁵⁸ on √½ ≤ 1 + f ≤ √2.
const LOG: [f64; 7] = [
    6.666_666_666_666_735e-1,
    3.999_999_999_940_942e-1,
    2.857_142_874_366_239e-1,
    2.222_219_843_214_978_4e-1,
    1.818_357_216_161_805e-1,
    1.531_383_769_920_937_3e-1,
    1.479_819_860_511_658_6e-1,
];

/// n log 2 + log(1 + f) for √½ ≤ 1 + f ≤ √2, with `low` the lower part of n log 2 (and of f).
#[inline(always)]
fn log_reduced<A: Arithmetic>(f: f64, n: f64, low: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    let remainder = z * polynomial::<A, 7>(z, LOG);
    let below_f = A::mul_add(s, f - remainder, -low);
    A::mul_add(n, LOG_2_HIGH, f - below_f)
}

/// (n, m) with x = 2ⁿ m and √½ ≤ m < √2, for a positive normal x.
#[inline(always)]
fn split_exponent(x: f64) -> (f64, f64, u64) {
    const ONE: u64 = 0x3ff0_0000_0000_0000;
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const TWO_52: u64 = 0x4330_0000_0000_0000;
    let shifted = x.to_bits().wrapping_add(ONE - SQRT_HALF);
    let biased = shifted >> 52;
    // The integer is converted through the bits of 2⁵² + integer: AVX2 has no conversion of 64-bit integers.
    let n = f64::from_bits(TWO_52 | biased) - (4_503_599_627_370_496.0 + 1023.0);
    let m = f64::from_bits((shifted & 0x000f_ffff_ffff_ffff) + SQRT_HALF);
    (n, m, biased)
}

/// log x for a positive, normal and finite x.
#[inline(always)]
pub(crate) fn log_normal<A: Arithmetic>(x: f64) -> f64 {
    let (n, m, _) = split_exponent(x);
    log_reduced::<A>(m - 1.0, n, n * LOG_2_LOW)
}

/// log x.
#[inline(always)]
pub(crate) fn log<A: Arithmetic>(x: f64) -> f64 {
    const TWO_54: f64 = 18_014_398_509_481_984.0;
    let subnormal = x < f64::MIN_POSITIVE;
    let scaled = if subnormal { x * TWO_54 } else { x };
    let (n, m, _) = split_exponent(scaled);
    let n = if subnormal { n - 54.0 } else { n };
    let value = log_reduced::<A>(m - 1.0, n, n * LOG_2_LOW);
    log_special(x, value)
}

/// What a logarithm is where its argument has no finite positive value.
#[inline(always)]
fn log_special(x: f64, value: f64) -> f64 {
    let value = if x == f64::INFINITY { f64::INFINITY } else { value };
    let value = if x == 0.0 { f64::NEG_INFINITY } else { value };
    // Negative numbers and NaN.
    if x >= 0.0 { value } else { f64::NAN }
}

/// log(1 + x), with the rounding error of 1 + x carried along.
#[inline(always)]
pub(crate) fn log1p<A: Arithmetic>(x: f64) -> f64 {
    let u = 1.0 + x;
    let back = u - 1.0;
    let error = (1.0 - (u - back)) + (x - back);
    let (n, m, biased) = split_exponent(u);
    // 2⁻ⁿ by its bits. Above 2⁶⁰ the error is under 2⁻⁶⁰ of u, and the scale may stop there.
    let inverse_scale = f64::from_bits((2046 - biased.min(1023 + 60)) << 52);
    let error = error * inverse_scale;
    let f = (m - 1.0) + error;
    let low = error - (f - (m - 1.0));
    let value = log_special(u, log_reduced::<A>(f, n, A::mul_add(n, LOG_2_LOW, low)));
    // Keeps the sign of zero and all digits of the subnormal numbers.
    if x.abs() < f64::EPSILON * 0.25 { x } else { value }
}

/// log(1 − x) for 0 ≤ x < 1; meaningless elsewhere.
#[inline(always)]
pub(crate) fn log_complement<A: Arithmetic>(x: f64) -> f64 {
    let u = 1.0 - x;
    // The rounding error of u is exact, as x is not larger than 1.
    let error = (1.0 - u) - x;
    let (n, m, biased) = split_exponent(u);
    let f = A::mul_add(error, f64::from_bits(2046_u64.wrapping_sub(biased) << 52), m - 1.0);
    log_reduced::<A>(f, n, n * LOG_2_LOW)
}

/// log(1 + t) for 0 ≤ t ≤ 1.
///
/// The reduction above √2 is chosen by masks: of branches the compiler would make two logarithms, with a division each.
#[inline(always)]
pub(crate) fn log1p_unit<A: Arithmetic>(t: f64) -> f64 {
    let upper = u64::from(t > std::f64::consts::SQRT_2 - 1.0).wrapping_neg();
    let halved = A::mul_add(0.5, t, -0.5);
    let f = f64::from_bits((upper & halved.to_bits()) | (!upper & t.to_bits()));
    let n = f64::from_bits(upper & 1_f64.to_bits());
    log_reduced::<A>(f, n, n * LOG_2_LOW)
}

/// log(1 + eˣ) = max(x, 0) + log(1 + e^{−|x|}), given e^{−|x|}.
#[inline(always)]
pub(crate) fn softplus_from<A: Arithmetic>(x: f64, exp_neg_abs: f64) -> f64 {
    positive_part(x) + log1p_unit::<A>(exp_neg_abs)
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub(crate) fn sigmoid<A: Arithmetic>(x: f64) -> f64 {
    sigmoid_from(x, exp_neg_abs::<A>(x))
}

/// σ(x), given e^{−|x|}.
#[inline(always)]
pub(crate) fn sigmoid_from(x: f64, exp_neg_abs: f64) -> f64 {
    let numerator = if x >= 0.0 { 1.0 } else { exp_neg_abs };
    numerator / (1.0 + exp_neg_abs)
}

/// max(x, 0); 0 for NaN.
#[inline(always)]
pub(crate) fn positive_part(x: f64) -> f64 {
    if x > 0.0 { x } else { 0.0 }
}

/// A word with the sign bit clear if and only if `x` is positive, normal and finite; words combine by "or".
///
/// Unlike comparisons, whose masks leave the vector registers, this costs next to nothing beside floating-point work.
#[inline(always)]
pub(crate) fn outside_normal(x: f64) -> i64 {
    const LEAST: i64 = f64::MIN_POSITIVE.to_bits() as i64;
    const GREATEST: i64 = f64::MAX.to_bits() as i64;
    let bits = x.to_bits() as i64;
    // Bits with the sign set make one of the differences negative: the second up to those of −0 and the negative
    // subnormal numbers, the first beyond.
    bits.wrapping_sub(LEAST) | GREATEST.wrapping_sub(bits)
}
