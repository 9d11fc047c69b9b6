//! The incomplete gamma function ratios P and Q.

use super::double::Double;
use super::gamma::{log_1p_minus, log_gamma_1p, polynomial, stirling_error};
use super::normal::erfcx;

const TWO_PI: f64 = std::f64::consts::TAU;

/// P(a, x) = γ(a, x) / Γ(a), the probability that a Gamma(a, 1) variable is below x, for a ≥ 0 and x ≥ 0.
///
/// ```text
/// P(a, x) = 1/Γ(a) ∫₀ˣ t^(a − 1) e^(−t) dt
/// ```
/// Series, continued fraction or Temme's uniform expansion (Gil, Segura & Temme 2012, SIAM J. Sci. Comput. 34:A2965),
/// with its relative accuracy down to the smallest normal numbers. NaN outside the domain.
pub fn regularized_gamma_lower(a: f64, x: f64) -> f64 {
    gamma_tails(a, x).0
}

/// Q(a, x) = 1 − P(a, x), with its own relative accuracy; see [`regularized_gamma_lower`].
pub fn regularized_gamma_upper(a: f64, x: f64) -> f64 {
    gamma_tails(a, x).1
}

/// P and Q; the smaller one of them is computed directly.
pub(super) fn gamma_tails(a: f64, x: f64) -> (f64, f64) {
    if !(a >= 0.0 && x >= 0.0) || (a == f64::INFINITY && x == f64::INFINITY) || (a == 0.0 && x == 0.0) {
        return (f64::NAN, f64::NAN);
    }
    if x == 0.0 || a == f64::INFINITY {
        return (0.0, 1.0);
    }
    if x == f64::INFINITY || a == 0.0 {
        return (1.0, 0.0);
    }
    if a >= TEMME_FROM && (x - a).abs() < 0.5 * a {
        return uniform(a, x);
    }
    if x < 1.0 && a < 1.0 {
        return small(a, x);
    }
    if x <= a {
        let lower = gamma_factor(a, x) * lower_series(a, x);
        return (lower, 1.0 - lower);
    }
    let upper = a * gamma_factor(a, x) * upper_fraction(a, x);
    (1.0 - upper, upper)
}

/// xᵃ e⁻ˣ / Γ(a + 1).
pub(super) fn gamma_factor(a: f64, x: f64) -> f64 {
    if a < 30.0 {
        if x > 1400.0 {
            return 0.0;
        }
        let half = (-0.5 * x).exp();
        return x.powf(a) * half * half / libm::tgamma(a + 1.0);
    }
    gamma_deviance(a, x).exp() / ((TWO_PI * a).sqrt() * stirling_error(a).exp())
}

/// −[x − a − a log(x/a)].
fn gamma_deviance(a: f64, x: f64) -> Double {
    let log = Double::new(x).divided_by(Double::new(a)).log();
    Double::new(a) * log - Double::sum(x, -a)
}

/// Σ xⁿ / (a + 1)ₙ.
pub(super) fn lower_series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (1.0, 1.0, a);
    for _ in 0..1000 {
        n += 1.0;
        term *= x / n;
        sum += term;
        if term < 1e-17 * sum {
            break;
        }
    }
    sum
}

/// Γ(a, x) / (xᵃ e⁻ˣ) by Legendre's continued fraction, DLMF 8.9.2 contracted, with Lentz's algorithm.
pub(super) fn upper_fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let tiny = 1e-300;
    let mut c = 1.0 / tiny;
    let mut d = 1.0 / b;
    let mut value = d;
    for i in 1..1000 {
        let n = f64::from(i) * (a - f64::from(i));
        b += 2.0;
        d = 1.0 / (n * d + b);
        c = b + n / c;
        let step = c * d;
        value *= step;
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    value
}

/// For a, x < 1, where P may be so close to 1 that Q is not 1 − P: DLMF 8.7.1 with its first term split off.
fn small(a: f64, x: f64) -> (f64, f64) {
    let log_leading = a * x.ln() - log_gamma_1p(a);
    let (mut power, mut sum) = (1.0, 0.0);
    for n in 1..40 {
        let n = f64::from(n);
        power *= -x / n;
        let term = power / (a + n);
        sum += term;
        if term.abs() < 1e-17 * sum.abs() {
            break;
        }
    }
    let rest = log_leading.exp() * a * sum;
    let upper = -log_leading.exp_m1() - rest;
    if upper < 0.5 {
        (1.0 - upper, upper)
    } else {
        let lower = gamma_factor(a, x) * lower_series(a, x);
        (lower, 1.0 - lower)
    }
}

/// From this a on Temme's expansion has full accuracy for |η| < 1.
const TEMME_FROM: f64 = 25.0;

/// Temme's uniform expansion, with the coefficients for this a from their recurrence.
///
/// ```text
/// Q(a, x) = ½ erfc(η √(a/2)) + e^(−aη²/2) S(η) / √(2πa),    ½η² = λ − 1 − log λ,  λ = x/a
/// S(η) = a/(a + β₁) Σ βₙ ηⁿ,    βₙ₋₁ = dₙ + (n + 1) βₙ₊₁ / a,    Σ dₙ ηⁿ = η / (λ − 1)
/// ```
fn uniform(a: f64, x: f64) -> (f64, f64) {
    let u = (x - a) / a;
    let half_square = -log_1p_minus(u);
    let eta = (2.0 * half_square).sqrt().copysign(u);
    let mut beta = [0.0; 38];
    for n in (1..37).rev() {
        beta[n - 1] = TEMME[n] + (n + 1) as f64 * beta[n + 1] / a;
    }
    let s = polynomial(&beta, eta) * (a / (a + beta[1]));
    let gauss = gamma_deviance(a, x).exp();
    let centre = 0.5 * erfcx((a * half_square).sqrt());
    let correction = s / (TWO_PI * a).sqrt();
    if u >= 0.0 {
        let upper = gauss * (centre + correction);
        (1.0 - upper, upper)
    } else {
        let lower = gauss * (centre - correction);
        (lower, 1.0 - lower)
    }
}

/// The coefficients of η / (λ − 1).
const TEMME: [f64; 38] = [
    1.0,
    -0.3333333333333333,
    0.08333333333333333,
    -0.014814814814814815,
    0.0011574074074074073,
    0.0003527336860670194,
    -0.0001787551440329218,
    3.919263178522438e-05,
    -2.185448510679992e-06,
    -1.85406221071516e-06,
    8.296711340953087e-07,
    -1.7665952736826078e-07,
    6.707853543401498e-09,
    1.0261809784240309e-08,
    -4.382036018453353e-09,
    9.14769958223679e-10,
    -2.5514193994946248e-11,
    -5.830772132550426e-11,
    2.4361948020667415e-11,
    -5.0276692801141755e-12,
    1.1004392031956135e-13,
    3.371763262400985e-13,
    -1.392388722418162e-13,
    2.8534893807047445e-14,
    -5.139111834242572e-16,
    -1.9752288294349442e-15,
    8.099521156704561e-16,
    -1.6522531216398162e-16,
    2.5305430097478883e-18,
    1.1686939738559576e-17,
    -4.770037049820485e-18,
    9.699126059056237e-19,
    -1.2932565538038175e-20,
    -6.969230253185693e-20,
    2.835145432176937e-20,
    -5.7509821590070474e-21,
    6.792953783488915e-23,
    4.182125426111336e-22,
];
