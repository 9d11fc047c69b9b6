//! Gaussian targets.

use ndarray::{Array1, ArrayRef1, array};
use vi_core::{Exec, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::{MeanFieldGaussian, ProductFamily};
use vi_sgvi::testing::check_estimator;
use vi_sgvi::{Elbo, GradientEstimator, LocalQuadrature, MeasureValued, Memory};

use crate::gaussian_target::GaussianTarget;

const SIZES: [usize; 4] = [2, 3, 10, 100];

fn params() -> Array1<f64> {
    array![0.2, -0.5, 1.0, -0.4, 0.3, 0.1]
}

#[test]
fn measure_valued_derivatives_of_locations_and_scales() {
    let target = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(target.parameters()).unwrap();
    let gradient = target.mean_field_gradient(&params());
    for s in SIZES {
        let key = StreamKey::from_seed(19_061_065).fold_in(s as u64);
        check_estimator(&MeasureValued::new(s), &target, &family, &params(), &gradient, 400, key);
    }
}

/// λ of the product holds location and log scale of one coordinate after the other.
#[test]
fn measure_valued_derivatives_of_a_product() {
    let target = GaussianTarget::correlated();
    let family = ProductFamily::for_space(target.parameters()).unwrap();
    let gradient = target.mean_field_gradient(&params());
    let alternate = |v: &Array1<f64>| (0..6).map(|i| v[i / 2 + 3 * (i % 2)]).collect::<Array1<f64>>();
    for s in SIZES {
        let key = StreamKey::from_seed(42).fold_in(s as u64);
        let (params, gradient) = (alternate(&params()), alternate(&gradient));
        check_estimator(&MeasureValued::new(s), &target, &family, &params, &gradient, 400, key);
    }
}

/// The target is a polynomial of degree two: four nodes miss nothing.
#[test]
fn quadrature_of_a_polynomial() {
    let target = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(target.parameters()).unwrap();
    let gradient = target.mean_field_gradient(&params());
    for s in SIZES {
        let key = StreamKey::from_seed(43).fold_in(s as u64);
        let estimator = LocalQuadrature::new(s, 4);
        check_estimator(&estimator, &target, &family, &params(), &gradient, 400, key);
    }
}

/// log p = z − e^z.
struct Exponential(ParameterSpace);

impl LogJoint for Exponential {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        z[0] - z[0].exp()
    }
}

/// One coordinate and nothing to draw: the error is that of the rule alone. It is labelled, visible with three nodes,
/// and gone with twenty.
#[test]
fn quadrature_of_an_exponential_is_biased_and_says_so() {
    let model = Exponential(ParameterSpace::new([Parameter::scalar("z", Support::Real)]).unwrap());
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let elbo = Elbo::new(&model, &family).unwrap();
    let (params, mut grad) = (array![0.3, 0.0], Array1::zeros(2));
    let mean = 0.8f64.exp();
    let exact = [1.0 - mean, 1.0 - mean];
    let mut worst = |n_nodes: usize| {
        let estimator = LocalQuadrature::new(2, n_nodes);
        assert!(GradientEstimator::<Exponential, MeanFieldGaussian>::bias(&estimator).is_some());
        let key = StreamKey::from_seed(44);
        estimator.estimate(elbo, &params, key, Exec::local(), &mut Memory::default(), &mut grad).unwrap();
        grad.iter().zip(exact).map(|(g, e)| (g - e).abs()).fold(0.0, f64::max)
    };
    assert!(worst(3) > 0.1, "three nodes: {}", worst(3));
    assert!(worst(20) < 1e-10, "twenty nodes: {}", worst(20));
}
