//! Coupled variables with finitely many values: every expectation is a sum over states.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef1};
use vi_core::{LocalLogJoint, LogJoint, Parameter, ParameterSpace, Support};
use vi_families::{ProductFamily, VariationalFamily};

/// log p(x, z) = Σ_i field_i[z_i] + Σ_{i<j} coupling_ij z_i z_j + offset over variables with any numbers of values.
#[derive(Debug)]
pub(crate) struct Spins {
    parameters: ParameterSpace,
    field: Array2<f64>,
    coupling: Array2<f64>,
}

const OFFSET: f64 = -8.0;

impl Spins {
    fn new(parameters: ParameterSpace, coupling: impl Fn(usize, usize) -> f64) -> Self {
        let d = parameters.dim();
        Self {
            parameters,
            field: Array2::from_shape_fn((d, 5), |(i, k)| (k as f64) * ((2 * i + 3 * k) as f64).cos()),
            coupling: Array2::from_shape_fn((d, d), |(i, j)| if i < j { coupling(i, j) } else { 0.0 }),
        }
    }

    /// Five bits with couplings of both signs.
    pub(crate) fn five_bits() -> Self {
        let fields = [0.4, -0.8, 0.1, 1.1, -0.3];
        let field = Array2::from_shape_fn((5, 5), |(i, k)| k as f64 * fields[i]);
        Self { field, ..Self::dense(5) }
    }

    /// `d` bits, all coupled with all.
    pub(crate) fn dense(d: usize) -> Self {
        let space = ParameterSpace::new([Parameter::vector("bit", d, Support::Binary)]).unwrap();
        Self::new(space, |i, j| ((3 * i + 5 * j) as f64).sin())
    }

    /// `d` bits, each coupled with its neighbours.
    pub(crate) fn chain(d: usize) -> Self {
        let space = ParameterSpace::new([Parameter::vector("bit", d, Support::Binary)]).unwrap();
        Self::new(space, |i, j| if j == i + 1 { 0.8 } else { 0.0 })
    }

    /// Two bits, two variables with three values, one with five.
    pub(crate) fn categories() -> Self {
        let space = ParameterSpace::new([
            Parameter::vector("bit", 2, Support::Binary),
            Parameter::vector("three", 2, Support::Categorical { n: 3 }),
            Parameter::scalar("five", Support::Categorical { n: 5 }),
        ]);
        Self::new(space.unwrap(), |i, j| 0.5 * ((3 * i + 5 * j) as f64).sin())
    }

    pub(crate) fn family(&self) -> ProductFamily {
        ProductFamily::for_space(&self.parameters).unwrap()
    }
}

impl LogJoint for Spins {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let fields = z.iter().enumerate().map(|(i, z)| self.field[[i, *z as usize]]).sum::<f64>();
        OFFSET + fields + z.dot(&self.coupling.dot(z))
    }
}

impl LocalLogJoint for Spins {
    fn n_blocks(&self) -> usize {
        self.dim()
    }
    fn block(&self, b: usize) -> Range<usize> {
        b..b + 1
    }
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        let couplings = self.coupling.row(b).dot(z) + self.coupling.column(b).dot(z);
        self.field[[b, z[b] as usize]] + z[b] * couplings
    }
}

/// λ without symmetry.
pub(crate) fn params_of<F: VariationalFamily>(family: &F) -> Array1<f64> {
    (0..family.n_params()).map(|p| 0.9 * (1.7 * p as f64 + 0.4).sin()).collect()
}
