//! The contract of distributions of one variable.

use std::borrow::Borrow;

use super::quadrature::{Cells, GaussLegendre};
use crate::univariate::Univariate;

/// Accuracy of integrals and of the CDF.
const TOLERANCE: f64 = 1e-9;

/// Checks CDF, quantiles, moments, mode, entropy and KL of every member against its own density, by summation for
/// discrete families and by quadrature for continuous ones; KL is to the next member of equal `fixed`.
///
/// - The density integrates, or sums, to one. Its integral between any two points of a fine grid is the difference of
///   the CDF, to 10⁻⁹; `cdf` + `survival` = 1; `quantile` inverts `cdf`; both have their limits at the ends.
/// - Mean, variance, entropy and KL are the integrals, to 10⁻⁷ of their terms. Integrals whose tail beyond probability
///   10⁻¹³ matters, of heavy tails, are not compared.
/// - No point of the grid is more probable than the mode.
/// - Numbers that are no values, NaN and points outside the support get a density of zero, or NaN, never a panic.
///
/// Densities unbounded at an end other than 0 lose digits there: use members bounded at such ends.
///
/// # Panics
/// With the member and both numbers where the contract is broken.
pub fn check_univariate<F: Univariate>(members: &[F]) {
    for (i, member) in members.iter().enumerate() {
        let other = &members[(i + 1) % members.len()];
        let other = if other.fixed() == member.fixed() { other } else { member };
        check_ends(member);
        if F::DISCRETE { check_discrete(member, other) } else { check_continuous(member, other) }
    }
}

fn log_density<F: Univariate>(member: &F, x: f64) -> f64 {
    F::from_f64(x).map_or(f64::NEG_INFINITY, |z| member.log_prob(z.borrow()))
}

fn check_ends<F: Univariate>(member: &F) {
    let (lower, upper) = member.support();
    assert!(lower < upper, "{member:?}: support from {lower} to {upper}");
    let ends = [member.cdf(f64::NEG_INFINITY), member.cdf(f64::INFINITY), member.survival(f64::INFINITY)];
    assert_eq!(ends, [0.0, 1.0, 0.0], "{member:?}: CDF at −∞ and ∞, survival at ∞");
    assert_eq!((member.quantile(0.0), member.quantile(1.0)), (lower, upper), "{member:?}: quantiles of 0, 1");
    for p in [-0.1, 1.1, f64::NAN] {
        assert!(member.quantile(p).is_nan(), "{member:?}: quantile of {p} is {}", member.quantile(p));
    }
    assert!(member.cdf(f64::NAN).is_nan(), "{member:?}: CDF of NaN is {}", member.cdf(f64::NAN));
    for x in [lower - 1.0, upper + 1.0, 0.5, -1.0, 1e300, -1e300, f64::NAN] {
        let log_density = log_density(member, x);
        let outside = x < lower || x > upper;
        assert!(!outside || log_density == f64::NEG_INFINITY, "{member:?}: log density {log_density} at {x}");
    }
}

/// Running integrals over the support.
#[derive(Default)]
struct Integrals {
    mass: f64,
    mean: f64,
    square: f64,
    entropy: f64,
    kl: f64,
    /// Sizes of the terms, which errors scale with.
    sizes: [f64; 4],
    /// The largest contributions of the outermost cells.
    tails: [f64; 4],
}

impl Integrals {
    /// Adds the weight `w` = p(x) dx of a point; `outer` when it lies at an end of what is integrated.
    fn add(&mut self, x: f64, w: f64, log_p: f64, log_q: f64, centre: f64, outer: bool) {
        if w == 0.0 {
            return;
        }
        let d = x - centre;
        let terms = [w * d, w * d * d, -w * log_p, w * (log_p - log_q)];
        self.mass += w;
        self.mean += terms[0];
        self.square += terms[1];
        self.entropy += terms[2];
        self.kl += terms[3];
        for ((size, tail), term) in self.sizes.iter_mut().zip(&mut self.tails).zip(terms) {
            *size += term.abs();
            if outer {
                *tail += term.abs();
            }
        }
    }

    fn check<F: Univariate>(&self, member: &F, other: &F, centre: f64) {
        let variance = self.square - self.mean * self.mean;
        let sd = self.square.sqrt();
        let rows = [
            ("mean", centre + self.mean, member.mean(), sd + centre.abs() * 1e-3),
            ("variance", variance, member.variance(), self.square),
            ("entropy", self.entropy, member.entropy(), 1.0 + self.sizes[2]),
            ("KL", self.kl, member.kl(other), 1.0 + self.sizes[3]),
        ];
        for (i, (name, integral, value, size)) in rows.into_iter().enumerate() {
            if self.tails[i] > 1e-9 * self.sizes[i] || !size.is_finite() {
                continue;
            }
            assert!(
                (integral - value).abs() <= 1e-7 * size,
                "{member:?}: {name} is {value}, integrated {integral} (to {other:?})"
            );
        }
    }
}

fn check_discrete<F: Univariate>(member: &F, other: &F) {
    let (lower, upper) = member.support();
    let last = member.quantile(1.0 - 1e-13).min(upper);
    assert!(last - lower < 1e6, "{member:?}: more than a million values carry the mass");
    let centre = member.quantile(0.5);
    let (mut sums, mut best) = (Integrals::default(), (f64::NEG_INFINITY, f64::NAN));
    let mut x = lower;
    while x <= last + 50.0 && x <= upper {
        let log_p = log_density(member, x);
        sums.add(x, log_p.exp(), log_p, log_density(other, x), centre, x > last);
        if log_p > best.0 + 1e-12 * (1.0 + log_p.abs()) {
            best = (log_p, x);
        }
        let (below, above) = (member.cdf(x), member.survival(x));
        assert!(
            (below - sums.mass).abs() <= TOLERANCE,
            "{member:?}: CDF({x}) = {below}, summed {}",
            sums.mass
        );
        assert!(
            (below + above - 1.0).abs() <= TOLERANCE,
            "{member:?}: CDF + survival at {x}: {below} + {above}"
        );
        assert_eq!(member.cdf(x + 0.5), below, "{member:?}: the CDF between {x} and the next value");
        // In the middle of a step the quantile is not a matter of rounding.
        let middle = below - 0.5 * log_p.exp();
        if log_p.exp() > 1e-9 {
            assert_eq!(member.quantile(middle), x, "{member:?}: quantile of {middle}");
        }
        x += 1.0;
    }
    assert!((sums.mass - 1.0).abs() <= TOLERANCE, "{member:?}: probabilities sum to {}", sums.mass);
    let at_mode = log_density(member, member.mode());
    assert!(
        (at_mode - best.0).abs() <= 1e-9 * (1.0 + best.0.abs()),
        "{member:?}: mode {} has log probability {at_mode}, {} has {}",
        member.mode(),
        best.1,
        best.0
    );
    sums.check(member, other, centre);
}

fn check_continuous<F: Univariate>(member: &F, other: &F) {
    let rule = GaussLegendre::new();
    let cells = Cells::new(|p| member.quantile(p));
    let centre = member.quantile(0.5);
    let mut sums = Integrals::default();
    let mut best = (f64::NEG_INFINITY, f64::NAN);
    for (a, b, outer) in cells.iter() {
        let before = sums.mass;
        for (x, weight) in rule.points(a, b) {
            let log_p = log_density(member, x);
            sums.add(x, weight * log_p.exp(), log_p, log_density(other, x), centre, outer);
            if log_p > best.0 {
                best = (log_p, x);
            }
        }
        let (integral, difference) = (sums.mass - before, member.cdf(b) - member.cdf(a));
        assert!(
            (integral - difference).abs() <= TOLERANCE,
            "{member:?}: the CDF rises by {difference} from {a} to {b}, the density integrates to {integral}"
        );
        let (below, above) = (member.cdf(b), member.survival(b));
        assert!(
            (below + above - 1.0).abs() <= TOLERANCE,
            "{member:?}: CDF + survival at {b}: {below} + {above}"
        );
    }
    assert!((sums.mass - 1.0).abs() <= TOLERANCE, "{member:?}: the density integrates to {}", sums.mass);
    for p in [1e-9, 1e-4, 0.03, 0.3, 0.5, 0.8, 0.99, 1.0 - 1e-6] {
        let back = member.cdf(member.quantile(p));
        assert!(
            (back - p).abs() <= TOLERANCE * p.max(1e-3),
            "{member:?}: CDF of the quantile of {p} is {back}"
        );
    }
    check_mode(member, best);
    sums.check(member, other, centre);
}

fn check_mode<F: Univariate>(member: &F, best: (f64, f64)) {
    let (mode, (lower, upper)) = (member.mode(), member.support());
    if mode.is_nan() {
        return;
    }
    assert!(mode >= lower && mode <= upper, "{member:?}: mode {mode} outside the support");
    let at_mode = log_density(member, mode);
    // At an end of the support the density may have no value: then it must rise towards that end.
    let end = (mode == lower && best.1 <= member.quantile(0.01))
        || (mode == upper && best.1 >= member.quantile(0.99));
    assert!(
        at_mode >= best.0 - 1e-9 * (1.0 + best.0.abs()) || end,
        "{member:?}: log density {at_mode} at the mode {mode}, {} at {}",
        best.0,
        best.1
    );
    if mode == lower || mode == upper {
        return;
    }
    // A mode a thousandth of the spread away from the peak has a neighbour above it.
    let step = if F::DISCRETE { 1.0 } else { 1e-4 * (member.quantile(0.75) - member.quantile(0.25)) };
    for x in [mode - step, mode + step] {
        let inside = step.is_finite() && x >= lower && x <= upper;
        let neighbour = if inside { log_density(member, x) } else { f64::NEG_INFINITY };
        assert!(
            neighbour <= at_mode + 1e-12 * (1.0 + at_mode.abs()),
            "{member:?}: log density {at_mode} at the mode {mode}, {neighbour} at {x}"
        );
    }
}
