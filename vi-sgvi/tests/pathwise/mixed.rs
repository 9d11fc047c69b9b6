//! Pathwise gradients for continuous factors, others for discrete ones, against sums over states times closed forms.

use ndarray::{Array1, ArrayRef1, array};
use vi_core::{Exec, GradLogJoint, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::special::digamma;
use vi_families::{ProductFamily, VariationalDistribution, VariationalFamily};
use vi_sgvi::testing::check_estimator;
use vi_sgvi::{
    DisArm, Elbo, Enumeration, GradientEstimator, Memory, PartialEstimator, Pathwise, PerFactor,
    ScoreFunction,
};

use crate::gradient_of;

/// A switch s, a location x that follows it, and its precision τ.
///
/// ```text
/// log p = log N(x | 2s − 1, 1/τ) + log Gamma(τ | 3, 2) + 0.4 s + sin x
/// ```
struct Switch {
    parameters: ParameterSpace,
}

impl Switch {
    fn new() -> Self {
        let parameters = ParameterSpace::new([
            Parameter::scalar("x", Support::Real),
            Parameter::scalar("s", Support::Binary),
            Parameter::scalar("tau", Support::Positive),
        ]);
        Self { parameters: parameters.unwrap() }
    }

    /// The sum over s of moments of a Gaussian and a Gamma; λ = (m, log sd, logit, log shape, log rate).
    fn elbo(&self, params: &Array1<f64>) -> f64 {
        let (m, variance) = (params[0], (2.0 * params[1]).exp());
        let on = 1.0 / (1.0 + (-params[2]).exp());
        let (a, b) = (params[3].exp(), params[4].exp());
        let (tau, log_tau) = (a / b, digamma(a) - b.ln());
        let given = |s: f64| {
            let squares = (m - (2.0 * s - 1.0)).powi(2) + variance;
            0.5 * (log_tau - (2.0 * std::f64::consts::PI).ln() - tau * squares) + 0.4 * s
        };
        // Γ(3) = 2.
        let gamma = 3.0 * 2f64.ln() - 2f64.ln() + 2.0 * log_tau - 2.0 * tau;
        let sine = m.sin() * (-0.5 * variance).exp();
        let family = ProductFamily::for_space(&self.parameters).unwrap();
        let entropy = family.bind(params).unwrap().entropy().unwrap();
        on * given(1.0) + (1.0 - on) * given(0.0) + gamma + sine + entropy
    }
}

impl LogJoint for Switch {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.log_joint_and_grad(z, &mut Array1::zeros(3))
    }
}

impl GradLogJoint for Switch {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let (x, s, tau) = (z[0], z[1], z[2]);
        let off = x - (2.0 * s - 1.0);
        grad[0] = -tau * off + x.cos();
        // What stands here for a discrete coordinate must not matter.
        grad[1] = 1e9;
        grad[2] = 0.5 / tau - 0.5 * off * off + 2.0 / tau - 2.0;
        let normal = 0.5 * (tau.ln() - (2.0 * std::f64::consts::PI).ln() - tau * off * off);
        normal + 2f64.ln() * 2.0 + 2.0 * tau.ln() - 2.0 * tau + 0.4 * s + x.sin()
    }
}

fn params() -> Array1<f64> {
    array![0.4, -0.3, 0.5, 1.4, 0.6]
}

/// Unbiased, with `rest` for the switch.
fn check<B>(rest: B, seed: u64)
where
    B: PartialEstimator<Switch, ProductFamily> + Clone,
{
    let (model, params) = (Switch::new(), params());
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let exact = gradient_of(|params| model.elbo(params), &params);
    assert!(exact.iter().all(|g| g.abs() > 1e-2), "a vanishing gradient tests nothing: {exact}");
    let key = StreamKey::from_seed(seed);
    let space = model.parameters();
    let closed = PerFactor::new(space, &["x", "tau"], Pathwise::new(8), rest.clone()).unwrap();
    check_estimator(&closed, &model, &family, &params, &exact, 600, key.fold_in(0));
    let sticking = Pathwise::sticking_the_landing(8);
    let sticking = PerFactor::new(space, &["x", "tau"], sticking, rest.clone()).unwrap();
    check_estimator(&sticking, &model, &family, &params, &exact, 600, key.fold_in(1));
    // Three estimators, one for every variable.
    let full = Pathwise::monte_carlo_entropy(8);
    let inner = PerFactor::new(space, &["tau"], full, rest).unwrap();
    let split = PerFactor::new(space, &["x"], Pathwise::new(8), inner).unwrap();
    check_estimator(&split, &model, &family, &params, &exact, 600, key.fold_in(2));
}

#[test]
fn the_score_function_for_the_switch() {
    check(ScoreFunction::leave_one_out(8), 11);
}

#[test]
fn disarm_for_the_switch() {
    check(DisArm::new(8), 12);
}

#[test]
fn sums_for_the_switch() {
    check(Enumeration::default(), 13);
}

#[test]
fn the_discrete_part_stays_zero() {
    let model = Switch::new();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let rest = ScoreFunction::leave_one_out(8);
    let mixed = PerFactor::new(model.parameters(), &["x", "tau"], Pathwise::new(8), rest).unwrap();
    let swapped = PerFactor::new(model.parameters(), &["s"], Pathwise::new(8), rest).unwrap();
    let (params, mut grad) = (params(), Array1::zeros(5));
    let (elbo, key) = (Elbo::new(&model, &family).unwrap(), StreamKey::from_seed(1));
    let memory = &mut Memory::default();
    mixed.estimate(elbo, &params, key, Exec::local(), memory, &mut grad).unwrap();
    assert!(grad.iter().all(|g| g.abs() < 1e3), "the model's gradient for the switch was used: {grad}");
    let memory = &mut Memory::default();
    let error = swapped.estimate(elbo, &params, key, Exec::local(), memory, &mut grad).unwrap_err();
    assert_eq!(error.to_string(), "the factor of s is discrete: its draws cannot be differentiated");
}
