//! Pathwise gradients of bounds against integrals over the noise of all K samples.

use ndarray::{Array1, ArrayRef1, array};
use vi_core::{GradLogJoint, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::{MeanFieldGaussian, ProductFamily, VariationalFamily};
use vi_sgvi::testing::check_estimator;
use vi_sgvi::{ImportanceBound, ImportancePathwise};

use crate::{gradient_of, sample_bound};

/// log p = −½ z² − 2 log cosh(z − 1): skewed and unnormalised.
struct Skewed {
    parameters: ParameterSpace,
}

impl LogJoint for Skewed {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        -0.5 * z[0] * z[0] - 2.0 * (z[0] - 1.0).cosh().ln()
    }
}

impl GradLogJoint for Skewed {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        grad[0] = -z[0] - 2.0 * (z[0] - 1.0).tanh();
        self.log_joint(z)
    }
}

/// E[L̂] at λ = (m, log s): the trapezoidal rule over ε in (−7, 7)ᴷ, exact to rounding for smooth integrands.
fn exact(model: &Skewed, alpha: f64, k: usize, params: &Array1<f64>) -> f64 {
    const N: usize = 57;
    let step = 14.0 / (N - 1) as f64;
    let (m, log_s) = (params[0], params[1]);
    let nodes: Vec<(f64, f64)> = (0..N)
        .map(|i| {
            let e = -7.0 + i as f64 * step;
            let log_normal = -0.5 * (e * e + (2.0 * std::f64::consts::PI).ln());
            let log_weight = model.log_joint(&array![m + log_s.exp() * e]) - (log_normal - log_s);
            (log_normal.exp() * step, log_weight)
        })
        .collect();
    let mut total = 0.0;
    let mut log_weights = vec![0.0; k];
    for c in 0..N.pow(k as u32) {
        let (mut c, mut mass) = (c, 1.0);
        for f in &mut log_weights {
            mass *= nodes[c % N].0;
            *f = nodes[c % N].1;
            c /= N;
        }
        total += mass * sample_bound(alpha, &log_weights);
    }
    total
}

#[test]
fn both_gradients_are_unbiased() {
    let model = Skewed { parameters: ParameterSpace::new([Parameter::scalar("z", Support::Real)]).unwrap() };
    let mean_field = MeanFieldGaussian::new(model.parameters()).unwrap();
    let product = ProductFamily::for_space(model.parameters()).unwrap();
    let params = array![0.9, -0.3];
    for (i, (alpha, k)) in
        [(0.0, 1), (0.0, 2), (0.0, 3), (0.5, 2), (1.0, 2), (2.0, 2)].into_iter().enumerate()
    {
        let bound = ImportanceBound::renyi(alpha, k).unwrap();
        let gradient = gradient_of(|params| exact(&model, alpha, k, params), &params);
        assert!(gradient.iter().all(|g| g.abs() > 1e-3), "a vanishing gradient tests nothing: {gradient}");
        let key = StreamKey::from_seed(1810).fold_in(i as u64);
        for (m, replicates) in [(1, 4000), (50, 300)] {
            let naive = ImportancePathwise::naive(bound, m);
            let doubly = ImportancePathwise::doubly_reparameterized(bound, m);
            let key = key.fold_in(m as u64);
            check_estimator(&naive, &model, &mean_field, &params, &gradient, replicates, key.fold_in(0));
            check_estimator(&doubly, &model, &mean_field, &params, &gradient, replicates, key.fold_in(1));
            check_estimator(&doubly, &model, &product, &params, &gradient, replicates, key.fold_in(2));
        }
        assert_eq!(product.init().len(), 2);
    }
}
