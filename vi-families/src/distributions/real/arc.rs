//! Integrals of exp(κ(cos d − 1)) over arcs that begin d ∈ [0, π] away from the mean direction.

use super::quadrature::gauss_legendre;

const N_PANELS: usize = 8;
/// Where the integrand has fallen by e^−60 from its value at the near end, the rest does not count.
const HALF_NEGLIGIBLE: f64 = 30.0;

/// ∫ f(d) exp(κ(cos d − 1)) dd over [near, near + width] ⊂ [0, π], relatively accurate in the tail too.
pub(crate) fn arc_moment(kappa: f64, near: f64, width: f64, f: impl Fn(f64) -> f64) -> f64 {
    let start = (0.5 * near).sin();
    let reach = (start * start + HALF_NEGLIGIBLE / kappa).sqrt();
    let width = if reach < 1.0 { width.min(2.0 * reach.asin() - near) } else { width };
    let mut sum = 0.0;
    gauss_legendre(near, width, N_PANELS, |d, weight| {
        // cos near − cos d
        let drop = 2.0 * (0.5 * (d + near)).sin() * (0.5 * (d - near)).sin();
        sum += weight * f(d) * (-kappa * drop).exp();
    });
    sum * (-2.0 * kappa * start * start).exp()
}

/// ∫ exp(κ(cos d − 1)) dd over [near, near + width] ⊂ [0, π].
pub(crate) fn arc_mass(kappa: f64, near: f64, width: f64) -> f64 {
    arc_moment(kappa, near, width, |_| 1.0)
}

/// ∫ exp(κ(cos d − 1)) dd over the circle, 2π e^−κ I₀(κ).
pub(crate) fn circle_mass(kappa: f64) -> f64 {
    2.0 * arc_mass(kappa, 0.0, std::f64::consts::PI)
}
