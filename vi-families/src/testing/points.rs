//! Rules of integration for the families of several coordinates.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use vi_core::linalg::Cholesky;

use super::lines::{Line, for_each_product};
use super::normalised::Quadrature;
use super::quadrature::GaussLegendre;
use crate::distributions::*;

/// Sums over the K categories.
impl Quadrature for Categorical {
    fn for_each_point(&self, visit: &mut dyn FnMut(&usize, f64)) {
        (0..self.n_categories()).for_each(|k| visit(&k, 1.0));
    }
}

/// Sums over all vectors of K counts with sum n: (n + K − 1 choose K − 1) of them.
impl Quadrature for Multinomial {
    fn for_each_point(&self, visit: &mut dyn FnMut(&ArrayRef1<f64>, f64)) {
        fn fill(z: &mut Array1<f64>, k: usize, left: u64, visit: &mut dyn FnMut(&ArrayRef1<f64>, f64)) {
            if k + 1 == z.len() {
                z[k] = left as f64;
                visit(z, 1.0);
                return;
            }
            for count in 0..=left {
                z[k] = count as f64;
                fill(z, k + 1, left - count, visit);
            }
        }
        fill(&mut Array1::zeros(self.n_categories()), 0, self.n_trials(), visit);
    }
}

/// In the logits of the independent Beta fractions that each category takes of what those before it left.
impl Quadrature for Dirichlet {
    fn for_each_point(&self, visit: &mut dyn FnMut(&ArrayRef1<f64>, f64)) {
        let alpha = self.concentration();
        let k = alpha.len();
        let after = |i: usize| alpha.iter().skip(i + 1).sum::<f64>();
        let lines: Vec<_> = (0..k - 1).map(|i| Line::logit_beta(alpha[i], after(i))).collect();
        let mut z = Array1::zeros(k);
        for_each_product(&lines, |u, volume| {
            let (mut left, mut weight) = (1.0, volume);
            for (i, u) in u.iter().enumerate() {
                let (taken, rest) = (1.0 / (1.0 + (-u).exp()), 1.0 / (1.0 + u.exp()));
                z[i] = left * taken;
                weight *= left * taken * rest;
                left *= rest;
            }
            z[k - 1] = left;
            visit(&z, weight);
        });
    }
}

/// On m + L u, LLᵀ = Σ: standard normal in u.
impl Quadrature for MvGaussian {
    fn for_each_point(&self, visit: &mut dyn FnMut(&ArrayRef1<f64>, f64)) {
        let l = factor(self.covariance());
        let jacobian: f64 = l.diag().product();
        for_each_product(&vec![Line::normal(); self.dim()], |u, volume| {
            let z = self.mean() + &l.dot(&Array1::from(u.to_vec()));
            visit(&z, volume * jacobian);
        });
    }
}

/// On m + s u, coordinate by coordinate.
impl Quadrature for DiagonalGaussian {
    fn for_each_point(&self, visit: &mut dyn FnMut(&ArrayRef1<f64>, f64)) {
        let sd = self.sd();
        let jacobian: f64 = sd.product();
        for_each_product(&vec![Line::normal(); self.dim()], |u, volume| {
            let z = self.mean() + &(&sd * &Array1::from(u.to_vec()));
            visit(&z, volume * jacobian);
        });
    }
}

/// On M + L u Rᵀ, LLᵀ = U (n, n) the covariance of rows, RRᵀ = V (p, p) of columns.
impl Quadrature for MatrixGaussian {
    fn for_each_point(&self, visit: &mut dyn FnMut(&ArrayRef2<f64>, f64)) {
        let (l, r) = (factor(self.row_covariance().covariance()), factor(self.column_covariance()));
        let (n, p) = (self.n_rows(), self.n_columns());
        let jacobian = l.diag().product().powi(p as i32) * r.diag().product().powi(n as i32);
        for_each_product(&vec![Line::normal(); n * p], |u, volume| {
            let u = Array2::from_shape_fn((n, p), |(i, j)| u[i * p + j]);
            visit(&(self.mean() + &l.dot(&u).dot(&r.t())), volume * jacobian);
        });
    }
}

/// On the circle (p = 2) and the sphere (p = 3) around the mean direction.
///
/// # Panics
/// In more dimensions.
impl Quadrature for VonMisesFisher {
    fn for_each_point(&self, visit: &mut dyn FnMut(&Array1<f64>, f64)) {
        let p = self.dimension();
        assert!(p == 2 || p == 3, "a rule on the sphere in {p} dimensions");
        let kappa = self.concentration();
        let axis = self.mean_direction().unwrap_or_else(|| Array1::from_shape_fn(p, |i| f64::from(i == 0)));
        let (first, second) = orthogonal(&axis);
        if p == 2 {
            let n = 64 + (12.0 * kappa.sqrt()) as usize;
            let step = std::f64::consts::TAU / n as f64;
            for i in 0..n {
                let (sine, cosine) = (i as f64 * step).sin_cos();
                visit(&(&axis * cosine + &first * sine), step);
            }
            return;
        }
        // The latitude by 1 − cos, in cells that halve towards the pole of the density.
        let (rule, n_azimuths) = (GaussLegendre::new(), 6);
        let ends = (0..40).map(|k| (if k == 39 { 0.0 } else { 0.5f64.powi(k) }, 0.5f64.powi(k - 1)));
        for (distance, weight) in ends.flat_map(|(a, b)| rule.points(a, b).collect::<Vec<_>>()) {
            let sine = (distance * (2.0 - distance)).sqrt();
            for i in 0..n_azimuths {
                let angle = std::f64::consts::TAU / f64::from(n_azimuths);
                let (y, x) = (f64::from(i) * angle).sin_cos();
                let z = &axis * (1.0 - distance) + (&first * x + &second * y) * sine;
                visit(&z, weight * angle);
            }
        }
    }
}

/// Unit vectors orthogonal to `axis` and, in three dimensions, to each other.
fn orthogonal(axis: &Array1<f64>) -> (Array1<f64>, Array1<f64>) {
    if axis.len() == 2 {
        return (ndarray::array![-axis[1], axis[0]], Array1::zeros(2));
    }
    let smallest = (0..3).min_by(|i, j| axis[*i].abs().total_cmp(&axis[*j].abs())).unwrap_or(0);
    let mut first = &axis.view() * -axis[smallest];
    first[smallest] += 1.0;
    first /= first.dot(&first).sqrt();
    let (a, b) = (axis, &first);
    let cross = |i: usize, j: usize| a[i] * b[j] - a[j] * b[i];
    let second = ndarray::array![cross(1, 2), cross(2, 0), cross(0, 1)];
    (first, second)
}

/// L of `a` = LLᵀ.
fn factor(a: &ArrayRef2<f64>) -> Array2<f64> {
    Cholesky::factor(a).unwrap_or_else(|e| panic!("not positive definite: {e}")).l().clone()
}

/// C, the lower-triangular factor of Λ = CCᵀ, over Bartlett's coordinates: C = LA with LLᵀ = W, the squares of the
/// diagonal of A independent χ² of ν − i degrees of freedom, the rest of it standard normal. `extra` lines follow.
///
/// The weight is that of dΛ = 2ᵖ ∏ c_iiᵖ⁻ⁱ dC and dC = ∏ l_iiⁱ⁺¹ dA (Muirhead 1982, theorems 2.1.9 and 2.1.5).
fn for_each_factor(wishart: &Wishart, extra: usize, mut visit: impl FnMut(&Array2<f64>, f64, &[f64])) {
    let (l, p) = (factor(wishart.scale()), wishart.order());
    let mut lines: Vec<_> = (0..p).map(|i| Line::log_gamma(0.5 * (wishart.dof() - i as f64))).collect();
    let n_below = p * (p - 1) / 2;
    lines.extend(vec![Line::normal(); n_below + extra]);
    for_each_product(&lines, |u, volume| {
        let mut below = u[p..].iter();
        let a = Array2::from_shape_fn((p, p), |(i, j)| match i.cmp(&j) {
            std::cmp::Ordering::Less => 0.0,
            std::cmp::Ordering::Equal => (2.0 * u[i].exp()).sqrt(),
            std::cmp::Ordering::Greater => *below.next().unwrap_or(&0.0),
        });
        let c = l.dot(&a);
        let jacobian = |i: usize| a[[i, i]] * c[[i, i]].powi((p - i) as i32) * l[[i, i]].powi(i as i32 + 1);
        let weight = (0..p).map(jacobian).product::<f64>();
        visit(&c, volume * weight, &u[p + n_below..]);
    });
}

impl Quadrature for Wishart {
    fn for_each_point(&self, visit: &mut dyn FnMut(&ArrayRef2<f64>, f64)) {
        for_each_factor(self, 0, |c, weight, _| visit(&c.dot(&c.t()), weight));
    }
}

/// X = Λ⁻¹ with |dX/dΛ| = |Λ|⁻⁽ᵖ⁺¹⁾.
impl Quadrature for InverseWishart {
    fn for_each_point(&self, visit: &mut dyn FnMut(&ArrayRef2<f64>, f64)) {
        for_each_factor(self.precision_twin(), 0, |c, weight, _| {
            let jacobian = inverse_jacobian(c);
            visit(&Cholesky::from_factor(c.clone()).inverse(), weight * jacobian);
        });
    }
}

fn inverse_jacobian(c: &Array2<f64>) -> f64 {
    c.diag().product().powi(-2 * (c.nrows() as i32 + 1))
}

/// log τ and, given τ, the standardised μ.
fn for_each_mean_precision(q: &NormalGamma, mut visit: impl FnMut(f64, f64, f64)) {
    for_each_product(&[Line::log_gamma(q.shape()), Line::normal()], |u, volume| {
        let tau = u[0].exp() / q.rate();
        let sd = (q.count() * tau).sqrt().recip();
        visit(q.mean() + sd * u[1], tau, volume * tau * sd);
    });
}

impl Quadrature for NormalGamma {
    fn for_each_point(&self, visit: &mut dyn FnMut(&(f64, f64), f64)) {
        for_each_mean_precision(self, |mu, tau, weight| visit(&(mu, tau), weight));
    }
}

impl Quadrature for NormalInverseGamma {
    fn for_each_point(&self, visit: &mut dyn FnMut(&(f64, f64), f64)) {
        for_each_mean_precision(self.precision_twin(), |mu, tau, weight| {
            visit(&(mu, tau.recip()), weight / (tau * tau));
        });
    }
}

/// Λ as in the Wishart and, given Λ, the standardised μ = m + (κ Λ)^(−½) u.
fn for_each_mean_factor(q: &NormalWishart, mut visit: impl FnMut(Array1<f64>, &Array2<f64>, f64)) {
    let p = q.dim();
    for_each_factor(q.precision_marginal(), p, |c, weight, u| {
        let mut mu = Array1::from(u.to_vec());
        Cholesky::from_factor(c.clone()).solve_lower_transposed_inplace(&mut mu);
        mu /= q.count().sqrt();
        let jacobian = c.diag().product().recip() * q.count().powf(-0.5 * p as f64);
        visit(mu + q.mean(), c, weight * jacobian);
    });
}

impl Quadrature for NormalWishart {
    fn for_each_point(&self, visit: &mut dyn FnMut(&(Array1<f64>, Array2<f64>), f64)) {
        for_each_mean_factor(self, |mu, c, weight| visit(&(mu, c.dot(&c.t())), weight));
    }
}

impl Quadrature for NormalInverseWishart {
    fn for_each_point(&self, visit: &mut dyn FnMut(&(Array1<f64>, Array2<f64>), f64)) {
        for_each_mean_factor(self.precision_twin(), |mu, c, weight| {
            let sigma = Cholesky::from_factor(c.clone()).inverse();
            visit(&(mu, sigma), weight * inverse_jacobian(c));
        });
    }
}
