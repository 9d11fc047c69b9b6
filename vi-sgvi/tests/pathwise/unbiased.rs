//! The three entropies are unbiased with every family.

use ndarray::{Array1, Array2};
use vi_core::{GradLogJoint, LogJoint, StreamKey};
use vi_families::{
    BlockDiagonalGaussian, DifferentiableDensity, FullRankGaussian, LowRankGaussian, MeanFieldGaussian,
    ProductFamily, Reparameterized, StudentTMeanField, VariationalDistribution, VariationalFamily,
};
use vi_sgvi::Pathwise;
use vi_sgvi::testing::check_estimator;

use crate::gaussian_target::GaussianTarget;
use crate::supports::EverySupport;
use crate::{gradient_of, spread};

fn check<M, F>(model: &M, family: &F, params: &Array1<f64>, exact: &Array1<f64>, seed: u64)
where
    M: GradLogJoint,
    F: VariationalFamily,
    for<'a> F::Member<'a>: Reparameterized + DifferentiableDensity,
{
    assert!(exact.iter().all(|g| g.abs() > 1e-3), "a vanishing gradient tests nothing: {exact}");
    let key = StreamKey::from_seed(seed);
    for (s, n) in [(1, 400), (7, 200), (130, 60)] {
        let key = key.fold_in(s as u64);
        check_estimator(&Pathwise::new(s), model, family, params, exact, n, key.fold_in(0));
        let full = Pathwise::monte_carlo_entropy(s);
        check_estimator(&full, model, family, params, exact, n, key.fold_in(1));
        let sticking = Pathwise::sticking_the_landing(s);
        check_estimator(&sticking, model, family, params, exact, n, key.fold_in(2));
    }
}

/// The ELBO of a member with this mean and covariance.
fn elbo(model: &GaussianTarget, mean: &Array1<f64>, covariance: &Array2<f64>, entropy: f64) -> f64 {
    model.log_joint(mean) - 0.5 * (&model.precision * covariance).sum() + entropy
}

#[test]
fn mean_field() {
    let model = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let params = spread(6, 0.2);
    check(&model, &family, &params, &model.mean_field_gradient(&params), 1);
}

#[test]
fn full_rank() {
    let model = GaussianTarget::correlated();
    let family = FullRankGaussian::new(model.parameters()).unwrap();
    let params = spread(9, 0.2);
    check(&model, &family, &params, &model.full_rank_gradient(&params), 2);
}

#[test]
fn low_rank() {
    let model = GaussianTarget::correlated();
    let family = LowRankGaussian::new(model.parameters(), 2).unwrap();
    let params = spread(family.n_params(), 0.2);
    let at = |params: &Array1<f64>| {
        let q = family.bind(params).unwrap();
        elbo(&model, &q.mean().to_vec().into(), &q.covariance(), q.entropy().unwrap())
    };
    check(&model, &family, &params, &gradient_of(at, &params), 3);
}

#[test]
fn block_diagonal() {
    let model = GaussianTarget::correlated();
    let family = BlockDiagonalGaussian::from_sizes(model.parameters(), &[2, 1]).unwrap();
    let params = spread(family.n_params(), 0.2);
    let at = |params: &Array1<f64>| {
        let q = family.bind(params).unwrap();
        let mut covariance = Array2::zeros((3, 3));
        covariance.slice_mut(ndarray::s![..2, ..2]).assign(&q.blocks()[0].covariance());
        covariance.slice_mut(ndarray::s![2.., 2..]).assign(&q.blocks()[1].covariance());
        let mean = q.blocks().iter().flat_map(|b| b.mean().to_vec()).collect();
        elbo(&model, &mean, &covariance, q.entropy().unwrap())
    };
    check(&model, &family, &params, &gradient_of(at, &params), 4);
}

/// Variance s² ν/(ν − 2); with ν = 12 the gradients have the moments that a standard error needs.
#[test]
fn student_t() {
    let model = GaussianTarget::correlated();
    let family = StudentTMeanField::new(model.parameters(), 12.0).unwrap();
    let params = spread(6, 0.2);
    let at = |params: &Array1<f64>| {
        let q = family.bind(params).unwrap();
        let variance: Array1<f64> = q.scale().iter().map(|s| s * s * 1.2).collect();
        let mean = q.location().to_vec().into();
        elbo(&model, &mean, &Array2::from_diag(&variance), q.entropy().unwrap())
    };
    check(&model, &family, &params, &gradient_of(at, &params), 5);
}

/// Gamma, Beta and Dirichlet factors beside a Gaussian: implicit derivatives.
#[test]
fn every_support() {
    let model = EverySupport::new();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    // Shapes around 4: below 3 second moments of 1/w, which the gradients hold, do not exist.
    let params = spread(family.n_params(), 1.5);
    let exact = gradient_of(|params| model.elbo(params), &params);
    check(&model, &family, &params, &exact, 6);
}
