//! The hierarchical normal model: contracts, exact evidence and moments.

use ndarray::{Array1, Array2, ArrayRef1, array};
use vi_core::linalg::Cholesky;
use vi_core::testing::{check_conditional, check_conditional_against, check_gradient, check_predictive};
use vi_core::{ConditionallyConjugate, Exec, StreamKey};
use vi_models::ModelError;
use vi_models::hierarchical_normal::{
    GroupedData, HierarchicalNormal, HierarchicalNormalBlock, HierarchicalNormalPriors,
};

use crate::quadrature::{Grid, assert_agrees, assert_nuts_agrees, gibbs_means};
use crate::sweep;

const PRIORS: HierarchicalNormalPriors =
    HierarchicalNormalPriors { mu_mean: 0.5, mu_sd: 3.0, between_scale: 2.0, within_scale: 1.5 };

/// Four groups, the last of which has one datum.
fn data() -> GroupedData {
    GroupedData {
        value: array![1.2, 0.7, 1.9, 3.1, 2.9, -0.4, 0.1, -1.1, 0.6, 2.2],
        group: vec![0, 0, 0, 1, 1, 2, 2, 2, 2, 3],
    }
}

fn model() -> HierarchicalNormal {
    HierarchicalNormal::new(data(), PRIORS).unwrap()
}

#[test]
fn contracts() {
    use HierarchicalNormalBlock::{BetweenAuxiliary, WithinAuxiliary};
    let (model, key) = (model(), StreamKey::from_seed(4));
    check_conditional(&model, key);
    check_conditional_against(&model, &[BetweenAuxiliary, WithinAuxiliary], 3, key);
    check_gradient(&model, 3, key);
    check_predictive(&model, key);
}

/// The covariance of all data given τ and σ, μ integrated out, and log p(y | τ, σ) with E[μ | y, τ, σ].
fn given(tau: f64, sigma: f64) -> (f64, f64) {
    let data = data();
    let n = data.group.len();
    let covariance = Array2::from_shape_fn((n, n), |(i, j)| {
        let same = if data.group[i] == data.group[j] { tau * tau } else { 0.0 };
        PRIORS.mu_sd.powi(2) + same + if i == j { sigma * sigma } else { 0.0 }
    });
    let residual = data.value.mapv(|y| y - PRIORS.mu_mean);
    let cholesky = Cholesky::factor(&covariance).unwrap();
    let solved: Array1<f64> = cholesky.solve(&residual);
    let log_2_pi = (2.0 * std::f64::consts::PI).ln();
    let log = -0.5 * (n as f64 * log_2_pi + cholesky.log_det() + residual.dot(&solved));
    (log, PRIORS.mu_mean + PRIORS.mu_sd.powi(2) * solved.sum())
}

/// The posterior of (log τ, log σ).
fn exact(n: usize) -> Grid {
    let half_cauchy = |s: f64, a: f64| (2.0 / (std::f64::consts::PI * a * (1.0 + (s / a).powi(2)))).ln();
    Grid::new((-24.0, 14.0), (-3.0, 4.0), n, |u, v| {
        let (tau, sigma) = (u.exp(), v.exp());
        given(tau, sigma).0 + half_cauchy(tau, 2.0) + half_cauchy(sigma, 1.5) + u + v
    })
}

#[test]
fn the_bound_is_below_the_evidence() {
    let (evidence, finer) = (exact(150).log_integral(), exact(200).log_integral());
    assert!((evidence - finer).abs() < 1e-7, "{evidence} or {finer}");
    let model = model();
    let (mut q, mut stats) = model.init(StreamKey::from_seed(1), Exec::local()).unwrap();
    let bound = (0..500).map(|_| sweep(&model, &mut q, &mut stats)).last().unwrap();
    assert!(bound < evidence && bound > evidence - 2.5, "bound {bound}, evidence {evidence}");
}

#[test]
fn samplers_have_the_exact_means() {
    let grid = exact(150);
    // log scales: the mean of τ itself has a heavy-tailed estimate.
    let expected =
        [grid.mean(|u, v| given(u.exp(), v.exp()).1), grid.mean(|u, _| u.exp().ln_1p()), grid.mean(|_, v| v)];
    let moments = |z: &ArrayRef1<f64>| vec![z[4], z[5].ln_1p(), z[6].ln()];
    let chain = gibbs_means(&model(), 200, StreamKey::from_seed(5), moments);
    for ((mean, exact), name) in chain.iter().zip(expected).zip(["μ", "log (1 + τ)", "log σ"]) {
        assert_agrees(name, mean, exact);
    }
    assert_nuts_agrees(&model(), 1000, &expected, moments);
}

#[test]
fn bad_input_is_named() {
    let new = |value, group, priors| HierarchicalNormal::new(GroupedData { value, group }, priors);
    assert!(matches!(new(array![], vec![], PRIORS), Err(ModelError::Empty { .. })));
    let nan = new(array![0.0, f64::NAN], vec![0, 1], PRIORS);
    assert!(matches!(nan, Err(ModelError::Datum { row: 1, .. })));
    let short = new(array![0.0, 1.0], vec![0], PRIORS);
    assert!(matches!(short, Err(ModelError::Length { expected: 2, actual: 1, .. })));
    let scale = new(array![0.0], vec![0], HierarchicalNormalPriors { within_scale: 0.0, ..PRIORS });
    assert!(matches!(scale, Err(ModelError::Prior { parameter, .. }) if parameter == "within_scale"));
}
