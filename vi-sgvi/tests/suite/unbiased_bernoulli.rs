//! Gradients of a model of coupled bits against enumeration.
//!
//! As for the Gaussian target, a mean may lie 5 standard errors off; 80 coordinates make the false-alarm
//! probability of this file at most 4.6e-5.

use ndarray::{ArrayRef1, array};
use vi_core::{LogJoint, StreamKey};
use vi_families::{ProductFamily, VariationalFamily};
use vi_sgvi::ScoreFunction;
use vi_sgvi::testing::check_estimator;

use crate::common::{BitProduct, Ising, exact_gradient_by_enumeration};

fn check_both<F: VariationalFamily>(model: &Ising, family: &F, params: &ArrayRef1<f64>) {
    let exact = exact_gradient_by_enumeration(model, family, params);
    assert!(exact.iter().all(|g| g.abs() > 1e-3), "a vanishing gradient would test nothing: {exact}");
    for s in [2, 5, 10, 100] {
        let key = StreamKey::from_seed(14_010_118).fold_in(s as u64);
        let naive = check_estimator(&ScoreFunction::naive(s), model, family, params, &exact, 400, key);
        let loo = check_estimator(&ScoreFunction::leave_one_out(s), model, family, params, &exact, 400, key);
        let ratio = loo.variance.sum() / naive.variance.sum();
        assert!(ratio < 0.5, "S = {s}: leave-one-out has {ratio} times the variance of naive");
    }
}

#[test]
fn product_of_bernoullis() {
    let model = Ising::five_bits();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    assert_eq!(family.n_params(), 5);
    check_both(&model, &family, &array![0.3, -0.7, 0.9, 0.1, -0.2]);
}

#[test]
fn product_of_bernoullis_of_a_user() {
    check_both(&Ising::five_bits(), &BitProduct { dim: 5 }, &array![0.3, -0.7, 0.9, 0.1, -0.2]);
}
