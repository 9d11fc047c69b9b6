//! The mean-field Gaussian as a transport of noise.

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2};
use vi_core::numerics::{Vectorised, vectorised};
use vi_core::{StreamKey, StreamRng};

use super::gaussian::{add_location_scale_vjp, fill_noise, with_slice_mut};
use super::mean_field::MeanFieldGaussianMember;
use super::{Reparameterized, VariationalDistribution};
use crate::draw::fill_from_normal;

impl Reparameterized for MeanFieldGaussianMember {
    fn noise_dim(&self) -> usize {
        self.dim()
    }
    fn sample_noise(&self, rng: &mut StreamRng, noise: &mut ArrayRef1<f64>) {
        fill_noise(rng, noise);
    }
    fn transport(&self, noise: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        assert_eq!((noise.len(), z.len()), (self.dim(), self.dim()), "MeanFieldGaussian: wrong length");
        for (i, (z, e)) in z.iter_mut().zip(noise).enumerate() {
            *z = self.mean()[i] + self.sd()[i] * e;
        }
    }
    fn add_transport_vjp(
        &self,
        noise: &ArrayRef1<f64>,
        _z: &ArrayRef1<f64>,
        grad: &ArrayRef1<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
    ) {
        let d = self.dim();
        assert_eq!((noise.len(), grad.len(), out.len()), (d, d, 2 * d), "MeanFieldGaussian: wrong length");
        add_location_scale_vjp(self.sd(), noise, grad, weight, out);
    }
    fn add_entropy_grad(&self, weight: f64, out: &mut ArrayRef1<f64>) {
        for o in out.iter_mut().skip(self.dim()) {
            *o += weight;
        }
    }

    fn transport_batch(
        &self,
        key: StreamKey,
        samples: Range<usize>,
        noise: &mut ArrayRef2<f64>,
        z: &mut ArrayRef2<f64>,
    ) {
        let shape = (samples.len(), self.dim());
        assert_eq!((noise.dim(), z.dim()), (shape, shape), "MeanFieldGaussian: wrong shape");
        for ((s, mut noise), mut z) in samples.zip(noise.rows_mut()).zip(z.rows_mut()) {
            with_slice_mut(&mut noise, |noise| {
                fill_from_normal(&mut key.rng(s as u64), noise, |e| e);
                for (((z, e), m), s) in z.iter_mut().zip(&*noise).zip(self.mean()).zip(self.sd()) {
                    *z = m + s * e;
                }
            });
        }
    }
    fn add_transport_vjp_batch(
        &self,
        noise: &ArrayRef2<f64>,
        z: &ArrayRef2<f64>,
        grad: &ArrayRef2<f64>,
        weights: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) {
        let shape = (weights.len(), self.dim());
        assert_eq!((noise.dim(), grad.dim()), (shape, shape), "MeanFieldGaussian: wrong shape");
        assert_eq!(out.len(), self.n_params(), "MeanFieldGaussian: out has the wrong length");
        if let (1.., Some(noise), Some(grad), Some(out)) =
            (self.dim(), noise.as_slice(), grad.as_slice(), out.as_slice_mut())
        {
            return vectorised(PulledBack { scale: self.sd(), noise, grad, weights, out });
        }
        for (i, weight) in weights.iter().enumerate() {
            self.add_transport_vjp(&noise.row(i), &z.row(i), &grad.row(i), *weight, out);
        }
    }
}

/// The weighted gradients of contiguous rows, pulled back: to the locations, and to the log scales.
struct PulledBack<'a> {
    scale: &'a [f64],
    noise: &'a [f64],
    grad: &'a [f64],
    weights: &'a ArrayRef1<f64>,
    out: &'a mut [f64],
}

impl Vectorised for PulledBack<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let d = self.scale.len();
        let (location, log_scale) = self.out.split_at_mut(d);
        let rows = self.noise.chunks_exact(d).zip(self.grad.chunks_exact(d));
        for ((noise, grad), weight) in rows.zip(self.weights) {
            for i in 0..d {
                let g = weight * grad[i];
                location[i] += g;
                log_scale[i] += g * self.scale[i] * noise[i];
            }
        }
    }
}
