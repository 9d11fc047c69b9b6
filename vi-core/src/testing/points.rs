//! Random points of any parameter space.

use std::f64::consts::PI;

use ndarray::{Array1, Array2, ArrayRef1, s};
use rand::RngExt;
use rand_distr::StandardNormal;

use crate::bijector::Bijection;
use crate::key::{StreamKey, StreamRng};
use crate::parameter::{Parameter, ParameterSpace, Support};

/// Random points (n, D) inside the support of `space`; row i comes from `key.rng(i)`.
///
/// A continuous variable is the image of standard normal values under its [`Bijection`]; a binary or
/// categorical one and an angle are uniform, a count is uniform on {0, …, 9}.
pub fn random_points(space: &ParameterSpace, n: usize, key: StreamKey) -> Array2<f64> {
    let mut out = Array2::zeros((n, space.dim()));
    for (i, mut row) in out.rows_mut().into_iter().enumerate() {
        let mut rng = key.rng(i as u64);
        for p in space.parameters() {
            fill(p, &mut rng, &mut row.slice_mut(s![p.range()]));
        }
    }
    out
}

fn fill(p: &Parameter, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
    let n = match p.support() {
        Support::Binary => 2,
        Support::Count => 10,
        Support::Categorical { n } => n,
        Support::Angle => {
            z.mapv_inplace(|_| rng.random_range(-PI..PI));
            return;
        }
        _ => {
            let alone = ParameterSpace::new([p.clone()]).expect("a variable of a space is a space");
            let bijection = Bijection::new(&alone).expect("its support is continuous");
            let u = standard_normal(bijection.unconstrained().dim(), rng);
            bijection.constrain(&u, z);
            return;
        }
    };
    z.mapv_inplace(|_| rng.random_range(0..n) as f64);
}

/// Standard normal values.
pub(super) fn standard_normal(n: usize, rng: &mut StreamRng) -> Array1<f64> {
    Array1::from_shape_simple_fn(n, || rng.sample(StandardNormal))
}
