//! Mixed membership: conditionals, exact evidence, missing answers, predictions, refusals.

use ndarray::{Array1, Array2, arr2};
use vi_cavi::{CaviSettings, CheckStationary};
use vi_core::testing::{check_conditional, check_conditional_against, check_gradient, check_predictive};
use vi_core::{ConditionallyConjugate, Exec, LogJoint, Predictive, StreamKey};
use vi_families::special::log_gamma;
use vi_models::ModelError;
use vi_models::latent_dirichlet::{
    Concentration, LatentDirichletBlock, LatentDirichletFactors, LatentDirichletStats,
};
use vi_models::mixed_membership::{Answers, MixedMembership, MixedMembershipPriors};

const MISSING: f64 = f64::NAN;

fn priors(alpha: &[f64], levels: f64) -> MixedMembershipPriors {
    MixedMembershipPriors { memberships: Some(Concentration::Each(alpha.to_vec())), levels }
}

/// Three individuals, items of two, three and two levels, three answers missing and one individual without any.
fn few() -> Answers {
    let values = arr2(&[[0.0, 2.0, 1.0], [1.0, MISSING, 1.0], [0.0, 0.0, MISSING], [MISSING; 3]]);
    Answers::new(values, vec![2, 3, 2]).unwrap()
}

fn sweep(model: &MixedMembership, (q, stats): &mut (LatentDirichletFactors, LatentDirichletStats)) -> f64 {
    for block in model.blocks() {
        model.condition(*block, stats, q, Exec::local()).unwrap();
        model.expect(*block, q, stats, Exec::local());
    }
    model.elbo(q, stats)
}

#[test]
fn complete_conditionals_gradient_and_predictive_density() {
    let key = StreamKey::from_seed(5);
    let model = MixedMembership::new(few(), 3, priors(&[0.8, 1.1, 0.5], 0.7)).unwrap();
    let single = model.clone().with_single_updates();
    check_conditional(&single, key);
    check_conditional_against(&single, &[LatentDirichletBlock::Assignments], 20, key);
    check_gradient(&model, 10, key);
    check_predictive(&model, key);
}

const ALPHA: [f64; 2] = [0.7, 1.4];

/// Sums over the profiles of all seven answers, with β and θ integrated out.
struct Exact {
    /// log p(x).
    evidence: f64,
    /// max log p(x, z): the ELBO where q(z) is certain of the likeliest, which the best one is not below.
    floor: f64,
    /// E[θ_n1] (N).
    memberships: Vec<f64>,
}

fn exact(answers: &Answers, eta: f64) -> Exact {
    let given: Vec<(usize, usize, usize)> = answers
        .values()
        .indexed_iter()
        .filter(|(_, x)| !x.is_nan())
        .map(|((n, j), x)| (n, j, *x as usize))
        .collect();
    let dirichlet_multinomial = |prior: &[f64], counts: &[f64]| {
        let parts: f64 = prior.iter().zip(counts).map(|(a, n)| log_gamma(a + n) - log_gamma(*a)).sum();
        let (a, n): (f64, f64) = (prior.iter().sum(), counts.iter().sum());
        parts + log_gamma(a) - log_gamma(a + n)
    };
    let n_individuals = answers.n_individuals();
    let mut terms = Vec::new();
    for assignment in 0..1usize << given.len() {
        let mut levels: Vec<[Vec<f64>; 2]> =
            answers.levels().iter().map(|v| [vec![0.0; *v], vec![0.0; *v]]).collect();
        let mut by_individual = vec![[0.0; 2]; n_individuals];
        for (i, (n, j, x)) in given.iter().enumerate() {
            let k = assignment >> i & 1;
            levels[*j][k][*x] += 1.0;
            by_individual[*n][k] += 1.0;
        }
        let log_p =
            levels.iter().flatten().map(|c| dirichlet_multinomial(&vec![eta; c.len()], c)).sum::<f64>()
                + by_individual.iter().map(|m| dirichlet_multinomial(&ALPHA, m)).sum::<f64>();
        terms.push((log_p, by_individual));
    }
    let max = terms.iter().map(|t| t.0).fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = terms.iter().map(|t| (t.0 - max).exp()).sum();
    let mut memberships = vec![0.0; n_individuals];
    for (log_p, by_individual) in &terms {
        for (theta, m) in memberships.iter_mut().zip(by_individual) {
            *theta += (log_p - max).exp() / total * (ALPHA[0] + m[0]) / (2.1 + m[0] + m[1]);
        }
    }
    Exact { evidence: max + total.ln(), floor: max, memberships }
}

#[test]
fn the_bound_stays_below_the_exact_evidence_and_close_to_it() {
    // With nearly certain levels, starts at random end in many optima, and none of twenty is the best one.
    for (eta, finds_the_best) in [(0.5, true), (3.0, true), (0.05, false)] {
        let Exact { evidence, floor, .. } = exact(&few(), eta);
        let model = MixedMembership::new(few(), 2, priors(&ALPHA, eta)).unwrap();
        for model in [model.clone(), model.with_single_updates()] {
            let best = (0..20).map(|seed| {
                let mut state = model.init(StreamKey::from_seed(seed), Exec::local()).unwrap();
                let mut elbo = f64::NEG_INFINITY;
                for _ in 0..200 {
                    let next = sweep(&model, &mut state);
                    assert!(next >= elbo - 1e-10 * (1.0 + elbo.abs()), "{eta}: {elbo} to {next}");
                    assert!(next <= evidence + 1e-9, "{eta}: {next} above {evidence}");
                    elbo = next;
                }
                elbo
            });
            let best = best.fold(f64::NEG_INFINITY, f64::max);
            assert!(best > evidence - 5.0, "{eta}: {best} far below {evidence}");
            assert!(!finds_the_best || best >= floor - 1e-6, "{eta}: {best} below {floor}");
        }
    }
}

/// E[θ] by Gibbs sampling; 5 Monte Carlo errors of batch means over 100 batches: false alarms in one of eight comparisons with
/// probability below 3·10⁻⁵ over all seeds. The individual without answers has the prior.
#[test]
fn gibbs_sampling_averages_to_the_exact_posterior() {
    const BATCHES: usize = 100;
    const BATCH: usize = 100;
    let exact = exact(&few(), 0.5).memberships;
    assert!((exact[3] - ALPHA[0] / 2.1).abs() < 1e-12);
    let model = MixedMembership::new(few(), 2, priors(&ALPHA, 0.5)).unwrap();
    for (tag, model) in [model.clone(), model.with_single_updates()].iter().enumerate() {
        let (mut q, mut stats) = model.init(StreamKey::from_seed(1), Exec::local()).unwrap();
        let key = StreamKey::from_seed(2 + tag as u64);
        let mut z = Array1::zeros(model.reported().dim());
        let mut means = vec![[0.0; 4]; BATCHES];
        for t in 0..BATCHES * BATCH {
            for (i, block) in model.blocks().iter().enumerate() {
                model.condition(*block, &stats, &mut q, Exec::local()).unwrap();
                model.draw(*block, &q, key.fold_in(t as u64).fold_in(i as u64), &mut stats, Exec::local());
            }
            model.realise(&stats, &mut z);
            // Two profiles of seven levels come first.
            means[t / BATCH]
                .iter_mut()
                .enumerate()
                .for_each(|(n, mean)| *mean += z[14 + 2 * n] / BATCH as f64);
        }
        for (n, exact) in exact.iter().enumerate() {
            let mean = means.iter().map(|m| m[n]).sum::<f64>() / BATCHES as f64;
            let variance = means.iter().map(|m| (m[n] - mean).powi(2)).sum::<f64>() / (BATCHES - 1) as f64;
            let error = (variance / BATCHES as f64).sqrt();
            assert!((mean - exact).abs() < 5.0 * error, "{n}: {mean} ± {error}, exactly {exact}");
        }
    }
}

/// An item that nobody answered changes neither evidence nor memberships, and a missing answer is not a level of its own.
#[test]
fn missing_answers_are_in_no_factor() {
    let ascended = |answers: Answers| {
        let model = MixedMembership::new(answers, 2, priors(&ALPHA, 0.5)).unwrap();
        // Starts differ, as levels have other numbers: the best of some is the same.
        let ends = (0..10).map(|seed| {
            let mut state = model.init(StreamKey::from_seed(seed), Exec::local()).unwrap();
            (0..300).map(|_| sweep(&model, &mut state)).last().unwrap()
        });
        ends.fold(f64::NEG_INFINITY, f64::max)
    };
    let with = |column: f64| {
        let mut values = Array2::from_elem((4, 4), column);
        values.slice_mut(ndarray::s![.., ..3]).assign(few().values());
        Answers::new(values, vec![2, 3, 2, 2]).unwrap()
    };
    let (without, unanswered, answered) = (ascended(few()), ascended(with(MISSING)), ascended(with(0.0)));
    assert!((without - unanswered).abs() < 1e-6, "{without} and {unanswered}");
    assert!(answered < without - 0.5, "{without} and {answered}");
}

/// 300 individuals, twelve items of three levels, a tenth of the answers missing; two pure profiles and mixtures of them.
fn simulated(seed: u64) -> (Answers, Array2<f64>, Array2<f64>) {
    let (n, j) = (300, 12);
    let theta = Array2::from_shape_fn((n, 2), |(n, k)| {
        let first = [1.0, 0.0, 0.5, 0.8, 0.1][n % 5];
        if k == 0 { first } else { 1.0 - first }
    });
    let beta = Array2::from_shape_fn((2, 3 * j), |(k, w)| {
        let favourite = if k == 0 { w / 3 % 3 } else { (w / 3 + 1) % 3 };
        if w % 3 == favourite { 0.8 } else { 0.1 }
    });
    let mut asked = Array2::zeros((n, j));
    asked.indexed_iter_mut().filter(|((n, j), _)| (7 * n + 3 * j) % 10 == 0).for_each(|(_, x)| *x = MISSING);
    let blank =
        MixedMembership::new(Answers::new(asked, vec![3; j]).unwrap(), 2, MixedMembershipPriors::default());
    let blank = blank.unwrap();
    let z: Array1<f64> = beta.iter().chain(&theta).map(|p| f64::max(*p, f64::MIN_POSITIVE)).collect();
    let answers = blank.simulate(blank.answers(), &z, &mut StreamKey::from_seed(seed).rng(0));
    (answers, theta, beta)
}

/// Profiles and memberships are those that made the answers, up to the order of profiles, and missing answers are predicted by
/// them; Gibbs sampling from there agrees with the factors.
#[test]
fn profiles_are_found_and_gibbs_sampling_agrees() {
    let (answers, theta, beta) = simulated(1);
    let missing = answers.values().iter().filter(|x| x.is_nan()).count();
    assert!((300..420).contains(&missing), "{missing}");
    let priors = MixedMembershipPriors { memberships: Some(Concentration::Symmetric(0.5)), levels: 1.0 };
    let model = MixedMembership::new(answers, 2, priors).unwrap();
    let settings = CaviSettings {
        n_restarts: 2,
        max_iterations: 60,
        check_stationary: CheckStationary::FirstSweep,
        ..Default::default()
    };
    let fit = vi_cavi::fit(&model, &settings, StreamKey::from_seed(1), Exec::local()).unwrap();
    let mut q = fit.state.factors.clone();
    let profiles = q.topics().expected();
    let first = usize::from(profiles[[0, 0]] < profiles[[1, 0]]);
    for (k, truth) in [(first, beta.row(0)), (1 - first, beta.row(1))] {
        let error = (&profiles.row(k) - &truth).mapv(f64::abs).mean().unwrap();
        assert!(error < 0.05, "profile {k}: {error}");
    }
    let memberships = q.expected_proportions();
    let error = (&memberships.column(first) - &theta.column(0)).mapv(f64::abs).mean().unwrap();
    assert!(error < 0.15, "{error}");
    let predicted =
        |probabilities: &Array2<f64>, n: usize, w: usize| memberships.row(n).dot(&probabilities.column(w));
    for (n, j) in [(0, 0), (17, 5), (123, 11)] {
        let p = model.answer_probabilities(&q, n, j);
        assert!((p.sum() - 1.0).abs() < 1e-12 && (p[1] - predicted(&profiles, n, 3 * j + 1)).abs() < 1e-12);
    }
    let (mut stats, mut z) = (fit.state.stats.clone(), Array1::zeros(model.dim()));
    let (mut sampled, n_draws) = (Array2::<f64>::zeros((300, 36)), 60);
    for t in 0..20 + n_draws {
        for (i, block) in model.blocks().iter().enumerate() {
            model.condition(*block, &stats, &mut q, Exec::local()).unwrap();
            model.draw(
                *block,
                &q,
                StreamKey::from_seed(3).fold_in(t).fold_in(i as u64),
                &mut stats,
                Exec::local(),
            );
        }
        if t >= 20 {
            model.realise(&stats, &mut z);
            let drawn = z.slice(ndarray::s![..72]).into_shape_with_order((2, 36)).unwrap();
            let theta = z.slice(ndarray::s![72..]).into_shape_with_order((300, 2)).unwrap();
            sampled.scaled_add(1.0 / n_draws as f64, &theta.dot(&drawn));
        }
    }
    let distance = (&sampled - &memberships.dot(&profiles)).mapv(f64::abs).mean().unwrap();
    assert!(distance < 0.03, "{distance}");
}

#[test]
fn what_is_refused_is_named() {
    let text = |e: ModelError| e.to_string();
    let answers = |x: f64| Answers::new(arr2(&[[0.0, x], [1.0, 0.0]]), vec![2, 3]);
    for wrong in [3.0, -1.0, 0.5, f64::INFINITY] {
        assert_eq!(
            text(answers(wrong).unwrap_err()),
            format!(
                "mixed_membership: answers[0, 1] = {wrong}, but it must be a level of its item, counted from 0, or NaN"
            )
        );
    }
    assert!(matches!(
        Answers::new(arr2(&[[0.0]]), vec![2, 2]),
        Err(ModelError::Length { expected: 1, actual: 2, .. })
    ));
    assert_eq!(
        text(Answers::new(arr2(&[[0.0]]), vec![1]).unwrap_err()),
        "mixed_membership: levels[0] = 1, but it must be at least 2"
    );
    assert!(matches!(Answers::new(Array2::zeros((0, 2)), vec![2, 2]), Err(ModelError::Empty { .. })));
    let new = |k, priors| MixedMembership::new(answers(2.0).unwrap(), k, priors).unwrap_err();
    assert_eq!(
        text(new(1, MixedMembershipPriors::default())),
        "mixed_membership: n_profiles = 1, but it must be at least 2"
    );
    assert_eq!(
        text(new(2, priors(&[1.0, 0.0], 1.0))),
        "mixed_membership: memberships[1] = 0, but it must be finite and > 0"
    );
    assert!(matches!(new(3, priors(&[1.0, 1.0], 1.0)), ModelError::Length { expected: 3, actual: 2, .. }));
    assert_eq!(
        text(new(2, MixedMembershipPriors { levels: f64::NAN, ..Default::default() })),
        "mixed_membership: levels = NaN, but it must be finite and > 0"
    );
}
