//! The contract over parameters drawn by proptest.

use std::borrow::Borrow;

use ndarray::{Array1, Array2, array};
use proptest::prelude::*;
use vi_core::StreamKey;
use vi_families::testing::{
    check_any_vector, check_exponential_family, check_multivariate, check_parametric,
};
use vi_families::{
    ExponentialFamily, NormalGamma, NormalInverseGamma, NormalInverseWishart, NormalWishart, Parametric,
};

use crate::common::{config, positive_definite, vector};

/// Numbers between e^−2.5 and e^2.5, evenly on the log scale.
fn positive() -> impl Strategy<Value = f64> {
    (-2.5..2.5f64).prop_map(f64::exp)
}

fn pair() -> impl Strategy<Value = [f64; 2]> {
    prop::array::uniform2(positive())
}

/// Anything an algorithm gone wrong may hand over: huge, tiny, signed zeros, infinities, NaN, and plain values.
fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -10.0..10.0f64, 2 => any::<f64>(), 1 => Just(0.0), 1 => -1e-300..1e-300f64]
}

fn key() -> StreamKey {
    StreamKey::from_seed(21)
}

/// The calculus of η and of the usual parameters.
fn check_all<F: Parametric>(members: &[F]) {
    check_exponential_family(members, key());
    check_parametric(members);
}

/// Two locations and two positive-definite matrices of the same order.
fn two_planes() -> impl Strategy<Value = [(Array1<f64>, Array2<f64>); 2]> {
    (1..4usize).prop_flat_map(|p| {
        let plane = move || (vector(p), positive_definite(p));
        [plane(), plane()]
    })
}

proptest! {
    #![proptest_config(config(8))]

    #[test]
    fn normal_gamma(m in vector(2), k in pair(), a in pair(), b in pair()) {
        let member = |i: usize| NormalGamma::from_mean_count_shape_rate(m[i], k[i], a[i], b[i]).unwrap();
        check_all(&[member(0), member(1)]);
    }

    #[test]
    fn normal_inverse_gamma(m in vector(2), k in pair(), a in pair(), b in pair()) {
        let member =
            |i: usize| NormalInverseGamma::from_mean_count_shape_scale(m[i], k[i], a[i], b[i]).unwrap();
        check_all(&[member(0), member(1)]);
    }

    // Three degrees of freedom more than needed: below, draws get too close to singular for T to keep its digits.
    #[test]
    fn normal_wishart(planes in two_planes(), k in pair(), extra in pair()) {
        let member = |i: usize| {
            let (m, w): &(Array1<f64>, Array2<f64>) = &planes[i];
            NormalWishart::from_mean_count_dof_scale(m, k[i], m.len() as f64 + 2.0 + extra[i], w).unwrap()
        };
        check_all(&[member(0), member(1)]);
    }

    #[test]
    fn normal_inverse_wishart(planes in two_planes(), k in pair(), extra in pair()) {
        let member = |i: usize| {
            let (m, w): &(Array1<f64>, Array2<f64>) = &planes[i];
            let dof = m.len() as f64 + 2.0 + extra[i];
            NormalInverseWishart::from_mean_count_dof_scale(m, k[i], dof, w).unwrap()
        };
        check_all(&[member(0), member(1)]);
    }
}

/// With enough degrees of freedom for the draws to have fourth moments.
#[test]
fn moments_and_modes() {
    let gammas = [(1.5, 0.5, 7.0, 3.0), (-20.0, 8.0, 30.0, 1e-3)]
        .map(|(m, k, a, b)| NormalGamma::from_mean_count_shape_rate(m, k, a, b).unwrap());
    check_multivariate(&gammas, key());
    check_multivariate(&gammas.map(NormalInverseGamma::from), key());
    let (m, w) = (array![0.5, -1.0], array![[0.5, 0.1], [0.1, 0.3]]);
    let wisharts =
        [14.0, 60.0].map(|dof| NormalWishart::from_mean_count_dof_scale(&m, 2.0, dof, &w).unwrap());
    check_multivariate(&wisharts, key());
    check_multivariate(&wisharts.map(NormalInverseWishart::from), key());
}

#[test]
fn extreme_members() {
    // A shape of 0.3 and less: μ has no expectation, and draws of τ go down to 1e-20 and below.
    let members = [(-1e3, 1e-3, 0.3, 1e-4), (1e3, 50.0, 400.0, 1e4), (0.0, 1e4, 2e4, 1e-3)];
    let gammas = members.map(|(m, k, a, b)| NormalGamma::from_mean_count_shape_rate(m, k, a, b).unwrap());
    check_exponential_family(&gammas, key());
    check_exponential_family(&gammas.map(NormalInverseGamma::from), key());
    let (m, w) = (array![3.0, -40.0], array![[1e-3, 2e-4], [2e-4, 5e-2]]);
    let large = NormalWishart::from_mean_count_dof_scale(&m, 20.0, 5e3, &w).unwrap();
    let small = NormalWishart::from_mean_count_dof_scale(&m, 0.05, 5.0, &w).unwrap();
    check_exponential_family(&[large.clone(), small.clone()], key());
    check_exponential_family(&[large.into(), NormalInverseWishart::from(small)], key());
}

/// The least degrees of freedom and shapes there are: draws stay inside the support, where a density exists, and
/// (∇A)⁻¹ finds its way back.
#[test]
fn near_the_boundary_draws_have_densities_and_means_lead_back() {
    let (m, w) = (array![0.5, -1.0, 3.0], array![[0.5, 0.1, 0.0], [0.1, 0.3, 0.2], [0.0, 0.2, 2.0]]);
    for excess in [1e-9, 1e-3, 0.1, 1.0] {
        let q = NormalWishart::from_mean_count_dof_scale(&m, 1e-3, 2.0 + excess, &w).unwrap();
        check_boundary(&q, NormalWishart::dof, excess);
        check_boundary(&NormalInverseWishart::from(q), NormalInverseWishart::dof, excess);
        let q = NormalGamma::from_mean_count_shape_rate(2.0, 1e-3, excess, 1e-2).unwrap();
        check_boundary(&q, NormalGamma::shape, excess);
        check_boundary(&NormalInverseGamma::from(q), NormalInverseGamma::shape, excess);
    }
    for count in [1e-300, 1e300] {
        let q = NormalGamma::from_mean_count_shape_rate(0.0, count, 1e-3, 1e-300).unwrap();
        check_boundary(&q, NormalGamma::shape, 1e-3);
        check_boundary(&NormalInverseGamma::from(q), NormalInverseGamma::shape, 1e-3);
    }
}

/// The parameter comes back to 10⁻⁹ of its excess over the bound, and to rounding.
fn check_boundary<F: ExponentialFamily>(member: &F, parameter: impl Fn(&F) -> f64, excess: f64) {
    for s in 0..200 {
        let draw = member.sample(&mut key().rng(s));
        let log_prob = member.log_prob(draw.borrow());
        assert!(log_prob.is_finite(), "{member:?}: log p = {log_prob} at draw {s}");
    }
    let back = F::from_mean_params_given(&member.fixed(), &member.mean_params()).unwrap();
    let (value, again) = (parameter(member), parameter(&back));
    let bound = 1e-9 * excess + 2.0 * f64::EPSILON * value;
    assert!((again - value).abs() <= bound, "{member:?}: {value} → μ → {again}");
}

proptest! {
    #![proptest_config(config(1500))]

    #[test]
    fn any_vector_gives_an_error_or_a_finite_member(v in prop::collection::vec(any_number(), 0..14)) {
        let v = Array1::from(v);
        check_any_vector::<NormalGamma>(&(), &v);
        check_any_vector::<NormalInverseGamma>(&(), &v);
        check_any_vector::<NormalWishart>(&(), &v);
        check_any_vector::<NormalInverseWishart>(&(), &v);
    }

    #[test]
    fn constructors_take_any_numbers(v in prop::collection::vec(any_number(), 9)) {
        let (mean, matrix) = (array![v[0], v[1]], array![[v[4], v[5]], [v[6], v[7]]]);
        let gamma = NormalGamma::from_mean_count_shape_rate(v[0], v[1], v[2], v[3]);
        let finite = v[0].is_finite() && (v[1] * v[0] * v[0]).is_finite();
        prop_assert_eq!(gamma.is_ok(), finite && v[1..4].iter().all(|x| usable(*x)));
        let inverse = NormalInverseGamma::from_mean_count_shape_scale(v[0], v[1], v[2], v[3]);
        prop_assert_eq!(inverse.map(|q| q.precision_twin().clone()).ok(), gamma.ok());
        let wishart = NormalWishart::from_mean_count_dof_inverse_scale(&mean, v[2], v[3], &matrix);
        let inverse = NormalInverseWishart::from_mean_count_dof_scale(&mean, v[2], v[3], &matrix);
        prop_assert_eq!(inverse.map(|q| q.precision_twin().clone()).ok(), wishart.ok());
        let _ = NormalWishart::from_mean_count_dof_scale(&mean, v[2], v[3], &matrix);
        let short = array![v[8]];
        prop_assert!(NormalWishart::from_mean_count_dof_scale(&short, v[2], v[3], &matrix).is_err());
    }
}

/// Positive, finite, and so is the reciprocal.
fn usable(x: f64) -> bool {
    x > 0.0 && x.is_finite() && x.recip().is_finite()
}
