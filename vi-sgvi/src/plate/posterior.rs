//! The fitted q over the latent variables of all data.

use ndarray::{Array1, Array2, Array3, ArrayRef1, ArrayViewMut1};
use vi_core::{Draws, Exec, ParameterSpace, PlateModel, Posterior, StreamKey, plate_space};
use vi_families::PlateFamily;

use super::objective::length;
use crate::error::SgviError;
use crate::workspace::{matrix, matrix_mut};

/// q(z) = Π_n q_{λ_n}(z_n) over the latent variables of all data, laid out as by [`vi_core::PlateJoint`].
#[derive(Clone, Debug)]
pub struct PlatePosterior<F> {
    family: F,
    local_params: Array2<f64>,
    space: ParameterSpace,
}

impl<F: PlateFamily> PlatePosterior<F> {
    /// q with these local parameters (N, P) over the latent variables of `model`.
    ///
    /// # Errors
    /// [`SgviError`] when shapes do not fit or an element of λ is outside its domain.
    pub fn new<M: PlateModel>(family: F, local_params: Array2<f64>, model: &M) -> Result<Self, SgviError> {
        length("the rows of local parameters", local_params.nrows(), model.n_data())?;
        length("the local parameters of a datum", local_params.ncols(), family.n_params())?;
        length("the latent variables of a datum", family.dim(), model.local_parameters().dim())?;
        let local_params = local_params.as_standard_layout().into_owned();
        let posterior = Self { family, local_params, space: plate_space(model)? };
        let n = posterior.local_params.nrows();
        let data: Vec<usize> = (0..n).collect();
        let (mut z, mut log_q) = (Array2::zeros((n, posterior.family.dim())), Array1::zeros(n));
        let key = StreamKey::from_seed(0);
        posterior.family.sample_points(&posterior.local_params, &data, key, 1, &mut z, &mut log_q)?;
        Ok(posterior)
    }

    /// The family.
    pub fn family(&self) -> &F {
        &self.family
    }

    /// λ (N, P).
    pub fn local_params(&self) -> &Array2<f64> {
        &self.local_params
    }
}

impl<F: PlateFamily> Posterior for PlatePosterior<F> {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    /// Draw i of datum n comes from `key.fold_in(i).rng(n)`.
    fn draws(&self, n: usize, key: StreamKey) -> Draws {
        let (d, n_data) = (self.space.dim(), self.local_params.nrows());
        let data: Vec<usize> = (0..n_data).collect();
        let mut values = vec![0.0; n * d];
        Exec::local().for_each_chunk(&mut values, d, |items, rows| {
            let mut log_q = Array1::zeros(n_data);
            for (i, row) in items.zip(rows.chunks_exact_mut(d)) {
                let (key, mut z) = (key.fold_in(i as u64), matrix_mut(row, self.family.dim()));
                self.family
                    .sample_points(&self.local_params, &data, key, 1, &mut z, &mut log_q)
                    .expect("λ was validated when the posterior was made");
            }
        });
        let values = Array3::from_shape_vec((1, n, d), values).expect("n rows of length D were made");
        Draws::new(self.space.clone(), values)
    }

    fn log_prob(&self, z: &ArrayRef1<f64>) -> Option<f64> {
        let (z, mut out) = (z.to_vec(), vec![0.0; self.local_params.nrows()]);
        let rows = matrix(&z, self.family.dim());
        self.family
            .log_prob_points(&self.local_params, 1, &rows, &mut ArrayViewMut1::from(&mut out[..]))
            .expect("λ was validated when the posterior was made");
        Some(out.iter().sum())
    }
}
