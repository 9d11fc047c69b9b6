//! Planes that halve a component.
//!
//! Looked for among the component's data in the units of the covariance that components have on average, so that neither
//! units nor a direction in which all clusters are long matter.

use ndarray::{Array1, Array2, ArrayRef1, ArrayView1, Axis};
use rand::RngExt;
use rand_distr::StandardNormal;
use vi_core::linalg::{Cholesky, SymmetricEigen, gemm};
use vi_core::{Exec, StreamKey, StreamRng};

use super::{GaussianMixture, GaussianMixtureFactors};
use crate::draws::choose;

/// Passes over a component's data in which a plane is looked for.
const N_PASSES: usize = 10;

/// A responsibility below which a datum has no say in where its component is cut.
const NEGLIGIBLE: f64 = 1e-6;

/// x on one side: aᵀ(x − c) > b.
pub(super) struct Plane {
    pub(super) direction: Array1<f64>,
    pub(super) level: f64,
}

/// The data of one component.
struct Share {
    /// u = R⁻¹(x − m) (n, D), with RRᵀ the components' average covariance; missing values at their means.
    u: Array2<f64>,
    /// r / Σ r (n).
    weights: Array1<f64>,
}

impl GaussianMixture {
    /// Attempt 0: across a direction in which the data of component `k` are least like a Gaussian. 1: across their
    /// longest axis. 2: between two means, begun at two data. 3: between the mean and a datum far off. Then the same from
    /// other random numbers, with a random direction for the axis.
    pub(super) fn split_plane(
        &self,
        factors: &GaussianMixtureFactors,
        k: usize,
        attempt: usize,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Option<Plane> {
        let root = self.average_covariance(factors)?;
        let mean = factors.components.mean.row(k).to_owned();
        let share = self.share(factors, k, &mean, &root, exec)?;
        let mut rng = key.rng(0);
        // wᵀu > t
        let (mut direction, level) = match attempt % 4 {
            0 => (share.least_gaussian(&mut rng)?, 0.0),
            1 if attempt == 1 => (share.longest_axis()?, 0.0),
            1 => (normal(root.order(), &mut rng), 0.0),
            2 => share.between_two_means(&mut rng)?,
            _ => share.before_a_far_datum(&mut rng)?,
        };
        root.solve_lower_transposed_inplace(&mut direction);
        Some(Plane { level: level + direction.dot(&mean), direction })
    }

    /// The factor of Σ_k N_k E\[Λ_k\]⁻¹ / Σ_k N_k (D, D).
    fn average_covariance(&self, factors: &GaussianMixtureFactors) -> Option<Cholesky> {
        let (sums, d) = (factors.assignments.sums(), self.layout.dim);
        let mut average = Array2::zeros((d, d));
        for (k, sums) in sums.rows().into_iter().enumerate() {
            average.scaled_add(sums[sums.len() - 1], &self.expected_covariance(&factors.components, k));
        }
        average /= self.data.nrows() as f64;
        Cholesky::factor(&average).ok()
    }

    /// The data of component `k`, by responsibilities that are not negligible.
    fn share(
        &self,
        factors: &GaussianMixtureFactors,
        k: usize,
        mean: &ArrayRef1<f64>,
        root: &Cholesky,
        exec: Exec<'_>,
    ) -> Option<Share> {
        let responsibilities = self.column(&factors.assignments, k, exec);
        let rows = || responsibilities.iter().enumerate().filter(|(_, r)| **r > NEGLIGIBLE);
        let mut weights: Array1<f64> = rows().map(|(_, r)| *r).collect();
        if weights.len() < 2 {
            return None;
        }
        weights /= weights.sum();
        let mut u = Array2::zeros((mean.len(), weights.len()));
        for (mut u, (n, _)) in u.columns_mut().into_iter().zip(rows()) {
            self.with_row(factors, n, k, |x| u.assign(&(&ArrayView1::from(x) - &mean.view())));
        }
        root.solve_lower_matrix_inplace(&mut u);
        Some(Share { u: u.reversed_axes().as_standard_layout().into_owned(), weights })
    }
}

impl Share {
    /// Σ r u uᵀ (D, D).
    fn covariance(&self) -> Array2<f64> {
        let weighted = &self.u * &self.weights.view().insert_axis(Axis(1));
        let mut out = Array2::zeros((self.u.ncols(), self.u.ncols()));
        gemm(1.0, &self.u.t(), &weighted, 0.0, &mut out);
        out
    }

    /// The direction in which the fourth moment of the standardised data differs most from that of a Gaussian.
    ///
    /// ```text
    /// w ← E[s³ z] − 3w,   w ← w/|w|,     s = wᵀz,   z = L⁻¹u,   LLᵀ = E[uuᵀ],   a = L⁻ᵀw
    /// ```
    /// Two clusters in one component have the most negative kurtosis along the line that joins them, whatever the spread
    /// in other directions. The iteration begins at random, and another key may find another direction.
    ///
    /// Source: Hyvärinen & Oja, "A fast fixed-point algorithm for independent component analysis", Neural Computation 9 (1997).
    fn least_gaussian(&self, rng: &mut StreamRng) -> Option<Array1<f64>> {
        let mut covariance = self.covariance();
        // As much of the average covariance as one datum brings, so that fewer data than columns have one too.
        covariance.diag_mut().mapv_inplace(|v| v + 1.0 / self.weights.len() as f64);
        let root = Cholesky::factor(&covariance).ok()?;
        let mut z = self.u.t().to_owned();
        root.solve_lower_matrix_inplace(&mut z);
        let mut w = normal(z.nrows(), rng);
        for _ in 0..N_PASSES {
            w /= w.dot(&w).sqrt();
            let cubes = w.dot(&z).mapv(|s| s * s * s) * &self.weights;
            w = z.dot(&cubes) - 3.0 * &w;
            if !w.iter().all(|w| w.is_finite()) {
                return None;
            }
        }
        root.solve_lower_transposed_inplace(&mut w);
        Some(w)
    }

    fn longest_axis(&self) -> Option<Array1<f64>> {
        let eigen = SymmetricEigen::factor(&self.covariance()).ok()?;
        Some(eigen.vectors().column(self.u.ncols() - 1).to_owned())
    }

    /// Two data, the second with probability proportional to the squared distance from the first (Arthur & Vassilvitskii
    /// 2007), and the means of the data nearer to each, and so on.
    fn between_two_means(&self, rng: &mut StreamRng) -> Option<(Array1<f64>, f64)> {
        let first = self.u.row(choose(self.weights.iter().copied(), rng.random())).to_owned();
        let second = self.u.row(self.far(&first, rng)).to_owned();
        let (mut direction, mut level) = between(&first, &second);
        for _ in 0..N_PASSES {
            let beyond = self.u.dot(&direction).mapv(|s| f64::from(u8::from(s > level)));
            let (far, near) = (&beyond * &self.weights, (1.0 - &beyond) * &self.weights);
            let means = [near, far].map(|w| self.u.t().dot(&w) / w.sum());
            (direction, level) = between(&means[0], &means[1]);
        }
        (level.is_finite() && direction.dot(&direction) > 0.0).then_some((direction, level))
    }

    fn before_a_far_datum(&self, rng: &mut StreamRng) -> Option<(Array1<f64>, f64)> {
        let mean = Array1::zeros(self.u.ncols());
        let (direction, level) = between(&mean, &self.u.row(self.far(&mean, rng)).to_owned());
        (direction.dot(&direction) > 0.0).then_some((direction, level))
    }

    /// A datum drawn with probability proportional to the squared distance from `u`.
    fn far(&self, u: &Array1<f64>, rng: &mut StreamRng) -> usize {
        let difference = &self.u - u;
        let distances = (&difference * &difference).sum_axis(Axis(1)) * &self.weights;
        choose(distances.iter().copied(), rng.random::<f64>() * distances.sum())
    }
}

/// The plane half-way: nearer to b than to a is (b − a)ᵀu > (|b|² − |a|²)/2.
fn between(a: &Array1<f64>, b: &Array1<f64>) -> (Array1<f64>, f64) {
    (b - a, 0.5 * (b.dot(b) - a.dot(a)))
}

fn normal(d: usize, rng: &mut StreamRng) -> Array1<f64> {
    (0..d).map(|_| rng.sample(StandardNormal)).collect()
}
