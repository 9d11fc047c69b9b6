//! The contract of every family over parameters drawn by proptest, and at extremes.

use ndarray::{Array1, array};
use proptest::prelude::*;
use vi_core::StreamKey;
use vi_families::testing::check_exponential_family;
use vi_families::{DiagonalGaussian, Dirichlet, ExponentialFamily};

use crate::common::{config, vector};

fn key() -> StreamKey {
    StreamKey::from_seed(24)
}

/// Vectors of length `n` of numbers between e^−2.5 and e^2.5, evenly on the log scale.
fn positive_vector(n: usize) -> impl Strategy<Value = Array1<f64>> {
    prop::collection::vec((-2.5..2.5f64).prop_map(f64::exp), n).prop_map(Array1::from)
}

proptest! {
    #![proptest_config(config(6))]

    #[test]
    fn diagonal_gaussian(
        (m, v, m2, v2) in (1usize..4).prop_flat_map(|p| {
            (vector(p), positive_vector(p), vector(p), positive_vector(p))
        }),
    ) {
        let members = [
            DiagonalGaussian::from_mean_variance(&m, &v).unwrap(),
            DiagonalGaussian::from_mean_precision(&m2, &v2).unwrap(),
            DiagonalGaussian::from_mean_sd(&m, &v2).unwrap(),
        ];
        check_exponential_family(&members, key());
    }
}

#[test]
fn diagonal_gaussian_of_mixed_units() {
    let (mean, sd) = (array![1e-6, -40.0, 3e7], array![1e-5, 1e2, 1e7]);
    let member = DiagonalGaussian::from_mean_sd(&mean, &sd).unwrap();
    check_exponential_family(std::slice::from_ref(&member), key());
    let near = DiagonalGaussian::from_mean_sd(&mean, &(&sd * (1.0 + 1e-6))).unwrap();
    // KL = Σ ½ (r − 1 − log r), r = (1 + 10⁻⁶)⁻²: 3·(10⁻¹² − 5/3·10⁻¹⁸)
    assert!((member.kl(&near) / 3e-12 - 1.0).abs() < 1e-5, "{}", member.kl(&near));
}

#[test]
fn dirichlet_modes() {
    use vi_families::Multivariate;
    let member = Dirichlet::from_concentration(&array![2.0, 3.0, 4.0]).unwrap();
    let mode = member.joint_mode().unwrap();
    assert!((&mode - &array![1.0 / 6.0, 2.0 / 6.0, 3.0 / 6.0]).iter().all(|d| d.abs() < 1e-15));
    let edge = Dirichlet::from_concentration(&array![1.0, 3.0, 4.0]).unwrap();
    assert_eq!(edge.joint_mode(), None);
}
