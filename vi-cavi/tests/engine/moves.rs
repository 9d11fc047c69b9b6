//! Splits, merges and deletions lead out of bad optima and never lower the bound.

use vi_cavi::{
    Cavi, CaviSettings, ElboTolerance, Fit, Move, MoveSettings, MoveState, MovingCavi, StateOf, fit,
};
use vi_core::testing::check_kernel;
use vi_core::{ConditionallyConjugate, Exec, SplitMerge, StreamKey, run};
use vi_models::gaussian_mixture::{
    GaussianMixture, GaussianMixtureFactors, GaussianMixturePriors, GaussianMixtureStats,
};

use crate::data;

const EACH: usize = 50;

fn key() -> StreamKey {
    StreamKey::from_seed(61)
}

/// Four clusters, far enough apart that no sweep carries a component from one to another.
fn four(n_components: usize) -> GaussianMixture {
    let centres = [[-8.0, -8.0], [-8.0, 8.0], [8.0, -8.0], [8.0, 8.0]];
    data::mixture(data::clusters(&centres, EACH, 13), n_components)
}

fn from_labels(model: &GaussianMixture, label: impl Fn(usize) -> usize) -> StateOf<GaussianMixture> {
    let labels: Vec<usize> = (0..model.data().nrows()).map(label).collect();
    let (factors, stats) = model.start_from_labels(&labels, Exec::local()).unwrap();
    Cavi::new(model, Exec::local()).warm_start(factors, stats).unwrap()
}

/// Two clusters in component 0, one cut into 1 and 2, one in 3.
fn bad_start(model: &GaussianMixture) -> StateOf<GaussianMixture> {
    from_labels(model, |n| match n / EACH {
        0 | 1 => 0,
        2 => 1 + usize::from(model.data()[[n, 1]] > -8.0),
        _ => 3,
    })
}

fn converged(model: &GaussianMixture, mut state: StateOf<GaussianMixture>) -> StateOf<GaussianMixture> {
    let stop = ElboTolerance { relative: 1e-11 };
    let cavi = Cavi::new(model, Exec::local());
    assert!(run(&cavi, &mut state, key(), 0..2000, &stop, &mut []).unwrap().converged());
    state
}

type State = MoveState<GaussianMixtureFactors, GaussianMixtureStats>;

fn moved(model: &GaussianMixture, settings: MoveSettings, start: StateOf<GaussianMixture>) -> State {
    let kernel = MovingCavi::new(model, settings, &CaviSettings::default(), Exec::local()).unwrap();
    let mut state = kernel.start_from(start);
    let stop = ElboTolerance { relative: 1e-11 };
    assert!(run(&kernel, &mut state, key(), 0..2000, &stop, &mut []).unwrap().converged());
    let trace = &state.ascent.elbo_trace;
    let rounding = |before: f64| 1e-9 * (1.0 + before.abs());
    assert!(trace.windows(2).all(|w| w[1] >= w[0] - rounding(w[0])), "{trace:?}");
    assert!(state.accepted.iter().all(|a| a.after > a.before));
    state
}

#[test]
fn from_two_clusters_merged_and_one_split_moves_reach_the_optimum() {
    let model = four(4);
    let best = converged(&model, from_labels(&model, |n| n / EACH));
    let stuck = converged(&model, bad_start(&model));
    assert!(best.elbo - stuck.elbo > 20.0, "best {}, stuck {}", best.elbo, stuck.elbo);
    let state = moved(&model, MoveSettings::default(), bad_start(&model));
    assert!((state.ascent.elbo - best.elbo).abs() < 1e-6, "{} {}", state.ascent.elbo, best.elbo);
    assert!(!state.accepted.is_empty());
    let sizes = model.component_sizes(&state.ascent.stats);
    assert!(sizes.iter().all(|n| (n - EACH as f64).abs() < 1.0), "{sizes}");
    // The bound is the model's, of these factors.
    assert_eq!(state.ascent.elbo, model.elbo(&state.ascent.factors, &state.ascent.stats));
}

#[test]
fn in_every_shape_moves_lead_to_the_optimum_and_never_lower_the_bound() {
    for model in data::mixtures_of_every_kind(four(4).data(), 4) {
        let best = converged(&model, from_labels(&model, |n| n / EACH));
        let stuck = converged(&model, bad_start(&model));
        let state = moved(&model, MoveSettings::default(), bad_start(&model));
        let elbo = state.ascent.elbo;
        let what = format!("{:?}: best {}, stuck {}, moved {elbo}", model.priors(), best.elbo, stuck.elbo);
        assert!(best.elbo - stuck.elbo > 20.0, "{what}");
        // Under sticks the order of equal clusters that moves find may be a better one.
        assert!(elbo > best.elbo - 1e-2, "{what}");
        // The bound is the model's, of these factors.
        assert_eq!(elbo, model.elbo(&state.ascent.factors, &state.ascent.stats));
    }
}

#[test]
fn at_the_optimum_every_move_is_tried_and_none_is_made() {
    let model = four(4);
    let best = converged(&model, from_labels(&model, |n| n / EACH));
    let state = moved(&model, MoveSettings::default(), best.clone());
    // The order, five pairs, four deletions, and for each pair one of the three that are left is cut.
    assert_eq!((state.accepted.len(), state.n_tried), (0, 1 + 5 + 4 + 5 * 3));
    assert!((state.ascent.elbo - best.elbo).abs() < 1e-6);
}

#[test]
fn where_an_empty_component_costs_too_much_one_move_merges_and_splits() {
    // Weights that want to be equal: no merge, deletion or split raises the bound alone.
    let priors = GaussianMixturePriors { count: 0.1, concentration: 1000.0, ..Default::default() };
    let model = GaussianMixture::new(four(4).data().clone(), 4, priors).unwrap();
    let best = converged(&model, from_labels(&model, |n| n / EACH));
    let state = moved(&model, MoveSettings::default(), bad_start(&model));
    assert!((state.ascent.elbo - best.elbo).abs() < 1e-6, "{} {}", state.ascent.elbo, best.elbo);
    let both = |m: &Move| matches!(m, Move::MergeSplit { .. });
    assert!(state.accepted.iter().any(|a| both(&a.made)), "{:?}", state.accepted);
}

#[test]
fn surplus_components_are_emptied_where_that_raises_the_bound() {
    let model = four(7);
    let three_too_many = from_labels(&model, |n| {
        let half = usize::from(model.data()[[n, 0]].abs() > 8.0);
        match n / EACH {
            0 => half,
            1 => 2 + half,
            2 => 4 + half,
            _ => 6,
        }
    });
    let stuck = converged(&model, three_too_many.clone());
    let state = moved(&model, MoveSettings::default(), three_too_many);
    assert!(state.ascent.elbo > stuck.elbo + 1.0, "{} {}", state.ascent.elbo, stuck.elbo);
    let sizes = model.component_sizes(&state.ascent.stats);
    assert_eq!(sizes.iter().filter(|n| **n > 1.0).count(), 4, "{sizes}");
    let emptied = |m: &Move| matches!(m, Move::Merge { .. } | Move::Delete { .. });
    assert!(state.accepted.iter().any(|a| emptied(&a.made)), "{:?}", state.accepted);
}

#[test]
fn each_move_does_what_it_says() {
    let model = four(5);
    let state = converged(&model, from_labels(&model, |n| n / EACH));
    let sizes = |stats: &GaussianMixtureStats| model.component_sizes(stats);
    let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
    let (factors, stats) = model.merge(1, 3, &state.factors, Exec::local()).unwrap();
    assert!(near(sizes(&stats)[1], 0.0) && near(sizes(&stats)[3], 2.0 * EACH as f64), "{}", sizes(&stats));
    assert!(model.elbo(&factors, &stats) < state.elbo);
    let (factors, stats) = model.delete(2, &state.factors, &state.stats, Exec::local()).unwrap();
    assert!(near(sizes(&stats)[2], 0.0) && near(sizes(&stats).sum(), 4.0 * EACH as f64), "{}", sizes(&stats));
    assert!(factors.responsibilities().column(2).iter().all(|r| *r == 0.0));
    // Merged 1 into 3 and split again into what that freed: the two clusters come apart.
    let (merged, _) = model.merge(1, 3, &state.factors, Exec::local()).unwrap();
    let (_, stats) = model.split(3, 1, &merged, 1, key(), Exec::local()).unwrap().unwrap();
    assert!(near(sizes(&stats)[1], EACH as f64) && near(sizes(&stats)[3], EACH as f64), "{}", sizes(&stats));
    // An empty component cannot be split.
    assert!(model.split(4, 1, &state.factors, 0, key(), Exec::local()).unwrap().is_none());
}

#[test]
fn likely_pairs_come_first() {
    let model = four(5);
    // Components 3 and 4 share a cluster.
    let state = from_labels(&model, |n| match n / EACH {
        3 => 3 + usize::from(model.data()[[n, 1]] > 8.0),
        c => c,
    });
    let pairs = model.merge_candidates(&state.factors, &state.stats);
    assert_eq!((pairs.len(), pairs[0]), (10, (3, 4)));
}

#[test]
fn runs_with_moves_resume_in_the_same_bits_and_restart_like_others() {
    let model = four(4);
    let kernel =
        MovingCavi::new(&model, MoveSettings::default(), &CaviSettings::default(), Exec::local()).unwrap();
    check_kernel(&kernel, &kernel.start_from(bad_start(&model)), key(), 16);
    let settings = CaviSettings { n_restarts: 3, ..CaviSettings::default() };
    let plain = fit(&model, &settings, key(), Exec::local()).unwrap();
    let with_moves = Fit::with_kernel(kernel, &settings, key()).run().unwrap();
    assert!(with_moves.converged());
    assert!(with_moves.elbo() >= plain.elbo() - 1e-6);
    // From any start the optimum is the same.
    assert_eq!(with_moves.optima.len(), 1, "{:?}", with_moves.optima);
}

#[test]
fn settings_outside_their_domain_are_refused() {
    let model = four(2);
    let settings = MoveSettings { n_refine: 0, ..MoveSettings::default() };
    let error = MovingCavi::new(&model, settings, &CaviSettings::default(), Exec::local()).unwrap_err();
    assert_eq!(error.to_string(), "moves.n_refine = 0, but it must be at least 1");
}

#[test]
fn a_split_finds_clusters_across_the_direction_in_which_the_component_is_long() {
    // Two clusters side by side, each ten times as long in the other direction.
    let mut rng = data::rng(17);
    let x = ndarray::Array2::from_shape_fn((200, 2), |(n, j)| {
        let z = data::normal(&mut rng);
        if j == 0 { z + if n < 100 { -3.0 } else { 3.0 } } else { 30.0 * z }
    });
    let model = data::mixture(x, 2);
    let both = from_labels(&model, |_| 0);
    for seed in 0..5 {
        let key = StreamKey::from_seed(seed);
        let halves = model.split(0, 1, &both.factors, 0, key, Exec::local()).unwrap().unwrap();
        let r = halves.0.responsibilities().to_owned();
        let wrong = (0..200).filter(|n| (r[[*n, 0]] > 0.5) != (r[[0, 0]] > 0.5));
        let side = wrong.filter(|n| *n < 100).count();
        assert!(side < 5, "key {seed}: {side} of 100 on the other side");
    }
}
