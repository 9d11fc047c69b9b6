//! Members whose log density can be differentiated in z.

use ndarray::{Array1, ArrayRef1, ArrayRef2, Axis, s};
use vi_core::linalg::gemm;

use super::gaussian::{with_slice, with_slice_mut};
use super::{
    BlockDiagonalGaussianMember, FullRankGaussianMember, GaussianMixtureMember,
    LearnedStudentTMeanFieldMember, LowRankGaussianMember, MeanFieldGaussianMember, MixtureComponent,
    ProductMember, StudentTMeanFieldMember, VariationalDistribution,
};

/// A member with ∇_z log q_λ(z).
///
/// ```text
/// independent Gaussians     −(z − m)/s²
/// N(m, Σ)                   −Σ⁻¹(z − m)
/// Student t                 −(ν + 1) y/(ν + y²)/s,   y = (z − m)/s
/// mixture                   Σ_k r_k ∇_z log q_k,     r_k = π_k q_k/q
/// Gamma                     (a − 1)/z − b
/// Beta on (l, u)            (α − 1)/(z − l) − (β − 1)/(u − z)
/// Dirichlet                 (α_k − 1)/z_k
/// ```
/// On a simplex it is that of the formula of the density for all z > 0, whose part across the simplex means nothing.
/// Discrete coordinates have 0.
pub trait DifferentiableDensity: VariationalDistribution {
    /// out (D) += weight · ∇_z log q_λ(z).
    ///
    /// # Panics
    /// If a length is not D.
    fn add_log_prob_grad(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>);

    /// Row i of `out` (n, D) += weight · ∇_z log q_λ at row i of `z` (n, D).
    ///
    /// # Panics
    /// If a shape does not fit.
    fn add_log_prob_grad_batch(&self, z: &ArrayRef2<f64>, weight: f64, out: &mut ArrayRef2<f64>) {
        assert_eq!(z.dim(), out.dim(), "z and out have different shapes");
        for (z, mut out) in z.rows().into_iter().zip(out.rows_mut()) {
            self.add_log_prob_grad(&z, weight, &mut out);
        }
    }
}

fn check_lengths<Q: VariationalDistribution>(q: &Q, z: &ArrayRef1<f64>, out: &ArrayRef1<f64>) {
    assert_eq!((z.len(), out.len()), (q.dim(), q.dim()), "z or out has the wrong length");
}

fn check_shapes<Q: VariationalDistribution>(q: &Q, z: &ArrayRef2<f64>, out: &ArrayRef2<f64>) {
    let shape = (z.nrows(), q.dim());
    assert_eq!((z.dim(), out.dim()), (shape, shape), "z or out has the wrong shape");
}

impl DifferentiableDensity for MeanFieldGaussianMember {
    fn add_log_prob_grad(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        check_lengths(self, z, out);
        let (mean, inverse) = (self.mean(), self.inverse_sd());
        with_slice(z, |z| {
            with_slice_mut(out, |out| {
                for (((o, z), m), r) in out.iter_mut().zip(z).zip(mean).zip(inverse) {
                    *o -= weight * ((z - m) * r * r);
                }
            });
        });
    }
}

impl DifferentiableDensity for FullRankGaussianMember {
    fn add_log_prob_grad(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        self.add_log_prob_grad_batch(
            &z.view().insert_axis(Axis(0)),
            weight,
            &mut out.view_mut().insert_axis(Axis(0)),
        );
    }
    fn add_log_prob_grad_batch(&self, z: &ArrayRef2<f64>, weight: f64, out: &mut ArrayRef2<f64>) {
        check_shapes(self, z, out);
        // −L⁻ᵀ L⁻¹(z − m) as rows.
        gemm(-weight, &self.whiten_batch(z), &self.inverse, 1.0, out);
    }
}

impl DifferentiableDensity for LowRankGaussianMember {
    fn add_log_prob_grad(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        self.add_log_prob_grad_batch(
            &z.view().insert_axis(Axis(0)),
            weight,
            &mut out.view_mut().insert_axis(Axis(0)),
        );
    }
    fn add_log_prob_grad_batch(&self, z: &ArrayRef2<f64>, weight: f64, out: &mut ArrayRef2<f64>) {
        check_shapes(self, z, out);
        let whitened = self.whiten(z);
        for (w, mut out) in whitened.w.rows().into_iter().zip(out.rows_mut()) {
            for ((o, w), r) in out.iter_mut().zip(w).zip(&self.inverse_scale) {
                *o -= weight * (w * r);
            }
        }
    }
}

impl DifferentiableDensity for BlockDiagonalGaussianMember<'_> {
    fn add_log_prob_grad(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        self.add_log_prob_grad_batch(
            &z.view().insert_axis(Axis(0)),
            weight,
            &mut out.view_mut().insert_axis(Axis(0)),
        );
    }
    fn add_log_prob_grad_batch(&self, z: &ArrayRef2<f64>, weight: f64, out: &mut ArrayRef2<f64>) {
        check_shapes(self, z, out);
        let mut start = 0;
        for block in self.blocks() {
            let columns = s![.., start..start + block.dim()];
            block.add_log_prob_grad_batch(&z.slice(columns), weight, &mut out.slice_mut(columns));
            start += block.dim();
        }
    }
}

impl DifferentiableDensity for StudentTMeanFieldMember {
    fn add_log_prob_grad(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        check_lengths(self, z, out);
        for (i, (z, o)) in z.iter().zip(out.iter_mut()).enumerate() {
            // A location family: the derivative in z is that in m with the other sign.
            *o -= weight * self.score(i, *z).0;
        }
    }
}

impl DifferentiableDensity for LearnedStudentTMeanFieldMember {
    fn add_log_prob_grad(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        self.shape().add_log_prob_grad(z, weight, out);
    }
}

impl<C: MixtureComponent + DifferentiableDensity> DifferentiableDensity for GaussianMixtureMember<C> {
    fn add_log_prob_grad(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        check_lengths(self, z, out);
        for (component, share) in self.components().iter().zip(self.responsibilities(z)) {
            component.add_log_prob_grad(z, weight * share, out);
        }
    }
}

impl DifferentiableDensity for ProductMember<'_> {
    fn add_log_prob_grad(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        check_lengths(self, z, out);
        with_slice(z, |z| {
            with_slice_mut(out, |out| {
                for (shape, factor) in self.pairs() {
                    factor.add_log_prob_grad(&z[shape.z.clone()], weight, &mut out[shape.z.clone()]);
                }
            });
        });
    }
}

impl<C: MixtureComponent> GaussianMixtureMember<C> {
    /// r (K) at `z` (D): the probabilities of the components given the point.
    pub fn responsibilities(&self, z: &ArrayRef1<f64>) -> Array1<f64> {
        let log_joint: Array1<f64> =
            self.components().iter().zip(self.weights()).map(|(c, w)| c.log_prob(z) + w.ln()).collect();
        let max = log_joint.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares = log_joint.mapv(|l| (l - max).exp());
        let total = shares.sum();
        shares / total
    }
}
