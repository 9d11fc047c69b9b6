//! The hierarchical Dirichlet process: conditionals, exact evidence, predictions, refusals.

use ndarray::{Array1, arr2};
use vi_cavi::{CaviSettings, CheckStationary, LearningRate, Svi, SviSettings};
use vi_core::testing::{check_conditional, check_conditional_against, check_exchangeable, check_kernel};
use vi_core::{ConditionallyConjugate, Exchangeable, Exec, Kernel, LogJoint, Predictive, StreamKey};
use vi_families::special::{log_beta, log_gamma};
use vi_models::hierarchical_dirichlet::{
    HierarchicalDirichletBlock, HierarchicalDirichletFactors, HierarchicalDirichletPriors,
    HierarchicalDirichletProcess, HierarchicalDirichletStats,
};
use vi_models::latent_dirichlet::{DocumentStart, DocumentUpdate};
use vi_models::sparse_counts::SparseCounts;

use crate::corpora::{dense, seven, simulated};

type State = (HierarchicalDirichletFactors, HierarchicalDirichletStats);

pub(crate) fn model(
    counts: SparseCounts,
    sizes: [usize; 2],
    [corpus, documents, topics]: [f64; 3],
) -> HierarchicalDirichletProcess {
    let priors = HierarchicalDirichletPriors { corpus, documents, topics };
    HierarchicalDirichletProcess::new(counts, sizes, priors).unwrap()
}

pub(crate) fn sweep(model: &HierarchicalDirichletProcess, (q, stats): &mut State) -> f64 {
    for block in model.blocks() {
        model.condition(*block, stats, q, Exec::local()).unwrap();
        model.expect(*block, q, stats, Exec::local());
    }
    model.elbo(q, stats)
}

fn gibbs_sweep(model: &HierarchicalDirichletProcess, (q, stats): &mut State, key: StreamKey) {
    for (i, block) in model.blocks().iter().enumerate() {
        model.condition(*block, stats, q, Exec::local()).unwrap();
        model.draw(*block, q, key.fold_in(i as u64), stats, Exec::local());
    }
}

fn key() -> StreamKey {
    StreamKey::from_seed(5)
}

/// Also with more sticks than topics.
#[test]
fn complete_conditionals() {
    for sizes in [[3, 3], [4, 2], [2, 3]] {
        let model = model(seven(), sizes, [1.3, 0.8, 0.6]);
        check_conditional(&model, key());
        check_conditional_against(&model, &[HierarchicalDirichletBlock::Assignments], 10, key());
    }
}

const COUNTS: [[f64; 3]; 2] = [[2.0, 1.0, 0.0], [0.0, 1.0, 2.0]];
const CONCENTRATIONS: [f64; 3] = [1.5, 0.7, 0.5];

/// Sums over the topics of all sticks and the sticks of all tokens, with β, v and π integrated out.
struct Exact {
    /// log p(w).
    evidence: f64,
    /// max log p(w, z, c): the ELBO where q(z) and q(c) are certain of the likeliest, which the best one is not below.
    floor: f64,
    /// E[w] (K).
    weights: Array1<f64>,
}

/// log ∫ Π π^n of weights by sticks Beta(1, α).
fn log_sticks(concentration: f64, counts: &[f64]) -> f64 {
    let mut beyond: f64 = counts.iter().sum();
    let mut log_p = 0.0;
    for n in &counts[..counts.len() - 1] {
        beyond -= n;
        log_p += log_beta(1.0 + n, concentration + beyond) - log_beta(1.0, concentration);
    }
    log_p
}

fn exact([gamma, alpha, eta]: [f64; 3]) -> Exact {
    let mut tokens = Vec::new();
    for (d, row) in COUNTS.iter().enumerate() {
        for (v, n) in row.iter().enumerate() {
            tokens.extend(std::iter::repeat_n((d, v), *n as usize));
        }
    }
    let mut terms = Vec::new();
    for topics in 0..1 << 4 {
        let topic = |d: usize, t: usize| topics >> (2 * d + t) & 1;
        let second = f64::from(u32::count_ones(topics as u32));
        let sticks = [4.0 - second, second];
        for assignment in 0..1 << tokens.len() {
            let (mut by_topic, mut by_stick) = ([[0.0; 3]; 2], [[0.0; 2]; 2]);
            for (i, (d, v)) in tokens.iter().enumerate() {
                let t = assignment >> i & 1;
                by_topic[topic(*d, t)][*v] += 1.0;
                by_stick[*d][t] += 1.0;
            }
            let words = by_topic.iter().map(|c| {
                let parts: f64 = c.iter().map(|n| log_gamma(eta + n) - log_gamma(eta)).sum();
                parts + log_gamma(3.0 * eta) - log_gamma(3.0 * eta + c.iter().sum::<f64>())
            });
            let log_p = words.sum::<f64>()
                + by_stick.iter().map(|n| log_sticks(alpha, n)).sum::<f64>()
                + log_sticks(gamma, &sticks);
            terms.push((log_p, sticks));
        }
    }
    let max = terms.iter().map(|t| t.0).fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = terms.iter().map(|t| (t.0 - max).exp()).sum();
    let first = |n: &[f64; 2]| (1.0 + n[0]) / (1.0 + gamma + n[0] + n[1]);
    let weight: f64 = terms.iter().map(|(log_p, n)| (log_p - max).exp() / total * first(n)).sum();
    Exact { evidence: max + total.ln(), floor: max, weights: Array1::from(vec![weight, 1.0 - weight]) }
}

#[test]
fn the_bound_stays_below_the_exact_evidence_and_close_to_it() {
    for concentrations in [CONCENTRATIONS, [0.2, 4.0, 2.0], [3.0, 0.1, 0.05]] {
        let Exact { evidence, floor, .. } = exact(concentrations);
        let single = model(dense(&arr2(&COUNTS)), [2, 2], concentrations);
        let update = DocumentUpdate { tolerance: 0.0, max_iterations: 3, ..Default::default() };
        for model in [single.clone(), single.with_document_update(update).unwrap()] {
            let best = (0..20).map(|seed| {
                let mut state = model.init(StreamKey::from_seed(seed), Exec::local()).unwrap();
                let mut elbo = model.elbo(&state.0, &state.1);
                for _ in 0..200 {
                    let next = sweep(&model, &mut state);
                    assert!(
                        next >= elbo - 1e-10 * (1.0 + elbo.abs()),
                        "{concentrations:?}: {elbo} to {next}"
                    );
                    assert!(next <= evidence + 1e-9, "{concentrations:?}: {next} above {evidence}");
                    elbo = next;
                }
                elbo
            });
            let best = best.fold(f64::NEG_INFINITY, f64::max);
            assert!(best >= floor - 1e-6, "{concentrations:?}: {best} below {floor}");
        }
    }
}

/// E[w] by Gibbs sampling; 5 Monte Carlo errors of batch means over 100 batches: a false alarm in one of two comparisons with
/// probability below 10⁻⁵ over all seeds.
#[test]
fn gibbs_sampling_averages_to_the_exact_posterior() {
    const BATCHES: usize = 100;
    const BATCH: usize = 100;
    let exact = exact(CONCENTRATIONS).weights;
    let single = model(dense(&arr2(&COUNTS)), [2, 2], CONCENTRATIONS);
    let by_document = single.clone().with_document_update(DocumentUpdate::default()).unwrap();
    for (tag, model) in [single, by_document].iter().enumerate() {
        let mut state = model.init(StreamKey::from_seed(1), Exec::local()).unwrap();
        for (i, block) in model.blocks().iter().enumerate() {
            let key = StreamKey::from_seed(7).fold_in(i as u64);
            model.draw(*block, &state.0, key, &mut state.1, Exec::local());
        }
        let key = StreamKey::from_seed(2 + tag as u64);
        let mut z = Array1::zeros(model.reported().dim());
        let mut means = vec![0.0; BATCHES];
        for t in 0..BATCHES * BATCH {
            gibbs_sweep(model, &mut state, key.fold_in(t as u64));
            model.realise(&state.1, &mut z);
            means[t / BATCH] += z[6] / BATCH as f64;
        }
        let mean = means.iter().sum::<f64>() / BATCHES as f64;
        let variance = means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (BATCHES - 1) as f64;
        let error = (variance / BATCHES as f64).sqrt();
        assert!((mean - exact[0]).abs() < 5.0 * error, "{mean} ± {error}, exactly {}", exact[0]);
    }
}

#[test]
fn a_step_on_all_documents_is_a_sweep() {
    let update = DocumentUpdate { start: DocumentStart::Fresh, ..Default::default() };
    let model = model(seven(), [3, 2], [1.0, 0.9, 0.3]).with_document_update(update).unwrap();
    check_exchangeable(&model, StreamKey::from_seed(4));
}

/// Every block checked in every sweep: no update lowers the bound, every factor is stationary.
#[test]
fn coordinate_ascent_accepts_the_model() {
    let settings = CaviSettings {
        max_iterations: 8,
        check_stationary: CheckStationary::EverySweep,
        ..Default::default()
    };
    let single = model(simulated(40, 30, 3), [8, 4], [1.0, 1.0, 0.1]);
    let by_document = single.clone().with_document_update(DocumentUpdate::default()).unwrap();
    for model in [single, by_document] {
        let fit = vi_cavi::fit(&model, &settings, key(), Exec::local()).unwrap();
        assert_eq!(fit.elbo().to_bits(), model.elbo(&fit.state.factors, &fit.state.stats).to_bits());
    }
}

#[test]
fn threads_do_not_change_bits() {
    let model = model(simulated(150, 50, 3), [6, 3], [1.0, 1.0, 0.1]);
    let run = |n| {
        rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(|| {
            let mut state = model.init(StreamKey::from_seed(2), Exec::local()).unwrap();
            sweep(&model, &mut state);
            sweep(&model, &mut state);
            let ascended = state.clone();
            gibbs_sweep(&model, &mut state, StreamKey::from_seed(3));
            (ascended, state)
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(3));
}

/// Log probabilities of single tokens add up to one, and simulated tokens have them: 40 000 tokens, 5 standard errors, false
/// alarm in one of six comparisons with probability below 4·10⁻⁶.
#[test]
fn simulated_tokens_have_the_predicted_probabilities() {
    let model = model(seven(), [3, 2], [1.0, 0.8, 0.6]);
    let (q, _) = model.init(key(), Exec::local()).unwrap();
    let mut z = Array1::zeros(model.dim());
    model.sample(&q, &mut key().rng(1), &mut z);
    let probability = |v: usize| {
        let token = SparseCounts::from_entries(7, 6, [(2, v, 1.0)]).unwrap();
        let mut out = Array1::zeros(7);
        model.log_likelihood_pointwise(&token, &z, &mut out);
        out[2].exp()
    };
    let expected: Vec<f64> = (0..6).map(probability).collect();
    assert!((expected.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    let n = 40_000.0;
    let many = SparseCounts::from_entries(7, 6, [(2, 0, n)]).unwrap();
    let drawn = model.simulate(&many, &z, &mut key().rng(2)).to_dense();
    assert_eq!(drawn.sum(), n);
    for (v, p) in expected.iter().enumerate() {
        let error = (n * p * (1.0 - p)).sqrt();
        assert!((drawn[[2, v]] - n * p).abs() < 5.0 * error, "word {v}: {} of {}", drawn[[2, v]], n * p);
    }
}

/// Eight epochs on minibatches against forty sweeps over all documents.
#[test]
fn minibatches_end_no_more_than_a_percent_below_the_batch_bound() {
    let model = model(simulated(240, 40, 5), [8, 4], [1.0, 1.0, 0.2]);
    let rate = LearningRate::RobbinsMonro { delay: 1.0, forgetting: 0.7 };
    let settings = SviSettings { batch_size: 48, n_epochs: 8, rate, ..Default::default() };
    let key = StreamKey::from_seed(3);
    let svi = Svi::new(&model, &settings, key, Exec::local()).unwrap();
    let start = svi.init(key).unwrap();
    let mut batch = model.complete(&start.globals, Exec::local()).unwrap();
    let batch = (0..40).map(|_| sweep(&model, &mut batch)).last().unwrap();
    let mut state = start.clone();
    for _ in 0..8 * svi.n_batches() {
        svi.step(key, &mut state).unwrap();
    }
    let online = model.global_elbo(&state.globals, Exec::local()).unwrap();
    assert!(online >= batch - 0.01 * batch.abs(), "{online}, in batch {batch}");
    check_kernel(&svi, &start, StreamKey::from_seed(3), 4);
}

#[test]
fn what_is_refused_is_named() {
    let new = |sizes, [corpus, documents, topics]: [f64; 3]| {
        let priors = HierarchicalDirichletPriors { corpus, documents, topics };
        HierarchicalDirichletProcess::new(seven(), sizes, priors).unwrap_err().to_string()
    };
    let name = "hierarchical_dirichlet";
    assert_eq!(new([1, 2], [1.0; 3]), format!("{name}: n_topics = 1, but it must be at least 2"));
    assert_eq!(new([2, 1], [1.0; 3]), format!("{name}: n_sticks = 1, but it must be at least 2"));
    assert_eq!(new([2, 2], [0.0, 1.0, 1.0]), format!("{name}: corpus = 0, but it must be finite and > 0"));
    assert_eq!(
        new([2, 2], [1.0, f64::INFINITY, 1.0]),
        format!("{name}: documents = inf, but it must be finite and > 0")
    );
    assert_eq!(new([2, 2], [1.0, 1.0, -2.0]), format!("{name}: topics = -2, but it must be finite and > 0"));
    let model = model(seven(), [2, 2], [1.0; 3]);
    let update = DocumentUpdate { max_iterations: 0, ..Default::default() };
    let error = model.clone().with_document_update(update).unwrap_err().to_string();
    assert_eq!(error, format!("{name}: document_update.max_iterations = 0, but it must be at least 1"));
    let (q, stats) = model.init(key(), Exec::local()).unwrap();
    let other = SparseCounts::from_entries(7, 5, [(0, 0, 1.0)]).unwrap();
    assert!(model.held_out_score(&model.globals(&q, &stats), &other, &other, Exec::local()).is_err());
    let mut z = Array1::zeros(model.dim());
    model.sample(&q, &mut key().rng(1), &mut z);
    assert!(model.log_joint(&z).is_finite());
    let last = z.len() - 1;
    z[last] = 2.0;
    assert_eq!(model.log_joint(&z), f64::NEG_INFINITY);
    z[last] = f64::NAN;
    assert!(model.log_joint(&z).is_nan());
}
