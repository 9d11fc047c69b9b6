//! A corpus small enough to sum over all assignments.

use ndarray::{Array2, arr2};
use vi_core::{ConditionallyConjugate, Exec, StreamKey};
use vi_families::special::log_gamma;
use vi_models::latent_dirichlet::{Concentration, LatentDirichletAllocation, LatentDirichletPriors};

use crate::corpora::{dense, sweep};

const COUNTS: [[f64; 3]; 3] = [[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.0, 2.0]];

/// Sums over the topics of all ten tokens, with β and θ integrated out.
struct Exact {
    /// log p(w).
    evidence: f64,
    /// max_z log p(w, z): the ELBO where q(z) is certain of the likeliest assignments, which the best one is not below.
    floor: f64,
    /// E[θ] (D, K).
    proportions: Array2<f64>,
}

fn exact(alpha: [f64; 2], eta: f64) -> Exact {
    let mut tokens = Vec::new();
    for (d, row) in COUNTS.iter().enumerate() {
        for (v, n) in row.iter().enumerate() {
            tokens.extend(std::iter::repeat_n((d, v), *n as usize));
        }
    }
    let dirichlet_multinomial = |prior: &[f64], counts: &[f64]| {
        let parts: f64 = prior.iter().zip(counts).map(|(a, n)| log_gamma(a + n) - log_gamma(*a)).sum();
        parts + log_gamma(prior.iter().sum())
            - log_gamma(prior.iter().sum::<f64>() + counts.iter().sum::<f64>())
    };
    let mut terms = Vec::new();
    for assignment in 0..1 << tokens.len() {
        let (mut by_topic, mut by_document) = ([[0.0; 3]; 2], [[0.0; 2]; 3]);
        for (i, (d, v)) in tokens.iter().enumerate() {
            let k = assignment >> i & 1;
            by_topic[k][*v] += 1.0;
            by_document[*d][k] += 1.0;
        }
        let log_p = by_topic.iter().map(|c| dirichlet_multinomial(&[eta; 3], c)).sum::<f64>()
            + by_document.iter().map(|m| dirichlet_multinomial(&alpha, m)).sum::<f64>();
        terms.push((log_p, by_document));
    }
    let max = terms.iter().map(|t| t.0).fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = terms.iter().map(|t| (t.0 - max).exp()).sum();
    let mut theta = Array2::zeros((3, 2));
    for (log_p, by_document) in &terms {
        for (d, m) in by_document.iter().enumerate() {
            let n = m[0] + m[1] + alpha[0] + alpha[1];
            for k in 0..2 {
                theta[[d, k]] += (log_p - max).exp() / total * (alpha[k] + m[k]) / n;
            }
        }
    }
    Exact { evidence: max + total.ln(), floor: max, proportions: theta }
}

fn model(alpha: [f64; 2], eta: f64) -> LatentDirichletAllocation {
    let proportions = Some(Concentration::Each(alpha.to_vec()));
    let priors = LatentDirichletPriors { proportions, topics: Some(eta) };
    LatentDirichletAllocation::new(dense(&arr2(&COUNTS)), 2, priors).unwrap()
}

/// Also where concentrations are so small that weights underflow and responsibilities come from logarithms.
#[test]
fn the_bound_stays_below_the_exact_evidence_and_close_to_it() {
    // The last number: how far the best of twenty starts may stay below. At the smallest concentrations the optima are as many
    // as there are assignments.
    for (alpha, eta, missing) in [
        ([0.7, 1.4], 0.5, 1e-6),
        ([5.0, 5.0], 4.0, 1e-6),
        ([0.1, 0.02], 0.05, 1e-6),
        ([1e-4, 2e-4], 1e-4, 9.0),
        ([1e-4, 2e-4], 1.0, 1e-6),
        ([1.0, 1.0], 1e-4, 1e-6),
    ] {
        let Exact { evidence, floor, .. } = exact(alpha, eta);
        for single in [false, true] {
            let model = model(alpha, eta);
            let model = if single { model.with_single_updates() } else { model };
            let best = (0..20).map(|seed| {
                let mut state = model.init(StreamKey::from_seed(seed), Exec::local()).unwrap();
                let mut elbo = f64::NEG_INFINITY;
                for _ in 0..200 {
                    let next = sweep(&model, &mut state);
                    assert!(next >= elbo - 1e-9 * (1.0 + elbo.abs()), "{alpha:?} {eta}: {elbo} to {next}");
                    assert!(next <= evidence + 1e-9, "{alpha:?} {eta}: {next} above {evidence}");
                    elbo = next;
                }
                elbo
            });
            let best = best.fold(f64::NEG_INFINITY, f64::max);
            assert!(best >= floor - missing, "{alpha:?} {eta}: {best} below {floor}");
        }
    }
}

/// E[θ] by Gibbs sampling; 5 Monte Carlo errors of batch means over 100 batches: false alarms in one of six comparisons with
/// probability below 2·10⁻⁵ over all seeds.
#[test]
fn gibbs_sampling_averages_to_the_exact_posterior() {
    const BATCHES: usize = 100;
    const BATCH: usize = 150;
    let (alpha, eta) = ([0.7, 2.4], 0.5);
    let exact = exact(alpha, eta).proportions;
    for single in [false, true] {
        let model = model(alpha, eta);
        let model = if single { model.with_single_updates() } else { model };
        let exec = Exec::local();
        let (mut q, mut stats) = model.init(StreamKey::from_seed(1), exec).unwrap();
        let key = StreamKey::from_seed(2 + u64::from(single));
        let mut z = ndarray::Array1::zeros(model.reported().dim());
        let mut means = vec![Array2::<f64>::zeros((3, 2)); BATCHES];
        for t in 0..BATCHES * BATCH {
            for (i, block) in model.blocks().iter().enumerate() {
                model.condition(*block, &stats, &mut q, exec).unwrap();
                model.draw(*block, &q, key.fold_in(t as u64).fold_in(i as u64), &mut stats, exec);
            }
            model.realise(&stats, &mut z);
            let theta = z.slice(ndarray::s![6..]).into_shape_with_order((3, 2)).unwrap();
            means[t / BATCH].scaled_add(1.0 / BATCH as f64, &theta);
        }
        for d in 0..3 {
            let values: Vec<f64> = means.iter().map(|m| m[[d, 0]]).collect();
            let mean = values.iter().sum::<f64>() / BATCHES as f64;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (BATCHES - 1) as f64;
            let error = (variance / BATCHES as f64).sqrt();
            let z = (mean - exact[[d, 0]]) / error;
            assert!(
                z.abs() < 5.0,
                "document {d}, single {single}: {mean} ± {error}, exactly {}",
                exact[[d, 0]]
            );
        }
    }
}

/// p(v | d) = E[Σ_k θ_dk β_kv], which does not depend on labels, of a corpus whose topics are told apart: by coordinate ascent and
/// by Gibbs sampling the same but for 0.02, what the former's independence may cost, and 5 Monte Carlo errors of batch means
/// over 40 batches: false alarms in one of 32 comparisons with probability below 4·10⁻⁴ over all seeds.
#[test]
fn gibbs_sampling_and_coordinate_ascent_predict_alike() {
    const BATCHES: usize = 40;
    const BATCH: usize = 25;
    for counts in [
        arr2(&[
            [30.0, 25.0, 0.0, 1.0],
            [28.0, 20.0, 1.0, 0.0],
            [0.0, 2.0, 25.0, 30.0],
            [1.0, 0.0, 32.0, 27.0],
        ]),
        arr2(&[
            [9.0, 11.0, 1.0, 0.0],
            [22.0, 30.0, 0.0, 0.0],
            [12.0, 10.0, 9.0, 10.0],
            [0.0, 1.0, 14.0, 20.0],
        ]),
    ] {
        let model =
            LatentDirichletAllocation::new(dense(&counts), 2, crate::corpora::priors(0.8, 0.5)).unwrap();
        let best = (0..5).map(|seed| {
            let mut state = model.init(StreamKey::from_seed(seed), Exec::local()).unwrap();
            ((0..200).map(|_| sweep(&model, &mut state)).last().unwrap(), state)
        });
        let (mut q, mut stats) = best.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap().1;
        let ascent = q.expected_proportions().dot(&q.topics().expected());
        let mut z = ndarray::Array1::zeros(model.reported().dim());
        let mut means = vec![Array2::<f64>::zeros((4, 4)); BATCHES];
        for t in 0..BATCHES * BATCH {
            for (i, block) in model.blocks().iter().enumerate() {
                model.condition(*block, &stats, &mut q, Exec::local()).unwrap();
                let key = StreamKey::from_seed(3).fold_in(t as u64).fold_in(i as u64);
                model.draw(*block, &q, key, &mut stats, Exec::local());
            }
            model.realise(&stats, &mut z);
            let beta = z.slice(ndarray::s![..8]).into_shape_with_order((2, 4)).unwrap();
            let theta = z.slice(ndarray::s![8..]).into_shape_with_order((4, 2)).unwrap();
            means[t / BATCH].scaled_add(1.0 / BATCH as f64, &theta.dot(&beta));
        }
        for (at, expected) in ascent.indexed_iter() {
            let mean = means.iter().map(|m| m[at]).sum::<f64>() / BATCHES as f64;
            let variance = means.iter().map(|m| (m[at] - mean).powi(2)).sum::<f64>() / (BATCHES - 1) as f64;
            let error = (variance / BATCHES as f64).sqrt();
            assert!(
                (mean - expected).abs() < 0.02 + 5.0 * error,
                "{at:?}: {mean} ± {error}, by ascent {expected}"
            );
        }
    }
}
