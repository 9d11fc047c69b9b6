//! Densities of draws, for the figures.

use vi_core::Support;

/// A density on an even grid.
#[derive(Debug)]
pub(crate) struct Density {
    pub(crate) points: Vec<(f64, f64)>,
}

const N_POINTS: usize = 201;

/// The Gaussian kernel density of `sorted` draws on [lower, upper], with the bandwidth of Scott (1992,
/// eq. 6.42) and reflection at the ends of the support, where a plain kernel would leak.
pub(crate) fn kernel_density(sorted: &[f64], support: Support, lower: f64, upper: f64) -> Density {
    let n = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / n;
    let sd = (sorted.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0)).sqrt();
    let quartiles = quantile(sorted, 0.75) - quantile(sorted, 0.25);
    let spread = if quartiles > 0.0 { sd.min(quartiles / 1.349) } else { sd };
    // Draws that are all alike still get a bar that can be seen.
    let bandwidth = (1.06 * spread * n.powf(-0.2)).max((upper - lower) * 1e-2);
    let ends = match support {
        Support::Positive => (Some(0.0), None),
        Support::Interval { lower, upper } => (Some(lower), Some(upper)),
        Support::Simplex => (Some(0.0), Some(1.0)),
        _ => (None, None),
    };
    let step = (upper - lower) / (N_POINTS - 1) as f64;
    let at = |x: f64| kernel_sum(sorted, x, bandwidth);
    let points = (0..N_POINTS).map(|i| {
        let x = lower + step * i as f64;
        if ends.0.is_some_and(|a| x < a) || ends.1.is_some_and(|b| x > b) {
            return (x, 0.0);
        }
        let mirrored = ends.0.map_or(0.0, |a| at(2.0 * a - x)) + ends.1.map_or(0.0, |b| at(2.0 * b - x));
        (x, (at(x) + mirrored) / n)
    });
    Density { points: points.collect() }
}

/// Σ of kernels centred at the draws within five bandwidths of `x`.
fn kernel_sum(sorted: &[f64], x: f64, bandwidth: f64) -> f64 {
    let first = sorted.partition_point(|v| *v < x - 5.0 * bandwidth);
    let last = sorted.partition_point(|v| *v <= x + 5.0 * bandwidth);
    let norm = bandwidth * (2.0 * std::f64::consts::PI).sqrt();
    sorted[first..last].iter().map(|v| (-0.5 * ((v - x) / bandwidth).powi(2)).exp() / norm).sum()
}

/// A range that shows every set of draws, without letting the widest hide the narrowest; shares of a whole are
/// shown as such.
pub(crate) fn common_range(sorted: &[Vec<f64>], support: Support) -> (f64, f64) {
    if support == Support::Simplex {
        return (0.0, 1.0);
    }
    let central: Vec<(f64, f64)> = sorted.iter().map(|x| (quantile(x, 0.005), quantile(x, 0.995))).collect();
    let lower = central.iter().map(|r| r.0).fold(f64::INFINITY, f64::min);
    let upper = central.iter().map(|r| r.1).fold(f64::NEG_INFINITY, f64::max);
    let narrowest = central.iter().min_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0)));
    let Some(&(a, b)) = narrowest else { return (0.0, 1.0) };
    let reach = 8.0 * (b - a).max(1e-3 * (upper - lower));
    let (lower, upper) = (lower.max(a - reach), upper.min(b + reach));
    let margin = 0.06 * (upper - lower);
    if margin > 0.0 { (lower - margin, upper + margin) } else { (lower - 0.5, upper + 0.5) }
}

pub(crate) fn quantile(sorted: &[f64], p: f64) -> f64 {
    vi_core::quantile_sorted(sorted, p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn density_integrates_to_one_and_does_not_leak_over_the_boundary() {
        // Quantiles of an exponential distribution, whose density is highest at its boundary.
        let x: Vec<f64> = (0..2000).map(|i| -(1.0 - (i as f64 + 0.5) / 2000.0).ln()).collect();
        let density = kernel_density(&x, Support::Positive, -1.0, 9.0);
        let mass: f64 = density.points.iter().map(|p| p.1 * 0.05).sum();
        assert!((mass - 1.0).abs() < 0.03, "{mass}");
        assert!(density.points.iter().all(|p| p.0 >= 0.0 || p.1 == 0.0));
        let at_zero = density.points.iter().find(|p| p.0 >= 0.0).expect("the range holds 0").1;
        assert!(at_zero > 0.85, "a kernel that leaks halves the density at the boundary: {at_zero}");
    }

    #[test]
    fn wide_draws_do_not_hide_narrow_ones() {
        let narrow: Vec<f64> = (0..100).map(|i| i as f64 * 1e-3).collect();
        let wide: Vec<f64> = (0..100).map(|i| i as f64 - 50.0).collect();
        let (lower, upper) = common_range(&[narrow, wide], Support::Real);
        assert!(upper - lower < 3.0, "{lower} {upper}");
    }
}
