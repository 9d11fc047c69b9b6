//! Local expectation gradients.

use ndarray::{ArrayRef1, ArrayRef2};
use vi_core::StreamKey;
use vi_families::FactorizedDistribution;

use super::one_at_a_time::{FactorRule, Misfit, OneAtATime};
use crate::locality::Joint;

/// Local expectation gradients: every factor is summed over all its values, the others at values drawn from q.
///
/// ```text
/// ĝ_i = (1/S) Σ_s Σ_k q_i(k) f(k, z_s,−i) ∇ log q_i(k),   f = log p(x, z) − log q_i(z_i)
/// ```
/// No noise comes from the factor itself. Requirements: a product whose factors have finitely many values; a factor
/// that has not is an error that names it ([`LocalQuadrature`] also takes Gaussian ones). Cost: S + S Σ_i (K_i − 1) log
/// joints, as one of the values is the drawn one, or with [`OneAtATime::rao_blackwellized`] S log joints and S Σ_i K_i terms of one block; memory O(S·D) and 64 points
/// per thread.
///
/// ```
/// use vi_sgvi::LocalExpectations;
///
/// let whole = LocalExpectations::new(4);
/// let cheaper = LocalExpectations::new(4).rao_blackwellized();
/// ```
/// Source: Titsias & Lázaro-Gredilla 2015, eq. 9–11, <https://arxiv.org/abs/1503.01494>.
pub type LocalExpectations<L = Joint> = OneAtATime<Values, L>;

/// [`LocalExpectations`] that also take Gaussian factors, by Gauss–Hermite quadrature: see [`GaussHermite`].
pub type LocalQuadrature<L = Joint> = OneAtATime<GaussHermite, L>;

/// All values of a factor with finitely many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values;

impl OneAtATime<Values> {
    /// Local expectations around S draws.
    pub fn new(n_samples: usize) -> Self {
        Self { n_samples, rule: Values, locality: Joint }
    }
}

impl OneAtATime<GaussHermite> {
    /// Local expectations around S draws, Gaussian factors by quadrature with `n_nodes` nodes.
    ///
    /// # Panics
    /// If `n_nodes` is not between 1 and 64.
    pub fn new(n_samples: usize, n_nodes: usize) -> Self {
        Self { n_samples, rule: GaussHermite::new(n_nodes), locality: Joint }
    }
}

impl<Q: FactorizedDistribution> FactorRule<Q> for Values {
    fn name(&self) -> String {
        "local expectations".to_owned()
    }
    fn check(&self, q: &Q, i: usize) -> Result<(), Misfit> {
        q.n_values(i).map(|_| ()).ok_or(Misfit::Values)
    }
    fn n_points(&self, q: &Q, i: usize) -> usize {
        q.n_values(i).unwrap_or(0)
    }
    fn n_draws(&self, q: &Q, i: usize) -> usize {
        self.n_points(q, i).min(1)
    }
    fn set_points(&self, q: &Q, i: usize, _key: StreamKey, _sample: usize, z: &mut ArrayRef2<f64>) {
        for (k, mut z) in z.rows_mut().into_iter().enumerate() {
            q.set_value(i, k, &mut z);
        }
    }
    fn add(
        &self,
        q: &Q,
        i: usize,
        z: &ArrayRef2<f64>,
        log_joints: &mut [f64],
        weight: f64,
        out: &mut ArrayRef1<f64>,
    ) {
        add_expectation(q, i, z, log_joints, weight, out, |_, log_q| log_q.exp());
    }
}

/// out += weight Σ_k p_k (f_k − f̄) ∇ log q_i(z_k), with p_k = `probability(k, log q_i(z_k))`. The mean f̄ adds nothing
/// to the sum but keeps its digits where f is large. A value of probability 0 counts for nothing, whatever its f.
fn add_expectation<Q: FactorizedDistribution>(
    q: &Q,
    i: usize,
    z: &ArrayRef2<f64>,
    log_joints: &mut [f64],
    weight: f64,
    out: &mut ArrayRef1<f64>,
    probability: impl Fn(usize, f64) -> f64,
) {
    let mut mean = 0.0;
    for (k, (z, f)) in z.rows().into_iter().zip(log_joints.iter_mut()).enumerate() {
        let log_q = q.log_prob_factor(i, &z);
        let p = probability(k, log_q);
        *f -= log_q;
        if p > 0.0 {
            mean += p * *f;
        }
    }
    for (k, (z, f)) in z.rows().into_iter().zip(log_joints.iter()).enumerate() {
        let p = probability(k, q.log_prob_factor(i, &z));
        if p > 0.0 {
            q.add_score_factor(i, &z, weight * p * (f - mean), out);
        }
    }
}

/// All values of a factor with finitely many, and Gauss–Hermite nodes for a Gaussian factor.
///
/// ```text
/// E_{N(m, s²)}[f ∇ log q] ≈ Σ_j w_j f(m + s x_j) ∇ log q(m + s x_j)
/// ```
/// Exact where f is a polynomial in the coordinate of degree at most 2n − 3; biased elsewhere, by what the rule with n
/// nodes misses.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussHermite {
    /// x_j and w_j of the standard normal.
    nodes: Vec<(f64, f64)>,
}

impl GaussHermite {
    /// The rule with `n` nodes.
    ///
    /// # Panics
    /// If `n` is not between 1 and 64.
    pub fn new(n: usize) -> Self {
        assert!((1..=64).contains(&n), "a Gauss–Hermite rule has 1 to 64 nodes here, not {n}");
        Self { nodes: nodes(n) }
    }
}

/// h_n(x) and h_{n−1}(x), the Hermite polynomials that are orthonormal under N(0, 1).
fn hermite(n: usize, x: f64) -> (f64, f64) {
    let (mut h, mut before) = (1.0, 0.0);
    for j in 0..n {
        let next = (x * h - (j as f64).sqrt() * before) / ((j + 1) as f64).sqrt();
        (before, h) = (h, next);
    }
    (h, before)
}

/// The zeros of h_n lie between those of h_{n−1} (and one beyond each end): bisection. The weights are
/// w = 1/(n h_{n−1}(x)²).
fn nodes(n: usize) -> Vec<(f64, f64)> {
    let end = 2.0 * (n as f64).sqrt() + 1.0;
    let mut zeros: Vec<f64> = Vec::new();
    for degree in 1..=n {
        let bounds: Vec<f64> = [-end].into_iter().chain(zeros).chain([end]).collect();
        zeros = bounds.windows(2).map(|w| bisect(degree, w[0], w[1])).collect();
    }
    zeros.into_iter().map(|x| (x, 1.0 / (n as f64 * hermite(n, x).1.powi(2)))).collect()
}

fn bisect(degree: usize, mut low: f64, mut high: f64) -> f64 {
    let sign = hermite(degree, low).0.signum();
    for _ in 0..200 {
        let middle = low.midpoint(high);
        if middle <= low || middle >= high {
            break;
        }
        if hermite(degree, middle).0.signum() == sign { low = middle } else { high = middle }
    }
    low.midpoint(high)
}

impl<Q: FactorizedDistribution> FactorRule<Q> for GaussHermite {
    fn name(&self) -> String {
        format!("local expectations, {} Gauss–Hermite nodes", self.nodes.len())
    }
    fn bias(&self) -> Option<&'static str> {
        Some("a quadrature rule is exact for polynomials only")
    }
    fn check(&self, q: &Q, i: usize) -> Result<(), Misfit> {
        if q.gaussian_factor(i).is_some() { Ok(()) } else { Values.check(q, i) }
    }
    fn n_points(&self, q: &Q, i: usize) -> usize {
        if q.gaussian_factor(i).is_some() { self.nodes.len() } else { Values.n_points(q, i) }
    }
    fn n_draws(&self, q: &Q, i: usize) -> usize {
        if q.gaussian_factor(i).is_some() { 0 } else { Values.n_draws(q, i) }
    }
    fn set_points(&self, q: &Q, i: usize, key: StreamKey, sample: usize, z: &mut ArrayRef2<f64>) {
        let Some((mean, sd)) = q.gaussian_factor(i) else {
            return Values.set_points(q, i, key, sample, z);
        };
        let d = q.factor(i).start;
        for (mut z, (x, _)) in z.rows_mut().into_iter().zip(&self.nodes) {
            z[d] = mean + sd * x;
        }
    }
    fn add(
        &self,
        q: &Q,
        i: usize,
        z: &ArrayRef2<f64>,
        log_joints: &mut [f64],
        weight: f64,
        out: &mut ArrayRef1<f64>,
    ) {
        if q.gaussian_factor(i).is_none() {
            return Values.add(q, i, z, log_joints, weight, out);
        }
        add_expectation(q, i, z, log_joints, weight, out, |k, _| self.nodes[k].1);
    }
}

#[cfg(test)]
mod tests {
    use super::nodes;

    /// A rule with n nodes has the moments of N(0, 1) up to order 2n − 1.
    #[test]
    fn moments_of_the_standard_normal() {
        for n in [1, 2, 5, 20, 64] {
            let rule = nodes(n);
            let mut expected = 1.0;
            for order in (0..(2 * n).min(20)).step_by(2) {
                let even: f64 = rule.iter().map(|(x, w)| w * x.powi(order as i32)).sum();
                let odd: f64 = rule.iter().map(|(x, w)| w * x.powi(order as i32 + 1)).sum();
                assert!((even / expected - 1.0).abs() < 1e-11, "n = {n}, order {order}: {even} ≠ {expected}");
                assert!(odd.abs() < 1e-10 * expected * (n as f64), "n = {n}, order {}: {odd}", order + 1);
                expected *= (order + 1) as f64;
            }
        }
    }
}
