//! Families of several coordinates.

use ndarray::{Array1, Array2};
use proptest::prelude::*;
use vi_families::{
    Categorical, DiagonalGaussian, Dirichlet, InverseWishart, MatrixGaussian, Multinomial, MvGaussian,
    NormalGamma, NormalInverseGamma, NormalInverseWishart, NormalWishart, RowCovariance, VonMisesFisher,
    Wishart,
};

use super::common::config;
use super::{
    any_shape, check, check_without_draws, conditioned, direction, log_uniform, logit, scale, shape,
    vector_of,
};

/// Logits whose differences are those of probabilities down to 10⁻¹².
fn half_logit() -> impl Strategy<Value = f64> {
    logit().prop_map(|l| 0.5 * l)
}

/// Two of each: locations and matrices of the same order, up to `largest`.
fn planes(largest: usize) -> impl Strategy<Value = [(Array1<f64>, Array2<f64>); 2]> {
    (1..=largest).prop_flat_map(move |p| {
        let plane = move || (vector_of(p, -3.0..3.0f64), conditioned(p));
        [plane(), plane()]
    })
}

proptest! {
    #![proptest_config(config(8))]

    #[test]
    fn categorical((a, b) in (1..=6usize).prop_flat_map(|k| (vector_of(k, half_logit()), vector_of(k, half_logit())))) {
        check(&[&a, &b].map(|l| Categorical::from_logits(l).unwrap()));
    }

    #[test]
    fn multinomial(n in 1..10_000u64,
        (a, b) in (2..=6usize).prop_flat_map(|k| (vector_of(k, half_logit()), vector_of(k, half_logit()))))
    {
        check(&[a, b].map(|l| Multinomial::from_logits(n, &l).unwrap()));
    }

    #[test]
    fn dirichlet((a, b) in (2..=6usize).prop_flat_map(|k| (vector_of(k, shape()), vector_of(k, shape())))) {
        check(&[a, b].map(|v| Dirichlet::from_concentration(&v).unwrap()));
    }

    #[test]
    fn dirichlet_of_small_concentration(
        (a, b) in (2..=6usize).prop_flat_map(|k| (vector_of(k, any_shape()), vector_of(k, any_shape()))),
    ) {
        check_without_draws(&[a, b].map(|v| Dirichlet::from_concentration(&v).unwrap()));
    }

    #[test]
    fn diagonal_gaussian((m, s, m2, s2) in (1..=6usize).prop_flat_map(|p| {
        let location = move || vector_of(p, -1e3..1e3f64);
        (location(), vector_of(p, scale()), location(), vector_of(p, scale()))
    })) {
        let member = |m: &Array1<f64>, s: &Array1<f64>| DiagonalGaussian::from_mean_sd(&(m * s), s).unwrap();
        check(&[member(&m, &s), member(&m2, &s2)]);
    }

    #[test]
    fn mv_gaussian(planes in planes(6)) {
        let [(m, c), (m2, c2)] = planes;
        check(&[
            MvGaussian::from_mean_covariance(&m, &c).unwrap(),
            MvGaussian::from_mean_precision(&m2, &c2).unwrap(),
        ]);
    }

    #[test]
    fn matrix_gaussian((u, m, v, v2) in (1..=3usize, 1..=3usize).prop_flat_map(|(n, p)| {
        let mean = vector_of(n * p, -3.0..3.0f64).prop_map(move |m| m.into_shape_with_order((n, p)).unwrap());
        (conditioned(n), mean, conditioned(p), conditioned(p))
    })) {
        let rows = RowCovariance::from_covariance(&u).unwrap();
        check(&[
            MatrixGaussian::from_mean_covariances(&m, &rows, &v).unwrap(),
            MatrixGaussian::from_mean_column_precision(&m, &rows, &v2).unwrap(),
        ]);
    }

    #[test]
    fn von_mises_fisher((mu, mu2) in (2..=6usize).prop_flat_map(|p| (direction(p), direction(p))),
        k in scale(), k2 in scale())
    {
        let member = |mu, k| VonMisesFisher::from_mean_direction_concentration(mu, k).unwrap();
        check(&[member(&mu, k), member(&mu2, k2)]);
    }

    #[test]
    fn wishart(planes in planes(4), extra in log_uniform(-3.0, 6.0), extra2 in log_uniform(-3.0, 6.0)) {
        let [(_, w), (_, w2)] = planes;
        let least = w.nrows() as f64 + 2.0;
        let members = [
            Wishart::from_dof_scale(least + extra, &w).unwrap(),
            Wishart::from_dof_inverse_scale(least + extra2, &w2).unwrap(),
        ];
        check(&members);
        check(&members.map(InverseWishart::from));
    }

    #[test]
    fn normal_gamma(m in direction(2), k in vector_of(2, log_uniform(-4.0, 4.0)),
        a in vector_of(2, log_uniform(-1.0, 5.0)), b in vector_of(2, scale()))
    {
        let member = |i: usize| {
            let spread = (b[i] / a[i] / k[i]).sqrt();
            NormalGamma::from_mean_count_shape_rate(10.0 * m[i] * spread, k[i], a[i], b[i]).unwrap()
        };
        check(&[member(0), member(1)]);
        check(&[member(0), member(1)].map(NormalInverseGamma::from));
    }

    #[test]
    fn normal_wishart(planes in planes(3), k in vector_of(2, log_uniform(-4.0, 4.0)),
        extra in vector_of(2, log_uniform(-2.0, 5.0)))
    {
        let member = |i: usize| {
            let (m, w) = &planes[i];
            NormalWishart::from_mean_count_dof_scale(m, k[i], m.len() as f64 + 2.0 + extra[i], w).unwrap()
        };
        check(&[member(0), member(1)]);
        check(&[member(0), member(1)].map(NormalInverseWishart::from));
    }
}
