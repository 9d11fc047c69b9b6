//! Poisson–Gamma factorisation: contracts, exact evidence, extreme factors, held-out counts, threads.

use ndarray::{Array2, ArrayRef1, array};
use vi_cavi::{Annealing, CaviSettings, DampedCavi, DampedSettings, Fit};
use vi_core::testing::{
    check_conditional, check_conditional_against, check_exchangeable_at_rest, check_gradient, check_natural,
    check_predictive,
};
use vi_core::{ConditionallyConjugate, Exec, LogJoint, StreamKey};
use vi_families::special::log_gamma;
use vi_models::ModelError;
use vi_models::poisson_factorisation::{
    FactorPrior, PoissonFactorisation, PoissonFactorisationBlock, PoissonFactorisationPriors, RatePrior,
    RowUpdate,
};
use vi_models::sparse_counts::SparseCounts;

use crate::expansion::allocations;
use crate::quadrature::{Grid, assert_agrees, assert_nuts_agrees, gibbs_means};
use crate::{reaches_the_batch_bound, sweep};

fn priors(hierarchical: bool) -> PoissonFactorisationPriors {
    let known = RatePrior::Known { rate: 0.8 };
    let learned = RatePrior::Gamma { shape: 2.0, rate: 1.5 };
    PoissonFactorisationPriors {
        row: FactorPrior { shape: 1.2, rate: if hierarchical { learned } else { known } },
        column: FactorPrior { shape: 0.7, rate: learned },
    }
}

fn counts() -> SparseCounts {
    SparseCounts::from_dense(&array![
        [0.0, 3.0, 1.0, 0.0],
        [2.0, 0.0, 0.0, 1.0],
        [0.0, 0.0, 0.0, 0.0],
        [5.0, 1.0, 0.0, 2.0],
        [0.0, 7.0, 4.0, 0.0]
    ])
    .unwrap()
}

#[test]
fn contracts() {
    for (hierarchical, missing) in [(false, vec![]), (true, vec![(0, 0), (2, 1), (2, 3), (3, 2)])] {
        let model = PoissonFactorisation::new(counts(), 2, priors(hierarchical)).unwrap();
        let model = model.with_missing(missing).unwrap();
        let key = StreamKey::from_seed(6);
        check_conditional(&model, key);
        check_conditional_against(&model, &[PoissonFactorisationBlock::Allocations], 3, key);
        check_gradient(&model, 3, key);
        check_predictive(&model, key);
        check_natural(&model, key);
        let update = RowUpdate { tolerance: 1e-15, max_iterations: 3000 };
        check_exchangeable_at_rest(&model.with_row_update(update).unwrap(), key);
    }
}

#[test]
fn minibatches_reach_the_bound() {
    let model =
        PoissonFactorisation::new(simulated(240, 30), 3, PoissonFactorisationPriors::default()).unwrap();
    reaches_the_batch_bound(&model, 30, 60);
}

/// Damped and annealed sweeps end where plain ones do, or higher.
#[test]
fn damped_and_annealed_fits_end_at_an_optimum() {
    let model =
        PoissonFactorisation::new(simulated(60, 20), 3, PoissonFactorisationPriors::default()).unwrap();
    let settings = CaviSettings { tolerance: 1e-7, max_iterations: 2000, ..CaviSettings::default() };
    let key = StreamKey::from_seed(3);
    let plain = vi_cavi::fit(&model, &settings, key, Exec::local()).unwrap().elbo();
    let damped = DampedSettings { rate: 0.7, annealing: None };
    let annealed = DampedSettings { rate: 1.0, annealing: Some(Annealing::default()) };
    for damping in [damped, annealed] {
        let kernel = DampedCavi::new(&model, damping, &settings, Exec::local()).unwrap();
        let fit = Fit::with_kernel(kernel, &settings, key).run().unwrap();
        assert!(fit.converged() && fit.elbo() > plain - 5.0, "{damping:?}: {} beside {plain}", fit.elbo());
    }
}

/// One row, one factor: the column factors integrate out, and the evidence is an integral over θ (and ξ).
#[test]
fn the_bound_is_below_the_evidence() {
    let x = array![[0.0, 3.0, 1.0, 5.0]];
    let model = PoissonFactorisation::new(SparseCounts::from_dense(&x).unwrap(), 1, priors(true)).unwrap();
    // η is learned for every column; given θ and η, x_d is negative binomial, and η is integrated by a sum as well.
    let log_column = |x: f64, theta: f64| {
        let step = 0.05;
        let terms = (-400..=400).map(|i| {
            let u = step * f64::from(i);
            let eta = u.exp();
            let (c, shape, rate) = (0.7, 2.0, 1.5_f64);
            let prior = shape * rate.ln() - log_gamma(shape) + shape * u - rate * eta;
            let binomial = log_gamma(c + x) - log_gamma(c) - log_gamma(x + 1.0)
                + c * (eta / (eta + theta)).ln()
                + x * (theta / (eta + theta)).ln();
            (prior + binomial).exp()
        });
        (terms.sum::<f64>() * step).ln()
    };
    // ξ ~ Gamma(2, 1.5) integrates out of θ ~ Gamma(1.2, ξ): a beta-prime density.
    let log_prior = |theta: f64| {
        let (a, shape, rate) = (1.2, 2.0, 1.5_f64);
        log_gamma(a + shape) - log_gamma(a) - log_gamma(shape) + shape * rate.ln() + (a - 1.0) * theta.ln()
            - (a + shape) * (rate + theta).ln()
    };
    // The second dimension is a constant of width 1.
    let grid = |n| {
        let log_f = |u: f64| log_prior(u.exp()) + x.iter().map(|x| log_column(*x, u.exp())).sum::<f64>() + u;
        let step = 40.0 / f64::from(n);
        let terms: Vec<f64> = (0..=n).map(|i| log_f(-20.0 + step * f64::from(i))).collect();
        vi_core::numerics::log_sum_exp(&terms) + step.ln()
    };
    let (evidence, finer) = (grid(300), grid(400));
    assert!((evidence - finer).abs() < 1e-8, "{evidence} or {finer}");
    let (mut q, mut stats) = model.init(StreamKey::from_seed(1), Exec::local()).unwrap();
    let bound = (0..500).map(|_| sweep(&model, &mut q, &mut stats)).last().unwrap();
    assert!(bound < evidence && bound > evidence - 4.0, "bound {bound}, evidence {evidence}");
}

/// One count, one factor, known rates: the evidence by a grid over (log θ, log β) of the model's own log joint.
#[test]
fn the_log_joint_integrates_to_more_than_the_bound() {
    let known = |shape| FactorPrior { shape, rate: RatePrior::Known { rate: 1.0 } };
    let priors = PoissonFactorisationPriors { row: known(1.5), column: known(2.5) };
    let model =
        PoissonFactorisation::new(SparseCounts::from_dense(&array![[4.0]]).unwrap(), 1, priors).unwrap();
    let joint = |u: f64, v: f64| model.log_joint(&array![u.exp(), v.exp()]) + u + v;
    let evidence = Grid::new((-25.0, 6.0), (-15.0, 6.0), 300, joint).log_integral();
    let (mut q, mut stats) = model.init(StreamKey::from_seed(1), Exec::local()).unwrap();
    let bound = (0..300).map(|_| sweep(&model, &mut q, &mut stats)).last().unwrap();
    assert!(bound < evidence && bound > evidence - 1.0, "bound {bound}, evidence {evidence}");
}

/// One count made by two factors: the posterior of s_k = θ_k β_k over a grid of (log s_1, log s_2), with the density of a
/// product of two Gammas by quadrature. The samplers have its means, also of how the count is shared.
#[test]
fn samplers_have_the_exact_means() {
    let known = |shape| FactorPrior { shape, rate: RatePrior::Known { rate: 1.0 } };
    let priors = PoissonFactorisationPriors { row: known(1.5), column: known(2.5) };
    let model =
        PoissonFactorisation::new(SparseCounts::from_dense(&array![[3.0]]).unwrap(), 2, priors).unwrap();
    let (low, high, n) = (-16.0, 5.0, 150_usize);
    // log p(log s) = log ∫ Gamma(θ; 1.5, 1) Gamma(s/θ; 2.5, 1) s dθ/θ, in log θ.
    let log_density = |u: f64| {
        let terms: Vec<f64> = (-300..=100)
            .map(|i| {
                let t = 0.06 * f64::from(i);
                1.5 * t - t.exp() + 2.5 * (u - t) - (u - t).exp()
            })
            .collect();
        vi_core::numerics::log_sum_exp(&terms) + 0.06f64.ln() - log_gamma(1.5) - log_gamma(2.5)
    };
    let step = (high - low) / n as f64;
    let table: Vec<f64> = (0..=n).map(|i| log_density(low + step * i as f64)).collect();
    let prior = |u: f64| table[((u - low) / step).round() as usize];
    let grid = Grid::new((low, high), (low, high), n, |u, v| {
        let rate = u.exp() + v.exp();
        prior(u) + prior(v) + 3.0 * rate.ln() - rate
    });
    let exact = [
        grid.mean(|u, v| u.exp() + v.exp()),
        grid.mean(|u, v| 0.5 * (u + v)),
        grid.mean(|u, v| (u - v).abs()),
    ];
    // θ_1, θ_2, β_1, β_2.
    let moments = |z: &ArrayRef1<f64>| {
        let (s, t): (f64, f64) = (z[0] * z[2], z[1] * z[3]);
        vec![s + t, 0.5 * (s.ln() + t.ln()), (s / t).ln().abs()]
    };
    let chain = gibbs_means(&model, 200, StreamKey::from_seed(8), moments);
    for ((mean, exact), name) in chain.iter().zip(exact).zip(["s₁ + s₂", "log s", "|log s₁/s₂|"]) {
        assert_agrees(name, mean, exact);
    }
    assert_nuts_agrees(&model, 1000, &exact, moments);
}

/// Expected logarithms around −1000, whose exponentials underflow: the bound stays finite and never falls.
#[test]
fn sparse_priors_do_not_underflow() {
    let side = FactorPrior { shape: 1e-3, rate: RatePrior::Known { rate: 1.0 } };
    let priors = PoissonFactorisationPriors { row: side, column: side };
    let model = PoissonFactorisation::new(counts(), 4, priors).unwrap();
    let (mut q, mut stats) = model.init(StreamKey::from_seed(1), Exec::local()).unwrap();
    let mut last = f64::NEG_INFINITY;
    for t in 0..60 {
        let next = sweep(&model, &mut q, &mut stats);
        assert!(next.is_finite() && next >= last - 1e-9 * last.abs(), "sweep {t}: {last}, then {next}");
        last = next;
    }
}

fn simulated(n: usize, d: usize) -> SparseCounts {
    let blank = SparseCounts::from_dense(&Array2::zeros((n, d))).unwrap();
    let side = |shape, rate| FactorPrior { shape, rate: RatePrior::Known { rate } };
    let priors = PoissonFactorisationPriors { row: side(0.3, 0.2), column: side(0.3, 0.3) };
    let model = PoissonFactorisation::new(blank, 3, priors).unwrap();
    let (z, counts) = model.simulate_prior(StreamKey::from_seed(12)).unwrap();
    model.parameters().check(&z).unwrap();
    counts
}

#[test]
fn held_out_counts_are_predicted() {
    let counts = simulated(120, 40);
    let (kept, held) = counts.thin(0.2, StreamKey::from_seed(4)).unwrap();
    let totals = kept.column_totals();
    let total: f64 = totals.iter().sum();
    let by_popularity: f64 = (0..held.n_rows())
        .flat_map(|n| {
            let (columns, counts) = held.row(n);
            columns
                .iter()
                .zip(counts)
                .map(|(d, x)| x * ((totals[*d] + 0.5) / (total + 20.0)).ln())
                .collect::<Vec<_>>()
        })
        .sum();
    let model = PoissonFactorisation::new(kept, 6, PoissonFactorisationPriors::default()).unwrap();
    let (mut q, mut stats) = model.init(StreamKey::from_seed(3), Exec::local()).unwrap();
    (0..150).for_each(|_| {
        sweep(&model, &mut q, &mut stats);
    });
    let score = model.held_out(&q, &held, 0.25).unwrap();
    let baseline = (-by_popularity / held.total()).exp();
    assert!(score.perplexity() < 0.9 * baseline, "{} against {baseline}", score.perplexity());
    let small = SparseCounts::from_dense(&array![[1.0]]).unwrap();
    assert!(matches!(model.held_out(&q, &small, 1.0), Err(ModelError::Length { .. })));
    assert!(model.predict_entry(&q, 0, 0) > 0.0);
}

#[test]
fn threads_change_no_bit() {
    let model =
        PoissonFactorisation::new(simulated(200, 90), 3, PoissonFactorisationPriors::default()).unwrap();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (mut q, mut stats) = model.init(StreamKey::from_seed(6), Exec::local()).unwrap();
            (0..4).map(|_| sweep(&model, &mut q, &mut stats).to_bits()).collect::<Vec<_>>()
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(3));
}

#[test]
fn a_sweep_allocates_nothing() {
    let model =
        PoissonFactorisation::new(simulated(200, 90), 3, PoissonFactorisationPriors::default()).unwrap();
    assert_eq!(allocations(&model), 0);
    let zero = (0..90).find(|d| !model.counts().row(0).0.contains(d)).unwrap();
    assert_eq!(allocations(&model.with_missing([(0, zero)]).unwrap()), 0);
}

#[test]
fn bad_input_is_named() {
    let new = |k, priors| PoissonFactorisation::new(counts(), k, priors);
    let refused = |outcome: Result<PoissonFactorisation, ModelError>| match outcome {
        Err(ModelError::Prior { parameter, .. }) => parameter,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(new(0, priors(true))), "n_factors");
    let mut wrong = priors(true);
    wrong.row.shape = 0.0;
    assert_eq!(refused(new(2, wrong)), "row.shape");
    wrong = priors(true);
    wrong.column.rate = RatePrior::Gamma { shape: 1.0, rate: f64::INFINITY };
    assert_eq!(refused(new(2, wrong)), "column.rate.gamma.rate");
    let missing = |entries: Vec<(usize, usize)>| new(2, priors(true)).unwrap().with_missing(entries);
    assert!(matches!(missing(vec![(0, 1)]), Err(ModelError::Datum { row: 0, column: 1, .. })));
    assert!(matches!(missing(vec![(9, 1)]), Err(ModelError::Datum { row: 9, .. })));
    assert!(matches!(
        missing(vec![(2, 1), (2, 1)]),
        Err(ModelError::Datum { requirement: "given once", .. })
    ));
    // Those named later join those named before.
    let once = missing(vec![(2, 1)]).unwrap();
    assert_eq!(once.clone().with_missing([(1, 2)]).map(|m| m.n_missing()).unwrap_or(0), 2);
    assert!(once.with_missing([(2, 1)]).is_err());
}
