//! The estimator bench on targets whose gradients are exact.
//!
//! Bias is judged at level 1e-6 over all elements, candidates and points of a report: six reports with unbiased
//! candidates make the false-alarm probability at most 6e-6. Equal estimators are equal bit by bit. Variances are
//! compared within limits that are ten standard errors wide or wider.

use ndarray::{Array1, ArrayRef1, Axis, array};
use vi_core::{
    Exec, GaussianExpectation, LocalLogJoint, LogJoint, Parameter, ParameterSpace, StreamKey, Support,
    Unconstrained,
};
use vi_families::{MeanFieldGaussian, ProductFamily};
use vi_models::eight_schools::{EightSchoolsData, EightSchoolsNonCentred, EightSchoolsPriors};
use vi_sgvi::bench::{
    Bench, BenchSettings, Candidate, OnModel, Point, RaceSettings, Reference, Report, Verdict, compare,
    points_of_fit,
};
use vi_sgvi::testing::compare_gradient;
use vi_sgvi::{
    DisArm, Elbo, GradientEstimator, Pathwise, PerFactor, SameSampleControlVariate, ScoreFunction, SgviError,
    SgviSettings, evaluate_elbo,
};

use crate::common::{GaussianTarget, Spins, exact_gradient};

fn quick(n_replicates: u64) -> BenchSettings {
    BenchSettings { n_replicates, n_bootstrap: 200, level: 1e-6, race: None, ..BenchSettings::default() }
}

fn race() -> RaceSettings {
    RaceSettings { n_seeds: 12, budget: 800.0, n_milestones: 4, n_evaluate: 200, ..RaceSettings::default() }
}

struct Bits {
    model: Spins,
    family: ProductFamily,
    points: Vec<Point>,
}

impl Bits {
    fn new() -> Self {
        let model = Spins::five_bits();
        let family = ProductFamily::for_space(model.parameters()).unwrap();
        let points = vec![Point::new("here", array![0.3, -0.7, 0.9, 0.1, -0.2])];
        Self { model, family, points }
    }

    fn compare(
        &self,
        candidates: &[Candidate<'_, Spins, ProductFamily>],
        settings: &BenchSettings,
        seed: u64,
    ) -> Report {
        let exact = Reference::enumeration(&self.model, &self.family);
        let key = StreamKey::from_seed(seed);
        compare(&self.model, &self.family, candidates, &self.points, &exact, settings, key).unwrap()
    }
}

/// Variances of one gradient from other keys and without the bench.
fn independent<M, F, E>(estimator: &E, model: &M, family: &F, params: &Array1<f64>, n: u64) -> Array1<f64>
where
    M: LogJoint,
    F: vi_families::VariationalFamily,
    E: GradientEstimator<M, F>,
{
    let elbo = Elbo::new(model, family).unwrap();
    let zero = Array1::zeros(params.len());
    compare_gradient(estimator, elbo, params, &zero, n, StreamKey::from_seed(77)).unwrap().variance
}

fn agree(report: &Report, name: &str, variance: &Array1<f64>) {
    let noise = report.points[0].estimators.iter().find(|e| e.name == name).unwrap();
    let ratio = noise.total_variance.value / variance.sum();
    assert!((0.6..1.7).contains(&ratio), "{name}: {ratio} times the variance of independent replicates");
    for (interval, v) in noise.variance.iter().zip(variance) {
        assert!(interval.lower <= interval.value && interval.value <= interval.upper);
        assert!((0.5..2.0).contains(&(interval.value / v)), "{name}: {interval:?}, but {v}");
    }
}

#[test]
fn variances_of_a_gaussian_target_agree_with_independent_replicates() {
    let model = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let params = array![0.1, 0.2, -0.3, -0.5, 0.1, 0.3];
    let (loo, pathwise) = (ScoreFunction::leave_one_out(10), Pathwise::new(10));
    let exact = Reference::exact("closed form", |params| model.mean_field_gradient(params));
    // The pathwise estimator sees the same model through another door.
    let on_model = OnModel { model: &model, estimator: pathwise };
    let candidates = [Candidate::new(loo), Candidate::new(on_model)];
    let points = [Point::new("here", params.clone())];
    let key = StreamKey::from_seed(3);
    let report = compare(&model, &family, &candidates, &points, &exact, &quick(1500), key).unwrap();
    agree(&report, "leave-one-out", &independent(&loo, &model, &family, &params, 4000));
    agree(&report, candidates[1].name(), &independent(&pathwise, &model, &family, &params, 4000));
    assert!(report.reference.contains("closed form"));
    for noise in &report.points[0].estimators {
        assert_eq!(noise.biased, Some(false), "{}: {:?}", noise.name, noise.worst);
    }
    assert_eq!(report.points[0].pairs[0].verdict, Verdict::SecondIsBetter, "pathwise has less noise here");
    let [loo, pathwise] = [0, 1].map(|i| &report.points[0].estimators[i]);
    assert_eq!((report.estimators[0].work, report.estimators[1].work), (10.0, 20.0));
    let [relative, with_work] =
        [pathwise.relative_variance.unwrap(), pathwise.relative_variance_times_work.unwrap()];
    approx::assert_relative_eq!(with_work.value, 2.0 * relative.value, max_relative = 1e-12);
    let ratio = pathwise.total_variance.value / loo.total_variance.value;
    approx::assert_relative_eq!(relative.value, ratio, max_relative = 1e-12);
}

#[test]
fn variances_of_bits_agree_with_independent_replicates() {
    let bits = Bits::new();
    let (naive, moving) = (ScoreFunction::naive(8), ScoreFunction::moving_average(8));
    let rao = ScoreFunction::leave_one_out(8).rao_blackwellized();
    let report =
        bits.compare(&[Candidate::new(naive), Candidate::new(moving), Candidate::new(rao)], &quick(1500), 5);
    let params = &bits.points[0].params;
    agree(&report, "naive", &independent(&naive, &bits.model, &bits.family, params, 4000));
    // In a long run the average is warm, as it is in every replicate of the bench.
    agree(&report, "moving average", &independent(&moving, &bits.model, &bits.family, params, 4000));
    agree(&report, &report.estimators[2].name, &independent(&rao, &bits.model, &bits.family, params, 4000));
    assert_eq!(report.estimators[2].evaluations.n_log_joint_block, 40);
    assert_eq!(report.estimators[2].work, 16.0, "eight log joints, and all blocks eight times");
    // Enumeration here and enumeration in the tests are the same sum.
    let exact = exact_gradient(&bits.model, &bits.family, params);
    let naive = &report.points[0].estimators[0];
    for (i, z) in naive.z.as_ref().unwrap().iter().enumerate() {
        approx::assert_relative_eq!(*z, (naive.mean[i] - exact[i]) / naive.mcse[i], max_relative = 1e-6);
    }
}

#[test]
fn a_biased_estimator_is_found_and_unbiased_ones_are_not_accused() {
    let bits = Bits::new();
    let biased = ScoreFunction::new(3, SameSampleControlVariate);
    let candidates = || {
        vec![
            Candidate::new(ScoreFunction::naive(3)),
            Candidate::new(biased),
            Candidate::new(ScoreFunction::control_variate(3)),
            Candidate::new(ScoreFunction::leave_one_out(3)),
        ]
    };
    let exact = bits.compare(&candidates(), &quick(4000), 11);
    let paired = Reference::Paired(Candidate::new(ScoreFunction::leave_one_out(64)));
    let key = StreamKey::from_seed(11);
    let list = candidates();
    let paired = compare(&bits.model, &bits.family, &list, &bits.points, &paired, &quick(4000), key).unwrap();
    assert!(exact.reference.contains("enumeration") && paired.reference.contains("leave-one-out"));
    for report in [&exact, &paired] {
        let found: Vec<_> = report.points[0].estimators.iter().map(|e| e.biased.unwrap()).collect();
        assert_eq!(found, [false, true, false, false], "{report}");
        assert!(report.points[0].estimators[1].worst.as_ref().unwrap().1 > 8.0);
        assert!(report.to_string().contains("is biased: the coefficients depend"));
    }
}

#[test]
fn equal_estimators_are_not_distinguishable_and_different_ones_are() {
    let bits = Bits::new();
    let candidates = [
        Candidate::new(ScoreFunction::naive(8)),
        Candidate::new(ScoreFunction::leave_one_out(8)),
        Candidate::new(ScoreFunction::leave_one_out(8)).named("again"),
    ];
    let settings = BenchSettings { level: 0.01, race: Some(race()), ..quick(300) };
    let report = bits.compare(&candidates, &settings, 2);
    let pairs = &report.points[0].pairs;
    assert_eq!(pairs.len(), 3);
    let same = Report::pair(pairs, "leave-one-out", "again").unwrap();
    assert_eq!((same.verdict, same.p), (Verdict::NotDistinguishable, 1.0));
    let better = Report::pair(pairs, "naive", "leave-one-out").unwrap();
    assert_eq!(better.verdict, Verdict::SecondIsBetter, "{report}");
    assert!(better.difference.unwrap().lower > 1.0);
    let race = report.race.as_ref().unwrap();
    let same = Report::pair(&race.pairs, "leave-one-out", "again").unwrap();
    assert_eq!((same.verdict, same.difference.unwrap().value), (Verdict::NotDistinguishable, 0.0));
    let better = Report::pair(&race.pairs, "naive", "leave-one-out").unwrap();
    assert_eq!(better.verdict, Verdict::SecondIsBetter, "{report}");
    for entry in &race.estimators {
        assert_eq!(entry.milestones.len(), 4);
        let last = entry.milestones.last().unwrap();
        assert_eq!((last.work, last.elbos.len()), (800.0, 12));
    }
    let table = report.to_string();
    assert!(table.contains("less noise") && table.contains("higher"), "{table}");
    // Relative to the one that it equals.
    let reversed = [
        Candidate::new(ScoreFunction::leave_one_out(8)),
        Candidate::new(ScoreFunction::leave_one_out(8)).named("again"),
    ];
    // At the point and after equal evaluations; after equal seconds it is the clock that says so, or not.
    let report = bits.compare(&reversed, &settings, 2).to_string();
    assert!(report.matches("not distinguishable").count() >= 2, "{report}");
}

#[test]
fn the_same_key_gives_the_same_report_on_any_number_of_threads() {
    let bits = Bits::new();
    let settings = BenchSettings { race: Some(race()), ..quick(40) };
    let report = |seed: u64, n_threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        let candidates =
            [Candidate::new(ScoreFunction::naive(70)), Candidate::new(ScoreFunction::moving_average(70))];
        let mut report = pool.install(|| bits.compare(&candidates, &settings, seed));
        assert!(report.points[0].estimators[0].seconds > 0.0);
        report.clear_seconds();
        report
    };
    assert_eq!(report(4, 1), report(4, 3));
    assert_ne!(report(4, 1), report(5, 1));
}

#[test]
fn what_fails_is_told_and_the_others_go_on() {
    let bits = Bits::new();
    let candidates =
        [Candidate::new(ScoreFunction::leave_one_out(1)), Candidate::new(ScoreFunction::naive(4))];
    let report = bits.compare(&candidates, &quick(20), 1);
    assert_eq!(report.failures.len(), 1);
    assert!(report.failures[0].message.contains("at least 2 samples"), "{}", report.failures[0].message);
    assert_eq!((report.estimators.len(), report.yardstick), (1, None));
}

#[test]
fn an_interrupt_keeps_what_is_finished() {
    let bits = Bits::new();
    let exact = Reference::enumeration(&bits.model, &bits.family);
    let candidates =
        [Candidate::new(ScoreFunction::naive(4)), Candidate::new(ScoreFunction::leave_one_out(4))];
    let settings = quick(20);
    let bench = Bench {
        elbo: Elbo::new(&bits.model, &bits.family).unwrap(),
        candidates: &candidates,
        points: &bits.points,
        reference: &exact,
        settings: &settings,
    };
    let key = StreamKey::from_seed(1);
    let stop = &mut |p: vi_sgvi::bench::Progress<'_>| p.candidate == "naive" || p.n_done < 10;
    let report = bench.run(key, Exec::local(), stop).unwrap();
    assert!(report.interrupted && report.estimators.len() == 1);
    let whole = bench.run(key, Exec::local(), &mut |_| true).unwrap();
    assert_eq!(whole.points[0].estimators[0].mean, report.points[0].estimators[0].mean);
    assert!(!whole.interrupted && whole.estimators.len() == 2);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let bits = Bits::new();
    let run = |candidates: &[Candidate<'_, Spins, ProductFamily>], settings: BenchSettings| {
        let key = StreamKey::from_seed(1);
        let exact = Reference::None;
        compare(&bits.model, &bits.family, candidates, &bits.points, &exact, &settings, key).unwrap_err()
    };
    let naive = || Candidate::new(ScoreFunction::naive(4));
    assert!(matches!(run(&[naive()], quick(3)), SgviError::Setting { name: "n_replicates", .. }));
    assert!(matches!(run(&[naive(), naive()], quick(20)), SgviError::DuplicateCandidate { .. }));
    assert!(matches!(run(&[], quick(20)), SgviError::Setting { name: "candidates", .. }));
    // Gaussian factors have no states to enumerate.
    let model = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let points = [Point::new("start", Array1::zeros(6))];
    let exact = Reference::enumeration(&model, &family);
    let key = StreamKey::from_seed(1);
    let candidates = [Candidate::new(ScoreFunction::naive(4))];
    let error = compare(&model, &family, &candidates, &points, &exact, &quick(20), key).unwrap_err();
    assert!(error.to_string().contains("states"), "{error}");
}

#[test]
fn a_fit_gives_start_middle_and_optimum() {
    let model = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let candidate = Candidate::new(Pathwise::new(8));
    let settings = SgviSettings { n_iterations: 1500, n_evaluate: 2000, ..SgviSettings::default() };
    let key = StreamKey::from_seed(9);
    let points = points_of_fit(&model, &family, &candidate, &settings, key, Exec::local()).unwrap();
    let names: Vec<_> = points.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["start", "middle", "optimum"]);
    let elbos: Vec<f64> = points
        .iter()
        .map(|p| evaluate_elbo(&model, &family, &p.params, 20_000, key, Exec::local()).unwrap().value)
        .collect();
    assert!((elbos[2] - model.mean_field_elbo()).abs() < 0.05, "{elbos:?}");
    let share = (elbos[1] - elbos[0]) / (elbos[2] - elbos[0]);
    assert!((0.2..0.8).contains(&share), "the middle is {share} of the way up: {elbos:?}");
}

#[test]
fn the_mean_field_reference_is_the_gradient_of_the_elbo() {
    let data = EightSchoolsData { effect: array![28.0, 8.0, -3.0], standard_error: array![15.0, 10.0, 16.0] };
    let model = EightSchoolsNonCentred::new(data, EightSchoolsPriors::default()).unwrap();
    let unconstrained = Unconstrained::new(&model).unwrap();
    let family = MeanFieldGaussian::new(unconstrained.parameters()).unwrap();
    let reference: Reference<'_, Unconstrained<&EightSchoolsNonCentred>, _> =
        Reference::mean_field(&model, &family);
    let Reference::Exact { how, gradient } = reference else { panic!("it is exact") };
    assert!(how.contains("closed form"));
    let elbo = |params: &Array1<f64>| {
        let (mean, log_sd) = params.view().split_at(Axis(0), 5);
        let mut unused = Array1::zeros(10);
        let (mut a, mut b) = unused.view_mut().split_at(Axis(0), 5);
        model.expected_under_gaussians(&mean, &log_sd.mapv(f64::exp), &mut a, &mut b) + log_sd.sum()
    };
    let params = array![0.2, -0.3, 0.1, 3.0, 1.2, -0.1, 0.2, -0.4, 0.9, -0.6];
    let exact = gradient(&params).unwrap();
    for i in 0..10 {
        let at = |step: f64| {
            let mut moved = params.clone();
            moved[i] += step;
            elbo(&moved)
        };
        let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
        approx::assert_relative_eq!(exact[i], difference, max_relative = 1e-6, epsilon = 1e-7);
    }
}

/// Replicates of an estimator that remembers are warmed up, those of two without memory are not.
#[test]
fn what_remembers_says_so() {
    let bits = Bits::new();
    let plain = PerFactor::new(bits.model.parameters(), &["bit"], DisArm::new(2), ScoreFunction::naive(2));
    let moving =
        PerFactor::new(bits.model.parameters(), &["bit"], DisArm::new(2), ScoreFunction::moving_average(2));
    let (plain, moving) = (plain.unwrap(), moving.unwrap());
    assert!(!GradientEstimator::<Spins, ProductFamily>::remembers(&plain));
    assert!(GradientEstimator::<Spins, ProductFamily>::remembers(&moving));
}

/// Three pairs of coupled bits, each pair a block.
struct Pairs(ParameterSpace, f64);

impl LogJoint for Pairs {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        // The last term ties all blocks together.
        0.3 + (0..3).map(|b| self.log_joint_block(b, z)).sum::<f64>() + self.1 * z[0] * z[5]
    }
}

impl LocalLogJoint for Pairs {
    fn n_blocks(&self) -> usize {
        3
    }
    fn block(&self, b: usize) -> std::ops::Range<usize> {
        2 * b..2 * b + 2
    }
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        (1.0 + b as f64) * z[2 * b] * z[2 * b + 1] - 0.7 * z[2 * b]
    }
}

#[test]
fn blocks_are_enumerated_by_themselves_where_they_are_independent() {
    let space = || ParameterSpace::new([Parameter::vector("bit", 6, Support::Binary)]).unwrap();
    let (model, tied) = (Pairs(space(), 0.0), Pairs(space(), 0.5));
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let reference = Reference::<'_, Pairs, _>::enumeration_by_block(&model, &family);
    let Some(Reference::Exact { gradient, how }) = reference else { panic!("blocks are independent") };
    assert_eq!(how, "enumeration block by block");
    let Reference::Exact { gradient: whole, .. } = Reference::enumeration(&model, &family) else {
        panic!("it is exact")
    };
    let params = array![0.3, -0.7, 0.9, 0.1, -0.2, 1.4];
    let (a, b) = (gradient(&params).unwrap(), whole(&params).unwrap());
    approx::assert_relative_eq!(a.as_slice().unwrap(), b.as_slice().unwrap(), epsilon = 1e-13);
    assert!(Reference::<'_, Pairs, _>::enumeration_by_block(&tied, &family).is_none());
}

/// A bit that is 1 in one of 160 000 draws: nobody sees it, and nobody is accused for not seeing it. With the other bits at
/// even odds the z-scores of the rare one are far beyond the limit of a test that knows nothing of what is missing.
#[test]
fn what_is_too_rare_to_be_seen_is_no_bias() {
    let mut bits = Bits::new();
    bits.points = vec![Point::new("rare", array![0.0, 0.0, -12.0, 0.0, 0.0])];
    let candidates =
        [Candidate::new(ScoreFunction::leave_one_out(8)), Candidate::new(ScoreFunction::control_variate(8))];
    let settings = BenchSettings { level: 1e-3, ..quick(400) };
    let report = bits.compare(&candidates, &settings, 4);
    for noise in &report.points[0].estimators {
        assert!(noise.z.as_ref().unwrap()[2].abs() > 8.0, "{:?}", noise.z);
        assert_eq!(noise.biased, Some(false), "{}: {:?}", noise.name, noise.worst);
    }
}
