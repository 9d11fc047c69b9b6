//! Coupled bits.

use vi_core::{Exec, StreamKey};
use vi_families::{ProductFamily, VariationalFamily};
use vi_sgvi::testing::{GradientCheck, check_estimator};
use vi_sgvi::{
    Arm, DisArm, Elbo, Enumeration, GradientEstimator, LocalExpectations, MeasureValued, Memory,
    ScoreFunction,
};

use crate::models::{Spins, exact, params_of};

/// Unbiased in all coordinates; the sum of the variances of one estimate.
fn variance<E>(estimator: &E, model: &Spins, n_replicates: u64) -> f64
where
    E: GradientEstimator<Spins, ProductFamily>,
{
    check(estimator, model, n_replicates).variance.sum()
}

fn check<E>(estimator: &E, model: &Spins, n_replicates: u64) -> GradientCheck
where
    E: GradientEstimator<Spins, ProductFamily>,
{
    let family = model.family();
    let params = params_of(&family);
    let (_, gradient) = exact(model, &family, &params);
    let key = StreamKey::from_seed(15_030_149);
    check_estimator(estimator, model, &family, &params, &gradient, n_replicates, key)
}

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

/// Five bits coupled with all others. Every ratio is far from 1: variances from 400 replicates are good to a few per
/// cent.
#[test]
fn unbiased_and_in_the_order_of_theory() {
    let model = Spins::dense(5);
    for s in [2, 3, 10, 100] {
        let arm = variance(&Arm::new(s), &model, 400);
        let disarm = variance(&DisArm::new(s), &model, 400);
        assert!(disarm < 0.9 * arm, "S = {s}: DisARM {disarm}, ARM {arm}");

        let local = variance(&LocalExpectations::new(s), &model, 400);
        let blanket = variance(&LocalExpectations::new(s).rao_blackwellized(), &model, 400);
        // The same draws and the same sums.
        assert!((local / blanket - 1.0).abs() < 1e-8, "S = {s}: {local} ≠ {blanket}");
        let loo = variance(&ScoreFunction::leave_one_out(s), &model, 400);
        assert!(local < 0.5 * loo, "S = {s}: local expectations {local}, leave-one-out {loo}");

        // In one bit the derivative is the difference of its two values: the local expectation itself.
        let measures = variance(&MeasureValued::new(s), &model, 400);
        assert!((local / measures - 1.0).abs() < 1e-8, "S = {s}: {local} ≠ {measures}");
    }
}

/// At the same number of samples local expectations have less variance by theory. A draw costs them 1 + 2 · 12 log
/// joints here: leave-one-out with as many evaluations has about half the variance where every bit hears all
/// others, and more than local expectations where it hears its two neighbours alone.
#[test]
fn twelve_bits() {
    let (dense, chain) = (Spins::dense(12), Spins::chain(12));
    let family = dense.family();
    let elbo = Elbo::new(&dense, &family).unwrap();
    let (one, many) = (LocalExpectations::new(1), ScoreFunction::leave_one_out(25));
    assert_eq!(one.cost(elbo).n_log_joint, many.cost(elbo).n_log_joint);
    let ratio = |model: &Spins| variance(&one, model, 400) / variance(&many, model, 400);
    let (dense_ratio, chain_ratio) = (ratio(&dense), ratio(&chain));
    assert!(dense_ratio > 1.2 && chain_ratio < 0.8, "dense: {dense_ratio}, chain: {chain_ratio}");
    let (arm, disarm) = (variance(&Arm::new(10), &dense, 400), variance(&DisArm::new(10), &dense, 400));
    assert!(disarm < 0.95 * arm, "DisARM {disarm}, ARM {arm}");
}

/// A bit of a chain hears its neighbours alone: the noise of all other terms, which Rao–Blackwellisation leaves out,
/// grows with the length.
#[test]
fn the_gain_of_markov_blankets_grows_with_the_number_of_blocks() {
    let gain = |d: usize| {
        let model = Spins::chain(d);
        let plain = ScoreFunction::leave_one_out(10);
        variance(&plain, &model, 600) / variance(&plain.rao_blackwellized(), &model, 600)
    };
    let [three, six, twelve] = [3, 6, 12].map(gain);
    assert!(three > 1.0 && six > 1.2 * three && twelve > 1.2 * six, "{three}, {six}, {twelve}");
}

#[test]
fn costs_are_what_is_evaluated() {
    let model = vi_core::Counted::new(Spins::dense(5));
    let family = model.inner().family();
    let elbo = Elbo::new(&model, &family).unwrap();
    let (params, mut grad) = (params_of(&family), family.init());
    let mut count = |estimator: &dyn Fn(&mut ndarray::Array1<f64>) -> u64| {
        let before = model.n_log_joint();
        let stated = estimator(&mut grad);
        assert_eq!(model.n_log_joint() - before, stated);
    };
    let key = StreamKey::from_seed(3);
    macro_rules! counted {
        ($estimator:expr) => {
            count(&|grad| {
                let estimator = $estimator;
                estimator.estimate(elbo, &params, key, Exec::local(), &mut Memory::default(), grad).unwrap();
                estimator.cost(elbo).n_log_joint
            });
        };
    }
    counted!(LocalExpectations::new(7));
    counted!(MeasureValued::new(7));
    counted!(Arm::new(7));
    counted!(DisArm::new(7));
    counted!(Enumeration::default());
}
