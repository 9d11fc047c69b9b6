//! Posteriors: draws, summaries, importance ratios; and counts of evaluations.

use ndarray::{Array1, Array2, Array3, ArrayRef1, array};
use vi_core::{
    Counted, Draws, ElboEstimate, Exec, GradLogJoint, LocalLogJoint, LogJoint, Parameter, ParameterSpace,
    Posterior, StreamKey, Support, log_ratios, quantile_sorted,
};

fn space() -> ParameterSpace {
    ParameterSpace::new([Parameter::vector("x", 2, Support::Real)]).unwrap()
}

/// −½ Σ (z_d − 1)²: N(1, I) without its constant.
#[derive(Debug)]
struct Quadratic(ParameterSpace);

impl LogJoint for Quadratic {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        z.iter().map(|z| -0.5 * (z - 1.0).powi(2)).sum()
    }
}

impl GradLogJoint for Quadratic {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        grad.assign(&z.mapv(|z| 1.0 - z));
        self.log_joint(z)
    }
}

impl LocalLogJoint for Quadratic {
    fn n_blocks(&self) -> usize {
        2
    }
    fn block(&self, b: usize) -> std::ops::Range<usize> {
        b..b + 1
    }
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        -0.5 * (z[b] - 1.0).powi(2)
    }
}

/// N(0, I), with or without its density.
#[derive(Debug)]
struct Standard(ParameterSpace, bool);

impl Posterior for Standard {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn draws(&self, n: usize, key: StreamKey) -> Draws {
        let values = vi_core::testing::random_points(&self.0, n, key);
        Draws::new(self.0.clone(), values.insert_axis(ndarray::Axis(0)))
    }
    fn log_prob(&self, z: &ArrayRef1<f64>) -> Option<f64> {
        self.1.then(|| z.iter().map(|z| -0.5 * z * z - 0.5 * std::f64::consts::TAU.ln()).sum())
    }
}

#[test]
fn summaries_pool_the_chains() {
    // x[1]: 1 … 5 over two chains of unequal content; x[2] its negative.
    let values = array![[[1.0, -1.0], [4.0, -4.0]], [[2.0, -2.0], [5.0, -5.0]], [[3.0, -3.0], [3.0, -3.0]]];
    let draws = Draws::new(space(), values);
    assert_eq!((draws.n_chains(), draws.n_draws()), (3, 2));
    assert_eq!(draws.coordinate(1), array![[-1.0, -4.0], [-2.0, -5.0], [-3.0, -3.0]]);
    let summaries = draws.summaries();
    assert_eq!(summaries[0].name, "x[1]");
    assert_eq!((summaries[0].mean, summaries[0].q50), (3.0, 3.0));
    assert!((summaries[0].sd - 2f64.sqrt()).abs() < 1e-15); // Σ(x − 3)² = 10, over 6 − 1
    assert_eq!((summaries[0].q05, summaries[0].q95), (1.25, 4.75)); // numpy.quantile([1, 2, 3, 3, 4, 5], …)
    assert_eq!((summaries[1].q05, summaries[1].q95), (-4.75, -1.25));
}

#[test]
fn quantiles_are_of_type_seven() {
    let x = [1.0, 2.0, 4.0, 8.0];
    for (p, expected) in [(0.0, 1.0), (0.25, 1.75), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)] {
        assert!((quantile_sorted(&x, p) - expected).abs() < 1e-14, "{p}");
    }
    assert!(quantile_sorted(&[], 0.5).is_nan());
}

#[test]
#[should_panic(expected = "last axis is not the dimension of the space")]
fn draws_have_the_dimension_of_their_space() {
    Draws::new(space(), Array3::zeros((1, 1, 3)));
}

#[test]
fn elbo_estimates_carry_their_error() {
    let estimate = ElboEstimate::from_log_ratios(&array![1.0, 2.0, 3.0, 4.0]);
    assert_eq!((estimate.value, estimate.n_samples), (2.5, 4));
    assert!((estimate.mcse - (5.0f64 / 3.0 / 4.0).sqrt()).abs() < 1e-15);
    assert_eq!(ElboEstimate::exact(-3.0), ElboEstimate { value: -3.0, mcse: 0.0, n_samples: 0 });
}

#[test]
fn log_ratios_of_every_draw_in_order() {
    let (model, posterior) = (Counted::new(Quadratic(space())), Standard(space(), true));
    let draws = posterior.draws(150, StreamKey::from_seed(1));
    let ratios = log_ratios(&model, &posterior, &draws, Exec::local()).unwrap();
    assert_eq!((ratios.len(), model.n_log_joint()), (150, 150));
    for (i, ratio) in ratios.iter().enumerate() {
        // −½(z − 1)² + ½z² + ½ log 2π = z − ½ + ½ log 2π for each of the two coordinates.
        let z = draws.values().slice(ndarray::s![0, i, ..]).sum();
        assert!((ratio - (z - 1.0 + std::f64::consts::TAU.ln())).abs() < 1e-12);
    }
    assert_eq!(log_ratios(&model, &Standard(space(), false), &draws, Exec::local()), None);
}

#[test]
fn evaluations_are_counted_by_row() {
    let model = Counted::new(Quadratic(space()));
    let (z, mut grad) = (array![0.0, 2.0], array![0.0, 0.0]);
    assert_eq!(model.log_joint(&z), -1.0);
    assert_eq!(model.log_joint_and_grad(&z, &mut grad), -1.0);
    assert_eq!(grad, array![1.0, -1.0]);
    model.log_joint_batch(&Array2::zeros((7, 2)), &mut Array1::zeros(7));
    model.log_joint_and_grad_batch(&Array2::zeros((5, 2)), &mut Array1::zeros(5), &mut Array2::zeros((5, 2)));
    assert_eq!(model.log_joint_block(1, &z), -0.5);
    assert_eq!((model.n_log_joint(), model.n_gradient()), (1 + 7 + 1, 1 + 5));
    model.set(3, 4);
    assert_eq!((model.n_log_joint(), model.n_gradient()), (3, 4));
    assert_eq!((model.dim(), model.n_blocks(), model.block(1)), (2, 2, 1..2));
    // Through a reference, the counts are those of the model behind it.
    let borrowed: &dyn GradLogJoint = &model;
    borrowed.log_joint(&z);
    assert_eq!(model.n_log_joint(), 4);
}
