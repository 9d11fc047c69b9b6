//! Models given by their natural parameters alone meet the contract of conditionally conjugate models.

use ndarray::{Array1, Array2, array};
use vi_core::testing::{check_conditional, check_conditional_against, check_natural};
use vi_core::{ConditionallyConjugate, Exec, LogJoint, Parameter, ParameterSpace, Role, StreamKey, Support};
use vi_families::special::{log_beta, log_gamma};
use vi_families::{Conjugate, NaturalConditionals};

const LOG_TWO_PI: f64 = 1.8378770664093453;

/// x_n ~ N(μ, 1/τ), μ ~ N(0, 1/λ₀), τ ~ Gamma(a, b).
struct Normal {
    parameters: ParameterSpace,
    x: Array1<f64>,
    wrong: f64,
}

impl Normal {
    const LAMBDA: f64 = 0.01;
    const A: f64 = 2.0;
    const B: f64 = 3.0;

    fn new(wrong: f64) -> Self {
        let parameters = ParameterSpace::new([
            Parameter::scalar("mu", Support::Real),
            Parameter::scalar("tau", Support::Positive),
        ]);
        Self { parameters: parameters.unwrap(), x: array![1.0, 2.5, 0.5, 3.0], wrong }
    }

    /// E Σ (x_n − μ)².
    fn squares(&self, mu: &Array2<f64>) -> f64 {
        self.x.iter().map(|x| x * x - 2.0 * x * mu[[0, 0]] + mu[[0, 1]]).sum()
    }
}

impl NaturalConditionals for Normal {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }
    fn natural(&self, b: usize, stats: &[Array2<f64>]) -> Array2<f64> {
        let n = self.x.len() as f64;
        match b {
            0 => {
                let tau = stats[1][[0, 1]];
                array![[tau * self.x.sum(), -0.5 * (Self::LAMBDA + n * tau)]]
            }
            _ => array![[Self::A - 1.0 + 0.5 * n + self.wrong, -Self::B - 0.5 * self.squares(&stats[0])]],
        }
    }
    fn expected_log_joint(&self, stats: &[Array2<f64>]) -> f64 {
        let n = self.x.len() as f64;
        let (mu2, log_tau, tau) = (stats[0][[0, 1]], stats[1][[0, 0]], stats[1][[0, 1]]);
        let prior_mu = 0.5 * (Self::LAMBDA.ln() - LOG_TWO_PI - Self::LAMBDA * mu2);
        let prior_tau =
            Self::A * Self::B.ln() - log_gamma(Self::A) + (Self::A - 1.0) * log_tau - Self::B * tau;
        prior_mu + prior_tau + 0.5 * (n * (log_tau - LOG_TWO_PI) - tau * self.squares(&stats[0]))
    }
}

/// s_j ~ Bernoulli(p) for three hidden bits whose sum is seen through noise, p ~ Beta(2, 5).
struct Bits {
    parameters: ParameterSpace,
}

impl Bits {
    const FIELD: [f64; 3] = [0.5, -1.0, 2.0];

    fn new() -> Self {
        let unit = Support::Interval { lower: 0.0, upper: 1.0 };
        let parameters =
            ParameterSpace::new([Parameter::scalar("p", unit), Parameter::vector("s", 3, Support::Binary)]);
        Self { parameters: parameters.unwrap() }
    }
}

impl NaturalConditionals for Bits {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }
    fn natural(&self, b: usize, stats: &[Array2<f64>]) -> Array2<f64> {
        if b == 0 {
            let heads = stats[1].sum();
            return array![[1.0 + heads, 4.0 + 3.0 - heads]];
        }
        let logit = stats[0][[0, 0]] - stats[0][[0, 1]];
        Array2::from_shape_fn((3, 1), |(j, _)| logit + Self::FIELD[j])
    }
    fn expected_log_joint(&self, stats: &[Array2<f64>]) -> f64 {
        let (log_p, log_q) = (stats[0][[0, 0]], stats[0][[0, 1]]);
        let prior = log_p + 4.0 * log_q - log_beta(2.0, 5.0);
        let bits = stats[1].iter().zip(Self::FIELD);
        prior + bits.map(|(s, field)| s * (log_p + field) + (1.0 - s) * log_q).sum::<f64>()
    }
}

#[test]
fn normal_meets_the_contract() {
    let model = Conjugate::new(Normal::new(0.0)).unwrap();
    check_conditional(&model, StreamKey::from_seed(1));
    check_conditional_against(&model, &[], 20, StreamKey::from_seed(2));
    check_natural(&model, StreamKey::from_seed(4));
}

#[test]
fn bits_meet_the_contract() {
    check_conditional(&Conjugate::new(Bits::new()).unwrap(), StreamKey::from_seed(3));
}

#[test]
#[should_panic(expected = "its factor is not the complete conditional")]
fn a_wrong_conditional_is_caught() {
    check_conditional(&Conjugate::new(Normal::new(0.5)).unwrap(), StreamKey::from_seed(1));
}

#[test]
fn log_joint_is_the_density_of_data_and_variables() {
    let model = Conjugate::new(Normal::new(0.0)).unwrap();
    let (mu, tau) = (1.2, 0.7_f64);
    let normal =
        |x: f64, m: f64, precision: f64| 0.5 * (precision.ln() - LOG_TWO_PI - precision * (x - m) * (x - m));
    let gamma = 2.0 * 3f64.ln() + tau.ln() - 3.0 * tau;
    let direct = normal(mu, 0.0, Normal::LAMBDA)
        + gamma
        + model.inner().x.iter().map(|x| normal(*x, mu, tau)).sum::<f64>();
    assert!((model.log_joint(&array![mu, tau]) - direct).abs() < 1e-12);
}

#[test]
fn coordinate_ascent_raises_the_bound_to_a_fixed_point() {
    let model = Conjugate::new(Normal::new(0.0)).unwrap();
    let exec = Exec::local();
    let (mut q, mut stats) = model.init(StreamKey::from_seed(1).role(Role::Init), exec).unwrap();
    let mut last = f64::NEG_INFINITY;
    for _ in 0..100 {
        for &b in model.blocks() {
            model.condition(b, &stats, &mut q, exec).unwrap();
            model.expect(b, &q, &mut stats, exec);
            let elbo = model.elbo(&q, &stats);
            assert!(elbo >= last - 1e-12, "{elbo} < {last}");
            last = elbo;
        }
    }
    let before = q.clone();
    model.condition(0, &stats, &mut q, exec).unwrap();
    assert!((q[0][0].mean_params()[0] - before[0][0].mean_params()[0]).abs() < 1e-12);
}

#[test]
fn a_conditional_outside_its_domain_is_named() {
    let model = Conjugate::new(Normal::new(-20.0)).unwrap();
    let exec = Exec::local();
    let (mut q, stats) = model.init(StreamKey::from_seed(1), exec).unwrap();
    let message = model.condition(1, &stats, &mut q, exec).unwrap_err().to_string();
    assert!(message.contains("tau") && message.contains("shape = -16"), "{message}");
}
