//! Runs that arrive, where plain gradients do not.

use ndarray::{Array1, array};
use vi_core::{LogJoint, NeverStop, StreamKey, run};
use vi_families::{FullRankGaussian, MeanFieldGaussian, ProductFamily};
use vi_sgvi::{
    Adam, Antithetic, Arm, DisArm, Enumeration, GradientEstimator, LearningRate, LocalExpectations,
    NaturalGradient, Overdispersed, OverdispersedFactors, PerFactor, QuasiMonteCarlo, SampleReuse,
    ScoreFunction, Sgd, Sgvi, StepCoordinates,
};

use crate::coordinate_ascent::{Mixture, coordinate_ascent};
use crate::models::{Independent, after, badly_scaled, every_kind, gamma_and_bits, natural};

#[test]
fn scales_of_different_size_are_no_obstacle() {
    let (model, n_samples, n_iterations) = (badly_scaled(), 20, 400);
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    // In units of the target: locations over scales, and the logarithms of scales.
    let distance = |params: &Array1<f64>| {
        let off = [params[0] / 1e4 - 2.0, params[1] + 1.0, params[2] - 1e4f64.ln(), params[3]];
        off.iter().fold(0.0, |worst: f64, v| worst.max(v.abs()))
    };
    for coordinates in [StepCoordinates::Natural, StepCoordinates::Unconstrained] {
        let rule = NaturalGradient { coordinates, ..natural(0.1) };
        let params =
            after(&model, &family, ScoreFunction::leave_one_out(n_samples), rule, n_iterations).unwrap();
        assert!(distance(&params) < 0.01, "{coordinates:?}: {params}");
    }
    let full = FullRankGaussian::new(model.parameters()).unwrap();
    // (m; log L₁₁, L₂₁, log L₂₂)
    let p =
        after(&model, &full, ScoreFunction::leave_one_out(n_samples), natural(0.1), n_iterations).unwrap();
    assert!(distance(&array![p[0], p[1], p[2], p[4]]) < 0.01 && p[3].abs() < 0.01, "{p}");
    for rate in [1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0] {
        let learning_rate = LearningRate::Constant(rate);
        let adam = Adam { learning_rate, ..Adam::default() };
        let (adam, sgd) = (
            after(&model, &family, ScoreFunction::leave_one_out(n_samples), adam, n_iterations),
            after(
                &model,
                &family,
                ScoreFunction::leave_one_out(n_samples),
                Sgd { learning_rate },
                n_iterations,
            ),
        );
        for (name, params) in [("Adam", adam), ("SGD", sgd)] {
            // A run that failed did not arrive either.
            assert!(params.as_ref().map_or(f64::INFINITY, distance) > 0.5, "{name} at {rate}: {params:?}");
        }
    }
}

#[test]
fn gamma_and_bernoulli_factors_arrive_too() {
    let model = gamma_and_bits();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let optimum = array![3f64.ln(), 1e-4f64.ln(), 2.0, -1.0];
    for coordinates in [StepCoordinates::Natural, StepCoordinates::Unconstrained] {
        let rule = NaturalGradient { coordinates, ..natural(0.1) };
        let params = after(&model, &family, ScoreFunction::leave_one_out(20), rule, 600).unwrap();
        assert!((&params - &optimum).iter().all(|d| d.abs() < 0.02), "{coordinates:?}: {params}");
    }
    // Far from every optimum that plain gradients reach with this budget at the rate at which they are stable.
    let sgd = Sgd { learning_rate: LearningRate::Constant(0.01) };
    let params = after(&model, &family, ScoreFunction::leave_one_out(20), sgd, 600).map_err(|_| ());
    assert!(params.is_err() || params.is_ok_and(|p| (p - &optimum).iter().any(|d| d.abs() > 0.5)));
}

#[test]
fn dirichlet_and_categories_reach_the_fixed_point_of_coordinate_ascent() {
    let model = Mixture::new();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let mut optimum = Array1::zeros(11);
    (0..500).for_each(|_| optimum = coordinate_ascent(&model, &optimum));
    let rule = NaturalGradient {
        learning_rate: LearningRate::Polynomial { initial: 0.2, delay: 50.0, exponent: 0.9 },
        ..NaturalGradient::default()
    };
    let kernel = Sgvi::new(&model, &family, ScoreFunction::leave_one_out(200), rule).unwrap();
    let mut state = kernel.init();
    run(&kernel, &mut state, StreamKey::from_seed(9), 0..2000, &NeverStop, &mut []).unwrap();
    let distance = kernel.averaged_params(&state) - &optimum;
    assert!(distance.iter().all(|d| d.abs() < 0.075), "{distance}");
}

/// Gamma, Beta, Dirichlet, Bernoulli, categorical and Gaussian factors at their known optimum.
fn arrives<E: GradientEstimator<Independent, ProductFamily>>(estimator: E) {
    let (model, optimum) = every_kind();
    let (family, name) = (model.family(), estimator.name());
    let params = after(&model, &family, estimator, natural(0.1), 600).unwrap();
    let distance = &params - &optimum;
    assert!(distance.iter().all(|d| d.abs() < 0.05), "{name}: {distance}");
}

/// All whose noise vanishes at the optimum, where the log ratio is constant. (Naive gradients go on to wander there, and a
/// moving average is none in its first steps, which take bits out of reach: they drive it too, see the drivers.)
#[test]
fn every_estimator_arrives_with_every_kind_of_factor() {
    let (model, rest) = (every_kind().0, ScoreFunction::leave_one_out(40));
    let blanket = rest.rao_blackwellized();
    arrives(rest);
    arrives(blanket);
    arrives(ScoreFunction::control_variate(40).rao_blackwellized());
    arrives(rest.with_sampler(Antithetic));
    arrives(rest.with_sampler(QuasiMonteCarlo { n_randomizations: 5 }));
    arrives(rest.with_sampler(Overdispersed::new(1.2).unwrap()));
    arrives(OverdispersedFactors::new(40));
    arrives(OverdispersedFactors::new(40).rao_blackwellized());
    arrives(SampleReuse::leave_one_out(40, 2));
    let space = model.parameters();
    arrives(PerFactor::new(space, &["on", "k"], LocalExpectations::new(5), rest).unwrap());
    arrives(PerFactor::new(space, &["on", "k"], Arm::new(40), blanket).unwrap());
    arrives(PerFactor::new(space, &["on", "k"], DisArm::new(20), blanket).unwrap());
    arrives(PerFactor::new(space, &["on", "k"], Enumeration::around(5), blanket).unwrap());
}
