//! Members as images of the uniform law on the unit cube.

use ndarray::{ArrayRef1, s};

use super::gaussian::{with_slice, with_slice_mut};
use super::{
    BlockDiagonalGaussianMember, FactorizedDistribution, FullRankGaussianMember, GaussianMixtureMember,
    LearnedStudentTMeanFieldMember, LowRankGaussianMember, MeanFieldGaussianMember, MixtureComponent,
    ProductMember, StudentTMeanFieldMember, VariationalDistribution,
};
use crate::predictive::StudentT;
use crate::special::{normal_quantile, normal_quantile_slice};

/// A member that is the image of the uniform law on a cube: z = t_λ(u), u uniform on (0, 1)ⁿ.
///
/// ```text
/// z_i = F_i⁻¹(u_i)                        independent coordinates, discrete ones included
/// z   = m + L (Φ⁻¹(u_1), …, Φ⁻¹(u_D))     Gaussians
/// z   = g/Σg,  g_k = F⁻¹_{Gamma(α_k)}(u_k)    Dirichlet
/// ```
/// Monotone in every uniform where coordinates are independent: u and 1 − u give draws that lie on opposite sides.
/// Points that fill the cube evenly give draws that fill q evenly. Methods with dependent draws ask for it.
pub trait UniformTransport: VariationalDistribution {
    /// The length n of u.
    fn n_uniforms(&self) -> usize {
        self.dim()
    }
    /// Overwrites `z` (D) with t_λ(u), for `u` (n) in the open cube.
    ///
    /// # Panics
    /// If a length does not fit.
    fn transport_uniforms(&self, u: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>);
}

fn check_lengths<Q: UniformTransport>(q: &Q, u: &ArrayRef1<f64>, z: &ArrayRef1<f64>) {
    assert_eq!((u.len(), z.len()), (q.n_uniforms(), q.dim()), "wrong number of uniforms or coordinates");
}

impl UniformTransport for MeanFieldGaussianMember {
    fn transport_uniforms(&self, u: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        check_lengths(self, u, z);
        with_slice_mut(z, |z| {
            with_slice(u, |u| normal_quantile_slice(u, z));
            for ((z, mean), sd) in z.iter_mut().zip(self.mean()).zip(self.sd()) {
                *z = mean + sd * *z;
            }
        });
    }
}

impl UniformTransport for FullRankGaussianMember {
    fn transport_uniforms(&self, u: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        check_lengths(self, u, z);
        for (z, u) in z.iter_mut().zip(u) {
            *z = normal_quantile(*u);
        }
        // From the last row up, so that it can be done in place.
        for i in (0..z.len()).rev() {
            let sum: f64 = self.factor().row(i).iter().zip(z.iter()).take(i + 1).map(|(l, e)| l * e).sum();
            z[i] = self.mean()[i] + sum;
        }
    }
}

impl UniformTransport for BlockDiagonalGaussianMember<'_> {
    fn transport_uniforms(&self, u: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        check_lengths(self, u, z);
        for (i, block) in self.blocks().iter().enumerate() {
            let range = self.factor(i);
            block.transport_uniforms(&u.slice(s![range.clone()]), &mut z.slice_mut(s![range]));
        }
    }
}

/// D uniforms for the own noise of the coordinates, then one for every common factor.
impl UniformTransport for LowRankGaussianMember {
    fn n_uniforms(&self) -> usize {
        self.dim() + self.factor().ncols()
    }
    fn transport_uniforms(&self, u: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        check_lengths(self, u, z);
        for (((z, u), mean), scale) in z.iter_mut().zip(u).zip(self.mean()).zip(self.scale()) {
            *z = mean + scale * normal_quantile(*u);
        }
        for (column, u) in self.factor().columns().into_iter().zip(u.iter().skip(self.dim())) {
            z.scaled_add(normal_quantile(*u), &column);
        }
    }
}

impl UniformTransport for StudentTMeanFieldMember {
    fn transport_uniforms(&self, u: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        check_lengths(self, u, z);
        for (i, (z, u)) in z.iter_mut().zip(u).enumerate() {
            let t = StudentT::from_location_scale_dof(self.location()[i], self.scale()[i], self.dof()[i])
                .expect("parameters of a member are valid");
            *z = t.quantile(*u);
        }
    }
}

impl UniformTransport for LearnedStudentTMeanFieldMember {
    fn transport_uniforms(&self, u: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        self.shape().transport_uniforms(u, z);
    }
}

/// One uniform for every coordinate, K of them for a simplex of K elements.
impl UniformTransport for ProductMember<'_> {
    fn transport_uniforms(&self, u: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        check_lengths(self, u, z);
        self.transport_factors(u, z);
    }
}

/// The first uniform chooses the component, the others are the component's.
impl<C: MixtureComponent + UniformTransport> UniformTransport for GaussianMixtureMember<C> {
    fn n_uniforms(&self) -> usize {
        1 + self.components()[0].n_uniforms()
    }
    fn transport_uniforms(&self, u: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        check_lengths(self, u, z);
        let mut rest = u[0];
        let chosen = self.weights().iter().position(|w| {
            rest -= w;
            rest < 0.0
        });
        // What rounding leaves of the weights belongs to the last component that has any.
        let last = || self.weights().iter().rposition(|w| *w > 0.0).expect("weights add up to one");
        self.components()[chosen.unwrap_or_else(last)].transport_uniforms(&u.slice(s![1..]), z);
    }
}
