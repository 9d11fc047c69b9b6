//! Gradients of a model of coupled bits against enumeration.
//!
//! As for the Gaussian target, a mean may lie 5 standard errors off; 40 coordinates make the false-alarm
//! probability of this file at most 2.3e-5.

use ndarray::array;
use vi_core::StreamKey;
use vi_sgvi::ScoreFunction;
use vi_sgvi::testing::check_estimator;

use crate::common::{BitProduct, Ising, exact_gradient_by_enumeration};

#[test]
fn score_function_with_a_product_of_bernoullis() {
    let (model, family) = (Ising::five_bits(), BitProduct { dim: 5 });
    let params = array![0.3, -0.7, 0.9, 0.1, -0.2];
    let exact = exact_gradient_by_enumeration(&model, &family, &params);
    assert!(exact.iter().all(|g| g.abs() > 1e-3), "a vanishing gradient would test nothing: {exact}");
    let key = StreamKey::from_seed(1401).fold_in(118);
    for s in [2, 5, 10, 100] {
        let naive = ScoreFunction::naive(s);
        let naive = check_estimator(&naive, &model, &family, &params, &exact, 400, key.fold_in(s as u64));
        let loo = ScoreFunction::leave_one_out(s);
        let loo = check_estimator(&loo, &model, &family, &params, &exact, 400, key.fold_in(s as u64));
        let ratio = loo.variance.sum() / naive.variance.sum();
        assert!(ratio < 0.5, "S = {s}: variance ratio {ratio}");
    }
}
