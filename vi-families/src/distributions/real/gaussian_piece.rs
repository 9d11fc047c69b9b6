//! A Gaussian density restricted to an interval, seen from its highest point.
//!
//! ```text
//! exp(−κx − x²/2),   a ≤ x ≤ b,   x = (z − peak)/scale
//! ```
//! The peak is the location or the bound next to it, and κ is its distance from the location. Nothing here
//! cancels or underflows, however far in the tail or narrow the interval is: all integrands are positive and of
//! order one.

use super::continuous_bernoulli::unit_variance_at_mean;
use crate::special::gauss_legendre;

/// Log densities so far below the largest one do not count.
const NEGLIGIBLE: f64 = 60.0;
/// How far the log density falls within a panel of the quadrature.
const DROP_PER_PANEL: f64 = 15.0;

/// The restricted density without its moments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct GaussianPiece {
    pub(super) peak: f64,
    pub(super) scale: f64,
    /// (peak − location)/scale; positive where the peak is the lower bound.
    pub(super) kappa: f64,
    /// (lower − peak)/scale.
    pub(super) a: f64,
    /// (upper − peak)/scale.
    pub(super) b: f64,
}

/// Integral and moments of x under the restricted density.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PieceMoments {
    /// ∫ exp(−κx − x²/2) dx.
    pub(super) integral: f64,
    pub(super) mean: f64,
    pub(super) variance: f64,
    /// Third central moment.
    pub(super) third: f64,
    /// Variance of the squared deviation from the mean.
    pub(super) square_variance: f64,
}

/// The x > 0 with |κ|x + x²/2 = drop.
fn reach(kappa: f64, drop: f64) -> f64 {
    let kappa = kappa.abs();
    2.0 * drop / (kappa + kappa.hypot((2.0 * drop).sqrt()))
}

impl GaussianPiece {
    pub(super) fn new(location: f64, scale: f64, lower: f64, upper: f64) -> Self {
        let peak = location.clamp(lower, upper);
        Self {
            peak,
            scale,
            kappa: (peak - location) / scale,
            a: (lower - peak) / scale,
            b: (upper - peak) / scale,
        }
    }

    /// The log density at x relative to its largest value.
    pub(super) fn log_density(&self, x: f64) -> f64 {
        -x * (self.kappa + 0.5 * x)
    }

    /// The part of [a, b] where the log density is within `drop` of its largest value.
    pub(super) fn effective(&self, drop: f64) -> (f64, f64) {
        let reach = reach(self.kappa, drop);
        (self.a.max(-reach), self.b.min(reach))
    }

    fn for_each_node(&self, mut add: impl FnMut(f64, f64)) {
        let (a, b) = self.effective(NEGLIGIBLE);
        let n_panels = |end: f64| 2 + (-self.log_density(end) / DROP_PER_PANEL) as usize;
        let mut weigh = |x: f64, weight: f64| add(x, weight * self.log_density(x).exp());
        if a < 0.0 {
            gauss_legendre(a, -a, n_panels(a), &mut weigh);
        }
        if b > 0.0 {
            gauss_legendre(0.0, b, n_panels(b), &mut weigh);
        }
    }

    /// ∫ exp(−κx − x²/2) dx.
    pub(super) fn integral(&self) -> f64 {
        let mut total = 0.0;
        self.for_each_node(|_, w| total += w);
        total
    }

    pub(super) fn moments(&self) -> PieceMoments {
        let mut nodes = Vec::new();
        self.for_each_node(|x, w| nodes.push((x, w)));
        let integral: f64 = nodes.iter().map(|(_, w)| w).sum();
        let average = |f: &dyn Fn(f64) -> f64| nodes.iter().map(|(x, w)| w * f(*x)).sum::<f64>() / integral;
        let mean = average(&|x| x);
        let variance = average(&|x| (x - mean) * (x - mean));
        let square = |x: f64| (x - mean) * (x - mean) - variance;
        PieceMoments {
            integral,
            mean,
            variance,
            third: average(&|x| (x - mean).powi(3)),
            square_variance: average(&|x| square(x) * square(x)),
        }
    }
}

/// The least upper bound of the variances of the members with this mean: that of the exponential density cut off
/// at the bounds, which is no member.
fn largest_variance(mean: f64, lower: f64, upper: f64) -> f64 {
    let near = (mean - lower).min(upper - mean);
    if near == f64::INFINITY {
        return f64::INFINITY;
    }
    // The share of a bounded interval below which its other end makes no difference.
    let share = near / (upper - lower);
    if share < 1e-9 { near * near } else { (upper - lower).powi(2) * unit_variance_at_mean(share) }
}

/// Location and precision of the Gaussian that has this mean and variance when restricted to (lower, upper).
///
/// Newton steps on the concave log likelihood in η of the standardised variable, kept inside η₂ < 0.
pub(super) fn location_precision(mean: f64, variance: f64, lower: f64, upper: f64) -> Option<(f64, f64)> {
    let inside = mean > lower && mean < upper && variance > 0.0 && variance.is_finite();
    if !inside || variance >= largest_variance(mean, lower, upper) {
        return None;
    }
    let sd = variance.sqrt();
    let (a, b) = ((lower - mean) / sd, (upper - mean) / sd);
    let piece = |t: [f64; 2]| {
        let scale = (-2.0 * t[1]).sqrt().recip();
        GaussianPiece::new(t[0] * scale * scale, scale, a, b)
    };
    // A(θ) − θ₂, least where the mean is 0 and the mean square 1.
    let objective = |t: [f64; 2], p: &GaussianPiece, integral: f64| {
        p.peak * (t[0] + t[1] * p.peak) + (integral * p.scale).ln() - t[1]
    };
    let mut t = [0.0, -0.5];
    for _ in 0..200 {
        let p = piece(t);
        let m = p.moments();
        let (first, c2) = (p.peak + p.scale * m.mean, p.scale * p.scale * m.variance);
        let gradient = [first, c2 + (first - 1.0) * (first + 1.0)];
        // Covariances of y and y², from the central moments.
        let cross = 2.0 * first * c2 + p.scale.powi(3) * m.third;
        let square =
            4.0 * first * (first * c2 + p.scale.powi(3) * m.third) + p.scale.powi(4) * m.square_variance;
        let determinant = c2 * square - cross * cross;
        let step = [
            (cross * gradient[1] - square * gradient[0]) / determinant,
            (cross * gradient[0] - c2 * gradient[1]) / determinant,
        ];
        let decrement = -(gradient[0] * step[0] + gradient[1] * step[1]);
        if decrement.is_nan() || decrement == f64::INFINITY {
            return None;
        }
        let mut size = if step[1] > 0.0 { (-0.9 * t[1] / step[1]).min(1.0) } else { 1.0 };
        let at = |size: f64| [t[0] + size * step[0], t[1] + size * step[1]];
        if decrement > 1e-6 {
            let start = objective(t, &p, m.integral);
            for _ in 0..60 {
                let (next, q) = (at(size), piece(at(size)));
                if objective(next, &q, q.integral()) <= start - 1e-4 * size * decrement {
                    break;
                }
                size *= 0.5;
            }
        }
        t = at(size);
        if decrement < 1e-28 {
            break;
        }
    }
    let p = piece(t);
    let m = p.moments();
    let first = p.peak + p.scale * m.mean;
    let second = p.scale * p.scale * m.variance + first * first;
    let found = first.abs() < 1e-9 && (second - 1.0).abs() < 1e-9;
    found.then(|| (mean + sd * (t[0] / (-2.0 * t[1])), -2.0 * t[1] / variance))
}
