//! Anything whatever handed to constructors and to the maps from η and μ: an error or a sound member, no panic.

use ndarray::Array1;
use proptest::prelude::*;
use vi_families::testing::check_any_vector;
use vi_families::{DiagonalGaussian, FamilyError, MvGaussian, Parametric};

use crate::common::config;

/// Huge, tiny, signed zeros, infinities, NaN, and plain values.
fn element() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -10.0..10.0f64, 2 => any::<f64>(), 1 => Just(0.0), 1 => -1e-300..1e-300f64]
}

fn any_vector() -> impl Strategy<Value = Array1<f64>> {
    prop::collection::vec(element(), 0..12).prop_map(Array1::from)
}

/// A member that was accepted has finite η, and gives θ and φ back.
fn sound<F: Parametric>(member: Result<F, FamilyError>) {
    let Ok(member) = member else { return };
    assert!(member.natural().iter().all(|v| v.is_finite()), "{member:?}: η = {}", member.natural());
    let again = member.with_parameters(&member.parameters()).unwrap();
    assert_eq!(again.parameters(), member.parameters());
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn diagonal_gaussian(v in any_vector(), w in any_vector()) {
        check_any_vector::<DiagonalGaussian>(&(), &v);
        sound(DiagonalGaussian::from_mean_variance(&v, &w));
        sound(DiagonalGaussian::from_mean_sd(&v, &w));
        sound(DiagonalGaussian::from_mean_precision(&v, &w));
        sound(DiagonalGaussian::from_mean_variance(&w, &w.mapv(f64::abs)));
    }

    #[test]
    fn mv_gaussian(v in any_vector()) {
        check_any_vector::<MvGaussian>(&(), &v);
    }
}
