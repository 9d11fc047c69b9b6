//! Integration over the cells between quantiles, for densities of any scale and with a pole at zero.

/// Powers of two from one half down to about 10⁻¹³.
const N_OCTAVES: usize = 43;
/// Cells per power of two.
const N_CELLS: usize = 8;

/// Consecutive intervals between quantiles at 2^(−k/8) on both sides of the median.
#[derive(Debug)]
pub(super) struct Cells {
    ends: Vec<f64>,
}

impl Cells {
    pub(super) fn new(quantile: impl Fn(f64) -> f64) -> Self {
        let n = N_OCTAVES * N_CELLS;
        let probability = |k: usize| 0.5 * (-(k as f64) / N_CELLS as f64).exp2();
        let lower = (0..n).rev().map(|k| quantile(probability(k)));
        let upper = (1..n).map(|k| quantile(1.0 - probability(k)));
        let mut ends: Vec<f64> = lower.chain(upper).collect();
        ends.dedup();
        assert!(ends.windows(2).all(|w| w[0] < w[1]), "quantiles do not increase: {ends:?}");
        Self { ends }
    }

    /// (lower end, upper end, whether it is one of the outermost eight at either side).
    pub(super) fn iter(&self) -> impl Iterator<Item = (f64, f64, bool)> {
        let n = self.ends.len() - 1;
        (0..n).map(move |i| (self.ends[i], self.ends[i + 1], i < N_CELLS || i + N_CELLS >= n))
    }
}

/// The Gauss–Legendre rule of 16 points.
#[derive(Debug)]
pub(super) struct GaussLegendre {
    nodes: Vec<(f64, f64)>,
}

impl GaussLegendre {
    pub(super) fn new() -> Self {
        const N: usize = 16;
        let nodes = (0..N).map(|i| node(N, i)).collect();
        Self { nodes }
    }

    /// Points and weights on (a, b).
    pub(super) fn points(&self, a: f64, b: f64) -> impl Iterator<Item = (f64, f64)> {
        let half = 0.5 * (b - a);
        self.nodes.iter().map(move |(x, w)| (a + half * (1.0 + x), half * w))
    }
}

/// Root `i` of the Legendre polynomial of degree `n` by Newton steps, with its weight.
fn node(n: usize, i: usize) -> (f64, f64) {
    let mut x = -(std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
    let mut slope = 0.0;
    for _ in 0..20 {
        let (mut before, mut value) = (1.0, x);
        for k in 2..=n {
            let k = k as f64;
            (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
        }
        slope = n as f64 * (x * value - before) / (x * x - 1.0);
        x -= value / slope;
    }
    (x, 2.0 / ((1.0 - x * x) * slope * slope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_exact_for_polynomials_of_degree_31() {
        let rule = GaussLegendre::new();
        for degree in [0, 1, 2, 30, 31] {
            let integral: f64 = rule.points(0.0, 1.0).map(|(x, w)| w * x.powi(degree)).sum();
            assert!((integral - 1.0 / f64::from(degree + 1)).abs() < 1e-15, "degree {degree}: {integral}");
        }
    }

    #[test]
    fn cells_cover_a_pole_at_zero() {
        // Density x^(−0.9)/10 on (0, 1), with CDF x^0.1.
        let cells = Cells::new(|p: f64| p.powf(10.0));
        let rule = GaussLegendre::new();
        let total: f64 = cells
            .iter()
            .flat_map(|(a, b, _)| rule.points(a, b).collect::<Vec<_>>())
            .map(|(x, w)| w * 0.1 * x.powf(-0.9))
            .sum();
        assert!((total - 1.0).abs() < 1e-11, "{total}");
    }
}
