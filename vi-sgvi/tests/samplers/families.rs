//! Every sampler × every family.

use ndarray::{Array1, ArrayRef1};
use vi_core::{Parameter, ParameterSpace, StreamKey, Support};
use vi_families::{
    BlockDiagonalGaussian, Disperse, FullRankGaussian, GaussianMixture, LearnedStudentTMeanField,
    LowRankGaussian, MeanFieldGaussian, ProductFamily, StudentTMeanField, UniformTransport,
    VariationalFamily,
};
use vi_sgvi::testing::check_estimator;
use vi_sgvi::{Overdispersed, ScoreFunction};

use crate::exact::{Model, exact_gradient};

fn spread(n: usize) -> Array1<f64> {
    Array1::from_shape_fn(n, |p| 0.5 * (1.7 * p as f64 + 0.4).sin())
}

fn key() -> StreamKey {
    StreamKey::from_seed(31_415)
}

fn check_transported<F>(model: &Model, family: &F, params: &Array1<f64>)
where
    F: VariationalFamily,
    for<'a> F::Member<'a>: UniformTransport,
{
    let exact = exact_gradient(model, family, params);
    for s in [4, 10, 100] {
        let estimator = ScoreFunction::leave_one_out(s).antithetic();
        check_estimator(&estimator, model, family, params, &exact, 300, key());
    }
    for s in [2, 4, 16, 128] {
        let estimator = ScoreFunction::leave_one_out(s).quasi_monte_carlo(2);
        check_estimator(&estimator, model, family, params, &exact, 300, key());
    }
}

fn check_dispersed<F>(model: &Model, family: &F, params: &Array1<f64>)
where
    F: VariationalFamily,
    for<'a> F::Member<'a>: Disperse,
{
    let exact = exact_gradient(model, family, params);
    for s in [2, 3, 10, 100] {
        let estimator = ScoreFunction::leave_one_out(s).with_sampler(Overdispersed::new(1.4).unwrap());
        check_estimator(&estimator, model, family, params, &exact, 300, key());
    }
}

/// Two coordinates that depend on each other, with tails that are not Gaussian.
fn pair() -> Model {
    fn log_joint(z: &ArrayRef1<f64>) -> f64 {
        let (a, b) = (z[0] - 0.4, z[1] + 0.3);
        -0.8 * a * a - 0.5 * b * b + 0.6 * a * b - 0.5 * (1.0 + a * a + b * b).ln() - 2.0
    }
    Model { space: ParameterSpace::new([Parameter::vector("z", 2, Support::Real)]).unwrap(), log_joint }
}

#[test]
fn mean_field_and_block_diagonal() {
    let model = pair();
    let family = MeanFieldGaussian::new(&model.space).unwrap();
    let params = spread(family.n_params());
    check_transported(&model, &family, &params);
    check_dispersed(&model, &family, &params);
    let family = BlockDiagonalGaussian::from_sizes(&model.space, &[1, 1]).unwrap();
    let params = spread(family.n_params());
    check_transported(&model, &family, &params);
    check_dispersed(&model, &family, &params);
}

#[test]
fn full_and_low_rank() {
    let model = pair();
    let family = FullRankGaussian::new(&model.space).unwrap();
    let params = spread(family.n_params());
    check_transported(&model, &family, &params);
    check_dispersed(&model, &family, &params);
    let family = LowRankGaussian::new(&model.space, 1).unwrap();
    let params = spread(family.n_params());
    check_transported(&model, &family, &params);
    check_dispersed(&model, &family, &params);
}

#[test]
fn students() {
    fn log_joint(z: &ArrayRef1<f64>) -> f64 {
        -1.5 * (1.0 + (z[0] - 0.4).powi(2)).ln() - 1.0
    }
    let space = ParameterSpace::new([Parameter::scalar("z", Support::Real)]).unwrap();
    let model = Model { space, log_joint };
    // So many degrees of freedom that the grid of the quadrature holds the tails.
    let family = StudentTMeanField::new(&model.space, 14.0).unwrap();
    check_transported(&model, &family, &Array1::from(vec![0.2, -0.4]));
    let family = LearnedStudentTMeanField::new(&model.space, 14.0).unwrap();
    check_transported(&model, &family, &Array1::from(vec![0.2, -0.4, 14f64.ln()]));
}

#[test]
fn mixtures() {
    let model = pair();
    let family = GaussianMixture::mean_field(&model.space, 2).unwrap();
    let params = spread(family.n_params());
    check_transported(&model, &family, &params);
    let family = GaussianMixture::full_rank(&model.space, 2).unwrap();
    let params = spread(family.n_params());
    check_transported(&model, &family, &params);
}

/// A rate that a bit and a category multiply, observed through a count of 3.
#[test]
fn gamma_bernoulli_and_categorical_factors() {
    fn log_joint(z: &ArrayRef1<f64>) -> f64 {
        let (rate, bit, category) = (z[0], z[1], z[2]);
        let mean = rate * (0.5 + bit) * (1.0 + 0.3 * category);
        2.0 * rate.ln() - 1.5 * rate + 3.0 * mean.ln() - mean + 0.4 * bit - 0.2 * category
    }
    let space = ParameterSpace::new([
        Parameter::scalar("rate", Support::Positive),
        Parameter::scalar("bit", Support::Binary),
        Parameter::scalar("category", Support::Categorical { n: 3 }),
    ])
    .unwrap();
    let model = Model { space, log_joint };
    let family = ProductFamily::for_space(&model.space).unwrap();
    let params = spread(family.n_params()).mapv(|v| v + 0.4);
    check_transported(&model, &family, &params);
    check_dispersed(&model, &family, &params);
}

#[test]
fn beta_dirichlet_and_gaussian_factors() {
    fn beta(z: &ArrayRef1<f64>) -> f64 {
        let (w, x) = ((z[0] + 1.0) / 3.0, z[1]);
        3.0 * w.ln() + 1.5 * (1.0 - w).ln() - 0.7 * (x - w).powi(2)
    }
    fn simplex(z: &ArrayRef1<f64>) -> f64 {
        1.2 * z[0].ln() + 2.0 * z[1].ln() - 0.5 * (z[2] - z[0]).powi(2)
    }
    let interval = Parameter::scalar("w", Support::Interval { lower: -1.0, upper: 2.0 });
    for (first, log_joint) in [
        (interval, beta as fn(&ArrayRef1<f64>) -> f64),
        (Parameter::vector("p", 2, Support::Simplex), simplex),
    ] {
        let space = ParameterSpace::new([first, Parameter::scalar("x", Support::Real)]).unwrap();
        let model = Model { space, log_joint };
        let family = ProductFamily::for_space(&model.space).unwrap();
        let params = spread(family.n_params()).mapv(|v| v + 0.5);
        check_transported(&model, &family, &params);
        check_dispersed(&model, &family, &params);
    }
}
