//! VIMCO against sums over all combinations of K samples of a few bits.

use ndarray::{Array1, ArrayRef1, array};
use vi_core::{Exec, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::{ProductFamily, VariationalDistribution, VariationalFamily};
use vi_sgvi::testing::check_estimator;
use vi_sgvi::{Elbo, GradientEstimator, ImportanceBound, LeaveOneOutMean, Memory, Vimco, evaluate_bound};

use crate::{gradient_of, sample_bound};

/// Two bits that prefer to differ.
struct Bits {
    parameters: ParameterSpace,
}

const STATES: [[f64; 2]; 4] = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];

impl LogJoint for Bits {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        0.7 * z[0] - 1.1 * z[1] - 2.3 * z[0] * z[1] - 0.4
    }
}

fn model() -> Bits {
    Bits { parameters: ParameterSpace::new([Parameter::vector("on", 2, Support::Binary)]).unwrap() }
}

/// E[L̂] at λ: the sum over all 4ᴷ combinations.
fn exact(model: &Bits, family: &ProductFamily, alpha: f64, k: usize, params: &Array1<f64>) -> f64 {
    let q = family.bind(params).unwrap();
    let states = STATES.map(|z| {
        let z = Array1::from(z.to_vec());
        (model.log_joint(&z), q.log_prob(&z))
    });
    let combination = |c: usize| {
        let chosen = (0..k).map(|j| states[(c >> (2 * j)) & 3]);
        let probability: f64 = chosen.clone().map(|(_, log_q)| log_q).sum::<f64>().exp();
        let log_weights: Vec<f64> = chosen.map(|(log_p, log_q)| log_p - log_q).collect();
        probability * sample_bound(alpha, &log_weights)
    };
    (0..4usize.pow(k as u32)).map(combination).sum()
}

#[test]
fn vimco_is_unbiased() {
    let model = model();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let params = array![0.4, -0.9];
    for (i, (alpha, k)) in
        [(0.0, 2), (0.0, 3), (0.0, 5), (0.5, 3), (1.0, 3), (2.5, 3)].into_iter().enumerate()
    {
        let bound = ImportanceBound::renyi(alpha, k).unwrap();
        let gradient = gradient_of(|params| exact(&model, &family, alpha, k, params), &params);
        assert!(gradient.iter().all(|g| g.abs() > 1e-3), "a vanishing gradient tests nothing: {gradient}");
        let key = StreamKey::from_seed(1602).fold_in(i as u64);
        for mean in [LeaveOneOutMean::Geometric, LeaveOneOutMean::Arithmetic] {
            for (m, replicates) in [(1, 6000), (40, 300)] {
                let vimco = Vimco::new(bound, m).with_mean(mean);
                let key = key.fold_in(m as u64 + 1000 * u64::from(mean == LeaveOneOutMean::Geometric));
                check_estimator(&vimco, &model, &family, &params, &gradient, replicates, key);
            }
        }
    }
}

#[test]
fn reported_and_evaluated_bounds_are_those_of_the_sum() {
    let model = model();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let (params, mut grad) = (array![0.4, -0.9], Array1::zeros(2));
    let elbo = Elbo::new(&model, &family).unwrap();
    for (alpha, k) in [(0.0, 1), (0.0, 4), (0.3, 4), (1.0, 4), (3.0, 4)] {
        let bound = ImportanceBound::renyi(alpha, k).unwrap();
        let exact = exact(&model, &family, alpha, k, &params);
        let key = StreamKey::from_seed(71);
        let evaluated = evaluate_bound(elbo, &params, bound, 20_000, key, Exec::local()).unwrap();
        let mut values = vec![evaluated];
        if k > 1 {
            let vimco = Vimco::new(bound, 20_000);
            let memory = &mut Memory::default();
            values.push(vimco.estimate(elbo, &params, key, Exec::local(), memory, &mut grad).unwrap());
            assert_eq!(values[0], values[1], "the same samples give the same bound");
        }
        for value in values {
            let off = (value.value - exact) / value.mcse;
            assert!(off.abs() < 5.0, "α = {alpha}, K = {k}: {value:?} is {off} errors from {exact}");
        }
    }
}

/// The variance of the estimate without baseline, (L̂ − w̃) times the score, is what VIMCO is for.
#[test]
fn the_baselines_reduce_the_variance() {
    use vi_sgvi::testing::compare_gradient;
    let model = model();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let params = array![0.4, -0.9];
    let elbo = Elbo::new(&model, &family).unwrap();
    let bound = ImportanceBound::importance_weighted(10).unwrap();
    let key = StreamKey::from_seed(9);
    let variance = |mean| {
        let vimco = Vimco::new(bound, 1).with_mean(mean);
        let exact = Array1::zeros(2);
        compare_gradient(&vimco, elbo, &params, &exact, 2000, key).unwrap().variance.sum()
    };
    let [geometric, arithmetic] = [LeaveOneOutMean::Geometric, LeaveOneOutMean::Arithmetic].map(variance);
    // The score has variance p(1 − p) per bit and L̂ is about log Σ exp(…) = 0.6 here: Var ≥ K L̂² p(1 − p).
    let scores: f64 = params.iter().map(|l: &f64| 1.0 / (2.0 + l.exp() + (-l).exp())).sum();
    let value = evaluate_bound(elbo, &params, bound, 2000, key, Exec::local()).unwrap().value;
    let naive = 10.0 * value * value * scores;
    assert!(geometric < 0.5 * naive && arithmetic < 0.5 * naive, "{geometric}, {arithmetic}, naive {naive}");
}
