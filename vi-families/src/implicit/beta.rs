//! Beta: derivatives of the logit with respect to both shapes.

use ndarray::{Array2, array};

use super::ImplicitReparameterized;
use crate::distributions::Beta;
use crate::special::{
    digamma, digamma_difference, exp_m1_minus, half_line, log_1p_minus, log_minus_digamma, tail_scale,
};

/// ∂ logit x/∂a and ∂ logit x/∂b of x ~ Beta(a, b) at fixed I_x(a, b), given x and 1 − x.
///
/// As for the Gamma shape: the scores log x − E log x and log(1 − x) − E log(1 − x), integrated over the tail on the
/// nearer side of the mean, divided by the density of the logit.
pub(crate) fn logit_derivatives(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if a * y >= b * x {
        lower_tail(a, b, x, y)
    } else {
        let (db, da) = lower_tail(b, a, y, x);
        (-da, -db)
    }
}

const QUADRATURE_FROM: f64 = 20.0;

fn lower_tail(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if a >= QUADRATURE_FROM && b >= QUADRATURE_FROM {
        return logit_quadrature(a, b, x, y);
    }
    if x <= 0.5 {
        return series(a, b, x, y);
    }
    if b < 1.0 && a * y < 2.0 {
        // x is near the singularity at 1, where the other tail has the short series.
        let (db, da) = series(b, a, y, x);
        return (-da, -db);
    }
    power_quadrature(a, b, x, y)
}

/// The power series of I_x (DLMF 8.17.8) differentiated term by term.
///
/// ```text
/// ∂ logit x/∂a =  1/a Σ (a + b)ₙ/(a + 1)ₙ xⁿ [ψ(a + 1 + n) − ψ(a + b + n) − log x]
/// ∂ logit x/∂b = −1/a Σ (a + b)ₙ/(a + 1)ₙ xⁿ [ψ(a + b + n) − ψ(b) + log(1 − x)]
/// ```
fn series(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    let mut first =
        if b < 1.0 { digamma_difference(a + b, 1.0 - b) } else { -digamma_difference(a + 1.0, b - 1.0) }
            - x.ln();
    let mut second = digamma_difference(b, a) + y.ln();
    let (mut term, mut da, mut db) = (1.0, 0.0, 0.0);
    let mut n = 0.0;
    for _ in 0..5000 {
        da += term * first;
        db += term * second;
        let (top, bottom) = (a + b + n, a + 1.0 + n);
        let ratio = x * top / bottom;
        if ratio < 1.0 && term * (1.0 + first.abs()) < 1e-17 * da.abs() && term < 1e-17 * db.abs() {
            break;
        }
        first += (b - 1.0) / (bottom * top);
        second += 1.0 / top;
        term *= ratio;
        n += 1.0;
    }
    (da / a, -db / a)
}

/// E log x − log x at x with mean a / (a + b), without cancellation for large a.
fn centre(a: f64, b: f64, x: f64) -> f64 {
    if a < QUADRATURE_FROM {
        return digamma(a) - digamma(a + b) - x.ln();
    }
    (a / (a + b) / x).ln() - log_minus_digamma(a) + log_minus_digamma(a + b)
}

/// Over s = logit x − logit x′.
fn logit_quadrature(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    let (total, slope) = (a + b, a * y - b * x);
    let (centre_a, centre_b) = (centre(a, b, x), centre(b, a, y));
    // log(1 + x (e^(−s) − 1)) and the exponent of the density ratio.
    let parts = |s: f64| {
        if x <= 0.5 {
            let u = x * (-s).exp_m1();
            (u.ln_1p(), slope * s + total * (log_1p_minus(u) + x * exp_m1_minus(-s)))
        } else {
            let v = y * s.exp_m1();
            (v.ln_1p() - s, slope * s + total * (log_1p_minus(v) + y * exp_m1_minus(s)))
        }
    };
    let scale = tail_scale(slope.max(0.0), total * x * y);
    let integral = |weight: &dyn Fn(f64, f64) -> f64| {
        half_line(scale, |s| {
            let (log_ratio, exponent) = parts(s);
            weight(s, log_ratio) * (-exponent).exp()
        })
    };
    (integral(&|s, log_ratio| centre_a + s + log_ratio), integral(&|_, log_ratio| centre_b + log_ratio))
}

/// Over τ = log x − log x′, where a singularity at x′ = 1 is far.
fn power_quadrature(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    let odds = x / y;
    let (centre_a, centre_b) = (centre(a, b, x), centre(b, a, y));
    let scale = tail_scale((a - (b - 1.0) * odds).max(0.0), b * odds * odds);
    let integral = |weight: &dyn Fn(f64, f64) -> f64| {
        half_line(scale, |tau| {
            let grown = -odds * (-tau).exp_m1();
            let log_ratio = grown.ln_1p();
            weight(tau, log_ratio) * (b * log_ratio - a * tau).exp() / (y * (1.0 + grown))
        })
    };
    (integral(&|tau, _| centre_a + tau), integral(&|_, log_ratio| centre_b - log_ratio))
}

/// Worst relative error measured: 4.9e-14, shapes 0.03 to 200. At smaller and larger shapes nothing was measured.
impl ImplicitReparameterized for Beta {
    fn sample_jacobian(&self, z: &f64) -> Array2<f64> {
        let (x, y) = (*z, 1.0 - z);
        let (da, db) = logit_derivatives(self.alpha(), self.beta(), x, y);
        array![[x * y * da, x * y * db]]
    }
}
