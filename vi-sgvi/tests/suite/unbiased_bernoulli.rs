//! Gradients over a family of a user's own on coupled bits, against enumeration.
//!
//! A mean may lie 5 standard errors off; 40 coordinates make the false-alarm probability of this file at most 2.3e-5.

use ndarray::array;
use vi_core::StreamKey;
use vi_sgvi::ScoreFunction;
use vi_sgvi::testing::check_estimator;

use crate::common::{BitProduct, Spins, exact_gradient};

#[test]
fn product_of_bernoullis_of_a_user() {
    let (model, family, params) =
        (Spins::five_bits(), BitProduct { dim: 5 }, array![0.3, -0.7, 0.9, 0.1, -0.2]);
    let exact = exact_gradient(&model, &family, &params);
    assert!(exact.iter().all(|g| g.abs() > 1e-3), "a vanishing gradient would test nothing: {exact}");
    for s in [2, 5, 10, 100] {
        let key = StreamKey::from_seed(14_010_118).fold_in(s as u64);
        check_estimator(&ScoreFunction::naive(s), &model, &family, &params, &exact, 400, key);
        check_estimator(&ScoreFunction::leave_one_out(s), &model, &family, &params, &exact, 400, key);
    }
}
