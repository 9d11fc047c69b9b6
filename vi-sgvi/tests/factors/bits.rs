//! Coupled bits: exact sums, and what an estimate costs.

use vi_core::{Counted, Exec, LogJoint, StreamKey};
use vi_families::{ProductFamily, VariationalFamily};
use vi_sgvi::{
    Arm, DisArm, Elbo, Enumeration, GradientEstimator, LocalExpectations, LocalQuadrature, MeasureValued,
    Memory, OverdispersedFactors, PerFactor, ScoreFunction,
};

use crate::common::{Spins, exact, params_of};

#[test]
fn the_sum_over_all_states_is_exact() {
    for model in [Spins::dense(1), Spins::dense(5), Spins::dense(12), Spins::categories()] {
        let family = model.family();
        let params = params_of(&family);
        let (value, gradient) = exact(&model, &family, &params);
        let elbo = Elbo::new(&model, &family).unwrap();
        let (mut grad, mut memory) = (family.init(), Memory::default());
        let (estimator, key) = (Enumeration::default(), StreamKey::from_seed(0));
        let estimate = estimator.estimate(elbo, &params, key, Exec::local(), &mut memory, &mut grad).unwrap();
        assert_eq!((estimate.mcse, estimate.n_samples), (0.0, 0));
        assert!((estimate.value - value).abs() < 1e-11, "{} ≠ {value}", estimate.value);
        for (g, e) in grad.iter().zip(&gradient) {
            assert!((g - e).abs() < 1e-11, "{grad} ≠ {gradient}");
        }
        assert!(
            gradient.iter().all(|g| g.abs() > 1e-4),
            "a vanishing gradient would test nothing: {gradient}"
        );
    }
}

/// The same draws and the same sums: all terms of the log joint or those of the block, the value that was drawn evaluated once
/// more or not.
#[test]
fn blocks_say_the_same_as_the_whole() {
    for model in [Spins::dense(5), Spins::categories()] {
        let family = model.family();
        let elbo = Elbo::new(&model, &family).unwrap();
        let params = params_of(&family);
        let estimate = |estimator: &dyn Fn(&mut ndarray::Array1<f64>)| {
            let mut grad = family.init();
            estimator(&mut grad);
            grad
        };
        let key = StreamKey::from_seed(4);
        macro_rules! gradient {
            ($estimator:expr) => {
                estimate(&|grad| {
                    let memory = &mut Memory::default();
                    $estimator.estimate(elbo, &params, key, Exec::local(), memory, grad).unwrap();
                })
            };
        }
        let whole = gradient!(LocalExpectations::new(70));
        let block = gradient!(LocalExpectations::new(70).rao_blackwellized());
        let pairs = gradient!(MeasureValued::new(70));
        let pairs_of_block = gradient!(MeasureValued::new(70).rao_blackwellized());
        for i in 0..whole.len() {
            assert!((whole[i] - block[i]).abs() < 1e-12 * (1.0 + block[i].abs()), "{whole} ≠ {block}");
            assert!((pairs[i] - pairs_of_block[i]).abs() < 1e-12 * (1.0 + pairs[i].abs()), "{pairs}");
        }
    }
}

/// What an estimator says it costs, and what a counting model counted.
fn counted<E>(model: &Counted<Spins>, family: &ProductFamily, estimator: &E) -> u64
where
    E: GradientEstimator<Counted<Spins>, ProductFamily>,
{
    let elbo = Elbo::new(model, family).unwrap();
    let (params, mut grad) = (params_of(family), family.init());
    let (key, before) = (StreamKey::from_seed(3), model.n_log_joint());
    estimator.estimate(elbo, &params, key, Exec::local(), &mut Memory::default(), &mut grad).unwrap();
    let (counted, cost) = (model.n_log_joint() - before, estimator.cost(elbo));
    assert_eq!(counted, cost.n_log_joint + cost.n_log_joint_block, "{}", estimator.name());
    counted
}

#[test]
fn costs_are_what_is_evaluated() {
    let (bits, categories) = (Counted::new(Spins::dense(5)), Counted::new(Spins::categories()));
    let (two, mixed) = (bits.inner().family(), categories.inner().family());
    // Seven draws, and for each the values that were not drawn: 5 · 1, and 2 · 1 + 2 · 2 + 4 with 2, 2, 3, 3, 5 values.
    assert_eq!(counted(&bits, &two, &LocalExpectations::new(7)), 7 * (1 + 5));
    assert_eq!(counted(&categories, &mixed, &LocalExpectations::new(7)), 7 * (1 + 10));
    assert_eq!(counted(&categories, &mixed, &LocalQuadrature::new(7, 3)), 7 * (1 + 10));
    // More than a chunk of samples.
    assert_eq!(counted(&categories, &mixed, &LocalExpectations::new(150)), 150 * (1 + 10));
    // One point of a pair over two values is the draw; those over more values may both be others.
    assert_eq!(counted(&bits, &two, &MeasureValued::new(7)), 7 * (1 + 5));
    assert_eq!(counted(&categories, &mixed, &MeasureValued::new(7)), 7 * (1 + 2 + 2 * 2 * 2 + 2 * 4));
    assert_eq!(counted(&bits, &two, &Arm::new(7)), 14);
    assert_eq!(counted(&bits, &two, &DisArm::new(7)), 14);
    assert_eq!(counted(&bits, &two, &Enumeration::default()), 32);
    assert_eq!(counted(&bits, &two, &OverdispersedFactors::new(7)), 7 * (1 + 5));
    let rest = ScoreFunction::leave_one_out(9);
    let space = categories.parameters();
    let per_factor = PerFactor::new(space, &["three"], LocalExpectations::new(7), rest).unwrap();
    assert_eq!(counted(&categories, &mixed, &per_factor), 7 * (1 + 4) + 9);
    // The terms of blocks count as evaluations of the counting model.
    assert_eq!(counted(&bits, &two, &LocalExpectations::new(7).rao_blackwellized()), 7 + 7 * 2 * 5);
    assert_eq!(counted(&categories, &mixed, &OverdispersedFactors::new(7).rao_blackwellized()), 7 + 7 * 5);
}
