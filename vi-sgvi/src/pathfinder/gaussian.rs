//! The Gaussian whose covariance is a limited-memory estimate of the inverse Hessian.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, s};
use vi_core::StreamRng;
use vi_core::linalg::Cholesky;
use vi_families::fill_standard_normal;

use crate::quasi_newton::History;

const LOG_TWO_PI: f64 = 1.837_877_066_409_345_3;

/// N(m, H) with H = diag(α)^½ (I + Q (LLᵀ − I) Qᵀ) diag(α)^½, Q (D, r) with orthonormal or zero columns.
///
/// Draws and densities cost O(Dr), memory is O(Dr): the covariance is never formed unless it is asked for.
#[derive(Clone, Debug)]
pub struct CompactGaussian {
    mean: Array1<f64>,
    /// diag(α)^½ (D).
    scale: Array1<f64>,
    q: Array2<f64>,
    l: Cholesky,
    log_det: f64,
}

impl CompactGaussian {
    /// One whole quasi-Newton step from x, with the inverse Hessian as its covariance.
    ///
    /// ```text
    /// m = x + H ∇f(x)       H = diag(α) + β γ βᵀ      β = (diag(α) Y, S)
    /// γ = (0, −R⁻¹; −R⁻ᵀ, R⁻ᵀ (diag(SᵀY) + Yᵀ diag(α) Y) R⁻¹)      R: the upper triangle of SᵀY
    /// ```
    /// `None` when rounding leaves H without positive eigenvalues.
    ///
    /// Source: Zhang, Carpenter, Gelman & Vehtari 2022, algorithms 3 and 4; Byrd, Nocedal & Schnabel 1994, eq. 2.26.
    pub(crate) fn after(x: &ArrayRef1<f64>, grad: &ArrayRef1<f64>, history: &History) -> Option<Self> {
        let (d, n) = (x.len(), history.pairs.len());
        let scale = history.diagonal.mapv(f64::sqrt);
        let mean = &x.view() + &history.times(grad);
        // W = diag(α)^(−½) β = QR, and then I + WγWᵀ = I + Q (RγRᵀ) Qᵀ.
        let mut w = Array2::zeros((d, 2 * n));
        for (j, pair) in history.pairs.iter().enumerate() {
            w.column_mut(j).assign(&(&pair.y * &scale));
            w.column_mut(n + j).assign(&(&pair.s / &scale));
        }
        let gamma = middle(&w, history);
        let (q, r) = orthonormal(w);
        let mut inner = r.dot(&gamma).dot(&r.t());
        inner = 0.5 * (&inner + &inner.t());
        inner.diag_mut().mapv_inplace(|v| v + 1.0);
        let l = Cholesky::factor(&inner).ok()?;
        let log_det = scale.iter().map(|s| s.ln()).sum::<f64>() + 0.5 * l.log_det();
        let finite = log_det.is_finite() && mean.iter().all(|m| m.is_finite());
        finite.then_some(Self { mean, scale, q, l, log_det })
    }

    /// `E[z]` (D).
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }

    /// `Cov[z]` (D, D).
    pub fn covariance(&self) -> Array2<f64> {
        self.around(&self.l.l().dot(&self.l.l().t()), |i, j| self.scale[i] * self.scale[j])
    }

    /// The diagonal of the inverse of the covariance (D).
    pub fn precisions(&self) -> Array1<f64> {
        let inner = self.l.inverse();
        let r = inner.nrows();
        let mut out = Array1::zeros(self.scale.len());
        for (i, o) in out.iter_mut().enumerate() {
            let row = self.q.row(i);
            let mut sum = 1.0 - row.dot(&row);
            for j in 0..r {
                sum += row[j] * inner.row(j).dot(&row);
            }
            *o = sum / (self.scale[i] * self.scale[i]);
        }
        out
    }

    /// I + Q (inner − I) Qᵀ, every element times `units(i, j)`.
    fn around(&self, inner: &ArrayRef2<f64>, units: impl Fn(usize, usize) -> f64) -> Array2<f64> {
        let mut less_one = inner.to_owned();
        less_one.diag_mut().mapv_inplace(|v| v - 1.0);
        let mut out = self.q.dot(&less_one).dot(&self.q.t());
        out.diag_mut().mapv_inplace(|v| v + 1.0);
        out.indexed_iter_mut().for_each(|((i, j), v)| *v *= units(i, j));
        out
    }

    /// Overwrites `z` (D) with a draw, and returns its log density.
    ///
    /// ```text
    /// z = m + diag(α)^½ (u + Q (L − I) Qᵀ u),   u ~ N(0, I)
    /// ```
    pub(crate) fn sample(&self, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) -> f64 {
        let mut u = Array1::<f64>::zeros(z.len());
        fill_standard_normal(rng, u.as_slice_mut().expect("a new array is contiguous"));
        let along = self.q.t().dot(&u);
        let stretched = self.l.l().dot(&along);
        // Draws outside the columns of Q that are zero: |u|² is the distance whatever Q is.
        let log_prob = -0.5 * u.dot(&u) - self.log_det - 0.5 * z.len() as f64 * LOG_TWO_PI;
        u += &self.q.dot(&(stretched - along));
        for (i, z) in z.iter_mut().enumerate() {
            *z = self.mean[i] + self.scale[i] * u[i];
        }
        log_prob
    }

    /// log N(z; m, H).
    pub fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        assert_eq!(z.len(), self.mean.len(), "CompactGaussian: z has the wrong length");
        let y = (&z.view() - &self.mean) / &self.scale;
        let along = self.q.t().dot(&y);
        let mut whitened = along.clone();
        self.l.solve_lower_inplace(&mut whitened);
        let distance = y.dot(&y) - along.dot(&along) + whitened.dot(&whitened);
        -0.5 * distance - self.log_det - 0.5 * z.len() as f64 * LOG_TWO_PI
    }
}

/// γ, given W = diag(α)^(−½) β, of which YᵀS and Yᵀ diag(α) Y are products.
fn middle(w: &ArrayRef2<f64>, history: &History) -> Array2<f64> {
    let n = history.pairs.len();
    let (y, s) = (w.slice(s![.., ..n]), w.slice(s![.., n..]));
    // R⁻¹ of R_ij = s_iᵀ y_j, i ≤ j, column by column.
    let r = s.t().dot(&y);
    let mut inverse = Array2::<f64>::zeros((n, n));
    for j in 0..n {
        for i in (0..=j).rev() {
            let rest: f64 = (i + 1..=j).map(|k| r[[i, k]] * inverse[[k, j]]).sum();
            inverse[[i, j]] = (f64::from(u8::from(i == j)) - rest) / r[[i, i]];
        }
    }
    let mut inner = y.t().dot(&y);
    for (i, pair) in history.pairs.iter().enumerate() {
        inner[[i, i]] += pair.sy;
    }
    let mut gamma = Array2::zeros((2 * n, 2 * n));
    gamma.slice_mut(s![n.., n..]).assign(&inverse.t().dot(&inner).dot(&inverse));
    gamma.slice_mut(s![..n, n..]).assign(&(-&inverse));
    gamma.slice_mut(s![n.., ..n]).assign(&(-&inverse.t()));
    gamma
}

/// W = QR by Gram–Schmidt, twice. A column that depends on those before it, but for rounding, is zero in Q.
fn orthonormal(mut w: Array2<f64>) -> (Array2<f64>, Array2<f64>) {
    const DEPENDENT: f64 = 1e-12;
    let m = w.ncols();
    let mut r = Array2::<f64>::zeros((m, m));
    for j in 0..m {
        let mut column = w.column(j).to_owned();
        let length = column.dot(&column).sqrt();
        for _ in 0..2 {
            for i in 0..j {
                let part = w.column(i).dot(&column);
                r[[i, j]] += part;
                column.scaled_add(-part, &w.column(i));
            }
        }
        let rest = column.dot(&column).sqrt();
        let independent = rest > DEPENDENT * length;
        r[[j, j]] = if independent { rest } else { 0.0 };
        column.mapv_inplace(|v| if independent { v / rest } else { 0.0 });
        w.column_mut(j).assign(&column);
    }
    (w, r)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vi_core::StreamKey;

    /// Steps of a concave quadratic with curvatures from 1 to 25.
    fn history(d: usize, n: usize) -> History {
        let mut history = History::new(d);
        let mut rng = StreamKey::from_seed(3).rng(d as u64);
        for _ in 0..n {
            let mut s = vec![0.0; d];
            fill_standard_normal(&mut rng, &mut s);
            let s = Array1::from(s);
            let y = s.iter().enumerate().map(|(i, s)| s * (1.0 + i as f64).powi(2)).collect::<Array1<f64>>()
                + s.sum() * 0.3;
            history.push(s, y, 6);
        }
        history
    }

    /// The compact form is the matrix of the two loops, whether or not its columns are independent.
    #[test]
    fn the_covariance_is_the_matrix_of_the_two_loops() {
        for (d, n) in [(5, 2), (5, 9), (12, 6), (1, 1), (3, 0)] {
            let history = history(d, n);
            let q = CompactGaussian::after(&Array1::zeros(d), &Array1::ones(d), &history).unwrap();
            let covariance = q.covariance();
            for j in 0..d {
                let mut e = Array1::zeros(d);
                e[j] = 1.0;
                for (i, h) in history.times(&e).iter().enumerate() {
                    approx::assert_relative_eq!(covariance[[i, j]], *h, max_relative = 1e-8, epsilon = 1e-9);
                }
            }
            let inverse = Cholesky::factor(&covariance).unwrap().inverse();
            for (p, expected) in q.precisions().iter().zip(inverse.diag()) {
                approx::assert_relative_eq!(*p, *expected, max_relative = 1e-7);
            }
            let step = history.times(&Array1::ones(d));
            assert!(q.mean().iter().zip(&step).all(|(m, s)| m == s));
        }
    }

    #[test]
    fn a_draw_has_the_density_it_says() {
        for (d, n) in [(5, 2), (5, 9), (3, 0)] {
            let q = CompactGaussian::after(&Array1::ones(d), &Array1::ones(d), &history(d, n)).unwrap();
            let mut z = Array1::zeros(d);
            for i in 0..5 {
                let said = q.sample(&mut StreamKey::from_seed(1).rng(i), &mut z);
                approx::assert_relative_eq!(said, q.log_prob(&z), max_relative = 1e-8);
            }
            let factor = Cholesky::factor(&q.covariance()).unwrap();
            let mut y = &z - q.mean();
            factor.solve_lower_inplace(&mut y);
            let dense = -0.5 * (y.dot(&y) + factor.log_det() + d as f64 * LOG_TWO_PI);
            approx::assert_relative_eq!(q.log_prob(&z), dense, max_relative = 1e-8);
        }
    }
}
