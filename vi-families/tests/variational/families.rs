//! The contract of every variational family over λ drawn by proptest, and the errors of binding.
//!
//! Parameters and keys are drawn from fixed seeds. Over all keys a correct family fails a case for about 1 in 10⁶
//! (see `check_variational_family`).

use crate::common::{config, positive_definite, vector};
use crate::{params, reals};
use ndarray::{Array1, Array2, array};
use proptest::prelude::*;
use vi_core::{Parameter, ParameterSpace, StreamKey, Support};
use vi_families::testing::{check_reparameterized, check_variational_family};
use vi_families::{
    Beta, ExponentialFamily, FullRankGaussian, Gamma, MeanFieldGaussian, MvGaussian, ProductFamily,
    VariationalDistribution, VariationalFamily,
};

/// One variable of every support the product treats, some of them arrays.
fn mixed() -> ParameterSpace {
    ParameterSpace::new([
        Parameter::vector("theta", 2, Support::Real),
        Parameter::scalar("tau", Support::Positive),
        Parameter::scalar("rho", Support::Interval { lower: -1.0, upper: 3.0 }),
        Parameter::new("w", &[2, 3], Support::Simplex),
        Parameter::scalar("phi", Support::Angle),
        Parameter::vector("on", 2, Support::Binary),
        Parameter::scalar("k", Support::Categorical { n: 3 }),
    ])
    .unwrap()
}

fn key() -> StreamKey {
    StreamKey::from_seed(30)
}

proptest! {
    #![proptest_config(config(8))]

    // 11 has both a full group of eight coordinates and a remainder.
    #[test]
    fn mean_field(d in prop_oneof![Just(1usize), Just(11)], lambda in params(22, 1.5)) {
        let family = MeanFieldGaussian::new(&reals(d)).unwrap();
        let lambda = [lambda.slice(ndarray::s![..2 * d]).to_owned()];
        check_variational_family(&family, &lambda, key());
        check_reparameterized(&family, &lambda, key());
    }

    #[test]
    fn full_rank(d in prop_oneof![Just(1usize), Just(2), Just(9)], lambda in params(54, 0.8)) {
        let family = FullRankGaussian::new(&reals(d)).unwrap();
        let lambda = [lambda.slice(ndarray::s![..family.n_params()]).to_owned()];
        check_variational_family(&family, &lambda, key());
        check_reparameterized(&family, &lambda, key());
    }

    #[test]
    fn product((family, lambda) in Just(ProductFamily::for_space(&mixed()).unwrap())
        .prop_flat_map(|f| { let n = f.n_params(); (Just(f), params(n, 1.5)) }))
    {
        check_variational_family(&family, &[lambda], key());
    }

    #[test]
    fn full_rank_is_the_multivariate_gaussian(m in vector(3), c in positive_definite(3), z in vector(3)) {
        let family = FullRankGaussian::new(&reals(3)).unwrap();
        let lambda = family.params_from_mean_covariance(&m, &c).unwrap();
        let (q, p) = (family.bind(&lambda).unwrap(), MvGaussian::from_mean_covariance(&m, &c).unwrap());
        prop_assert!((q.log_prob(&z) - p.log_prob(&z)).abs() < 1e-10 * (1.0 + p.log_prob(&z).abs()));
        prop_assert!((q.entropy().unwrap() - p.entropy()).abs() < 1e-12);
        prop_assert!((q.covariance() - &c).iter().all(|d| d.abs() < 1e-12));
    }

    #[test]
    fn mean_field_is_a_diagonal_full_rank(m in vector(3), sd in vector(3), z in vector(3)) {
        let sd = sd.mapv(f64::exp);
        let (a, b) = (MeanFieldGaussian::new(&reals(3)).unwrap(), FullRankGaussian::new(&reals(3)).unwrap());
        let la = a.params_from_mean_sd(&m, &sd);
        let lb = b.params_from_mean_covariance(&m, &Array2::from_diag(&sd.mapv(|s| s * s))).unwrap();
        let (qa, qb) = (a.bind(&la).unwrap(), b.bind(&lb).unwrap());
        let value = qa.log_prob(&z);
        prop_assert!((value - qb.log_prob(&z)).abs() < 1e-11 * (1.0 + value.abs()));
    }
}

#[test]
fn the_factors_of_a_product_have_their_own_densities() {
    let space = ParameterSpace::new([
        Parameter::scalar("tau", Support::Positive),
        Parameter::scalar("rho", Support::Interval { lower: -1.0, upper: 3.0 }),
    ])
    .unwrap();
    let family = ProductFamily::for_space(&space).unwrap();
    let lambda = array![2f64.ln(), 3f64.ln(), 1.5f64.ln(), 0.5f64.ln()];
    let q = family.bind(&lambda).unwrap();
    // dz = 4 dy on (−1, 3).
    let expected = Gamma::from_shape_rate(2.0, 3.0).unwrap().log_prob(&0.4)
        + Beta::from_alpha_beta(1.5, 0.5).unwrap().log_prob(&0.75)
        - 4f64.ln();
    assert!((q.log_prob(&array![0.4, 2.0]) - expected).abs() < 1e-14);
    for outside in [array![-0.4, 2.0], array![0.4, 3.0], array![0.4, -1.5]] {
        assert_eq!(q.log_prob(&outside), f64::NEG_INFINITY);
    }
}

#[test]
fn names_tell_variable_and_parameter() {
    let names = ProductFamily::for_space(&mixed()).unwrap().param_names();
    assert_eq!(
        names[..4],
        ["location(theta[1])", "log_scale(theta[1])", "location(theta[2])", "log_scale(theta[2])"]
    );
    assert_eq!(
        names[4..9],
        ["log_shape(tau)", "log_rate(tau)", "log_alpha(rho)", "log_beta(rho)", "log_concentration(w[1,1])"]
    );
    assert_eq!(
        names[14..],
        [
            "location(phi)",
            "log_concentration(phi)",
            "logit(on[1])",
            "logit(on[2])",
            "log_odds(k=0)",
            "log_odds(k=1)"
        ]
    );
    let names = FullRankGaussian::new(&reals(2)).unwrap().param_names();
    assert_eq!(names[2..], ["log_factor(theta[1])", "factor(theta[2],theta[1])", "log_factor(theta[2])"]);
}

#[test]
fn errors_name_the_parameter_and_its_value() {
    let family = MeanFieldGaussian::new(&reals(2)).unwrap();
    let message = |lambda: Array1<f64>| family.bind(&lambda).unwrap_err().to_string();
    let e = message(array![0.0, f64::NAN, 0.0, 0.0]);
    assert_eq!(e, "MeanFieldGaussian: location(theta[2]) = NaN, but it must be finite");
    let e = message(array![0.0, 0.0, 800.0, 0.0]);
    assert_eq!(e, "MeanFieldGaussian: log_scale(theta[1]) = 800, but it must be finite and within ±300");
    assert_eq!(message(array![0.0]), "MeanFieldGaussian: λ has length 1, expected 4");
    let family = ProductFamily::for_space(&mixed()).unwrap();
    let mut lambda = family.init();
    lambda[5] = 1e4;
    let e = family.bind(&lambda).unwrap_err().to_string();
    assert_eq!(e, "ProductFamily: log_rate(tau) = 10000, but it must be finite and within ±300");
}

#[test]
fn unfit_spaces_are_refused_by_name() {
    let e = MeanFieldGaussian::new(&mixed()).unwrap_err().to_string();
    assert_eq!(e, "parameter `tau` has support positive, which the mean-field Gaussian cannot treat");
    let e = FullRankGaussian::new(&mixed()).unwrap_err().to_string();
    assert_eq!(e, "parameter `tau` has support positive, which the full-rank Gaussian cannot treat");
    let ordered = ParameterSpace::new([Parameter::vector("cut", 3, Support::Ordered)]).unwrap();
    let e = ProductFamily::for_space(&ordered).unwrap_err().to_string();
    assert_eq!(e, "parameter `cut` has support ordered, which the product family cannot treat");
}
