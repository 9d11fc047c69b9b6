//! The pathwise estimator.

use std::ops::Range;

use ndarray::{Array1, ArrayRef1, ArrayViewMut1};
use vi_core::{ElboEstimate, Exec, GradLogJoint, StreamKey};
use vi_families::{Reparameterized, VariationalDistribution, VariationalFamily};

use crate::elbo::Elbo;
use crate::error::{NamedValues, SgviError};
use crate::estimator::{Evaluations, GradientEstimator, Memory};
use crate::workspace::{Columns, Workspace, matrix, matrix_mut};

/// The pathwise (reparametrisation) estimator with the entropy's gradient in closed form.
///
/// ```text
/// ĝ = (1/S) Σ_s (∂t_λ(ε_s)/∂λ)ᵀ ∇_z log p(x, z_s) + ∇_λ H[q_λ],   z_s = t_λ(ε_s)
/// ```
/// Requirements: `M: GradLogJoint`, members of the family [`Reparameterized`]; continuous latents only.
/// Cost: S gradients of the log joint; memory O(S·D).
///
/// Source: Kingma & Welling 2014, <https://arxiv.org/abs/1312.6114>; with closed-form entropy: Kucukelbir et
/// al. 2017, eq. 8–10, <https://arxiv.org/abs/1603.00788>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pathwise {
    /// The number S of samples per gradient.
    pub n_samples: usize,
}

impl<M, F> GradientEstimator<M, F> for Pathwise
where
    M: GradLogJoint + ?Sized,
    F: VariationalFamily,
    for<'a> F::Member<'a>: Reparameterized,
{
    type State = ();

    fn estimate(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        let (model, n) = (elbo.model(), self.n_samples);
        if n < 1 {
            return Err(SgviError::TooFewSamples { estimator: "pathwise", minimum: 1, actual: n });
        }
        let q = elbo.family().bind(params)?;
        assert_eq!(grad.len(), q.n_params(), "grad: length is not the number of variational parameters");
        let layout = Layout { noise: q.noise_dim(), dim: q.dim() };

        // First pass: everything that belongs to one sample, in disjoint rows.
        let (workspace, columns) = (&mut memory.workspace, Columns::default());
        workspace.reserve(n, layout.width(), columns);
        exec.map_chunks(n, &mut workspace.values, &mut workspace.rows, |samples, values, rows| {
            let (noise, z, grad_z) = layout.split(rows, samples.len());
            let (mut noise, mut z) = (matrix_mut(noise, layout.noise), matrix_mut(z, layout.dim));
            for ((s, mut noise), mut z) in samples.zip(noise.rows_mut()).zip(z.rows_mut()) {
                q.sample_noise(&mut key.rng(s as u64), &mut noise);
                q.transport(&noise, &mut z);
            }
            let [log_joint, log_q, ..] = columns.split(values);
            let mut grad_z = matrix_mut(grad_z, layout.dim);
            model.log_joint_and_grad_batch(&z, &mut ArrayViewMut1::from(log_joint), &mut grad_z);
            q.log_prob_batch(&z, &mut ArrayViewMut1::from(log_q));
        })?;
        let redraw = |s: usize, z: &mut ArrayRef1<f64>| {
            let mut noise = Array1::zeros(layout.noise);
            q.sample_noise(&mut key.rng(s as u64), &mut noise);
            q.transport(&noise, z);
        };
        let estimate = workspace.log_ratios(n, 1, columns, model, redraw)?;

        // Second pass: what the samples say about λ, summed in a fixed order.
        let Workspace { rows, partials, .. } = workspace;
        exec.sum_in(n, grad, partials, |samples, partial| {
            add_samples(&q, layout, rows, samples, n, partial);
        })?;
        q.add_entropy_grad(1.0, grad);
        if grad.iter().all(|g| g.is_finite()) {
            return Ok(estimate);
        }
        // The rare path: find the sample that spoilt the sum. Without one the caller names the element of λ.
        find_non_finite_gradient(model, n, redraw).map_or(Ok(estimate), Err)
    }

    fn cost(&self, _elbo: Elbo<'_, M, F>) -> Evaluations {
        Evaluations { n_gradient: self.n_samples as u64, ..Evaluations::default() }
    }

    fn name(&self) -> String {
        "pathwise".to_owned()
    }
}

/// The rows of a chunk of n samples: noise (n, E), then z (n, D), then ∇_z log p (n, D).
#[derive(Clone, Copy)]
struct Layout {
    noise: usize,
    dim: usize,
}

impl Layout {
    fn width(self) -> usize {
        self.noise + 2 * self.dim
    }

    fn split(self, rows: &mut [f64], n: usize) -> (&mut [f64], &mut [f64], &mut [f64]) {
        let (noise, rest) = rows.split_at_mut(n * self.noise);
        let (z, grad) = rest.split_at_mut(n * self.dim);
        (noise, z, grad)
    }
}

fn add_samples<Q: Reparameterized>(
    q: &Q,
    layout: Layout,
    rows: &[f64],
    samples: Range<usize>,
    n_samples: usize,
    partial: &mut ArrayRef1<f64>,
) {
    let n = samples.len();
    let rows = &rows[samples.start * layout.width()..samples.end * layout.width()];
    let (noise, rest) = rows.split_at(n * layout.noise);
    let (z, grad) = rest.split_at(n * layout.dim);
    let (noise, z, grad) = (matrix(noise, layout.noise), matrix(z, layout.dim), matrix(grad, layout.dim));
    let weight = 1.0 / n_samples as f64;
    for i in 0..n {
        q.add_transport_vjp(&noise.row(i), &z.row(i), &grad.row(i), weight, partial);
    }
}

fn find_non_finite_gradient<M: GradLogJoint + ?Sized>(
    model: &M,
    n_samples: usize,
    redraw: impl Fn(usize, &mut ArrayRef1<f64>),
) -> Option<SgviError> {
    let (mut z, mut grad) = (Array1::zeros(model.dim()), Array1::zeros(model.dim()));
    let names = model.parameters().names();
    (0..n_samples).find_map(|sample| {
        redraw(sample, &mut z);
        model.log_joint_and_grad(&z, &mut grad);
        let d = grad.iter().position(|g| !g.is_finite())?;
        Some(SgviError::NonFiniteLogJointGradient {
            coordinate: names[d].clone(),
            value: grad[d],
            sample,
            z: NamedValues::new(names, &z),
        })
    })
}
