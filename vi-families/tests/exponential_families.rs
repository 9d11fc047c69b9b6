//! The contract of every distribution over parameters drawn by proptest.
//!
//! Parameters and keys are drawn from fixed seeds. Over all keys a correct family fails a case for about 1 in 10⁷
//! (see `check_exponential_family`), the whole file for about 1 in 10⁵.

mod common;

use common::{config, positive_definite, vector};
use ndarray::{Array1, Array2};
use proptest::prelude::*;
use vi_core::StreamKey;
use vi_families::testing::{check_any_vector, check_exponential_family};
use vi_families::{
    Bernoulli, Beta, Categorical, Dirichlet, Gamma, Gaussian, InverseGamma, MvGaussian, NormalGamma,
    NormalWishart, Wishart,
};

/// Three more than the family needs: below it, draws get too close to singular for T(Λ) to keep its digits.
/// Fewer degrees of freedom are in `inversions.rs`.
fn least_dof(scale: &Array2<f64>) -> f64 {
    scale.nrows() as f64 + 2.0
}

/// Numbers between e^−2.5 and e^2.5, evenly on the log scale.
fn positive() -> impl Strategy<Value = f64> {
    (-2.5..2.5f64).prop_map(f64::exp)
}

/// Vectors of length `n` of [`positive`] numbers.
fn positive_vector(n: usize) -> impl Strategy<Value = Array1<f64>> {
    prop::collection::vec(positive(), n).prop_map(Array1::from)
}

/// Anything an algorithm gone wrong may hand over: huge, tiny, signed zeros, infinities, NaN, and plain values.
fn any_vector() -> impl Strategy<Value = Array1<f64>> {
    let element =
        prop_oneof![4 => -10.0..10.0f64, 2 => any::<f64>(), 1 => Just(0.0), 1 => -1e-300..1e-300f64];
    prop::collection::vec(element, 0..12).prop_map(Array1::from)
}

fn key() -> StreamKey {
    StreamKey::from_seed(20)
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn gaussian(m in -5.0..5.0f64, s in positive(), m2 in -5.0..5.0f64, s2 in positive()) {
        let members = [Gaussian::from_mean_sd(m, s).unwrap(), Gaussian::from_mean_precision(m2, s2).unwrap()];
        check_exponential_family(&members, key());
    }

    #[test]
    fn gamma(a in positive(), b in positive(), a2 in positive(), b2 in positive()) {
        let members = [Gamma::from_shape_rate(a, b).unwrap(), Gamma::from_shape_scale(a2, b2).unwrap()];
        check_exponential_family(&members, key());
    }

    #[test]
    fn inverse_gamma(a in positive(), b in positive(), a2 in positive(), b2 in positive()) {
        let member = |a, b| InverseGamma::from_shape_scale(a, b).unwrap();
        check_exponential_family(&[member(a, b), member(a2, b2)], key());
    }

    #[test]
    fn beta(a in positive(), b in positive(), a2 in positive(), b2 in positive()) {
        let member = |a, b| Beta::from_alpha_beta(a, b).unwrap();
        check_exponential_family(&[member(a, b), member(a2, b2)], key());
    }

    #[test]
    fn dirichlet((a, b) in (2..6usize).prop_flat_map(|k| (positive_vector(k), positive_vector(k)))) {
        let member = |a| Dirichlet::from_concentration(a).unwrap();
        check_exponential_family(&[member(&a), member(&b)], key());
    }

    #[test]
    fn bernoulli(p in 0.02..0.98f64, logit in -4.0..4.0f64) {
        let members = [Bernoulli::from_probability(p).unwrap(), Bernoulli::from_logit(logit).unwrap()];
        check_exponential_family(&members, key());
    }

    #[test]
    fn categorical((a, b) in (1..6usize).prop_flat_map(|k| (vector(k), vector(k)))) {
        let exp = a.mapv(f64::exp);
        let probabilities = &exp / exp.sum();
        let members =
            [Categorical::from_probabilities(&probabilities).unwrap(), Categorical::from_logits(&b).unwrap()];
        check_exponential_family(&members, key());
    }

    #[test]
    fn mv_gaussian((m, c, m2, c2) in (1..5usize)
        .prop_flat_map(|p| (vector(p), positive_definite(p), vector(p), positive_definite(p))))
    {
        let members = [
            MvGaussian::from_mean_covariance(&m, &c).unwrap(),
            MvGaussian::from_mean_precision(&m2, &c2).unwrap(),
        ];
        check_exponential_family(&members, key());
    }

    #[test]
    fn wishart((w, w2) in (1..4usize).prop_flat_map(|p| (positive_definite(p), positive_definite(p))),
        extra in positive(), extra2 in positive())
    {
        let least = least_dof(&w);
        let members = [
            Wishart::from_dof_scale(least + extra, &w).unwrap(),
            Wishart::from_dof_inverse_scale(least + extra2, &w2).unwrap(),
        ];
        check_exponential_family(&members, key());
    }

    #[test]
    fn normal_gamma(m in vector(2), k in positive_vector(2), a in positive_vector(2), b in positive_vector(2)) {
        let member = |i: usize| NormalGamma::from_mean_count_shape_rate(m[i], k[i], a[i], b[i]).unwrap();
        check_exponential_family(&[member(0), member(1)], key());
    }

    #[test]
    fn normal_wishart((m, w, m2, w2) in (1..4usize)
        .prop_flat_map(|p| (vector(p), positive_definite(p), vector(p), positive_definite(p))),
        k in positive_vector(2), extra in positive_vector(2))
    {
        let dof = |i: usize| least_dof(&w) + extra[i];
        let members = [
            NormalWishart::from_mean_count_dof_scale(&m, k[0], dof(0), &w).unwrap(),
            NormalWishart::from_mean_count_dof_inverse_scale(&m2, k[1], dof(1), &w2).unwrap(),
        ];
        check_exponential_family(&members, key());
    }
}

proptest! {
    #![proptest_config(config(1500))]

    #[test]
    fn any_vector_gives_an_error_or_a_finite_member(v in any_vector()) {
        check_any_vector::<Gaussian>(&(), &v);
        check_any_vector::<Gamma>(&(), &v);
        check_any_vector::<InverseGamma>(&(), &v);
        check_any_vector::<Beta>(&(), &v);
        check_any_vector::<Dirichlet>(&(), &v);
        check_any_vector::<Bernoulli>(&(), &v);
        check_any_vector::<Categorical>(&(v.len() + 1), &v);
        check_any_vector::<MvGaussian>(&(), &v);
        check_any_vector::<Wishart>(&(), &v);
        check_any_vector::<NormalGamma>(&(), &v);
        check_any_vector::<NormalWishart>(&(), &v);
    }
}
