//! The gradient in θ and in λ or ψ: one pass over the data.

use std::fmt;
use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef1, ArrayView1, ArrayViewMut1};
use vi_core::{CHUNK, ElboEstimate, Exec, PlateLogJoint, PlateModel, StreamKey};
use vi_families::PlateFamily;

use super::estimator::PlateEstimator;
use super::objective::PlateElbo;
use super::recognition::Recognition;
use crate::batch::Batch;
use crate::error::{NamedValues, SgviError};
use crate::workspace::{matrix, matrix_mut};
use vi_core::scratch;

/// Points evaluated in one call of the model.
const TILE: usize = 1024;

/// Scratch of a plate's gradient, with what its model caches: nothing that has to be saved.
pub struct PlateWorkspace<C> {
    pub(super) cache: C,
    pub(super) batch: Batch,
    /// By chunks: the gradients in λ of its data (with a table alone), then their ELBOs, then the variances of those.
    of_data: Vec<f64>,
    /// The gradient in θ, then that in ψ (with an encoder alone).
    sums: Array1<f64>,
    partials: Vec<f64>,
}

impl<C: Default> Default for PlateWorkspace<C> {
    fn default() -> Self {
        let (cache, batch) = (C::default(), Batch::default());
        Self { cache, batch, of_data: Vec::new(), sums: Array1::default(0), partials: Vec::new() }
    }
}

/// A copy starts with nothing: there is nothing in it that matters.
impl<C: Default> Clone for PlateWorkspace<C> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<C> fmt::Debug for PlateWorkspace<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlateWorkspace").finish_non_exhaustive()
    }
}

/// A gradient, as it stands in a workspace.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlateGradient<'a> {
    /// Of the whole plate, from the data of the batch.
    pub(super) elbo: ElboEstimate,
    /// ∇_θ (M); empty when θ is not learned.
    pub(super) model: ArrayView1<'a, f64>,
    /// ∇_ψ of an encoder; empty with a table.
    pub(super) shared: ArrayView1<'a, f64>,
    /// The data of the batch.
    data: &'a [usize],
    of_data: &'a [f64],
    width: usize,
}

impl<'a> PlateGradient<'a> {
    /// The datum at `position` in the batch.
    pub(super) fn datum(&self, position: usize) -> usize {
        self.data[position]
    }

    /// ∇_λ of the datum at `position` in the batch (P), with a table.
    pub(super) fn of_datum(&self, position: usize) -> ArrayView1<'a, f64> {
        let start = position / CHUNK * CHUNK * self.width + position % CHUNK * (self.width - 2);
        ArrayView1::from(&self.of_data[start..start + self.width - 2])
    }
}

/// What a gradient is asked for.
#[derive(Debug)]
pub(super) struct Request<'a, E> {
    pub(super) estimator: &'a E,
    pub(super) model_params: &'a ArrayRef1<f64>,
    pub(super) params: &'a ArrayRef1<f64>,
    /// Whether the gradient in θ is wanted.
    pub(super) with_model: bool,
    /// Data of the batch; `None` for all.
    pub(super) batch_size: Option<usize>,
    pub(super) key: StreamKey,
    pub(super) exec: Exec<'a>,
}

impl<'a, M: PlateModel, F: PlateFamily, R: Recognition> PlateElbo<'a, M, F, R> {
    /// Overwrites `model_grad` (M) and `grad` (length of ψ) with unbiased estimates of ∇_θ and of ∇_λ or ∇_ψ, and
    /// returns the ELBO from the same points, those of datum n under `key.rng(n)`.
    ///
    /// With a used workspace nothing is allocated beyond what the family and the model allocate.
    ///
    /// # Errors
    /// [`SgviError`] names a parameter outside its domain, or the datum and the point where the log joint is not finite.
    ///
    /// # Panics
    /// If a length does not fit.
    #[allow(clippy::too_many_arguments, reason = "two parameters and their gradients")]
    pub fn gradient<E: PlateEstimator<F>>(
        &self,
        estimator: &E,
        model_params: &ArrayRef1<f64>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        workspace: &mut PlateWorkspace<M::Cache>,
        model_grad: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        let with_model = true;
        let request = Request { estimator, model_params, params, with_model, batch_size: None, key, exec };
        let got = self.gradient_of_batch(&request, workspace)?;
        model_grad.assign(&got.model);
        if R::PER_DATUM {
            let p = self.family().n_params();
            for (n, mut row) in grad.exact_chunks_mut(p).into_iter().enumerate() {
                row.assign(&got.of_datum(n));
            }
        } else {
            grad.assign(&got.shared);
        }
        Ok(got.elbo)
    }

    pub(super) fn gradient_of_batch<'w, E: PlateEstimator<F>>(
        &self,
        request: &Request<'_, E>,
        workspace: &'w mut PlateWorkspace<M::Cache>,
    ) -> Result<PlateGradient<'w>, SgviError> {
        let Request { model_params, params, with_model, batch_size, key, exec, .. } = *request;
        self.check_lengths(model_params, params)?;
        let PlateWorkspace { cache, batch, of_data, sums, partials } = workspace;
        let n_all = self.model().n_data();
        let data = match batch_size {
            None => batch.all(n_all),
            Some(size) => batch.draw(n_all, size, &mut key.role(vi_core::Role::Data).rng(0)),
        };
        let at = self.model().at(model_params, cache)?;
        let n_model = if with_model { model_params.len() } else { 0 };
        let n_shared = if R::PER_DATUM { 0 } else { params.len() };
        if sums.len() != n_model + n_shared {
            *sums = Array1::zeros(n_model + n_shared);
        }
        let width = 2 + if R::PER_DATUM { self.family().n_params() } else { 0 };
        of_data.resize(width * data.len(), 0.0);
        let scale = n_all as f64 / data.len() as f64;
        let pass = Pass { elbo: *self, at: &at, request, data, scale, n_model };
        exec.map_and_sum_in(data.len(), CHUNK, of_data, sums, partials, |items, of_data, sums| {
            pass.chunk(items, of_data, sums);
        })?;
        let mut elbo = self.total(request, &at, data, of_data, width)?;
        elbo.value += at.log_prior();
        let (mut of_model, _) = sums.view_mut().split_at(ndarray::Axis(0), n_model);
        if with_model {
            at.add_log_prior_grad(1.0, &mut of_model);
        }
        let (model, shared) = sums.view().split_at(ndarray::Axis(0), n_model);
        Ok(PlateGradient { elbo, model, shared, data, of_data, width })
    }

    /// The ELBO of the whole plate from those of the batch, without log p(θ).
    ///
    /// ```text
    /// N Ē_B ± √( N² (1 − |B|/N) s²_B/|B| + (N/|B|) Σ_{n∈B} v_n ),   v_n the squared error of E_n
    /// ```
    /// Two-stage sampling (Cochran, *Sampling Techniques*, 3rd edition, 1977, eq. 10.15).
    fn total<E: PlateEstimator<F>>(
        &self,
        request: &Request<'_, E>,
        at: &M::At<'_>,
        data: &[usize],
        of_data: &[f64],
        width: usize,
    ) -> Result<ElboEstimate, SgviError> {
        let (n_all, n) = (self.model().n_data() as f64, data.len() as f64);
        let values = || {
            of_data.chunks(width * CHUNK).flat_map(move |rows| {
                let (values, variances) =
                    rows[rows.len() / width * (width - 2)..].split_at(rows.len() / width);
                values.iter().zip(variances)
            })
        };
        let (mut sum, mut variances) = (0.0, 0.0);
        for (value, variance) in values() {
            sum += value;
            variances += variance;
        }
        if !sum.is_finite() {
            // A tile without points marks all its data: only some of them are to blame.
            let suspects = values().zip(data).filter(|((value, _), _)| !value.is_finite());
            let fault = suspects.map(|(_, &datum)| datum).find_map(|datum| self.fault(request, at, datum));
            return Err(fault.unwrap_or(SgviError::NonFiniteElbo { value: sum }));
        }
        let mean = sum / n;
        let mut variance = n_all / n * variances;
        if n < n_all {
            let between = values().map(|(v, _)| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
            variance += n_all * (n_all - n) * between / n;
        }
        let n_samples = request.estimator.n_points();
        Ok(ElboEstimate { value: n_all * mean, mcse: variance.sqrt(), n_samples })
    }

    /// What went wrong at a datum, if something did: its points are drawn again.
    #[cold]
    fn fault<E: PlateEstimator<F>>(
        &self,
        request: &Request<'_, E>,
        at: &M::At<'_>,
        datum: usize,
    ) -> Option<SgviError> {
        let (family, estimator, data) = (self.family(), request.estimator, [datum]);
        let s = estimator.n_points();
        let mut local = Array2::zeros((1, family.n_params()));
        self.recognition().local_params(request.params, &data, &mut local);
        let (mut z, mut log_q) = (Array2::zeros((s, family.dim())), Array1::zeros(s));
        let wrong = |source: SgviError| Some(SgviError::Datum { datum, source: Box::new(source) });
        if let Err(error) = estimator.draw(family, &local, &data, request.key, &mut z, &mut log_q) {
            return wrong(error.into());
        }
        let mut log_joint = Array1::zeros(s);
        at.log_joint_points(&data, &z, &mut log_joint);
        let names = self.model().local_parameters().names();
        for sample in 0..s {
            let z = NamedValues::new(names, z.row(sample));
            if !log_joint[sample].is_finite() {
                return wrong(SgviError::NonFiniteLogJoint { value: log_joint[sample], sample, z });
            }
            if !log_q[sample].is_finite() {
                return wrong(SgviError::NonFiniteLogProb { value: log_q[sample], sample, z });
            }
        }
        let value = (&log_joint - &log_q).sum();
        if value.is_finite() { None } else { wrong(SgviError::NonFiniteElbo { value }) }
    }
}

/// One pass over the data of a batch.
struct Pass<'b, M, F, R, E, A> {
    elbo: PlateElbo<'b, M, F, R>,
    at: &'b A,
    request: &'b Request<'b, E>,
    data: &'b [usize],
    scale: f64,
    n_model: usize,
}

impl<M, F, R, E, A> Pass<'_, M, F, R, E, A>
where
    M: PlateModel,
    F: PlateFamily,
    R: Recognition,
    E: PlateEstimator<F>,
    A: PlateLogJoint,
{
    /// The data at these positions of the batch.
    fn chunk(&self, items: Range<usize>, of_data: &mut [f64], sums: &mut ArrayRef1<f64>) {
        let n = items.len();
        let p = self.elbo.family().n_params();
        let (local_grads, values) = of_data.split_at_mut(of_data.len() - 2 * n);
        let (values, variances) = values.split_at_mut(n);
        let data = &self.data[items];
        let per_tile = (TILE / self.request.estimator.n_points()).clamp(1, CHUNK);
        local_grads.fill(0.0);
        for (t, data) in data.chunks(per_tile).enumerate() {
            let tile = t * per_tile..t * per_tile + data.len();
            let (values, variances) = (&mut values[tile.clone()], &mut variances[tile.clone()]);
            if R::PER_DATUM {
                self.tile(data, &mut local_grads[tile.start * p..tile.end * p], values, variances, sums);
            } else {
                scratch::with(data.len() * p, |local_grad| {
                    local_grad.fill(0.0);
                    self.tile(data, local_grad, values, variances, sums);
                });
            }
        }
    }

    fn tile(
        &self,
        data: &[usize],
        local_grad: &mut [f64],
        values: &mut [f64],
        variances: &mut [f64],
        sums: &mut ArrayRef1<f64>,
    ) {
        let Request { estimator, params, key, .. } = self.request;
        let (family, recognition) = (self.elbo.family(), self.elbo.recognition());
        let (dim, p, n_points) = (family.dim(), family.n_params(), estimator.n_points());
        let n_rows = data.len() * n_points;
        scratch::with(n_rows * (dim + 2) + data.len() * p, |scratch| {
            let (z, rest) = scratch.split_at_mut(n_rows * dim);
            let (log_q, rest) = rest.split_at_mut(n_rows);
            let (f, local) = rest.split_at_mut(n_rows);
            recognition.local_params(params, data, &mut matrix_mut(local, p));
            let local = matrix(local, p);
            // An error, like a value that is not finite, shows as such a value: the datum is looked at again.
            let mut log_q_view = ArrayViewMut1::from(&mut *log_q);
            if estimator.draw(family, &local, data, *key, &mut matrix_mut(z, dim), &mut log_q_view).is_err() {
                return values.fill(f64::NAN);
            }
            let z = matrix(z, dim);
            let mut f_view = ArrayViewMut1::from(&mut *f);
            if self.n_model > 0 {
                let weight = self.scale / n_points as f64;
                let mut model_grad = sums.slice_mut(ndarray::s![..self.n_model]);
                self.at.log_joint_points_and_add_grad(data, &z, weight, &mut f_view, &mut model_grad);
            } else {
                self.at.log_joint_points(data, &z, &mut f_view);
            }
            f.iter_mut().zip(&*log_q).for_each(|(f, log_q)| *f -= log_q);
            for (i, f) in f.chunks_exact(n_points).enumerate() {
                (values[i], variances[i]) = mean_and_squared_error(f, estimator.group());
            }
            if estimator.add_gradient(family, &local, &z, f, &mut matrix_mut(local_grad, p)).is_err() {
                return values.fill(f64::NAN);
            }
            if !R::PER_DATUM {
                let mut shared = sums.slice_mut(ndarray::s![self.n_model..]);
                recognition.add_pullback(params, data, &matrix(local_grad, p), self.scale, &mut shared);
            }
        });
    }
}

/// The mean of log ratios and its squared standard error, from groups of dependent ones; infinite for a single group.
fn mean_and_squared_error(f: &[f64], group: usize) -> (f64, f64) {
    let n_groups = (f.len() / group) as f64;
    let mean = f.iter().sum::<f64>() / f.len() as f64;
    if n_groups < 2.0 {
        return (mean, f64::INFINITY);
    }
    let of_group = |f: &[f64]| (f.iter().sum::<f64>() / group as f64 - mean).powi(2);
    let squares: f64 = f.chunks_exact(group).map(of_group).sum();
    (mean, squares / (n_groups - 1.0) / n_groups)
}
