//! Deterministic annealing: out of a start in which coordinate ascent gets stuck.

use vi_cavi::{Annealing, Cavi, CaviSettings, DampedCavi, DampedSettings, ElboTolerance, StateOf};
use vi_core::testing::check_kernel;
use vi_core::{ConditionallyConjugate, Exec, Kernel, NaturalFactors, NeverStop, StreamKey, run};
use vi_models::gaussian_mixture::{GaussianMixture, GaussianMixtureBlock};

use crate::data;

fn key() -> StreamKey {
    StreamKey::from_seed(1)
}

fn annealed(start: f64, perturbation: f64) -> DampedSettings {
    let annealing = Annealing { start, n_temperatures: 30, sweeps_each: 5, perturbation };
    DampedSettings { rate: 1.0, annealing: Some(annealing) }
}

const EACH: usize = 60;

/// Three clusters in a row.
fn three(seed: u64) -> GaussianMixture {
    data::mixture(data::clusters(&[[-4.0, 0.0], [0.0, 0.0], [4.0, 0.0]], EACH, seed), 3)
}

fn from_labels(model: &GaussianMixture, label: impl Fn(usize) -> usize) -> StateOf<GaussianMixture> {
    let labels: Vec<usize> = (0..model.data().nrows()).map(label).collect();
    let (factors, stats) = model.start_from_labels(&labels, Exec::local()).unwrap();
    Cavi::new(model, Exec::local()).warm_start(factors, stats).unwrap()
}

/// Two of the clusters in one component, the third cut in two.
fn bad_start(model: &GaussianMixture) -> StateOf<GaussianMixture> {
    from_labels(model, |n| match n / EACH {
        0 | 1 => 0,
        _ => 1 + usize::from(model.data()[[n, 1]] > 0.0),
    })
}

fn converge<K>(kernel: &K, state: &mut StateOf<GaussianMixture>)
where
    K: Kernel<State = StateOf<GaussianMixture>, Info = vi_cavi::CaviInfo>,
{
    let stop = ElboTolerance { relative: 1e-10 };
    assert!(run(kernel, state, key(), 0..3000, &stop, &mut []).unwrap().converged());
}

#[test]
fn from_a_start_where_plain_ascent_gets_stuck_annealing_reaches_the_optimum() {
    let model = three(3);
    let plain = Cavi::new(&model, Exec::local());
    let mut best = from_labels(&model, |n| n / EACH);
    converge(&plain, &mut best);
    let mut stuck = bad_start(&model);
    converge(&plain, &mut stuck);
    assert!(best.elbo - stuck.elbo > 5.0, "best {}, stuck {}", best.elbo, stuck.elbo);
    let settings = DampedSettings { rate: 1.0, annealing: Some(Annealing::default()) };
    let kernel = DampedCavi::new(&model, settings, &CaviSettings::default(), Exec::local()).unwrap();
    let mut state = bad_start(&model);
    converge(&kernel, &mut state);
    assert!((state.elbo - best.elbo).abs() < 1e-4, "annealed {}, best {}", state.elbo, best.elbo);
    assert!(state.elbo_trace.len() > 100);
    // The last state is one of plain coordinate ascent, and the ELBO is the one at temperature 1.
    assert_eq!(state.elbo, model.elbo(&state.factors, &state.stats));
    plain.step(key(), &mut state).unwrap();
}

#[test]
fn without_perturbation_a_hot_start_makes_components_alike_for_good() {
    // Where the objective has one optimum, all components are it, and nothing tells them apart again.
    let model = three(3);
    let kernel =
        DampedCavi::new(&model, annealed(0.05, 0.0), &CaviSettings::default(), Exec::local()).unwrap();
    let mut state = bad_start(&model);
    converge(&kernel, &mut state);
    let third = |r: &f64| (r - 1.0 / 3.0).abs() < 1e-3;
    assert!(state.factors.responsibilities().iter().all(third));
}

#[test]
fn while_hot_the_reported_bound_is_the_one_at_temperature_one() {
    let model = three(3);
    let kernel =
        DampedCavi::new(&model, annealed(0.2, 0.02), &CaviSettings::default(), Exec::local()).unwrap();
    let mut state = bad_start(&model);
    for t in 0..10 {
        let info = kernel.step(key().fold_in(t), &mut state).unwrap();
        assert!(!info.can_converge);
        assert_eq!(info.elbo, model.elbo(&state.factors, &state.stats));
    }
}

#[test]
fn hot_responsibilities_are_powers_of_the_cold_ones() {
    for model in [three(3), three(3).without_responsibilities()] {
        let state = bad_start(&model);
        let block = GaussianMixtureBlock::Assignments;
        let (mut cold, mut hot) = (state.factors.clone(), state.factors.clone());
        model.condition(block, &state.stats, &mut cold, Exec::local()).unwrap();
        model.condition_tempered(block, 0.3, &state.stats, &mut hot, Exec::local()).unwrap();
        let [cold, hot] = [cold, hot].map(|q| model.responsibilities(&q, Exec::local()));
        for (cold, hot) in cold.rows().into_iter().zip(hot.rows()) {
            let total: f64 = cold.iter().map(|r| r.powf(0.3)).sum();
            for (c, h) in cold.iter().zip(hot) {
                assert!((c.powf(0.3) / total - h).abs() < 1e-12, "{c} {h}");
            }
        }
    }
}

/// The hottest factors of every shape are members of their families, whatever the number of components.
#[test]
fn annealing_from_hot_ends_at_a_fixed_point_in_every_shape() {
    for model in data::small_mixtures_of_every_kind() {
        let settings = CaviSettings::default();
        let kernel = DampedCavi::new(&model, annealed(0.01, 0.02), &settings, Exec::local()).unwrap();
        let mut state = Cavi::new(&model, Exec::local()).init(key()).unwrap();
        for t in 0..160 {
            kernel.step(key().fold_in(t), &mut state).unwrap();
        }
        let cold = state.elbo;
        kernel.step(key().fold_in(160), &mut state).unwrap();
        assert!(state.elbo >= cold - 1e-9 * cold.abs(), "{:?}: {cold} {}", model.covariance(), state.elbo);
    }
}

#[test]
fn annealed_runs_resume_in_the_same_bits() {
    let model = data::small_mixture();
    let settings = DampedSettings {
        rate: 0.8,
        annealing: Some(Annealing { start: 0.3, n_temperatures: 3, sweeps_each: 2, perturbation: 0.1 }),
    };
    let kernel = DampedCavi::new(&model, settings, &CaviSettings::default(), Exec::local()).unwrap();
    let start = Cavi::new(&model, Exec::local()).init(key()).unwrap();
    check_kernel(&kernel, &start, key(), 9);
    let mut state = start;
    // No tolerance ends a run before it is cold.
    let stop = ElboTolerance { relative: 1.0 };
    let outcome = run(&kernel, &mut state, key(), 0..100, &stop, &mut []).unwrap();
    assert_eq!((outcome.next, outcome.converged()), (7, true));
    run(&kernel, &mut state, key(), 7..9, &NeverStop, &mut []).unwrap();
}

#[test]
fn the_schedule_rises_to_one_in_equal_ratios() {
    let annealing = Annealing { start: 0.25, n_temperatures: 2, sweeps_each: 3, perturbation: 0.0 };
    let betas: Vec<f64> = (0..8).map(|t| annealing.inverse_temperature(t)).collect();
    assert_eq!(betas, [0.25, 0.25, 0.25, 0.5, 0.5, 0.5, 1.0, 1.0]);
    let model = data::normal_data();
    let wrong =
        DampedSettings { rate: 1.0, annealing: Some(Annealing { start: 2.0, ..Annealing::default() }) };
    let error = DampedCavi::new(&model, wrong, &CaviSettings::default(), Exec::local()).unwrap_err();
    assert_eq!(error.to_string(), "annealing.start = 2, but it must be above 0 and at most 1");
}
