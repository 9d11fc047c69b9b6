//! Where q is the posterior, sticking the landing has no noise and the others have.

use ndarray::{Array1, Array2, ArrayRef1, array};
use vi_core::{Exec, GradLogJoint, LogJoint, ParameterSpace, StreamKey};
use vi_families::{
    DifferentiableDensity, FullRankGaussian, MeanFieldGaussian, ProductFamily, VariationalDistribution,
    VariationalFamily,
};
use vi_sgvi::{Elbo, GradientEstimator, Memory, Pathwise};

use crate::gaussian_target::GaussianTarget;
use crate::spread;
use crate::supports::EverySupport;

/// The largest element of 20 gradients with four samples.
fn largest<M, F, E>(model: &M, family: &F, estimator: &E, params: &ArrayRef1<f64>) -> f64
where
    M: LogJoint,
    F: VariationalFamily,
    E: GradientEstimator<M, F>,
{
    let elbo = Elbo::new(model, family).unwrap();
    let (mut memory, mut grad) = (Memory::default(), Array1::zeros(params.len()));
    let mut largest = 0.0_f64;
    for t in 0..20 {
        let key = StreamKey::from_seed(1703).fold_in(t);
        estimator.estimate(elbo, params, key, Exec::local(), &mut memory, &mut grad).unwrap();
        largest = grad.iter().fold(largest, |l, g| l.max(g.abs()));
    }
    largest
}

/// The exact gradient is 0, so that every element is noise.
macro_rules! check {
    ($model:expr, $family:expr, $params:expr) => {
        let sticking = largest($model, $family, &Pathwise::sticking_the_landing(4), $params);
        let full = largest($model, $family, &Pathwise::monte_carlo_entropy(4), $params);
        let closed = largest($model, $family, &Pathwise::new(4), $params);
        assert!(sticking < 1e-11, "sticking the landing: {sticking}");
        assert!(full > 0.1 && closed > 0.1, "Monte Carlo entropy {full}, closed form {closed}");
    };
}

#[test]
fn full_rank_at_a_gaussian_posterior() {
    let model = GaussianTarget::correlated();
    let family = FullRankGaussian::new(model.parameters()).unwrap();
    let covariance = inverse(&model.precision);
    let params = family.params_from_mean_covariance(&model.mean, &covariance).unwrap();
    check!(&model, &family, &params);
}

/// The inverse of a 3 × 3 matrix by cofactors.
fn inverse(a: &Array2<f64>) -> Array2<f64> {
    let cofactor = |i: usize, j: usize| {
        let at = |k: usize, l: usize| a[[(i + k) % 3, (j + l) % 3]];
        at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1)
    };
    let det: f64 = (0..3).map(|j| a[[0, j]] * cofactor(0, j)).sum();
    Array2::from_shape_fn((3, 3), |(i, j)| cofactor(j, i) / det)
}

/// A member of a family as a model: its own posterior, with an evidence that is not 1.
struct Itself<Q> {
    parameters: ParameterSpace,
    member: Q,
}

impl<Q: VariationalDistribution> LogJoint for Itself<Q> {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.member.log_prob(z) - 3.0
    }
}

impl<Q: DifferentiableDensity> GradLogJoint for Itself<Q> {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        grad.fill(0.0);
        self.member.add_log_prob_grad(z, 1.0, grad);
        self.log_joint(z)
    }
}

#[test]
fn mean_field_at_itself() {
    let space = GaussianTarget::correlated().parameters().clone();
    let family = MeanFieldGaussian::new(&space).unwrap();
    let params = array![0.3, -0.2, 1.1, 0.4, -0.7, 0.1];
    let model = Itself { parameters: space, member: family.bind(&params).unwrap() };
    check!(&model, &family, &params);
}

#[test]
fn a_product_at_itself() {
    let space = EverySupport::new().parameters().clone();
    let family = ProductFamily::for_space(&space).unwrap();
    let params = spread(family.n_params(), 0.8);
    let model = Itself { parameters: space, member: family.bind(&params).unwrap() };
    check!(&model, &family, &params);
}
