//! The angle to the mean direction in a von Mises–Fisher distribution of any dimension.
//!
//! ```text
//! p(d) ∝ sin^(p−2)(d) exp(−κ(1 − cos d)),   0 ≤ d ≤ π
//! ```
//! Its moments by quadrature of positive integrands keep the digits that formulas in Bessel functions cancel at
//! large κ, as in 1 − A² − (p − 1)A/κ.

use rand::RngExt;
use rand_distr::{Beta, Distribution};
use vi_core::StreamRng;

use crate::draw::standard_exponential;
use crate::special::gauss_legendre;

/// Log densities so far below the largest one do not count.
const NEGLIGIBLE: f64 = 60.0;
const N_PANELS: usize = 6;

/// Moments of v = 1 − cos d.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PolarMoments {
    /// log ∫ sin^(p−2)(d) exp(−κ(1 − cos d)) dd.
    pub(crate) log_integral: f64,
    /// `E[cos d]`, the mean resultant length, often called A_p(κ).
    pub(crate) resultant: f64,
    /// 1 − `E[cos d]`.
    pub(crate) complement: f64,
    /// `Var[cos d]`, the Fisher information along the mean direction.
    pub(crate) radial: f64,
    /// `E[sin² d]`/(p − 1) = A_p(κ)/κ, the Fisher information across the mean direction.
    pub(crate) tangential: f64,
}

/// 1 − cos d without cancellation.
fn versine(d: f64) -> f64 {
    let s = (0.5 * d).sin();
    2.0 * s * s
}

fn log_density(p: usize, kappa: f64, d: f64) -> f64 {
    let jacobian = if p == 2 { 0.0 } else { (p - 2) as f64 * d.sin().ln() };
    jacobian - kappa * versine(d)
}

/// Where the density is largest: κ sin² d = (p − 2) cos d.
fn peak(p: usize, kappa: f64) -> f64 {
    if p == 2 {
        return 0.0;
    }
    let q = (p - 2) as f64;
    let root = q.hypot(2.0 * kappa);
    let versine = (q + q * (q / (root + 2.0 * kappa))) / (q + root);
    2.0 * (0.5 * versine).sqrt().min(1.0).asin()
}

/// A point between `from` and `to` beyond which the log density is negligible beside that at `from`.
fn edge(from: f64, to: f64, drop: impl Fn(f64) -> f64) -> f64 {
    if drop(to) <= NEGLIGIBLE {
        return to;
    }
    let (mut near, mut far) = (from, to);
    for _ in 0..600 {
        if drop(far) <= 1.5 * NEGLIGIBLE {
            break;
        }
        let middle = 0.5 * (near + far);
        if drop(middle) > NEGLIGIBLE {
            far = middle;
        } else {
            near = middle;
        }
    }
    far
}

impl PolarMoments {
    /// The moments in p ≥ 2 dimensions at concentration κ ≥ 0.
    pub(crate) fn new(p: usize, kappa: f64) -> Self {
        let centre = peak(p, kappa);
        let (top, middle) = (log_density(p, kappa, centre), versine(centre));
        let drop = |d: f64| top - log_density(p, kappa, d);
        let (mut total, mut first, mut second, mut squared_sine) = (0.0, 0.0, 0.0, 0.0);
        // Deviations from the value at the peak, so that the variance does not cancel.
        let mut add = |d: f64, weight: f64| {
            let w = weight * (-drop(d)).exp();
            let (v, sine) = (versine(d) - middle, d.sin());
            total += w;
            first += w * v;
            second += w * v * v;
            squared_sine += w * sine * sine;
        };
        gauss_legendre(centre, edge(centre, std::f64::consts::PI, drop) - centre, N_PANELS, &mut add);
        if centre > 0.0 {
            let start = edge(centre, 0.0, drop);
            gauss_legendre(start, centre - start, N_PANELS, &mut add);
        }
        let shift = first / total;
        let tangential = squared_sine / total / (p - 1) as f64;
        let complement = middle + shift;
        Self {
            log_integral: top + total.ln(),
            resultant: if kappa < 1.0 { kappa * tangential } else { 1.0 - complement },
            complement,
            radial: second / total - shift * shift,
            tangential,
        }
    }
}

/// The κ ≥ 0 with A_p(κ) = `resultant` < 1, given also 1 − `resultant`.
///
/// Newton steps from Banerjee et al. (2005), eq. 4.4, on A itself or on 1/(1 − A), whichever is straighter.
pub(crate) fn concentration(p: usize, resultant: f64, complement: f64) -> f64 {
    let r = resultant;
    let mut kappa = r * (p as f64 - r * r) / (complement * (1.0 + r));
    if kappa == 0.0 {
        return 0.0;
    }
    for _ in 0..30 {
        let m = PolarMoments::new(p, kappa);
        let step = if r < 0.5 {
            (r - m.resultant) / m.radial
        } else {
            m.complement * (m.complement / complement - 1.0) / m.radial
        };
        if step.is_nan() {
            break;
        }
        let next = (kappa + step).clamp(0.25 * kappa, 4.0 * kappa);
        let done = (next - kappa).abs() <= 4.0 * f64::EPSILON * kappa;
        kappa = next;
        if done {
            break;
        }
    }
    kappa
}

/// One draw of v = 1 − cos d, by the rejection of Wood (1994), written in v so that it holds at every κ.
pub(crate) fn sample_versine(p: usize, kappa: f64, rng: &mut StreamRng) -> f64 {
    let q = (p - 1) as f64;
    let b = q / (2.0 * kappa + q.hypot(2.0 * kappa));
    // 1 − x₀ with Wood's x₀ = (1 − b)/(1 + b).
    let mode = 2.0 * b / (1.0 + b);
    let x0 = 1.0 - mode;
    let symmetric = Beta::new(0.5 * q, 0.5 * q).expect("p is at least 2");
    loop {
        let z = if p == 2 {
            let s = (std::f64::consts::FRAC_PI_2 * rng.random::<f64>()).sin();
            s * s
        } else {
            symmetric.sample(rng)
        };
        let v = 2.0 * b * z / ((1.0 - z) + b * z);
        let log_ratio = kappa * (mode - v) + q * ((mode + x0 * v) / (mode * (1.0 + x0))).ln();
        let exponential = standard_exponential(rng);
        if log_ratio >= -exponential {
            return v.clamp(0.0, 2.0);
        }
    }
}
