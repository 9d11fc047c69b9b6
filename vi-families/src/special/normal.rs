//! The standard normal distribution function, its logarithm and inverse.

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
