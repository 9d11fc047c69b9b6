//! Parameters without a distribution, for ascent rules that ask for a family.

use ndarray::{Array1, ArrayRef1};
use vi_core::StreamRng;
use vi_families::{FamilyError, VariationalDistribution, VariationalFamily};

/// All mass on one point, which is the parameter vector. It has no Fisher information: a natural gradient of θ or of an
/// encoder does not exist, and is refused with [`FamilyError::NoFisher`].
#[derive(Debug)]
pub(super) struct PointMass {
    pub(super) n_params: usize,
}

#[derive(Debug)]
pub(super) struct PointMassMember<'a>(&'a ArrayRef1<f64>);

impl VariationalFamily for PointMass {
    type Member<'a> = PointMassMember<'a>;

    fn dim(&self) -> usize {
        self.n_params
    }
    fn n_params(&self) -> usize {
        self.n_params
    }
    fn param_names(&self) -> Vec<String> {
        (0..self.n_params).map(|i| format!("parameter[{}]", i + 1)).collect()
    }
    fn init(&self) -> Array1<f64> {
        Array1::zeros(self.n_params)
    }
    fn bind<'a>(&'a self, params: &'a ArrayRef1<f64>) -> Result<PointMassMember<'a>, FamilyError> {
        Ok(PointMassMember(params))
    }
}

impl VariationalDistribution for PointMassMember<'_> {
    fn dim(&self) -> usize {
        self.0.len()
    }
    fn n_params(&self) -> usize {
        self.0.len()
    }
    fn sample(&self, _rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        z.assign(self.0);
    }
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        if z == self.0 { 0.0 } else { f64::NEG_INFINITY }
    }
    fn add_score(&self, _z: &ArrayRef1<f64>, _weight: f64, _out: &mut ArrayRef1<f64>) {}
    fn entropy(&self) -> Option<f64> {
        None
    }
}
