//! The standard normal distribution function, its logarithm and inverse.

use vi_core::numerics::{Lane, SliceFunction, map_slices};

use super::gamma::polynomial;

const FRAC_1_SQRT_PI: f64 = 0.564_189_583_547_756_3;
const SQRT_TWO_PI: f64 = 2.506_628_274_631_000_5;

/// exp(−x²/2) or exp(x²) to full accuracy: exp(`scale` x²) with the rounding error of the square put back.
fn exp_of_square(scale: f64, x: f64) -> f64 {
    let square = x * x;
    let rest = x.mul_add(x, -square);
    let main = (scale * square).exp();
    if main == 0.0 || !main.is_finite() { main } else { main + main * (scale * rest) }
}

/// The scaled complementary error function exp(x²) erfc(x).
///
/// Below 10 from erfc (fdlibm, below one unit in the last place) and the exact square, from there on by its
/// asymptotic series, Abramowitz & Stegun (1964), 7.1.23. +∞ below −26.6, where it overflows.
pub fn erfcx(x: f64) -> f64 {
    if x < 10.0 || x.is_nan() {
        return if x < -27.0 { f64::INFINITY } else { exp_of_square(1.0, x) * libm::erfc(x) };
    }
    // (−1)^k (2k − 1)!! / 2^k in 1/x².
    const C: [f64; 11] = [
        1.0,
        -0.5,
        0.75,
        -1.875,
        6.5625,
        -29.53125,
        162.421875,
        -1055.7421875,
        7918.06640625,
        -67303.564453125,
        639383.8623046875,
    ];
    let y = 1.0 / x;
    FRAC_1_SQRT_PI * y * polynomial(&C, y * y)
}

/// Φ(x), the distribution function of the standard normal distribution, with its relative accuracy in both tails.
///
/// The upper tail is Φ(−x).
pub fn normal_cdf(x: f64) -> f64 {
    if x < -1.0 {
        return if x < -40.0 { 0.0 } else { 0.5 * lower_tail_ratio(x) * exp_of_square(-0.5, x) };
    }
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// log Φ(x), for every x.
pub fn normal_log_cdf(x: f64) -> f64 {
    if x > 0.0 {
        return (-normal_cdf(-x)).ln_1p();
    }
    if x > -1.0 || x.is_nan() {
        return normal_cdf(x).ln();
    }
    (0.5 * lower_tail_ratio(x)).ln() - 0.5 * x * x
}

/// 2 Φ(x) exp(x²/2) for x < 0.
fn lower_tail_ratio(x: f64) -> f64 {
    erfcx(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// Φ⁻¹(p): Wichura (1988), algorithm AS 241, and one Newton step on the accurate tail.
///
/// ∓∞ at 0 and 1, NaN outside [0, 1].
pub fn normal_quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        let x = q * polynomial(&CENTRE.0, r) / polynomial(&CENTRE.1, r);
        let residual = 0.5 * libm::erf(x * std::f64::consts::FRAC_1_SQRT_2) - q;
        return x - residual * SQRT_TWO_PI * (0.5 * x * x).exp();
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail == 0.0 {
        return if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let r = (-tail.ln()).sqrt();
    let x = if r <= 5.0 {
        polynomial(&TAIL.0, r - 1.6) / polynomial(&TAIL.1, r - 1.6)
    } else {
        polynomial(&FAR_TAIL.0, r - 5.0) / polynomial(&FAR_TAIL.1, r - 5.0)
    };
    // d log Φ(−x) / dx = −φ/Φ(−x), and φ(x)/Φ(−x) = 2 / (√(2π) erfcx(x/√2)).
    let hazard = 2.0 / (SQRT_TWO_PI * lower_tail_ratio(-x));
    let x = x + ((0.5 * lower_tail_ratio(-x) / tail).ln() - 0.5 * x * x) / hazard;
    if q < 0.0 { -x } else { x }
}

/// Below this the slice form leaves the tail to [`normal_quantile`]: exp(−5²).
const FAR: f64 = 1.388_794_386_496_402_1e-11;

/// out ← Φ⁻¹(p), element by element, for p in (0, 1): Wichura (1988), algorithm AS 241, vectorised.
///
/// Relative error below 4e-15. p and 1 − p give results of opposite sign, where 1 − p is exact.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn normal_quantile_slice(p: &[f64], out: &mut [f64]) {
    map_slices(&NormalQuantile, [p], [&mut *out]);
    for (p, out) in p.iter().zip(out) {
        if p.min(1.0 - p) < FAR {
            *out = normal_quantile(*p);
        }
    }
}

/// Φ⁻¹ between the far tails.
struct NormalQuantile;

impl SliceFunction<1, 1> for NormalQuantile {
    #[inline(always)]
    fn apply<L: Lane>(&self, [p]: [f64; 1]) -> [f64; 1] {
        let q = p - 0.5;
        let tail = if q < 0.0 { p } else { 1.0 - p };
        let r = 0.180625 - q * q;
        let (centre, of_centre) = (q * horner::<L>(&CENTRE.0, r), horner::<L>(&CENTRE.1, r));
        let r = (-L::log_of_input(tail)).sqrt() - 1.6;
        let (beyond, of_tail) = (horner::<L>(&TAIL.0, r), horner::<L>(&TAIL.1, r));
        let beyond = if q < 0.0 { -beyond } else { beyond };
        // One division for both.
        let is_central = q.abs() <= 0.425;
        let numerator = if is_central { centre } else { beyond };
        let denominator = if is_central { of_centre } else { of_tail };
        [numerator / denominator]
    }
}

/// A polynomial of degree 7, lowest coefficient first.
#[inline(always)]
fn horner<L: Lane>(coefficients: &[f64; 8], x: f64) -> f64 {
    let mut value = coefficients[7];
    let mut i = 7;
    while i > 0 {
        i -= 1;
        value = L::mul_add(value, x, coefficients[i]);
    }
    value
}

type Rational = ([f64; 8], [f64; 8]);

const CENTRE: Rational = (
    [
        3.3871328727963665,
        133.14166789178438,
        1971.5909503065513,
        13731.69376550946,
        45921.95393154987,
        67265.7709270087,
        33430.57558358813,
        2509.0809287301227,
    ],
    [
        1.0,
        42.31333070160091,
        687.1870074920579,
        5394.196021424751,
        21213.794301586597,
        39307.89580009271,
        28729.085735721943,
        5226.495278852854,
    ],
);

const TAIL: Rational = (
    [
        1.4234371107496835,
        4.630337846156546,
        5.769497221460691,
        3.6478483247632045,
        1.2704582524523684,
        0.2417807251774506,
        0.022723844989269184,
        0.0007745450142783414,
    ],
    [
        1.0,
        2.053191626637759,
        1.6763848301838038,
        0.6897673349851,
        0.14810397642748008,
        0.015198666563616457,
        0.0005475938084995345,
        1.0507500716444169e-09,
    ],
);

const FAR_TAIL: Rational = (
    [
        6.657904643501103,
        5.463784911164114,
        1.7848265399172913,
        0.29656057182850487,
        0.026532189526576124,
        0.0012426609473880784,
        2.7115555687434876e-05,
        2.0103343992922881e-07,
    ],
    [
        1.0,
        0.599832206555888,
        0.1369298809227358,
        0.014875361290850615,
        0.0007868691311456133,
        1.8463183175100548e-05,
        1.421511758316446e-07,
        2.0442631033899397e-15,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the branches meet, far into both tails, and evenly between.
    #[test]
    fn slices_agree_with_single_quantiles() {
        let even = (1..4000).map(|i| f64::from(i) / 4000.0);
        let powers = (1..=1000).map(|e| 0.5_f64.powf(f64::from(e) * 0.05));
        let lower: Vec<f64> = even.chain(powers).chain([0.075, 0.5, FAR, FAR * 0.999, FAR * 1.001]).collect();
        let p: Vec<f64> = lower.iter().flat_map(|p| [*p, 1.0 - p]).filter(|p| *p < 1.0).collect();
        let mut out = vec![f64::NAN; p.len()];
        normal_quantile_slice(&p, &mut out);
        for (p, x) in p.iter().zip(&out) {
            let exact = normal_quantile(*p);
            assert!((x - exact).abs() <= 4e-15 * exact.abs(), "p = {p:e}: {x:e}, not {exact:e}");
        }
    }

    #[test]
    fn opposite_probabilities_have_opposite_quantiles() {
        let p: Vec<f64> = (1..100).map(|i| f64::from(i) / 128.0).chain([0.5_f64.powi(50)]).collect();
        let opposite: Vec<f64> = p.iter().map(|p| 1.0 - p).collect();
        let (mut x, mut y) = (vec![0.0; p.len()], vec![0.0; p.len()]);
        normal_quantile_slice(&p, &mut x);
        normal_quantile_slice(&opposite, &mut y);
        for (x, y) in x.iter().zip(&y) {
            assert_eq!(*x, -*y);
        }
    }
}
