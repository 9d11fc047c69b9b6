//! Expectations of softplus under a Gaussian.

use std::f64::consts::PI;

use vi_core::numerics::{sigmoid_scalar, softplus_scalar};

/// E[softplus(x)], E[σ(x)] and E[σ(x)(1 − σ(x))] for x ~ N(mean, sd²).
///
/// The trapezoidal rule in u = (x − mean)/sd, whose error falls like exp(−2πa/h + a²/2) for a step h and a function that is
/// analytic in a strip of half-width a (Trefethen & Weideman 2014, SIAM Rev. 56:385, theorem 5.1): softplus is up to
/// a = π/sd, so that h is chosen to leave e⁻³⁷. Gauss–Hermite needs far more nodes where sd is large.
pub(crate) fn softplus_moments(mean: f64, sd: f64) -> [f64; 3] {
    softplus_moments_by(mean, sd, 1.0)
}

/// The same with the step shortened by this factor.
fn softplus_moments_by(mean: f64, sd: f64, shortened: f64) -> [f64; 3] {
    /// e^(−REACH²/2) is below the rounding error of what is summed.
    const REACH: f64 = 9.0;
    /// −log of the error aimed at.
    const DIGITS: f64 = 37.0;
    // Beyond √(2 · DIGITS) a wider strip no longer lengthens the step.
    let strip = (0.95 * PI / sd).min((2.0 * DIGITS).sqrt());
    let step = shortened * 2.0 * PI * strip / (DIGITS + 0.5 * strip * strip);
    let n = (REACH / step).ceil() as i64;
    let weight = step / (2.0 * PI).sqrt();
    let mut out = [0.0; 3];
    for i in -n..=n {
        let u = i as f64 * step;
        let w = weight * (-0.5 * u * u).exp();
        let x = mean + sd * u;
        let s = sigmoid_scalar(x);
        out[0] += w * softplus_scalar(x);
        out[1] += w * s;
        out[2] += w * s * sigmoid_scalar(-x);
    }
    out
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    #[test]
    fn the_rule_has_converged() {
        for sd in [1e-6, 0.1, 1.0, 3.0, 10.0, 60.0] {
            for mean in [-30.0, -2.0, 0.0, 0.7, 8.0] {
                let (coarse, fine) = (softplus_moments(mean, sd), softplus_moments_by(mean, sd, 0.31));
                for (c, f) in coarse.iter().zip(fine) {
                    assert_relative_eq!(*c, f, max_relative = 1e-12, epsilon = 1e-15);
                }
            }
        }
    }

    #[test]
    fn symmetry_and_limits_hold() {
        // softplus(x) − x/2 is even.
        assert_relative_eq!(softplus_moments(0.0, 2.0)[1], 0.5, max_relative = 1e-13);
        let [up, down] = [softplus_moments(1.3, 2.0)[0], softplus_moments(-1.3, 2.0)[0]];
        assert_relative_eq!(up - down, 1.3, max_relative = 1e-12);
        // Without spread the function itself, with much of it that of max(x, 0): sd/√(2π).
        assert_relative_eq!(softplus_moments(0.4, 0.0)[0], softplus_scalar(0.4), max_relative = 1e-13);
        assert_relative_eq!(softplus_moments(0.0, 1e3)[0], 1e3 / (2.0 * PI).sqrt(), max_relative = 1e-5);
    }

    #[test]
    fn moments_are_derivatives_of_the_first() {
        let (mean, sd, h) = (0.6, 1.7, 1e-5);
        let [_, first, second] = softplus_moments(mean, sd);
        let in_mean = softplus_moments(mean + h, sd)[0] - softplus_moments(mean - h, sd)[0];
        let in_sd = softplus_moments(mean, sd + h)[0] - softplus_moments(mean, sd - h)[0];
        assert_relative_eq!(first, in_mean / (2.0 * h), max_relative = 1e-8);
        assert_relative_eq!(sd * second, in_sd / (2.0 * h), max_relative = 1e-8);
    }
}
