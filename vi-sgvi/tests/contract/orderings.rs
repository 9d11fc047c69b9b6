//! Which estimator has less noise, where theory says so.
//!
//! Ratios of total variances with the intervals of the bench: Student's t on the log ratio, paired replicates. Every
//! interval leaves out [`LEVEL`], on either side half of it; 60 of them raise a false alarm with probability 6e-4.

use ndarray::{Array1, array};
use vi_core::{LogJoint, StreamKey};
use vi_families::{MeanFieldGaussian, ProductFamily, VariationalFamily};
use vi_sgvi::bench::{BenchSettings, Candidate, Interval, Point, Reference, compare};
use vi_sgvi::{Arm, DisArm, Elbo, GradientEstimator, LocalExpectations, ScoreFunction};

use crate::case::Target;
use crate::common::{GaussianTarget, Mixture, Spins, params_of};

const LEVEL: f64 = 1e-5;

/// Estimators on one model at one λ.
struct Noise<'a, F> {
    model: &'a Target,
    family: &'a F,
    params: Array1<f64>,
}

impl<'a, F: VariationalFamily> Noise<'a, F> {
    /// The variance of `a` over that of `b`.
    fn ratio<A, B>(&self, a: A, b: B, n_replicates: u64) -> Interval
    where
        A: GradientEstimator<Target, F> + 'a,
        B: GradientEstimator<Target, F> + 'a,
    {
        let candidates = [Candidate::new(a).named("a"), Candidate::new(b).named("b")];
        let settings = BenchSettings {
            n_replicates,
            n_bootstrap: 20,
            level: LEVEL,
            race: None,
            ..BenchSettings::default()
        };
        let points = [Point::new("here", self.params.clone())];
        let key = StreamKey::from_seed(16_180);
        let report =
            compare(self.model, self.family, &candidates, &points, &Reference::None, &settings, key).unwrap();
        assert!(report.failures.is_empty(), "{:?}", report.failures);
        report.points[0].pairs[0].difference.unwrap()
    }
}

fn on_spins<'a>(model: &'a Spins, family: &'a ProductFamily) -> Noise<'a, ProductFamily> {
    Noise { model, family, params: params_of(family) }
}

fn on_gaussian<'a>(
    target: &'a GaussianTarget,
    family: &'a MeanFieldGaussian,
) -> Noise<'a, MeanFieldGaussian> {
    Noise { model: target, family, params: array![0.2, -0.6, 1.5, -0.9, 0.2, 0.6] }
}

/// The squared mean of the log ratios exceeds their variance, as wherever there are data.
#[test]
fn leave_one_out_has_less_noise_than_naive() {
    let (model, target, mixture) = (Spins::five_bits(), GaussianTarget::correlated(), Mixture::new());
    let (family, gaussian) = (model.family(), MeanFieldGaussian::new(target.parameters()).unwrap());
    for s in [2, 3, 10, 100] {
        let (a, b) = (ScoreFunction::leave_one_out(s), ScoreFunction::naive(s));
        let n = if s > 10 { 400 } else { 1_000 };
        let ratio = on_spins(&model, &family).ratio(a, b, n);
        assert!(ratio.upper < 1.0, "bits, S = {s}: {ratio:?}");
        let ratio = on_gaussian(&target, &gaussian).ratio(a, b, n);
        assert!(ratio.upper < 1.0, "Gaussian target, S = {s}: {ratio:?}");
    }
    let family = mixture.family();
    let noise = Noise { model: &mixture, family: &family, params: Mixture::params() };
    let ratio = noise.ratio(ScoreFunction::leave_one_out(10), ScoreFunction::naive(10), 2_000);
    assert!(ratio.upper < 1.0, "mixture: {ratio:?}");
}

/// A bit of a chain hears its neighbours alone: the noise of all other terms, which Rao–Blackwellisation leaves out,
/// grows with the length. Intervals of neighbouring lengths do not meet.
#[test]
fn the_gain_of_markov_blankets_grows_with_the_number_of_blocks() {
    let plain = ScoreFunction::leave_one_out(10);
    let mut last = 1.0;
    for d in [2, 4, 8, 16] {
        let model = Spins::chain(d);
        let family = model.family();
        let gain = on_spins(&model, &family).ratio(plain, plain.rao_blackwellized(), 2_000);
        assert!(gain.lower > last, "{d} blocks: {gain:?}, the half of them at most {last}");
        last = gain.upper;
    }
}

#[test]
fn disarm_has_less_noise_than_arm() {
    for model in [Spins::five_bits(), Spins::dense(12), Spins::categories()] {
        let family = model.family();
        for s in [2, 10, 100] {
            let ratio = on_spins(&model, &family).ratio(
                DisArm::new(s),
                Arm::new(s),
                if s > 10 { 400 } else { 1_500 },
            );
            assert!(ratio.upper < 1.0, "{} variables, S = {s}: {ratio:?}", model.dim());
        }
    }
}

/// At the same number of samples. At the same number of log joints it depends on the model: a draw costs local
/// expectations 1 + 12 here; where every bit hears all others they are no better than leave-one-out, where it hears its
/// two neighbours alone they are.
#[test]
fn local_expectations_have_less_noise_than_leave_one_out() {
    for model in [Spins::five_bits(), Spins::dense(12), Spins::chain(12), Spins::categories()] {
        let family = model.family();
        for s in [2, 10, 100] {
            let (a, b) = (LocalExpectations::new(s), ScoreFunction::leave_one_out(s));
            let ratio = on_spins(&model, &family).ratio(a, b, if s > 10 { 300 } else { 800 });
            assert!(ratio.upper < 1.0, "{} variables, S = {s}: {ratio:?}", model.dim());
        }
    }
    let at_equal_cost = |model: &Spins| {
        let family = model.family();
        let (one, many) = (LocalExpectations::new(1), ScoreFunction::leave_one_out(13));
        let target: &Target = model;
        let elbo = Elbo::new(target, &family).unwrap();
        assert_eq!(one.cost(elbo), many.cost(elbo));
        let noise = Noise { model: target, family: &family, params: params_of(&family) };
        noise.ratio(one, many, 1_500)
    };
    let (dense, chain) = (at_equal_cost(&Spins::dense(12)), at_equal_cost(&Spins::chain(12)));
    assert!(chain.upper < 1.0 && chain.upper < dense.lower, "dense: {dense:?}, chain: {chain:?}");
}

/// With 2 × 512 points in place of 2 × 64 the gain is larger. What is left is the tails: the terms are polynomials of
/// degree four in z, unbounded in u.
#[test]
fn quasi_monte_carlo_has_less_noise_than_independent_draws_and_gains_with_more_points() {
    let target = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(target.parameters()).unwrap();
    let mut last = 1.0;
    for s in [128, 1024] {
        let plain = ScoreFunction::leave_one_out(s);
        let ratio = on_gaussian(&target, &family).ratio(plain.quasi_monte_carlo(2), plain, 600);
        assert!(ratio.upper < last, "S = {s}: {ratio:?}, before {last}");
        last = ratio.lower;
    }
}
