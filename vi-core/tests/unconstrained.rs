//! A constrained model seen from ℝᴰ′ keeps every capability.

#[path = "support/toys.rs"]
mod toys;

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, array, s};
use toys::{Waves, continuous_parameters};
use vi_core::testing::{
    check_batch, check_gradient, check_gradient_batch, check_local, check_reported, check_subsample,
};
use vi_core::{
    Counted, Draws, GradLogJoint, LocalLogJoint, LogJoint, Parameter, ParameterSpace, Posterior,
    ReportedPosterior, StreamKey, Subsample, Support, Unconstrained,
};

fn key(seed: u64) -> StreamKey {
    StreamKey::from_seed(seed)
}

#[test]
fn value_is_the_model_plus_the_log_determinant() {
    let model = Unconstrained::new(Waves::new(continuous_parameters())).unwrap();
    let u = Array1::linspace(-1.0, 1.0, model.dim());
    let mut z = Array1::zeros(model.inner().dim());
    let log_det = model.bijection().constrain(&u, &mut z);
    assert_eq!(model.log_joint(&u), model.inner().log_joint(&z) + log_det);
}

#[test]
fn batches_and_gradients() {
    let model = Unconstrained::new(Waves::new(continuous_parameters())).unwrap();
    check_batch(&model, key(1));
    check_gradient_batch(&model, key(2));
    check_gradient(&model, 3, key(3));
    check_reported(&model, 5, key(4));
}

#[test]
fn a_real_model_is_passed_through() {
    let model = Unconstrained::new(Waves::new([Parameter::vector("x", 3, Support::Real)])).unwrap();
    assert!(model.bijection().is_identity());
    check_batch(&model, key(5));
    check_gradient_batch(&model, key(6));
}

#[test]
fn wrapping_twice_and_borrowing_change_nothing() {
    let model = Waves::new(continuous_parameters());
    let once = Unconstrained::new(&model).unwrap();
    let twice = Unconstrained::new(&once).unwrap();
    let u = Array1::linspace(-1.0, 1.0, once.dim());
    let (mut grad_once, mut grad_twice) = (Array1::zeros(u.len()), Array1::zeros(u.len()));
    assert_eq!(once.log_joint_and_grad(&u, &mut grad_once), twice.log_joint_and_grad(&u, &mut grad_twice));
    assert_eq!(grad_once, grad_twice);
}

/// A model that evaluates another wrapped model while it is evaluated: scratch must not be shared.
#[derive(Debug)]
struct Nested {
    own: ParameterSpace,
    inner: Unconstrained<Waves>,
}

impl LogJoint for Nested {
    fn parameters(&self) -> &ParameterSpace {
        &self.own
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let before = z.sum();
        let value = self.inner.log_joint(&Array1::ones(self.inner.dim()));
        assert_eq!(before, z.sum(), "z changed under the model's hands");
        value + before
    }
}

#[test]
fn scratch_is_not_shared_between_nested_evaluations() {
    let inner = Unconstrained::new(Waves::new(continuous_parameters())).unwrap();
    let own = ParameterSpace::new([Parameter::vector("w", 5, Support::Simplex)]).unwrap();
    let model = Unconstrained::new(Nested { own, inner }).unwrap();
    assert!(model.log_joint(&Array1::zeros(4)).is_finite());
}

/// The batch of the wrapped model is one batch of the model, not a loop.
#[test]
fn batches_stay_batches() {
    #[derive(Debug)]
    struct OnlyBatches(ParameterSpace);
    impl LogJoint for OnlyBatches {
        fn parameters(&self) -> &ParameterSpace {
            &self.0
        }
        fn log_joint(&self, _z: &ArrayRef1<f64>) -> f64 {
            panic!("one row at a time")
        }
        fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
            out.assign(&z.column(0));
        }
    }
    let space = ParameterSpace::new([Parameter::scalar("tau", Support::Positive)]).unwrap();
    let model = Counted::new(Unconstrained::new(OnlyBatches(space)).unwrap());
    let mut out = Array1::zeros(3);
    model.log_joint_batch(&array![[0.0], [1.0], [2.0]], &mut out);
    assert_eq!(out, array![1.0, 1f64.exp() + 1.0, 2f64.exp() + 2.0]);
    assert_eq!((model.n_log_joint(), model.n_gradient()), (3, 0));
}

/// log p = Σ over data of −τ_n (y_n − x)² + log τ_n …: a global x, a local w_n on the simplex.
#[derive(Debug)]
struct Local {
    space: ParameterSpace,
    blocks: Vec<Range<usize>>,
    y: Vec<f64>,
}

impl Local {
    fn new(blocks: Vec<Range<usize>>) -> Self {
        let space = ParameterSpace::new([
            Parameter::scalar("x", Support::Positive),
            Parameter::new("w", &[2, 3], Support::Simplex),
        ]);
        Self { space: space.unwrap(), blocks, y: vec![0.3, -1.0] }
    }

    fn datum(&self, n: usize, z: &ArrayRef1<f64>) -> f64 {
        let w = z.slice(s![1 + 3 * n..4 + 3 * n]);
        -(self.y[n] - z[0] * w[0]).powi(2) + w[1].ln()
    }

    fn prior(&self, z: &ArrayRef1<f64>) -> f64 {
        -z[0]
    }
}

impl LogJoint for Local {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.prior(z) + self.datum(0, z) + self.datum(1, z)
    }
}

impl LocalLogJoint for Local {
    fn n_blocks(&self) -> usize {
        self.blocks.len()
    }
    fn block(&self, b: usize) -> Range<usize> {
        self.blocks[b].clone()
    }
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        if b == 0 { self.log_joint(z) } else { self.datum(b - 1, z) }
    }
}

#[derive(Debug)]
struct Part<'a>(&'a Local, &'a [usize]);

impl LogJoint for Part<'_> {
    fn parameters(&self) -> &ParameterSpace {
        &self.0.space
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let data: f64 = self.1.iter().map(|&n| self.0.datum(n, z)).sum();
        self.0.prior(z) + 2.0 / self.1.len() as f64 * data
    }
}

impl Subsample for Local {
    type Minibatch<'a> = Part<'a>;
    fn n_data(&self) -> usize {
        2
    }
    fn minibatch<'a>(&'a self, indices: &'a [usize]) -> Part<'a> {
        Part(self, indices)
    }
}

#[test]
fn blocks_and_minibatches_carry_over() {
    let model = Local::new(vec![0..1, 1..4, 4..7]);
    check_local(&model, 5, key(7));
    check_subsample(&model, 5, key(8));
    let model = Unconstrained::new(model).unwrap();
    assert_eq!((model.block(0), model.block(1), model.block(2)), (0..1, 1..3, 3..5));
    check_local(&model, 5, key(9));
    check_subsample(&model, 5, key(10));
}

#[test]
#[should_panic(expected = "block 1 of the model (1..3) cuts an element of a support in two")]
fn a_block_that_cuts_a_simplex_is_refused() {
    let model = Local::new(vec![0..1, 1..3, 3..7]);
    Unconstrained::new(model).unwrap().block(1);
}

/// N(0, I) over u.
#[derive(Debug)]
struct StandardNormal(ParameterSpace);

impl Posterior for StandardNormal {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn draws(&self, n: usize, key: StreamKey) -> Draws {
        let u = vi_core::testing::random_points(&self.0, n, key);
        Draws::new(self.0.clone(), u.insert_axis(ndarray::Axis(0)))
    }
    fn log_prob(&self, u: &ArrayRef1<f64>) -> Option<f64> {
        Some(u.iter().map(|u| -0.5 * u * u - 0.5 * std::f64::consts::TAU.ln()).sum())
    }
}

#[test]
fn a_posterior_over_u_is_reported_on_the_natural_support() {
    let space = ParameterSpace::new([Parameter::scalar("tau", Support::Positive)]).unwrap();
    let model = Unconstrained::new(Waves::new(space.parameters().to_vec())).unwrap();
    let posterior = ReportedPosterior::new(StandardNormal(model.parameters().clone()), &model);
    let draws = posterior.draws(2000, key(11));
    assert_eq!(draws.parameters(), &space);
    let inner = posterior.inner().draws(2000, key(11));
    assert!(draws.values().iter().zip(inner.values()).all(|(z, u)| *z == u.exp()));
    // The median of a log-normal is 1 with standard error √(π/2)/√2000 = 0.028; 5 of them: 6·10⁻⁷.
    let summary = &posterior.summaries(2000, key(11))[0];
    assert!((summary.q50 - 1.0).abs() < 0.14, "{summary:?}");
    let z = 2.5f64;
    let expected = -z.ln() - 0.5 * z.ln().powi(2) - 0.5 * std::f64::consts::TAU.ln();
    assert!((posterior.log_prob(&array![z]).unwrap() - expected).abs() < 1e-14);
    assert_eq!(posterior.log_prob(&array![-1.0]), Some(f64::NEG_INFINITY));
}

#[test]
fn shapes_are_checked() {
    let model = Unconstrained::new(Waves::new(continuous_parameters())).unwrap();
    let u = Array2::<f64>::zeros((2, model.dim() + 1));
    let result = std::panic::catch_unwind(|| model.log_joint_batch(&u, &mut Array1::zeros(2)));
    assert!(result.is_err());
}
