//! Bad input gives typed errors that name it.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use vi_core::{
    Exec, Kernel, Parameter, ParameterSpace, PlateError, PlateLogJoint, PlateModel, StreamKey, Support,
};
use vi_families::BernoulliPlate;
use vi_sgvi::{
    Adam, HiddenLayerEncoder, LinearEncoder, NaturalGradient, PlateElbo, PlateScoreFunction, PlateWorkspace,
    SgviError, Table, VariationalEm, evaluate_plate,
};

use crate::network::{Small, normal};

/// Fair bits, whose log joint is NaN at datum 70 where its bit is 1.
struct Broken(ParameterSpace, ParameterSpace);

impl Broken {
    fn new() -> Self {
        let bit = ParameterSpace::new([Parameter::vector("bit", 1, Support::Binary)]).unwrap();
        Self(bit, ParameterSpace::new([Parameter::scalar("nothing", Support::Real)]).unwrap())
    }
}

impl PlateModel for Broken {
    type Cache = ();
    type At<'a> = &'a Broken;
    fn n_data(&self) -> usize {
        100
    }
    fn local_parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn model_parameters(&self) -> &ParameterSpace {
        &self.1
    }
    fn init_model_params(&self, _: StreamKey) -> Array1<f64> {
        Array1::zeros(1)
    }
    fn at<'a>(&'a self, _: &'a ArrayRef1<f64>, (): &'a mut ()) -> Result<&'a Broken, PlateError> {
        Ok(self)
    }
}

impl PlateLogJoint for &Broken {
    fn n_model_params(&self) -> usize {
        1
    }
    fn log_joint_points(&self, data: &[usize], z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        let n_points = z.nrows() / data.len();
        for (r, out) in out.iter_mut().enumerate() {
            *out = if data[r / n_points] == 70 && z[[r, 0]] == 1.0 { f64::NAN } else { 0.0 };
        }
    }
    fn log_joint_points_and_add_grad(
        &self,
        data: &[usize],
        z: &ArrayRef2<f64>,
        _: f64,
        out: &mut ArrayRef1<f64>,
        _: &mut ArrayRef1<f64>,
    ) {
        self.log_joint_points(data, z, out);
    }
}

#[test]
fn a_log_joint_that_is_not_finite_is_found() {
    let model = Broken::new();
    let family = BernoulliPlate::for_space(&model.0).unwrap();
    let table = Table::new(100, &family);
    let elbo = PlateElbo::new(&model, &family, &table).unwrap();
    let (theta, logits) = (Array1::zeros(1), Array1::zeros(100));
    let (mut model_grad, mut grad) = (Array1::zeros(1), Array1::zeros(100));
    let (estimator, key) = (PlateScoreFunction::leave_one_out(20), StreamKey::from_seed(1));
    let workspace = &mut PlateWorkspace::default();
    let error = elbo
        .gradient(&estimator, &theta, &logits, key, Exec::local(), workspace, &mut model_grad, &mut grad)
        .unwrap_err();
    let message = error.to_string();
    let SgviError::Datum { datum: 70, source } = error else { panic!("{message}") };
    assert!(matches!(*source, SgviError::NonFiniteLogJoint { value, .. } if value.is_nan()), "{message}");
    assert!(
        message.starts_with("datum 70: log joint is NaN at sample ") && message.ends_with("bit[1] = 1"),
        "{message}"
    );
    let error = evaluate_plate(elbo, &theta, &logits, 20, key, Exec::local()).unwrap_err();
    assert!(matches!(error, SgviError::Datum { datum: 70, .. }), "{error}");
}

#[test]
fn parameters_outside_their_domain_are_named() {
    let small = Small::new(5, 4, 3);
    let table = Table::new(5, &small.family);
    let elbo = PlateElbo::new(&small.model, &small.family, &table).unwrap();
    let kernel =
        VariationalEm::new(elbo, PlateScoreFunction::leave_one_out(4), Adam::default(), Adam::default())
            .unwrap();
    let mut theta = small.theta.clone();
    theta[13] = f64::NAN;
    let error = kernel.init_at(theta, normal(15, 1)).unwrap_err();
    let expected = "model parameter pixel_bias[2] = NaN, but it must be finite";
    assert!(matches!(error, SgviError::Plate(_)) && error.to_string() == expected, "{error}");
    let error = kernel.init_at(small.theta.clone(), normal(14, 1)).unwrap_err();
    assert!(matches!(error, SgviError::Length { expected: 15, actual: 14, .. }), "{error}");
    assert!(matches!(kernel.init_at(normal(3, 1), normal(15, 1)), Err(SgviError::Length { .. })));
    let mut logits = normal(15, 1);
    logits[10] = f64::INFINITY;
    let mut state = kernel.init_at(small.theta.clone(), logits).unwrap();
    let error = kernel.step(StreamKey::from_seed(2), &mut state).unwrap_err();
    let SgviError::Datum { datum: 3, ref source } = error else { panic!("{error}") };
    assert!(matches!(**source, SgviError::Family(_)), "{error}");
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let small = Small::new(5, 4, 3);
    let family = &small.family;
    let wrong = Table::new(4, family);
    let error = PlateElbo::new(&small.model, family, &wrong).unwrap_err();
    assert!(matches!(error, SgviError::Length { expected: 5, actual: 4, .. }), "{error}");
    let space = ParameterSpace::new([Parameter::vector("z", 2, Support::Binary)]).unwrap();
    let other = BernoulliPlate::for_space(&space).unwrap();
    let error = PlateElbo::new(&small.model, &other, &Table::new(5, &other)).unwrap_err();
    assert!(matches!(error, SgviError::Dimension { model: 3, family: 2 }), "{error}");
    let mut features = Array2::zeros((5, 2));
    features[[3, 1]] = f64::NAN;
    let error = LinearEncoder::new(features.clone(), family).unwrap_err();
    assert!(matches!(error, SgviError::Feature { datum: 3, feature: 1, .. }), "{error}");
    assert!(HiddenLayerEncoder::new(features, 2, family).is_err());
    let none = HiddenLayerEncoder::new(Array2::zeros((5, 2)), 0, family).unwrap_err();
    assert!(matches!(none, SgviError::NoData { what: "hidden units" }), "{none}");
    assert!(matches!(LinearEncoder::new(Array2::zeros((0, 2)), family), Err(SgviError::NoData { .. })));
    let encoder = LinearEncoder::new(Array2::zeros((5, 2)), family).unwrap();
    let error = encoder.with_features(Array2::zeros((5, 3))).unwrap_err();
    assert!(matches!(error, SgviError::Length { expected: 2, actual: 3, .. }), "{error}");
}

#[test]
fn settings_outside_their_domain_are_refused() {
    let small = Small::new(5, 4, 3);
    let table = Table::new(5, &small.family);
    let elbo = PlateElbo::new(&small.model, &small.family, &table).unwrap();
    let kernel = |n_points: usize| {
        VariationalEm::new(
            elbo,
            PlateScoreFunction::leave_one_out(n_points),
            Adam::default(),
            Adam::default(),
        )
    };
    assert!(matches!(kernel(1), Err(SgviError::TooFewSamples { minimum: 2, actual: 1, .. })));
    for size in [0, 6] {
        assert!(matches!(kernel(2).unwrap().with_batch_size(size), Err(SgviError::Setting { .. })));
    }
    let natural = NaturalGradient::default();
    let estimator = PlateScoreFunction::leave_one_out(2);
    let kernel = VariationalEm::new(elbo, estimator, Adam::default(), natural).unwrap();
    let mut state = kernel.init(StreamKey::from_seed(3)).unwrap();
    let error = kernel.step(StreamKey::from_seed(4), &mut state).unwrap_err();
    assert!(error.to_string().contains("no natural gradient"), "{error}");
    assert!(matches!(
        evaluate_plate(elbo, &small.theta, &normal(15, 1), 1, StreamKey::from_seed(5), Exec::local()),
        Err(SgviError::TooFewSamples { .. })
    ));
}
