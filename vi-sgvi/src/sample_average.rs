//! The ELBO at fixed draws: a smooth function that any optimizer can climb.

use ndarray::{Array1, Array2, ArrayRef1, ArrayViewMut1, Axis, s};
use vi_core::linalg::Cholesky;
use vi_core::{CHUNK, Exec, GradLogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::{
    Damping, GaussianTarget, MeanFieldGaussian, NearGaussian, Reparameterized, VariationalDistribution,
    VariationalFamily, fill_standard_normal,
};

use crate::elbo::Elbo;
use crate::error::SgviError;
use crate::quasi_newton::SmoothObjective;
use crate::sampler::{QuasiMonteCarlo, SamplePlan, Sampler};
use crate::workspace::{matrix, matrix_mut};

/// The sample average of the ELBO under noise that stays the same, in the chart of a [`NearGaussian`] family.
///
/// ```text
/// f(ν) = (1/S) Σ_s log p(x, t_λ(ε_s)) + H[q_λ],   λ = c(ν)
/// ```
/// Its gradient is the pathwise one at common random numbers: f is smooth, and its maximum is found as exactly as one
/// likes, without a learning rate. The maximiser is near that of the ELBO, by O(1/S) in nats.
///
/// Source: Giordano, Ingram & Broderick 2024, <https://jmlr.org/papers/v25/23-1015.html>; Burroni, Domke & Sheldon 2024.
pub(crate) struct SampleAverage<'a, M: ?Sized, F> {
    pub(crate) elbo: Elbo<'a, M, F>,
    pub(crate) target: &'a GaussianTarget,
    /// c(0) (P).
    pub(crate) near: &'a Array1<f64>,
    /// ε, one row for each draw.
    pub(crate) noise: &'a Array2<f64>,
    pub(crate) exec: Exec<'a>,
}

impl<M, F> SampleAverage<'_, M, F>
where
    M: GradLogJoint + ?Sized,
    F: NearGaussian,
    for<'b> F::Member<'b>: Reparameterized,
{
    /// λ = c(ν) (P).
    pub(crate) fn params(&self, nu: &ArrayRef1<f64>) -> Array1<f64> {
        let mut params = Array1::zeros(nu.len());
        self.elbo.family().params_at(self.target, self.near, nu, &mut params);
        params
    }

    /// By how much a whole step along the natural gradient should raise f at λ: a judge of an ascent that knows nothing
    /// of the curvature that the ascent thought it met.
    ///
    /// ```text
    /// ½ gᵀ F⁻¹ g,   g = ∇_λ f
    /// ```
    /// Where F is singular the improvement in its damped metric.
    pub(crate) fn natural_improvement(&self, params: &ArrayRef1<f64>) -> Result<f64, SgviError> {
        let q = self.elbo.family().bind(params)?;
        let (mut grad, mut natural) = (Array1::zeros(params.len()), Array1::zeros(params.len()));
        self.expected_log_joint(&q, &mut grad)?;
        q.add_entropy_grad(1.0, &mut grad);
        let damped = Damping { relative: 1e-3, absolute: 0.0 };
        let solved = q.natural_gradient(Damping::NONE, &grad, &mut natural);
        solved.or_else(|_| q.natural_gradient(damped, &grad, &mut natural))?;
        Ok(0.5 * grad.dot(&natural))
    }

    /// (1/S) Σ_s log p(x, t(ε_s)), and its gradient in λ.
    fn expected_log_joint<Q: Reparameterized>(
        &self,
        q: &Q,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<f64, SgviError> {
        let (n, d) = (self.noise.nrows(), q.dim());
        let mut log_joints = vec![0.0; n];
        self.exec.map_and_sum_in(
            n,
            CHUNK,
            &mut log_joints,
            grad,
            &mut Vec::new(),
            |items, values, sum| {
                vi_core::scratch::with_arrays([items.len() * d; 2], |[z, grads]| {
                    for (i, z) in items.clone().zip(z.chunks_exact_mut(d)) {
                        q.transport(&self.noise.row(i), &mut ArrayViewMut1::from(z));
                    }
                    let (z, model) = (matrix(z, d), self.elbo.model());
                    let mut values = ArrayViewMut1::from(values);
                    model.log_joint_and_grad_batch(&z, &mut values, &mut matrix_mut(grads, d));
                    let grads = matrix(grads, d);
                    for (k, i) in items.enumerate() {
                        let weight = 1.0 / n as f64;
                        q.add_transport_vjp(&self.noise.row(i), &z.row(k), &grads.row(k), weight, sum);
                    }
                });
            },
        )?;
        Ok(log_joints.iter().sum::<f64>() / n as f64)
    }
}

impl<M, F> SmoothObjective for SampleAverage<'_, M, F>
where
    M: GradLogJoint + ?Sized,
    F: NearGaussian,
    for<'b> F::Member<'b>: Reparameterized,
{
    fn names(&self) -> Vec<String> {
        self.elbo.family().param_names()
    }

    /// NaN outside the domain of λ, which ends a step of the ascent.
    fn value_and_grad(&self, nu: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) -> f64 {
        let params = self.params(nu);
        let Ok(q) = self.elbo.family().bind(&params) else { return f64::NAN };
        let mut grad = Array1::zeros(params.len());
        let (Ok(expected), Some(entropy)) = (self.expected_log_joint(&q, &mut grad), q.entropy()) else {
            return f64::NAN;
        };
        q.add_entropy_grad(1.0, &mut grad);
        self.elbo.family().pull_back(self.target, self.near, &params, &grad, out);
        expected + entropy
    }
}

/// `n` draws of standard normal noise (n, dim) whose first and second moments are exact where n allows it.
///
/// ```text
/// Σ_s ε_s = 0,   (1/S) Σ_s ε_s ε_sᵀ = I   for S ≥ 4 dim
/// ```
/// The average of a quadratic log joint is then its expectation: Gaussian targets have no sampling error at all. The
/// points are half a scrambled Sobol sequence and its mirror image; plain normals beyond the dimensions of the sequence.
///
/// # Panics
/// If `n` is not a power of two ≥ 4.
pub(crate) fn matched_noise(n: usize, dim: usize, key: StreamKey) -> Result<Array2<f64>, SgviError> {
    assert!(n.is_power_of_two() && n >= 4, "n = {n} is not a power of two");
    let half = n / 2;
    let mut points = Array2::zeros((half, dim));
    if dim <= QuasiMonteCarlo::MAX_UNIFORMS && half <= 1 << 16 {
        let family =
            MeanFieldGaussian::new(&ParameterSpace::new([Parameter::vector("noise", dim, Support::Real)])?)?;
        let params = family.init();
        let standard = family.bind(&params)?;
        let sampler = QuasiMonteCarlo { n_randomizations: 1 };
        sampler.plan(&standard, key, half)?.draw_batch(0..half, &mut points);
    } else {
        for (i, mut row) in points.rows_mut().into_iter().enumerate() {
            fill_standard_normal(&mut key.rng(i as u64), row.as_slice_mut().expect("rows are contiguous"));
        }
    }
    match_moments(&mut points);
    let mut noise = Array2::zeros((n, dim));
    noise.slice_mut(s![..;2, ..]).assign(&points);
    noise.slice_mut(s![1..;2, ..]).assign(&-points);
    Ok(noise)
}

/// Makes PᵀP/n the identity; its diagonal alone where there are too few rows for more.
fn match_moments(points: &mut Array2<f64>) {
    let (n, dim) = points.dim();
    if n >= 2 * dim {
        let gram = points.t().dot(&*points) / n as f64;
        if let Ok(factor) = Cholesky::factor(&gram) {
            let mut columns = points.t().to_owned();
            factor.solve_lower_matrix_inplace(&mut columns);
            points.assign(&columns.t());
            return;
        }
    }
    for mut column in points.axis_iter_mut(Axis(1)) {
        let square = mean_square(&column);
        if square > 0.0 {
            column /= square.sqrt();
        }
    }
}

fn mean_square(column: &ArrayRef1<f64>) -> f64 {
    column.dot(column) / column.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use vi_core::LogJoint;
    use vi_families::{FullRankGaussian, LowRankGaussian};

    /// z₁, z₂, z₃ with precision Λ, and a quartic term times `bend`.
    struct Bent {
        space: ParameterSpace,
        bend: f64,
    }

    impl Bent {
        fn new(bend: f64) -> Self {
            Self { space: ParameterSpace::new([Parameter::vector("z", 3, Support::Real)]).unwrap(), bend }
        }
        fn precision() -> Array2<f64> {
            array![[4.0, -1.9, 0.0], [-1.9, 1.0, 5.0], [0.0, 5.0, 1e3]]
        }
        fn target() -> GaussianTarget {
            let covariance = Cholesky::factor(&Self::precision()).unwrap().inverse();
            GaussianTarget::from_mean_covariance(&array![1.0, -2.0, 0.5], &covariance).unwrap()
        }
    }

    impl LogJoint for Bent {
        fn parameters(&self) -> &ParameterSpace {
            &self.space
        }
        fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
            self.log_joint_and_grad(z, &mut Array1::zeros(3))
        }
    }

    impl GradLogJoint for Bent {
        fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
            let centred = &z.view() - &array![1.0, -2.0, 0.5];
            let pulled = Self::precision().dot(&centred);
            grad.assign(&(-&pulled - self.bend * 4.0 * centred.mapv(|c| c.powi(3))));
            -0.5 * centred.dot(&pulled) - self.bend * centred.mapv(|c| c.powi(4)).sum()
        }
    }

    /// Central differences of f along every coordinate, and the gradient itself.
    fn check_gradient_of<F>(family: &F)
    where
        F: NearGaussian,
        for<'b> F::Member<'b>: Reparameterized,
    {
        let (model, target) = (Bent::new(0.1), Bent::target());
        let near = family.params_near(&target).unwrap();
        let noise_dim = family.bind(&near).unwrap().noise_dim();
        let noise = matched_noise(64, noise_dim, StreamKey::from_seed(1)).unwrap();
        let elbo = Elbo::new(&model, family).unwrap();
        let f = SampleAverage { elbo, target: &target, near: &near, noise: &noise, exec: Exec::local() };
        let nu: Array1<f64> = (0..near.len()).map(|i| 0.3 * (i as f64 + 1.0).sin()).collect();
        let (mut grad, mut scrap) = (Array1::zeros(nu.len()), Array1::zeros(nu.len()));
        f.value_and_grad(&nu, &mut grad);
        for i in 0..nu.len() {
            let mut at = |h: f64| {
                let mut nu = nu.clone();
                nu[i] += h;
                f.value_and_grad(&nu, &mut scrap)
            };
            let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
            approx::assert_relative_eq!(grad[i], difference, max_relative = 1e-5, epsilon = 1e-5);
        }
    }

    #[test]
    fn gradients_in_the_chart_are_those_of_the_average() {
        let space = Bent::new(0.0).space;
        check_gradient_of(&MeanFieldGaussian::new(&space).unwrap());
        check_gradient_of(&FullRankGaussian::new(&space).unwrap());
        check_gradient_of(&LowRankGaussian::new(&space, 2).unwrap());
    }

    /// Of a Gaussian target: stationary at ν = 0, with −∇² = I.
    fn check_round<F>(family: &F)
    where
        F: NearGaussian,
        for<'b> F::Member<'b>: Reparameterized,
    {
        let (model, target) = (Bent::new(0.0), Bent::target());
        let near = family.params_near(&target).unwrap();
        let noise = matched_noise(64, 3, StreamKey::from_seed(1)).unwrap();
        let elbo = Elbo::new(&model, family).unwrap();
        let f = SampleAverage { elbo, target: &target, near: &near, noise: &noise, exec: Exec::local() };
        let gradient = |i: usize, h: f64| {
            let (mut nu, mut grad) = (Array1::zeros(near.len()), Array1::zeros(near.len()));
            nu[i] = h;
            f.value_and_grad(&nu, &mut grad);
            grad
        };
        assert!(gradient(0, 0.0).iter().all(|g| g.abs() < 1e-9), "{}", gradient(0, 0.0));
        for i in 0..near.len() {
            let column = (gradient(i, 1e-5) - gradient(i, -1e-5)) / 2e-5;
            for (j, value) in column.iter().enumerate() {
                let expected = -f64::from(u8::from(i == j));
                assert!((value - expected).abs() < 1e-5, "({i}, {j}): {value}");
            }
        }
    }

    #[test]
    fn the_chart_of_a_gaussian_target_is_round() {
        let space = Bent::new(0.0).space;
        check_round(&MeanFieldGaussian::new(&space).unwrap());
        check_round(&FullRankGaussian::new(&space).unwrap());
    }

    #[test]
    fn noise_has_the_moments_it_should() {
        for (n, dim) in [(64, 3), (256, 26), (1024, 100), (512, 300)] {
            let noise = matched_noise(n, dim, StreamKey::from_seed(n as u64)).unwrap();
            let whole = n >= 4 * dim;
            assert!(noise.sum_axis(Axis(0)).iter().all(|m| m.abs() < 1e-9));
            let second = noise.t().dot(&noise) / n as f64;
            for ((i, j), value) in second.indexed_iter() {
                let expected = f64::from(u8::from(i == j));
                assert!(i != j && !whole || (value - expected).abs() < 1e-9, "({i}, {j}): {value}");
            }
            // Fourth moments are not matched: 3 ± 5 standard errors, false alarms below 1e-4 over all columns.
            let fourth = noise.column(0).mapv(|e| e.powi(4)).mean().unwrap();
            assert!((fourth - 3.0).abs() < 5.0 * (96.0 / (n / 2) as f64).sqrt(), "{fourth}");
        }
    }
}
