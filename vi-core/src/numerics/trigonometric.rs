//! One element of sine and cosine, free of branches and calls like the rest of the kernels.
//!
//! x less a multiple of π/2 in three parts (Cody & Waite 1980), then the minimax polynomials of fdlibm's `k_sin.c` and
//! `k_cos.c` (Sun Microsystems, 1993) on |r| ≤ π/4. Every lane computes both and keeps each where it belongs.

use super::kernel::{Arithmetic, polynomial};

/// π/2 in parts: the upper two have 33 bits, so that their products with a multiple below 2²⁰ are exact.
const HALF_PI: [f64; 3] = [1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_795_950_6e-21];

/// Up to here the multiple has 20 bits.
const LARGEST: f64 = 1e6;

/// (sin r − r) / r³ in r²; good to 2⁻⁵⁸ of r.
const SIN: [f64; 6] = [
    -0.166_666_666_666_666_32,
    0.008_333_333_333_322_49,
    -0.000_198_412_698_298_579_5,
    2.755_731_370_707_006_8e-6,
    -2.505_076_025_340_686_3e-8,
    1.589_690_995_211_55e-10,
];

/// (cos r − 1 + r²/2) / r⁴ in r²; good to 2⁻⁵⁸.
const COS: [f64; 6] = [
    0.041_666_666_666_666_6,
    -0.001_388_888_888_887_411,
    2.480_158_728_947_673e-5,
    -2.755_731_435_139_066_3e-7,
    2.087_572_321_298_175e-9,
    -1.135_964_755_778_819_5e-11,
];

/// (sin x, cos x) for |x| ≤ 10⁶, NaN beyond.
#[inline(always)]
pub(crate) fn sin_cos<A: Arithmetic>(x: f64) -> (f64, f64) {
    // 1.5·2⁵² rounds the sum to an integer and leaves it in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let rounded = A::mul_add(x, std::f64::consts::FRAC_2_PI, ROUND);
    let n = rounded - ROUND;
    // r + low = x − n π/2: the products of the upper parts are exact, and so is what the second difference loses.
    let first = x - n * HALF_PI[0];
    let second = n * HALF_PI[1];
    let difference = first - second;
    let lost = (first - difference) - second;
    let third = n * HALF_PI[2] - lost;
    let r = difference - third;
    let low = (difference - r) - third;

    let square = r * r;
    // sin(r + low) = sin r + low cos r, and cos(r + low) = cos r − low r to this order.
    let cubic = square * r * polynomial::<A, 6>(square, SIN);
    let sin = r + (cubic + low * A::mul_add(-0.5, square, 1.0));
    let half = 0.5 * square;
    let above = 1.0 - half;
    let quartic = A::mul_add(square * square, polynomial::<A, 6>(square, COS), -r * low);
    let cos = above + (((1.0 - above) - half) + quartic);

    let quarter = rounded.to_bits();
    let swapped = quarter & 1 == 1;
    let sign = |odd: u64| (odd & 2) << 62;
    let flipped = |value: f64, sign: u64| f64::from_bits(value.to_bits() ^ sign);
    let sin_x = flipped(if swapped { cos } else { sin }, sign(quarter));
    let cos_x = flipped(if swapped { sin } else { cos }, sign(quarter.wrapping_add(1)));
    let inside = x.abs() <= LARGEST;
    // The sign of zero.
    let sin_x = if x == 0.0 { x } else { sin_x };
    (if inside { sin_x } else { f64::NAN }, if inside { cos_x } else { f64::NAN })
}
