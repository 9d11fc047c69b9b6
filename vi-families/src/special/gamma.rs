//! log Γ, its derivatives, and their differences without cancellation.

/// log Γ(x) for x > 0, after Sun's fdlibm (error below one unit in the last place).
pub fn log_gamma(x: f64) -> f64 {
    if x < 0.0 { f64::NAN } else { libm::lgamma(x) }
}

/// From here on the asymptotic series are at full accuracy.
pub(super) const ASYMPTOTIC: f64 = 10.0;

/// The zero of digamma on (0, ∞), in two parts.
const DIGAMMA_ROOT: f64 = 1.461_632_144_968_362_2;
const DIGAMMA_ROOT_LOW: f64 = 9.549_995_429_965_697e-17;

/// Chebyshev fit, as a polynomial in t = x − 3/2, of ψ(x) x (x + 1) / (x − root) on [1, 2]; error 2e-19.
const DIGAMMA_CENTRE: [f64; 16] = [
    3.5664595351193733,
    2.2156206743218547,
    0.1585805068089419,
    -0.017975945770502818,
    0.00313050872354027,
    -0.0006580250111822373,
    0.000153318635029903,
    -3.803566875159173e-05,
    9.828215011429511e-06,
    -2.610590046516723e-06,
    7.069415473337133e-07,
    -1.9407794353623878e-07,
    5.366604026726816e-08,
    -1.4989489961443563e-08,
    4.574817662823142e-09,
    -1.2906322738820656e-09,
];

/// ψ(x) = d log Γ(x) / dx for x > 0.
///
/// Recurrence to [1, 2], where a polynomial with the zero factored out is used, and from 10 on
/// Abramowitz & Stegun (1964), 6.3.18.
pub fn digamma(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    if x >= ASYMPTOTIC {
        return x.ln() - log_minus_digamma_series(x);
    }
    let (mut x, mut shift) = (x, 0.0);
    while x > 2.0 {
        x -= 1.0;
        shift += 1.0 / x;
    }
    if x < 1.0 {
        // One step suffices: x + 1 lies in (1, 2).
        shift -= 1.0 / x;
        x += 1.0;
    }
    let t = x - 1.5;
    let centre = polynomial(&DIGAMMA_CENTRE, t) / (x * (x + 1.0));
    shift + ((x - DIGAMMA_ROOT) - DIGAMMA_ROOT_LOW) * centre
}

/// ψ′(x) for x > 0: recurrence to x ≥ 10, then Abramowitz & Stegun (1964), 6.4.12.
pub fn trigamma(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    let (mut x, mut shift) = (x, 0.0);
    while x < ASYMPTOTIC {
        shift += 1.0 / (x * x);
        x += 1.0;
    }
    shift + (1.0 / x + trigamma_minus_reciprocal_series(x))
}

/// ψ″(x) for x > 0: recurrence to x ≥ 10, then Abramowitz & Stegun (1964), 6.4.13.
pub fn tetragamma(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    const C: [f64; 8] = [0.5, -1.0 / 6.0, 1.0 / 6.0, -0.3, 5.0 / 6.0, -691.0 / 210.0, 17.5, -3617.0 / 30.0];
    let (mut x, mut shift) = (x, 0.0);
    while x < ASYMPTOTIC {
        let y = 1.0 / x;
        shift -= 2.0 * y * y * y;
        x += 1.0;
    }
    let y = 1.0 / x;
    shift - y * y * (1.0 + y * (1.0 + y * polynomial(&C, y * y)))
}

/// The x > 0 with ψ(x) = y: Newton from the start of Minka (2000), "Estimating a Dirichlet distribution", eq. 149.
///
/// +∞ where x would overflow, from y = 709.8 on.
pub fn inverse_digamma(y: f64) -> f64 {
    if y.is_nan() || y == f64::INFINITY {
        return y;
    }
    if y == f64::NEG_INFINITY {
        return 0.0;
    }
    let mut x = if y >= -2.22 { y.exp() + 0.5 } else { -1.0 / (y + EULER) };
    for _ in 0..20 {
        let next = x - (digamma(x) - y) / trigamma(x);
        if next.is_nan() {
            // Only when x itself left the range of f64.
            break;
        }
        let next = if next > 0.0 { next } else { 0.5 * x };
        let done = (next - x).abs() <= 2.0 * f64::EPSILON * x;
        x = next;
        if done {
            break;
        }
    }
    x
}

/// log x − ψ(x) for x > 0, without cancellation at large x.
///
/// From 1 to 10 by the recurrence of the difference itself, whose terms 1/x − log(1 + 1/x) are positive.
pub fn log_minus_digamma(x: f64) -> f64 {
    if x < 1.0 || x.is_nan() {
        return x.ln() - digamma(x);
    }
    let (mut x, mut shift) = (x, 0.0);
    while x < ASYMPTOTIC {
        let y = 1.0 / x;
        shift -= log_1p_minus(y);
        x += 1.0;
    }
    shift + log_minus_digamma_series(x)
}

/// ψ(x + d) − ψ(x) for x, d > 0, without cancellation where d is small beside x.
///
/// ```text
/// ψ(x + d) − ψ(x) = Σ_{k<n} d / ((x + k)(x + k + d)) + [ψ(x + n + d) − ψ(x + n)],   x + n ≥ 10
/// ```
/// and the last difference term by term from the asymptotic series.
pub fn digamma_difference(x: f64, d: f64) -> f64 {
    if !(x > 0.0 && d >= 0.0) {
        return f64::NAN;
    }
    if d == 0.0 || (x == f64::INFINITY && d < f64::INFINITY) {
        return 0.0;
    }
    let (mut x, mut shift) = (x, 0.0);
    while x < ASYMPTOTIC {
        shift += d / (x + d) / x;
        x += 1.0;
    }
    shift + (d / x).ln_1p() + log_minus_digamma_decrease(x, d)
}

/// [log x − ψ(x)] − [log(x + d) − ψ(x + d)] for x ≥ 10, through divided differences of the series.
fn log_minus_digamma_decrease(x: f64, d: f64) -> f64 {
    let (y, z) = (1.0 / x, 1.0 / (x + d));
    let (v, w) = (y * y, z * z);
    // Horner for q(v) = v C(v) and for its divided difference at (v, w).
    let (mut value, mut divided) = (0.0, 0.0);
    for c in LOG_MINUS_DIGAMMA.iter().rev() {
        divided = divided * v + value;
        value = value * w + c;
    }
    divided = divided * v + value;
    (d / (x + d)) * y * (0.5 + (y + z) * divided)
}

/// ψ′(x) − 1/x for x > 0, without cancellation at large x.
pub(crate) fn trigamma_minus_reciprocal(x: f64) -> f64 {
    if x >= ASYMPTOTIC { trigamma_minus_reciprocal_series(x) } else { trigamma(x) - 1.0 / x }
}

/// B_{2k} / (2k).
const LOG_MINUS_DIGAMMA: [f64; 7] =
    [1.0 / 12.0, -1.0 / 120.0, 1.0 / 252.0, -1.0 / 240.0, 1.0 / 132.0, -691.0 / 32760.0, 1.0 / 12.0];

fn log_minus_digamma_series(x: f64) -> f64 {
    let y = 1.0 / x;
    y * (0.5 + y * polynomial(&LOG_MINUS_DIGAMMA, y * y))
}

fn trigamma_minus_reciprocal_series(x: f64) -> f64 {
    const C: [f64; 7] =
        [1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0, 7.0 / 6.0];
    let y = 1.0 / x;
    y * y * (0.5 + y * polynomial(&C, y * y))
}

/// log Γ(x) − [(x − ½) log x − x + ½ log 2π] for x ≥ 10.
pub(crate) fn stirling_error(x: f64) -> f64 {
    const C: [f64; 7] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
    ];
    let y = 1.0 / x;
    y * polynomial(&C, y * y)
}

pub(super) fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// log(1 + u) − u for u > −1, without cancellation at small u.
pub(crate) fn log_1p_minus(u: f64) -> f64 {
    if !(-0.5..=1.0).contains(&u) {
        return u.ln_1p() - u;
    }
    // log(1 + u) = 2 artanh r with r = u / (2 + u), and 2r − u = −u r.
    let r = u / (2.0 + u);
    let (square, mut sum) = (r * r, 0.0);
    let n_terms = if square < 1e-3 { 5 } else { 16 };
    for k in (0..n_terms).rev() {
        sum = sum * square + 1.0 / (2 * k + 3) as f64;
    }
    r * (2.0 * square * sum - u)
}

/// log Γ(1 + a) for a > −1/2, keeping its relative accuracy at small a.
pub(super) fn log_gamma_1p(a: f64) -> f64 {
    if a.abs() > 0.5 {
        return log_gamma(1.0 + a);
    }
    // log Γ(2 + a) = (1 − γ) a + Σ_{k≥2} (ζ(k) − 1)(−a)^k / k.
    a * (ONE_MINUS_EULER + a * polynomial(&LOG_GAMMA_AT_TWO, a)) - a.ln_1p()
}

/// log Γ(x + a) − log Γ(x) for x > 0 and a ≥ 0, without cancellation at small a.
pub(super) fn log_gamma_increase(x: f64, a: f64) -> f64 {
    if a > 0.25 * x || a > 0.5 {
        return if x < ASYMPTOTIC {
            log_gamma(x + a) - log_gamma(x)
        } else {
            log_gamma(a) - super::log_beta(a, x)
        };
    }
    // ∫₀ᵃ ψ(x + t) dt by Gauss–Legendre with 8 points.
    const NODES: [(f64, f64); 4] = [
        (0.183_434_642_495_649_8, 0.362_683_783_378_362),
        (0.525_532_409_916_329, 0.313_706_645_877_887_27),
        (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
        (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
    ];
    let half = 0.5 * a;
    half * NODES
        .iter()
        .map(|(node, weight)| weight * (digamma(x + half * (1.0 - node)) + digamma(x + half * (1.0 + node))))
        .sum::<f64>()
}

const EULER: f64 = 0.577_215_664_901_532_9;
const ONE_MINUS_EULER: f64 = 0.42278433509846713;

/// (−1)^k (ζ(k) − 1) / k from k = 2 on.
const LOG_GAMMA_AT_TWO: [f64; 30] = [
    0.3224670334241132,
    -0.0673523010531981,
    0.020580808427784546,
    -0.007385551028673986,
    0.0028905103307415234,
    -0.001192753911703261,
    0.0005096695247430425,
    -0.00022315475845357939,
    9.945751278180853e-05,
    -4.492623673813314e-05,
    2.050721277567069e-05,
    -9.439488275268397e-06,
    4.374866789907488e-06,
    -2.039215753801366e-06,
    9.55141213040742e-07,
    -4.492469198764566e-07,
    2.1207184805554665e-07,
    -1.0043224823968099e-07,
    4.7698101693639804e-08,
    -2.2711094608943164e-08,
    1.0838659214896955e-08,
    -5.183475041970047e-09,
    2.4836745438024785e-09,
    -1.1921401405860912e-09,
    5.731367241678862e-10,
    -2.7595228851242334e-10,
    1.330476437424449e-10,
    -6.4229645638381e-11,
    3.1044247747322276e-11,
    -1.5021384080754142e-11,
];
