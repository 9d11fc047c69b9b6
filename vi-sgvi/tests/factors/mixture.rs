//! Categorical latents beside a Gaussian and a Gamma one: an estimator for each.

use ndarray::{Array1, array};
use vi_core::{LogJoint, StreamKey};
use vi_families::ProductFamily;
use vi_sgvi::testing::check_estimator;
use vi_sgvi::{
    Arm, DisArm, Enumeration, GradientEstimator, LocalExpectations, LocalQuadrature, MeasureValued,
    PerFactor, ScoreFunction,
};

use crate::models::Mixture;

const SIZES: [usize; 4] = [2, 3, 10, 100];

/// A Gamma of shape 5.5, whose inverse moments are tame.
fn params() -> Array1<f64> {
    array![0.3, -0.4, 0.8, 0.1, -0.6, 0.2, 0.5, 0.7, 0.6, -0.7, 1.7, 0.9]
}

/// Unbiased; the variance of the elements of λ that belong to the assignments, and of the others.
fn variances<E>(estimator: &E, s: usize) -> (f64, f64)
where
    E: GradientEstimator<Mixture, ProductFamily>,
{
    let model = Mixture::new();
    let family = model.family();
    let exact = model.exact(&family, &params());
    assert!(exact.iter().all(|g| g.abs() > 1e-3), "a vanishing gradient would test nothing: {exact}");
    let key = StreamKey::from_seed(77).fold_in(s as u64);
    let check = check_estimator(estimator, &model, &family, &params(), &exact, 500, key);
    (check.variance.iter().take(8).sum(), check.variance.iter().skip(8).sum())
}

#[test]
fn assignments_by_one_estimator_and_the_rest_by_another() {
    let model = Mixture::new();
    let space = model.parameters();
    for s in SIZES {
        let rest = ScoreFunction::leave_one_out(s);
        let alone = variances(&rest, s);
        let local = PerFactor::new(space, &["k"], LocalExpectations::new(s), rest).unwrap();
        let local = variances(&local, s);
        assert!(local.0 < 0.5 * alone.0, "S = {s}: {local:?} {alone:?}");
        let disarm = variances(&PerFactor::new(space, &["k"], DisArm::new(s), rest).unwrap(), s);
        let arm = variances(&PerFactor::new(space, &["k"], Arm::new(s), rest).unwrap(), s);
        assert!(disarm.0 < 0.9 * arm.0, "S = {s}: {disarm:?} {arm:?}");
        let sum = variances(&PerFactor::new(space, &["k"], Enumeration::around(s), rest).unwrap(), s);
        // What is enumerated has no noise of its own; local expectations draw the other assignments, which do not
        // matter here given m and τ.
        assert!(sum.0 < 1.5 * local.0, "S = {s}: {sum:?} {local:?}");
        variances(&PerFactor::new(space, &["k"], MeasureValued::new(s), rest).unwrap(), s);
    }
}

#[test]
fn all_but_the_gamma_factor() {
    let model = Mixture::new();
    let space = model.parameters();
    for s in SIZES {
        let rest = ScoreFunction::leave_one_out(s).rao_blackwellized();
        let measures = PerFactor::new(space, &["k", "m"], MeasureValued::new(s), rest).unwrap();
        variances(&measures, s);
        let blanket = MeasureValued::new(s).rao_blackwellized();
        variances(&PerFactor::new(space, &["k", "m"], blanket, rest).unwrap(), s);
        // A polynomial of degree two in m: four nodes miss nothing, although the rule is labelled.
        let quadrature = LocalQuadrature::new(s, 4).rao_blackwellized();
        let quadrature = PerFactor::new(space, &["k", "m"], quadrature, rest).unwrap();
        assert!(GradientEstimator::<Mixture, ProductFamily>::bias(&quadrature).is_some());
        variances(&quadrature, s);
    }
}

#[test]
fn names_say_who_does_what() {
    let model = Mixture::new();
    let estimator =
        PerFactor::new(model.parameters(), &["k", "m"], DisArm::new(2), ScoreFunction::naive(3)).unwrap();
    let name = GradientEstimator::<Mixture, ProductFamily>::name(&estimator);
    assert!(name.starts_with("DisARM for k, m; ") && name.ends_with(" for the rest"), "{name}");
}
