//! Limits in which the estimators are others; names; what is refused.

use ndarray::{Array1, array};
use vi_core::{Exec, LogJoint, StreamKey};
use vi_families::{MeanFieldGaussian, ProductFamily};
use vi_sgvi::{
    Bound, Elbo, GradientEstimator, ImportanceBound, ImportancePathwise, Memory, Pathwise, Sgd, Sgvi,
    SgviError, Vimco, evaluate_bound,
};

use crate::evidence::regression;

fn gradient<E>(estimator: &E) -> Array1<f64>
where
    E: GradientEstimator<vi_models::linear_regression::LinearRegression, MeanFieldGaussian>,
{
    let model = regression();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let params = Array1::from_shape_fn(2 * model.dim(), |p| 0.3 * (1.7 * p as f64 + 0.4).sin());
    let mut grad = Array1::from_elem(params.len(), f64::NAN);
    let elbo = Elbo::new(&model, &family).unwrap();
    let key = StreamKey::from_seed(4);
    estimator.estimate(elbo, &params, key, Exec::local(), &mut Memory::default(), &mut grad).unwrap();
    grad
}

fn assert_close(a: &Array1<f64>, b: &Array1<f64>) {
    let scale = a.iter().fold(1.0_f64, |s, v| s.max(v.abs()));
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12 * scale), "{a} ≠ {b}");
}

#[test]
fn one_sample_is_the_elbo() {
    let bound = ImportanceBound::importance_weighted(1).unwrap();
    let naive = gradient(&ImportancePathwise::naive(bound, 90));
    assert_close(&naive, &gradient(&Pathwise::monte_carlo_entropy(90)));
    let doubly = gradient(&ImportancePathwise::doubly_reparameterized(bound, 90));
    assert_close(&doubly, &gradient(&Pathwise::sticking_the_landing(90)));
}

#[test]
fn order_one_is_the_elbo_of_all_samples() {
    let bound = ImportanceBound::renyi(1.0, 15).unwrap();
    let doubly = gradient(&ImportancePathwise::doubly_reparameterized(bound, 6));
    assert_close(&doubly, &gradient(&Pathwise::sticking_the_landing(90)));
}

#[test]
fn the_kernel_names_the_bound_of_its_trace() {
    let model = regression();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let bound = ImportanceBound::importance_weighted(8).unwrap();
    let estimator = ImportancePathwise::doubly_reparameterized(bound, 2);
    let kernel = Sgvi::new(&model, &family, &estimator, Sgd::default()).unwrap();
    assert_eq!(kernel.bound(), Bound::Importance(bound));
    assert_eq!(kernel.bound().to_string(), "importance-weighted ELBO, K = 8");
    let kernel = Sgvi::new(&model, &family, Pathwise::new(4), Sgd::default()).unwrap();
    assert_eq!(kernel.bound().to_string(), "ELBO");
    assert_eq!(ImportanceBound::renyi(0.5, 3).unwrap().to_string(), "Rényi bound, α = 0.5, K = 3");
}

#[test]
fn settings_outside_their_domain_are_named() {
    for (alpha, k, name) in [(-0.1, 3, "alpha"), (f64::NAN, 3, "alpha"), (0.5, 0, "n_importance")] {
        match ImportanceBound::renyi(alpha, k).unwrap_err() {
            SgviError::Setting { name: n, .. } => assert_eq!(n, name),
            other => panic!("{other}"),
        }
    }
    let model = regression();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let elbo = Elbo::new(&model, &family).unwrap();
    let params = Array1::zeros(2 * model.dim());
    let (mut grad, key) = (params.clone(), StreamKey::from_seed(0));
    let one = ImportanceBound::importance_weighted(1).unwrap();
    let vimco = Vimco::new(one, 8);
    let error = vimco.estimate(elbo, &params, key, Exec::local(), &mut Memory::default(), &mut grad);
    assert!(matches!(error, Err(SgviError::TooFewSamples { estimator: "VIMCO", minimum: 2, actual: 1 })));
    let error = evaluate_bound(elbo, &params, one, 1, key, Exec::local());
    assert!(matches!(error, Err(SgviError::TooFewSamples { .. })));
}

#[test]
fn discrete_factors_are_refused_by_name() {
    use ndarray::ArrayRef1;
    use vi_core::{GradLogJoint, Parameter, ParameterSpace, Support};
    struct Switch(ParameterSpace);
    impl LogJoint for Switch {
        fn parameters(&self) -> &ParameterSpace {
            &self.0
        }
        fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
            -0.5 * (z[0] - z[1]).powi(2)
        }
    }
    impl GradLogJoint for Switch {
        fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
            grad[0] = z[1] - z[0];
            grad[1] = 0.0;
            self.log_joint(z)
        }
    }
    let space = ParameterSpace::new([
        Parameter::scalar("x", Support::Real),
        Parameter::scalar("on", Support::Binary),
    ]);
    let model = Switch(space.unwrap());
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let elbo = Elbo::new(&model, &family).unwrap();
    let (params, mut grad) = (array![0.0, 0.0, 0.0], Array1::zeros(3));
    let key = StreamKey::from_seed(0);
    let error =
        Pathwise::new(3).estimate(elbo, &params, key, Exec::local(), &mut Memory::default(), &mut grad);
    let message = error.unwrap_err().to_string();
    assert_eq!(message, "the factor of on is discrete: its draws cannot be differentiated");
}
