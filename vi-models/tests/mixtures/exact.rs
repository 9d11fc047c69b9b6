//! What enumeration knows: log p(x, z) of given assignments, and the evidence over all of them.
//!
//! Written out here from the marginal likelihoods of textbooks, apart from the code of the model: normal-Wishart and
//! normal-gamma evidences (Murphy 2007, §8 and §3), Dirichlet and Beta counts.

use ndarray::Array2;
use std::f64::consts::{LN_2, PI};
use vi_core::{ConditionallyConjugate, Exec};
use vi_families::special::{log_beta, log_gamma, multivariate_log_gamma};
use vi_models::gaussian_mixture::{Covariance, GaussianMixture, GaussianMixturePriors, WeightsPrior};

use crate::support::{all_priors, ascend};

const N: usize = 6;

fn data() -> Array2<f64> {
    ndarray::arr2(&[[-1.2, 0.3], [-0.9, -0.4], [-1.6, 0.1], [1.1, 0.8], [0.7, 1.4], [0.2, -0.3]])
}

/// log p(z) with the weights integrated out, for counts (n_0, n_1).
fn log_prior_of_labels(prior: WeightsPrior, alpha: f64, [a, b]: [f64; 2]) -> f64 {
    match prior {
        WeightsPrior::Dirichlet => log_beta(alpha + a, alpha + b) - log_beta(alpha, alpha),
        WeightsPrior::StickBreaking => log_beta(1.0 + a, alpha + b) - log_beta(1.0, alpha),
    }
}

/// ν, B and the factor (β₀/β)^(D/2) of a component after its data; B in two dimensions.
fn after(rows: &[[f64; 2]], p: &GaussianMixturePriors) -> (f64, [[f64; 2]; 2], f64) {
    let (n, m0) = (rows.len() as f64, p.mean.as_ref().unwrap());
    let mut b = [[0.0; 2]; 2];
    if rows.is_empty() {
        return (0.0, b, 0.0);
    }
    let mean: Vec<f64> = (0..2).map(|d| rows.iter().map(|r| r[d]).sum::<f64>() / n).collect();
    let shrink = p.count * n / (p.count + n);
    for i in 0..2 {
        for j in 0..2 {
            b[i][j] = rows.iter().map(|r| (r[i] - mean[i]) * (r[j] - mean[j])).sum::<f64>()
                + shrink * (mean[i] - m0[i]) * (mean[j] - m0[j]);
        }
    }
    (n, b, (p.count / (p.count + n)).ln())
}

fn det(b: [[f64; 2]; 2]) -> f64 {
    b[0][0] * b[1][1] - b[0][1] * b[1][0]
}

/// log of the normaliser Z(ν, B) of a Wishart law in two dimensions.
fn log_wishart(nu: f64, b: [[f64; 2]; 2]) -> f64 {
    nu * LN_2 + multivariate_log_gamma(2, 0.5 * nu) - 0.5 * nu * det(b).ln()
}

/// log of the normaliser of a Gamma law.
fn log_gamma_law(shape: f64, rate: f64) -> f64 {
    log_gamma(shape) - shape * rate.ln()
}

/// log p(x | z), components integrated out.
fn log_evidence_of_labels(p: &GaussianMixturePriors, labels: &[usize]) -> f64 {
    let x = data();
    let of = |k: usize| -> Vec<[f64; 2]> {
        (0..N).filter(|n| labels[*n] == k).map(|n| [x[[n, 0]], x[[n, 1]]]).collect()
    };
    let nu0 = p.dof.unwrap();
    let w = p.scale.as_ref().unwrap();
    let d = w[0][0] * w[1][1] - w[0][1] * w[1][0];
    let b0 = [[w[1][1] / d, -w[0][1] / d], [-w[1][0] / d, w[0][0] / d]];
    let parts = [after(&of(0), p), after(&of(1), p)];
    let add = |b: [[f64; 2]; 2], c: [[f64; 2]; 2]| {
        [[b[0][0] + c[0][0], b[0][1] + c[0][1]], [b[1][0] + c[1][0], b[1][1] + c[1][1]]]
    };
    // (2π)^(−ND/2) Π_k (β₀/β_k)^(D/2), D = 2.
    let common = -(N as f64) * (2.0 * PI).ln() + parts[0].2 + parts[1].2;
    common
        + match p.covariance {
            Covariance::Full => parts
                .iter()
                .map(|(n, b, _)| log_wishart(nu0 + n, add(b0, *b)) - log_wishart(nu0, b0))
                .sum::<f64>(),
            Covariance::Tied => {
                let b = add(add(b0, parts[0].1), parts[1].1);
                log_wishart(nu0 + N as f64, b) - log_wishart(nu0, b0)
            }
            Covariance::Diagonal => {
                let one = |n: f64, b: [[f64; 2]; 2], i: usize| {
                    log_gamma_law(0.5 * (nu0 + n), 0.5 * (b0[i][i] + b[i][i]))
                        - log_gamma_law(0.5 * nu0, 0.5 * b0[i][i])
                };
                parts.iter().map(|(n, b, _)| one(*n, *b, 0) + one(*n, *b, 1)).sum()
            }
            Covariance::Spherical => parts
                .iter()
                .map(|(n, b, _)| {
                    // Shape D ν/2, rate D B/2 with D B₀ + the trace of the scatter.
                    log_gamma_law(nu0 + n, b0[0][0] + 0.5 * (b[0][0] + b[1][1]))
                        - log_gamma_law(nu0, b0[0][0])
                })
                .sum(),
        }
}

/// Given assignments, weights and components are independent and their factors exact: the ELBO *is* log p(x, z). Over
/// all assignments it stays under the evidence.
#[test]
fn bounds_are_exact_given_assignments_and_below_the_evidence() {
    for priors in all_priors() {
        let name = format!("{:?}, {:?}", priors.covariance, priors.weights);
        let model = GaussianMixture::new(data(), 2, priors.clone()).unwrap();
        let (mut terms, mut best) = (Vec::new(), f64::NEG_INFINITY);
        for code in 0..1 << N {
            let labels: Vec<usize> = (0..N).map(|n| code >> n & 1).collect();
            let ones = labels.iter().sum::<usize>() as f64;
            let counts = [N as f64 - ones, ones];
            let exact = log_prior_of_labels(priors.weights, priors.concentration, counts)
                + log_evidence_of_labels(&priors, &labels);
            let mut state = model.start_from_labels(&labels, Exec::local()).unwrap();
            let elbo = model.elbo(&state.0, &state.1);
            assert!((elbo - exact).abs() < 1e-10, "{name}, {labels:?}: {elbo} for log p(x, z) = {exact}");
            terms.push(exact);
            best = best.max(*ascend(&model, &mut state, 30).last().unwrap());
        }
        let evidence = vi_core::numerics::log_sum_exp(&terms);
        assert!(best < evidence, "{name}: ELBO {best} above the evidence {evidence}");
        // Symmetric labels alone cost up to log 2; a bound that were far off would have lost a constant.
        assert!(best > evidence - 2.5, "{name}: ELBO {best}, evidence {evidence}");
    }
}

/// The predictive density under the factors, given assignments: a ratio of evidences, averaged over the new label.
#[test]
fn predictive_densities_are_ratios_of_evidences() {
    for priors in all_priors() {
        let name = format!("{:?}, {:?}", priors.covariance, priors.weights);
        let x = data();
        let (old, new) =
            (x.slice(ndarray::s![..N - 1, ..]).to_owned(), x.slice(ndarray::s![N - 1.., ..]).to_owned());
        let model = GaussianMixture::new(old, 2, priors.clone()).unwrap();
        let (q, _) = model.start_from_labels(&[0, 0, 1, 0, 1], Exec::local()).unwrap();
        let found = model.log_predictive(&q, &new).unwrap()[0];
        let joint = |labels: &[usize]| {
            let ones = labels.iter().sum::<usize>() as f64;
            log_prior_of_labels(priors.weights, priors.concentration, [labels.len() as f64 - ones, ones])
                + log_evidence_of_labels(&priors, labels)
        };
        let with: Vec<f64> = [0, 1].map(|label| joint(&[0, 0, 1, 0, 1, label])).to_vec();
        // The evidence of five data: those of the first five by the ELBO that the other test holds to be exact.
        let (q5, stats) = model.start_from_labels(&[0, 0, 1, 0, 1], Exec::local()).unwrap();
        let exact = vi_core::numerics::log_sum_exp(&with) - model.elbo(&q5, &stats);
        assert!((found - exact).abs() < 1e-10, "{name}: {found} for {exact}");
    }
}
