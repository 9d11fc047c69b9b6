//! The checks of models fail for the mistakes that they are there to find.

#[path = "support/panics.rs"]
mod panics;

use std::ops::Range;

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use panics::message;
use rand_distr::{Distribution, Normal};
use vi_core::testing::{
    check_batch, check_gradient, check_gradient_against, check_gradient_batch, check_local, check_predictive,
    check_reported, check_subsample,
};
use vi_core::{
    GradLogJoint, LocalLogJoint, LogJoint, Parameter, ParameterSpace, Predictive, Reported, StreamKey,
    StreamRng, Subsample, Support,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    GradientSign,
    GradientAccumulates,
    GradientMissing,
    GradientValue,
    BatchShift,
    BatchSkipsTheLast,
    GradientBatchShift,
    BlockForgetsTheLikelihood,
    BlocksOverlap,
    MinibatchUnscaled,
    SimulatesVarianceForDeviation,
    DensityMissing,
    ReportForgetsTheDeterminant,
    UnreportsWrongly,
}

/// y_n ~ N(μ, σ²), μ ~ N(0, 1), σ ~ Exponential(1).
#[derive(Debug)]
struct Normals {
    space: ParameterSpace,
    doubled: ParameterSpace,
    fault: Fault,
    y: Vec<f64>,
}

impl Normals {
    fn new(fault: Fault) -> Self {
        let space = |mu: &str| {
            let parameters =
                [Parameter::scalar(mu, Support::Real), Parameter::scalar("sigma", Support::Positive)];
            ParameterSpace::new(parameters).unwrap()
        };
        let y = (0..10).map(|n| (n as f64 * 0.8).sin() + 0.4).collect();
        Self { space: space("mu"), doubled: space("twice_mu"), fault, y }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn prior(&self, z: &ArrayRef1<f64>) -> f64 {
        -0.5 * z[0] * z[0] - z[1]
    }

    fn datum(&self, y: f64, z: &ArrayRef1<f64>) -> f64 {
        -0.5 * ((y - z[0]) / z[1]).powi(2) - z[1].ln() - 0.5 * std::f64::consts::TAU.ln()
    }

    fn likelihood(&self, z: &ArrayRef1<f64>) -> f64 {
        self.y.iter().map(|&y| self.datum(y, z)).sum()
    }
}

impl LogJoint for Normals {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.prior(z) + self.likelihood(z)
    }
    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        let n = z.nrows() - usize::from(self.is(Fault::BatchSkipsTheLast));
        let shift = if self.is(Fault::BatchShift) { 1e-6 } else { 0.0 };
        z.rows().into_iter().zip(out).take(n).for_each(|(z, o)| *o = self.log_joint(&z) + shift);
    }
}

impl GradLogJoint for Normals {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        if self.is(Fault::GradientMissing) {
            grad[0] = 0.0;
            return self.log_joint(z);
        }
        let residuals = self.y.iter().map(|y| (y - z[0]) / z[1]);
        let n = self.y.len() as f64;
        let d_mu = -z[0] + residuals.clone().sum::<f64>() / z[1];
        let sign = if self.is(Fault::GradientSign) { -1.0 } else { 1.0 };
        let d_sigma = -1.0 + sign * residuals.map(|r| r * r).sum::<f64>() / z[1] - n / z[1];
        if self.is(Fault::GradientAccumulates) {
            grad[0] += d_mu;
            grad[1] += d_sigma;
        } else {
            grad[0] = d_mu;
            grad[1] = d_sigma;
        }
        self.log_joint(z) + if self.is(Fault::GradientValue) { 0.5 } else { 0.0 }
    }

    fn log_joint_and_grad_batch(
        &self,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) {
        for ((z, o), mut g) in z.rows().into_iter().zip(out).zip(grad.rows_mut()) {
            *o = self.log_joint_and_grad(&z, &mut g);
            if self.is(Fault::GradientBatchShift) {
                g[1] *= 1.0 + 1e-6;
            }
        }
    }
}

impl LocalLogJoint for Normals {
    fn n_blocks(&self) -> usize {
        2
    }
    fn block(&self, b: usize) -> Range<usize> {
        if self.is(Fault::BlocksOverlap) { 0..b + 1 } else { b..b + 1 }
    }
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        let prior = if b == 0 { -0.5 * z[0] * z[0] } else { -z[1] };
        let wrong = b == 1 && self.is(Fault::BlockForgetsTheLikelihood);
        prior + if wrong { 0.0 } else { self.likelihood(z) }
    }
}

#[derive(Debug)]
struct Part<'a>(&'a Normals, &'a [usize]);

impl LogJoint for Part<'_> {
    fn parameters(&self) -> &ParameterSpace {
        &self.0.space
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let data: f64 = self.1.iter().map(|&n| self.0.datum(self.0.y[n], z)).sum();
        let scale = self.0.y.len() as f64 / self.1.len() as f64;
        self.0.prior(z) + data * if self.0.is(Fault::MinibatchUnscaled) { 1.0 } else { scale }
    }
}

impl Subsample for Normals {
    type Minibatch<'a> = Part<'a>;
    fn n_data(&self) -> usize {
        self.y.len()
    }
    fn minibatch<'a>(&'a self, indices: &'a [usize]) -> Part<'a> {
        Part(self, indices)
    }
}

impl Predictive for Normals {
    type Data = Vec<f64>;
    fn observed(&self) -> &Vec<f64> {
        &self.y
    }
    fn n_points(&self, data: &Vec<f64>) -> usize {
        data.len()
    }
    fn log_likelihood_pointwise(&self, data: &Vec<f64>, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let skip = usize::from(self.is(Fault::DensityMissing));
        data.iter().zip(out).skip(skip).for_each(|(&y, o)| *o = self.datum(y, z));
    }
    fn simulate(&self, data: &Vec<f64>, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> Vec<f64> {
        let sd = if self.is(Fault::SimulatesVarianceForDeviation) { z[1] * z[1] } else { z[1] };
        let normal = Normal::new(z[0], sd).unwrap();
        data.iter().map(|_| normal.sample(rng)).collect()
    }
}

/// Users read 2μ.
impl Reported for Normals {
    fn reported(&self) -> &ParameterSpace {
        &self.doubled
    }
    fn report(&self, z: &ArrayRef1<f64>, reported: &mut ArrayRef1<f64>) -> f64 {
        reported.assign(z);
        reported[0] *= 2.0;
        if self.is(Fault::ReportForgetsTheDeterminant) { 0.0 } else { std::f64::consts::LN_2 }
    }
    fn unreport(&self, reported: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        z.assign(reported);
        z[0] /= if self.is(Fault::UnreportsWrongly) { 2.1 } else { 2.0 };
    }
}

fn key() -> StreamKey {
    StreamKey::from_seed(5)
}

#[test]
fn a_correct_model_passes_every_check() {
    let model = Normals::new(Fault::None);
    check_gradient(&model, 10, key());
    check_gradient_against(&model, &model, 10, key());
    check_batch(&model, key());
    check_gradient_batch(&model, key());
    check_local(&model, 10, key());
    check_subsample(&model, 10, key());
    check_predictive(&model, key());
    check_reported(&model, 10, key());
    let object: &dyn GradLogJoint = &model;
    check_gradient(object, 1, key());
}

#[test]
fn wrong_gradients_are_named() {
    let text = |fault| message(|| check_gradient(&Normals::new(fault), 10, key()));
    assert!(text(Fault::GradientSign).starts_with("gradient in log(sigma): "));
    assert!(text(Fault::GradientAccumulates).starts_with("gradient in mu is NaN, or was not written"));
    assert!(text(Fault::GradientMissing).starts_with("gradient in sigma is NaN, or was not written"));
    assert!(text(Fault::GradientValue).starts_with("log_joint_and_grad returns "));
    let against = |fault| {
        message(|| check_gradient_against(&Normals::new(fault), &Normals::new(Fault::None), 1, key()))
    };
    assert!(against(Fault::GradientSign).starts_with("gradient in log(sigma): "));
    assert!(against(Fault::GradientValue).starts_with("log joint: "));
}

#[test]
fn wrong_batches_are_named() {
    let text = message(|| check_batch(&Normals::new(Fault::BatchShift), key()));
    assert!(text.starts_with("row 0 of 1 (stored by rows): "), "{text}");
    let text = message(|| check_batch(&Normals::new(Fault::BatchSkipsTheLast), key()));
    assert!(text.starts_with("row 0 of 1 (stored by rows): NaN in the batch"), "{text}");
    let text = message(|| check_gradient_batch(&Normals::new(Fault::GradientBatchShift), key()));
    assert!(text.starts_with("gradient in sigma: "), "{text}");
}

#[test]
fn wrong_parts_are_named() {
    let text = message(|| check_local(&Normals::new(Fault::BlockForgetsTheLikelihood), 5, key()));
    assert!(text.starts_with("block 1: its terms change by "), "{text}");
    let text = message(|| check_local(&Normals::new(Fault::BlocksOverlap), 5, key()));
    assert_eq!(text, "mu lies in 2 blocks, expected 1");
    let text = message(|| check_subsample(&Normals::new(Fault::MinibatchUnscaled), 5, key()));
    assert!(text.starts_with("minibatches of 1 average to "), "{text}");
}

#[test]
fn wrong_predictions_are_named() {
    let text = message(|| check_predictive(&Normals::new(Fault::SimulatesVarianceForDeviation), key()));
    assert!(text.contains("simulate and log_likelihood_pointwise disagree"), "{text}");
    let text = message(|| check_predictive(&Normals::new(Fault::DensityMissing), key()));
    assert!(text.starts_with("log p(x_0 | z) is NaN, or was not written"), "{text}");
}

#[test]
fn wrong_reports_are_named() {
    let text = message(|| check_reported(&Normals::new(Fault::ReportForgetsTheDeterminant), 5, key()));
    assert!(text.starts_with("log |det| is 0 by the model, 0.693"), "{text}");
    let text = message(|| check_reported(&Normals::new(Fault::UnreportsWrongly), 5, key()));
    assert!(text.contains("which is unreported as"), "{text}");
}

#[test]
fn discrete_and_infinite_models_are_refused_in_words() {
    #[derive(Debug)]
    struct Flat(ParameterSpace, f64);
    impl LogJoint for Flat {
        fn parameters(&self) -> &ParameterSpace {
            &self.0
        }
        fn log_joint(&self, _z: &ArrayRef1<f64>) -> f64 {
            self.1
        }
    }
    impl GradLogJoint for Flat {
        fn log_joint_and_grad(&self, _z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
            grad.fill(0.0);
            self.1
        }
    }
    let space = |support| ParameterSpace::new([Parameter::scalar("k", support)]).unwrap();
    let text = message(|| check_gradient(&Flat(space(Support::Binary), 0.0), 1, key()));
    assert!(
        text.starts_with("a gradient needs continuous variables: parameter `k` has support binary"),
        "{text}"
    );
    let text = message(|| check_gradient(&Flat(space(Support::Real), f64::NEG_INFINITY), 1, key()));
    assert!(text.starts_with("log joint is -inf at z = ["), "{text}");
    // A batch of discrete points is fine.
    let discrete = [Support::Binary, Support::Count, Support::Categorical { n: 3 }];
    for support in discrete {
        let points = vi_core::testing::random_points(&space(support), 100, key());
        points.rows().into_iter().for_each(|z| space(support).check(&z).unwrap());
        let distinct = points.iter().map(|v| *v as u64).collect::<std::collections::BTreeSet<_>>();
        assert!(distinct.len() > 1);
        check_batch(&Flat(space(support), Array1::<f64>::zeros(1)[0]), key());
    }
}
