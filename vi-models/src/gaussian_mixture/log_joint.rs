//! The log joint with assignments and missing values summed out, and its gradient, for many points at once.
//!
//! ```text
//! log p(x, π, μ, Λ) = Σ_n log Σ_k π_k N(x_n | μ_k, Λ_k⁻¹) + log p(π) + Σ_k log p(μ_k | Λ_k) + Σ_Λ log p(Λ)
//!
//! ∂/∂π_k = N_k/π_k + ∂ log p(π)/∂π_k
//! ∂/∂μ_k = Λ_k (Σ_n r_nk (x_n − μ_k) − β₀ (μ_k − m₀))
//! ∂/∂Λ = c(ν₀) Λ⁻¹ − ½ B₀ + ½ Σ_k [(N_k + 1) Λ⁻¹ − Σ_n r_nk (x_n − μ_k)(x_n − μ_k)ᵀ − β₀ (μ_k − m₀)(μ_k − m₀)ᵀ]
//! ```
//! with the responsibilities r_nk at the point, over the components k that have this Λ; of diagonal and spherical
//! precisions, the entries or the trace of that. A matrix gradient G means df = Σ_ij G_ij dΛ_ij over all entries of a
//! symmetric dΛ; an asymmetric Λ stands for its symmetric part. Missing values enter by their expectations given the
//! observed ones (Fisher's identity).

use ndarray::{
    Array1, Array2, ArrayRef1, ArrayRef2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, s,
};
use vi_core::{GradLogJoint, LogJoint, ParameterSpace};

use super::GaussianMixture;
use super::data::Missing;
use super::point::Point;
use super::tile::{Rows, tiles, with_workspace};

/// Points evaluated together: the tile of data is formed once for all of them.
const GROUP: usize = 16;

/// The likelihood's share of log joint and gradient: which data, and how often each counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Likelihood<'a> {
    pub(super) indices: Option<&'a [usize]>,
    pub(super) scale: f64,
}

impl GaussianMixture {
    /// η (K, P) of the components of a point.
    fn set_point_coefficients(&self, point: &Point, eta: &mut ArrayRef2<f64>) {
        let log_weights = ndarray::aview1(&point.weights.log_weights);
        self.density_layout.set_coefficients(self.covariance(), &log_weights, &point.components, eta);
    }

    /// Log joints of the rows of `z` (S, D) into `out` (S), and their gradients into `grad` (S, D) if wanted.
    pub(super) fn evaluate(
        &self,
        likelihood: Likelihood<'_>,
        z: ArrayView2<'_, f64>,
        mut out: ArrayViewMut1<'_, f64>,
        mut grad: Option<ArrayViewMut2<'_, f64>>,
    ) {
        let (k, p) = (self.n_components, self.density_layout.n_features);
        for (group, z) in z.axis_chunks_iter(Axis(0), GROUP).enumerate() {
            let at = group * GROUP..group * GROUP + z.nrows();
            let points: Vec<_> = z.rows().into_iter().map(|row| self.point(&row)).collect();
            // Points outside the support keep η = 0, which costs time and nothing else.
            let mut eta = Array2::zeros((z.nrows() * k, p));
            for (point, mut eta) in points.iter().zip(eta.axis_chunks_iter_mut(Axis(0), k)) {
                if let Ok(point) = point {
                    self.set_point_coefficients(point, &mut eta);
                }
            }
            let mut log_likelihood = Array1::zeros(z.nrows());
            let mut sums = grad.is_some().then(|| Array2::zeros((z.nrows() * k, p)));
            self.add_likelihood(likelihood.indices, &eta, &mut log_likelihood, sums.as_mut());
            for (i, s) in at.enumerate() {
                out[s] = match &points[i] {
                    Ok(point) => self.log_prior(point) + likelihood.scale * log_likelihood[i],
                    Err(value) => *value,
                };
                let (Some(grad), Some(sums)) = (&mut grad, &sums) else { continue };
                match &points[i] {
                    Ok(point) => {
                        let sums = sums.slice(s![i * k..(i + 1) * k, ..]).mapv(|v| likelihood.scale * v);
                        let mut values = Array1::zeros(z.ncols());
                        self.set_gradient(point, &sums, &mut values);
                        grad.row_mut(s).assign(&values);
                    }
                    Err(_) => grad.row_mut(s).fill(0.0),
                }
            }
        }
    }

    /// log_likelihood (S) += Σ_n log Σ_k exp⟨η_sk, T(x_n)⟩ and sums (S·K, P) += Σ_n r_nsk T(x_n).
    fn add_likelihood(
        &self,
        indices: Option<&[usize]>,
        eta: &ArrayRef2<f64>,
        log_likelihood: &mut ArrayRef1<f64>,
        mut sums: Option<&mut Array2<f64>>,
    ) {
        let rows = Rows { indices, ..self.all_rows() };
        with_workspace(|w| {
            for tile in tiles(0..rows.len()) {
                w.load(rows, tile);
                w.set_responsibilities(&self.density_layout, self.n_components, eta, rows);
                w.add_log_normalisers(log_likelihood);
                if let Some(sums) = &mut sums {
                    w.add_sums(&self.density_layout, Some(eta), rows, sums);
                }
            }
        });
    }

    /// [`GaussianMixture::evaluate`] at one point.
    pub(super) fn evaluate_one(
        &self,
        likelihood: Likelihood<'_>,
        z: &ArrayRef1<f64>,
        grad: Option<&mut ArrayRef1<f64>>,
    ) -> f64 {
        let mut out = Array1::zeros(1);
        let z = z.view().insert_axis(Axis(0));
        let grad = grad.map(|g| g.view_mut().insert_axis(Axis(0)));
        self.evaluate(likelihood, z, out.view_mut(), grad);
        out[0]
    }

    /// log p(x̂_n | z) of the rows of `data`; where the model admits missing values, of what is observed of them.
    pub(super) fn log_densities(&self, data: &Array2<f64>, z: ArrayView1<'_, f64>, out: &mut ArrayRef1<f64>) {
        assert_eq!(data.ncols(), self.layout.dim, "gaussian_mixture: columns of the new data");
        let point = match self.point(&z) {
            Ok(point) => point,
            Err(value) => return out.fill(value),
        };
        let mut eta = Array2::zeros((self.n_components, self.density_layout.n_features));
        self.set_point_coefficients(&point, &mut eta);
        let data = &data.as_standard_layout().into_owned();
        let missing = self.missing.as_ref().map(|_| Missing::find(data));
        let rows = Rows { data, centre: &self.centre, missing: missing.as_ref(), indices: None };
        with_workspace(|w| {
            for tile in tiles(0..data.nrows()) {
                w.load(rows, tile.clone());
                w.set_responsibilities(&self.density_layout, self.n_components, &eta, rows);
                for (o, l) in out.slice_mut(s![tile]).iter_mut().zip(w.log_normalisers()) {
                    *o = *l;
                }
            }
        });
    }
}

const ALL: Likelihood<'static> = Likelihood { indices: None, scale: 1.0 };

impl LogJoint for GaussianMixture {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.evaluate_one(ALL, z, None)
    }

    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        self.evaluate(ALL, z.view(), out.view_mut(), None);
    }
}

impl GradLogJoint for GaussianMixture {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        self.evaluate_one(ALL, z, Some(grad))
    }

    fn log_joint_and_grad_batch(
        &self,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef2<f64>,
    ) {
        self.evaluate(ALL, z.view(), out.view_mut(), Some(grad.view_mut()));
    }
}
