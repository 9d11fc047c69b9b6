//! What does not fit is an error that names it.

use ndarray::{Array1, ArrayRef1};
use vi_core::{Exec, LocalLogJoint, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::ProductFamily;
use vi_sgvi::{
    Arm, DisArm, Elbo, Enumeration, GradientEstimator, LocalExpectations, LocalQuadrature, MeasureValued,
    Memory, PerFactor, ScoreFunction, SgviError,
};

use crate::common::{Mixture, Spins, params_of};

fn error<M, E>(model: &M, estimator: &E) -> SgviError
where
    M: LogJoint,
    E: GradientEstimator<M, ProductFamily>,
{
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let elbo = Elbo::new(model, &family).unwrap();
    let (params, key) = (params_of(&family), StreamKey::from_seed(4));
    let mut grad = Array1::zeros(params.len());
    estimator.estimate(elbo, &params, key, Exec::local(), &mut Memory::default(), &mut grad).unwrap_err()
}

#[test]
fn factors_without_finitely_many_values_are_named() {
    let model = Mixture::new();
    let messages = [
        error(&model, &LocalExpectations::new(3)),
        error(&model, &DisArm::new(3)),
        error(&model, &Arm::new(3)),
        error(&model, &Enumeration::default()),
    ];
    for e in messages {
        assert!(matches!(&e, SgviError::NotFinitelyMany { factor, .. } if factor == "m"), "{e}");
    }
    let e = error(&model, &LocalQuadrature::new(3, 4));
    assert!(matches!(&e, SgviError::NotFinitelyMany { factor, .. } if factor == "tau"), "{e}");
}

#[test]
fn a_parameter_without_decomposition_is_named() {
    let e = error(&Mixture::new(), &MeasureValued::new(3));
    assert!(matches!(&e, SgviError::NoDecomposition { parameter } if parameter == "log_shape(tau)"), "{e}");
}

#[test]
fn too_many_states_are_counted() {
    let few = Enumeration { n_samples: 1, limit: 100 };
    let e = error(&Spins::dense(12), &few);
    assert!(matches!(e, SgviError::TooManyStates { n_points: 4096, limit: 100 }), "{e}");
    assert!(e.to_string().contains("4096"), "{e}");
    // More than any integer holds.
    let wide = ParameterSpace::new([Parameter::vector("bit", 200, Support::Binary)]).unwrap();
    let e = error(&Hole { space: wide, value: 0.0, at: 1.0 }, &Enumeration::default());
    assert!(matches!(e, SgviError::TooManyStates { n_points: u128::MAX, .. }), "{e}");
}

#[test]
fn unknown_variables_are_named() {
    let model = Mixture::new();
    let (a, b) = (DisArm::new(2), ScoreFunction::naive(2));
    let e = PerFactor::new(model.parameters(), &["k", "sigma"], a, b).unwrap_err();
    assert!(matches!(&e, SgviError::UnknownVariable { name } if name == "sigma"), "{e}");
}

#[test]
fn no_samples() {
    let model = Spins::dense(3);
    let errors = [
        error(&model, &LocalExpectations::new(0)),
        error(&model, &MeasureValued::new(0)),
        error(&model, &Arm::new(0)),
        error(&model, &DisArm::new(0)),
    ];
    for e in errors {
        assert!(matches!(e, SgviError::TooFewSamples { actual: 0, .. }), "{e}");
    }
    let rest = ScoreFunction::leave_one_out(4);
    let mixture = Mixture::new();
    let e =
        error(&mixture, &PerFactor::new(mixture.parameters(), &["k"], Enumeration::around(0), rest).unwrap());
    assert!(matches!(e, SgviError::TooFewSamples { actual: 0, .. }), "{e}");
}

/// 0 but for one value of the last bit.
struct Hole {
    space: ParameterSpace,
    value: f64,
    at: f64,
}

impl LogJoint for Hole {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        if z[z.len() - 1] == self.at { self.value } else { 0.0 }
    }
}

impl LocalLogJoint for Hole {
    fn n_blocks(&self) -> usize {
        1
    }
    fn block(&self, _b: usize) -> std::ops::Range<usize> {
        0..self.dim()
    }
    fn log_joint_block(&self, _b: usize, z: &ArrayRef1<f64>) -> f64 {
        self.log_joint(z)
    }
}

/// The logit of the last bit decides whether a draw finds the hole; with 30 it does not within a few draws, but the
/// sum over the values does.
#[test]
fn values_that_no_draw_shows_are_evaluated_too() {
    for value in [f64::NEG_INFINITY, f64::NAN] {
        let space = ParameterSpace::new([Parameter::vector("bit", 3, Support::Binary)]).unwrap();
        let model = Hole { space, value, at: 0.0 };
        let family = ProductFamily::for_space(model.parameters()).unwrap();
        let elbo = Elbo::new(&model, &family).unwrap();
        let params = ndarray::array![0.1, 0.2, 30.0];
        let (mut grad, key) = (Array1::zeros(3), StreamKey::from_seed(4));
        macro_rules! fails {
            ($estimator:expr) => {
                let memory = &mut Memory::default();
                let e =
                    $estimator.estimate(elbo, &params, key, Exec::local(), memory, &mut grad).unwrap_err();
                let SgviError::NonFiniteLogJoint { value: found, z, .. } = e else { panic!("{e}") };
                assert_eq!(found.to_bits(), value.to_bits());
                assert_eq!((z.0[2].0.as_str(), z.0[2].1), ("bit[3]", 0.0));
            };
        }
        fails!(LocalExpectations::new(2));
        fails!(LocalExpectations::new(2).rao_blackwellized());
        fails!(MeasureValued::new(2));
        fails!(Enumeration::default());
        // A value of probability zero counts for nothing.
        let params = ndarray::array![0.1, 0.2, 800.0];
        let memory = &mut Memory::default();
        Enumeration::default().estimate(elbo, &params, key, Exec::local(), memory, &mut grad).unwrap();
        LocalExpectations::new(2).estimate(elbo, &params, key, Exec::local(), memory, &mut grad).unwrap();
    }
}
