//! What goes wrong in score matching is said with names and values.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use vi_core::linalg::LinalgError;
use vi_core::{Exec, GradLogJoint, LogJoint, Parameter, ParameterSpace, RunError, StreamKey, Support};
use vi_sgvi::{
    BatchAndMatch, Compare, GaussianScoreMatching, LearningRate, MatchRule, ScoreMatching,
    ScoreMatchingSettings, SgviError, SgviFit, WhitenedGaussian, Window, fit_score_matching,
};

/// A standard Gaussian whose second score is `score(z)`, and its log joint `value(z)`.
struct Faulty<V, S>(ParameterSpace, V, S);

impl<V, S> Faulty<V, S> {
    fn new(value: V, score: S) -> Self {
        let space = [Parameter::scalar("alpha", Support::Real), Parameter::vector("beta", 2, Support::Real)];
        Self(ParameterSpace::new(space).unwrap(), value, score)
    }
}

impl<V, S> LogJoint for Faulty<V, S>
where
    V: Fn(&ArrayRef1<f64>) -> f64 + Send + Sync,
    S: Send + Sync,
{
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        (self.1)(z)
    }
}

impl<V, S> GradLogJoint for Faulty<V, S>
where
    V: Fn(&ArrayRef1<f64>) -> f64 + Send + Sync,
    S: Fn(&ArrayRef1<f64>) -> f64 + Send + Sync,
{
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        grad.iter_mut().zip(z).for_each(|(g, z)| *g = -z);
        grad[1] = (self.2)(z);
        self.log_joint(z)
    }
}

fn gaussian(z: &ArrayRef1<f64>) -> f64 {
    -0.5 * z.dot(z)
}

fn fit<M: GradLogJoint>(model: &M) -> Result<SgviFit<vi_families::FullRankGaussian>, SgviError> {
    let settings =
        ScoreMatchingSettings { n_batch: 10, n_iterations: 100, ..ScoreMatchingSettings::default() };
    fit_score_matching(model, BatchAndMatch::default(), &settings, StreamKey::from_seed(31), Exec::local())
}

fn of_the_run(result: Result<SgviFit<vi_families::FullRankGaussian>, SgviError>) -> (u64, SgviError) {
    match result {
        Err(SgviError::Run(error)) => match *error {
            RunError::Kernel { iteration, source } => (iteration, source),
            other => panic!("{other}"),
        },
        Err(other) => panic!("{other}"),
        Ok(fit) => panic!("a result: {:?}", fit.outcome),
    }
}

#[test]
fn a_score_that_is_not_finite_is_shown_with_its_coordinate_and_z() {
    let nan_above_one = |z: &ArrayRef1<f64>| if z[1] > 1.0 { f64::NAN } else { -z[1] };
    let (_, error) = of_the_run(fit(&Faulty::new(gaussian, nan_above_one)));
    match error {
        SgviError::NonFiniteLogJointGradient { coordinate, value, z, .. } => {
            assert_eq!(coordinate, "beta[1]");
            assert!(value.is_nan());
            let names: Vec<&str> = z.0.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["alpha", "beta[1]", "beta[2]"]);
            assert!(z.0[1].1 > 1.0, "the z that is shown is the one where it happened: {z}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_log_joint_that_is_not_finite_is_shown_with_z() {
    let hole = |z: &ArrayRef1<f64>| if z[0] > 1.0 { f64::NEG_INFINITY } else { gaussian(z) };
    let (_, error) = of_the_run(fit(&Faulty::new(hole, |z: &ArrayRef1<f64>| -z[1])));
    match error {
        SgviError::NonFiniteLogJoint { value, z, .. } => {
            assert_eq!(value, f64::NEG_INFINITY);
            assert!(z.0[0].1 > 1.0);
        }
        other => panic!("{other}"),
    }
}

/// A rule whose covariance is none.
#[derive(Debug)]
struct Indefinite;

impl MatchRule for Indefinite {
    fn check(&self) -> Result<(), SgviError> {
        Ok(())
    }
    fn update(
        &self,
        t: u64,
        noise: &ArrayRef2<f64>,
        _scores: &ArrayRef2<f64>,
    ) -> Result<WhitenedGaussian, LinalgError> {
        let mut covariance = Array2::eye(noise.ncols());
        covariance[[2, 2]] = if t < 3 { 1.0 } else { -0.5 };
        Ok(WhitenedGaussian { shift: Array1::zeros(noise.ncols()), covariance })
    }
    fn name(&self) -> String {
        "indefinite".to_owned()
    }
}

#[test]
fn a_lost_covariance_is_an_error_with_iteration_and_coordinate() {
    let model = Faulty::new(gaussian, |z: &ArrayRef1<f64>| -z[1]);
    let settings = ScoreMatchingSettings { n_batch: 5, ..ScoreMatchingSettings::default() };
    let fit = fit_score_matching(&model, Indefinite, &settings, StreamKey::from_seed(32), Exec::local());
    match of_the_run(fit) {
        (3, SgviError::CovarianceLost { coordinate, value }) => {
            assert_eq!((coordinate.as_str(), value), ("beta[2]", -0.5));
        }
        (iteration, other) => panic!("iteration {iteration}: {other}"),
    }
}

#[test]
fn scores_that_overflow_are_an_error_and_no_result() {
    let huge = |z: &ArrayRef1<f64>| -1e200 * z[1];
    let (_, error) = of_the_run(fit(&Faulty::new(gaussian, huge)));
    assert!(matches!(error, SgviError::Match { .. } | SgviError::CovarianceLost { .. }), "{error}");
    assert!(error.to_string().contains("match") || error.to_string().contains("beta"), "{error}");
}

#[test]
fn settings_outside_their_domain_are_refused_by_name() {
    let model = Faulty::new(gaussian, |z: &ArrayRef1<f64>| -z[1]);
    let name = |error: SgviError| match error {
        SgviError::Setting { name, .. } => name,
        other => panic!("{other}"),
    };
    assert_eq!(name(ScoreMatching::new(&model, GaussianScoreMatching, 0).unwrap_err()), "n_batch");
    let rule = BatchAndMatch { learning_rate: LearningRate::Constant(-1.0) };
    assert_eq!(name(ScoreMatching::new(&model, rule, 4).unwrap_err()), "learning_rate.constant");
    let kernel = ScoreMatching::new(&model, GaussianScoreMatching, 4).unwrap();
    let window = Window { compare: Compare::Averages { n_samples: 100 }, ..Window::default() };
    assert_eq!(name(kernel.with_window(window).unwrap_err()), "window.compare.averages.n_samples");

    let positive = ParameterSpace::new([Parameter::scalar("tau", Support::Positive)]).unwrap();
    let model = Faulty(positive, gaussian, |z: &ArrayRef1<f64>| -z[1]);
    let error = ScoreMatching::new(&model, GaussianScoreMatching, 4).unwrap_err();
    assert!(error.to_string().contains("tau"), "{error}");
}
