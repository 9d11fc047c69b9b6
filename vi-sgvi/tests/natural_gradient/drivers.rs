//! Estimators that drive it, on any number of threads and across stops.

use vi_core::testing::check_kernel;
use vi_core::{LogJoint, NeverStop, StreamKey, run};
use vi_families::{FullRankGaussian, ProductFamily};
use vi_sgvi::{
    AnyOptimizer, DisArm, Enumeration, GradientEstimator, LocalExpectations, OverdispersedFactors, Pathwise,
    PerFactor, SampleReuse, ScoreFunction, Sgvi,
};

use crate::common::GaussianTarget;
use crate::models::{Independent, gamma_and_bits, natural};

/// Every estimator drives it: five steps with the bits of one thread on any number of them, and across a stop.
fn check<E: GradientEstimator<Independent, ProductFamily>>(estimator: E) {
    let model = gamma_and_bits();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let kernel = Sgvi::new(&model, &family, estimator, AnyOptimizer::Natural(natural(0.2))).unwrap();
    check_kernel(&kernel, &kernel.init(), StreamKey::from_seed(5), 12);
}

#[test]
fn threads_and_stops_leave_no_trace() {
    check(ScoreFunction::leave_one_out(130));
    check(ScoreFunction::naive(130));
    check(ScoreFunction::moving_average(130));
    check(ScoreFunction::control_variate(130));
    check(ScoreFunction::leave_one_out(130).rao_blackwellized());
    let (space, rest) = (gamma_and_bits().space, ScoreFunction::leave_one_out(130));
    check(PerFactor::new(&space, &["on"], LocalExpectations::new(30), rest).unwrap());
    check(PerFactor::new(&space, &["on"], DisArm::new(30), rest).unwrap());
    check(PerFactor::new(&space, &["on"], Enumeration::around(30), rest).unwrap());
    // With a memory of λ and points, and of dispersions.
    check(SampleReuse::leave_one_out(70, 3));
    check(OverdispersedFactors::new(130));
    check(
        PerFactor::new(&space, &["tau"], OverdispersedFactors::new(130).rao_blackwellized(), rest).unwrap(),
    );
}

#[test]
fn pathwise_gradients_drive_it_too() {
    let model = GaussianTarget::correlated();
    let family = FullRankGaussian::new(model.parameters()).unwrap();
    let kernel = Sgvi::new(&model, &family, Pathwise::new(10), natural(0.2)).unwrap();
    check_kernel(&kernel, &kernel.init(), StreamKey::from_seed(6), 12);
    let mut state = kernel.init();
    run(&kernel, &mut state, StreamKey::from_seed(7), 0..300, &NeverStop, &mut []).unwrap();
    // The exact q, where the log ratio is constant. This estimator's own noise does not vanish there.
    let elbo = state.elbo_trace.iter().rev().take(100).sum::<f64>() / 100.0;
    assert!((elbo - model.log_evidence).abs() < 0.3, "{elbo}");
    assert!((elbo - state.elbo_trace[0]).abs() > 1.0, "it had some way to go");
}
