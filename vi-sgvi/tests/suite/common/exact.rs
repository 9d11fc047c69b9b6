//! Exact gradients of the ELBO of any small model: sums over discrete coordinates, quadrature over the others.

use ndarray::{Array1, ArrayRef1};
use vi_core::{LogJoint, ParameterSpace, Support};
use vi_families::{VariationalDistribution, VariationalFamily};

/// A model made of a function.
pub(crate) struct Model {
    pub(crate) space: ParameterSpace,
    pub(crate) log_joint: fn(&ArrayRef1<f64>) -> f64,
}

impl LogJoint for Model {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        (self.log_joint)(z)
    }
}

/// The nodes of one element, with their weights. Continuous elements: the trapezoidal rule in a coordinate on ℝ in
/// which densities fall off exponentially at least, so that it converges faster than any power of the step; z = sinh t
/// on the real line, for heavy tails.
fn nodes(support: Support) -> Vec<(Vec<f64>, f64)> {
    let line = |half_width: f64, n: i32| {
        let step = half_width / f64::from(n);
        (-n..=n).map(move |i| (f64::from(i) * step, step))
    };
    let sigmoid = |t: f64| 1.0 / (1.0 + (-t).exp());
    match support {
        Support::Real => line(14.0, 150).map(|(t, h)| (vec![t.sinh()], h * t.cosh())).collect(),
        Support::Positive => line(30.0, 300).map(|(t, h)| (vec![t.exp()], h * t.exp())).collect(),
        Support::Interval { lower, upper } => {
            let place = |(t, h): (f64, f64)| {
                let slope = sigmoid(t) * sigmoid(-t);
                (vec![lower + (upper - lower) * sigmoid(t)], h * slope * (upper - lower))
            };
            line(30.0, 250).map(place).collect()
        }
        // Of two elements.
        Support::Simplex => {
            let place = |(t, h): (f64, f64)| (vec![sigmoid(t), sigmoid(-t)], h * sigmoid(t) * sigmoid(-t));
            line(30.0, 250).map(place).collect()
        }
        Support::Binary => (0..2).map(|k| (vec![f64::from(k)], 1.0)).collect(),
        Support::Categorical { n } => (0..n).map(|k| (vec![k as f64], 1.0)).collect(),
        other => panic!("no nodes for {other}"),
    }
}

/// ∇_λ ELBO = ∫ q(z) [log p(x, z) − log q(z)] ∇_λ log q(z) dz.
pub(crate) fn exact_gradient<M: LogJoint + ?Sized, F: VariationalFamily>(
    model: &M,
    family: &F,
    params: &ArrayRef1<f64>,
) -> Array1<f64> {
    exact(model, family, params).1
}

/// The ELBO and its gradient.
pub(crate) fn exact<M: LogJoint + ?Sized, F: VariationalFamily>(
    model: &M,
    family: &F,
    params: &ArrayRef1<f64>,
) -> (f64, Array1<f64>) {
    let q = family.bind(params).unwrap();
    let mut grid: Vec<(Vec<f64>, f64)> = vec![(Vec::new(), 1.0)];
    for p in model.parameters().parameters() {
        for _ in 0..p.n_events() {
            let axis = nodes(p.support());
            let extend = |(z, w): &(Vec<f64>, f64)| {
                let (z, w) = (z.clone(), *w);
                let one = |(more, v): &(Vec<f64>, f64)| ([z.clone(), more.clone()].concat(), w * v);
                axis.iter().map(one).collect::<Vec<_>>()
            };
            grid = grid.iter().flat_map(extend).collect();
        }
    }
    let (mut elbo, mut grad, mut total) = (0.0, Array1::zeros(params.len()), 0.0);
    for (z, weight) in grid {
        let z = Array1::from(z);
        let log_q = q.log_prob(&z);
        let mass = weight * log_q.exp();
        if mass > 0.0 {
            total += mass;
            let f = model.log_joint(&z) - log_q;
            elbo += mass * f;
            q.add_score(&z, mass * f, &mut grad);
        }
    }
    assert!((total - 1.0).abs() < 1e-8, "q integrates to {total}");
    (elbo, grad)
}
