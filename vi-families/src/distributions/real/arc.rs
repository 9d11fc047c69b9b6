//! Integrals of exp(κ(cos d − 1)) over arcs that begin d ∈ [0, π] away from the mean direction.

use crate::special::gauss_legendre;

/// How far the integrand falls, as a logarithm, within a panel.
const DROP_PER_PANEL: f64 = 12.0;
/// Where the integrand has fallen by e^−60 from its value at the near end, the rest does not count.
const HALF_NEGLIGIBLE: f64 = 30.0;

/// ∫ f(d) exp(κ(cos d − 1)) dd over [near, near + width] ⊂ [0, π], relatively accurate in the tail too.
pub(crate) fn arc_moment(kappa: f64, near: f64, width: f64, f: impl Fn(f64) -> f64) -> f64 {
    let start = (0.5 * near).sin();
    let at_near = (-2.0 * kappa * start * start).exp();
    if at_near == 0.0 {
        return 0.0;
    }
    let reach = (start * start + HALF_NEGLIGIBLE / kappa).sqrt();
    let width = if reach < 1.0 { width.min(2.0 * reach.asin() - near) } else { width };
    // κ(cos near − cos d)
    let drop = |d: f64| 2.0 * kappa * (0.5 * (d + near)).sin() * (0.5 * (d - near)).sin();
    let n_panels = 2 + (drop(near + width) / DROP_PER_PANEL) as usize;
    let mut sum = 0.0;
    gauss_legendre(near, width, n_panels, |d, weight| sum += weight * f(d) * (-drop(d)).exp());
    sum * at_near
}

/// ∫ exp(κ(cos d − 1)) dd over [near, near + width] ⊂ [0, π].
pub(crate) fn arc_mass(kappa: f64, near: f64, width: f64) -> f64 {
    arc_moment(kappa, near, width, |_| 1.0)
}
