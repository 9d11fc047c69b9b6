//! Gauss–Hermite quadrature: a bias that is labelled.

use ndarray::{Array1, ArrayRef1, array};
use vi_core::{Exec, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::MeanFieldGaussian;
use vi_sgvi::{Elbo, GradientEstimator, LocalQuadrature, Memory};

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
