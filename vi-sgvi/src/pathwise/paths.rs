//! Samples as transports of noise, the gradients there, and the way back to λ.

use std::ops::Range;

use ndarray::{Array1, ArrayRef1, ArrayRef2, ArrayView2, ArrayViewMut1, aview1};
use vi_core::{CHUNK, CommError, ElboEstimate, Exec, GradLogJoint, StreamKey};
use vi_families::Reparameterized;

use crate::error::{NamedValues, SgviError};
use crate::factors::{FactorSet, factor_name};
use crate::workspace::{Columns, Workspace, matrix, matrix_mut};
use vi_core::scratch;

/// n samples of a member, sample s from `key.rng(s)`.
pub(crate) struct Paths<'a, M: ?Sized, Q> {
    model: &'a M,
    q: &'a Q,
    key: StreamKey,
    n_samples: usize,
    layout: Layout,
}

impl<'a, M: GradLogJoint + ?Sized, Q: Reparameterized> Paths<'a, M, Q> {
    /// Samples for the elements of λ that belong to `factors`.
    ///
    /// # Errors
    /// [`SgviError::NotReparameterized`] names the coordinate of `factors` that is discrete.
    pub(crate) fn new(
        model: &'a M,
        q: &'a Q,
        key: StreamKey,
        n_samples: usize,
        factors: FactorSet<'_>,
    ) -> Result<Self, SgviError> {
        let discrete = |d: &usize| !q.is_differentiable(*d) && factors.contains(*d..d + 1);
        if let Some(d) = (0..q.dim()).find(discrete) {
            return Err(SgviError::NotReparameterized { factor: factor_name(model, d..d + 1) });
        }
        let layout = Layout { noise: q.noise_dim(), dim: q.dim() };
        Ok(Self { model, q, key, n_samples, layout })
    }

    /// First pass: everything that belongs to one sample, in disjoint rows. `carry` gets noise (n, E), points (n, D) and
    /// the gradients of the log joint there (n, D), which it may change.
    pub(crate) fn draw(
        &self,
        exec: Exec<'_>,
        workspace: &mut Workspace,
        carry: impl Fn(&ArrayRef2<f64>, &ArrayRef2<f64>, &mut ArrayRef2<f64>) + Sync,
    ) -> Result<ElboEstimate, SgviError> {
        let (q, layout, columns) = (self.q, self.layout, Columns::default());
        workspace.reserve(self.n_samples, layout.width(), columns);
        let evaluate = |exec: Exec<'_>, samples: Range<usize>, values: &mut [f64], rows: &mut [f64]| {
            let (noise, z, grad_z) = layout.split_mut(rows, samples.len());
            let (mut noise, mut z) = (matrix_mut(noise, layout.noise), matrix_mut(z, layout.dim));
            q.transport_batch(self.key, samples, &mut noise, &mut z);
            let [log_joint, log_q, ..] = columns.split(values);
            let mut grad_z = matrix_mut(grad_z, layout.dim);
            let mut log_joint = ArrayViewMut1::from(log_joint);
            self.model.log_joint_and_grad_batch_in(exec, &z, &mut log_joint, &mut grad_z)?;
            q.log_prob_batch(&z, &mut ArrayViewMut1::from(log_q));
            carry(&noise, &z, &mut grad_z);
            Ok::<(), CommError>(())
        };
        let Workspace { values, rows, .. } = workspace;
        if self.n_samples <= CHUNK {
            // A single chunk is work for one thread: what can be shared are the data.
            evaluate(exec, 0..self.n_samples, values, rows)?;
        } else {
            exec.map_chunks(self.n_samples, values, rows, |samples, values, rows| {
                evaluate(Exec::local(), samples, values, rows).expect("one rank exchanges nothing");
            })?;
        }
        workspace.log_ratios(self.n_samples, 1, columns, self.model, |s, z| self.redraw(s, z))
    }

    /// Second pass: overwrites `grad` (P) with the vectors pulled back through the transports, times `weight(s)`, and
    /// what `add_scores` adds for points (n, D) and their weights; summed in a fixed order.
    pub(crate) fn add(
        &self,
        exec: Exec<'_>,
        workspace: &mut Workspace,
        grad: &mut ArrayRef1<f64>,
        weight: impl Fn(usize) -> f64 + Sync,
        add_scores: impl Fn(&ArrayRef2<f64>, &ArrayRef1<f64>, &mut ArrayRef1<f64>) + Sync,
    ) -> Result<(), SgviError> {
        assert_eq!(grad.len(), self.q.n_params(), "grad: length is not the number of variational parameters");
        let Workspace { rows, partials, .. } = workspace;
        exec.sum_in(self.n_samples, grad, partials, |samples, partial| {
            scratch::with(samples.len(), |weights| {
                for (w, s) in weights.iter_mut().zip(samples.clone()) {
                    *w = weight(s);
                }
                let [noise, z, grad] = self.layout.split(rows, samples);
                let weights = aview1(weights);
                self.q.add_transport_vjp_batch(&noise, &z, &grad, &weights, partial);
                add_scores(&z, &weights, partial);
            });
        })?;
        Ok(())
    }

    /// The member that is sampled.
    pub(crate) fn member(&self) -> &'a Q {
        self.q
    }

    /// The number of samples.
    pub(crate) fn n_samples(&self) -> usize {
        self.n_samples
    }

    /// Sums over all samples in scratch memory (`width`): `f` adds what noise (n, E) and the vectors that the first pass
    /// left to be pulled back (n, D) say.
    pub(crate) fn sum<'w>(
        &self,
        exec: Exec<'_>,
        workspace: &'w mut Workspace,
        width: usize,
        f: impl Fn(&ArrayRef2<f64>, &ArrayRef2<f64>, &mut [f64]) + Sync,
    ) -> Result<&'w [f64], SgviError> {
        let Workspace { rows, partials, extra, .. } = workspace;
        extra.resize(width.max(extra.len()), 0.0);
        let mut sums = ArrayViewMut1::from(&mut extra[..width]);
        exec.sum_in(self.n_samples, &mut sums, partials, |samples, partial| {
            let [noise, _, carried] = self.layout.split(rows, samples);
            f(&noise, &carried, partial.as_slice_mut().expect("partials are contiguous"));
        })?;
        Ok(&extra[..width])
    }

    /// When the gradient is not finite because the log joint's was not, the error names the sample that spoilt the sum.
    /// Otherwise the caller names the element of λ.
    pub(crate) fn check_gradient(&self, grad: &ArrayRef1<f64>) -> Result<(), SgviError> {
        if grad.iter().all(|g| g.is_finite()) {
            return Ok(());
        }
        let (mut z, mut grad) = (Array1::zeros(self.layout.dim), Array1::zeros(self.layout.dim));
        let names = self.model.parameters().names();
        for sample in 0..self.n_samples {
            self.redraw(sample, &mut z);
            self.model.log_joint_and_grad(&z, &mut grad);
            if let Some(d) = grad.iter().position(|g| !g.is_finite()) {
                return Err(SgviError::NonFiniteLogJointGradient {
                    coordinate: names[d].clone(),
                    value: grad[d],
                    sample,
                    z: NamedValues::new(names, &z),
                });
            }
        }
        Ok(())
    }

    fn redraw(&self, sample: usize, z: &mut ArrayRef1<f64>) {
        let mut noise = Array1::zeros(self.layout.noise);
        self.q.sample_noise(&mut self.key.rng(sample as u64), &mut noise);
        self.q.transport(&noise, z);
    }
}

/// The rows of a chunk of n samples: noise (n, E), then z (n, D), then what is pulled back (n, D).
#[derive(Clone, Copy)]
struct Layout {
    noise: usize,
    dim: usize,
}

impl Layout {
    fn width(self) -> usize {
        self.noise + 2 * self.dim
    }

    fn split_mut(self, rows: &mut [f64], n: usize) -> (&mut [f64], &mut [f64], &mut [f64]) {
        let (noise, rest) = rows.split_at_mut(n * self.noise);
        let (z, grad) = rest.split_at_mut(n * self.dim);
        (noise, z, grad)
    }

    fn split(self, rows: &[f64], samples: Range<usize>) -> [ArrayView2<'_, f64>; 3] {
        let n = samples.len();
        let rows = &rows[samples.start * self.width()..samples.end * self.width()];
        let (noise, rest) = rows.split_at(n * self.noise);
        let (z, grad) = rest.split_at(n * self.dim);
        [matrix(noise, self.noise), matrix(z, self.dim), matrix(grad, self.dim)]
    }
}
