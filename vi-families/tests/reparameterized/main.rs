//! Products as transports of noise, and the gradients of log densities, against differences.
//!
//! Over all keys a correct family fails a case of `check_reparameterized` for about 1 in 10⁶.

mod angle;

use ndarray::{Array1, Array2, array};
use vi_core::{Parameter, ParameterSpace, StreamKey, Support};
use vi_families::testing::{check_differentiable_density, check_reparameterized};
use vi_families::{
    BlockDiagonalGaussian, DifferentiableDensity, FullRankGaussian, GaussianMixture,
    LearnedStudentTMeanField, LowRankGaussian, MeanFieldGaussian, ProductFamily, Reparameterized,
    StudentTMeanField, VariationalDistribution, VariationalFamily,
};

fn reals() -> ParameterSpace {
    ParameterSpace::new([Parameter::vector("a", 2, Support::Real), Parameter::scalar("b", Support::Real)])
        .unwrap()
}

fn continuous() -> ParameterSpace {
    ParameterSpace::new([
        Parameter::scalar("real", Support::Real),
        Parameter::vector("positive", 2, Support::Positive),
        Parameter::scalar("interval", Support::Interval { lower: -1.0, upper: 3.0 }),
        Parameter::new("simplex", &[2, 3], Support::Simplex),
    ])
    .unwrap()
}

fn key() -> StreamKey {
    StreamKey::from_seed(2017)
}

/// λ that is neither zero nor the same twice.
fn spread(n: usize, size: f64) -> Array1<f64> {
    Array1::from_shape_fn(n, |p| size * (1.7 * p as f64 + 0.4).sin())
}

#[test]
fn a_product_is_a_transport() {
    let family = ProductFamily::for_space(&continuous()).unwrap();
    let n = family.n_params();
    // Shapes from 0.2 to 5, and from 20 on, where other formulas are used.
    let params = [spread(n, 0.8), spread(n, 1.6), 0.4 * spread(n, 1.0) + 3.5];
    check_reparameterized(&family, &params, key());
}

#[test]
fn every_density_is_differentiated() {
    fn check<F: VariationalFamily>(family: F)
    where
        for<'a> F::Member<'a>: DifferentiableDensity,
    {
        let n = family.n_params();
        check_differentiable_density(&family, &[spread(n, 0.4), spread(n, 0.9)], &Array2::eye(3), key());
    }
    let space = reals();
    check(MeanFieldGaussian::new(&space).unwrap());
    check(FullRankGaussian::new(&space).unwrap());
    check(LowRankGaussian::new(&space, 2).unwrap());
    check(BlockDiagonalGaussian::by_parameter(&space).unwrap());
    check(StudentTMeanField::new(&space, 3.5).unwrap());
    check(LearnedStudentTMeanField::new(&space, 4.0).unwrap());
    check(GaussianMixture::mean_field(&space, 3).unwrap());
    check(GaussianMixture::full_rank(&space, 2).unwrap());
}

#[test]
fn the_density_of_a_product_is_differentiated() {
    let family = ProductFamily::for_space(&continuous()).unwrap();
    let n = family.n_params();
    let mut directions = Array2::zeros((8, 10));
    for d in 0..4 {
        directions[[d, d]] = 1.0;
    }
    // Within the two simplices: from the first to the second element, from the second to the third.
    for (row, first) in [4, 5, 7, 8].into_iter().enumerate() {
        directions[[4 + row, first]] = -1.0;
        directions[[4 + row, first + 1]] = 1.0;
    }
    let params = [spread(n, 0.4) + 1.0, spread(n, 0.4)];
    check_differentiable_density(&family, &params, &directions, key());
}

#[test]
fn discrete_factors_pass_no_derivative_on() {
    let space = ParameterSpace::new([
        Parameter::scalar("on", Support::Binary),
        Parameter::scalar("tau", Support::Positive),
        Parameter::scalar("k", Support::Categorical { n: 3 }),
    ])
    .unwrap();
    let family = ProductFamily::for_space(&space).unwrap();
    let lambda = array![0.3, 0.2, -0.1, 0.5, -0.4];
    let q = family.bind(&lambda).unwrap();
    assert_eq!([0, 1, 2].map(|d| q.is_differentiable(d)), [false, true, false]);
    let (mut noise, mut z, mut out) = (Array1::zeros(3), Array1::zeros(3), Array1::zeros(5));
    q.sample_noise(&mut key().rng(0), &mut noise);
    q.transport(&noise, &mut z);
    assert!(q.log_prob(&z).is_finite());
    q.add_transport_vjp(&noise, &z, &array![1.0, 1.0, 1.0], 1.0, &mut out);
    assert_eq!((out[0], out[3], out[4]), (0.0, 0.0, 0.0));
    assert!(out[1] != 0.0 && out[2] == -z[1]);
    let mut grad = Array1::zeros(3);
    q.add_log_prob_grad(&z, 1.0, &mut grad);
    assert_eq!((grad[0], grad[2]), (0.0, 0.0));
}

/// log(1 − v) of a stick whose first part leaves nothing that 1 − v could hold.
#[test]
fn small_shares_of_a_simplex_keep_their_digits() {
    let space = ParameterSpace::new([Parameter::vector("w", 3, Support::Simplex)]).unwrap();
    let family = ProductFamily::for_space(&space).unwrap();
    // Concentrations 20, 0.05, 0.05: the rest of the stick is of order 10⁻¹⁵ and below in every other draw.
    let lambda = array![20f64.ln(), 0.05f64.ln(), 0.05f64.ln()];
    let q = family.bind(&lambda).unwrap();
    let mut z = Array1::zeros(3);
    q.transport(&array![0.9, 0.5, 0.5], &mut z);
    assert!(z[1] > 0.0 && z[1] < 1e-5 && z[2] > 0.0 && z[2] < 1e-5, "{z}");
    assert!((z[1] - z[2]).abs() <= 1e-9 * z[1], "the middle of a symmetric part is its half: {z}");
    assert!(q.log_prob(&z).is_finite());
}
