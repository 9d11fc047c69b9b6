//! Densities of several coordinates integrate, or sum, to one, over parameters drawn by proptest.

#[path = "../common/mod.rs"]
mod common;

use ndarray::{Array1, Array2};
use proptest::prelude::*;
use vi_core::StreamKey;
use vi_families::testing::check_normalised;
use vi_families::{
    Categorical, DiagonalGaussian, Dirichlet, ExponentialFamily, InverseWishart, MatrixGaussian, Multinomial,
    MvGaussian, NormalGamma, NormalInverseGamma, NormalInverseWishart, NormalWishart, RowCovariance,
    VonMisesFisher, Wishart,
};

use common::{config, positive_definite, vector};

/// Numbers between 10^`low` and 10^`high`, evenly on the log scale.
fn log_uniform(low: f64, high: f64) -> impl Strategy<Value = f64> {
    (low..high).prop_map(|x| 10f64.powf(x))
}

fn positive_vector(n: usize, low: f64, high: f64) -> impl Strategy<Value = Array1<f64>> {
    prop::collection::vec(log_uniform(low, high), n).prop_map(Array1::from)
}

/// Two symmetric positive-definite matrices of order `p` in units between 10⁻⁴ and 10⁴.
fn two_matrices(p: usize) -> impl Strategy<Value = [Array2<f64>; 2]> {
    (positive_definite(p), positive_definite(p), positive_vector(p, -4.0, 4.0)).prop_map(|(a, b, s)| {
        [a, b].map(|m| Array2::from_shape_fn(m.dim(), |(i, j)| m[[i, j]] * s[i] * s[j]))
    })
}

proptest! {
    #![proptest_config(config(6))]

    #[test]
    fn categorical(logits in (1..7usize).prop_flat_map(|k| prop::collection::vec(-30.0..30.0f64, k))) {
        let flat = Array1::zeros(logits.len());
        let members = [Array1::from(logits), flat].map(|l| Categorical::from_logits(&l).unwrap());
        check_normalised(&members);
    }

    #[test]
    fn multinomial(n in 0..12u64, a in prop::collection::vec(-9.0..9.0f64, 4), b in vector(4)) {
        for k in 1..=4 {
            let member = |logits: &[f64]| Multinomial::from_logits(n, &Array1::from(logits.to_vec())).unwrap();
            check_normalised(&[member(&a[..k]), member(&b.to_vec()[..k])]);
        }
    }

    #[test]
    fn dirichlet((a, b) in (2..4usize).prop_flat_map(|k| {
        (positive_vector(k, -1.0, 3.0), positive_vector(k, -1.0, 1.0))
    })) {
        check_normalised(&[a, b].map(|v| Dirichlet::from_concentration(&v).unwrap()));
    }

    #[test]
    fn gaussians((m, m2, c, s) in (1..3usize).prop_flat_map(|p| {
        (vector(p), vector(p), two_matrices(p), positive_vector(p, -8.0, 8.0))
    })) {
        let near = |c: &Array2<f64>| c.diag().mapv(f64::sqrt) * &m2 + &m;
        check_normalised(&[
            MvGaussian::from_mean_covariance(&m, &c[0]).unwrap(),
            MvGaussian::from_mean_covariance(&near(&c[0]), &c[1]).unwrap(),
        ]);
        check_normalised(&[
            DiagonalGaussian::from_mean_sd(&(&m * &s), &s).unwrap(),
            DiagonalGaussian::from_mean_sd(&(&m2 * &s), &(&s * 1.5)).unwrap(),
        ]);
    }

    #[test]
    fn matrix_gaussian((u, m, v) in prop_oneof![Just((1, 2)), Just((2, 1))].prop_flat_map(|(n, p)| {
        let mean = vector(n * p).prop_map(move |m| m.into_shape_with_order((n, p)).unwrap());
        (two_matrices(n), mean, two_matrices(p))
    })) {
        let rows = RowCovariance::from_covariance(&u[0]).unwrap();
        check_normalised(&[
            MatrixGaussian::from_mean_covariances(&m, &rows, &v[0]).unwrap(),
            MatrixGaussian::from_mean_covariances(&m, &rows, &v[1]).unwrap(),
        ]);
    }

    #[test]
    fn von_mises_fisher((mu, mu2) in (2..4usize).prop_flat_map(|p| (vector(p), vector(p))),
        kappa in log_uniform(-8.0, 5.0), kappa2 in log_uniform(-1.0, 1.0))
    {
        let member = |mu, kappa| VonMisesFisher::from_mean_direction_concentration(mu, kappa).unwrap();
        check_normalised(&[member(&mu, kappa), member(&mu2, kappa2)]);
        check_normalised(&[VonMisesFisher::uniform(mu.len()).unwrap()]);
    }

    #[test]
    fn normal_gamma(m in vector(2), k in positive_vector(2, -4.0, 4.0), a in positive_vector(2, -1.0, 3.0),
        b in log_uniform(-6.0, 6.0))
    {
        let member = |i: usize| NormalGamma::from_mean_count_shape_rate(m[i], k[i], a[i], b).unwrap();
        check_normalised(&[member(0), member(1)]);
        check_normalised(&[member(0), member(1)].map(NormalInverseGamma::from));
    }
}

proptest! {
    #![proptest_config(config(3))]

    #[test]
    fn wishart((w, extra) in (1..3usize).prop_flat_map(|p| (two_matrices(p), positive_vector(2, -1.0, 2.0)))) {
        let least = w[0].nrows() as f64 + 3.0;
        let member = |i: usize| Wishart::from_dof_scale(least + extra[i], &w[i]).unwrap();
        check_normalised(&[member(0), member(1)]);
        check_normalised(&[member(0), member(1)].map(InverseWishart::from));
    }

    /// In one dimension by quadrature; the factors in more are integrated above.
    #[test]
    fn normal_wishart(m in vector(2), k in positive_vector(2, -3.0, 3.0), w in two_matrices(1),
        extra in positive_vector(2, -1.0, 2.0))
    {
        let member = |i: usize| {
            let mean = ndarray::array![m[i]];
            NormalWishart::from_mean_count_dof_scale(&mean, k[i], 4.0 + extra[i], &w[i]).unwrap()
        };
        check_normalised(&[member(0), member(1)]);
        check_normalised(&[member(0), member(1)].map(NormalInverseWishart::from));
    }

    /// log p(μ, Λ) = log p(μ | Λ) + log p(Λ), and the same of Σ = Λ⁻¹, at draws.
    #[test]
    fn joint_densities_are_products((m, w) in (2..4usize).prop_flat_map(|p| (vector(p), two_matrices(p))),
        k in log_uniform(-3.0, 3.0), extra in log_uniform(-1.0, 3.0))
    {
        let q = NormalWishart::from_mean_count_dof_scale(&m, k, m.len() as f64 + 2.0 + extra, &w[0]).unwrap();
        let inverse = NormalInverseWishart::from(q.clone());
        let close = |joint: f64, parts: f64| {
            assert!((joint - parts).abs() <= 1e-11 * (1.0 + joint.abs()), "{q:?}: {joint}, parts {parts}");
        };
        for s in 0..100 {
            let z = q.sample(&mut StreamKey::from_seed(3).rng(s));
            let given = MvGaussian::from_mean_precision(&m, &(&z.1 * k)).unwrap();
            close(q.log_prob(&z), given.log_prob(&z.0) + q.precision_marginal().log_prob(&z.1));
            let z = inverse.sample(&mut StreamKey::from_seed(3).rng(s));
            let given = MvGaussian::from_mean_covariance(&m, &(&z.1 / k)).unwrap();
            close(inverse.log_prob(&z), given.log_prob(&z.0) + inverse.covariance_marginal().log_prob(&z.1));
        }
    }
}
