//! Estimators in words.

use vi_core::LogJoint;
use vi_families::ProductFamily;
use vi_sgvi::{DisArm, GradientEstimator, LocalExpectations, PerFactor, ScoreFunction};

use crate::common::Mixture;

#[test]
fn names_say_who_does_what() {
    let model = Mixture::new();
    let estimator =
        PerFactor::new(model.parameters(), &["k", "m"], DisArm::new(2), ScoreFunction::naive(3)).unwrap();
    let name = GradientEstimator::<Mixture, ProductFamily>::name(&estimator);
    assert!(name.starts_with("DisARM for k, m; ") && name.ends_with(" for the rest"), "{name}");

    let rest = PerFactor::new(
        model.parameters(),
        &["m"],
        ScoreFunction::leave_one_out(3).antithetic(),
        ScoreFunction::naive(3),
    );
    let three = PerFactor::new(model.parameters(), &["k"], LocalExpectations::new(2), rest.unwrap()).unwrap();
    let name = GradientEstimator::<Mixture, ProductFamily>::name(&three);
    let expected = "local expectations for k; antithetic, leave-one-out for m; naive for the rest";
    assert_eq!(name, expected);
}
