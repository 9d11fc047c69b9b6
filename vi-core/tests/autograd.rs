//! Automatic gradients against hand gradients and differences.

use ndarray::{Array1, ArrayRef1, array};
use vi_core::testing::{check_batch, check_gradient, check_gradient_against, check_gradient_batch};
use vi_core::{
    AutoGrad, GradLogJoint, LogJoint, Parameter, ParameterSpace, Scalar, ScalarLogJoint, StreamKey, Support,
    log_sum_exp,
};

fn key(seed: u64) -> StreamKey {
    StreamKey::from_seed(seed)
}

/// Logistic regression with a prior scale, and a mixture term: every kind of operation a model needs.
#[derive(Debug)]
struct Logistic {
    space: ParameterSpace,
    x: Vec<[f64; 2]>,
    y: Vec<f64>,
}

impl Logistic {
    fn new() -> Self {
        let space = ParameterSpace::new([
            Parameter::vector("beta", 2, Support::Real),
            Parameter::scalar("tau", Support::Positive),
            Parameter::vector("w", 2, Support::Simplex),
        ]);
        let x = (0..20).map(|i| [1.0, (i as f64 * 0.9).sin() * 2.0]).collect();
        Self { space: space.unwrap(), x, y: (0..20).map(|i| f64::from(i % 3 == 0)).collect() }
    }
}

impl ScalarLogJoint for Logistic {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }
    fn log_joint<T: Scalar>(&self, z: &[T]) -> T {
        let (beta, tau, w) = (&z[..2], z[2], &z[3..]);
        let mut total = -tau + (beta[0].powi(2) + beta[1].powi(2)) * tau * -0.5 + tau.ln();
        for (x, &y) in self.x.iter().zip(&self.y) {
            let eta = beta[0] * x[0] + beta[1] * x[1];
            total = total + eta * y - eta.softplus();
        }
        total + log_sum_exp(&[w[0].ln() - beta[0], w[1].ln() + beta[1].sqrt_of_square()])
    }
}

/// |x| by a smooth detour, to have a division and a square root in the test.
trait SqrtOfSquare: Scalar {
    fn sqrt_of_square(self) -> Self {
        (self * self + 1.0).sqrt() / 2.0
    }
}
impl<T: Scalar> SqrtOfSquare for T {}

/// The same with its gradient by hand.
#[derive(Debug)]
struct ByHand(Logistic);

impl LogJoint for ByHand {
    fn parameters(&self) -> &ParameterSpace {
        &self.0.space
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.0.log_joint::<f64>(&z.to_vec())
    }
}

impl GradLogJoint for ByHand {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let tau = z[2];
        grad[0] = -z[0] * tau;
        grad[1] = -z[1] * tau;
        grad[2] = -1.0 - 0.5 * (z[0] * z[0] + z[1] * z[1]) + 1.0 / tau;
        for (x, y) in self.0.x.iter().zip(&self.0.y) {
            let eta = z[0] * x[0] + z[1] * x[1];
            let residual = y - 1.0 / (1.0 + (-eta).exp());
            grad[0] += residual * x[0];
            grad[1] += residual * x[1];
        }
        let root = (z[1] * z[1] + 1.0).sqrt();
        let (a, b) = (z[3].ln() - z[0], z[4].ln() + root / 2.0);
        let first = 1.0 / (1.0 + (b - a).exp());
        grad[0] -= first;
        grad[1] += (1.0 - first) * z[1] / (2.0 * root);
        grad[3] = first / z[3];
        grad[4] = (1.0 - first) / z[4];
        self.log_joint(z)
    }
}

#[test]
fn automatic_and_hand_gradients_agree() {
    check_gradient(&AutoGrad(Logistic::new()), 10, key(1));
    check_gradient(&ByHand(Logistic::new()), 10, key(2));
    check_gradient_against(&ByHand(Logistic::new()), &AutoGrad(Logistic::new()), 10, key(3));
    check_batch(&AutoGrad(Logistic::new()), key(4));
    check_gradient_batch(&AutoGrad(Logistic::new()), key(5));
}

/// A density that does not depend on z at all has gradient 0, not a stale one.
#[test]
fn a_constant_has_gradient_zero() {
    #[derive(Debug)]
    struct Flat(ParameterSpace);
    impl ScalarLogJoint for Flat {
        fn parameters(&self) -> &ParameterSpace {
            &self.0
        }
        fn log_joint<T: Scalar>(&self, _z: &[T]) -> T {
            T::constant(-3.0)
        }
    }
    let space = ParameterSpace::new([Parameter::vector("x", 2, Support::Real)]).unwrap();
    let mut grad = array![f64::NAN, 7.0];
    assert_eq!(AutoGrad(Flat(space)).log_joint_and_grad(&array![1.0, 2.0], &mut grad), -3.0);
    assert_eq!(grad, array![0.0, 0.0]);
}

#[test]
fn softplus_and_log_sum_exp_hold_in_the_tails() {
    for x in [-800.0, -1.0, 0.0, 1.0, 800.0] {
        let (value, slope) = echidna::vjp(|z: &[echidna::Reverse<f64>]| vec![z[0].softplus()], &[x], &[1.0]);
        assert!((value[0] - vi_core::numerics::softplus_scalar(x)).abs() < 1e-14 * (1.0 + x.abs()));
        assert!(
            (slope[0] - vi_core::numerics::sigmoid_scalar(x)).abs() < 1e-14,
            "slope at {x}: {}",
            slope[0]
        );
    }
    assert_eq!(log_sum_exp::<f64>(&[]), f64::NEG_INFINITY);
    assert_eq!(log_sum_exp(&[f64::NEG_INFINITY, f64::NEG_INFINITY]), f64::NEG_INFINITY);
    assert_eq!(log_sum_exp(&[-1000.0, f64::NEG_INFINITY]), -1000.0);
    assert_eq!(log_sum_exp(&[f64::INFINITY, 0.0]), f64::INFINITY);
    assert!(log_sum_exp(&[f64::NAN, 0.0]).is_nan());
}

/// Threads differentiate side by side: tapes are per thread.
#[test]
fn gradients_in_parallel_are_those_in_sequence() {
    let model = AutoGrad(Logistic::new());
    let points = vi_core::testing::random_points(LogJoint::parameters(&model), 64, key(6));
    let gradient = |z: &ArrayRef1<f64>| {
        let mut grad = Array1::zeros(z.len());
        model.log_joint_and_grad(z, &mut grad);
        grad
    };
    let serial: Vec<_> = points.rows().into_iter().map(|z| gradient(&z)).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                assert!(
                    points.rows().into_iter().zip(&serial).all(|(z, expected)| gradient(&z) == *expected)
                );
            });
        }
    });
}
